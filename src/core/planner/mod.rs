//! Makes the plan: who is who, who stays, who leaves, and what changes (RULES 1 to 6). Judging it is the guard's work.
//!
//! ```text
//!                    no card                    active card            archived card
//! conflict           nothing                    nothing                nothing
//! out of scope       nothing                    nothing                nothing
//! stays              create, or held: drift,    update                 unarchive + update, if we archived it
//!                    adopt or create, a card
//!                    under another number
//! leaves             nothing                    archive                nothing
//! starts later       nothing                    update                 nothing
//! between contracts  nothing                    nothing                nothing
//! leaves later       nothing                    nothing                nothing
//! absent (ledger)    -                          archive, once mature   nothing
//! ```
//!
//! One pass over the sources finds who claims which card; a second makes the changes person by person; then come the
//! cards nobody claims, and at last what refers to other changes: managers and logins that are set free.

mod access;
mod apart;
mod contracts;
mod doubting;
mod exchanges;
mod fields;
mod finish;
mod learning;
mod leavers;
mod left_behind;
mod lists;
mod namesakes;
mod newcomers;
mod odd_keys;
mod operators;
mod orphans;
mod pairs;
mod people;
mod pins;
mod presence;
mod provenance;
mod rekey;
mod retention;
mod second_cards;
mod second_pass;
mod shields;
mod strangers;
mod twins;
mod work_left;

pub(crate) use finish::in_order;

use crate::core::input::PlanInput;
use crate::core::memory::apart::{Apart, JudgedPeople};
use crate::core::memory::asked::{Asked, mark_of};
use crate::core::memory::ledger::LedgerEntry;
use crate::core::memory::seen::RuledFields;
use crate::core::model::card::{OperatorLink, PersonCard};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{Describe, Description, Desired, LastDay, Wanted};
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::Anchor;
use crate::core::model::references::References;
use crate::core::model::signature::Signatures;
use crate::core::plan::{Action, Conflict, ConflictKind, Evidence, FieldChange, HoldReason, Plan, Skip, SkipReason};
use crate::core::reads::cards::{CardIndex, CardMatch, CardState, Likeness, LookAlikes};
use crate::core::reads::merge::{Member, Person, Population};
use crate::core::reads::snapshot::{Rejection, Use, Verdict};
use crate::core::rules::retention::Retained;
use std::collections::{BTreeMap, BTreeSet};

/// A change before references to other changes are known, and so before its id.
#[derive(Clone, Debug)]
struct Draft {
    action: Action,
    key: Option<Key>,
    raw_key: Option<RawKey>,
    /// Index of the card.
    card: Option<usize>,
    operator: OperatorLink,
    evidence: Vec<Evidence>,
    doubts: Vec<HoldReason>,
    why: Vec<String>,
    anchors: Vec<Anchor>,
    /// Other drafts that must be done first.
    after: Vec<usize>,
    /// Drafts that look like the other half of this one: the same human under another key.
    pairs: Vec<usize>,
    /// Fields whose old value was entered in TOPdesk.
    overwrites: BTreeSet<CardField>,
    /// A create without the access that follows on the first working day.
    access_later: bool,
    /// The draft that stands for this one and its other half.
    half_of: Option<usize>,
}

impl Draft {
    fn new(action: Action, key: Option<Key>, card: Option<usize>, operator: OperatorLink) -> Self {
        Self {
            action,
            key,
            raw_key: None,
            card,
            operator,
            evidence: Vec::new(),
            doubts: Vec::new(),
            why: Vec::new(),
            anchors: Vec::new(),
            after: Vec::new(),
            pairs: Vec::new(),
            overwrites: BTreeSet::new(),
            access_later: false,
            half_of: None,
        }
    }

    /// An update that lost its only field to the second pass is no change any more.
    fn is_empty(&self) -> bool {
        matches!(&self.action, Action::Update { fields } if fields.is_empty())
    }
}

/// A manager who has no card yet, or whose card needs the manager flag first.
#[derive(Debug)]
struct ManagerWish {
    /// The person's own draft, if there is one (a create must be).
    draft: Option<usize>,
    card: Option<usize>,
    key: Key,
    manager: Key,
    from: Option<FieldValue>,
    /// What holds every change of this person.
    doubts: Vec<HoldReason>,
    /// What every change of this person needs first.
    after: Vec<usize>,
}

