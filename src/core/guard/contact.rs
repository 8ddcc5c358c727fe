//! First contact and changed configurations (RULES 8.3): what they brought waits until it is approved.

use crate::core::input::{FormerPlan, PlanInput};
use crate::core::memory::decision::{Answer, Contact, SeenConfig, Waiting};
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::installation::{InstallationChange, KnownInstallation};
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{ActionKind, Change, Plan};
use crate::core::rules::lists::listed_cards;
use std::collections::BTreeMap;

/// The former plan, where there was a former configuration that this version of cardsync decides by.
fn comparable(input: &PlanInput) -> Option<&FormerPlan> {
    let seen = input.contact.seen.as_ref()?;
    let same_version = seen.decision_version == input.policy.decision_version;
    input.former.as_ref().filter(|_| same_version)
}

/// Whether the former configuration would have planned this as well: then the changed one did not bring it.
fn known_before(change: &Change, input: &PlanInput) -> bool {
    comparable(input).is_some_and(|former| former.items.contains(&change.id))
}

/// More updates that the change brought than 5 % of the cards that are ours (and more than 3): at first contact or under a
/// changed configuration they wait like archives.
pub(super) fn is_mass_update(plan: &Plan, input: &PlanInput) -> bool {
    let brought = |change: &&Change| is_update(change) && !known_before(change, input);
    let updates = plan.changes.iter().filter(brought).count() as u64;
    updates > (plan.base * 5).div_ceil(100).max(3)
}

fn is_update(change: &Change) -> bool {
    match change.action.kind() {
        ActionKind::Update | ActionKind::SetReferences => change.card.is_some(),
        ActionKind::CreateEntry
        | ActionKind::Unarchive
        | ActionKind::Create
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge
        | ActionKind::Archive
        | ActionKind::Anonymize => false,
    }
}

/// What first contact or a changed configuration brought waits until approved, in this run and in later ones.
pub(super) fn contact_reason(
    change: &Change,
    input: &PlanInput,
    new_config: Option<&HoldReason>,
    mass_update: bool,
) -> Option<HoldReason> {
    let card = change.card.as_ref()?;
    let kind = change.action.kind();
    if let Some(waiting) = input.contact.waiting.get(&Contact::slot(card, kind)) {
        return Some(waiting.reason.clone());
    }
    let grave = match kind {
        ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize => true,
        ActionKind::Update | ActionKind::SetReferences => mass_update,
        ActionKind::CreateEntry | ActionKind::Create | ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge => {
            false
        }
    };
    if grave && !known_before(change, input) {
        new_config.cloned()
    } else {
        None
    }
}

/// Where TOPdesk itself has changed, what was decided about linked operators was decided about another one: such changes wait
/// in the run that sees it, and where an approval was given before it, until there is a later one.
pub(super) fn installation_reason(change: &Change, input: &PlanInput) -> Option<HoldReason> {
    let moves = match change.action.kind() {
        ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize => change.operator.is_linked(),
        ActionKind::CreateEntry
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::SetReferences
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge => false,
    };
    if !moves {
        return None;
    }
    let known = input.contact.installation.as_ref();
    let reason = |change: InstallationChange| HoldReason::InstallationChanged { what: change.what };
    if let Some(now) = KnownInstallation::change(known, &input.target.installation) {
        return Some(reason(now));
    }
    let earlier = known?.changed.clone()?;
    let decision = input.decisions.get(&change.id)?;
    (decision.answer == Answer::Approve && decision.at < earlier.at).then(|| reason(earlier))
}

/// What is remembered after a run: the configuration counts as seen once every read was complete; what it brought, and
/// whose absence began under it, waits.
pub(super) fn next_contact(
    plan: &Plan,
    input: &PlanInput,
    current: SeenConfig,
    new_config: Option<&HoldReason>,
    reasons: &BTreeMap<ItemId, Vec<HoldReason>>,
) -> Contact {
    let mut contact = input.contact.clone();
    contact.strange_writes.clone_from(&plan.strange_writes);
    contact.listed = listed_cards(input);
    contact.listed.retain(|_, cards| !cards.is_empty());
    contact.apart.clone_from(&plan.apart);
    contact.halves.clone_from(&plan.halves);
    contact.installation = Some(KnownInstallation::next(
        contact.installation.as_ref(),
        &input.target.installation,
    ));
    if plan.full_look {
        contact.refusals.keep_wanted(plan);
    }
    let places = |kinds: &mut dyn Iterator<Item = (CardId, ActionKind)>| -> BTreeMap<String, (CardId, ActionKind)> {
        kinds
            .map(|(card, action)| (Contact::slot(&card, action), (card, action)))
            .collect()
    };
    let of_change = |change: &Change| change.card.clone().map(|card| (card, change.action.kind()));
    let counting = plan
        .counting_absent
        .iter()
        .map(|card| (card.clone(), ActionKind::Archive));
    let open = places(&mut plan.changes.iter().filter_map(of_change).chain(counting.clone()));
    if plan.full_look {
        // Whoever could not be judged in this run is no proof that what waited is settled.
        contact
            .waiting
            .retain(|slot, waiting| open.contains_key(slot) || plan.undecided.contains(&waiting.card));
    }
    if let Some(reason) = new_config {
        let former = comparable(input);
        let counting = counting.filter(|(card, _)| !former.is_some_and(|it| it.counting_absent.contains(card)));
        // Also in a look that was not full: what was held in it stays held.
        let held = plan
            .changes
            .iter()
            .filter(|change| reasons[&change.id].contains(reason));
        for (slot, (card, action)) in places(&mut held.filter_map(of_change).chain(counting)) {
            contact.waiting.entry(slot).or_insert(Waiting {
                card,
                action,
                reason: reason.clone(),
                since: input.moment.now,
            });
        }
        if plan.full_look {
            contact.seen = Some(current);
        }
    }
    contact
}
