//! What holds in every world (RULES 1 to 9 and 11), with oracles that look at the world and not at the planner's words.

use super::describe::FIELDS;
use super::oracle::{in_conflict, is_one_human, key_of, marks, records};
use super::world::{World, key, name};
use super::worlds::{budgets, worlds};
use crate::core::guard::{Judged, judge};
use crate::core::memory::decision::Answer;
use crate::core::model::card::{FilterProof, OperatorKind};
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::{Action, ActionKind, Change, EvidenceCode, HoldReason};
use crate::core::planner::plan;
use crate::core::reads::snapshot::Verdict;
use crate::core::rules::policy::BudgetClass;
use chrono::Duration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn sent(judged: &Judged) -> Vec<&Change> {
    judged
        .approved
        .changes()
        .iter()
        .map(|approved| approved.change())
        .collect()
}

fn operators(world: &World, card: &CardId, archived: bool) -> usize {
    let linked = world
        .operators
        .values()
        .filter(|operator| operator.linked_person.as_ref() == Some(card));
    linked.filter(|operator| operator.archived == archived).count()
}

fn is_special(world: &World, card: &CardId) -> bool {
    world
        .operators
        .values()
        .any(|operator| operator.linked_person.as_ref() == Some(card) && operator.kind != OperatorKind::Regular)
}

/// Whether only an operator that stayed active is left to archive.
fn is_left_behind(change: &Change) -> bool {
    matches!(&change.action, Action::Archive { apart, .. } if apart.left_behind)
}

/// Whose card it is, is only likely.
fn is_suggestion(change: &Change) -> bool {
    match &change.action {
        Action::Adopt { .. } | Action::Exchange { .. } | Action::Merge { .. } => true,
        Action::Archive { number, .. } => !number.is_empty(),
        _ => false,
    }
}

fn approve_some(world: &mut World, approved: &[bool]) {
    let judged = world.judged();
    let wanted: BTreeSet<ItemId> = judged
        .plan
        .changes
        .iter()
        .zip(approved.iter().cycle())
        .filter(|(_, wanted)| **wanted)
        .map(|(change, _)| change.id.clone())
        .collect();
    world.approve(&judged, |change| wanted.contains(&change.id));
}

