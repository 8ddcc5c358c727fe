//! One card as it came, one card for the seed: personal data replaced, references brought into the seed's form.

use super::fields::{InTab, OPERATOR, PERSON, Treatment, in_tab};
use super::lists::Lists;
use super::pseudonym::Pseudonyms;
use super::read::{Row, id};
use chrono::{Datelike, NaiveDate};
use serde_json::{Number, Value, json};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Flags that are on in a seed unless it says otherwise.
const ON_BY_DEFAULT: [&str; 3] = ["isCaller", "hasSspAccess", "loginPermission"];

/// Replaces the personal data of one snapshot.
pub(super) struct Replacer {
    pub(super) pseudonyms: Pseudonyms,
    /// The field that stays as it is, such as `employeeNumber` or `optionalFields1.text2`.
    pub(super) kept_key: Option<String>,
    pub(super) lists: Lists,
    /// Cards that references to persons may point to.
    pub(super) known: HashSet<Uuid>,
    /// Managers that were referred to.
    pub(super) managers: HashSet<Uuid>,
    /// References to persons that were left out, because the account does not see them.
    pub(super) unseen: u64,
    /// Values replaced, by what they are.
    pub(super) replaced: BTreeMap<&'static str, u64>,
    pub(super) habits: Habits,
}

/// What answers look like, which the sandbox can be told.
#[derive(Debug, Default)]
pub(super) struct Habits {
    /// What is not set is shown as null.
    pub(super) nulls: bool,
    /// Offsets of moments have a colon.
    pub(super) colon: bool,
    /// Budget holders are switched on.
    pub(super) budget_holders: bool,
}

impl Replacer {
    /// A person card.
    pub(super) fn person(&mut self, row: Row) -> Row {
        let sign = ["budgetHolder", "showBudgetholder", "authorizeBudgetHolder"];
        self.habits.budget_holders |= sign.iter().any(|name| row.contains_key(*name));
        let written = row
            .get("creationDate")
            .and_then(Value::as_str)
            .and_then(|text| text.get(19..));
        self.habits.colon |= written.is_some_and(|end| end.contains(':'));
        self.habits.nulls |= row.values().any(Value::is_null);
        self.card(PERSON, row)
    }

    /// An operator card.
    pub(super) fn operator(&mut self, row: Row) -> Row {
        self.card(OPERATOR, row)
    }