struct Planner<'a> {
    input: &'a PlanInput,
    describe: &'a dyn Describe,
    index: CardIndex<'a>,
    population: &'a Population<'a>,
    references: References<'a>,
    ruled: RuledFields,
    /// The ledger's entry of each card.
    known: Vec<Option<&'a LedgerEntry>>,
    /// The names under which our own writes stand.
    signatures: Signatures,
    memory: Memory<'a>,
    looks: odd_keys::Looks,
    /// How far the sources have come among the keys of the cards.
    cursor: usize,
    /// Cards whose key the sources name.
    claimed: Vec<bool>,
    /// Cards that may turn out to be a newcomer's: nobody's, and those of people who leave.
    searchable: Vec<bool>,
    look_alikes: LookAlikes,
    /// Cards without a key and with an operator that look like a card with a key and without one: the twins of each.
    twins: BTreeMap<usize, BTreeMap<usize, BTreeSet<CardField>>>,
    /// Cards of people who stay or return, and about whom there is no doubt.
    stays: Vec<bool>,
    drafts: Vec<Draft>,
    manager_wishes: Vec<ManagerWish>,
    conflicts: Vec<Conflict>,
    rejections: Vec<Rejection>,
    skipped: Vec<Skip>,
    learned: BTreeMap<CardId, LedgerEntry>,
    counting_absent: BTreeSet<CardId>,
    undecided: BTreeSet<CardId>,
    /// People without a card of whom none is made, with what is the matter with their record.
    blocked: BTreeMap<Key, &'static str>,
    /// By card: who may be its person under a new number.
    rekeys: BTreeMap<usize, Vec<rekey::Rekey>>,
    /// Who has a card or is to get one, by name; empty where nobody is new.
    names_taken: second_cards::NamesTaken,
    /// Everybody of the sources, to see whose a card is that shows nothing of whose number it has.
    everybody: strangers::Everybody,
    /// Cards that bear somebody else's number.
    strangers: BTreeMap<usize, exchanges::Stranger>,
    /// By archived card: the last day of a leaver whom a source still lists.
    last_days: BTreeMap<usize, LastDay>,
    /// Everybody whose card cardsync archived, where anonymization is configured.
    retained: Vec<Retained>,
    /// Of how many people it is known whether they leave.
    judged: JudgedPeople,
    /// People without an active card who leave or are out of scope.
    apart: Apart,
    /// People without a card of whom their records say whether they leave.
    told_by_records: BTreeSet<Key>,
    /// People of whom every contract has ended, long enough.
    left: Vec<contracts::Left>,
    /// Active cards that are ours.
    base: u64,
}

