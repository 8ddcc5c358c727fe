use super::rows::{Layout, Rows, parse};
use super::*;
use crate::core::model::field::CardField;
use crate::core::model::key::Normaliser;
use crate::core::model::record::Place;
use crate::engine::Silent;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn key_spec() -> KeySpec {
    KeySpec {
        card_field: CardField::EmployeeNumber,
        normalise: vec![Normaliser::Trim, Normaliser::Uppercase],
        immutable: false,
    }
}

fn asked(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Parses with `;`, the key in `Nr` and all of `names` asked for.
fn rows_of(bytes: &[u8], label: &str, names: &[&str]) -> Result<Rows, Finding> {
    let mut reader = TextReader::new(encoding(label).unwrap());
    reader.push(bytes);
    let (source, key) = (SourceName::new("hr"), key_spec());
    let layout = Layout {
        source: &source,
        delimiter: b';',
        key_column: "Nr",
        key: &key,
        skip_lines: 0,
        blank: &BTreeSet::from(["NULL".to_owned()]),
    };
    parse(&reader.finish(), layout, &asked(names), |_| ())
}

fn rows(text: &str) -> Rows {
    rows_of(text.as_bytes(), "utf-8", &["Nr", "Name"]).unwrap()
}

fn lines(rows: &Rows) -> Vec<u64> {
    let line = |place: &Place| match place {
        Place::Line(line) => *line,
        Place::Dn(_) => panic!("a CSV file has lines"),
    };
    rows.records.iter().map(|record| line(&record.place)).collect()
}

fn codes(rows: &Rows) -> Vec<&str> {
    rows.findings.iter().map(|finding| &*finding.code).collect()
}

fn rejected(rows: &Rows) -> Vec<(u64, Option<&str>)> {
    rows.rejections
        .iter()
        .map(|rejection| match rejection.place {
            Place::Line(line) => (line, rejection.key.as_ref().map(|key| key.as_str())),
            Place::Dn(_) => panic!("a CSV file has lines"),
        })
        .collect()
}

fn config(path: &Path) -> CsvConfig {
    serde_json::from_value(serde_json::json!({
        "name": "hr", "path": path, "delimiter": ";", "key": "Nr", "role": "authoritative",
    }))
    .unwrap()
}

#[test]
fn only_the_asked_columns_are_kept_and_blanks_stay() {
    let rows = rows("Nr;Salary;Name\n1;9;Zoë\n2;9;\n3;9; x \n");
    assert_eq!(rows.header.attributes.iter().collect::<Vec<_>>(), ["Name", "Nr"]);
    let values: Vec<Vec<&str>> = rows
        .records
        .iter()
        .map(|record| record.values.iter().map(|value| &*value.as_slice()[0]).collect())
        .collect();
    assert_eq!(values, [["Zoë", "1"], ["", "2"], [" x ", "3"]]);
    assert_eq!(lines(&rows), [2, 3, 4]);
    assert!(rows.rejections.is_empty() && rows.findings.is_empty());
}

#[test]
fn lines_are_right_after_quoted_line_ends_blank_lines_and_every_kind_of_line_end() {
    let text = "Nr;Name\r\n\r\n1;\"two\r\nlines\"\r\n   \r\n2;b\r\n3\r\n";
    let quoted = rows(text);
    assert_eq!(lines(&quoted), [3, 6, 7]);
    assert_eq!(&*quoted.records[0].values[0].as_slice()[0], "two\r\nlines");
    assert_eq!(lines(&rows("Nr;Name\r1;a\r2;b\r")), [2, 3]);
    assert_eq!(lines(&rows("sep=;\r\nNr;Name\r\n1;a\r\n\u{1a}")), [3]);
}

#[test]
fn ragged_rows_are_rejected_with_the_key_where_it_can_be_one() {
    let rows = rows("Name;Nr\nJansen;1\nPiet;er;Jansen;2\nKlaas\nDirk;3;x\n");
    assert_eq!(lines(&rows), [2]);
    // Line 3 has a name where the key should be: not a key, and not shown.
    assert_eq!(rejected(&rows), [(3, None), (4, None), (5, Some("3"))]);
    for rejection in &rows.rejections {
        assert!(!rejection.message.contains("Jansen") && !rejection.message.contains("Klaas"));
    }
    assert!(rows.rejections[0].message.contains("4 cells where the header has 2"));
}

#[test]
fn an_undecodable_row_is_rejected_alone_and_names_its_column() {
    let rows = rows_of(
        b"Nr;Name\n1;Zo\xc3\xab\ne2;Zo\xeb\nE3;x\n\xff;x\n",
        "utf-8",
        &["Nr", "Name"],
    )
    .unwrap();
    assert_eq!(lines(&rows), [2, 4]);
    assert_eq!(rejected(&rows), [(3, None), (5, None)]);
    assert!(
        rows.rejections[0]
            .message
            .starts_with("column 'Name' holds bytes that are not utf-8")
    );
    let known = rows_of(b"Nr;Name\n1;Zo\xc3\xab\n2;Zo\xeb\n", "utf-8", &["Nr", "Name"]).unwrap();
    assert_eq!(rejected(&known), [(3, Some("2"))]);
}

#[test]
fn a_half_written_last_row_rejects_the_file() {
    for text in ["Nr;Name\n1;a\n2", "Nr;Name\n1;a\n2;\"b", "Nr;Name\n1;a\n2;\"b\nc"] {
        let rows = rows(text);
        assert_eq!(codes(&rows), ["cut_off"], "{text:?}");
        assert!(rows.findings[0].message.contains("line 3"));
        assert_eq!(rows.rejections.len(), 1);
    }
    let cut = rows_of(&"Nr;Name\n1;a\n2;ë".as_bytes()[..15], "utf-8", &["Nr"]).unwrap();
    assert_eq!(codes(&cut), ["cut_off"]);
    assert!(codes(&rows("Nr;Name\n1;a\n2;b")).is_empty());
    assert_eq!(codes(&rows("Nr;Name\n1;a\n2\n")), ["short_rows"]);
}

#[test]
fn quotes_that_swallow_rows_reject_the_file() {
    for text in [
        "Nr;Name\n1;a\n2;\"b\n3;c\n4;d\n",
        "Nr;Name\n1;\"a\n2;\"b\"\n3;c\n",
        "Nr;Name\n1;a\n2;\"b\n3;c\n4;d\"\n5;e\n",
        "Nr;Name\n1;a\n2;\"b\n3\";c\n4;d\n",
        "Nr;Name;Site\n\"100;Jan;X\n101;Jan;X\n102;Jan\";X\n",
        "Nr;Name;Site\n100\";Jan;\"X\n101;Jan;X\"\n",
    ] {
        let rows = rows(text);
        assert_eq!(codes(&rows), ["broken_quotes"], "{text:?}");
        assert_eq!(rows.findings[0].effect, Effect::Reject);
    }
    let one_row = rows("Nr;Name\n1;\"17\" monitor\"\n2;b\n");
    assert_eq!((rejected(&one_row), lines(&one_row)), (vec![(2, None)], vec![3]));
    assert!(codes(&rows("Nr;Name\n1;\"a note; with\nlines; and more\"\n")).is_empty());
}

#[test]
fn files_without_a_usable_header_are_refused() {
    let code = |bytes: &[u8]| rows_of(bytes, "utf-8", &["Nr", "Name"]).map(|_| ()).unwrap_err().code;
    assert_eq!(&*code(b""), "no_header");
    assert_eq!(&*code(b"\n \n"), "no_header");
    assert_eq!(&*code(b"Nr;Na\xebme\n1;a\n"), "header_unreadable");
    assert_eq!(&*code(b"Nr;\"Name\n1;a\n"), "header_unreadable");
    assert_eq!(codes(&rows("Nr;Name;Nr\n1;a;1\n")), ["duplicate_header"]);
    assert_eq!(codes(&rows("Nr;Naam\n1;a\n")), ["attribute_missing"]);
}

fn values(rows: &Rows) -> Vec<Vec<String>> {
    let of = |value: &crate::core::model::record::Values| value.as_slice()[0].to_string();
    rows.records
        .iter()
        .map(|record| record.values.iter().map(of).collect())
        .collect()
}

#[test]
fn rows_that_lack_their_last_cells_are_read_and_halves_of_rows_are_not() {
    let asked = ["Nr", "Name", "End"];
    let read = |text: &str| rows_of(text.as_bytes(), "utf-8", &asked).unwrap();
    let whole = "Nr;Name;End\r\n101;a;x\r\n102;b;\r\n103;c;\r\n";
    let short = read(&format!("{whole}104;d\r\n105;e\r\n"));
    assert_eq!(lines(&short), [2, 3, 4, 5, 6]);
    assert_eq!(values(&short)[3], ["", "d", "104"], "End, Name, Nr");
    assert_eq!(codes(&short), ["short_rows"]);
    assert!(
        short.findings[0]
            .message
            .contains("2 rows end before the last column, the first in line 5")
    );
    // The name broke in two: neither half is somebody.
    let halves = read(&format!("{whole}104;d\r\ne;\r\n105;f;\r\n"));
    assert_eq!(
        (lines(&halves), rejected(&halves)),
        (vec![2, 3, 4, 7], vec![(5, Some("104")), (6, None)])
    );
    assert!(
        halves.rejections[0].message.contains("the row after it is broken too"),
        "{:?}",
        halves.rejections
    );
    // A column that is always filled is not blank where it is not there.
    let filled = read(&format!("{whole}104\r\n105;e\r\n"));
    assert_eq!(rejected(&filled), [(5, Some("104"))]);
    assert!(
        filled.rejections[0]
            .message
            .contains("'Name' is filled in every whole row"),
        "{:?}",
        filled.rejections
    );
    // Columns without a name at the end belong to no row.
    assert_eq!(lines(&read("Nr;Name;End;;\n1;a;\n2;b;;;\n")), [2, 3]);
}

#[test]
fn a_header_within_the_file_is_nobody() {
    let again = rows("Nr;Name;Site\n101;a;x\nNr;Name;Site\n102;b;y\n");
    assert_eq!((lines(&again), rejected(&again)), (vec![2, 4], vec![(3, None)]));
    assert!(codes(&again).is_empty() && again.rejections[0].message.contains("the header once more"));
    for other in ["Name;Nr;Site", "Nr;Name", "Nr;Name;Site;Mail"] {
        let other = rows(&format!("Nr;Name;Site\n101;a;x\n{other}\n102;b;y\n"));
        assert_eq!(codes(&other), ["other_header"]);
        assert_eq!(other.findings[0].effect, Effect::Reject);
        assert!(other.findings[0].message.contains("line 3"));
    }
}

#[test]
fn cells_are_read_as_they_are_meant() {
    let read = rows("Nr;Name\n=\"007\"; \"van; Dam\" \n'008;NULL\n 009 ;\"NULL\"\n");
    assert_eq!(values(&read), [["van; Dam", "007"], ["", "008"], ["", " 009 "]]);
    assert!(rows("Nr;Name\nNULL;a\n").records[0].values[1].as_slice()[0].is_empty());
}

#[test]
fn lines_above_the_header_are_left_out_and_counted() {
    let text = "Staff; all\r\n\r\nNr;Name\r\n1;a\r\n";
    let found = rows_of(text.as_bytes(), "utf-8", &["Nr", "Name"]).unwrap_err();
    assert_eq!(&*found.code, "header_further_down");
    assert!(found.cure.starts_with("Set `skip_lines: 2`"), "{}", found.cure);
    let mut reader = TextReader::new(encoding("utf-8").unwrap());
    reader.push(text.as_bytes());
    let (source, key) = (SourceName::new("hr"), key_spec());
    let layout = |skip_lines| Layout {
        source: &source,
        delimiter: b';',
        key_column: "Nr",
        key: &key,
        skip_lines,
        blank: const { &BTreeSet::new() },
    };
    let text = reader.finish();
    let read = parse(&text, layout(2), &asked(&["Nr", "Name"]), |_| ()).unwrap();
    assert_eq!(lines(&read), [4]);
    let none = parse(&text, layout(9), &asked(&["Nr", "Name"]), |_| ()).unwrap_err();
    assert_eq!(&*none.code, "no_header");
}

#[test]
fn delimiters_are_one_ascii_character_or_tab() {
    assert_eq!(delimiter(";"), Ok(b';'));
    assert_eq!(delimiter("tab"), Ok(b'\t'));
    assert_eq!(delimiter("\t"), Ok(b'\t'));
    for wrong in ["", ";;", "\"", "¦", "\n"] {
        assert_eq!(&*delimiter(wrong).unwrap_err().code, "delimiter_unknown", "{wrong:?}");
    }
}

#[tokio::test]
async fn a_file_is_read_into_facts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hr.csv");
    fs::write(&path, "Nr;Name\n1;a\n2;b\n3;c;\n").unwrap();
    let source = Csv::new(config(&path), key_spec());
    let read = source.read(&asked(&["Name"]), &Silent).await.unwrap();
    assert_eq!((read.records.len(), read.rejections.len()), (2, 1));
    assert_eq!(read.key_attribute, "Nr");
    assert_eq!(read.attributes.position("Nr"), Some(1));
    assert!(read.modified_at.is_some() && read.findings.is_empty());
    let again = source.read(&asked(&["Name"]), &Silent).await.unwrap();
    assert_eq!(again.generation, read.generation);
    let missing = source.read(&asked(&["Nme"]), &Silent).await.unwrap();
    assert_eq!(missing.missing_attributes, asked(&["Nme"]));
    assert_eq!(source.advice()[0].code, "no_max_age".into());
}

