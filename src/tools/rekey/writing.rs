//! From pairs that somebody approved to a plan of adopt items. Each writes the key and nothing else: what the sources say beside
//! it comes with the next run, under its own limits.

use super::pairing::{Exchange, Pair, Pairing, Row, SourcePerson};
use crate::core::input::PlanInput;
use crate::core::likeness::marks::Mark;
use crate::core::memory::apart::JudgedPeople;
use crate::core::memory::decision::StrangeWrites;
use crate::core::memory::pin::Pin;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::{CardId, ItemId, PlanId};
use crate::core::model::key::Key;
use crate::core::plan::exchange::{Side, exchange};
use crate::core::plan::{Action, Change, FieldChange, HoldReason, Plan, full_hash, item_id, short_hash};
use crate::core::planner::in_order;
use crate::core::reads::cards::CardIndex;
use crate::core::reads::quality::target_summary;
use crate::core::reads::snapshot::{Use, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// A card that is to get a key, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub card: CardId,
    pub key: Key,
    /// Whose pair it is.
    pub by: ChosenBy,
}

/// Whose pair it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// As it was graded.
    Grade,
    /// A human named the person.
    Human,
}

/// Plans the keys of these cards. What is not in the pairing any more is left out. Pure.
pub fn adoptions(input: &PlanInput, pairing: &Pairing, chosen: &[Chosen]) -> Plan {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let mut changes: Vec<Change> = Vec::new();
    let rows: BTreeMap<&CardId, &Row> = pairing.rows.iter().map(|row| (&row.card, row)).collect();
    for one in chosen {
        let Some(person) = pairing.people.get(&one.key) else {
            continue;
        };
        let Some(card) = index.position(&one.card) else {
            continue;
        };
        let Some(row) = rows.get(&one.card) else {
            continue;
        };
        let pair = row.pair().filter(|pair| pair.key == one.key);
        match pair.and_then(|pair| pair.exchange.as_ref()) {
            Some(other) => changes.extend(both_numbers(input, pairing, &index, card, person, other)),
            None => changes.push(adoption(input, &index, card, pair, person, one)),
        }
    }
    in_order(&mut changes);
    plan_of(input, changes)
}

/// Two cards that have each other's number: one item.
fn both_numbers(
    input: &PlanInput,
    pairing: &Pairing,
    index: &CardIndex<'_>,
    card: usize,
    person: &SourcePerson,
    other: &Exchange,
) -> Option<Change> {
    let their_card = index.position(&other.card)?;
    let their_person = pairing.people.get(&other.key)?;
    let side = |card: usize, key: &Key, person: &SourcePerson| Side {
        card,
        key: key.clone(),
        to: FieldValue::Text(person.raw_key.to_write().into()),
    };
    let key = pairing
        .rows
        .iter()
        .find(|row| row.card == index.cards[card].id)?
        .pair()?;
    let sides = [side(card, &key.key, person), side(their_card, &other.key, their_person)];
    let (action, first) = exchange(input, index, sides);
    let whose = if first.card == card { person } else { their_person };
    let stored = &index.cards[first.card];
    let mut doubts = vec![HoldReason::ExchangedNumbers];
    doubts.extend(target_doubt(input));
    if [&key.key, &other.key].iter().any(|key| input.in_doubt.contains(*key)) {
        doubts.push(HoldReason::InDoubt);
    }
    let mut change = Change {
        id: ItemId::new(""),
        key: Some(first.key.clone()),
        raw_key: Some(whose.raw_key.clone()),
        card: Some(stored.id.clone()),
        operator: index.operator(first.card),
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts,
        why: vec!["two numbers that were exchanged".to_owned()],
        anchors: whose.anchors.clone(),
        overwrites: BTreeSet::new(),
        access_later: false,
        seen_in: input.sources_of(&first.key),
        action,
    };
    let pinned = input
        .pins
        .iter()
        .find(|pin| change.cards().contains(&&pin.card) && pin.holds_action(&change.action, change.key.as_ref(), &[]));
    change.doubts.extend(pinned.map(Pin::reason));
    change.id = item_id(&change);
    Some(change)
}

fn target_doubt(input: &PlanInput) -> Option<HoldReason> {
    let degraded = match &input.target.verdict {
        Verdict::Complete => false,
        Verdict::Degraded { cannot } => cannot.contains(&Use::Adopt),
        Verdict::Rejected => true,
    };
    degraded.then_some(HoldReason::TargetDegraded)
}

