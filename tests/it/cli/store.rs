//! The state file: backups, checks, another address, an old copy, a full disk, and the journal for a log collector.

use super::{CONFIG, LATER, PEOPLE, known};
use crate::support::workplace::{Workplace, text};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// One card was updated and one person has joined.
fn lived() -> Workplace {
    let place = known();
    place.write(
        "people.csv",
        format!(
            "{}100004,Meijer,Tom,t.meijer@example.org,Leiden,\n",
            PEOPLE.replace("Leiden", "Delft")
        ),
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place
}

#[test]
fn the_journal_is_one_line_per_write_without_values() {
    let place = lived();
    let exported = place.cardsync(&["journal", "export"]).exits(0).stdout;
    let lines: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    let names: Vec<&str> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "time",
            "environment",
            "request",
            "run",
            "plan",
            "item",
            "action",
            "step",
            "card",
            "key",
            "operators",
            "outcome",
            "outcome_at",
            "settled_by",
            "approver",
            "approved_at"
        ]
    );
    assert_eq!(lines[0]["outcome"], "done");
    for private in ["Meijer", "t.meijer", "Delft", "Leiden"] {
        assert!(!exported.contains(private), "{private}");
    }
    let with_values = place.cardsync(&["journal", "export", "--with-values"]).exits(0).stdout;
    assert!(with_values.contains("t.meijer@example.org"));
    let later = place
        .cardsync(&["journal", "export", "--since", "2025-03-06"])
        .exits(0)
        .stdout;
    assert_eq!(later, "");
}

#[test]
fn a_key_that_is_a_login_is_a_hash_in_the_journal() {
    let place = lived();
    let by_login = CONFIG.replace("create:", "key: { card_field: tasLoginName, immutable: true }\ncreate:");
    place.configure(&by_login);
    let exported = place.cardsync(&["journal", "export"]).exits(0).stdout;
    assert!(!exported.contains("100004"), "{exported}");
    let first: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    assert_eq!(text(&first["key"]).len(), 64);
}

#[test]
fn a_backup_is_whole_private_and_overwrites_nothing() {
    let place = lived();
    let said = place.cardsync(&["store", "backup", "copy.db"]).exits(0).stdout;
    assert!(said.contains("readable by its owner only"), "{said}");
    let mode = fs::metadata(place.path("copy.db")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let first = fs::read(place.path("copy.db")).unwrap();
    let refused = place.cardsync(&["store", "backup", "copy.db"]).exits(1);
    assert!(refused.stderr.contains("never overwrites"), "{refused:?}");
    assert_eq!(fs::read(place.path("copy.db")).unwrap(), first);
    let parts: Vec<String> = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert!(parts.is_empty(), "{parts:?}");
    // The copy is a store as good as the first.
    fs::rename(place.path("copy.db"), place.path("cardsync.db")).unwrap();
    let checked = place.cardsync(&["store", "check"]).exits(0).stdout;
    assert!(checked.contains("every page is sound"), "{checked}");
    place.cardsync(&["plan", "--as-of", "2025-03-05T09:00"]).exits(0);
}

#[test]
fn a_store_from_an_old_backup_makes_nobody_twice_and_archives_nobody_for_it() {
    let place = known();
    place.cardsync(&["store", "backup", "old.db"]).exits(0);
    place.write(
        "people.csv",
        format!("{PEOPLE}100004,Meijer,Tom,t.meijer@example.org,Leiden,\n"),
    );
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    let writes = place.writes().len();
    fs::rename(place.path("old.db"), place.path("cardsync.db")).unwrap();
    let run = place.cardsync(&["run", "--json", "--as-of", "2025-03-06T08:00"]);
    assert!(matches!(run.code, 0 | 3), "{run:?}");
    assert_eq!(place.writes().len(), writes, "{:?}", place.writes());
    assert_eq!(place.sandbox.stats()["duplicate_keys"], serde_json::json!([]));
    place.cardsync(&["store", "check"]).exits(0);
}

#[test]
fn a_check_names_what_is_wrong_and_the_cure() {
    let place = lived();
    let whole = place.cardsync(&["store", "check", "--json"]).exits(0).json();
    let levels: Vec<&str> = whole["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| text(&line["level"]))
        .collect();
    assert!(levels.iter().all(|level| *level == "ok"), "{whole:#}");
    fs::set_permissions(place.path("cardsync.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let open = place.cardsync(&["store", "check"]).exits(1).stdout;
    assert!(open.contains("FAIL  file") && open.contains("chmod 600"), "{open}");
    let bytes = fs::read(place.path("cardsync.db")).unwrap();
    fs::write(place.path("cardsync.db"), &bytes[..bytes.len() / 2 + 100]).unwrap();
    let cut = place.cardsync(&["store", "check"]).exits(1).stdout;
    assert!(
        cut.contains("cut off") && cut.contains("put a backup in its place"),
        "{cut}"
    );
    assert_eq!(
        fs::read(place.path("cardsync.db")).unwrap().len(),
        bytes.len() / 2 + 100
    );
    fs::remove_file(place.path("cardsync.db")).unwrap();
    let none = place.cardsync(&["store", "check"]).exits(0).stdout;
    assert!(none.contains("does not exist yet"), "{none}");
}

#[test]
fn another_address_needs_a_human_word_and_is_a_first_contact() {
    let place = lived();
    let port = place.sandbox.addr.port();
    // The same sandbox under another name of this machine.
    let moved = CONFIG.replace("@URL@", &format!("http://localhost:{port}"));
    place.write("cardsync.yaml", &moved);
    let refused = place.cardsync(&["plan"]).exits(1);
    assert!(
        refused.stderr.contains("belongs to the TOPdesk on 127.0.0.1"),
        "{refused:?}"
    );
    assert!(
        place
            .cardsync(&["store", "check"])
            .exits(1)
            .stdout
            .contains("cardsync store bind")
    );
    let explained = place.cardsync(&["store", "bind"]).exits(1);
    assert!(
        explained.stderr.contains("cardsync store bind --to localhost"),
        "{explained:?}"
    );
    let wrong = place.cardsync(&["store", "bind", "--to", "elsewhere"]).exits(1);
    assert!(wrong.stderr.contains("nothing was changed"), "{wrong:?}");
    place.cardsync(&["store", "bind", "--to", "localhost"]).exits(0);
    place.cardsync(&["store", "check"]).exits(0);
    let people = fs::read_to_string(place.path("people.csv")).unwrap();
    place.write(
        "people.csv",
        people.replace("a.bakker@example.org,Delft,", "a.bakker@example.org,Delft,2025-01-31"),
    );
    let run = place.cardsync(&["run", "--as-of", "2025-03-07T08:00"]).exits(3);
    assert!(run.stdout.contains("stood there at first contact"), "{}", run.stdout);
    place.configure(CONFIG);
    let refused = place.cardsync(&["plan"]).exits(1);
    assert!(
        refused.stderr.contains("belongs to the TOPdesk on localhost"),
        "{refused:?}"
    );
}
