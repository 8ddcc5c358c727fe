//! The documents: configurations in them load and compile, links lead somewhere, tables say what the program does.

use cardsync::config::GuardConfig;
use cardsync::config::load::from_text;
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::concern::ConcernCode;
use cardsync::mapping::Mapping;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The contents of the fenced blocks of a kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let opening = format!("```{kind}\n");
    text.split(&opening)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// Every page that users read, by its name.
fn pages() -> impl Iterator<Item = String> {
    let pages = std::fs::read_dir(root().join("docs")).expect("the documents");
    let pages = pages.map(|page| format!("docs/{}", page.unwrap().file_name().to_string_lossy()));
    pages.chain(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned))
}

fn loads(name: &str, text: &str) -> Result<(), String> {
    let loaded = from_text(Path::new(name), text).map_err(|problems| problems.to_string())?;
    let compiled = Mapping::compile(&loaded.config);
    compiled.map(|_| ()).map_err(|problems| format!("{problems:?}"))
}

#[test]
fn the_configuration_of_the_readme_loads_and_its_expressions_compile() {
    let configurations = blocks(&document("README.md"), "yaml");
    assert!(!configurations.is_empty());
    for text in configurations {
        loads("README.md", &text).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

/// What an excerpt says takes the place of what the whole says.
fn put(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                put(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(whole), Value::Array(part)) => {
            for (at, value) in part.into_iter().enumerate() {
                match whole.get_mut(at) {
                    Some(here) => put(here, value),
                    None => whole.push(value),
                }
            }
        }
        (whole, part) => *whole = part,
    }
}

/// An excerpt is part of the configuration, or of one of its sources: there it loads, and its expressions compile.
#[test]
fn excerpts_of_configurations_load_and_their_expressions_compile() {
    let readme = blocks(&document("README.md"), "yaml").remove(0);
    let whole: Value = serde_yaml::from_str(&readme).expect("YAML");
    let mut count = 0;
    for name in pages().filter(|name| name != "README.md") {
        for text in blocks(&document(&name), "yaml") {
            let part: Value = serde_yaml::from_str(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong}\n{text}"));
            let mut places = vec![whole.clone(); 3];
            put(&mut places[0], part.clone());
            put(&mut places[1]["sources"][0], part.clone());
            put(&mut places[2]["sources"][1], part);
            let tried: Vec<_> = places.iter().map(|place| loads(&name, &place.to_string())).collect();
            let loaded = tried.iter().any(Result::is_ok);
            assert!(loaded, "{name}:\n{text}\n{tried:#?}");
            count += 1;
        }
    }
    assert!(count >= 9, "only {count} excerpts");
}

/// What a heading is called in an address.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().chars();
    let letters = letters.filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    letters.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    for name in pages() {
        let links = document(&name);
        let links = links.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in links.filter(|target| !target.starts_with("http")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => root().join(&name),
                file => root().join(&name).parent().expect("a file has a folder").join(file),
            };
            assert!(path.exists(), "{name}: {target}");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&path).expect("a page");
                let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(headings.any(|it| it == heading), "{name}: {target}: no such heading");
            }
        }
    }
}

/// Every option by its path, `*` for names that the user chooses.
fn options(schema: &Value, at: &Value, path: &[&str], found: &mut Vec<String>) {
    if path.len() > 8 {
        return;
    }
    let reference = at.get("$ref").and_then(Value::as_str);
    if let Some(there) = reference.and_then(|name| schema.pointer(name.trim_start_matches('#'))) {
        options(schema, there, path, found);
    }
    for (name, below) in at.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = [path, &[name]].concat();
        found.push(format!(".{}", path.join(".")));
        options(schema, below, &path, found);
    }
    if let Some(below) = at.get("additionalProperties").filter(|below| below.is_object()) {
        let path = [path, &["*"]].concat();
        found.push(format!(".{}", path.join(".")));
        options(schema, below, &path, found);
    }
    for several in ["anyOf", "oneOf", "allOf"] {
        for one in at.get(several).and_then(Value::as_array).into_iter().flatten() {
            options(schema, one, path, found);
        }
    }
    if let Some(items) = at.get("items") {
        options(schema, items, path, found);
    }
}