/// Makes the plan. Pure: the same input gives the same bytes.
pub fn plan(input: &PlanInput, describe: &dyn Describe) -> Plan {
    let doubting = doubting::Doubting {
        inner: describe,
        clock: &input.clock,
    };
    let describe: &dyn Describe = if input.clock.is_trusted() { describe } else { &doubting };
    let population = Population::new(&input.snapshots, &input.policy.same_people);
    let index = CardIndex::build(&input.target, &input.policy.key);
    let references = References::new(&input.target.lookups, &input.snapshots, describe.managers_by_dn());
    let known = known_cards(&index, &input.ledger);
    let claimed = index.claimed_by(&population.keys());
    let cards = index.cards.len();
    let mut planner = Planner {
        input,
        describe,
        index,
        population: &population,
        references,
        ruled: RuledFields::of(&input.policy.fields, input.policy.key.card_field),
        known,
        signatures: Signatures::of(input),
        memory: Memory::default(),
        looks: odd_keys::Looks::default(),
        everybody: strangers::Everybody::default(),
        cursor: 0,
        claimed,
        searchable: vec![false; cards],
        look_alikes: LookAlikes::default(),
        twins: BTreeMap::new(),
        stays: vec![false; cards],
        drafts: Vec::new(),
        manager_wishes: Vec::new(),
        conflicts: Vec::new(),
        rejections: input
            .snapshots
            .iter()
            .flat_map(|snapshot| snapshot.rejections.clone())
            .collect(),
        skipped: Vec::new(),
        learned: BTreeMap::new(),
        counting_absent: BTreeSet::new(),
        undecided: BTreeSet::new(),
        blocked: BTreeMap::new(),
        rekeys: BTreeMap::new(),
        names_taken: second_cards::NamesTaken::default(),
        strangers: BTreeMap::new(),
        last_days: BTreeMap::new(),
        retained: Vec::new(),
        judged: JudgedPeople::default(),
        apart: Apart::default(),
        told_by_records: BTreeSet::new(),
        left: Vec::new(),
        base: 0,
    };
    planner.find_unclaimed();
    planner.find_twins();
    let mut newcomers = Vec::new();
    for member in population.members() {
        match member {
            Member::Person(person) => {
                if planner.person(&person) == Place::Newcomer {
                    newcomers.push(person);
                }
            }
            Member::Conflict(mut conflict) => {
                conflict.cards = planner.cards_with(&conflict.key);
                planner.untouched(&conflict.key);
                planner.conflicts.push(conflict);
            }
            Member::Rejected(key) => planner.untouched(key),
            Member::Skipped(key) => planner.skipped_record(key),
        }
    }
    planner.exchanges();
    if !newcomers.is_empty() {
        planner.memory = Memory::of(&input.ledger);
        planner.looks = odd_keys::Looks::of(&planner);
        planner.names_taken = second_cards::NamesTaken::of(&planner);
    }
    // Only now it is known whose cards are about to be archived.
    for person in newcomers {
        planner.unpaired(&person);
    }
    planner.leavers_asked_before();
    planner.lists_without_cards();
    planner.orphans();
    planner.pair_up();
    planner.pairs_asked_before();
    planner.join_halves();
    planner.hold_mass_return();
    let strange = planner.strange_writes();
    planner.retention(&strange);
    planner.left_behind();
    planner.hold_for_strange_writes(&strange);
    planner.count_base();
    planner.finish(&strange)
}

/// The ledger's entry of each card: one walk over both, which are sorted alike.
fn known_cards<'a>(index: &CardIndex<'a>, ledger: &'a BTreeMap<CardId, LedgerEntry>) -> Vec<Option<&'a LedgerEntry>> {
    let mut entries = ledger.iter().peekable();
    let of_card = |card: &PersonCard| {
        while entries.next_if(|(id, _)| **id < card.id).is_some() {}
        entries.next_if(|(id, _)| **id == card.id).map(|(_, entry)| entry)
    };
    index.cards.iter().map(of_card).collect()
}

/// What the ledger remembers of people without a card that has their key; needed only where there are such people.
#[derive(Default)]
struct Memory<'a> {
    by_key: BTreeMap<&'a Key, &'a LedgerEntry>,
    by_anchor: BTreeMap<&'a Anchor, &'a LedgerEntry>,
}

impl<'a> Memory<'a> {
    fn of(ledger: &'a BTreeMap<CardId, LedgerEntry>) -> Self {
        let mut memory = Memory::default();
        for entry in ledger.values() {
            for key in entry.former_keys.iter().chain(&entry.key) {
                // The card that has the key now wins over one that had it once.
                let current = entry.key.as_ref() == Some(key);
                if current || !memory.by_key.contains_key(key) {
                    memory.by_key.insert(key, entry);
                }
            }
            for anchor in &entry.anchors {
                memory.by_anchor.insert(anchor, entry);
            }
        }
        memory
    }
}

/// Where a person of the sources was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Done,
    /// In scope, and without a card.
    Newcomer,
}

impl<'a> Planner<'a> {
    /// The cards that nobody's key claims can be searched for look-alikes. Special and protected ones too: they are
    /// never touched, but a second card beside them would be an accident all the same.
    fn find_unclaimed(&mut self) {
        for card in 0..self.index.cards.len() {
            if !self.claimed[card] {
                self.make_searchable(card);
            }
        }
    }

