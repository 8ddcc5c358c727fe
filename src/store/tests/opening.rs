//! Opening: what is made, what is private, and what is refused.

use super::super::fault::Fault;
use super::super::{ReadOnlyStore, become_owner_of, schema};
use super::*;
use crate::engine::state::StateReader;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every file of a folder with its content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

async fn execute(path: &Path, sql: &str) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn every_file_is_private_from_its_first_moment() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    send(&store, &lease, &create("1"), at(0)).await.unwrap();
    let names: Vec<String> = content(path.parent().unwrap()).into_keys().collect();
    assert_eq!(
        names,
        ["cardsync.db", "cardsync.db-shm", "cardsync.db-wal", "cardsync.db.lock"]
    );
    for name in names {
        assert_eq!(mode(&path.with_file_name(&name)), 0o600, "{name}");
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_store_that_others_could_read_becomes_private_again() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let store = open(&path).await;
    assert_eq!(mode(&path), 0o600);
    store.close().await;
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_file_that_is_no_store_keeps_content_and_rights() {
    let (folder, path) = folder();
    let export = folder.path().join("export.csv");
    std::fs::write(&export, "Number;Name\n".repeat(100)).unwrap();
    std::fs::set_permissions(&export, PermissionsExt::from_mode(0o644)).unwrap();
    let before = content(folder.path());
    assert!(matches!(refused(&export).await, StoreError::Corrupt { .. }));
    assert_eq!((mode(&export), content(folder.path())), (0o644, before.clone()));
    open(&path).await.close().await;
    // A link is not followed, whatever it leads to.
    for (target, name) in [(&export, "cardsync.db"), (&path, "other.db"), (&export, "new.db-wal")] {
        let link = path.with_file_name(name);
        let _kept = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(target, &link).unwrap();
        let store = path.with_file_name(name.trim_end_matches("-wal"));
        let error = refused(&store).await.to_string();
        assert!(error.contains("is a symbolic link, which is not followed"), "{error}");
        assert!(ReadOnlyStore::open(&store, &environment(), HOST).await.is_err());
    }
    assert_eq!(mode(&export), 0o644);
    assert_eq!(std::fs::read(&export).unwrap(), before["export.csv"]);
}

#[tokio::test]
async fn another_topdesk_is_refused_and_both_are_named() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    execute(&path, "INSERT INTO contact (environment, body) VALUES (1, '{}')").await;
    let other = EnvironmentId::new("other.topdesk.net");
    let error = SqliteStore::open(&path, &other, "other.topdesk.net")
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, StoreError::OtherHost { bound, asked, .. } if bound == HOST && asked == "other.topdesk.net")
    );
    assert!(error.to_string().contains("correct topdesk.url"), "{error}");
    assert!(ReadOnlyStore::open(&path, &other, "other.topdesk.net").await.is_err());
    open(&path).await.close().await;
}

#[tokio::test]
async fn a_store_in_which_nothing_was_ever_kept_follows_a_corrected_address() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    let other = EnvironmentId::new("other.topdesk.net");
    for _ in 0..2 {
        let store = SqliteStore::open(&path, &other, "other.topdesk.net").await.unwrap();
        store.close().await;
    }
    execute(&path, "INSERT INTO contact (environment, body) VALUES (1, '{}')").await;
    assert!(matches!(refused(&path).await, StoreError::OtherHost { bound, .. } if bound == "other.topdesk.net"));
}

#[tokio::test]
async fn a_newer_store_is_refused_and_left_as_it_is() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    execute(&path, "PRAGMA user_version = 99").await;
    let before = content(path.parent().unwrap());
    assert_eq!(
        refused(&path).await,
        StoreError::Newer {
            path: path.clone(),
            found: 99,
            known: schema::FORMAT
        }
    );
    assert_eq!(content(path.parent().unwrap()), before);
}

