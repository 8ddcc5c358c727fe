use super::*;
use crate::domain::decision::HeldItem;
use crate::domain::key::Key;
use crate::domain::plan::{Action, Change, HoldReason, item_id};
use crate::domain::view::ChangeView;
use chrono::{TimeZone, Utc};

fn waits(key: &str, name: &str, reasons: &[HoldReason]) -> KeptHold {
    let mut change = Change {
        id: "".into(),
        action: Action::Archive {
            reason: None,
            disarm: Vec::new(),
            apart: Default::default(),
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
    let sheet = write(waiting, Tz::UTC);
    let mut lines = sheet.lines().map(str::to_owned).collect::<Vec<_>>();
    for (line, (decision, note)) in lines.iter_mut().skip(1).zip(cells) {
        let kept = line.strip_suffix(";;").expect("the last two cells are empty");
        *line = format!("{kept};{decision};{note}");
    }
    lines.join("\r\n")
}

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
    let sheet = write(&waiting, Tz::UTC);
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
    for saved in [plain.as_bytes().to_vec(), utf16, old, marked] {
        assert_eq!(read(&saved, &waiting), Ok(expected.clone()));
    }
    let id = ids(&waiting)[0].clone();
    for delimiter in [",", "\t"] {
        let cells = [
            ["decision", "id", "codes", "note"].join(delimiter),
            ["approve", &id, "first_contact", "gesehen: Müller"].join(delimiter),
        ];
        assert_eq!(read(cells.join("\n").as_bytes(), &waiting), Ok(expected.clone()));
    }
}

#[test]
fn every_bad_line_is_told_and_nothing_is_taken() {
    let waiting = two();
    let id = &ids(&waiting)[0];
    let text = format!(
        "id;codes;decision\n[{id}];first_contact;approve\n[0123456789ab];;approve\n[{id}];first_contact;maybe\n[{id}];first_contact;reject\n[ffffffffffff];;\n"
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
            "{above}id;codes;decision;note\n[{id}];first_contact;;\"two\nlines\"\n\n[0123456789ab];;approve;\n"
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
            crate::engine::pair_sheet::read(text.replace('\n', end).as_bytes(), "").expect_err("both are bad");
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
    assert!(problems(&write(&waiting, Tz::UTC), &waiting)[0].starts_with("line 1: no line has a decision"));
}
