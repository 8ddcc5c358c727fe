//! One person's key in what is kept of others (RULES 12): beside a card id as somebody's manager, and in sentences, such as
//! the work that a leaver left behind. The card's id takes its place.

use super::fault::Fault;
use crate::domain::ids::CardId;
use crate::domain::key::Key;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use std::collections::BTreeSet;

/// Table, what tells its rows apart, and the columns with texts or JSON that may speak of others than whom the row is about.
const TEXTS: [(&str, &str, &[&str]); 10] = [
    (
        "journal",
        "id",
        &[
            "change",
            "step",
            "before",
            "after",
            "outcome_detail",
            "settled_detail",
            "approval",
        ],
    ),
    ("run_item", "run || ' ' || place", &["detail"]),
    ("hold", "origin || ' ' || item", &["body"]),
    ("concern", "item", &["body"]),
    ("decision", "id", &["note"]),
    ("halfway", "run || ' ' || item", &["change"]),
    ("pin", "card || ' ' || place", &["body"]),
    ("run", "id", &["report"]),
    ("snapshot", "id", &["findings"]),
    ("contact", "environment", &["body"]),
];

/// Stands for somebody of whom no card is known.
const FORGOTTEN: &str = "forgotten";

/// How many texts of others name one of these keys.
pub(super) async fn count(
    connection: &mut SqliteConnection,
    environment: i64,
    card: &CardId,
    keys: &BTreeSet<Key>,
) -> Result<u64, Fault> {
    walk(connection, environment, card, keys, false).await
}

/// Puts the card's id in the place of its keys; gives how many texts were changed.
pub(super) async fn take_out(
    connection: &mut SqliteConnection,
    environment: i64,
    card: &CardId,
    keys: &BTreeSet<Key>,
) -> Result<u64, Fault> {
    walk(connection, environment, card, keys, true).await
}

async fn walk(
    connection: &mut SqliteConnection,
    environment: i64,
    card: &CardId,
    keys: &BTreeSet<Key>,
    write: bool,
) -> Result<u64, Fault> {
    // Somebody who never had a card was looked for by the key itself.
    let instead = if keys.iter().any(|key| key.as_str() == card.as_str()) {
        FORGOTTEN
    } else {
        card.as_str()
    };
    let mut found = 0;
    for (table, place, columns) in TEXTS {
        for key in keys {
            // As the key stands in JSON, without its quotation marks.
            let written = super::stamp::json(key.as_str());
            let named: Vec<String> = columns.iter().map(|column| format!("instr({column}, ?2)")).collect();
            // What is kept of the person's own requests is emptied, or still needed to settle one.
            let own = if table == "journal" {
                "AND card IS NOT ?3 AND (card IS NOT NULL OR key IS NOT ?2)"
            } else {
                "AND ?3 = ?3"
            };
            let select = format!(
                "SELECT CAST({place} AS TEXT) AS place, {} FROM {table} WHERE environment = ?1 {own} AND ({})",
                columns.join(", "),
                named.join(" OR ")
            );
            let rows = sqlx::query(AssertSqlSafe(select))
                .bind(environment)
                .bind(&written[1..written.len() - 1])
                .bind(card.as_str())
                .fetch_all(&mut *connection)
                .await?;
            for row in rows {
                for column in columns {
                    let text: Option<String> = row.try_get(*column)?;
                    let Some(without) = text.and_then(|text| without(&text, key.as_str(), instead)) else {
                        continue;
                    };
                    found += 1;
                    if write {
                        let update = format!(
                            "UPDATE {table} SET {column} = ?3 WHERE environment = ?1 AND CAST({place} AS TEXT) = ?2"
                        );
                        sqlx::query(AssertSqlSafe(update))
                            .bind(environment)
                            .bind(row.try_get::<String, _>("place")?)
                            .bind(without)
                            .execute(&mut *connection)
                            .await?;
                    }
                }
            }
        }
    }
    Ok(found)
}

/// The text with `instead` wherever `key` stands as a word; `None` where it nowhere does. In JSON only within strings; what is
/// listed under the key goes.
fn without(text: &str, key: &str, instead: &str) -> Option<String> {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => {
            replace_in(&mut value, key, instead).then(|| value.to_string())
        }
        Ok(Value::Null | Value::Bool(_) | Value::Number(_)) | Err(_) => replaced(text, key, instead),
    }
}

fn replace_in(value: &mut Value, key: &str, instead: &str) -> bool {
    match value {
        Value::String(text) => match replaced(text, key, instead) {
            Some(without) => {
                *text = without;
                true
            }
            None => false,
        },
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| replace_in(item, key, instead) | any),
        Value::Object(fields) => {
            let listed = fields.shift_remove(key).is_some();
            fields
                .values_mut()
                .fold(listed, |any, item| replace_in(item, key, instead) | any)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A word ends where neither a letter nor a digit follows, nor a sign that holds ids and addresses together. What is short
/// may be part of a date, a time or an amount as well.
fn replaced(text: &str, key: &str, instead: &str) -> Option<String> {
    let short = key.len() < 5;
    let joined = |near: Option<char>, next: Option<char>| match near {
        Some('-' | '@') => next.is_some_and(char::is_alphanumeric),
        Some('.' | ':' | '/' | '+') => short && next.is_some_and(char::is_alphanumeric),
        Some(letter) => letter.is_alphanumeric() || letter == '_',
        None => false,
    };
    let mut shown = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices(key) {
        let end = at + key.len();
        let mut before = text[..at].chars().rev();
        let mut after = text[end..].chars();
        if !joined(before.next(), before.next()) && !joined(after.next(), after.next()) {
            shown.push_str(&text[copied..at]);
            shown.push_str(instead);
            copied = end;
        }
    }
    (copied > 0).then(|| shown + &text[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_where_it_is_a_word_and_stays_where_it_is_a_part() {
        let gone = |text: &str| replaced(text, "100008", "c8");
        assert_eq!(
            gone("the manager on 3 active cards: 100008, 100009").as_deref(),
            Some("the manager on 3 active cards: c8, 100009")
        );
        assert_eq!(gone("card of 100008.").as_deref(), Some("card of c8."));
        assert_eq!(gone("100008").as_deref(), Some("c8"));
        assert_eq!(gone("hr:100008").as_deref(), Some("hr:c8"));
        for part in ["1000081", "A100008", "2f-100008-11", "x@100008.example.net"] {
            assert_eq!(gone(part), None, "{part}");
        }
        for part in ["2026-08-12", "08:00", "1.08", "108"] {
            assert_eq!(replaced(part, "08", "c8"), None, "{part}");
        }
        assert_eq!(replaced("of 08.", "08", "c8").as_deref(), Some("of c8."));
    }

    #[test]
    fn in_json_only_strings_change_and_what_is_listed_under_the_key_goes() {
        let text = r#"{"why":["leads 77, 78"],"records":77,"listed":{"77":["c1"],"78":["c2"]},"examples":["77"]}"#;
        assert_eq!(
            without(text, "77", "c7").as_deref(),
            Some(r#"{"why":["leads c7, 78"],"records":77,"listed":{"78":["c2"]},"examples":["c7"]}"#)
        );
        assert_eq!(without(r#"{"records":77}"#, "77", "c7"), None);
        assert_eq!(without("77", "77", "c7").as_deref(), Some("c7"));
    }
}