#[tokio::test]
async fn an_older_store_is_not_changed_by_a_command_that_reads() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    execute(&path, "PRAGMA user_version = 0").await;
    let error = ReadOnlyStore::open(&path, &environment(), HOST).await.err().unwrap();
    assert_eq!(
        error,
        StoreError::Older {
            path,
            found: 0,
            known: schema::FORMAT
        }
    );
}

#[tokio::test]
async fn a_cut_off_or_damaged_store_is_refused_and_never_made_anew() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    for number in 0..200 {
        send(&store, &lease, &create(&number.to_string()), at(0)).await.unwrap();
    }
    drop(lease);
    store.close().await;
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 60_000, "{}", whole.len());
    let middle = whole.len() / 2;
    let mut scribbled = whole.clone();
    scribbled[middle..middle + 9000].fill(0xff);
    let mut headless = whole.clone();
    headless[..100].fill(0);
    let cases: [(&str, &[u8]); 6] = [
        ("nothing left", &[]),
        ("half", &whole[..middle]),
        ("a page less", &whole[..whole.len() - 4096]),
        ("a few bytes", &whole[..50]),
        ("scribbled over", &scribbled),
        ("no head", &headless),
    ];
    for (case, bytes) in cases {
        std::fs::write(&path, bytes).unwrap();
        let error = refused(&path).await;
        assert!(matches!(error, StoreError::Corrupt { .. }), "{case}: {error:?}");
        assert!(
            error.to_string().contains("put a backup in its place, or move it away"),
            "{case}: {error}"
        );
        assert!(
            ReadOnlyStore::open(&path, &environment(), HOST).await.is_err(),
            "{case}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{case}");
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(open(&path).await.open_intents().await.unwrap().len(), 200);
}

/// Too large to be checked page by page at every start.
#[tokio::test]
async fn a_large_store_that_was_cut_off_is_refused() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    let filler = "CREATE TABLE filler (bytes BLOB); \
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) \
        INSERT INTO filler SELECT zeroblob(1048576) FROM n";
    execute(&path, filler).await;
    let whole = std::fs::metadata(&path).unwrap().len();
    assert!(whole > 20 << 20);
    open(&path).await.close().await;
    for cut in [4096, 100, 10 << 20] {
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(whole - cut).unwrap();
        drop(file);
        assert!(
            matches!(refused(&path).await, StoreError::Corrupt { .. }),
            "{cut} bytes less"
        );
    }
}

#[tokio::test]
async fn a_lost_file_whose_log_is_still_there_is_refused() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    send(&store, &lease, &create("1"), at(0)).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(refused(&path).await, StoreError::Corrupt { .. }));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_backup_in_another_journal_mode_opens() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let held = lease(&store, "r1").await;
    send(&store, &held, &create("1"), at(0)).await.unwrap();
    let backup = path.with_file_name("backup.db");
    execute(&path, &format!("VACUUM INTO '{}'", backup.display())).await;
    let restored = open(&backup).await;
    assert_eq!(restored.open_intents().await.unwrap().len(), 1);
    let lease = lease(&restored, "r2").await;
    send(&restored, &lease, &create("2"), at(0)).await.unwrap();
    assert_eq!(restored.open_intents().await.unwrap().len(), 2);
    assert_eq!(store.open_intents().await.unwrap().len(), 1);
    assert_eq!(mode(&backup), 0o600);
}

#[tokio::test]
async fn a_file_of_another_program_is_refused() {
    let (_folder, path) = folder();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(
        &path,
        "PK not a database at all, but long enough for a head of one hundred bytes ".repeat(9),
    )
    .unwrap();
    assert!(matches!(refused(&path).await, StoreError::Corrupt { .. }));
    std::fs::remove_file(&path).unwrap();
    let mut other = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::query("CREATE TABLE notes (text TEXT)")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    let before = content(path.parent().unwrap());
    let error = refused(&path).await;
    assert!(error.to_string().contains("of another program"), "{error}");
    assert_eq!(content(path.parent().unwrap()), before);
}

