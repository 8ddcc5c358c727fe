//! The state file: backups, checks, another address, an old copy, a full disk, and the journal for a log collector.

use super::{CONFIG, LATER, PEOPLE, export, known};
use crate::support::workplace::{Workplace, text};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

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
fn a_store_from_an_old_backup_is_noticed_and_nobody_is_made_twice_or_archived() {
    let place = known();
    // A write before the copy, so that the copy knows how our writes are signed.
    export(&place, "Leiden", "Delft");
    place.cardsync(&["run", "--as-of", LATER]).exits(0);
    place.cardsync(&["store", "backup", "old.db"]).exits(0);
    let moved = PEOPLE.replace("Leiden", "Delft");
    let joined = format!("{moved}100004,Meijer,Tom,t.meijer@example.org,Leiden,\n");
    place.write("people.csv", &joined);
    place.cardsync(&["run", "--as-of", "2025-03-05T09:00"]).exits(0);
    let writes = place.writes().len();
    for companion in ["cardsync.db-wal", "cardsync.db-shm"] {
        assert!(!place.path(companion).exists(), "{companion}");
    }
    fs::rename(place.path("old.db"), place.path("cardsync.db")).unwrap();
    // Nothing new in the sources: nothing is done again.
    let run = place.cardsync(&["run", "--as-of", "2025-03-06T08:00"]);
    assert!(matches!(run.code, 0 | 3), "{run:?}");
    assert_eq!(place.writes().len(), writes, "{:?}", place.writes());
    // One more who joins and one who leaves wait until somebody has looked.
    let more = format!("{joined}100005,Prins,Kim,k.prins@example.org,Delft,\n");
    let more = more.replace("a.bakker@example.org,Delft,", "a.bakker@example.org,Delft,2025-03-04");
    place.write("people.csv", more);
    let run = place.cardsync(&["run", "--as-of", "2025-03-06T09:00"]).exits(3);
    const SAID: &str = "another cardsync writes here, or this store is old";
    assert!(run.stdout.contains(SAID), "{}", run.stdout);
    assert_eq!(place.writes().len(), writes, "{:?}", place.writes());
    place.cardsync(&["store", "check"]).exits(0);
    let (_, after) = run.stdout.split_once("cardsync approve ").unwrap();
    let item = after.split_whitespace().next().unwrap();
    place.cardsync(&["approve", item]).exits(0);
    let run = place.cardsync(&["run", "--as-of", "2025-03-06T10:00"]);
    assert!(!run.stdout.contains(SAID), "{}", run.stdout);
    assert!(place.writes().len() > writes, "{}", run.stdout);
    assert_eq!(place.sandbox.stats()["duplicate_keys"], serde_json::json!([]));
}

/// A file system of a few megabytes; gone at the end of the test.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(at: std::path::PathBuf) -> Option<SmallDisk> {
        fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&at)
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then_some(SmallDisk(at))
    }

    /// Fills it but for so many bytes.
    fn fill(&self, but_for: u64) {
        let path = self.0.join("ballast");
        let mut ballast = fs::File::create(&path).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length - but_for).unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _best_effort = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_disk_that_is_really_full_stops_the_run_and_nothing_is_done_twice() {
    let place = Workplace::open(super::company());
    let Some(disk) = SmallDisk::mount(place.path("disk")) else {
        println!("skipped: a small file system can only be mounted by root");
        return;
    };
    // Everybody moves every day.
    let config = format!("{CONFIG}guard: {{ changed_fields: {{ max: 50 }} }}\n");
    place.configure(&config.replace("sqlite: cardsync.db", "sqlite: disk/cardsync.db"));
    place.write("people.csv", PEOPLE);
    place.cardsync(&["run", "--as-of", "2025-03-03T08:00"]).exits(0);
    let site = |number: usize| if number.is_multiple_of(2) { "Delft" } else { "Leiden" };
    let mut stopped_midway = 0;
    for (round, free) in [0, 48 << 10, 128 << 10].into_iter().enumerate() {
        let moved = PEOPLE.replace("Delft", "@").replace("Leiden", site(round));
        place.write("people.csv", moved.replace('@', site(round + 1)));
        let before = place.writes().len();
        disk.fill(free);
        let day = format!("2025-03-1{round}");
        let run = place.cardsync(&["run", "--as-of", &format!("{day}T08:00")]);
        let sent = place.writes().len() - before;
        if run.code != 0 {
            let run = run.exits(1);
            assert!(run.stderr.contains("is full: the run stops"), "{run:?}");
            stopped_midway += 1;
        }
        assert!(free > 0 || sent == 0, "{sent} writes without room for an intent");
        disk.empty();
        place.cardsync(&["run", "--as-of", &format!("{day}T09:00")]).exits(0);
        assert_eq!(
            place.writes().len() - before,
            3,
            "each change once: {:?}",
            place.writes()
        );
        let checked = place.cardsync(&["store", "check"]).exits(0).stdout;
        assert!(checked.contains("every request has its outcome"), "{checked}");
    }
    assert!(stopped_midway > 0);
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
        people.replace("a.bakker@example.org,Delft,", "a.bakker@example.org,Delft,2025-03-04"),
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
