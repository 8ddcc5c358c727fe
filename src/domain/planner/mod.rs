//! Makes the plan: who is who, who stays, who leaves, and what changes (RULES 1 to 6). Judging it is the guard's work.
//!
//! ```text
//!                    no card                    active card            archived card
//! conflict           nothing                    nothing                nothing
//! out of scope       nothing                    nothing                nothing
//! stays              create, or held: drift,    update                 unarchive + update, if we archived it
//!                    adopt or create
//! leaves             nothing                    archive                nothing
//! leaves later       nothing                    nothing                nothing
//! absent (ledger)    -                          archive, once mature   nothing
//! ```
//!
//! One pass over the sources finds who claims which card; a second makes the changes person by person; then come the
//! cards nobody claims, and at last what refers to other changes: managers and logins that are set free.

mod newcomers;
mod orphans;
mod people;
mod second_pass;

use super::card::OperatorLink;
use super::cards::{CardIndex, CardMatch, CardState, Likeness, LookAlikes};
use super::field::{CardField, FieldValue};
use super::identity::Describe;
use super::ids::{CardId, ItemId, PlanId};
use super::input::PlanInput;
use super::key::{Key, RawKey};
use super::ledger::LedgerEntry;
use super::merge::{Member, Population};
use super::plan::{
    Action, Change, Conflict, ConflictKind, Evidence, FieldChange, HoldReason, Plan, Skip, SkipReason, full_hash,
    item_id, short_hash,
};
use super::quality::target_summary;
use super::record::Anchor;
use super::references::References;
use super::snapshot::{Rejection, Role, Use, Verdict};
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
}

struct Planner<'a> {
    input: &'a PlanInput,
    describe: &'a dyn Describe,
    index: CardIndex<'a>,
    population: &'a Population<'a>,
    references: References<'a>,
    ledger_by_key: BTreeMap<&'a Key, &'a LedgerEntry>,
    ledger_by_anchor: BTreeMap<&'a Anchor, &'a LedgerEntry>,
    claimed: Vec<bool>,
    look_alikes: LookAlikes,
    drafts: Vec<Draft>,
    manager_wishes: Vec<ManagerWish>,
    conflicts: Vec<Conflict>,
    rejections: Vec<Rejection>,
    skipped: Vec<Skip>,
    learned: BTreeMap<CardId, LedgerEntry>,
    counting_absent: BTreeSet<CardId>,
    /// Active cards that are ours.
    base: u64,
}

/// Makes the plan. Pure: the same input gives the same bytes.
pub fn plan(input: &PlanInput, describe: &dyn Describe) -> Plan {
    let population = Population::new(&input.snapshots, &input.policy.same_people);
    let index = CardIndex::build(&input.target, &input.policy.key);
    let references = References::new(&input.target.lookups, &input.snapshots, describe.managers_by_dn());
    let mut ledger_by_key = BTreeMap::new();
    let mut ledger_by_anchor = BTreeMap::new();
    for entry in input.ledger.values() {
        for key in entry.former_keys.iter().chain(&entry.key) {
            // The card that has the key now wins over one that had it once.
            let current = entry.key.as_ref() == Some(key);
            if current || !ledger_by_key.contains_key(key) {
                ledger_by_key.insert(key, entry);
            }
        }
        for anchor in &entry.anchors {
            ledger_by_anchor.insert(anchor, entry);
        }
    }
    let claimed = vec![false; index.cards.len()];
    let mut planner = Planner {
        input,
        describe,
        index,
        population: &population,
        references,
        ledger_by_key,
        ledger_by_anchor,
        claimed,
        look_alikes: LookAlikes::default(),
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
        base: 0,
    };
    planner.claim_cards();
    for member in population.members() {
        match member {
            Member::Person(person) => planner.person(&person),
            Member::Conflict(mut conflict) => {
                let group = planner.index.group(&conflict.key);
                conflict.cards = planner.ids(group.active.iter().chain(&group.archived));
                planner.still_present(&conflict.key.clone());
                planner.conflicts.push(conflict);
            }
            Member::Rejected(key) => planner.still_present(key),
        }
    }
    planner.orphans();
    planner.count_base();
    planner.finish()
}

