//! From drafts to a plan: ids, order, and what is summed up over all of it.

use super::{Draft, Planner, provenance, second_pass};
use crate::core::model::field::{FieldValue, Reference};
use crate::core::model::ids::{ItemId, PlanId};
use crate::core::model::installation::KnownInstallation;
use crate::core::plan::{ActionKind, Change, HoldReason, Plan, full_hash, item_id, short_hash};
use crate::core::reads::quality::target_summary;
use crate::core::reads::snapshot::{Effect, Finding, Role, Verdict};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

impl Planner<'_> {
    pub(super) fn finish(mut self, strange: &provenance::Found) -> Plan {
        let mut drafts = second_pass::resolve(&mut self);
        self.work_left(&mut drafts);
        self.pin(&mut drafts);
        let foreign_cards = (0..self.index.cards.len())
            .filter(|card| !self.claimed[*card] && self.known[*card].is_none())
            .count() as u64;
        let mut changes = self.identify(&drafts);
        // An entry that only a dropped field wanted is not made.
        let needed: BTreeSet<ItemId> = changes
            .iter()
            .flat_map(|change| change.depends_on.iter().cloned())
            .collect();
        let entries = self.references.take_new_entries();
        changes.extend(entries.into_iter().filter(|entry| needed.contains(&entry.id)));
        in_order(&mut changes);
        self.conflicts.sort();
        self.conflicts.dedup();
        self.rejections.sort();
        self.rejections.dedup();
        self.skipped.sort();
        self.skipped.dedup();
        let full_look = self.input.clock.is_trusted()
            && self.input.target.verdict == Verdict::Complete
            && self.input.snapshots.iter().all(|snapshot| {
                snapshot.summary.role == Some(Role::Enrich) && !snapshot.is_rejected() || snapshot.can_say_absent()
            });
        let halves = self.halves_after(&changes, full_look);
        let apart = self.apart_after(full_look);
        let content = serde_json::to_vec(&(
            &self.input.policy.config_hash,
            &changes,
            &self.conflicts,
            &self.rejections,
            &self.skipped,
        ))
        .expect("plain data always serialises");
        let snapshots = self.input.snapshots.iter();
        let mut target = target_summary(&self.input.target);
        provenance::tell(strange, &mut target);
        let installation = self.input.contact.installation.as_ref();
        if let Some(change) = KnownInstallation::change(installation, &self.input.target.installation) {
            let cure = "archives and unarchives of cards with an operator wait once: look at them again";
            target
                .findings
                .push(Finding::new("installation_changed", Effect::Note, change.what, cure));
        }
        Plan {
            id: PlanId::new(format!("p-{}", short_hash(&content))),
            fingerprint: full_hash(&content),
            created_at: self.input.moment.now,
            config_hash: self.input.policy.config_hash.clone(),
            snapshots: snapshots
                .map(|snapshot| snapshot.summary.clone())
                .chain([target])
                .collect(),
            clock: self.input.clock.doubts.clone(),
            changes,
            conflicts: self.conflicts,
            rejections: self.rejections,
            skipped: self.skipped,
            ledger: self.learned.into_values().collect(),
            base: self.base,
            foreign_cards,
            full_look,
            counting_absent: self.counting_absent,
            undecided: self.undecided,
            retained: self.retained,
            strange_writes: strange.writes.clone(),
            judged: self.judged,
            apart,
            halves,
        }
    }

    /// Gives every draft its id: those it depends on first.
    fn identify(&mut self, drafts: &[Draft]) -> Vec<Change> {
        let gone: Vec<bool> = drafts.iter().map(Draft::is_empty).collect();
        let mut missing = vec![0_usize; drafts.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
        for (number, draft) in drafts.iter().enumerate().filter(|(number, _)| !gone[*number]) {
            for needed in draft.after.iter().filter(|needed| !gone[**needed]) {
                missing[number] += 1;
                users[*needed].push(number);
            }
        }
        let mut ready: VecDeque<usize> = (0..drafts.len())
            .filter(|number| !gone[*number] && missing[*number] == 0)
            .collect();
        let mut ids: BTreeMap<usize, ItemId> = BTreeMap::new();
        let mut changes: Vec<(usize, Change)> = Vec::new();
        while let Some(number) = ready.pop_front() {
            let mut change = self.identify_one(&drafts[number], &ids);
            inherit(
                &mut change,
                drafts[number]
                    .after
                    .iter()
                    .filter(|needed| gone[**needed])
                    .map(|needed| &drafts[*needed]),
            );
            ids.insert(number, change.id.clone());
            changes.push((number, change));
            for user in &users[number] {
                missing[*user] -= 1;
                if missing[*user] == 0 {
                    ready.push_back(*user);
                }
            }
        }
        let kept = gone.iter().filter(|gone| !**gone).count();
        assert!(
            changes.len() == kept,
            "changes of a plan never wait for each other in a circle"
        );
        for (number, change) in &mut changes {
            let halves = drafts[*number].pairs.iter().filter_map(|half| ids.get(half));
            change
                .doubts
                .extend(halves.map(|item| HoldReason::PairedWith { item: item.clone() }));
        }
        let mut changes = changes.into_iter().map(|(_, change)| change).collect();
        self.without_halves(drafts, &ids, &mut changes);
        changes
    }

    fn identify_one(&self, draft: &Draft, ids: &BTreeMap<usize, ItemId>) -> Change {
        let mut action = draft.action.clone();
        second_pass::fill_pending(&mut action, ids);
        let mut depends_on: Vec<ItemId> = draft.after.iter().filter_map(|other| ids.get(other).cloned()).collect();
        for field in action.fields() {
            if let Some(FieldValue::Reference(Reference::Pending(pending))) = &field.to
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
            overwrites: draft.overwrites.clone(),
            access_later: draft.access_later,
            seen_in: Vec::new(),
        };
        if let ActionKind::Create | ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge = change.action.kind()
            && let Some(key) = &change.key
        {
            change.seen_in = self.input.sources_of(key);
        }
        change.id = item_id(&change);
        change
    }
}

