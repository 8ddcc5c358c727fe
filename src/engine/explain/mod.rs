//! One person, start to end: what the sources say, how the card was found, what becomes of each field, what the guard says, and
//! what is remembered. Made from a plan and its input, so that a past run is explained like the next one. Reads only.

mod fields;
mod find;
mod journal;

pub use fields::{Fate, FieldPart, WantedPart};
pub use find::{FoundBy, Subject, find};
pub use journal::{JournalEntry, JournalReader};

use super::decision_log::LoggedDecision;
use super::run::Planned;
use super::state::KeptHold;
use crate::core::input::PlanInput;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::card::{OperatorCard, OperatorLink, PersonCard};
use crate::core::model::field::CardField;
use crate::core::model::groups::OperatorGroups;
use crate::core::model::identity::{FirstDay, JoinedRecord, Moment, Truth};
use crate::core::model::ids::{CardId, EnvironmentId, ItemId, OperatorId, PlanId, RunId, SourceName};
use crate::core::model::key::{Key, KeyReading, Normaliser};
use crate::core::model::record::{Place, SourceRecord, Standing};
use crate::core::plan::view::ChangeView;
use crate::core::plan::{Conflict, Skip};
use crate::core::reads::cards::{CardIndex, CardState};
use crate::core::reads::merge::{Member, Population};
use crate::core::reads::rows::Row;
use crate::core::reads::snapshot::{Rejection, Role, Snapshot, Verdict};
use crate::mapping::Mapping;
use crate::mapping::condition::Condition;
use crate::mapping::inputs::Records;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything about one person.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub subject: Subject,
    pub environment: EnvironmentId,
    /// The moment that is explained.
    pub at: DateTime<Utc>,
    /// Set when a past run is explained.
    pub run: Option<RunId>,
    pub plan_id: PlanId,
    pub sources: Vec<SourcePart>,
    pub matching: MatchingPart,
    pub cards: Vec<CardPart>,
    pub conditions: Vec<ConditionPart>,
    pub fields: Vec<FieldPart>,
    pub items: Vec<ItemPart>,
    pub conflicts: Vec<Conflict>,
    pub rejections: Vec<Rejection>,
    pub skipped: Vec<Skip>,
    /// What is remembered of the cards, as it was before these reads.
    pub ledger: Vec<LedgerEntry>,
    pub journal: Vec<JournalEntry>,
    /// Decisions about items of this person, newest first.
    pub decisions: Vec<LoggedDecision>,
}

/// What one source has of the person.
#[derive(Clone, Debug, Serialize)]
pub struct SourcePart {
    pub source: SourceName,
    pub role: Option<Role>,
    pub read_at: DateTime<Utc>,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// None, one, or several with this key.
    pub records: Vec<RecordPart>,
    /// Whether a record with this key is no person, by `skip` or `exclude`.
    pub skipped: bool,
}

/// One raw record.
#[derive(Clone, Debug, Serialize)]
pub struct RecordPart {
    pub place: Place,
    pub key: String,
    /// Directory id.
    pub anchor: Option<String>,
    pub standing: Standing,
    /// With a row per contract: every row of the person by its place, how it stands, and whether it describes the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
    /// By attribute, in the source's order; attributes without a value are left out.
    pub attributes: Vec<(String, Vec<String>)>,
}

/// How the card was found.
#[derive(Clone, Debug, Serialize)]
pub struct MatchingPart {
    pub card_field: CardField,
    pub normalise: Vec<Normaliser>,
    /// As the sources have the key, normalised.
    pub key: Option<Key>,
    /// Cards with this key: the person's, and what else has it.
    pub cards_with_key: Vec<CardId>,
}

/// A card that has to do with the person.
#[derive(Clone, Debug, Serialize)]
pub struct CardPart {
    pub person_id: CardId,
    /// Why it is shown.
    pub relation: Relation,
    /// Whether the read had the card.
    pub read: bool,
    pub archived: bool,
    /// What stands in the key field, and what it comes to.
    pub raw_key: Option<String>,
    pub key: Option<Key>,
    pub anonymized: bool,
    /// Linked to an API account, a TOPdesk account or cardsync's own account.
    pub special: bool,
    pub protected: bool,
    pub operator: OperatorLink,
    pub operators: Vec<OperatorCard>,
    /// The groups of its operators, where they were asked for.
    pub groups: BTreeMap<OperatorId, OperatorGroups>,
    pub creator: Option<String>,
    pub modifier: Option<String>,
    pub modified_at: Option<DateTime<Utc>>,
    /// The fields that were read and are not empty.
    pub fields: BTreeMap<String, String>,
}