#[tokio::test]
async fn a_contradicted_encoding_and_a_wrong_setting_are_one_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hr.csv");
    fs::write(&path, "Nr;Name\n1;Zoë\n").unwrap();
    let mut wrong = config(&path);
    wrong.encoding = "windows-1252".to_owned();
    let found = Csv::new(wrong.clone(), key_spec())
        .read(&asked(&["Name"]), &Silent)
        .await
        .unwrap_err();
    assert_eq!(
        (&*found.code, &*found.cure),
        ("encoding_contradicted", "Set `encoding: utf-8`.")
    );
    wrong.encoding = "latin-42".to_owned();
    wrong.delimiter = "::".to_owned();
    let source = Csv::new(wrong, key_spec());
    let codes: Vec<_> = source.advice().into_iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        [
            "delimiter_unknown".into(),
            "encoding_unknown".into(),
            "no_max_age".into()
        ]
    );
    assert!(source.read(&asked(&[]), &Silent).await.is_err());
}

/// Appends to the file when the read begins.
struct Appender<'a>(&'a Path);

impl Progress for Appender<'_> {
    fn advance(&self, _: &str, _: u64, _: Option<u64>) {
        let text = fs::read_to_string(self.0).unwrap();
        fs::write(self.0, text + "9;late\n").unwrap();
    }
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_read_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hr.csv");
    fs::write(&path, "Nr;Name\n1;a\n").unwrap();
    let refused = Csv::new(config(&path), key_spec())
        .read(&asked(&["Name"]), &Appender(&path))
        .await
        .unwrap_err();
    assert_eq!((&*refused.code, refused.effect), ("changed_while_read", Effect::Reject));
}

