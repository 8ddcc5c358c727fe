//! Anonymization as it is configured: who does it, after how long, who is exempt, and what the API writes over a card.
//!
//! When somebody is due is decided in [`crate::core::rules::retention`], about whom in the planner. Nothing here looks at a person.

use crate::core::model::card::PersonCard;
use crate::core::model::field::{CardField, FieldKind, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, KeySpec};
use crate::core::plan::{FieldChange, short_hash};
use crate::core::reads::diff::same;
use chrono::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What TOPdesk's own anonymization leaves in texts. A surname or key of asterisks is never indexed, matched or touched
/// (RULES 1.3), so it marks what cardsync overwrote as well.
pub const MARK: &str = "*****";

/// Who anonymizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnonymizeBy {
    /// TOPdesk's own anonymization, started by a human: cardsync lists who is due and notices when it is done.
    Topdesk,
    /// cardsync overwrites the fields of the card that the API can write.
    Api,
}

/// What is written over a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overwrite {
    /// The field is emptied; a flag is switched off.
    Clear,
    /// The field stays as it is.
    Keep,
    /// A text made from the card's id: it tells anonymized cards apart and says nothing of the person.
    Pseudonym,
    /// This text.
    Placeholder(Box<str>),
}

/// Longest text that [`Overwrite::Pseudonym`] gives, in characters.
pub const PSEUDONYM_CHARS: usize = 17;

/// Who is never anonymized, whatever else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    pub keys: BTreeSet<Key>,
    pub cards: BTreeSet<CardId>,
    /// Why the list could not be read whole: then nobody is anonymized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

impl LegalHold {
    /// Whether somebody is on the list.
    pub fn has(&self, key: &Key, card: &CardId) -> bool {
        self.keys.contains(key) || self.cards.contains(card)
    }
}

/// The whole rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anonymize {
    pub by: AnonymizeBy,
    /// How long after the start of the clock.
    #[serde(with = "whole_seconds")]
    pub after: Duration,
    pub legal_hold: LegalHold,
    /// What the API writes over each field; one that is not named stays.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<CardField, Overwrite>,
}

impl Anonymize {
    /// What the API writes over each field where the configuration says nothing else: everything that names or reaches a
    /// person is emptied, and so are free texts, numbers and dates of the optional tabs. What places a person in the
    /// organisation (branch, department, budget holder) stays, for statistics.
    pub fn default_fields() -> BTreeMap<CardField, Overwrite> {
        let mut fields = BTreeMap::new();
        for field in CardField::all() {
            let cleared = match field {
                CardField::FirstName
                | CardField::FirstInitials
                | CardField::Prefixes
                | CardField::BirthName
                | CardField::Title
                | CardField::JobTitle
                | CardField::EmployeeNumber
                | CardField::Email
                | CardField::PhoneNumber
                | CardField::MobileNumber
                | CardField::Fax
                | CardField::TasLoginName
                | CardField::NetworkLoginName
                | CardField::MainframeLoginName
                | CardField::Location
                | CardField::Manager
                | CardField::HasSspAccess
                | CardField::IsCaller
                | CardField::OptionalText(..)
                | CardField::OptionalNumber(..)
                | CardField::OptionalDate(..) => true,
                CardField::SurName
                | CardField::Branch
                | CardField::Department
                | CardField::BudgetHolder
                | CardField::Language
                | CardField::PersonExtraFieldA
                | CardField::PersonExtraFieldB
                | CardField::IsManager
                | CardField::ShowBranch
                | CardField::ShowBudgetHolder
                | CardField::ShowDepartment
                | CardField::ShowSubsidiaries
                | CardField::ShowAllBranches
                | CardField::OptionalFlag(..)
                | CardField::OptionalSearchList(..) => false,
            };
            if cleared {
                fields.insert(field, Overwrite::Clear);
            }
        }
        // TOPdesk refuses an empty surname.
        fields.insert(CardField::SurName, Overwrite::Placeholder(MARK.into()));
        fields
    }

    /// The fields that are written over, the key among them.
    pub fn touches(&self, key: &KeySpec) -> BTreeSet<CardField> {
        let fields = self.fields.iter().filter(|(_, how)| **how != Overwrite::Keep);
        fields.map(|(field, _)| *field).chain([key.card_field]).collect()
    }

