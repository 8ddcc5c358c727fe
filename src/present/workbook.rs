//! A list as a workbook: every cell is text, so that no number loses its zeros and no cell is a formula.

use rust_xlsxwriter::{DataValidation, Format, Workbook, XlsxError};

/// Columns that somebody fills in.
const TO_FILL: [&str; 3] = ["decision", "other_number", "note"];
/// Letters after which a column is not made wider.
const WIDEST: usize = 40;

/// Of rows of cells, the header first.
pub(crate) fn of(rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let text = Format::new().set_num_format("@");
    let header = text.clone().set_bold();
    let to_fill = text.clone().set_background_color("#FFF2CC");
    let no_rows = Vec::new();
    let titles = rows.first().unwrap_or(&no_rows);
    let last = u32::try_from(rows.len().saturating_sub(1)).unwrap_or(u32::MAX);
    for (column, title) in (0_u16..).zip(titles) {
        let at = usize::from(column);
        let lengths = rows
            .iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count());
        let widest = lengths.max().unwrap_or(0).clamp(8, WIDEST);
        sheet.set_column_width(column, f64::from(u32::try_from(widest).unwrap_or(8)) + 2.0)?;
        let format = if TO_FILL.contains(&&**title) { &to_fill } else { &text };
        for (row, cells) in (0_u32..).zip(rows) {
            let cell = cells.get(at).map_or("", String::as_str);
            let format = if row == 0 { &header } else { format };
            sheet.write_string_with_format(row, column, cell, format)?;
        }
        if title == "decision" && last > 0 {
            let words = DataValidation::new().allow_list_strings(&["approve", "reject"])?;
            // Another word is told by the program, with the line.
            let words = words.show_error_message(false);
            sheet.add_data_validation(1, column, last, column, &words)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    if last > 0 && !titles.is_empty() {
        let columns = u16::try_from(titles.len() - 1).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, last, columns)?;
    }
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workbook_is_made_of_any_text() {
        let rows = vec![
            vec!["id".to_owned(), "decision".to_owned()],
            vec!["[007]".to_owned(), String::new()],
            vec!["'=1+1".to_owned(), "ap\u{7}prove".to_owned()],
        ];
        let bytes = of(&rows).expect("a workbook");
        assert!(bytes.starts_with(b"PK"), "a zip of parts");
        assert!(of(&rows[..1]).is_ok() && of(&[]).is_ok());
    }
}