    fn make_searchable(&mut self, card: usize) {
        if *self.index.state(card) != CardState::Anonymized {
            self.searchable[card] = true;
            self.look_alikes.add(card, &Likeness::of_card(&self.index.cards[card]));
        }
    }

    fn cards_with(&self, key: &Key) -> Vec<CardId> {
        let group = self.index.group(key);
        self.ids(group.active.iter().chain(&group.archived))
    }

    fn ids<'b>(&self, cards: impl Iterator<Item = &'b usize>) -> Vec<CardId> {
        let mut ids: Vec<CardId> = cards.map(|card| self.index.cards[*card].id.clone()).collect();
        ids.sort();
        ids
    }

    fn skip(&mut self, reason: SkipReason, key: Option<&Key>, card: Option<usize>, detail: impl Into<String>) {
        let card = card.map(|card| self.index.cards[card].id.clone());
        self.skipped.push(Skip {
            reason,
            key: key.cloned(),
            card,
            detail: detail.into(),
            mark: String::new(),
        });
    }

    /// The same of what was asked of somebody's records: with other values behind it, it is another question.
    fn skip_asking(
        &mut self,
        reason: SkipReason,
        (asked, person): (Asked, &Person<'_>),
        card: Option<usize>,
        detail: impl Into<String>,
    ) {
        self.skip(reason, Some(person.key), card, detail);
        self.last_goes_by(mark_of(self.describe.behind(asked, &person.joined)));
    }

    /// What the question that was put last goes by.
    fn last_goes_by(&mut self, mark: String) {
        if let Some(last) = self.skipped.last_mut() {
            last.mark = mark;
        }
    }

    fn is_protected(&self, key: Option<&Key>, card: Option<usize>) -> bool {
        let protected = &self.input.policy.protected;
        key.is_some_and(|key| protected.keys.contains(key))
            || card.is_some_and(|card| {
                let by_key = match self.index.state(card) {
                    CardState::Keyed(key) => protected.keys.contains(key),
                    CardState::Keyless | CardState::Anonymized => false,
                };
                by_key || protected.cards.contains(&self.index.cards[card].id)
            })
    }

    /// The doubt that a degraded read of TOPdesk casts on such a change.
    fn target_doubt(&self, what: Use) -> Option<HoldReason> {
        match &self.input.target.verdict {
            Verdict::Complete => None,
            Verdict::Degraded { cannot } => cannot.contains(&what).then_some(HoldReason::TargetDegraded),
            Verdict::Rejected => Some(HoldReason::TargetDegraded),
        }
    }

    fn draft(&mut self, draft: Draft) -> usize {
        self.drafts.push(draft);
        self.drafts.len() - 1
    }

    fn count_base(&mut self) {
        let cards = self.index.cards.iter().enumerate();
        let ours = cards.filter(|(card, stored)| {
            let known = || self.learned.get(&stored.id).or(self.known[*card]);
            !stored.archived && known().is_some_and(|entry| entry.key.is_some())
        });
        self.base = ours.count() as u64;
    }
}

/// The text that a field should hold, where the sources say.
fn wanted_text(description: &Description, field: CardField) -> Option<&str> {
    match description.fields.get(&field) {
        Some(Desired::Set(Wanted::Value(FieldValue::Text(text)))) => Some(text),
        Some(Desired::Set(_) | Desired::Clear | Desired::Unknown(_)) | None => None,
    }
}

/// The text value a create or update sets for a field.
fn text_of(fields: &[FieldChange], field: CardField) -> Option<&str> {
    fields
        .iter()
        .find(|change| change.field == field)
        .and_then(|change| match &change.to {
            Some(FieldValue::Text(text)) => Some(&**text),
            Some(FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) | FieldValue::Reference(_))
            | None => None,
        })
}

fn conflict_of(matching: &CardMatch) -> Option<(ConflictKind, &[usize])> {
    match matching {
        CardMatch::TwoActive(cards) => Some((ConflictKind::TwoActiveCards, cards)),
        CardMatch::SeveralArchived(cards) => Some((ConflictKind::SeveralArchivedCards, cards)),
        CardMatch::None | CardMatch::One { .. } => None,
    }
}
