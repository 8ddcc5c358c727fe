//! What TOPdesk has, in our words: person cards, operator cards and the lists they refer to.

use crate::core::model::field::{CardField, FieldValue, LookupKind};
use crate::core::model::ids::{CardId, ItemId, OperatorId};
use crate::core::model::installation::Installation;
use crate::core::reads::snapshot::{Finding, Verdict};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The filled fields of a card, sorted by field. An empty field is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardFields(Vec<(CardField, FieldValue)>);

impl CardFields {
    /// The value of a field, if it is filled.
    pub fn get(&self, field: CardField) -> Option<&FieldValue> {
        let at = self.0.binary_search_by(|(known, _)| known.cmp(&field)).ok()?;
        Some(&self.0[at].1)
    }

    /// The text of a text field, if it is filled.
    pub fn text(&self, field: CardField) -> Option<&str> {
        match self.get(field) {
            Some(FieldValue::Text(text)) => Some(text),
            Some(FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) | FieldValue::Reference(_))
            | None => None,
        }
    }

    /// Sets or empties a field.
    pub fn set(&mut self, field: CardField, value: Option<FieldValue>) {
        match (self.0.binary_search_by(|(known, _)| known.cmp(&field)), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => {
                self.0.remove(at);
            }
            (Err(at), Some(value)) => self.0.insert(at, (field, value)),
            (Err(_), None) => {}
        }
    }

    /// Filled fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (CardField, &FieldValue)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }
}

impl FromIterator<(CardField, FieldValue)> for CardFields {
    fn from_iter<I: IntoIterator<Item = (CardField, FieldValue)>>(pairs: I) -> Self {
        let mut fields: Vec<_> = pairs.into_iter().collect();
        fields.sort_by_key(|(field, _)| *field);
        fields.dedup_by_key(|(field, _)| *field);
        fields.shrink_to_fit();
        Self(fields)
    }
}

/// A TOPdesk person card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCard {
    pub id: CardId,
    pub archived: bool,
    pub fields: CardFields,
    /// Who made and last changed the card, as TOPdesk gives it (an id where it has one, else a name's stand-in).
    pub creator: Option<Box<str>>,
    pub modifier: Option<Box<str>>,
    /// When the card was made (`creationDate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    pub modified_at: Option<DateTime<Utc>>,
}

/// What kind of account an operator card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorKind {
    Regular,
    /// TOPdesk's own staff; never touched.
    TopdeskAccount,
    /// An integration; never touched.
    ApiAccount,
}

/// A TOPdesk operator card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorCard {
    pub id: OperatorId,
    pub archived: bool,
    pub kind: OperatorKind,
    pub linked_person: Option<CardId>,
    pub login_name: Option<Box<str>>,
    pub email: Option<Box<str>>,
    pub login_permission: Option<bool>,
}

/// The operator behind a person card. A missing operator is a statement that must be proven, never an `Option`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum OperatorLink {
    /// The read was complete and the account sees every operator: there is none.
    ProvenNone,
    /// At least one active operator is linked; archived ones follow after the active ones.
    Active { operators: Vec<OperatorId> },
    /// Only archived operators are linked.
    Archived { operators: Vec<OperatorId> },
    /// None was seen, and that proves nothing.
    Unproven,
}

impl OperatorLink {
    /// Whether an operator is known to be linked.
    pub fn is_linked(&self) -> bool {
        match self {
            OperatorLink::Active { .. } | OperatorLink::Archived { .. } => true,
            OperatorLink::ProvenNone | OperatorLink::Unproven => false,
        }
    }
}

/// Whether the account sees every operator and card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterProof {
    /// Filters were read and there are none, or the configuration states so.
    None,
    /// Filters exist: what they hide is unknown. Carries their kinds: branch, operator, category.
    Present(Vec<Box<str>>),
    /// They could not be read.
    Unreadable,
}

/// One entry of a TOPdesk list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LookupEntry {
    pub id: Box<str>,
    pub name: Box<str>,
    /// Locations: the branch they belong to. Languages: the code.
    pub qualifier: Option<Box<str>>,
}

/// How departments are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepartmentMode {
    #[default]
    DropDown,
    PlainText,
}

/// The lists that the mapping needs, as read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookups {
    /// Sorted by id. A list that could not be read is not in the map.
    #[serde(with = "lookup_map")]
    pub lists: BTreeMap<LookupKind, Vec<LookupEntry>>,
    pub department_mode: DepartmentMode,
}

/// JSON objects need text keys: the lists are kept as pairs.
mod lookup_map {
    use super::{LookupEntry, LookupKind};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(
        map: &BTreeMap<LookupKind, Vec<LookupEntry>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<LookupKind, Vec<LookupEntry>>, D::Error> {
        Ok(Vec::<(LookupKind, Vec<LookupEntry>)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

impl TargetSnapshot {
    /// Puts cards and operators as they were read later in the place of what this read has of them.
    pub fn take_in(&mut self, cards: Vec<PersonCard>, operators: Vec<OperatorCard>) {
        for card in cards {
            if let Ok(at) = self.cards.binary_search_by(|known| known.id.cmp(&card.id)) {
                self.cards[at] = card;
            }
        }
        for operator in operators {
            if let Ok(at) = self.operators.binary_search_by(|known| known.id.cmp(&operator.id)) {
                self.operators[at] = operator;
            }
        }
    }
}

/// One read of TOPdesk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetSnapshot {
    /// When the read began.
    pub read_at: DateTime<Utc>,
    /// Set by `quality::judge_target`; a shell hands over `Complete` and its findings.
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// Sorted by id, without doubles.
    pub cards: Vec<PersonCard>,
    /// Sorted by id, archived ones included.
    pub operators: Vec<OperatorCard>,
    pub filters: FilterProof,
    pub lookups: Lookups,
    /// `/persons/count` before and after the read.
    pub counts: (u64, u64),
    /// The archiving reason's id, when one is configured and was found.
    pub archiving_reason: Option<Box<str>>,
    /// The operator id of cardsync's own account, where TOPdesk tells: what it signs cards with.
    #[serde(default)]
    pub own_account: Option<OperatorId>,
    /// The person card linked to cardsync's own account, if any.
    pub own_cards: BTreeSet<CardId>,
    /// Cards of the ledger that the list lacks and that were asked for one by one: TOPdesk does not know them. With an
    /// account that has no filters this means deleted; with filters it may mean hidden.
    pub confirmed_gone: BTreeSet<CardId>,
    /// TOPdesk's clock: the `Date` header of an answer.
    pub server_time: Option<DateTime<Utc>>,
    /// Fields that nearly no card shows any more: what stands in them is not known, so they stay as they are.
    #[serde(default)]
    pub unknown_fields: BTreeSet<CardField>,
    /// Set while a human may accept what was found: the item to approve.
    #[serde(default)]
    pub acceptance: Option<ItemId>,
    /// Its version, the account's rights, what answers show.
    #[serde(default)]
    pub installation: Installation,
    /// What a human has accepted of it.
    #[serde(default)]
    pub accepted: Option<ItemId>,
}
