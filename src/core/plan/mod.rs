//! The vocabulary of a plan: changes, their reasons, and everybody to whom nothing happens, with why.
//!
//! A plan is complete: ids, fields, old and new values are all in it, apply decides nothing. How a plan is made is in
//! [`crate::core::planner`], how it is judged in [`crate::core::guard`].

pub mod choices;
pub mod concern;
pub mod difference;
pub mod exchange;
pub mod fate;
pub mod hash;
pub mod hold;
pub mod report;
pub mod safe_end;
pub mod skip;
pub mod step;
pub mod view;

pub use crate::core::plan::exchange::OtherSide;
pub use crate::core::plan::fate::{ArchivedApart, OperatorFate};
pub use crate::core::plan::hash::{full_hash, item_id, short_hash};
pub use crate::core::plan::hold::{Drift, HoldReason};
pub use crate::core::plan::safe_end::SafeEnd;
pub use crate::core::plan::skip::{Skip, SkipReason};
pub use crate::core::plan::step::{CardTarget, Step};
pub use crate::core::rules::evidence::{Evidence, EvidenceCode, Grade};

use crate::core::memory::apart::{Apart, JudgedPeople};
use crate::core::memory::decision::StrangeWrites;
use crate::core::memory::halves::Halves;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::card::OperatorLink;
use crate::core::model::field::{CardField, FieldValue, LookupKind};
use crate::core::model::ids::{CardId, ItemId, OperatorId, PlanId, SourceName};
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::{Anchor, RecordRef};
use crate::core::reads::snapshot::{Finding, Rejection, SnapshotSummary};
use crate::core::rules::policy::BudgetClass;
use crate::core::rules::retention::Retained;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One field of a card, from and to. `None` is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldChange {
    pub field: CardField,
    pub from: Option<FieldValue>,
    pub to: Option<FieldValue>,
}

impl FieldChange {
    /// The class of a value that takes the place of another one. Names have a class of their own.
    fn replaced(&self) -> Option<BudgetClass> {
        let name = matches!(self.field, CardField::SurName | CardField::FirstName);
        // cardsync itself sets these marks as people start or become managers.
        let mark = matches!(self.field, CardField::HasSspAccess | CardField::IsManager)
            && self.to == Some(FieldValue::Flag(true));
        let replaced = self.from.is_some() && self.to.is_some() && !name && !mark;
        replaced.then_some(BudgetClass::Changed(self.field))
    }

    /// The way back.
    pub fn reversed(&self) -> Self {
        Self {
            field: self.field,
            from: self.to.clone(),
            to: self.from.clone(),
        }
    }

    /// Empties a login or the e-mail address: on a card with an operator that is as grave as archiving (RULES 6.1).
    pub fn blanks_identity(&self) -> bool {
        self.field.identifies() && self.from.is_some() && self.to.is_none()
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// A list entry is made.
    CreateEntry { list: LookupKind, name: Box<str> },
    /// A card is made. References to people follow in [`Action::SetReferences`].
    Create { fields: Vec<FieldChange> },
    /// Fields of an active card change.
    Update { fields: Vec<FieldChange> },
    /// The key is written onto a card.
    Adopt { fields: Vec<FieldChange> },
    /// Two cards that have each other's number: each gets its own.
    Exchange {
        fields: Vec<FieldChange>,
        other: Box<OtherSide>,
    },
    /// Two cards of one human become one: the key, and the login where it is wanted, are taken off `twin`, the fields are
    /// written onto the card that has the operator, and `twin` is archived.
    Merge {
        fields: Vec<FieldChange>,
        twin: CardId,
        /// What `twin` gives up: its key first.
        taken: Vec<FieldChange>,
        reason: Option<Box<str>>,
    },
    /// The card, and its linked operator with it, is archived. Before that these operators lose the permission to log in.
    Archive {
        reason: Option<Box<str>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        disarm: Vec<OperatorId>,
        /// Operators that are archived before the card, by requests of their own.
        #[serde(default, skip_serializing_if = "ArchivedApart::is_nobody")]
        apart: ArchivedApart,
        /// The number of somebody who has left, for a card that has none or nobody's: it is written first, so that the card is known as
        /// theirs from then on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        number: Vec<FieldChange>,
    },
    /// The card is made active again; assume that its operator wakes, unless its fate says otherwise.
    Unarchive {
        #[serde(default, skip_serializing_if = "OperatorFate::is_as_it_falls")]
        operators: OperatorFate,
    },
    /// The personal data of an archived card is overwritten where it is. Where TOPdesk refuses that, and no operator is linked
    /// in any state, the card is unarchived for it and archived again, with this reason (RULES 9).
    Anonymize {
        fields: Vec<FieldChange>,
        reason: Option<Box<str>>,
    },
    /// Second pass: managers, and logins that an earlier change of the plan sets free.
    SetReferences { fields: Vec<FieldChange> },
}

/// The name of an action, for programs and people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    CreateEntry,
    Unarchive,
    Create,
    Update,
    Adopt,
    Exchange,
    Merge,
    SetReferences,
    Archive,
    Anonymize,
}

