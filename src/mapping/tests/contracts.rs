use crate::core::model::identity::Moment;
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::{AttributeNames, Place, SourceRecord, Standing, Values};
use crate::core::reads::rows::{RowState, Rows};
use crate::mapping::Mapping;
use crate::mapping::testing::{FROM_START_TO_END, compile_contracts};
use chrono::{NaiveDate, TimeZone, Utc};
use proptest::prelude::*;

const COLUMNS: [&str; 6] = ["key", "start", "end", "branch", "job", "status"];

/// Today is 1 June 2024.
fn moment() -> Moment {
    Moment {
        now: Utc.with_ymd_and_hms(2024, 6, 1, 10, 0, 0).unwrap(),
        zone: chrono_tz::Europe::Amsterdam,
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// `start end branch job status`; a dash is blank.
fn row(line: usize, text: &str) -> SourceRecord {
    let cells = text.split(' ').map(|cell| if cell == "-" { "" } else { cell });
    let values = std::iter::once("1").chain(cells).map(|cell| Values::One(cell.into()));
    let mut values: Vec<Values> = values.collect();
    values.resize(COLUMNS.len(), Values::One("".into()));
    SourceRecord {
        key: Key::stored("1"),
        raw_key: RawKey("1".into()),
        place: Place::Line(line as u64 + 2),
        values: values.into(),
        anchor: None,
        standing: Standing::Current,
        rows: None,
    }
}

fn group(mapping: &Mapping, rows: &[&str]) -> SourceRecord {
    let rows = rows.iter().enumerate().map(|(line, text)| row(line, text)).collect();
    grouped(mapping, rows)
}

fn grouped(mapping: &Mapping, rows: Vec<SourceRecord>) -> SourceRecord {
    let source = SourceName::new("hr");
    let names = AttributeNames::new(COLUMNS.map(str::to_owned), false);
    let rule = mapping.contract(&source).unwrap();
    let mut people = rule.group(rows, &names, &source, moment());
    assert_eq!(people.len(), 1);
    people.remove(0)
}

fn start_to_end(more: &str) -> Mapping {
    compile_contracts(FROM_START_TO_END, more, "")
}

fn cell(record: &SourceRecord, column: &str) -> String {
    let at = COLUMNS.iter().position(|name| *name == column).unwrap();
    record.values[at].as_slice().join("|")
}

fn rows_of(record: &SourceRecord) -> &Rows {
    record.rows.as_deref().unwrap()
}

fn states(record: &SourceRecord) -> Vec<RowState> {
    rows_of(record).all.iter().map(|row| row.state).collect()
}

#[test]
fn the_current_row_describes_the_person_wherever_it_stands() {
    let record = group(
        &start_to_end(""),
        &[
            "2015-01-01 2020-01-01 Delft",
            "2024-01-01 - Leiden",
            "2024-07-01 - Gouda",
        ],
    );
    assert_eq!(
        (record.standing, cell(&record, "branch")),
        (Standing::Current, "Leiden".to_owned())
    );
    assert!(rows_of(&record).beside.is_empty());
    assert_eq!(
        states(&record),
        [
            RowState::Ended(Some(day("2020-01-02"))),
            RowState::Current,
            RowState::Begins(day("2024-07-01"))
        ]
    );
}

#[test]
fn a_row_that_begins_later_has_not_ended() {
    let record = group(
        &start_to_end(""),
        &[
            "2024-01-01 2024-05-31 Delft",
            "2024-08-01 - Gouda",
            "2024-06-03 2024-06-30 Leiden",
        ],
    );
    assert_eq!(
        (record.standing, cell(&record, "branch")),
        (Standing::NextRow, "Leiden".to_owned())
    );
    assert_eq!(rows_of(&record).next, Some(day("2024-06-03")));
    assert!(rows_of(&record).any_ended());
    // Also where the day is reckoned with, and where the row is over before the next look.
    let early = compile_contracts("hr.start | date <= today + days(14) and hr.end | date > today", "", "");
    assert_eq!(group(&early, &["2024-06-20 -"]).standing, Standing::NextRow);
    assert_eq!(rows_of(&group(&early, &["2024-06-20 -"])).next, Some(day("2024-06-06")));
    assert_eq!(group(&early, &["2024-06-15 -"]).standing, Standing::Current);
}

#[test]
fn a_status_without_a_date_begins_with_the_joiner() {
    let rest = "lifecycle: { joiner: { starts: \"{{ hr.start | date }}\", before: 14d } }";
    let by_status = compile_contracts("hr.status == 'active'", "", rest);
    assert_eq!(
        group(&by_status, &["2024-07-01 - Delft - planned"]).standing,
        Standing::NextRow
    );
    assert_eq!(
        group(&by_status, &["2023-07-01 - Delft - ended"]).standing,
        Standing::AllRowsEnded
    );
}

#[test]
fn only_what_was_current_once_has_ended() {
    let record = group(
        &start_to_end(""),
        &["2020-01-01 2023-12-31 Delft", "2024-01-01 2024-05-31 Leiden"],
    );
    assert_eq!(
        (record.standing, cell(&record, "branch")),
        (Standing::AllRowsEnded, "Leiden".to_owned())
    );
    assert_eq!(rows_of(&record).ended, Some(day("2024-06-01")));
    // An end before the start, in January for the year that has just gone: no row was ever current by it.
    let record = group(&start_to_end(""), &["2024-02-01 2023-12-31 Delft"]);
    assert_eq!(record.standing, Standing::NotKnown);
    assert!(rows_of(&record).why.as_ref().unwrap().contains("contradict"));
    // What a status says is no contradiction.
    let with_status = compile_contracts(&format!("{FROM_START_TO_END} and hr.status == 'A'"), "", "");
    assert_eq!(
        group(&with_status, &["2024-02-01 - Delft - L"]).standing,
        Standing::AllRowsEnded
    );
}

#[test]
fn a_row_that_cannot_be_read_is_not_an_ended_one() {
    let record = group(
        &start_to_end(""),
        &[
            "2020-01-01 2020-12-31 Delft",
            "2024-01-01 soon Leiden",
            "2021-01-01 2021-12-31 Delft",
        ],
    );
    assert_eq!(
        (record.standing, cell(&record, "branch")),
        (Standing::NotKnown, "Leiden".to_owned())
    );
    let record = group(
        &start_to_end(""),
        &["2024-01-01 soon Leiden", "2024-01-01 2024-06-01 Delft"],
    );
    assert_eq!(
        (record.standing, cell(&record, "branch")),
        (Standing::Current, "Delft".to_owned())
    );
}

#[test]
fn rows_main_says_which_of_several_current_rows_leads() {
    let rows = [
        "2020-01-01 - Delft 0,4 side",
        "2024-01-01 - Leiden 0,6 main",
        "2022-01-01 - Gouda 0,6 side",
        "2010-01-01 2019-12-31 Utrecht 1,0 main",
    ];
    let leads = |main: &str| {
        let record = group(&start_to_end(&format!(", main: {main}")), &rows);
        let beside = rows_of(&record).beside.iter().map(|row| cell(row, "branch"));
        let mut all: Vec<String> = std::iter::once(cell(&record, "branch")).chain(beside).collect();
        all.sort();
        all.join(" ")
    };
    assert_eq!(leads("\"{{ hr.start | date }}\""), "Leiden");
    assert_eq!(leads("\"hr.status == 'main'\""), "Leiden");
    assert_eq!(leads("\"{{ hr.job | number }}\""), "Gouda Leiden", "a tie is no answer");
    assert_eq!(leads("[\"hr.job | number\", \"hr.start | date\"]"), "Leiden");
    assert_eq!(
        leads("\"hr.status == 'none'\""),
        "Delft Gouda Leiden",
        "no row has the flag"
    );
    assert_eq!(
        leads("\"hr.branch | number\""),
        "Delft Gouda Leiden",
        "what cannot be read leads nothing"
    );
    let record = group(&start_to_end(""), &rows);
    assert_eq!(rows_of(&record).beside.len(), 2, "without it none leads");
}

#[test]
fn rows_main_must_have_an_order() {
    let yaml = "
topdesk: { url: https://example.topdesk.net, username: api, password: { env: TOPDESK_PASSWORD } }
create: { hasSspAccess: true, isCaller: true }
sources:
  - { name: hr, type: csv, path: hr.csv, key: key, role: authoritative, rows: { per: contract, current: hr.end | date >= today, main: [hr.fte | number, hr.site] } }
fields: { surName: '{{ hr.sur }}' }";
    let problems = Mapping::compile(&serde_yaml::from_str(yaml).unwrap()).unwrap_err();
    assert_eq!(problems[0].path, "sources[0].rows.main[1]");
    assert!(problems[0].message.contains("no order"), "{}", problems[0].message);
}

#[test]
fn a_row_is_known_again_by_its_first_day() {
    let mapping = start_to_end("");
    let before = group(&mapping, &["2015-01-01 2019-12-31 Delft", "2020-01-01 - Delft"]);
    let ended = group(
        &mapping,
        &["2020-01-01 2024-05-31 Leiden clerk", "2015-01-01 2019-12-31 Delft"],
    );
    assert!(rows_of(&before).marks.have_ended_in(&rows_of(&ended).marks));
    let lost = group(&mapping, &["2015-01-01 2019-12-31 Delft"]);
    assert!(!rows_of(&before).marks.have_ended_in(&rows_of(&lost).marks));
}

#[test]
fn without_a_first_day_a_row_is_known_again_by_everything_but_its_end() {
    let mapping = compile_contracts("hr.end | date >= today", "", "");
    let before = group(&mapping, &["- 2019-12-31 Delft", "- - Delft"]);
    let ended = group(&mapping, &["- 2024-05-31 Delft", "- 2019-12-31 Delft"]);
    assert!(rows_of(&before).marks.have_ended_in(&rows_of(&ended).marks));
    // The row that had ended before says the same as the one that is missing, but for its end.
    let lost = group(&mapping, &["- 2019-12-31 Delft"]);
    assert!(!rows_of(&before).marks.have_ended_in(&rows_of(&lost).marks));
}

fn some_row() -> impl Strategy<Value = String> {
    let dates = prop::sample::select(vec![
        "-",
        "soon",
        "2019-01-01",
        "2024-01-01",
        "2024-05-31",
        "2024-06-01",
        "2024-06-02",
        "2025-01-01",
    ]);
    let words = prop::sample::select(vec!["-", "Delft", "Leiden"]);
    (dates.clone(), dates, words.clone(), words)
        .prop_map(|(start, end, branch, job)| format!("{start} {end} {branch} {job}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Everything but the places is the same whatever the order of the rows, and however often one stands there.
    #[test]
    fn the_order_of_rows_decides_nothing(
        (rows, shuffled) in prop::collection::vec(some_row(), 1..6).prop_flat_map(|rows| {
            let mut twice = rows.clone();
            twice.extend(rows.first().cloned());
            (Just(rows), Just(twice).prop_shuffle())
        }),
        main in prop::sample::select(vec!["", ", main: \"{{ hr.start | date }}\"", ", main: \"hr.branch == 'Delft'\""]),
    ) {
        let mapping = start_to_end(main);
        let placeless = |rows: &[String]| {
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let mut record = group(&mapping, &rows);
            let summary = record.rows.as_mut().unwrap();
            let mut all: Vec<String> = summary.all.iter().map(|row| format!("{:?} {}", row.state, row.leads)).collect();
            all.sort();
            summary.all.clear();
            summary.beside.iter_mut().for_each(|row| row.place = Place::Line(0));
            record.place = Place::Line(0);
            (record, all)
        };
        prop_assert_eq!(placeless(&rows), placeless(&shuffled));
    }
}