#[tokio::test]
async fn reading_commands_neither_make_nor_change_a_store() {
    let (folder, path) = folder();
    let none = ReadOnlyStore::open(&path, &environment(), HOST).await.unwrap();
    assert!(!none.exists());
    assert!(none.load(at(0)).await.unwrap().ledger.is_empty());
    assert!(none.holds().await.unwrap().is_empty());
    assert_eq!(content(folder.path()).len(), 0);

    let store = open(&path).await;
    let held = lease(&store, "r1").await;
    send(&store, &held, &create("1"), at(0)).await.unwrap();
    drop(held);
    store.close().await;
    let before = content(path.parent().unwrap());
    let reading = ReadOnlyStore::open(&path, &environment(), HOST).await.unwrap();
    assert!(reading.exists());
    assert_eq!(reading.load(at(0)).await.unwrap().in_doubt.keys.len(), 1);
    reading.close().await;
    assert_eq!(content(path.parent().unwrap()), before);
}

#[tokio::test]
async fn a_creation_cut_off_half_way_is_not_in_the_way() {
    let (_folder, path) = folder();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path.with_file_name("cardsync.db.new"), "").unwrap();
    std::fs::write(path.with_file_name("cardsync.db.new-wal"), "half").unwrap();
    open(&path).await.close().await;
    let names: Vec<String> = content(path.parent().unwrap()).into_keys().collect();
    assert_eq!(names, ["cardsync.db"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_start_at_once_make_one_store() {
    let (_folder, path) = folder();
    let start = |path: PathBuf| tokio::spawn(async move { open(&path).await });
    let (first, second) = (start(path.clone()), start(path.clone()));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let lease = lease(&first, "r1").await;
    send(&first, &lease, &create("1"), at(0)).await.unwrap();
    assert_eq!(second.open_intents().await.unwrap().len(), 1);
}

#[test]
fn every_failure_of_the_disk_has_words_and_a_cure() {
    let pool = Fault::Sql(sqlx::Error::Io(std::io::Error::other("broken"))).at(Path::new("/x/cardsync.db"));
    assert_eq!(
        pool.to_string(),
        "the store /x/cardsync.db: error communicating with database: broken"
    );
    let damaged = Fault::Unreadable {
        table: "ledger",
        what: "a value does not read".to_owned(),
    };
    let damaged = damaged.at(Path::new("/x/cardsync.db")).to_string();
    assert!(
        damaged.contains("in its table ledger a value does not read; put a backup"),
        "{damaged}"
    );
}

#[test]
fn root_becomes_the_owner_of_the_folder_and_others_stay_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    if !nix::unistd::geteuid().is_root() {
        assert_eq!(become_owner_of(folder.path()).unwrap(), None);
        return;
    }
    assert_eq!(become_owner_of(folder.path()).unwrap(), None, "root owns it");
    assert_eq!(become_owner_of(&folder.path().join("none")).unwrap(), None);
    std::os::unix::fs::chown(folder.path(), Some(4711), Some(4712)).unwrap();
    let output = child("store::tests::opening::child_becomes_owner", folder.path())
        .wait_with_output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("now 4711 4712 [4712]"), "{told}");
}

#[test]
#[ignore = "run by root_becomes_the_owner_of_the_folder_and_others_stay_who_they_are in a process of its own"]
fn child_becomes_owner() {
    let Some(folder) = std::env::var_os(CHILD_STORE) else {
        return;
    };
    let owner = become_owner_of(Path::new(&folder))
        .unwrap()
        .expect("root must have become the owner");
    assert_eq!((owner.uid, owner.gid, owner.name), (4711, 4712, None));
    let groups: Vec<u32> = nix::unistd::getgroups()
        .unwrap()
        .iter()
        .map(|group| group.as_raw())
        .collect();
    println!("now {} {} {groups:?}", nix::unistd::getuid(), nix::unistd::getgid());
}
