//! One person's key in what is kept of others (RULES 12): beside a card id as somebody's manager, and in sentences, such as
//! the work that a leaver left behind. The card's id takes its place, and only where the format has a person's value or a text:
//! a key can be any word, one of our own formats among them.

use super::fault::Fault;
use crate::core::memory::decision::{Contact, Decision, HeldItem};
use crate::core::memory::pin::Pin;
use crate::core::model::card::PersonCard;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::plan::concern::Concern;
use crate::core::plan::report::{Outcome, RunReport};
use crate::core::plan::{Change, Step};
use crate::core::reads::snapshot::Finding;
use crate::engine::records::ItemDetail;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use std::collections::BTreeSet;

/// A column that may speak of others than whom its row is about.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Whether a text is a value of the column.
    pub(super) reads: fn(&str) -> bool,
}

const fn column(name: &'static str, reads: fn(&str) -> bool) -> Column {
    Column { name, reads }
}

/// JSON of this type.
fn is<T: DeserializeOwned>(text: &str) -> bool {
    serde_json::from_str::<T>(text).is_ok()
}

/// A sentence.
fn any(_text: &str) -> bool {
    true
}

/// Table, what tells its rows apart, and its columns of that kind.
pub(super) const TEXTS: [(&str, &str, &[Column]); 10] = [
    (
        "journal",
        "id",
        &[
            column("change", is::<Change>),
            column("step", is::<Step>),
            column("before", is::<PersonCard>),
            column("after", is::<PersonCard>),
            column("outcome_detail", is::<Outcome>),
            column("settled_detail", is::<Outcome>),
            column("approval", is::<Decision>),
        ],
    ),
    ("run_item", "run || ' ' || place", &[column("detail", is::<ItemDetail>)]),
    ("hold", "origin || ' ' || item", &[column("body", is::<HeldItem>)]),
    ("concern", "item", &[column("body", is::<Concern>)]),
    ("decision", "id", &[column("note", any)]),
    (
        "halfway",
        "run || ' ' || item",
        &[column("change", is::<Change>), column("before", is::<Vec<PersonCard>>)],
    ),
    ("pin", "card || ' ' || place", &[column("body", is::<Pin>)]),
    ("run", "id", &[column("report", is::<RunReport>)]),
    ("snapshot", "id", &[column("findings", is::<Vec<Finding>>)]),
    ("contact", "environment", &[column("body", is::<Contact>)]),
];

/// Where the format has keys, values and texts that are shown. Whatever else is a text in it says what kind of thing this is, or
/// is a name of the configuration, an id, a hash or a person who decided: never somebody's key, however it is written.
///
/// What stands in a field of somebody else's card is theirs: a room may have the number of a person, and an undo writes it back.
pub(super) const OF_PEOPLE: [&str; 17] = [
    "cure",
    "detail",
    "dn",
    "examples",
    "failure",
    "free_text",
    "key",
    "known",
    "label",
    "message",
    "note",
    "other_key",
    "places",
    "raw_key",
    "vanished",
    "what",
    "why",
];

/// Parts of the same names that are no people's: what TOPdesk refused is kept as hashes, and what it was like has no keys.
const OF_NOBODY: [&str; 2] = ["refusals", "installation"];

