//! The way back: from what earlier runs wrote (the journal) and what TOPdesk shows now to a plan that restores what was
//! there before. Pure; it is judged and applied like every plan.
//!
//! ```text
//! archived      -> unarchive, while nobody has touched the card since
//! unarchived    -> archive
//! created       -> archive: the API deletes nobody
//! key written   -> the key is taken off, or the one before is put back; of two that were exchanged both go back or none
//! field changed -> its value before, where it still is as it was written
//! entry made    -> stays
//! ```
//!
//! What cannot be taken back is a value with a reason ([`Kept`]), and so is what is as it was already.

mod card;
mod exchanged;
mod fields;
mod kept;
pub mod run;

pub use kept::{Kept, WhyKept};

pub use crate::core::memory::deed::{Deed, Written};

use self::card::{OfCard, Turn};
use crate::core::input::PlanInput;
use crate::core::memory::apart::JudgedPeople;
use crate::core::memory::decision::StrangeWrites;
use crate::core::memory::pin::{Pin, Pinned};
use crate::core::model::ids::{CardId, ItemId, PlanId, RunId};
use crate::core::model::key::Key;
use crate::core::plan::{Action, Change, Plan, full_hash, short_hash};
use crate::core::planner::in_order;
use crate::core::reads::cards::CardIndex;
use crate::core::reads::quality::target_summary;
use std::collections::{BTreeMap, BTreeSet};

/// Which part of it is undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// This person only.
    pub only: Option<Key>,
    /// This action or budget class only.
    pub class: Option<String>,
}

/// Who undoes, in which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub by: String,
    pub run: RunId,
}

/// The way back.
#[derive(Clone, Debug)]
pub struct Undo {
    pub plan: Plan,
    /// What is not undone, and why.
    pub kept: Vec<Kept>,
    /// What each change pins once it is sent.
    pub pins: BTreeMap<ItemId, Vec<Pin>>,
}

/// The deeds that a part names.
pub fn part_of(deeds: Vec<Deed>, part: &Part) -> Vec<Deed> {
    let in_class = |deed: &Deed, class: &str| {
        deed.action.name() == class
            || deed.written.as_ref().is_some_and(|written| {
                let classes = written.change.classes();
                classes
                    .iter()
                    .map(ToString::to_string)
                    .any(|name| name == class || name.split(':').next() == Some(class))
            })
    };
    let of_person = |deed: &Deed, key: &Key| {
        let change = deed.written.as_ref().map(|written| &written.change);
        change.is_some_and(|change| change.keys().any(|of_change| of_change == key))
    };
    let wanted = |deed: &Deed| {
        part.class.as_ref().is_none_or(|class| in_class(deed, class))
            && part.only.as_ref().is_none_or(|key| of_person(deed, key))
    };
    deeds.into_iter().filter(wanted).collect()
}

/// Plans the way back from these deeds, oldest first. Pure.
pub fn undo(input: &PlanInput, deeds: &[Deed], author: &Author) -> Undo {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let mut kept = Vec::new();
    let mut cards: BTreeMap<CardId, Vec<(&Deed, &Written)>> = BTreeMap::new();
    for deed in deeds {
        match sort_out(input, deed) {
            Ok((card, written)) => cards.entry(card.clone()).or_default().push((deed, written)),
            Err(why) => kept.push(Kept::new(deed, None, why)),
        }
    }
    let partners = exchanged::partners(input, &cards);
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (card, deeds) in &cards {
        let of_card = OfCard {
            input,
            index: &index,
            partner: partners.get(card),
            deeds,
        };
        match of_card.turn(card) {
            Ok((turn, rest)) => {
                kept.extend(rest);
                turns.push(turn);
            }
            Err(why) => kept.extend(deeds.iter().map(|(deed, _)| Kept::new(deed, None, why.clone()))),
        }
    }
    let exchanges = exchanged::together(input, &index, &mut turns, (&cards, &partners), &mut kept);
    let order = fields::between_cards(input, &index, &mut turns, &mut kept);
    let mut changes: Vec<(Change, Vec<Pinned>)> = Vec::new();
    let mut made: Vec<card::Ids> = Vec::new();
    for turn in &turns {
        let (of_turn, ids) = turn.changes(input, &index);
        changes.extend(of_turn);
        made.push(ids);
    }
    let needs = order.needs(&made);
    let pin = |card: CardId, what: Pinned| Pin {
        card,
        what,
        by: author.by.clone(),
        at: input.moment.now,
        run: author.run.clone(),
    };
    let mut pins: BTreeMap<ItemId, Vec<Pin>> = BTreeMap::new();
    let mut list = Vec::new();
    for (mut change, pinned) in changes {
        change
            .depends_on
            .extend(needs.get(&change.id).into_iter().flatten().cloned());
        let card = change.card.clone().expect("the way back changes cards only");
        let pinned = pinned.into_iter().map(|what| pin(card.clone(), what));
        pins.insert(change.id.clone(), pinned.collect());
        list.push(change);
    }
    for (change, pinned) in exchanges {
        let pinned = pinned.into_iter().map(|(card, what)| pin(card, what));
        pins.insert(change.id.clone(), pinned.collect());
        list.push(change);
    }
    in_order(&mut list);
    kept.sort();
    kept.dedup();
    Undo {
        plan: plan_of(input, list),
        kept,
        pins,
    }
}

/// The card of a deed that may have a way back.
fn sort_out<'d>(input: &PlanInput, deed: &'d Deed) -> Result<(&'d CardId, &'d Written), WhyKept> {
    let mut begun = input.half_done.iter().filter_map(|half| half.begun.as_ref());
    if begun.any(|begun| begun.item == deed.item) {
        return Err(WhyKept::HalfWay);
    }
    let written = deed.written.as_ref().ok_or(WhyKept::Forgotten)?;
    if !deed.certain {
        return Err(WhyKept::InDoubt);
    }
    match &written.change.action {
        Action::CreateEntry { list, name } => Err(WhyKept::EntryStays {
            list: *list,
            name: name.clone(),
        }),
        Action::Anonymize { .. } => Err(WhyKept::Anonymized),
        Action::Merge { .. } => Err(WhyKept::Merged),
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Adopt { .. }
        | Action::Exchange { .. }
        | Action::Archive { .. }
        | Action::Unarchive { .. }
        | Action::SetReferences { .. } => {
            let card = deed.card.as_ref().or(written.change.card.as_ref());
            card.map(|card| (card, written)).ok_or(WhyKept::Forgotten)
        }
    }
}

fn plan_of(input: &PlanInput, changes: Vec<Change>) -> Plan {
    let ours: BTreeSet<&CardId> = input
        .ledger
        .values()
        .filter(|entry| entry.key.is_some())
        .map(|entry| &entry.card)
        .collect();
    let base = input
        .target
        .cards
        .iter()
        .filter(|card| !card.archived && ours.contains(&card.id))
        .count();
    let content =
        serde_json::to_vec(&("undo", &input.policy.config_hash, &changes)).expect("plain data always serialises");
    Plan {
        id: PlanId::new(format!("p-{}", short_hash(&content))),
        fingerprint: full_hash(&content),
        created_at: input.moment.now,
        config_hash: input.policy.config_hash.clone(),
        snapshots: vec![target_summary(&input.target)],
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
        undecided: BTreeSet::new(),
        retained: Vec::new(),
        strange_writes: StrangeWrites::default(),
        judged: JudgedPeople::default(),
        apart: input.contact.apart.clone(),
        halves: input.contact.halves.clone(),
    }
}