impl ActionKind {
    /// Every kind, in the order in which a plan is applied.
    pub const IN_ORDER: [ActionKind; 10] = [
        ActionKind::CreateEntry,
        ActionKind::Unarchive,
        ActionKind::Create,
        ActionKind::Update,
        ActionKind::Adopt,
        ActionKind::Exchange,
        ActionKind::Merge,
        ActionKind::SetReferences,
        ActionKind::Archive,
        ActionKind::Anonymize,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            ActionKind::CreateEntry => "create_entry",
            ActionKind::Unarchive => "unarchive",
            ActionKind::Create => "create",
            ActionKind::Update => "update",
            ActionKind::Adopt => "adopt",
            ActionKind::Exchange => "exchange",
            ActionKind::Merge => "merge",
            ActionKind::SetReferences => "set_references",
            ActionKind::Archive => "archive",
            ActionKind::Anonymize => "anonymize",
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Action {
    /// Which kind it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Action::CreateEntry { .. } => ActionKind::CreateEntry,
            Action::Create { .. } => ActionKind::Create,
            Action::Update { .. } => ActionKind::Update,
            Action::Adopt { .. } => ActionKind::Adopt,
            Action::Exchange { .. } => ActionKind::Exchange,
            Action::Merge { .. } => ActionKind::Merge,
            Action::Archive { .. } => ActionKind::Archive,
            Action::Unarchive { .. } => ActionKind::Unarchive,
            Action::Anonymize { .. } => ActionKind::Anonymize,
            Action::SetReferences { .. } => ActionKind::SetReferences,
        }
    }

    /// The fields it writes.
    pub fn fields(&self) -> &[FieldChange] {
        match self {
            Action::Create { fields }
            | Action::Update { fields }
            | Action::Adopt { fields }
            | Action::Exchange { fields, .. }
            | Action::Merge { fields, .. }
            | Action::Anonymize { fields, .. }
            | Action::SetReferences { fields } => fields,
            Action::Archive { number, .. } => number,
            Action::CreateEntry { .. } | Action::Unarchive { .. } => &[],
        }
    }
}

/// One change of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub id: ItemId,
    pub action: Action,
    /// The person's key; `None` for list entries.
    pub key: Option<Key>,
    /// What a create or adopt writes as key.
    pub raw_key: Option<RawKey>,
    /// The card; `None` for creates and list entries.
    pub card: Option<CardId>,
    pub operator: OperatorLink,
    pub evidence: Vec<Evidence>,
    /// Earlier changes of this plan that must be done first.
    pub depends_on: Vec<ItemId>,
    /// What the planner itself doubts; the guard adds more.
    pub doubts: Vec<HoldReason>,
    /// For people: which rule brought this.
    pub why: Vec<String>,
    /// Directory ids of the person: remembered with the card.
    pub anchors: Vec<Anchor>,
    /// Of a create or adoption: the authoritative sources that have the person, which is remembered with the card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen_in: Vec<SourceName>,
    /// Fields whose old value somebody has entered in TOPdesk since cardsync last saw the card in step.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub overwrites: BTreeSet<CardField>,
    /// A create that leaves access to the self-service portal off until the first working day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub access_later: bool,
}

