//! How tables for spreadsheets come out, the same for every command that writes one.

use crate::sheets::table::{self, Separator};
use clap::Args;

/// The form of a table.
#[derive(Debug, Args)]
pub(super) struct TableForm {
    /// What divides the cells of the table: semicolon, comma or tab.
    #[arg(long, value_name = "SIGN", default_value = "semicolon", requires = "csv")]
    separator: Separator,
}

impl TableForm {
    /// What divides the cells.
    pub(super) fn separator(&self) -> Separator {
        self.separator
    }

    /// A table with its header row, see [`table::table`].
    pub(super) fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
        table::table(header, rows, self.separator)
    }
}
