//! Rows that end before the last column. Spreadsheets leave the delimiters out where the last cells of several rows are
//! empty; but a line end within a cell, or an export that broke, leaves such rows as well, and there a missing cell is not
//! an empty one (RULES 3).

use crate::core::reads::key_shapes::KeyShapes;
use std::collections::BTreeSet;

/// Fewer whole rows than these do not show which columns are always filled.
const FEWEST_WHOLE: u64 = 3;

/// A row that lacks its last cells and is sound otherwise.
#[derive(Debug)]
pub struct ShortRow {
    /// Which row of the file, blank ones not counted.
    pub order: u64,
    pub line: u64,
    /// As many cells as it has.
    pub cells: Vec<Box<str>>,
    pub key: Box<str>,
}

/// What the whole rows of the file show.
#[derive(Debug)]
pub struct Whole<'a> {
    pub count: u64,
    pub shapes: &'a KeyShapes,
    /// Asked-for columns that have something in every whole row: place and name.
    pub always_filled: Vec<(usize, &'a str)>,
    /// Rows that could not be read.
    pub bad: BTreeSet<u64>,
    /// How many cells the header has.
    pub expected: usize,
}

/// A short row and, where it cannot be read as one whose last cells are blank, why.
pub fn decide<'r>(rows: &'r [ShortRow], whole: &Whole<'_>) -> Vec<(&'r ShortRow, Option<String>)> {
    let mut learned = KeyShapes::default();
    // Where no row has its last cells, all that are cut at one place show what keys look like.
    let one_length = rows.len() > 1 && rows.windows(2).all(|pair| pair[0].cells.len() == pair[1].cells.len());
    if whole.shapes.is_empty() && one_length {
        for row in rows {
            learned.learn(&row.key);
        }
    }
    let shapes = if whole.shapes.is_empty() {
        &learned
    } else {
        whole.shapes
    };
    let mut bad = whole.bad.clone();
    let mut decided: Vec<(&ShortRow, Option<String>)> = Vec::with_capacity(rows.len());
    // From the end, because a row whose rest stands in the next one is not whole.
    for row in rows.iter().rev() {
        let has = row.cells.len();
        let filled = || whole.always_filled.iter().find(|(place, _)| *place >= has);
        let why = if !shapes.fits(&row.key) {
            Some("its key is not written like the others".to_owned())
        } else if bad.contains(&(row.order + 1)) {
            Some("the row after it is broken too, as if a cell held a line end".to_owned())
        } else if let Some((_, name)) = filled().filter(|_| whole.count >= FEWEST_WHOLE) {
            Some(format!("'{name}' is filled in every whole row"))
        } else {
            None
        };
        if why.is_some() {
            bad.insert(row.order);
        }
        let told = why.map(|why| {
            format!(
                "the row ends after {has} of {} cells; last cells that are left out are read as blank, but {why}; \
                 have cells that hold a line end exported in quotes, and every row with all its delimiters",
                whole.expected
            )
        });
        decided.push((row, told));
    }
    decided.reverse();
    decided
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(order: u64, cells: &[&str]) -> ShortRow {
        ShortRow {
            order,
            line: order + 2,
            cells: cells.iter().map(|cell| (*cell).into()).collect(),
            key: cells[0].into(),
        }
    }

    fn taken(rows: &[ShortRow], always: &[(usize, &str)], bad: &[u64], keys: &[&str]) -> Vec<bool> {
        let mut shapes = KeyShapes::default();
        keys.iter().for_each(|key| shapes.learn(key));
        let whole = Whole {
            count: keys.len() as u64,
            shapes: &shapes,
            always_filled: always.to_vec(),
            bad: bad.iter().copied().collect(),
            expected: 5,
        };
        decide(rows, &whole).iter().map(|(_, why)| why.is_none()).collect()
    }

    const KEYS: [&str; 4] = ["100001", "100002", "100003", "100004"];

    #[test]
    fn a_row_that_lacks_only_last_cells_is_whole() {
        let rows = [
            short(4, &["100005", "a", "b", "c"]),
            short(5, &["100006", "a", "b", "c"]),
        ];
        assert_eq!(taken(&rows, &[(1, "Name")], &[], &KEYS), [true, true]);
        assert_eq!(
            taken(&rows, &[(4, "Site")], &[], &KEYS),
            [false, false],
            "always filled"
        );
        assert_eq!(
            taken(&rows, &[(4, "Site")], &[], &KEYS[..2]),
            [true, true],
            "two rows show nothing"
        );
        assert_eq!(taken(&rows, &[], &[], &[]), [true, true], "no row is longer");
    }

    #[test]
    fn the_two_halves_of_a_row_with_a_line_end_are_none() {
        let rows = [
            short(4, &["100005", "a"]),
            short(5, &["na", "b", "c"]),
            short(6, &["100006", "a"]),
        ];
        assert_eq!(taken(&rows, &[], &[], &KEYS), [false, false, true]);
        let rows = [short(4, &["100005", "a"]), short(5, &["12", "b", "c"])];
        assert_eq!(
            taken(&rows, &[], &[], &KEYS),
            [false, false],
            "a number of another length"
        );
        assert_eq!(taken(&rows[..1], &[], &[5], &KEYS), [false]);
        assert_eq!(taken(&rows, &[], &[], &[]), [false, false], "cut at two places");
    }
}
