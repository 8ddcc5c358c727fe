//! The command lines in the documents: what they name exists, so that nobody types what the program does not know.

use super::Cli;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = std::fs::read_dir(root.join("docs")).expect("the documents");
    let pages = pages.map(|page| page.expect("a document").path());
    // Not the changelog: it names what is gone.
    let others = ["README.md", "CONTRIBUTING.md"].map(|name| root.join(name));
    pages.chain(others).collect()
}

/// The command lines of the fenced blocks, and the code within sentences.
fn code(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut spans) = (Vec::new(), Vec::new());
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 1 {
            let is_output = part.starts_with("text\n");
            let typed = part.lines().filter(|line| !is_output || line.starts_with("$ "));
            let typed = typed.map(|line| line.split(" #").next().unwrap_or_default());
            lines.extend(typed.flat_map(|line| line.split(';')).filter_map(called));
        } else {
            let within = part.split('`').skip(1).step_by(2);
            spans.extend(within.flat_map(|span| span.split(';')).map(str::to_owned));
        }
    }
    (lines, spans)
}

/// A line of a shell from the program's name on, if it calls it.
fn called(line: &str) -> Option<String> {
    let before = |word: &&str| *word == "$" || *word == "sudo" || word.contains('=');
    let words: Vec<&str> = line.split_whitespace().skip_while(before).collect();
    (words.first() == Some(&"cardsync")).then(|| words.join(" "))
}

/// As a shell takes them apart. Of `hr|it` the first: a document that names the choices means one of them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            let plain = part
                .split_whitespace()
                .map(|word| word.split('|').next().unwrap_or(word));
            words.extend(plain.map(str::to_owned));
        }
    }
    words
}

/// What is wrong with a line. A word in capitals stands for a value, and is none that could be read.
fn wrong(line: &str, in_sentence: bool) -> Option<String> {
    let words = words(line);
    let error = Cli::try_parse_from(&words).err()?;
    let stands_for = |word: &String| word.len() > 1 && word.chars().all(|char| char.is_ascii_uppercase());
    let fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::ValueValidation => words.iter().any(stands_for),
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => in_sentence,
        // An option that a sentence names without a value.
        ErrorKind::InvalidValue => in_sentence && words.last().is_some_and(|last| last.starts_with("--")),
        _ => false,
    };
    (!fine).then(|| format!("{line}\n{error}"))
}

fn options(command: &Command, into: &mut BTreeSet<String>) {
    into.extend(
        command
            .get_arguments()
            .filter_map(|argument| argument.get_long().map(str::to_owned)),
    );
    for below in command.get_subcommands() {
        options(below, into);
    }
}

#[test]
fn commands_and_options_in_the_documents_exist() {
    let definition = Cli::command();
    let commands: BTreeSet<&str> = definition.get_subcommands().map(Command::get_name).collect();
    let mut known = BTreeSet::new();
    options(&definition, &mut known);
    let (mut wrongs, mut seen) = (Vec::new(), 0);
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document");
        let (lines, spans) = code(&text);
        let mut found: Vec<String> = lines.iter().filter_map(|line| wrong(line, false)).collect();
        seen += lines.len();
        for span in &spans {
            let span = span.split_whitespace().collect::<Vec<_>>().join(" ");
            let first = span.split(' ').next().unwrap_or_default();
            if let Some(option) = first.strip_prefix("--") {
                let name = option.split('=').next().unwrap_or(option);
                // The documents say that there is no `--force`.
                let is_known = name.is_empty() || name == "force" || known.contains(name);
                found.extend((!is_known).then(|| format!("{span}: no command has this option")));
            } else if first == "cardsync" {
                found.extend(wrong(&span, true));
                seen += 1;
            } else if commands.contains(first) {
                found.extend(wrong(&format!("cardsync {span}"), true));
            }
        }
        let page = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        wrongs.extend(found.into_iter().map(|what| format!("{page}: {what}")));
    }
    assert!(seen > 100, "only {seen} command lines were found");
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}