fn allowed_ids(judged: &Judged) -> BTreeSet<ItemId> {
    sent(judged).into_iter().map(|change| change.id.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_operator_is_archived_or_woken_or_robbed_without_approval(case in worlds()) {
        let world = case.world();
        let judged = world.judged();
        for change in sent(&judged) {
            let Some(card) = &change.card else { continue };
            match change.action.kind() {
                ActionKind::Archive => {
                    prop_assert_eq!(operators(&world, card, false), 0);
                    prop_assert_eq!(&world.filters, &FilterProof::None);
                }
                ActionKind::Unarchive => {
                    prop_assert_eq!(operators(&world, card, true), 0);
                    prop_assert_eq!(&world.filters, &FilterProof::None);
                }
                _ => {
                    let robbed = change.action.fields().iter().any(|field| field.blanks_identity());
                    let linked = operators(&world, card, false) + operators(&world, card, true);
                    prop_assert!(!robbed || linked == 0 && world.filters == FilterProof::None);
                }
            }
        }
    }

    #[test]
    fn whoever_must_be_left_alone_is_left_alone(case in worlds()) {
        let world = case.world();
        let judged = world.judged();
        for change in &judged.plan.changes {
            if let Some(key) = &change.key {
                // An account that is open behind an archived card is told whatever becomes of the person.
                prop_assert!(!in_conflict(&world, key) || is_left_behind(change), "{} in conflict", name(change));
                prop_assert!(!world.policy.protected.keys.contains(key), "{} protected", name(change));
            }
            if let Some(card) = &change.card {
                prop_assert!(!is_special(&world, card), "{} special", name(change));
                let anonymized = world.cards[card].fields.text(CardField::SurName).is_some_and(|sur| sur.contains('*'));
                prop_assert!(!anonymized, "{} anonymized", name(change));
                let adopts = |item: &ItemId| {
                    let needed = judged.plan.changes.iter().find(|other| other.id == *item).expect("planned");
                    matches!(needed.action.kind(), ActionKind::Adopt | ActionKind::Merge) && needed.card.as_ref() == Some(card)
                };
                if !is_suggestion(change) && !change.depends_on.iter().any(adopts) {
                    prop_assert_eq!(key_of(&world, card), change.key.clone(), "matched by key only");
                }
            }
        }
        // What is only a suggestion never passes by itself.
        prop_assert!(!sent(&judged).into_iter().any(is_suggestion));
    }

    #[test]
    fn nobody_is_archived_without_evidence(case in worlds()) {
        let world = case.world();
        for change in world.judged().plan.changes.iter().filter(|change| change.action.kind() == ActionKind::Archive) {
            let key = change.key.as_ref().expect("a key");
            if change.evidence.iter().any(|evidence| evidence.code == EvidenceCode::NoCurrentRow) {
                let mut seen = world.ledger[change.card.as_ref().expect("a card")].sightings.values();
                prop_assert!(seen.all(|it| it.absent.as_ref().is_some_and(|it| it.reads >= 2)), "counted like absence");
                continue;
            }
            if is_left_behind(change) {
                // Only the operator is left to archive, and only a decision on this very item does it.
                let asks = |doubt: &HoldReason| matches!(doubt, HoldReason::OperatorStaysActive { .. });
                prop_assert!(change.doubts.iter().any(asks), "it asks");
                prop_assert!(world.cards[change.card.as_ref().expect("a card")].archived);
                continue;
            }
            let absent = change.evidence.iter().any(|evidence| evidence.code == EvidenceCode::Missing);
            if !absent {
                let row = world.sources.iter().flat_map(|source| &source.rows).find(|row| row.values["key"] == key.as_str());
                let row = row.expect("evidence comes from a record");
                let left = row.values.get("status").is_some_and(|status| status == "left");
                prop_assert!(left || row.values.get("end").is_some_and(|end| end == "2026-01-01"));
                continue;
            }
            prop_assert!(records(&world, key).iter().all(|(rows, unusable)| rows + unusable == 0));
            let entry = &world.ledger[change.card.as_ref().expect("a card")];
            for (source, sighting) in &entry.sightings {
                let read = world.sources.iter().find(|known| known.name == *source).expect("a configured source");
                let verdict = read.snapshot(&world.policy, world.now).summary.verdict;
                prop_assert_eq!(verdict, Verdict::Complete, "a read that is not complete says nothing");
                let absence = sighting.absent.as_ref().expect("counted before");
                prop_assert!(absence.reads >= 2 && world.now - absence.since >= Duration::hours(48));
            }
        }
    }

    #[test]
    fn nobody_is_created_twice_without_a_human(case in worlds()) {
        let world = case.world();
        for change in sent(&world.judged()).into_iter().filter(|change| change.action.kind() == ActionKind::Create) {
            let key = change.key.as_ref().expect("a key");
            let known = world.ledger.values().any(|entry| entry.key.as_ref() == Some(key) || entry.former_keys.contains(key));
            prop_assert!(!known, "the ledger knows {key}");
            let wanted = marks(|field| super::world::text_of(change, field));
            for (id, card) in &world.cards {
                prop_assert!(key_of(&world, id).as_ref() != Some(key));
                let anonymized = card.fields.text(CardField::SurName).is_some_and(|sur| sur.contains('*'));
                let claimed = key_of(&world, id)
                    .is_some_and(|key| records(&world, &key).iter().any(|(rows, unusable)| rows + unusable > 0));
                let theirs = marks(|field| card.fields.text(field).map(str::to_owned));
                prop_assert!(anonymized || claimed || wanted.is_disjoint(&theirs), "{} resembles {id}", name(change));
                prop_assert!(anonymized || !is_one_human(&wanted, &theirs), "{} has {id} already", name(change));
            }
        }
    }

    #[test]
    fn a_second_number_of_one_human_makes_no_second_card(case in worlds(), which in any::<prop::sample::Index>(), more in 1_usize..4) {
        let mut world = case.world();
        let rows = &world.hr().rows;
        if rows.is_empty() {
            return Ok(());
        }
        let one = which.get(rows).clone();
        for number in 0..more {
            world.hr().rows.push(one.clone().with("key", &format!("SECOND{number}")).with("scope", ""));
        }
        let judged = world.judged();
        let created: Vec<BTreeSet<String>> = sent(&judged)
            .into_iter()
            .filter(|change| change.action.kind() == ActionKind::Create)
            .map(|change| marks(|field| super::world::text_of(change, field)))
            .collect();
        for (number, wanted) in created.iter().enumerate() {
            let twins = created[..number].iter().filter(|other| is_one_human(wanted, other));
            prop_assert_eq!(twins.count(), 0, "two cards of one human in one plan");
            for (id, card) in &world.cards {
                let theirs = marks(|field| card.fields.text(field).map(str::to_owned));
                prop_assert!(key_of(&world, id).is_none() || !is_one_human(wanted, &theirs), "{id} is theirs already");
            }
        }
    }

    #[test]
    fn absence_archives_nobody_who_may_be_in_a_record_that_cannot_be_used(case in worlds()) {
        let world = case.world();
        let usable = |source: &&super::world::TestSource| !source.snapshot(&world.policy, world.now).is_rejected();
        for change in &world.plan().changes {
            let by_absence = change.evidence.iter().any(|evidence| evidence.code == EvidenceCode::Missing);
            let Some(card) = change.card.as_ref().filter(|_| by_absence) else { continue };
            let theirs = marks(|field| world.cards[card].fields.text(field).map(str::to_owned));
            for row in world.sources.iter().filter(usable).flat_map(|source| &source.rows) {
                let nobodys = row.values["key"].is_empty() || in_conflict(&world, &key(&row.values["key"]));
                let of_row = marks(|field| {
                    let (attribute, _) = FIELDS.iter().find(|(_, mapped)| *mapped == field)?;
                    row.values.get(attribute).cloned()
                });
                prop_assert!(!nobodys || theirs.is_disjoint(&of_row), "{} may be {row:?}", name(change));
                let anchors = &world.ledger[card].anchors;
                let same = anchors.iter().any(|anchor| row.anchor.as_deref() == Some(&*anchor.value));
                prop_assert!(!nobodys || !same, "{} has the directory id of {row:?}", name(change));
            }
        }
    }

    #[test]
    fn a_class_passes_within_its_limit_or_not_at_all(case in worlds()) {
        let world = case.world();
        let judged = world.judged();
        let mut passing: BTreeMap<BudgetClass, u64> = BTreeMap::new();
        for change in sent(&judged) {
            for class in change.classes() {
                *passing.entry(class).or_default() += 1;
            }
        }
        for (class, count) in passing {
            let limit = world.policy.budgets.of(class).limit(judged.plan.base);
            prop_assert!(count <= limit, "{class}: {count} of {limit}");
        }
    }

    #[test]
    fn what_passes_stands_behind_what_it_needs(case in worlds()) {
        let mut world = case.world();
        approve_some(&mut world, &case.approved);
        let judged = world.judged();
        let planned: BTreeSet<&ItemId> = judged.plan.changes.iter().map(|change| &change.id).collect();
        prop_assert_eq!(planned.len(), judged.plan.changes.len(), "ids are unique");
        let mut before = BTreeSet::new();
        for change in sent(&judged) {
            prop_assert!(change.depends_on.iter().all(|needed| before.contains(needed)));
            before.insert(change.id.clone());
        }
        for change in &judged.plan.changes {
            prop_assert!(change.depends_on.iter().all(|needed| planned.contains(needed)));
            prop_assert_eq!(before.contains(&change.id), !judged.held.contains_key(&change.id));
        }
    }

    #[test]
    fn an_approval_lets_its_item_pass_and_no_other(case in worlds(), which in any::<prop::sample::Index>()) {
        let mut world = case.world();
        let before = world.judged();
        let held: Vec<&Change> = before.plan.changes.iter().filter(|change| before.held.contains_key(&change.id)).collect();
        if held.is_empty() {
            return Ok(());
        }
        let item = which.get(&held).id.clone();
        world.approve(&before, |change| change.id == item);
        let after = world.judged();
        let lifted = before.held[&item].iter().all(|reason| reason.approvable());
        // A list entry that only held changes need waits with them, approved or not.
        let idle = after.held.get(&item).is_some_and(|held| held.iter().all(|reason| reason.code() == "depends_on"));
        prop_assert!(allowed_ids(&after).contains(&item) == lifted || idle);
        for other in allowed_ids(&after).difference(&allowed_ids(&before)) {
            let other = after.plan.changes.iter().find(|change| change.id == *other).expect("planned");
            // What waited for it, and the list entries that only it needs.
            let follows = before.held[&other.id].iter().all(|reason| reason.code() == "depends_on");
            prop_assert!(other.id == item || follows, "{} passes too", name(other));
        }
        // It holds nothing but what it excludes, and what no longer fits beside it: from now on it counts.
        let beside = ["answered", "depends_on"];
        for other in allowed_ids(&before).difference(&allowed_ids(&after)) {
            let held = &after.held[other];
            let is_beside = |code: &str| code.starts_with("over_budget:") || beside.contains(&code);
            prop_assert!(held.iter().all(|reason| is_beside(&reason.code())), "an approval holds {held:?}");
        }
    }

    #[test]
    fn an_approval_waives_no_reason_that_was_not_shown(case in worlds()) {
        let mut world = case.world();
        let before = world.judged();
        world.approve(&before, |_| true);
        for change in &before.plan.changes {
            let decision = world.decisions.get_mut(&change.id);
            if let Some(decision) = decision {
                decision.waives.pop_first();
            }
        }
        let after = world.judged();
        for (item, reasons) in &before.held {
            let first = reasons.iter().filter(|reason| reason.approvable()).map(|reason| reason.code()).min();
            // What a budget says depends on what else waits; that nothing passes over its limit is a property of its own.
            let first = first.filter(|code| !code.starts_with("over_budget:"));
            if let Some(first) = first && !after.held.contains_key(item) {
                // Then it holds no more: what stood beside it in a budget may wait for something of its own.
                let mut alone = world.clone();
                alone.decisions.remove(item);
                let judged = alone.judged();
                let still = judged.held.get(item).is_some_and(|held| held.iter().any(|reason| reason.code() == first));
                prop_assert!(!still, "{} passes without a yes for {first}", item);
            }
        }
    }

    #[test]
    fn a_rejected_item_never_passes(case in worlds()) {
        let mut world = case.world();
        approve_some(&mut world, &case.approved);
        let items: Vec<ItemId> = world.plan().changes.into_iter().map(|change| change.id).collect();
        for item in items.iter().step_by(2) {
            world.decide(item, Answer::Reject, BTreeSet::new());
        }
        let judged = world.judged();
        for item in items.iter().step_by(2) {
            prop_assert!(!allowed_ids(&judged).contains(item));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes_in_whatever_order_it_was_read(case in worlds(), turn in 0_usize..7) {
        let world = case.world();
        let input = world.input();
        let bytes = |judged: &Judged| serde_json::to_string(&judged.view()).expect("json");
        let first = judge(plan(&input, &world.mapping), &input);
        let again = judge(plan(&input, &world.mapping), &input);
        prop_assert_eq!(bytes(&first), bytes(&again));
        let mut turned = world.clone();
        for source in &mut turned.sources {
            let rows = source.rows.len().max(1);
            source.rows.rotate_left(turn % rows);
            source.rows.reverse();
            // Their places are made up from their order.
            prop_assume!(source.rejections.len() < 2 || turn == 0);
        }
        prop_assert_eq!(bytes(&first), bytes(&turned.judged()));
    }

    #[test]
    fn ids_do_not_move_with_time_or_counters(case in worlds(), hours in 1_i64..200) {
        let world = case.world();
        let before = world.plan();
        let mut later = world.clone();
        later.now += Duration::hours(hours);
        for source in &mut later.sources {
            source.generation += 1;
        }
        let after = later.plan();
        let ids = |plan: &crate::core::plan::Plan| -> BTreeMap<String, ItemId> {
            plan.changes.iter().filter(|change| change.evidence.len() < 2).map(|change| {
                (format!("{} {:?}", name(change), change.action.fields()), change.id.clone())
            }).collect()
        };
        let after = ids(&after);
        for (name, id) in ids(&before) {
            if let Some(same) = after.get(&name) {
                prop_assert_eq!(&id, same);
            }
        }
    }

    #[test]
    fn the_second_run_is_empty(case in worlds()) {
        let mut world = case.world();
        // An item whose alternative was done no longer counts: where a class was over its limit because of it, the rest of
        // the class passes in the next run, and should.
        world.policy.budgets = budgets(2);
        approve_some(&mut world, &case.approved);
        let twice = |world: &World| -> BTreeMap<Key, usize> {
            let mut count = BTreeMap::new();
            for id in world.cards.keys() {
                if let Some(key) = key_of(world, id) {
                    *count.entry(key).or_default() += 1;
                }
            }
            count.retain(|_, cards| *cards > 1);
            count
        };
        let doubles = twice(&world);
        let first = world.run();
        for (key, cards) in twice(&world) {
            prop_assert!(doubles.get(&key) >= Some(&cards), "{key} has a second card");
        }
        let second = world.judged();
        // Others can refer to an adopted card, or take the login it gave up, only once the adoption is a fact: whether it
        // will happen is a human's choice between it and a creation. So it is with somebody of whom a human has said that the
        // number is theirs.
        let adopted = sent(&first).iter().any(|change| {
            change.action.kind() == ActionKind::Adopt || change.doubts.contains(&HoldReason::AnotherPerson)
        });
        let follows = |change: &&Change| {
            let refers = matches!(change.action.kind(), ActionKind::Update | ActionKind::SetReferences);
            let mut fields = change.action.fields().iter().map(|change| change.field);
            adopted && refers && fields.all(|field| matches!(field, CardField::Manager | CardField::IsManager | CardField::TasLoginName))
        };
        // Once a human has said whose a card is, it resembles nobody else any more: who waited for nothing but that is created.
        let given: BTreeSet<&CardId> = sent(&first)
            .into_iter()
            .filter(|change| is_suggestion(change))
            .filter_map(|change| change.card.as_ref())
            .collect();
        let is_given = |item: &ItemId| first.plan.changes.iter().any(|change| {
            change.id == *item && change.action.kind() == ActionKind::Archive && change.card.as_ref().is_some_and(|card| given.contains(card))
        });
        let waited = |key: &Option<Key>| first.plan.changes.iter().any(|change| {
            change.action.kind() == ActionKind::Create && change.key == *key && first.held.get(&change.id).is_some_and(|held| {
                held.iter().all(|reason| match reason {
                    HoldReason::AdoptOrCreate { cards, .. } => cards.iter().all(|card| given.contains(card)),
                    HoldReason::PairedWith { item } => is_given(item),
                    _ => false,
                })
            })
        });
        let created: BTreeSet<&ItemId> = sent(&second)
            .into_iter()
            .filter(|change| change.action.kind() == ActionKind::Create && waited(&change.key))
            .map(|change| &change.id)
            .collect();
        // With them what only they need, and what needs them.
        let freed = |change: &&Change| {
            let users = |other: &&&Change| other.depends_on.contains(&change.id);
            let passing = sent(&second);
            let mut needs_it = passing.iter().filter(users).peekable();
            created.contains(&change.id)
                || change.depends_on.iter().any(|needed| created.contains(needed))
                || change.action.kind() == ActionKind::CreateEntry
                    && needs_it.peek().is_some()
                    && needs_it.all(|user| created.contains(&user.id))
        };
        // An archive that waited with a creation as the other half of one human goes on once a human has said that they
        // are two.
        let decided = |change: &&Change| first.held.get(&change.id).is_some_and(|held| {
            change.action.kind() == ActionKind::Archive && held.iter().all(|reason| match reason {
                HoldReason::PairedWith { item } => sent(&first).iter().any(|done| done.id == *item),
                _ => false,
            })
        });
        let again = sent(&second).into_iter().filter(|change| !follows(change) && !decided(change) && !freed(change));
        let names: Vec<String> = again.map(|change| format!("{} {:?}", name(change), change.action)).collect();
        let held: Vec<String> = first
            .plan
            .changes
            .iter()
            .filter_map(|change| first.held.get(&change.id).map(|held| format!("{} {held:?}", name(change))))
            .collect();
        let before = super::world::allowed(&first);
        prop_assert!(names.is_empty(), "sent {before:?}\nheld {held:#?}\nagain {names:#?}");
    }
}
