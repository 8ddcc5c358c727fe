use super::*;
use crate::core::memory::decision::HeldItem;
use crate::core::model::key::Key;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{Action, Change, HoldReason, item_id};
use chrono::{TimeZone, Utc};
use encoding_rs::WINDOWS_1252;

fn waits(key: &str, name: &str, reasons: &[HoldReason]) -> KeptHold {
    let mut change = Change {
        id: "".into(),
        action: Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: Default::default(),
            number: Vec::new(),
        },
        key: Some(Key::stored(key)),
        raw_key: None,
        card: Some("c1".into()),
        operator: OperatorLink::ProvenNone,
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts: Vec::new(),
        why: vec!["lifecycle.leaver.when holds".to_owned()],
        anchors: Vec::new(),
        overwrites: std::collections::BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    };
    change.id = item_id(&change);
    KeptHold {
        plan: "p1".into(),
        item: HeldItem {
            change: ChangeView::new(&change, reasons),
            name: Some(name.to_owned()),
            set_aside: None,
            judged_at: None,
            reasons: reasons.to_vec(),
            since: Utc.timestamp_opt(0, 0).single().expect("a valid time"),
            run: "r1".into(),
        },
        undoes: None,
    }
}

fn two() -> Waiting {
    Waiting {
        items: vec![
            waits("1", "Jan Visser", &[HoldReason::FirstContact]),
            waits("2", "=HYPERLINK(\"http://example.org\")", &[HoldReason::ConfigChanged]),
        ],
        decided: Vec::new(),
        snapshots: Vec::new(),
        ..Waiting::default()
    }
}

fn ids(waiting: &Waiting) -> Vec<String> {
    waiting
        .items
        .iter()
        .map(|kept| kept.item.change.id.to_string())
        .collect()
}

/// The written sheet with a decision and a note in each line.
fn filled(waiting: &Waiting, cells: &[(&str, &str)]) -> String {
    let sheet = write(waiting, Tz::UTC, Separator::default());
    let mut lines = sheet.lines().map(str::to_owned).collect::<Vec<_>>();
    for (line, (decision, note)) in lines.iter_mut().skip(1).zip(cells) {
        let kept = line.strip_suffix(";;").expect("the last two cells are empty");
        *line = format!("{kept};{decision};{note}");
    }
    lines.join("\r\n")
}

/// The columns that are needed.
const HEADER: &str = "id;action;key;name;person_id;operator;codes;decision";

/// What tells whom the first item is about.
const JAN: &str = "archive;1;Jan Visser;c1;";