#[test]
fn options_that_the_documents_name_exist() {
    let schema = cardsync::config::schema::schema();
    let mut known = Vec::new();
    options(&schema, &schema, &[], &mut known);
    let names: BTreeSet<&str> = known.iter().filter_map(|path| path.rsplit('.').next()).collect();
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let mut count = 0;
    for name in pages().filter(|name| name != "CHANGELOG.md") {
        let text = document(&name);
        let spans = text
            .split("```")
            .step_by(2)
            .flat_map(|part| part.split('`').skip(1).step_by(2));
        for span in spans.map(|span| span.replace("[]", "")) {
            let parts: Vec<&str> = span.split('.').collect();
            if parts.len() < 2 || !parts.iter().all(|part| is_word(part)) || !names.contains(parts[0]) {
                continue;
            }
            count += 1;
            let (last, before) = parts.split_last().expect("two parts");
            let ends = [format!(".{span}"), format!(".{}.*", before.join("."))];
            let is_known = known.iter().any(|path| ends.iter().any(|end| path.ends_with(end)));
            assert!(is_known, "{name}: `{span}`: there is no such option ({last})");
        }
    }
    assert!(count > 60, "only {count} options were found");
}

#[test]
fn the_table_of_limits_has_the_defaults() {
    let readme = document("README.md");
    for (class, budget) in GuardConfig::default().with_defaults().written() {
        let budget = budget.unwrap_or_else(|| panic!("{class} has a default"));
        let parts = [
            budget.max.map(|max| max.to_string()),
            budget.percent.map(|percent| format!("{} %", percent.0)),
        ];
        let limit = parts.into_iter().flatten().collect::<Vec<_>>().join(" or ");
        let row = format!("| `{class}` | {limit} |");
        assert!(class == "anonymize" || readme.contains(&row), "{row}");
    }
}

/// The sources of the tests, one text.
fn test_sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder of tests");
    let read = |path: &Path| match path.is_dir() {
        true => test_sources(path),
        false => std::fs::read_to_string(path).expect("a test's source"),
    };
    entries.map(|entry| read(&entry.unwrap().path())).collect()
}

#[test]
fn the_table_of_incidents_names_tests_that_are_there() {
    let readme = document("README.md");
    let table = readme.split("## What goes wrong elsewhere").nth(1).expect("the table");
    let table = table.split("\n## ").next().expect("the table has an end");
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| incident"))
        .collect();
    assert!(rows.len() >= 30, "{}", rows.len());
    let sources = test_sources(&root().join("tests/it"));
    for row in rows {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().expect("a last column");
        let names: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            let is_scenario = root().join("tests/scenarios").join(name).join("steps").exists()
                || root().join("tests/scenarios").join(name).join("config.yaml").exists();
            assert!(
                is_scenario || sources.contains(&format!("fn {name}(")),
                "{name}: no such test"
            );
        }
    }
}

#[test]
fn every_code_is_explained_where_people_look_for_it() {
    let holds = include_str!("../../src/core/plan/hold.rs");
    let holds = holds.split("pub fn code(&self) -> String {").nth(1).expect("the codes");
    let holds = holds.split("\n    }").next().expect("their end");
    let holds = holds.split('"').skip(1).step_by(2);
    let holds: Vec<&str> = holds.filter(|word| !word.contains('%')).collect();
    assert!(holds.len() > 40, "{holds:?}");
    let concerns: Vec<&str> = ConcernCode::ALL.into_iter().map(ConcernCode::name).collect();
    let actions: Vec<&str> = ActionKind::IN_ORDER.into_iter().map(ActionKind::name).collect();
    for (page, codes) in [
        ("docs/guard.md", holds),
        ("docs/attention.md", concerns),
        ("docs/history.md", actions),
    ] {
        let text = document(page);
        for code in codes {
            let code = code.split(':').next().unwrap_or(code);
            let is_there = ["`", ":"].iter().any(|end| text.contains(&format!("`{code}{end}")));
            assert!(is_there, "{page} says nothing of {code}");
        }
    }
}