/// Fields that show who somebody is, or who their manager is.
const SHOWN_KEYS: [&str; 5] = [
    "/employeeNumber",
    "/email",
    "/tasLoginName",
    "/networkLoginName",
    "/manager",
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
            let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
            let named: Vec<String> = names.iter().map(|name| format!("instr({name}, ?2)")).collect();
            // What is kept of the person's own requests is emptied, or still needed to settle one.
            let own = if table == "journal" {
                "AND card IS NOT ?3 AND (card IS NOT NULL OR key IS NOT ?2)"
            } else {
                "AND ?3 = ?3"
            };
            let select = format!(
                "SELECT CAST({place} AS TEXT) AS place, {} FROM {table} WHERE environment = ?1 {own} AND ({})",
                names.join(", "),
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
                    let text: Option<String> = row.try_get(column.name)?;
                    let Some(text) = text else { continue };
                    let Some(without) = without(&text, key.as_str(), instead, column.reads) else {
                        continue;
                    };
                    found += 1;
                    if write {
                        let row: String = row.try_get("place")?;
                        put(connection, environment, (table, place, column), &row, &without).await?;
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Writes a text and reads it again as the program does: what no longer reads is not written, and nothing else of it either.
async fn put(
    connection: &mut SqliteConnection,
    environment: i64,
    (table, place, column): (&'static str, &str, &Column),
    row: &str,
    text: &str,
) -> Result<(), Fault> {
    let Column { name, reads } = column;
    let update = format!(
        "UPDATE {table} SET {name} = ?3 WHERE environment = ?1 AND CAST({place} AS TEXT) = ?2 RETURNING {name}"
    );
    let written: Option<String> = sqlx::query_scalar(AssertSqlSafe(update))
        .bind(environment)
        .bind(row)
        .bind(text)
        .fetch_one(connection)
        .await?;
    if written.is_some_and(|written| reads(&written)) {
        return Ok(());
    }
    Err(Fault::Unreadable {
        table,
        what: format!(
            "the column {name} of row {row} would not read any more without this person: nothing was forgotten"
        ),
    })
}

/// The text with `instead` wherever `key` stands as a word where the format has a person's; `None` where it nowhere does. What
/// is no JSON is a sentence.
fn without(text: &str, key: &str, instead: &str, reads: fn(&str) -> bool) -> Option<String> {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => {
            let mut any = take_out_of_lists(&mut value, key, instead);
            let mut places = Vec::new();
            places_of_people(&value, value.is_string(), &mut String::new(), &mut places);
            for place in places {
                let text = value.pointer(&place).and_then(Value::as_str);
                let Some(without) = text.and_then(|text| replaced(text, key, instead)) else {
                    continue;
                };
                let mut changed = value.clone();
                if let Some(text) = changed.pointer_mut(&place) {
                    *text = Value::String(without);
                }
                // A word of the format in a place that elsewhere holds a sentence.
                if reads(&changed.to_string()) {
                    (value, any) = (changed, true);
                }
            }
            any.then(|| value.to_string())
        }
        Ok(Value::Null | Value::Bool(_) | Value::Number(_)) | Err(_) => replaced(text, key, instead),
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

/// JSON pointers to the texts that may be a person's.
fn places_of_people(value: &Value, of_people: bool, at: &mut String, found: &mut Vec<String>) {
    let length = at.len();
    match value {
        Value::String(_) if of_people => found.push(at.clone()),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                at.push_str(&format!("/{number}"));
                places_of_people(item, of_people, at, found);
                at.truncate(length);
            }
        }
        Value::Object(fields) => {
            // As it is shown. What is written back, by an undo, is kept in another form and stays.
            let shows_a_key = SHOWN_KEYS.iter().any(|field| at.ends_with(field));
            for (name, item) in fields.iter().filter(|(name, _)| !OF_NOBODY.contains(&name.as_str())) {
                let of_people =
                    OF_PEOPLE.contains(&name.as_str()) || shows_a_key && ["from", "to"].contains(&name.as_str());
                at.push('/');
                at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                places_of_people(item, of_people, at, found);
                at.truncate(length);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where the memory of a run lists people by their keys: the cards that a listed number has, and the lists of the configuration
/// that was seen.
fn take_out_of_lists(contact: &mut Value, key: &str, instead: &str) -> bool {
    let listed = contact.get_mut("listed").and_then(Value::as_object_mut);
    let mut any = listed.is_some_and(|listed| listed.shift_remove(key).is_some());
    if let Some(Value::String(config)) = contact.pointer_mut("/seen/config")
        && config.contains(key)
        && let Ok(mut parsed) = serde_yaml::from_str::<Value>(config)
        && unlist(&mut parsed, key, instead, false)
        && let Ok(written) = serde_yaml::to_string(&parsed)
    {
        *config = written;
        any = true;
    }
    any
}

/// Numbers of people stand in a configuration only in lists named `keys`.
fn unlist(value: &mut Value, key: &str, instead: &str, is_list: bool) -> bool {
    match value {
        Value::String(text) if is_list && text.trim() == key => {
            instead.clone_into(text);
            true
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| unlist(item, key, instead, is_list) | any),
        Value::Object(fields) => fields.iter_mut().fold(false, |any, (name, item)| {
            unlist(item, key, instead, name == "keys") | any
        }),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::HoldReason;

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
    fn in_json_only_what_is_a_persons_changes_and_what_is_listed_under_the_key_goes() {
        let text =
            r#"{"code":"77","why":["leads 77, 78"],"records":77,"listed":{"77":["c1"],"78":["c2"]},"examples":["77"]}"#;
        assert_eq!(
            without(text, "77", "c7", any).as_deref(),
            Some(r#"{"code":"77","why":["leads c7, 78"],"records":77,"listed":{"78":["c2"]},"examples":["c7"]}"#)
        );
        assert_eq!(without(r#"{"records":77}"#, "77", "c7", any), None);
        assert_eq!(without("77", "77", "c7", any).as_deref(), Some("c7"));
    }

    #[test]
    fn what_stands_in_the_fields_of_others_stays_but_for_shown_keys() {
        let room = r#"{"fields":[{"field":"optionalFields1.text1","from":{"text":"204"},"to":{"number":"204"}}]}"#;
        assert_eq!(without(room, "204", "c7", any), None);
        let shown = r#"{"fields":{"roomNumber":{"from":"204","to":null},"manager":{"from":"204","to":null}}}"#;
        assert_eq!(
            without(shown, "204", "c7", any).as_deref(),
            Some(r#"{"fields":{"roomNumber":{"from":"204","to":null},"manager":{"from":"c7","to":null}}}"#)
        );
    }

    #[test]
    fn a_word_of_the_format_stays_where_a_sentence_stands_elsewhere() {
        let drift = r#"{"code":"drift","card":"c1","what":"anonymized"}"#;
        assert_eq!(without(drift, "anonymized", "c7", is::<HoldReason>), None);
        assert_eq!(without(drift, "drift", "c7", is::<HoldReason>), None);
        let changed = r#"{"code":"changed_since_judged","what":"the card of anonymized was gone"}"#;
        assert_eq!(
            without(changed, "anonymized", "c7", is::<HoldReason>).as_deref(),
            Some(r#"{"code":"changed_since_judged","what":"the card of c7 was gone"}"#)
        );
    }

    #[test]
    fn a_configuration_that_was_seen_loses_the_number_of_its_lists_and_nothing_else() {
        let config =
            "archive:\n  max: 3\nguard:\n  protect:\n    keys:\n    - archive\n    - \"100002\"\nsource: archive\n";
        let contact = serde_json::json!({ "seen": { "config": config } }).to_string();
        let left = without(&contact, "archive", "c7", any).expect("the list names them");
        let left: Value = serde_json::from_str(&left).expect("JSON");
        let left = left["seen"]["config"].as_str().expect("a text");
        assert_eq!(left, config.replace("- archive", "- c7"));
    }
}
