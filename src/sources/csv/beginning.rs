//! Where the rows of a file begin: after the lines that only people or spreadsheets read.

use crate::core::model::letters::names_separator;
use crate::core::reads::snapshot::{Effect, Finding};

/// How many bytes stand above the header: `skip` lines, or one line such as `sep=;`, which tells spreadsheets the delimiter.
/// `None` where the file has no more lines than are skipped.
pub fn length(text: &str, skip: u64) -> Option<usize> {
    let mut offset = 0;
    for _ in 0..skip {
        offset += line_length(&text[offset..])?;
    }
    let line = text[offset..].lines().next().unwrap_or_default();
    let is_separator = names_separator(line.split('\r').next().unwrap_or_default());
    Some(if is_separator {
        offset + line_length(&text[offset..]).unwrap_or(line.len())
    } else {
        offset
    })
}

/// With its line end: LF, CR LF, or CR alone.
fn line_length(text: &str) -> Option<usize> {
    let end = text.find(['\n', '\r'])?;
    let both = text[end..].starts_with("\r\n");
    Some(end + if both { 2 } else { 1 })
}

/// How many lines are searched for a header that is not in the first row.
const SEARCHED: usize = 30;

/// The header stands below the first row, which is a title or an empty form: in which line, and split by what.
pub fn further_down(text: &str, first: u64, key: &str, delimiter: u8) -> Option<Finding> {
    let lines = text
        .split('\n')
        .flat_map(|line| line.trim_end_matches('\r').split('\r'));
    let below = (1..).zip(lines).take(SEARCHED).filter(|(line, _)| *line > first);
    let split = |line: &str, by: u8| {
        let cells: Vec<String> = line
            .split(char::from(by))
            .map(|cell| cell.trim().trim_matches('"').trim().to_owned())
            .collect();
        cells.len() > 1 && cells.iter().any(|cell| cell == key.trim())
    };
    let found = below.into_iter().find_map(|(line, cells)| {
        let mut likely = [delimiter, b';', b'\t', b',', b'|'].into_iter();
        likely.find(|by| split(cells, *by)).map(|by| (line, by))
    });
    let (line, by) = found?;
    let delimiter = if by == delimiter {
        String::new()
    } else {
        format!(" and `delimiter: {}`", spelled(by))
    };
    Some(Finding::new(
        "header_further_down",
        Effect::Reject,
        format!("the first row is no header: the key column '{key}' stands in line {line}"),
        format!(
            "Set `skip_lines: {}`{delimiter}, or have the lines above the header left out.",
            line - 1
        ),
    ))
}

/// A delimiter as the configuration has it.
pub fn spelled(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "tab".to_owned(),
        other => format!("\"{}\"", char::from(other)),
    }
}

/// There is nothing left to read.
pub fn no_header(skip: u64) -> Finding {
    let message = if skip == 0 {
        "the file is empty: it has no header row".to_owned()
    } else {
        format!("the file has no header row below the {skip} lines that `skip_lines` leaves out")
    };
    Finding::new(
        "no_header",
        Effect::Reject,
        message,
        "Check whether the export ran to its end.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_below_a_title_is_found_with_its_delimiter() {
        let cure = |text: &str| further_down(text, 1, "Nr", b';').map(|found| found.cure);
        let told = cure("Employees, all\r\n\r\nNr;Name\r\n").unwrap();
        assert!(told.starts_with("Set `skip_lines: 2`, or"), "{told}");
        let told = cure("Employees\n\"Nr\",\"Name\"\n").unwrap();
        assert!(told.starts_with("Set `skip_lines: 1` and `delimiter: \",\"`"), "{told}");
        assert_eq!(cure("Nr;Name\n1;a\n"), None);
        assert_eq!(cure("Title\nNr\n"), None);
    }

    #[test]
    fn lines_of_all_three_kinds_are_skipped() {
        assert_eq!(length("a\r\nb\rc\nNr;x\n", 3), Some(7));
        assert_eq!(length("Nr;x\n", 0), Some(0));
        assert_eq!(length("title\nsep=;\r\nNr\n", 1), Some(13));
        assert_eq!(length("title", 1), None);
        assert_eq!(length("sep=;", 0), Some(5));
    }
}