/// What a card has to do with the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The person's card.
    Own,
    /// Another card with the same key.
    SameKey,
    /// The ledger knows it as this person's.
    Known,
    /// A held item names it: it resembles the person.
    Resembles,
}

/// The option with the first working day, the only one among the conditions that gives a date.
pub const STARTS: &str = "lifecycle.joiner.starts";

/// A condition of the configuration with its answer.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionPart {
    /// The option, e.g. `lifecycle.leaver.when`.
    pub option: &'static str,
    pub expression: String,
    pub inputs: BTreeMap<String, Vec<String>>,
    /// `true`, `false`, or null with a reason.
    pub answer: Option<bool>,
    /// What an expression gives that is no condition: the date of `lifecycle.joiner.starts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub why: Option<String>,
}

/// An item of the plan about this person.
#[derive(Clone, Debug, Serialize)]
pub struct ItemPart {
    #[serde(flatten)]
    pub change: ChangeView,
    /// Who approved it, where it needed that and passes.
    pub approved_by: Option<String>,
    /// Since when it waits.
    pub since: Option<DateTime<Utc>>,
}

/// What the store remembers besides the input of the plan.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub holds: Vec<KeptHold>,
    pub decisions: Vec<LoggedDecision>,
    pub journal: Vec<JournalEntry>,
    /// Groups of the operators that were asked for.
    pub groups: BTreeMap<OperatorId, OperatorGroups>,
}

/// The operators linked to somebody's cards.
pub fn operators_of(planned: &Planned, subject: &Subject) -> Vec<OperatorId> {
    let (cards, _) = traces(planned, subject);
    let linked = planned.input.target.operators.iter();
    linked
        .filter(|operator| operator.linked_person.as_ref().is_some_and(|card| cards.contains(card)))
        .map(|operator| operator.id.clone())
        .collect()
}

/// The keys and cards whose journal belongs to somebody: theirs now, and those the ledger knows.
pub fn traces(planned: &Planned, subject: &Subject) -> (Vec<CardId>, Vec<Key>) {
    let mut cards: BTreeSet<CardId> = subject.person_id.iter().cloned().collect();
    let mut keys: BTreeSet<Key> = subject.key.iter().cloned().collect();
    for entry in planned.input.ledger.values() {
        let of_key = subject.key.is_some() && entry.key == subject.key;
        if of_key || cards.contains(&entry.card) {
            cards.insert(entry.card.clone());
            keys.extend(entry.key.iter().chain(&entry.former_keys).cloned());
        }
    }
    (cards.into_iter().collect(), keys.into_iter().collect())
}

/// A person with what the plan has about them.
pub(super) struct Person<'a> {
    planned: &'a Planned,
    index: &'a CardIndex<'a>,
    subject: &'a Subject,
    items: Vec<ItemPart>,
    conflicts: Vec<Conflict>,
    rejections: Vec<Rejection>,
    skipped: Vec<Skip>,
}

/// Puts together everything about one person. Pure.
pub fn explain(planned: &Planned, mapping: &Mapping, subject: &Subject, run: Option<RunId>, kept: Kept) -> Explanation {
    let input = &*planned.input;
    let index = CardIndex::build(&input.target, &input.policy.key);
    let person = Person::new(planned, &index, subject, &kept);
    let population = Population::new(&input.snapshots, &input.policy.same_people);
    let member = subject.key.as_ref().and_then(|key| {
        population.members().find_map(|member| match member {
            Member::Person(found) if found.key == key => Some(found),
            Member::Person(_) | Member::Conflict(_) | Member::Rejected(_) | Member::Skipped(_) => None,
        })
    });
    let joined = member.as_ref().map(|member| &member.joined);
    let fields = joined.map_or_else(Vec::new, |joined| {
        let evaluated = mapping.explain(joined, input.moment);
        evaluated.iter().map(|one| fields::field(one, &person)).collect()
    });
    let conditions = joined.map_or_else(Vec::new, |joined| conditions(mapping, joined, input.moment));
    let items: BTreeSet<ItemId> = person
        .items
        .iter()
        .map(|item| item.change.id.clone())
        .chain(kept.journal.iter().map(|entry| entry.item.clone()))
        .collect();
    let (cards, _) = traces(planned, subject);
    Explanation {
        environment: input.environment.clone(),
        at: input.moment.now,
        run,
        plan_id: planned.judged.plan.id.clone(),
        sources: input
            .snapshots
            .iter()
            .map(|snapshot| source(snapshot, subject))
            .collect(),
        matching: person.matching(),
        cards: person.cards(&kept.groups),
        conditions,
        fields,
        ledger: cards
            .iter()
            .filter_map(|card| input.ledger.get(card).cloned())
            .collect(),
        decisions: kept
            .decisions
            .into_iter()
            .filter(|logged| items.contains(&logged.decision.item))
            .collect(),
        journal: kept.journal,
        items: person.items,
        conflicts: person.conflicts,
        rejections: person.rejections,
        skipped: person.skipped,
        subject: subject.clone(),
    }
}