/// A cell with all that needs quotes.
fn cell() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just('"'),
            Just(';'),
            Just('\n'),
            Just('\r'),
            Just('ë'),
            Just(' '),
            Just('a')
        ],
        0..6,
    )
    .prop_map(|letters| letters.into_iter().collect())
}

/// What happens to a row on its way into the file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Good,
    Short,
    Long,
    Undecodable,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Good), 1 => Just(Fate::Short), 1 => Just(Fate::Long), 1 => Just(Fate::Undecodable)]
}

proptest! {
    /// Every row of a file is a record or a rejection, in its own line, whatever its cells hold.
    #[test]
    fn no_row_is_dropped(table in proptest::collection::vec((cell(), cell(), fate()), 0..20), crlf: bool) {
        let end = if crlf { "\r\n" } else { "\n" };
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut file = format!("Nr;Name;Note{end}").into_bytes();
        let (mut good, mut bad, mut short, mut line) = (Vec::new(), Vec::new(), Vec::new(), 2);
        for (nr, (name, note, fate)) in table.iter().enumerate() {
            let row = match fate {
                Fate::Good => format!("{nr};{};{}", quoted(name), quoted(note)),
                Fate::Short => format!("{nr};{}", quoted(name)),
                Fate::Long => format!("{nr};{};{};x", quoted(name), quoted(note)),
                Fate::Undecodable => format!("{nr};{};?", quoted(name)),
            };
            match fate {
                Fate::Good => good.push(line),
                Fate::Short => short.push(line),
                Fate::Long | Fate::Undecodable => bad.push(line),
            }
            line += 1 + super::super::text::line_breaks(row.as_bytes());
            let mut bytes = row.into_bytes();
            if *fate == Fate::Undecodable {
                *bytes.last_mut().unwrap() = 0xff;
            }
            file.extend(bytes);
            file.extend(end.bytes());
        }
        let rows = rows_of(&file, "utf-8", &["Nr", "Name", "Note"]).unwrap();
        let read = lines(&rows);
        let refused: Vec<u64> = rejected(&rows).iter().map(|(line, _)| *line).collect();
        prop_assert!(read.is_sorted() && refused.is_sorted());
        prop_assert!(good.iter().all(|line| read.contains(line)) && bad.iter().all(|line| refused.contains(line)));
        // Whether a short row is whole depends on the others; it is never dropped and never both.
        prop_assert!(short.iter().all(|line| read.contains(line) != refused.contains(line)));
        prop_assert_eq!(read.len() + refused.len(), table.len());
        for record in &rows.records {
            let nr: usize = record.values[2].as_slice()[0].parse().unwrap();
            prop_assert_eq!(&*record.values[0].as_slice()[0], table[nr].0.as_str());
            let note = if table[nr].2 == Fate::Short { "" } else { table[nr].1.as_str() };
            prop_assert_eq!(&*record.values[1].as_slice()[0], note);
        }
    }

    /// Blanks before and after quoted cells change nothing of what they hold, whatever that is.
    #[test]
    fn blanks_around_quotes_are_no_part_of_a_cell(table in proptest::collection::vec((cell(), 0_usize..3, 0_usize..2), 1..10)) {
        let quoted = |cell: &str| {
            let one_line: String = cell.chars().filter(|letter| !matches!(letter, '\n' | '\r')).collect();
            format!("\"{}\"", one_line.trim().replace('"', "\"\""))
        };
        let file = |blanks: bool| {
            let rows = table.iter().zip(0..).map(|((name, before, after), nr): (_, usize)| {
                let (before, after) = if blanks && *before > 0 { (*before, *after) } else { (0, 0) };
                format!("{nr};{}{}{}\n", " ".repeat(before), quoted(name), " ".repeat(after))
            });
            format!("Nr;Name\n{}", rows.collect::<String>())
        };
        let (plain, blanks) = (rows(&file(false)), rows(&file(true)));
        prop_assert_eq!(values(&plain), values(&blanks));
        prop_assert_eq!(lines(&plain), lines(&blanks));
        prop_assert_eq!(blanks.records.len(), table.len());
    }

    /// Stray quotes never make people vanish: all rows are accounted for, or the file is rejected.
    #[test]
    fn stray_quotes_hide_nobody(count in 1_usize..12, places in proptest::collection::vec(0.0_f64..1.0, 1..4)) {
        let mut text = String::from("Nr;Name;Site\n");
        let header = text.len();
        for nr in 0..count {
            text += &format!("{};Jan;X\n", 100 + nr);
        }
        for place in places {
            let at = header + ((text.len() - header) as f64 * place) as usize;
            text.insert(at, '"');
        }
        let rows = rows_of(text.as_bytes(), "utf-8", &["Nr", "Name"]).unwrap();
        let rejects = rows.findings.iter().any(|finding| finding.effect == Effect::Reject);
        prop_assert!(rejects || rows.records.len() + rows.rejections.len() == count, "{:?}", text);
    }

    /// Any bytes give an answer, and without quotes every line that is not blank is accounted for.
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(prop_oneof![
        Just(b';'), Just(b'\n'), Just(b'\r'), Just(b'a'), Just(b'1'), Just(b' '), Just(0xff_u8), Just(0xc3_u8), Just(b'"')
    ], 0..60), quotes: bool) {
        let body: Vec<u8> = bytes.into_iter().filter(|byte| quotes || *byte != b'"').collect();
        let file = [b"Nr;Name\n".as_slice(), &body].concat();
        let rows = rows_of(&file, "utf-8", &["Nr"]).unwrap();
        if !quotes {
            let blank = |line: &&[u8]| line.iter().all(|byte| *byte == b' ');
            let expected = body.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !blank(line)).count();
            prop_assert_eq!(rows.records.len() + rows.rejections.len(), expected);
        }
    }
}