/// The same of fields as text: what stood there, and what comes in its place. A login that was the number and is emptied while
/// the number is written takes none off.
pub(crate) fn takes_number_off(
    action: ActionKind,
    key: Option<&Key>,
    fields: impl Iterator<Item = (Option<String>, Option<String>)>,
) -> bool {
    let Some(key) = key.filter(|_| action == ActionKind::Adopt) else {
        return false;
    };
    let is_number = |text: &str| text.trim().eq_ignore_ascii_case(key.as_str());
    let mut taken = false;
    for (from, to) in fields {
        match (from, to) {
            (_, Some(to)) if is_number(&to) => return false,
            (Some(from), None) => taken |= is_number(&from),
            (_, _) => {}
        }
    }
    taken
}

impl Change {
    /// Whether it takes a number off a card again: the way back of an adoption.
    pub fn takes_number_off(&self) -> bool {
        let fields = self.action.fields().iter();
        let text = |value: &Option<FieldValue>| value.as_ref().map(FieldValue::display);
        let texts = fields.map(|field| (text(&field.from), text(&field.to)));
        takes_number_off(self.action.kind(), self.key.as_ref(), texts)
    }

    /// The budget classes it counts in.
    pub fn classes(&self) -> BTreeSet<BudgetClass> {
        let mut classes = BTreeSet::new();
        match &self.action {
            Action::CreateEntry { .. } => {
                classes.insert(BudgetClass::Lookups);
            }
            Action::Create { .. } => {
                classes.insert(BudgetClass::Create);
            }
            Action::Archive { apart, number, .. } => {
                if !apart.left_behind {
                    classes.insert(BudgetClass::Archive);
                }
                classes.extend(number.first().map(|number| match number.from {
                    None => BudgetClass::Adopt,
                    Some(_) => BudgetClass::Keys,
                }));
                match self.operator {
                    OperatorLink::Active { .. } => {
                        classes.insert(BudgetClass::Operators);
                    }
                    OperatorLink::Archived { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven => {}
                }
            }
            Action::Unarchive { operators } => {
                classes.insert(BudgetClass::Unarchive);
                let put_back = matches!(operators, OperatorFate::KeepArchived { proven: true, .. });
                if self.operators_affected() > 0 && !put_back || !operators.arms().is_empty() {
                    classes.insert(BudgetClass::OperatorsWoken);
                }
            }
            Action::Adopt { fields } => {
                let rekeyed = fields
                    .iter()
                    .any(|change| change.field == CardField::EmployeeNumber && change.from.is_some());
                classes.insert(if rekeyed || self.changes_key() {
                    BudgetClass::Keys
                } else {
                    BudgetClass::Adopt
                });
                self.add_field_classes(fields, &mut classes);
            }
            Action::Exchange { .. } => {
                classes.insert(BudgetClass::Keys);
            }
            Action::Merge { fields, .. } => {
                classes.insert(BudgetClass::Keys);
                self.add_field_classes(fields, &mut classes);
            }
            Action::Anonymize { .. } => {
                classes.insert(BudgetClass::Anonymize);
                if self.operator.is_linked() {
                    classes.insert(BudgetClass::Operators);
                }
            }
            Action::Update { fields } | Action::SetReferences { fields } => {
                self.add_field_classes(fields, &mut classes);
                classes.extend(fields.iter().filter_map(FieldChange::replaced));
            }
        }
        classes
    }

    fn changes_key(&self) -> bool {
        // An adopt's first field is the key; a filled one before means that the card had another key.
        self.action.fields().first().is_some_and(|change| change.from.is_some())
    }

    fn add_field_classes(&self, fields: &[FieldChange], classes: &mut BTreeSet<BudgetClass>) {
        for change in fields {
            if matches!(change.field, CardField::SurName | CardField::FirstName) && change.from.is_some() {
                classes.insert(BudgetClass::Names);
            }
            if change.from.is_some() && change.to.is_none() {
                classes.insert(BudgetClass::Blanked(change.field));
                if change.blanks_identity() && self.operator.is_linked() {
                    classes.insert(BudgetClass::Operators);
                }
            }
        }
    }

    /// The operators that stay archived while their card is made active again.
    pub fn keeps_archived(&self) -> &[OperatorId] {
        match &self.action {
            Action::Unarchive { operators } => operators.keeps(),
            Action::CreateEntry { .. }
            | Action::Create { .. }
            | Action::Update { .. }
            | Action::Adopt { .. }
            | Action::Exchange { .. }
            | Action::Merge { .. }
            | Action::Archive { .. }
            | Action::Anonymize { .. }
            | Action::SetReferences { .. } => &[],
        }
    }

    /// How many operators this takes along or wakes.
    pub fn operators_affected(&self) -> usize {
        match (&self.action, &self.operator) {
            (Action::Archive { .. }, OperatorLink::Active { operators })
            | (Action::Unarchive { .. }, OperatorLink::Archived { operators }) => operators.len(),
            // The first is awake, which of the others is not said: assume that they sleep.
            (Action::Unarchive { operators: fate }, OperatorLink::Active { operators }) => {
                (operators.len() - 1).max(fate.arms().len())
            }
            _other => 0,
        }
    }
}

/// People nothing may happen to until a human looks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Conflict {
    pub key: Key,
    pub kind: ConflictKind,
    pub records: Vec<RecordRef>,
    pub cards: Vec<CardId>,
}