fn problems(text: &str, waiting: &Waiting) -> Vec<String> {
    let problems = read(text.as_bytes(), waiting).expect_err("it is bad");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_written_comes_back_with_its_decisions() {
    let waiting = two();
    let [first, second] = ids(&waiting).try_into().expect("two");
    let text = filled(&waiting, &[("Approve ", "left, I asked"), ("", "")]);
    let expected = SheetDecision {
        item: first.into(),
        answer: Answer::Approve,
        note: Some("left, I asked".to_owned()),
        line: 2,
    };
    assert_eq!(read(text.as_bytes(), &waiting), Ok(vec![expected]));
    let text = filled(&waiting, &[("", ""), ("REJECT", "")]);
    let decided = read(text.as_bytes(), &waiting).unwrap();
    assert_eq!(
        (decided[0].item.to_string(), decided[0].answer),
        (second, Answer::Reject)
    );
}

#[test]
fn no_cell_is_a_formula_or_a_number_by_mistake() {
    let waiting = two();
    let sheet = write(&waiting, Tz::UTC, Separator::default());
    assert!(sheet.starts_with("\u{feff}id;class;action;key;name;"), "{sheet}");
    assert!(
        sheet.contains(";\"'=HYPERLINK(\"\"http://example.org\"\")\";"),
        "{sheet}"
    );
    assert!(
        sheet.contains(&format!("\n[{}];archive;archive;2;", ids(&waiting)[1])),
        "{sheet}"
    );
    for (cell, safe) in [
        ("-1", "'-1"),
        ("+31 6", "'+31 6"),
        ("@a", "'@a"),
        (" =1", "' =1"),
        ("\tx", "<U+0009>x"),
        ("Jan", "Jan"),
        ("", ""),
    ] {
        assert_eq!(defused(cell), safe);
    }
}

#[test]
fn it_is_read_however_a_spreadsheet_saves_it() {
    let waiting = two();
    let text = filled(&waiting, &[("approve", "gesehen: Müller"), ("", "")]);
    let expected = read(text.as_bytes(), &waiting).unwrap();
    let plain = text.trim_start_matches('\u{feff}');
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(plain.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let old = WINDOWS_1252.encode(plain).0.into_owned();
    let marked = format!("sep=;\r\n{plain}").into_bytes();
    let answers = |saved: &[u8]| -> Vec<(ItemId, Answer, Option<String>)> {
        let decided = read(saved, &waiting).expect("it is that list");
        decided.into_iter().map(|it| (it.item, it.answer, it.note)).collect()
    };
    let expected: Vec<_> = expected.into_iter().map(|it| (it.item, it.answer, it.note)).collect();
    for saved in [plain.as_bytes().to_vec(), utf16, old, marked] {
        assert_eq!(answers(&saved), expected);
    }
    let id = ids(&waiting)[0].clone();
    for delimiter in [",", "\t"] {
        let cells = [
            [
                "decision",
                "id",
                "codes",
                "note",
                "action",
                "key",
                "name",
                "person_id",
                "operator",
            ]
            .join(delimiter),
            [
                "approve",
                &id,
                "first_contact",
                "gesehen: Müller",
                "archive",
                "1",
                "Jan Visser",
                "c1",
                "",
            ]
            .join(delimiter),
        ];
        assert_eq!(answers(cells.join("\n").as_bytes()), expected);
    }
}

#[test]
fn every_bad_line_is_told_and_nothing_is_taken() {
    let waiting = two();
    let id = &ids(&waiting)[0];
    let text = format!(
        "{HEADER}\n[{id}];{JAN};first_contact;approve\n[0123456789ab];;;;;;;approve\n[{id}];{JAN};first_contact;maybe\n\
         [{id}];{JAN};first_contact;reject\n[ffffffffffff];;;;;;;\n"
    );
    let told = problems(&text, &waiting);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(
        told[0].starts_with("line 3: nothing that waits is called '0123456789ab'"),
        "{told:#?}"
    );
    assert!(
        told[1].starts_with("line 4: 'maybe' is no decision; write approve or reject"),
        "{told:#?}"
    );
    assert!(
        told[2].starts_with(&format!("line 5: item {id} has a decision in line 2 already")),
        "{told:#?}"
    );
}

#[test]
fn lines_are_those_of_the_file_whatever_ends_them() {
    let waiting = two();
    let id = &ids(&waiting)[0];
    for (above, first) in [("", 3), ("sep=;\n", 4), ("\"SEP=;\";;\n", 4), ("\n\n", 5)] {
        let text = format!(
            "{above}{HEADER};note\n[{id}];{JAN};first_contact;;\"two\nlines\"\n\n[0123456789ab];;;;;;;approve;\n"
        );
        for end in ["\n", "\r\n"] {
            let told = problems(&text.replace('\n', end), &waiting);
            let expected = format!("line {}: nothing that waits", first + 2);
            assert!(told[0].starts_with(&expected), "{end:?} {told:?}");
        }
    }
}

#[test]
fn lines_of_a_pair_sheet_are_those_of_the_file_as_well() {
    let text = "sep=;\nid;person_id;card_name;number;source_name;other_number;decision;note\n\
                x;c-1;A;1;A;;approve;\"two\nlines\"\n\nx;c-2;B;2;B;;approve;\n";
    for end in ["\n", "\r\n"] {
        let problems =
            crate::tools::rekey::sheet::read(text.replace('\n', end).as_bytes(), "").expect_err("both are bad");
        let lines: Vec<u64> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 6], "{end:?}");
    }
}

#[test]
fn an_item_that_waits_for_more_than_was_shown_is_refused() {
    let waiting = two();
    let mut later = two();
    later.items[0] = waits(
        "1",
        "Jan Visser",
        &[HoldReason::FirstContact, HoldReason::OperatorUnproven],
    );
    let text = filled(&waiting, &[("approve", ""), ("", "")]);
    let told = problems(&text, &later);
    assert!(
        told[0].contains("waits for more than the list showed (operator_unproven)"),
        "{told:#?}"
    );
    let text = filled(&waiting, &[("reject", ""), ("", "")]);
    assert_eq!(read(text.as_bytes(), &later).unwrap().len(), 1, "a no needs no reason");
}

#[test]
fn a_file_that_is_no_list_or_has_no_decision_says_so() {
    let waiting = two();
    assert!(problems("a;b\n1;2\n", &waiting)[0].starts_with("line 1: this is no list of what waits"));
    assert!(problems("", &waiting)[0].starts_with("line 1: this is no list of what waits"));
    assert!(
        problems(&write(&waiting, Tz::UTC, Separator::default()), &waiting)[0]
            .starts_with("line 1: no line has a decision")
    );
}