fn source(snapshot: &Snapshot, subject: &Subject) -> SourcePart {
    let records = subject.key.as_ref().map_or(&[][..], |key| snapshot.with_key(key));
    SourcePart {
        source: snapshot.summary.name.clone(),
        role: snapshot.summary.role,
        read_at: snapshot.summary.read_at,
        verdict: snapshot.summary.verdict.clone(),
        records: records.iter().map(|one| record(snapshot, one)).collect(),
        skipped: subject.key.as_ref().is_some_and(|key| snapshot.skipped().contains(key)),
    }
}

fn record(snapshot: &Snapshot, record: &SourceRecord) -> RecordPart {
    let named = snapshot.attributes.iter().zip(&record.values);
    let attributes = named
        .map(|(name, values)| {
            let values: Vec<String> = values.as_slice().iter().map(|value| value.to_string()).collect();
            (name.to_owned(), values)
        })
        .filter(|(_, values)| !values.is_empty())
        .collect();
    RecordPart {
        place: record.place.clone(),
        key: record.raw_key.0.to_string(),
        anchor: record.anchor.as_ref().map(ToString::to_string),
        standing: record.standing,
        rows: record.rows.as_ref().map_or_else(Vec::new, |rows| rows.all.clone()),
        attributes,
    }
}

fn conditions(mapping: &Mapping, joined: &JoinedRecord<'_>, moment: Moment) -> Vec<ConditionPart> {
    let configured = [
        ("include", mapping.include()),
        ("lifecycle.leaver.when", mapping.leaver()),
    ];
    let part = |option: &'static str, condition: &Condition| {
        let records = Records::Joined(joined);
        let (answer, why) = match condition.holds(records, moment) {
            Truth::True => (Some(true), None),
            Truth::False => (Some(false), None),
            Truth::Unknown(why) => (None, Some(why)),
        };
        ConditionPart {
            option,
            expression: condition.text().to_owned(),
            inputs: condition.values_read(records).into_iter().collect(),
            answer,
            value: None,
            why,
        }
    };
    let starts = mapping.starts().map(|starts| {
        let records = Records::Joined(joined);
        let (value, why) = match starts.day(records, moment) {
            FirstDay::On(day) => (Some(day.to_string()), None),
            FirstDay::Blank => (Some("blank, later than every date".to_owned()), None),
            FirstDay::Unknown(why) => (None, Some(why)),
        };
        ConditionPart {
            option: STARTS,
            expression: starts.text().to_owned(),
            inputs: starts.values_read(records).into_iter().collect(),
            answer: None,
            value,
            why,
        }
    });
    configured
        .into_iter()
        .filter_map(|(option, condition)| condition.map(|condition| part(option, condition)))
        .chain(starts)
        .collect()
}

impl<'a> Person<'a> {
    fn new(planned: &'a Planned, index: &'a CardIndex<'a>, subject: &'a Subject, kept: &Kept) -> Self {
        let plan = &planned.judged.plan;
        let is_them = |key: Option<&Key>, card: Option<&CardId>| {
            let by_key = key.is_some() && key == subject.key.as_ref();
            by_key || card.is_some() && card == subject.person_id.as_ref()
        };
        let mut items: Vec<ItemPart> = Vec::new();
        let view = planned.judged.view();
        let theirs: BTreeSet<&ItemId> = view
            .changes
            .iter()
            .filter(|change| is_them(change.key.as_ref(), change.person_id.as_ref()))
            // What they need first is theirs as well: the list entry that is made for them.
            .flat_map(|change| change.depends_on.iter().chain([&change.id]))
            .collect();
        for change in view.changes.iter().filter(|change| theirs.contains(&change.id)) {
            let waits = kept.holds.iter().find(|hold| hold.item.change.id == change.id);
            let passes = planned.judged.approved.changes().iter();
            let approved = passes.filter(|approved| approved.change().id == change.id);
            items.push(ItemPart {
                approved_by: approved
                    .filter_map(|approved| approved.approved_by())
                    .next()
                    .map(str::to_owned),
                since: waits.map(|hold| hold.item.since),
                change: change.clone(),
            });
        }
        let of_conflict = |conflict: &&Conflict| {
            is_them(Some(&conflict.key), None) || conflict.cards.iter().any(|card| is_them(None, Some(card)))
        };
        Person {
            planned,
            index,
            subject,
            items,
            conflicts: plan.conflicts.iter().filter(of_conflict).cloned().collect(),
            rejections: plan
                .rejections
                .iter()
                .filter(|rejection| is_them(rejection.key.as_ref(), None))
                .cloned()
                .collect(),
            skipped: plan
                .skipped
                .iter()
                .filter(|skip| is_them(skip.key.as_ref(), skip.card.as_ref()))
                .cloned()
                .collect(),
        }
    }