/// A change that has gone leaves its doubts to those that would have waited for it.
fn inherit<'d>(change: &mut Change, gone: impl Iterator<Item = &'d Draft>) {
    for doubt in gone.flat_map(|draft| &draft.doubts) {
        if !change.doubts.contains(doubt) {
            change.doubts.push(doubt.clone());
        }
    }
}

/// The order in which changes are applied: by kind, and within a kind those that others need first, then by key.
pub(crate) fn in_order(changes: &mut [Change]) {
    let by_id: BTreeMap<&ItemId, usize> = changes
        .iter()
        .enumerate()
        .map(|(number, change)| (&change.id, number))
        .collect();
    let mut depth = vec![0_usize; changes.len()];
    // Only chains within a kind need more than the order of kinds; they end, for nothing waits in a circle.
    let mut deeper = true;
    while deeper {
        deeper = false;
        for (number, change) in changes
            .iter()
            .enumerate()
            .filter(|(_, change)| !change.depends_on.is_empty())
        {
            let needed = change.depends_on.iter().filter_map(|needed| by_id.get(needed).copied());
            let same_kind = needed.filter(|needed| changes[*needed].action.kind() == change.action.kind());
            let wanted = same_kind.map(|needed| depth[needed] + 1).max().unwrap_or(0);
            if wanted > depth[number] {
                depth[number] = wanted;
                deeper = true;
            }
        }
    }
    let depth: BTreeMap<ItemId, usize> = by_id
        .into_iter()
        .map(|(id, number)| (id.clone(), depth[number]))
        .collect();
    changes.sort_by(|a, b| {
        let kinds = a.action.kind().cmp(&b.action.kind());
        kinds
            .then_with(|| depth[&a.id].cmp(&depth[&b.id]))
            .then_with(|| a.key.cmp(&b.key))
            .then_with(|| a.card.cmp(&b.card))
            .then_with(|| a.id.cmp(&b.id))
    });
}