/// What is double.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two records of one source, or of two sources that describe different people, have this key.
    DuplicateInSource,
    /// Two active cards have this key.
    TwoActiveCards,
    /// Several archived cards and no active one have this key.
    SeveralArchivedCards,
}

/// All changes of one run with their reasons, before anything is written.
#[derive(Clone, Debug)]
pub struct Plan {
    pub id: PlanId,
    pub fingerprint: String,
    pub created_at: DateTime<Utc>,
    pub config_hash: String,
    pub snapshots: Vec<SnapshotSummary>,
    /// Why the clock is doubted.
    pub clock: Vec<Finding>,
    /// In the order in which they are applied, then by key.
    pub changes: Vec<Change>,
    pub conflicts: Vec<Conflict>,
    pub rejections: Vec<Rejection>,
    pub skipped: Vec<Skip>,
    /// What the ledger learns from these reads; only a run writes it.
    pub ledger: Vec<LedgerEntry>,
    /// Active cards that are ours: the base of percentages.
    pub base: u64,
    /// Cards that are nobody's of ours: never touched.
    pub foreign_cards: u64,
    /// Whether the reads allow this plan to count as a full look (every authoritative source and TOPdesk complete).
    pub full_look: bool,
    /// Cards whose person leaves or is absent, but not yet often or long enough.
    pub counting_absent: BTreeSet<CardId>,
    /// Cards about whose person this run could not decide: conflicts, rejected records, conditions without an answer.
    pub undecided: BTreeSet<CardId>,
    /// Where everybody stands whose card cardsync archived; empty where nobody is anonymized.
    pub retained: Vec<Retained>,
    /// Writes with our signature that this store does not know of, as they are to be remembered.
    pub strange_writes: StrangeWrites,
    /// Of how many people it is known whether they leave.
    pub judged: JudgedPeople,
    /// Who leaves or is out of scope and has no active card, after this look.
    pub apart: Apart,
    /// Pairs of which one half may still be decided, after this look.
    pub halves: Halves,
}
