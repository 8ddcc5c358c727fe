//! Whether the cells of a line are those that were sent with its mark (RULES 1.7).

use super::read::{Exchanged, Line};
use crate::sheets::table::{defused, is_same_text, plain};
use crate::tools::rekey::pairing::{Exchange, Grade, Pair, Row};

/// Whether a cell still says what was written, every zero of it.
fn shows(cell: &str, written: &str) -> bool {
    is_same_text(&plain(cell), &plain(&defused(written)))
}

/// The first column whose cell is not the one that was sent.
pub(super) fn moved_cell(line: &Line, row: &Row) -> Option<&'static str> {
    let of_pair = |text: fn(&Pair) -> String| row.pair().map(text).unwrap_or_default();
    let mut cells = vec![
        ("person_id", line.card.as_str(), row.card.to_string()),
        ("card_name", &line.card_name, row.shown.name.clone()),
        (
            "source_name",
            &line.source_name,
            of_pair(|pair| pair.person.name.clone()),
        ),
        ("number", &line.number, of_pair(|pair| pair.raw_key.to_write())),
    ];
    let exchange = row.pair().and_then(|pair| pair.exchange.as_ref());
    let said = |of: fn(&Exchanged) -> &str| line.exchange.as_ref().map_or("", of);
    let wrote = exchange.map(|other| {
        let Exchange { card, shown, key, .. } = other;
        [card.to_string(), shown.name.clone(), key.to_string()]
    });
    let [card, name, number] = wrote.unwrap_or_default();
    cells.extend([
        ("exchange_with", said(|it| it.card.as_str()), card),
        ("exchange_name", said(|it| &it.name), name),
        ("exchange_number", said(|it| &it.number), number),
    ]);
    let grade = grade_sent(line, exchange.is_some());
    let graded = line
        .grade
        .as_ref()
        .map(|cell| ("grade", cell.as_str(), grade.to_owned()));
    let mut cells = cells.into_iter().chain(graded);
    cells
        .find(|(_, cell, written)| !shows(cell, written))
        .map(|(column, _, _)| column)
}

/// The grade as it was sent: whoever sorts a single column decides on what was not seen.
fn grade_sent(line: &Line, exchanged: bool) -> &'static str {
    match line.mark.grade {
        _ if exchanged => "exchanged",
        'a' => Grade::Sure.word(),
        'b' => Grade::Likely.word(),
        'c' => Grade::Possible.word(),
        _ => "none",
    }
}