impl<'a> Planner<'a> {
    /// First pass: which cards are claimed by a key of the sources, so that the others can be searched for look-alikes.
    fn claim_cards(&mut self) {
        for member in self.population.members() {
            let key = match &member {
                Member::Person(person) => person.key,
                Member::Conflict(conflict) => &conflict.key,
                Member::Rejected(key) => *key,
            };
            let group = self.index.group(key);
            for card in group.active.iter().chain(&group.archived) {
                self.claimed[*card] = true;
            }
        }
        for (position, card) in self.index.cards.iter().enumerate() {
            let searchable = !self.claimed[position]
                && !self.index.is_special(position)
                && *self.index.state(position) != CardState::Anonymized;
            if searchable {
                self.look_alikes.add(position, &Likeness::of_card(card));
            }
        }
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
        });
    }

    /// A key that must not be touched in this run but whose person is there: absence starts anew.
    fn still_present(&mut self, key: &Key) {
        let CardMatch::One { card, .. } = self.index.matching(key) else {
            return;
        };
        let id = &self.index.cards[card].id;
        let Some(entry) = self.input.ledger.get(id) else { return };
        if entry.sightings.values().any(|sighting| sighting.absent.is_some()) {
            let mut entry = entry.clone();
            for sighting in entry.sightings.values_mut() {
                sighting.absent = None;
            }
            self.learned.insert(id.clone(), entry);
        }
    }

    fn is_protected(&self, key: Option<&Key>, card: Option<usize>) -> bool {
        let protected = &self.input.policy.protected;
        key.is_some_and(|key| protected.keys.contains(key))
            || card.is_some_and(|card| protected.cards.contains(&self.index.cards[card].id))
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
        let input = self.input;
        self.base = self
            .index
            .cards
            .iter()
            .filter(|card| !card.archived)
            .filter(|card| {
                let known = self.learned.get(&card.id).or_else(|| input.ledger.get(&card.id));
                known.is_some_and(|entry| entry.key.is_some())
            })
            .count() as u64;
    }

    fn finish(mut self) -> Plan {
        let drafts = second_pass::resolve(&mut self);
        let foreign_cards = (0..self.index.cards.len())
            .filter(|card| {
                let id = &self.index.cards[*card].id;
                !self.claimed[*card] && !self.input.ledger.contains_key(id)
            })
            .count() as u64;
        let mut changes = self.identify(drafts);
        let references = std::mem::replace(
            &mut self.references,
            References::new(&self.input.target.lookups, &[], false),
        );
        let needed: BTreeSet<ItemId> = changes
            .iter()
            .flat_map(|change| change.depends_on.iter().cloned())
            .collect();
        // An entry that only a dropped field wanted is not made.
        changes.extend(
            references
                .into_new_entries()
                .into_iter()
                .filter(|entry| needed.contains(&entry.id)),
        );
        changes.sort_by(|a, b| {
            let order = |change: &Change| {
                (
                    change.action.kind(),
                    change.key.clone(),
                    change.card.clone(),
                    change.id.clone(),
                )
            };
            order(a).cmp(&order(b))
        });
        self.conflicts.sort();
        self.rejections.sort();
        self.rejections.dedup();
        self.skipped.sort();
        self.skipped.dedup();
        let full_look = self.input.target.verdict == Verdict::Complete
            && self.input.snapshots.iter().all(|snapshot| {
                snapshot.summary.role == Some(Role::Enrich) && !snapshot.is_rejected() || snapshot.can_say_absent()
            });
        let content = serde_json::to_vec(&(
            &self.input.policy.config_hash,
            &changes,
            &self.conflicts,
            &self.rejections,
            &self.skipped,
        ))
        .expect("plain data always serialises");
        Plan {
            id: PlanId::new(format!("p-{}", short_hash(&content))),
            fingerprint: full_hash(&content),
            created_at: self.input.moment.now,
            config_hash: self.input.policy.config_hash.clone(),
            snapshots: self
                .input
                .snapshots
                .iter()
                .map(|snapshot| snapshot.summary.clone())
                .chain([target_summary(&self.input.target)])
                .collect(),
            changes,
            conflicts: self.conflicts,
            rejections: self.rejections,
            skipped: self.skipped,
            ledger: self.learned.into_values().collect(),
            base: self.base,
            foreign_cards,
            full_look,
            counting_absent: self.counting_absent,
        }
    }

    /// Gives every draft its id: those it depends on first.
    fn identify(&self, drafts: Vec<Draft>) -> Vec<Change> {
        let mut ids: BTreeMap<usize, ItemId> = BTreeMap::new();
        let mut changes: BTreeMap<usize, Change> = BTreeMap::new();
        let mut open: Vec<usize> = (0..drafts.len()).collect();
        while !open.is_empty() {
            let before = open.len();
            open.retain(|number| {
                let draft = &drafts[*number];
                if draft.after.iter().any(|other| !ids.contains_key(other)) {
                    return true;
                }
                let change = self.identify_one(draft, &ids);
                ids.insert(*number, change.id.clone());
                changes.insert(*number, change);
                false
            });
            assert!(
                open.len() < before,
                "changes of a plan never wait for each other in a circle"
            );
        }
        changes.into_values().collect()
    }

    fn identify_one(&self, draft: &Draft, ids: &BTreeMap<usize, ItemId>) -> Change {
        let mut action = draft.action.clone();
        second_pass::fill_pending(&mut action, ids);
        let mut depends_on: Vec<ItemId> = draft.after.iter().map(|other| ids[other].clone()).collect();
        for field in action.fields() {
            if let Some(FieldValue::Reference(super::field::Reference::Pending(pending))) = &field.to
                && !depends_on.contains(&pending.item)
            {
                depends_on.push(pending.item.clone());
            }
        }
        let mut change = Change {
            id: ItemId::new(""),
            action,
            key: draft.key.clone(),
            raw_key: draft.raw_key.clone(),
            card: draft.card.map(|card| self.index.cards[card].id.clone()),
            operator: draft.operator.clone(),
            evidence: draft.evidence.clone(),
            depends_on,
            doubts: draft.doubts.clone(),
            why: draft.why.clone(),
            anchors: draft.anchors.clone(),
        };
        change.id = item_id(&change);
        for doubt in &mut change.doubts {
            if let HoldReason::PairedWith { item } = doubt
                && let Ok(number) = item.as_str().parse::<usize>()
            {
                *item = ids.get(&number).cloned().unwrap_or_else(|| item.clone());
            }
        }
        change
    }
}

/// Whether the surname or first name of two people both differ, as far as both are known.
fn names_differ(
    wanted: &Likeness,
    card: &Likeness,
    wanted_sur: Option<&str>,
    card_sur: Option<&str>,
    firsts: (Option<&str>, Option<&str>),
) -> bool {
    let differ = |a: Option<&str>, b: Option<&str>| match (a, b) {
        (Some(a), Some(b)) => super::cards::fold(a) != super::cards::fold(b),
        (_, _) => false,
    };
    // A full name on both sides is the usual case; the parts are compared so that one missing part is no difference.
    wanted.full_name != card.full_name && differ(wanted_sur, card_sur) && differ(firsts.0, firsts.1)
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
