//! The documents: configurations in them load and compile, links lead somewhere, tables say what the program does.

use cardsync::config::GuardConfig;
use cardsync::config::load::from_text;
use cardsync::mapping::Mapping;
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

#[test]
fn the_configuration_of_the_readme_loads_and_its_expressions_compile() {
    let readme = document("README.md");
    let configurations = blocks(&readme, "yaml");
    assert!(!configurations.is_empty());
    for text in configurations {
        let loaded = from_text(Path::new("README.md"), &text).unwrap_or_else(|problems| panic!("{problems}"));
        if let Err(problems) = Mapping::compile(&loaded.config) {
            panic!("{problems:?}");
        }
    }
}

#[test]
fn links_to_files_lead_somewhere() {
    let pages = std::fs::read_dir(root().join("docs")).expect("the documents");
    let pages = pages.map(|page| format!("docs/{}", page.unwrap().file_name().to_string_lossy()));
    for name in pages.chain(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned)) {
        let folder = root().join(&name);
        let text = document(&name);
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|target| !target.starts_with("http") && !target.starts_with('#'))
        {
            let path = folder.parent().expect("a file has a folder").join(target);
            assert!(path.exists(), "{name}: {target}");
        }
    }
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