    fn input(&self) -> &PlanInput {
        &self.planned.input
    }

    fn card(&self) -> Option<&'a PersonCard> {
        let position = self.index.position(self.subject.person_id.as_ref()?)?;
        Some(&self.index.cards[position])
    }

    fn matching(&self) -> MatchingPart {
        let spec = &self.input().policy.key;
        MatchingPart {
            card_field: spec.card_field,
            normalise: spec.normalise.clone(),
            key: self.subject.key.clone(),
            cards_with_key: self.with_key(),
        }
    }

    fn with_key(&self) -> Vec<CardId> {
        let group = self
            .subject
            .key
            .as_ref()
            .map(|key| self.index.group(key))
            .unwrap_or_default();
        let cards = group.active.iter().chain(&group.archived);
        cards.map(|card| self.index.cards[*card].id.clone()).collect()
    }

    fn cards(&self, groups: &BTreeMap<OperatorId, OperatorGroups>) -> Vec<CardPart> {
        let mut related: BTreeMap<CardId, Relation> = BTreeMap::new();
        let mut add = |id: &CardId, relation: Relation| {
            let known = related.entry(id.clone()).or_insert(relation);
            *known = relation.min(*known);
        };
        let (known, _) = traces(self.planned, self.subject);
        known.iter().for_each(|card| add(card, Relation::Known));
        for card in self.items.iter().filter_map(|item| item.change.person_id.as_ref()) {
            add(card, Relation::Resembles);
        }
        self.with_key().iter().for_each(|card| add(card, Relation::SameKey));
        self.subject.person_id.iter().for_each(|card| add(card, Relation::Own));
        let mut cards: Vec<CardPart> = related
            .iter()
            .map(|(id, relation)| self.card_part(id, *relation, groups))
            .collect();
        cards.sort_by(|a, b| (a.relation, &a.person_id).cmp(&(b.relation, &b.person_id)));
        cards
    }

    fn card_part(&self, id: &CardId, relation: Relation, groups: &BTreeMap<OperatorId, OperatorGroups>) -> CardPart {
        let linked: Vec<OperatorCard> = {
            let operators = self.input().target.operators.iter();
            operators
                .filter(|one| one.linked_person.as_ref() == Some(id))
                .cloned()
                .collect()
        };
        let position = self.index.position(id);
        let card = position.map(|position| &self.index.cards[position]);
        let state = position.map(|position| self.index.state(position));
        let spec = &self.input().policy.key;
        let raw_key = card.and_then(|card| card.fields.text(spec.card_field));
        let key = raw_key.and_then(|raw| match spec.read(raw) {
            KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
            KeyReading::None | KeyReading::Anonymized => None,
        });
        let protected = &self.input().policy.protected;
        let shown = |text: &Option<Box<str>>| text.as_ref().map(ToString::to_string);
        CardPart {
            person_id: id.clone(),
            relation,
            read: card.is_some(),
            archived: card.is_some_and(|card| card.archived),
            raw_key: raw_key.map(str::to_owned),
            protected: protected.cards.contains(id) || key.as_ref().is_some_and(|key| protected.keys.contains(key)),
            key,
            anonymized: state == Some(&CardState::Anonymized),
            special: position.is_some_and(|position| self.index.is_special(position)),
            operator: position.map_or(OperatorLink::Unproven, |position| self.index.operator(position)),
            groups: linked
                .iter()
                .filter_map(|operator| Some((operator.id.clone(), groups.get(&operator.id)?.clone())))
                .collect(),
            operators: linked,
            creator: card.and_then(|card| shown(&card.creator)),
            modifier: card.and_then(|card| shown(&card.modifier)),
            modified_at: card.and_then(|card| card.modified_at),
            fields: card.map_or_else(BTreeMap::new, |card| {
                card.fields
                    .iter()
                    .map(|(field, value)| (field.name(), value.display()))
                    .collect()
            }),
        }
    }
}