/// The lines of a sheet with one column in another order than the others.
fn sorted_alone(sheet: &str, column: usize) -> String {
    let rows: Vec<Vec<&str>> = sheet.lines().map(|line| line.split(';').collect()).collect();
    let moved = |at: usize| match at {
        0 => 0,
        at => rows.len() - at,
    };
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let mut cells = row.clone();
        cells[column] = rows[moved(at)][column];
        text.push_str(&cells.join(";"));
        text.push('\n');
    }
    text
}

#[test]
fn a_column_that_was_sorted_alone_refuses_the_whole_list_and_a_list_that_was_sorted_as_a_whole_is_taken() {
    let mut waiting = two();
    waiting.items[1] = waits("2", "Piet Smit", &[HoldReason::ConfigChanged]);
    waiting.items[1].item.change.person_id = Some("c2".into());
    waiting.items[1].item.change.operator = OperatorLink::Active {
        operators: vec!["o2".into()],
    };
    let sheet = filled(&waiting, &[("approve", ""), ("", "")]);
    for name in ["id", "key", "name", "person_id", "operator"] {
        let column = COLUMNS.iter().position(|column| *column == name).expect("a column");
        let told = problems(&sorted_alone(&sheet, column), &waiting);
        assert_eq!(told.len(), 2, "{name}: {told:#?}");
        assert!(told[0].starts_with("line 2: the column '"), "{name}: {told:#?}");
    }
    let mut lines: Vec<&str> = sheet.lines().collect();
    lines[1..].reverse();
    let decided = read(lines.join("\n").as_bytes(), &waiting).expect("sorted as a whole");
    assert_eq!(decided[0].line, 3, "the line of the file: {decided:#?}");
    assert_eq!(decided[0].item, waiting.items[0].item.change.id);
}

#[test]
fn a_cell_that_a_spreadsheet_has_changed_in_its_ways_is_still_the_same() {
    for (cell, written) in [
        ("123", "000123"),
        ("Jan  Visser ", "Jan Visser"),
        ("?ukasz", "Łukasz"),
        ("=1", "=1"),
        ("'=1", "=1"),
    ] {
        assert!(is_same_cell(cell, written), "{cell} {written}");
    }
    for (cell, written) in [
        ("124", "123"),
        ("", "123"),
        ("Jan", "Jon"),
        ("J?n", "Jan"),
        ("123", "12A3"),
    ] {
        assert!(!is_same_cell(cell, written), "{cell} {written}");
    }
}

#[test]
fn a_column_that_stands_twice_is_refused() {
    let waiting = two();
    let text = filled(&waiting, &[("approve", ""), ("", "")]);
    let twice: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{line};{}", if at == 0 { "Decision" } else { "reject" }))
        .collect();
    assert_eq!(
        problems(&twice.join("\r\n"), &waiting),
        ["line 1: the column 'decision' stands twice: keep one of them"]
    );
}

#[test]
fn a_list_answers_the_day_of_the_evidence_that_it_shows_and_no_other() {
    use crate::core::plan::{Evidence, EvidenceCode};
    let mut waiting = two();
    let on = |day: u32| {
        let day = NaiveDate::from_ymd_opt(2026, 12, day);
        vec![Evidence::new(EvidenceCode::LeaverCondition, None, "left".to_owned()).on(day)]
    };
    waiting.items[0].item.change.evidence = on(1);
    let text = filled(&waiting, &[("approve", ""), ("", "")]);
    assert!(text.contains(";of 2026-12-01;"), "{text}");
    assert_eq!(read(text.as_bytes(), &waiting).map(|decisions| decisions.len()), Ok(1));
    waiting.items[0].item.change.evidence = on(4);
    let told = problems(&text, &waiting);
    assert!(told[0].contains("has evidence of 2026-12-04 now"), "{told:?}");
}

#[test]
fn no_list_overrules_a_no() {
    let mut waiting = two();
    let text = filled(&waiting, &[("approve", ""), ("", "")]);
    waiting.decided = vec![Decision {
        item: waiting.items[0].item.change.id.clone(),
        answer: Answer::Reject,
        by: "anna".to_owned(),
        at: Utc.timestamp_opt(0, 0).single().expect("a valid time"),
        waives: BTreeSet::new(),
        until: None,
        note: None,
        about: crate::core::memory::decision::About::default(),
    }];
    let told = problems(&text, &waiting);
    assert!(told[0].contains("was rejected by anna on 1970-01-01"), "{told:?}");
    let text = filled(&waiting, &[("reject", ""), ("", "")]);
    assert!(read(text.as_bytes(), &waiting).is_ok());
}