    fn card(&mut self, fields: &[(&'static str, Treatment)], row: Row) -> Row {
        let branch = row.get("branch").cloned();
        let mut card = Row::new();
        for (name, treatment) in fields {
            let Some(value) = row.get(*name).filter(|value| !value.is_null()) else {
                continue;
            };
            let value = match treatment {
                Treatment::Keep => kept(name, value),
                Treatment::Tab(tab) => self.tab(*tab, value),
                Treatment::Maker => Some(self.maker(value)),
                Treatment::Person => self.person_reference(name, value),
                Treatment::Entry(kind) => self.lists.refer(*kind, value, branch.as_ref()),
                Treatment::Attention => self.attention(value),
                Treatment::Name
                | Treatment::Login
                | Treatment::Email
                | Treatment::Phone
                | Treatment::Number
                | Treatment::Text => {
                    let text = value.as_str().filter(|text| !text.is_empty());
                    text.map(|text| json!(self.text(name, *treatment, text)))
                }
            };
            card.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        card
    }

    fn text(&mut self, name: &str, treatment: Treatment, text: &str) -> String {
        if self.kept_key.as_deref() == Some(name) {
            return text.to_owned();
        }
        let (what, replaced) = match treatment {
            Treatment::Name => ("names and parts of names", self.pseudonyms.words(text)),
            Treatment::Login => ("logins", self.pseudonyms.login(text)),
            Treatment::Email => ("e-mail addresses", self.pseudonyms.email(text)),
            Treatment::Phone => ("telephone numbers", self.pseudonyms.words(text)),
            Treatment::Number => ("employee numbers", self.pseudonyms.words(text)),
            Treatment::Text
            | Treatment::Keep
            | Treatment::Person
            | Treatment::Maker
            | Treatment::Entry(_)
            | Treatment::Attention
            | Treatment::Tab(_) => ("texts", self.pseudonyms.text(text)),
        };
        *self.replaced.entry(what).or_default() += u64::from(replaced != text);
        replaced
    }

    fn maker(&mut self, value: &Value) -> Value {
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
        let name = self.pseudonyms.words(name);
        match value.get("id").and_then(Value::as_str) {
            Some(id) => json!({ "id": id, "name": name }),
            None => json!({ "name": name }),
        }
    }

    fn person_reference(&mut self, name: &str, value: &Value) -> Option<Value> {
        let target = id(value.as_object()?)?;
        if !self.known.contains(&target) {
            self.unseen += 1;
            return None;
        }
        if name == "manager" {
            self.managers.insert(target);
        }
        Some(json!({ "id": target.to_string() }))
    }

    fn attention(&mut self, value: &Value) -> Option<Value> {
        let text = |name| {
            value
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.trim().is_empty())
        };
        let (id, name, comment) = (text("id"), text("name"), text("comment"));
        if id.is_none() && name.is_none() {
            return None;
        }
        let comment = comment.map(|comment| self.text("attention.comment", Treatment::Text, comment));
        Some(json!({ "id": id, "name": name.unwrap_or("(no name)"), "comment": comment.unwrap_or_default() }))
    }

    fn tab(&mut self, tab: u8, value: &Value) -> Option<Value> {
        let mut kept = Row::new();
        for (name, value) in value.as_object()?.iter().filter(|(_, value)| !value.is_null()) {
            let full = format!("optionalFields{tab}.{name}");
            let is_key = self.kept_key.as_deref() == Some(full.as_str());
            let value = match in_tab(tab, name) {
                None => None,
                Some(_) if is_key => Some(value.clone()),
                Some(InTab::Keep) => (*value == json!(true)).then(|| value.clone()),
                Some(InTab::Text) => {
                    let text = value.as_str().filter(|text| !text.is_empty());
                    text.map(|text| json!(self.text(&full, Treatment::Text, text)))
                }
                Some(InTab::Number) => self.number(value),
                Some(InTab::Date) => self.date(value),
                Some(InTab::Entry(kind)) => self.lists.refer(kind, value, None),
            };
            kept.extend(value.map(|value| (name.clone(), value)));
        }
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    /// Another number with as many digits.
    fn number(&mut self, value: &Value) -> Option<Value> {
        let text = value.as_number()?.to_string();
        let replaced: Number = serde_json::from_str(&self.pseudonyms.words(&text)).ok()?;
        *self.replaced.entry("optional numbers and dates").or_default() += 1;
        Some(Value::Number(replaced))
    }

    /// Another day of the same year; the years that stand for 'never' stay.
    fn date(&mut self, value: &Value) -> Option<Value> {
        let text = value.as_str()?;
        let date: NaiveDate = text.get(..10)?.parse().ok()?;
        if !(1901..9000).contains(&date.year()) {
            return Some(value.clone());
        }
        // One of the 364 other days that every year has.
        let away = 1 + self.pseudonyms.below(364, &text[..10]);
        let day = 1 + (date.ordinal0() + away) % 365;
        let other = NaiveDate::from_yo_opt(date.year(), day)?;
        *self.replaced.entry("optional numbers and dates").or_default() += 1;
        Some(json!(format!("{other}{}", &text[10..])))
    }
}

/// A value without a person in it; flags that are off and empty texts need no place.
fn kept(name: &str, value: &Value) -> Option<Value> {
    let off = *value == json!(false) && !ON_BY_DEFAULT.contains(&name);
    let empty = value.as_str().is_some_and(str::is_empty);
    (!off && !empty).then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replacer(kept_key: Option<&str>) -> Replacer {
        Replacer {
            pseudonyms: Pseudonyms::random(),
            kept_key: kept_key.map(str::to_owned),
            lists: Lists::default(),
            known: HashSet::new(),
            managers: HashSet::new(),
            unseen: 0,
            replaced: BTreeMap::new(),
            habits: Habits::default(),
        }
    }

    fn row(value: Value) -> Row {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn a_field_that_nobody_named_does_not_get_through() {
        let card = replacer(None).person(row(json!({
            "id": "00000000-0000-0000-0000-000000000001", "gender": "MALE", "privateDetails": { "x": "y" }, "city": "Delft",
            "optionalFields1": { "text1": "abc", "secret1": "abc", "text9": "abc" }, "isCaller": false, "isManager": false,
        })));
        let names: Vec<&str> = card.keys().map(String::as_str).collect();
        assert_eq!(names, ["id", "isCaller", "optionalFields1"]);
        assert_eq!(card["optionalFields1"].as_object().unwrap().len(), 1);
    }

    #[test]
    fn the_key_stays_where_it_is_kept_and_only_there() {
        let person =
            json!({ "employeeNumber": "001042", "optionalFields2": { "text3": "A7", "text4": "A7", "number1": 7 } });
        let kept = replacer(Some("employeeNumber")).person(row(person.clone()));
        assert_eq!(kept["employeeNumber"], "001042");
        assert_ne!(kept["optionalFields2"]["text3"], "A7");
        assert_ne!(kept["optionalFields2"]["number1"], json!(7));
        let other = replacer(Some("optionalFields2.text3")).person(row(person));
        assert_eq!(other["optionalFields2"]["text3"], "A7");
        assert_ne!(other["optionalFields2"]["text4"], "A7");
        assert_ne!(other["employeeNumber"], "001042");
        assert!(other["employeeNumber"].as_str().unwrap().starts_with("00"));
    }

    #[test]
    fn dates_become_other_days_of_their_year() {
        let mut replacer = replacer(None);
        let date =
            |replacer: &mut Replacer, text: &str| replacer.date(&json!(text)).unwrap().as_str().unwrap().to_owned();
        for text in [
            "2026-01-01T00:00:00.000+0100",
            "2024-12-31T23:00:00.000+0000",
            "1984-02-29",
        ] {
            let other = date(&mut replacer, text);
            assert!(
                other != text && other[..4] == text[..4] && other[10..] == text[10..],
                "{text} {other}"
            );
            assert_eq!(date(&mut replacer, text), other);
        }
        assert_eq!(
            date(&mut replacer, "9999-12-31T00:00:00.000+0000"),
            "9999-12-31T00:00:00.000+0000"
        );
    }
}