fn adoption(
    input: &PlanInput,
    index: &CardIndex<'_>,
    card: usize,
    pair: Option<&Pair>,
    person: &SourcePerson,
    one: &Chosen,
) -> Change {
    let field = input.policy.key.card_field;
    let stored = &index.cards[card];
    let agree: BTreeSet<CardField> = pair
        .iter()
        .flat_map(|pair| {
            pair.agreement
                .same
                .iter()
                .map(|mark| (*mark, pair.agreement.full_name()))
        })
        .filter_map(|(mark, full_name)| field_of(mark, full_name, input.policy.birth_date))
        .collect();
    let mut doubts = vec![HoldReason::AdoptOrCreate {
        cards: vec![stored.id.clone()],
        agree,
    }];
    doubts.extend(target_doubt(input));
    if input.in_doubt.contains(&one.key) {
        doubts.push(HoldReason::InDoubt);
    }
    let action = Action::Adopt {
        fields: vec![FieldChange {
            field,
            from: stored.fields.get(field).cloned(),
            to: Some(FieldValue::Text(person.raw_key.to_write().into())),
        }],
    };
    let pins = input.pins.iter().filter(|pin| pin.card == stored.id);
    doubts.extend(
        pins.filter(|pin| pin.holds_action(&action, Some(&one.key), &[]))
            .map(|pin| pin.reason()),
    );
    let why = match (one.by, pair) {
        (ChosenBy::Grade, Some(pair)) => {
            let same: Vec<&str> = pair.agreement.same.iter().map(|mark| mark.name()).collect();
            format!("paired, {}: same {}", pair.grade, same.join(", "))
        }
        (ChosenBy::Human, _) | (_, None) => "paired by hand".to_owned(),
    };
    let mut change = Change {
        id: ItemId::new(""),
        action,
        key: Some(one.key.clone()),
        raw_key: Some(person.raw_key.clone()),
        card: Some(stored.id.clone()),
        operator: index.operator(card),
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts,
        why: vec![why],
        anchors: person.anchors.clone(),
        overwrites: BTreeSet::new(),
        access_later: false,
        seen_in: input.sources_of(&one.key),
    };
    change.id = item_id(&change);
    change
}

/// The card field that a hold names for what agrees; the surname stands for the whole name.
fn field_of(mark: Mark, full_name: bool, birth_date: Option<CardField>) -> Option<CardField> {
    match mark {
        Mark::Email => Some(CardField::Email),
        Mark::Login => Some(CardField::TasLoginName),
        Mark::SurName => full_name.then_some(CardField::SurName),
        Mark::Phone => Some(CardField::PhoneNumber),
        Mark::BirthDate => birth_date,
        Mark::FirstName | Mark::Date | Mark::Number | Mark::DirectoryId | Mark::OwnField => None,
    }
}

fn plan_of(input: &PlanInput, changes: Vec<Change>) -> Plan {
    let ours: BTreeSet<&CardId> = input
        .ledger
        .values()
        .filter(|entry| entry.key.is_some())
        .map(|entry| &entry.card)
        .collect();
    let active = input.target.cards.iter().filter(|card| !card.archived);
    let base = active.filter(|card| ours.contains(&card.id)).count();
    let content =
        serde_json::to_vec(&("rekey", &input.policy.config_hash, &changes)).expect("plain data always serialises");
    let snapshots = input.snapshots.iter().map(|snapshot| snapshot.summary.clone());
    Plan {
        id: PlanId::new(format!("p-{}", short_hash(&content))),
        fingerprint: full_hash(&content),
        created_at: input.moment.now,
        config_hash: input.policy.config_hash.clone(),
        snapshots: snapshots.chain([target_summary(&input.target)]).collect(),
        clock: input.clock.doubts.clone(),
        changes,
        conflicts: Vec::new(),
        rejections: Vec::new(),
        skipped: Vec::new(),
        ledger: Vec::new(),
        base: base as u64,
        foreign_cards: 0,
        full_look: false,
        counting_absent: BTreeSet::new(),
        retained: Vec::new(),
        undecided: BTreeSet::new(),
        strange_writes: StrangeWrites::default(),
        judged: JudgedPeople::default(),
        apart: input.contact.apart.clone(),
        halves: input.contact.halves.clone(),
    }
}
