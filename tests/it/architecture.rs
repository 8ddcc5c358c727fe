//! Who may use whom, read from the sources: the layout of the house style, so that nobody has to remember it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which parts of ours a part may use. What is not listed may not be used; the command line and the library's map may use
/// everything.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("core", &[]),
    ("mapping", &["core", "config"]),
    // When a schedule is checked it is parsed.
    ("config", &["core", "schedule"]),
    ("schedule", &[]),
    ("engine", &["core", "mapping"]),
    ("sheets", &["core"]),
    ("tools", &["core", "mapping", "engine", "sheets"]),
    ("present", &["core", "engine", "tools", "sheets"]),
    ("sources", &["core", "engine", "config"]),
    ("topdesk", &["core", "engine", "config"]),
    ("store", &["core", "engine"]),
    ("notify", &["core", "engine"]),
    (
        "app",
        &[
            "core", "engine", "mapping", "sources", "topdesk", "store", "notify", "config", "schedule", "tools",
        ],
    ),
    ("daemon", &["app", "core", "engine", "store", "config", "schedule"]),
    (
        "demo",
        &["tools", "present", "sheets", "core", "engine", "app", "store", "config"],
    ),
];

/// What the pure core must not know: the runtime, the wire, the disk, the clock and its surroundings.
const SHELLS: [&str; 16] = [
    "tokio",
    "futures",
    "reqwest",
    "sqlx",
    "ldap3",
    "axum",
    "async fn",
    ".await",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "Utc::now",
    "Local::now",
    "SystemTime",
];

/// Longest file: when it grows past this, a noun is missing.
const MOST_LINES: usize = 500;

fn rust_files(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path, text);
            }
        }
    }
    found
}

/// The part of the program that a file belongs to: the folder under `src`.
fn part(path: &Path) -> Option<String> {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    Some(first.trim_end_matches(".rs").to_owned())
}

/// Code without comments, and without the tests at its end or in files of their own.
fn code(path: &Path, text: &str) -> String {
    let of_tests = path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs") || name == "testing.rs"
    });
    if of_tests {
        return String::new();
    }
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The parts named after `crate::`, as deep as they are written.
fn uses(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != ':');
        rest[..end.unwrap_or(rest.len())].trim_end_matches(':')
    })
}

#[test]
fn parts_use_only_what_they_may() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, text) in rust_files("src") {
        let Some(part) = part(&path) else { continue };
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
            assert!(
                ["cli", "lib", "main"].contains(&&*part),
                "say in MAY_USE what {part} may use"
            );
            continue;
        };
        seen += 1;
        for used in uses(&code(&path, &text)) {
            let own = used == part || used.starts_with(&format!("{part}::"));
            let fits = |allowed: &&str| used == *allowed || used.starts_with(&format!("{allowed}::"));
            if !own && !allowed.iter().any(fits) {
                wrong.push(format!("{}: crate::{used}", path.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} files were looked at");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_reached_by_a_way_around() {
    // `super::super` out of a part, or the library's own name inside it, would not be seen by the test above.
    for (path, text) in rust_files("src") {
        let code = code(&path, &text);
        let outside = part(&path).is_some_and(|part| part != "main");
        assert!(!outside || !code.contains("cardsync::"), "{}", path.display());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let depth = path.strip_prefix(&root).unwrap().components().count();
        let module = path.file_name().is_some_and(|name| name == "mod.rs");
        // From a/b.rs one `super` is a, two are the crate.
        let most = depth - usize::from(module) - 1;
        let up = "super::".repeat(most + 1);
        assert!(!code.contains(&up), "{} climbs out of its part", path.display());
    }
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files("src/core") {
        let code = code(&path, &text);
        wrong.extend(
            SHELLS
                .iter()
                .filter(|shell| code.contains(**shell))
                .map(|shell| format!("{}: {shell}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_writes_but_through_the_type_that_proves_the_checks() {
    for (path, text) in rust_files("src") {
        let place = path.display().to_string();
        // What applies changes works with a writer that it was handed.
        let may = ["src/topdesk/", "src/app/", "src/engine/apply/"]
            .iter()
            .any(|part| place.contains(part));
        assert!(may || !code(&path, &text).contains(".writer()"), "{place}");
    }
}

#[test]
fn the_sandbox_is_a_witness_of_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("crates/topdesk-sandbox/Cargo.toml")).unwrap();
    assert!(!manifest.contains("cardsync"), "it shares no type with what it watches");
    for (path, text) in rust_files("src") {
        let part = part(&path).unwrap_or_default();
        let uses_it = code(&path, &text).contains("topdesk_sandbox");
        assert!(!uses_it || ["cli", "demo"].contains(&&*part), "{}", path.display());
    }
}

/// Where standard output and error are written to: in the command line one place, which makes visible what would deceive.
const SCREENS: [&str; 3] = ["src/cli/out.rs", "src/cli/progress.rs", "src/demo/page.rs"];

#[test]
fn nothing_is_printed_beside_the_neutraliser() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files("src") {
        let code = code(&path, &text);
        let place = path.display().to_string();
        if SCREENS.iter().any(|screen| place.ends_with(screen)) {
            continue;
        }
        let direct = ["println!(", "print!(", "dbg!(", "io::stdout()", "io::stderr()"];
        let found = direct.iter().filter(|word| code.contains(**word));
        wrong.extend(found.map(|word| format!("{place}: {word}")));
        // A line that is put together without `line!` does not know its own breaks from those of a value.
        let shown = place.contains("src/cli/") || place.contains("src/present/");
        let by_hand = shown && !place.ends_with("charts.rs") && code.contains("writeln!(");
        wrong.extend(by_hand.then(|| format!("{place}: writeln!, use line!")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_part_says_what_it_is_for() {
    for (path, text) in ["src", "crates"].map(rust_files).into_iter().flatten() {
        assert!(
            text.starts_with("//!") || code(&path, &text).is_empty(),
            "{} has no //! at its top",
            path.display()
        );
    }
}

#[test]
fn no_file_has_lost_its_noun() {
    let mut long = Vec::new();
    let all = ["src", "crates", "tests"].map(rust_files);
    for (path, text) in all.into_iter().flatten() {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_file_of_tests_is_run() {
    let files = rust_files("tests/it");
    for path in files.keys() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "main" || name == "mod" {
            continue;
        }
        let declared = files.values().any(|text| {
            text.lines()
                .any(|line| line == format!("mod {name};") || line == format!("pub mod {name};"))
        });
        assert!(declared, "no module declares {}", path.display());
    }
}

#[test]
fn no_test_says_how_long_something_may_take() {
    // A busy machine takes what it takes. What must not be waited for is made so long that nobody could sit it out.
    for (path, text) in rust_files("tests/it") {
        let patient = ["support/waiting.rs", "support/slapd.rs", "architecture.rs"]
            .iter()
            .any(|name| path.ends_with(name));
        let limit = text.lines().find(|line| {
            let bound = [
                "elapsed() < ",
                "elapsed() <= ",
                "elapsed().as_secs() < ",
                "elapsed().as_millis() < ",
            ];
            bound.iter().any(|bound| line.contains(bound))
        });
        assert!(
            patient || limit.is_none(),
            "{}: {}",
            path.display(),
            limit.unwrap_or_default()
        );
    }
}
