use super::*;
use chrono::TimeZone;
use proptest::prelude::*;

fn order(files: &[(&str, i64)]) -> Vec<String> {
    let now = Utc.with_ymd_and_hms(2026, 12, 1, 8, 0, 0).unwrap();
    let found = files.iter().map(|(name, hours)| {
        let modified = now - chrono::Duration::hours(*hours);
        (Path::new("/x").join(name), (*name).to_owned(), modified)
    });
    let files = newest_first(found.collect(), now);
    files.iter().map(name_of).collect()
}

#[test]
fn a_pattern_fits_whole_names() {
    for (name, pattern, expected) in [
        ("export-1.csv", "export-*.csv", true),
        ("export-.csv", "export-*.csv", true),
        ("export-1.csv.part", "export-*.csv", false),
        ("my-export-1.csv", "export-*.csv", false),
        ("a1b", "a?b", true),
        ("ab", "a?b", false),
        ("abcabc", "*abc", true),
        ("[x].csv", "[x].csv", true),
    ] {
        assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
    }
    assert!(is_pattern(Path::new("/srv/hr/*.csv")) && !is_pattern(Path::new("/srv/*/hr.csv")));
}

#[test]
fn dates_in_names_begin_with_the_year() {
    let date = |name: &str| date_in(name).map(|date| date.format("%Y-%m-%d %H:%M:%S").to_string());
    for (name, expected) in [
        ("export-2026-11-30.csv", Some("2026-11-30 00:00:00")),
        ("20261130.csv", Some("2026-11-30 00:00:00")),
        ("hr_20261130_0615.csv", Some("2026-11-30 06:15:00")),
        ("hr_20261130061530.csv", Some("2026-11-30 06:15:30")),
        ("hr 2026.11.30T06:15:30.csv", Some("2026-11-30 06:15:30")),
        ("v2-2026_11_30.csv", Some("2026-11-30 00:00:00")),
        ("export-30-11-2026.csv", None),
        ("export-2026-13-01.csv", None),
        ("export-202611301.csv", None),
        ("export-100001.csv", None),
        ("export.csv", None),
    ] {
        assert_eq!(date(name).as_deref(), expected, "{name}");
    }
}

#[test]
fn newest_by_name_where_all_have_a_date_else_by_time() {
    assert_eq!(
        order(&[("a-2026-11-29.csv", 1), ("a-2026-11-30.csv", 9)]),
        ["a-2026-11-30.csv", "a-2026-11-29.csv"]
    );
    assert_eq!(
        order(&[("a-2026-11-30.csv", 9), ("a-latest.csv", 1)]),
        ["a-latest.csv", "a-2026-11-30.csv"]
    );
    // A date to come is a slip of the pen, and would be the newest for ever.
    assert_eq!(
        order(&[("a-2062-11-30.csv", 9), ("a-2026-11-30.csv", 1)]),
        ["a-2026-11-30.csv", "a-2062-11-30.csv"]
    );
    assert_eq!(
        order(&[("b.csv", 1), ("a.csv", 1)]),
        ["b.csv", "a.csv"],
        "the same time: by name"
    );
}

#[tokio::test]
async fn a_pattern_that_fits_nothing_and_a_folder_that_is_none_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let code = async |path: PathBuf| {
        Exports::of(&path, Utc::now())
            .await
            .err()
            .map(|finding| finding.code.to_string())
    };
    assert_eq!(
        code(folder.path().join("*.csv")).await.as_deref(),
        Some("file_not_found")
    );
    assert_eq!(
        code(folder.path().join("none/*.csv")).await.as_deref(),
        Some("file_unreadable")
    );
    std::fs::write(folder.path().join(".a.csv"), "").unwrap();
    std::fs::create_dir(folder.path().join("b.csv")).unwrap();
    assert_eq!(
        code(folder.path().join("*.csv")).await.as_deref(),
        Some("file_not_found")
    );
    std::fs::write(folder.path().join("c.csv"), "").unwrap();
    assert_eq!(code(folder.path().join("*.csv")).await, None);
}

fn csv(folder: &Path) -> crate::sources::csv::Csv {
    let config = serde_json::from_value(serde_json::json!({
        "name": "hr", "path": folder.join("hr-*.csv"), "key": "Nr", "role": "authoritative",
    }));
    let key = crate::core::model::key::KeySpec {
        card_field: crate::core::model::field::CardField::EmployeeNumber,
        normalise: Vec::new(),
        immutable: false,
    };
    crate::sources::csv::Csv::new(config.unwrap(), key)
}

#[tokio::test]
async fn what_is_not_complete_gives_way_to_the_one_before_and_is_blamed_where_none_is() {
    use crate::engine::{Silent, Source};
    let folder = tempfile::tempdir().unwrap();
    let write = |day: u32, text: &str| std::fs::write(folder.path().join(format!("hr-202611{day}.csv")), text).unwrap();
    let read = async || {
        csv(folder.path())
            .read(&std::collections::BTreeSet::new(), &Silent)
            .await
    };
    write(25, "Nr,Name\n1,a\n");
    write(26, "Nr,Name\n1,a\n2,b\n");
    write(27, "");
    write(28, "Nr,Name\n1,a\n2");
    let taken = read().await.unwrap();
    assert_eq!((taken.records.len(), taken.name_date), (2, date_in("20261126")));
    let told: Vec<(&str, Effect)> = taken
        .findings
        .iter()
        .map(|found| (&*found.code, found.effect))
        .collect();
    assert_eq!(
        told,
        [("file_read", Effect::Note), ("newest_unfinished", Effect::NoAbsence)]
    );
    assert!(
        taken.findings[1]
            .message
            .starts_with("hr-20261128.csv is newer and not complete")
    );
    // Three that are not complete are no accident: the newest is what is read, and refused.
    write(29, "");
    let refused = read().await.unwrap_err();
    assert_eq!(&*refused.code, "no_header");
    // One that is complete and wrong is not passed over.
    write(30, "Name,Mail\na,b\n");
    let wrong = read().await.unwrap();
    assert_eq!(wrong.name_date, date_in("20261130"));
    assert!(wrong.findings.iter().any(|found| &*found.code == "attribute_missing"));
}

proptest! {
    /// The first file has the greatest date, in whatever order the folder gives them.
    #[test]
    fn the_greatest_date_comes_first(days in proptest::collection::vec((1_u32..28, 0_u32..24), 1..6)) {
        let names: Vec<String> = days.iter().map(|(day, hour)| format!("hr-202611{day:02}-{hour:02}00.csv")).collect();
        let files: Vec<(&str, i64)> = names.iter().zip(1..).map(|(name, hours)| (name.as_str(), hours)).collect();
        let greatest = names.iter().max().unwrap();
        prop_assert_eq!(&order(&files)[0], greatest);
    }
}