    /// What is written over a card, the key first: only what differs.
    pub fn overwrite(&self, card: &PersonCard, key: &KeySpec) -> Vec<FieldChange> {
        let to_mark = (key.card_field, mark(key.card_field, &card.id));
        let rest = self.fields.iter().filter(|(field, _)| **field != key.card_field);
        let rest = rest.filter_map(|(field, how)| {
            let to = match how {
                Overwrite::Keep => return None,
                Overwrite::Clear => None,
                Overwrite::Pseudonym => FieldValue::text(&pseudonym(&card.id)),
                Overwrite::Placeholder(text) => FieldValue::text(text),
            };
            Some((*field, to))
        });
        let changes = [to_mark].into_iter().chain(rest).filter_map(|(field, to)| {
            let from = card.fields.get(field);
            let changes = !same(from, to.as_ref(), field.kind());
            changes.then(|| FieldChange {
                field,
                from: from.cloned(),
                to,
            })
        });
        changes.collect()
    }
}

/// The key of an overwritten card. A login must be unique, so there the card's own id stands behind the asterisks.
fn mark(field: CardField, card: &CardId) -> Option<FieldValue> {
    match field {
        CardField::TasLoginName => FieldValue::text(&format!("{MARK}{card}")),
        _other => FieldValue::text(MARK),
    }
}

/// A text that tells anonymized cards apart.
fn pseudonym(card: &CardId) -> String {
    format!("anon-{}", short_hash(card.as_str().as_bytes()))
}

/// What can be written over a field of this kind; what is wrong with it and the cure otherwise.
pub fn misfit(field: CardField, how: &Overwrite, key: CardField) -> Option<(String, &'static str)> {
    if field == key {
        let message = "is the key, which always becomes asterisks, so that the card is never matched again".to_owned();
        return Some((message, "take it out"));
    }
    if field == CardField::SurName && matches!(how, Overwrite::Clear | Overwrite::Keep) {
        let message = "TOPdesk refuses an empty surname, and a surname that stays names the person".to_owned();
        return Some((
            message,
            "write { placeholder: TEXT } or pseudonym; ***** is the default",
        ));
    }
    if field == CardField::Branch && *how == Overwrite::Clear {
        return Some((
            "TOPdesk ordinarily refuses a card without a branch".to_owned(),
            "take it out: the branch stays",
        ));
    }
    match (field.kind(), how) {
        (_, Overwrite::Keep | Overwrite::Clear) => None,
        (FieldKind::Text { .. }, Overwrite::Placeholder(text)) if text.trim().is_empty() => {
            Some(("the placeholder is blank".to_owned(), "write clear, or a text"))
        }
        (FieldKind::Text { .. }, Overwrite::Placeholder(_)) if field == CardField::TasLoginName => Some((
            "a login must be unique, and a placeholder is the same on every card".to_owned(),
            "write clear or pseudonym",
        )),
        (FieldKind::Text { max_chars }, Overwrite::Placeholder(text)) => {
            let chars = text.chars().count();
            (chars > max_chars).then(|| {
                let message = format!("the placeholder has {chars} characters, the field takes {max_chars}");
                (message, "shorten it")
            })
        }
        (FieldKind::Text { .. }, Overwrite::Pseudonym) if field == CardField::Email => Some((
            "TOPdesk takes nothing but an e-mail address here".to_owned(),
            "write clear",
        )),
        (FieldKind::Text { max_chars }, Overwrite::Pseudonym) => (max_chars < PSEUDONYM_CHARS).then(|| {
            let message = format!("a pseudonym has {PSEUDONYM_CHARS} characters, the field takes {max_chars}");
            (message, "write clear, or { placeholder: TEXT }")
        }),
        (
            FieldKind::Flag | FieldKind::Number | FieldKind::Date | FieldKind::Lookup(_) | FieldKind::Manager,
            Overwrite::Pseudonym | Overwrite::Placeholder(_),
        ) => Some(("takes no text".to_owned(), "write clear or keep")),
    }
}

