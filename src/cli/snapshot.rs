//! `snapshot`: a real environment as a seed for the sandbox.

use super::exit::Exit;
use super::out;
use super::progress::Shown as Bars;
use super::session;
use crate::present::lines::line;
use crate::topdesk::{SnapshotKeys, SnapshotReport};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What becomes of the field that is the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Keys {
    /// As they are: your sources match the cards.
    Keep,
    /// Replaced like everything else: as long as before, digits by digits and letters by letters; leading zeros, blanks,
    /// capitals and asterisks stay in their places, so equal keys stay equal and variants of a key stay its variants.
    Hash,
}

/// What stands below the options in the help.
const WHAT: &str = "\
Reads the configured TOPdesk, with GET only, and writes what the account sees as a seed for `cardsync sandbox --seed`.

Replaced: names, logins, e-mail addresses, telephone numbers, employee numbers that are not the key, attention comments, \
remarks, optional texts, memos, numbers and dates. The same value becomes the same pseudonym everywhere, whatever its \
capitals, under a random key that is never stored; two values never become one. Blank stays blank, asterisks stay \
asterisks. Kept: ids, the key (see --keys), flags, job titles, and the names of branches, departments, groups and other \
lists. Not read: gender, city, private details, contracts, addresses of branches.

A pseudonym is as long as what it stands for, and who has a manager or an operator card stays visible: treat the file as \
personal data. Only its owner may read it (0600).";

/// Options of `snapshot`.
#[derive(Debug, Args)]
#[command(after_help = WHAT)]
pub(super) struct SnapshotArgs {
    /// The seed file; one that exists is replaced when the snapshot is complete.
    file: PathBuf,
    /// What becomes of the key.
    #[arg(long, value_enum, default_value = "keep")]
    keys: Keys,
}

pub(super) async fn snapshot(config: &Path, args: &SnapshotArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let connected = environment.connect()?;
    let key = environment.key().card_field;
    let keys = match args.keys {
        Keys::Keep => SnapshotKeys::Keep,
        Keys::Hash => SnapshotKeys::Hash,
    };
    let draft = draft_of(&args.file)?;
    let bars = Bars::new();
    let taken = async {
        let file = private(&draft)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let report = connected.reader.snapshot(key, keys, &mut out, &bars).await?;
        let file = out.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()?;
        std::fs::rename(&draft, &args.file)?;
        anyhow::Ok(report)
    }
    .await;
    bars.finish();
    let report = match taken {
        Ok(report) => report,
        Err(error) => {
            // Half a seed is of no use, and is personal data.
            let _never_made = std::fs::remove_file(&draft);
            return Err(error.context(format!("no snapshot was written to {}", args.file.display())));
        }
    };
    let personal = environment.key_is_personal() && args.keys == Keys::Keep;
    out::print(&told(
        &report,
        args,
        &key.name(),
        personal,
        &environment.config().topdesk.username,
    ));
    Ok(Exit::Done)
}

/// A file beside the one that is wanted.
fn draft_of(file: &Path) -> anyhow::Result<PathBuf> {
    let Some(name) = file.file_name() else {
        bail!("{} is no name for a file", file.display());
    };
    let mut draft = name.to_owned();
    draft.push(format!(".{}.part", std::process::id()));
    Ok(file.with_file_name(draft))
}

fn private(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn told(report: &SnapshotReport, args: &SnapshotArgs, key: &str, personal: bool, username: &str) -> String {
    let file = args.file.display();
    let mut text = format!("{file}, readable by its owner only:\n");
    for (array, count) in report.written.iter().filter(|(_, count)| *count > 0) {
        line!(text, "  {count:>8} {array}");
    }
    text.push_str("Replaced by pseudonyms:\n");
    for (what, count) in &report.replaced {
        line!(text, "  {count:>8} {what}");
    }
    match args.keys {
        Keys::Keep => text.push_str(&format!("Kept: the keys ({key}), ids, job titles, names of lists.\n")),
        Keys::Hash => text.push_str("Kept: ids, job titles, names of lists.\n"),
    }
    if personal {
        line!(
            text,
            "The keys ({key}) are personal data themselves and were kept; --keys hash replaces them."
        );
    }
    for note in &report.notes {
        line!(text, "Note: {note}");
    }
    let sources = match args.keys {
        Keys::Keep => {
            "Your sources still have the real names and the cards have not. So matched people are held as 'same number, another\n\
             person?' until you approve each, by its id or in a list (holds --csv, approve --csv). Whom the plan creates,\n\
             archives or leaves alone, and which operators go along, is as it would be, unless cardsync has written to this\n\
             TOPdesk before: then the rehearsal takes those writes for another cardsync's until you approve what it shows.\n"
        }
        Keys::Hash => "Your sources still have the real keys and match no card: use sources made for the rehearsal.\n",
    };
    text.push_str(&format!(
        "\nTo rehearse: make rehearsal.yaml, a copy of the configuration in which topdesk.url is http://127.0.0.1:8480, its\n\
         password is 'sandbox' and store.sqlite is another file.\n\n  \
         cardsync sandbox --seed {file} --username '{username}' --password sandbox\n  \
         cardsync -c rehearsal.yaml plan\n  \
         cardsync -c rehearsal.yaml run\n\n{sources}"
    ));
    text
}
