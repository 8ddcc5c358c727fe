//! Tables for spreadsheets: CSV that opens in one without running anything.

use crate::domain::visible;

/// A table with its header row. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
pub(super) fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(header)?;
    for row in rows {
        table.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

fn harmless(cell: &str) -> String {
    let cell = visible::line(cell);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        let rows = vec![vec!["=cmd|'/c calc'!A1".to_owned(), "Visser, \"Jan\"".to_owned()]];
        let table = csv(&["who", "name"], rows).unwrap();
        assert_eq!(table, "who,name\n'=cmd|'/c calc'!A1,\"Visser, \"\"Jan\"\"\"\n");
    }
}