/// Durations as whole seconds.
mod whole_seconds {
    use chrono::Duration;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(span.num_seconds())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Ok(Duration::seconds(i64::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reads::cards::{CardState, state_of};

    fn spec(card_field: CardField) -> KeySpec {
        KeySpec {
            card_field,
            normalise: Vec::new(),
            immutable: true,
        }
    }

    fn rule(fields: BTreeMap<CardField, Overwrite>) -> Anonymize {
        Anonymize {
            by: AnonymizeBy::Api,
            after: Duration::days(400),
            legal_hold: LegalHold::default(),
            fields,
        }
    }

    /// A card with every field filled.
    fn full_card() -> PersonCard {
        let value = |field: CardField| match field.kind() {
            FieldKind::Text { .. } => FieldValue::Text(format!("personal {field}").into()),
            FieldKind::Flag => FieldValue::Flag(true),
            FieldKind::Number => FieldValue::Number("7".into()),
            FieldKind::Date => FieldValue::Date("1980-01-02".parse().expect("a date")),
            FieldKind::Lookup(_) | FieldKind::Manager => {
                FieldValue::Reference(crate::core::model::field::Reference::FreeText("x".into()))
            }
        };
        PersonCard {
            id: "c1".into(),
            archived: true,
            fields: CardField::all().map(|field| (field, value(field))).collect(),
            creator: None,
            modifier: None,
            created_at: None,
            modified_at: None,
        }
    }

    #[test]
    fn no_text_of_a_full_card_survives_and_the_card_is_never_matched_again() {
        for key in [CardField::EmployeeNumber, CardField::TasLoginName] {
            let mut card = full_card();
            for change in rule(Anonymize::default_fields()).overwrite(&card.clone(), &spec(key)) {
                card.fields.set(change.field, change.to);
            }
            for (field, value) in card.fields.iter() {
                let shown = value.display();
                assert!(
                    !shown.contains("personal") && !shown.contains("1980"),
                    "{field}: {shown}"
                );
            }
            assert_eq!(state_of(&card, &spec(key)), CardState::Anonymized);
            assert!(
                rule(Anonymize::default_fields())
                    .overwrite(&card, &spec(key))
                    .is_empty()
            );
        }
    }

    #[test]
    fn a_surname_of_words_leaves_the_mark_in_the_key() {
        let mut fields = Anonymize::default_fields();
        fields.insert(CardField::SurName, Overwrite::Placeholder("Former employee".into()));
        fields.insert(CardField::JobTitle, Overwrite::Pseudonym);
        fields.insert(CardField::Email, Overwrite::Keep);
        let mut card = full_card();
        for change in rule(fields).overwrite(&card.clone(), &spec(CardField::EmployeeNumber)) {
            card.fields.set(change.field, change.to);
        }
        assert_eq!(card.fields.text(CardField::SurName), Some("Former employee"));
        assert_eq!(
            card.fields.text(CardField::JobTitle).map(|text| text.chars().count()),
            Some(PSEUDONYM_CHARS)
        );
        assert_eq!(card.fields.text(CardField::Email), Some("personal email"));
        assert_eq!(state_of(&card, &spec(CardField::EmployeeNumber)), CardState::Anonymized);
    }

    #[test]
    fn what_topdesk_would_refuse_is_refused_before() {
        let key = CardField::EmployeeNumber;
        let placeholder = |text: &str| Overwrite::Placeholder(text.into());
        for (field, how, fits) in [
            (CardField::EmployeeNumber, Overwrite::Clear, false),
            (CardField::SurName, Overwrite::Clear, false),
            (CardField::SurName, Overwrite::Keep, false),
            (CardField::SurName, Overwrite::Pseudonym, true),
            (CardField::Branch, Overwrite::Clear, false),
            (CardField::Branch, Overwrite::Keep, true),
            (CardField::TasLoginName, placeholder("gone"), false),
            (CardField::TasLoginName, Overwrite::Pseudonym, true),
            (CardField::Email, Overwrite::Pseudonym, false),
            (CardField::Prefixes, Overwrite::Pseudonym, false),
            (CardField::Prefixes, placeholder("12345678901"), false),
            (CardField::Prefixes, placeholder(" "), false),
            (CardField::IsCaller, placeholder("no"), false),
            (CardField::Department, Overwrite::Clear, true),
        ] {
            assert_eq!(misfit(field, &how, key).is_none(), fits, "{field} {how:?}");
        }
    }
}
