//! Nobody is anonymized early, and whatever is not proven keeps them (RULES 5, 6, 8, 12).

use super::world::{TestSource, World, allowed, change, holds, key, names, row, skips, text_of};
use super::worlds::worlds;
use crate::core::memory::ledger::LastWrite;
use crate::core::model::card::{FilterProof, OperatorKind};
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::model::record::Anchor;
use crate::core::plan::{ActionKind, SkipReason};
use crate::core::reads::clock::{Yardsticks, judge_clock};
use crate::core::reads::snapshot::{Effect, Finding, RejectionScope, Role, Verdict};
use crate::core::rules::anonymize::{Anonymize, AnonymizeBy, LegalHold};
use crate::core::rules::retention::{Retained, RetentionState};
use chrono::Duration;
use proptest::prelude::*;

fn rule(by: AnonymizeBy, days: i64) -> Anonymize {
    Anonymize {
        by,
        after: Duration::days(days),
        legal_hold: LegalHold::default(),
        fields: match by {
            AnonymizeBy::Api => Anonymize::default_fields(),
            AnonymizeBy::Topdesk => Default::default(),
        },
    }
}

/// Of twenty `E001` was archived by us ten days ago, is in no source since, and is due.
fn due(by: AnonymizeBy) -> World {
    let mut world = World::of(20);
    world.hr().remove("E001");
    world.absent("c-E001", "hr", 3, 72);
    world.archived_by_us("c-E001");
    world.policy.anonymize = Some(rule(by, 7));
    world
}

fn retained(world: &World) -> Retained {
    let plan = world.plan();
    assert_eq!(plan.retained.len(), 1, "{:?}", plan.retained);
    plan.retained[0].clone()
}

fn waits(world: &World, because: &str) {
    let retained = retained(world);
    let why = retained.why.clone().unwrap_or_default();
    assert_eq!(retained.state, RetentionState::Waits, "{because}: {why}");
    assert!(why.contains(because), "{because}: {why}");
    assert_eq!(names(&world.plan()), Vec::<String>::new());
}

fn legal_hold(world: &mut World) -> &mut LegalHold {
    &mut world.policy.anonymize.as_mut().expect("a rule").legal_hold
}

#[test]
fn without_a_rule_nobody_is_anonymized() {
    let mut world = due(AnonymizeBy::Api);
    world.policy.anonymize = None;
    let plan = world.plan();
    assert!(plan.retained.is_empty() && plan.changes.is_empty() && plan.skipped.is_empty());
}

#[test]
fn topdesk_does_it_and_nothing_is_sent() {
    let world = due(AnonymizeBy::Topdesk);
    assert_eq!(retained(&world).state, RetentionState::Due);
    let plan = world.plan();
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(skips(&plan), [(SkipReason::AnonymizeInTopdesk, "c-E001".to_owned())]);
}

#[test]
fn the_api_overwrites_only_after_an_approval_and_for_good() {
    let mut world = due(AnonymizeBy::Api);
    let judged = world.judged();
    assert_eq!(names(&judged.plan), ["anonymize c-E001"]);
    assert_eq!(holds(&judged, "anonymize c-E001"), ["over_budget:anonymize"]);
    let item = change(&judged.plan, "anonymize c-E001");
    assert_eq!(text_of(item, CardField::EmployeeNumber).as_deref(), Some("*****"));
    assert_eq!(text_of(item, CardField::SurName).as_deref(), Some("*****"));
    assert!(
        item.is_compound() && item.steps().len() == 3,
        "without an operator it may be awake for a moment"
    );
    world.approve(&judged, |_| true);
    assert_eq!(allowed(&world.run()), ["anonymize c-E001"]);
    let after = world.plan();
    assert!(after.changes.is_empty() && after.retained.is_empty());
    // Whoever comes back is never made anew by itself.
    world.hr().rows.push(row("E001"));
    assert_eq!(holds(&world.judged(), "create E001"), ["drift"]);
}

#[test]
fn an_archived_operator_goes_along_only_with_an_approval_and_its_card_is_never_woken() {
    let mut world = due(AnonymizeBy::Api);
    world.operator("o1", "c-E001", true, OperatorKind::Regular);
    let judged = world.judged();
    assert_eq!(
        holds(&judged, "anonymize c-E001"),
        ["over_budget:anonymize", "over_budget:operators"]
    );
    let item = change(&judged.plan, "anonymize c-E001");
    assert!(!item.is_compound() && item.steps().len() == 1);
}

#[test]
fn not_a_day_early_and_never_in_the_run_that_archives() {
    let mut world = due(AnonymizeBy::Api);
    for (days, state) in [
        (7, RetentionState::Due),
        (10, RetentionState::Due),
        (11, RetentionState::Later),
    ] {
        world.policy.anonymize = Some(rule(AnonymizeBy::Api, days));
        assert_eq!(retained(&world).state, state, "{days} days");
    }
    let mut world = World::of(20);
    world.hr().set("E001", "end", "2020-01-01");
    let entry = world.entry("c-E001");
    (entry.since, entry.leaving_since) = (
        "2019-01-01T08:00:00Z".parse().unwrap(),
        "2020-01-02T08:00:00Z".parse().ok(),
    );
    world.mapping.since_end = true;
    world.policy.anonymize = Some(rule(AnonymizeBy::Api, 7));
    let judged = world.run();
    assert_eq!(allowed(&judged), ["archive c-E001"]);
    assert!(judged.plan.retained.is_empty());
    // The end date lies years back: thirty days, or the time itself where it is shorter, in the archive all the same.
    assert_eq!(retained(&world).state, RetentionState::Later);
    world.now += Duration::days(7);
    assert_eq!(retained(&world).state, RetentionState::Due);
}

#[test]
fn whoever_a_source_has_is_kept() {
    let by = AnonymizeBy::Api;
    let mut world = due(by);
    world.hr().rows.push(row("E001").with("end", "2026-02-01"));
    world.entry("c-E001").leaving_since = Some(world.now - Duration::days(20));
    waits(&world, "still lists them as a leaver");
    world.mapping.since_end = true;
    assert_eq!(retained(&world).state, RetentionState::Due);
    world.hr().set("E001", "end", "soon");
    waits(&world, "hr has them");
    let mut world = due(by);
    world.hr().rows.push(row("E001").with("status", "left"));
    world.mapping.since_end = true;
    waits(&world, "hr has them");
    world.entry("c-E001").leaving_since = Some(world.now - Duration::days(20));
    waits(&world, "end is not known");
    let mut world = due(by);
    world
        .hr()
        .rejections
        .push((Some("E001".to_owned()), RejectionScope::Record));
    world.hr().history.last_good_unreadable = Some(3);
    waits(&world, "hr has them");
    let mut world = due(by);
    world.sources.push(TestSource::new("ad", Role::Enrich));
    world.source("ad").rows.extend([row("E001"), row("E002")]);
    waits(&world, "ad still has them");
    // Back for good: a rehire, and no anonymization beside it.
    let mut world = due(by);
    world.hr().rows.push(row("E001"));
    assert_eq!(names(&world.plan()), ["unarchive c-E001"]);
}

#[test]
fn what_is_not_known_keeps_them() {
    let by = AnonymizeBy::Topdesk;
    let mut world = due(by);
    world.hr().degrade();
    waits(&world, "the read of hr is doubted and cannot say who is missing");
    let mut world = due(by);
    world.hr().reject();
    waits(&world, "the read of hr was rejected");
    let mut world = due(by);
    world.absent("c-E001", "hr", 1, 72);
    waits(&world, "absent from hr in 2 of 3 reads");
    let mut world = due(by);
    world.clock = judge_clock(world.now, &[], &Yardsticks::of_last_run(world.now + Duration::hours(1)));
    waits(&world, "the clock is doubted");
    let mut world = due(by);
    world
        .target_findings
        .push(Finding::new("page_shifted", Effect::NoAbsence, "", ""));
    waits(&world, "the read of TOPdesk was not good enough");
    let mut world = due(by);
    world.filters = FilterProof::Unreadable;
    waits(&world, "whether an operator is linked could not be proven");
    let mut world = due(by);
    world.hr().history.last_good_keyless = Some(3);
    world.hr().rows.push(row("E001").with("key", ""));
    waits(&world, "has no key and has the same");
    let mut world = due(by);
    world.writes.last = Some(LastWrite {
        modifier: Some("own".into()),
        modified_at: world.now - Duration::days(30),
    });
    world.card_mut("c-E002").modifier = Some("own".into());
    world.card_mut("c-E002").modified_at = Some(world.now);
    waits(&world, "another cardsync writes here");
}

#[test]
fn only_what_we_archived_and_nobody_touched_since() {
    let mut world = due(AnonymizeBy::Api);
    world.card_mut("c-E001").modified_at = Some(world.now);
    waits(&world, "changed by somebody else");
    let mut world = due(AnonymizeBy::Api);
    world.entry("c-E001").archived_by_us = None;
    waits(
        &world,
        "somebody else (a person or a program) archived the card, not cardsync",
    );
    let mut world = due(AnonymizeBy::Api);
    world.card_mut("c-E001").archived = false;
    assert!(world.plan().retained.is_empty(), "a human woke it");
    let mut world = due(AnonymizeBy::Api);
    world.operator("o1", "c-E001", false, OperatorKind::Regular);
    let kept = retained(&world);
    assert_eq!(kept.state, RetentionState::Waits);
    assert!(kept.why.is_some_and(|why| why.contains("its operator is active")));
    let held = holds(&world.judged(), "archive c-E001");
    assert_eq!(held, ["over_budget:operators", "operator_stays_active"]);
    let mut world = due(AnonymizeBy::Api);
    world.operator("o1", "c-E001", true, OperatorKind::ApiAccount);
    waits(&world, "never touched");
    let mut world = due(AnonymizeBy::Api);
    world.policy.protected.keys.insert(key("E001"));
    waits(&world, "on guard.protect");
    let mut world = due(AnonymizeBy::Api);
    world.card("c-other", &row("E001"));
    waits(&world, "another card has the same key");
    // A newcomer who may be the same human under a new number.
    let mut world = due(AnonymizeBy::Api);
    world
        .hr()
        .rows
        .push(row("N001").with("sur", "SurE001").with("first", "FirstE001"));
    let plan = world.plan();
    assert_eq!(plan.retained[0].state, RetentionState::Waits, "{:?}", plan.retained);
}

/// Due is `E001`; `N001` works here, on a card of their own that cardsync looks after.
fn beside_somebody(by: AnonymizeBy) -> World {
    let mut world = due(by);
    world.hr().rows.push(row("N001"));
    world.card("c-N001", &row("N001"));
    world.ours("c-N001");
    assert_eq!(retained(&world).state, RetentionState::Due, "they share nothing");
    world
}

#[test]
fn who_works_here_on_another_card_is_kept() {
    for by in [AnonymizeBy::Api, AnonymizeBy::Topdesk] {
        for (field, mark) in [("email", "email"), ("login", "tasLoginName")] {
            let mut world = beside_somebody(by);
            let theirs = row("E001").values[field].clone();
            world.hr().set("N001", field, &theirs);
            let mut card = row("N001");
            card.values.insert(field, theirs);
            world.card("c-N001", &card);
            waits(&world, &format!("the active card c-N001 has the same {mark}"));
            // Also where no source says that anybody has that card: a human made it for somebody.
            world.hr().remove("N001");
            world.ledger.remove(&CardId::from("c-N001"));
            waits(&world, "has the same");
            world.card_mut("c-N001").archived = true;
            assert_eq!(retained(&world).state, RetentionState::Due, "nobody works on that card");
            // Who comes back is present before their card is active again.
            world.hr().rows.push(row("N001"));
            world.ours("c-N001");
            world.archived_by_us("c-N001");
            let plan = world.plan();
            // Their own login and address are written with it or after it.
            assert_eq!(names(&plan)[0], "unarchive c-N001");
            let why = plan
                .retained
                .iter()
                .find(|it| it.card.as_str() == "c-E001")
                .and_then(|it| it.why.clone());
            assert!(
                why.is_some_and(|why| why.contains("the returning card c-N001")),
                "{:?}",
                plan.retained
            );
        }
        // The archived card holds the login, so that it cannot stand on theirs yet.
        let mut world = beside_somebody(by);
        world.hr().set("N001", "login", &row("E001").values["login"]);
        assert_eq!(world.plan().retained[0].state, RetentionState::Waits);
        // The directory knows them by an id that stays.
        let mut world = beside_somebody(by);
        let anchor = Anchor {
            source: "hr".into(),
            value: "4711".into(),
        };
        world.entry("c-E001").anchors.push(anchor.clone());
        world.entry("c-N001").anchors.push(anchor);
        waits(&world, "has the same directory id");
        // The account of the operator may be the only thing that they share.
        let mut world = beside_somebody(by);
        world.operator("o1", "c-E001", true, OperatorKind::Regular);
        world.operator("o2", "c-N001", false, OperatorKind::Regular);
        assert_eq!(retained(&world).state, RetentionState::Due);
        for operator in world.operators.values_mut() {
            operator.login_name = Some("OP1".into());
        }
        waits(&world, "has the same tasLoginName");
    }
}

#[test]
fn a_full_name_alone_keeps_nobody_and_is_told() {
    let mut world = beside_somebody(AnonymizeBy::Api);
    let mut card = row("N001");
    for field in ["sur", "first"] {
        let theirs = row("E001").values[field].clone();
        world.hr().set("N001", field, &theirs);
        card.values.insert(field, theirs);
    }
    world.card("c-N001", &card);
    let same = "the active card c-N001 has the same full name: make sure that it is somebody else";
    assert_eq!(retained(&world).state, RetentionState::Due);
    assert_eq!(retained(&world).why.as_deref(), Some(same));
    let plan = world.plan();
    assert!(change(&plan, "anonymize c-E001").why.iter().any(|why| why == same));
    world.policy.anonymize = Some(rule(AnonymizeBy::Topdesk, 7));
    let plan = world.plan();
    assert!(
        plan.skipped.iter().any(|skip| skip.detail.ends_with(same)),
        "{:?}",
        plan.skipped
    );
}

#[test]
fn a_legal_hold_is_absolute_and_shown() {
    for by_card in [false, true] {
        let mut world = due(AnonymizeBy::Api);
        if by_card {
            legal_hold(&mut world).cards.insert("c-E001".into());
        } else {
            legal_hold(&mut world).keys.insert(key("E001"));
        }
        assert_eq!(retained(&world).state, RetentionState::LegalHold);
        let plan = world.plan();
        assert_eq!(names(&plan), Vec::<String>::new());
        assert_eq!(skips(&plan), [(SkipReason::LegalHold, "c-E001".to_owned())]);
    }
    let mut world = due(AnonymizeBy::Topdesk);
    legal_hold(&mut world).unreadable = Some("the legal-hold file cannot be read".to_owned());
    waits(&world, "the legal-hold file cannot be read");
}

#[test]
fn a_card_that_was_due_and_is_gone_counts_as_done_and_no_other_does() {
    let gone = |world: &mut World| {
        world.cards.remove(&CardId::from("c-E001"));
        world.confirmed_gone.insert("c-E001".into());
    };
    let learned = |world: &World| world.plan().ledger.iter().any(|entry| entry.anonymized);
    let mut world = due(AnonymizeBy::Topdesk);
    gone(&mut world);
    assert!(learned(&world));
    let mut held = world.clone();
    legal_hold(&mut held).keys.insert(key("E001"));
    assert!(!learned(&held), "what is kept of them is evidence");
    world.policy.anonymize = Some(rule(AnonymizeBy::Topdesk, 11));
    assert!(!learned(&world), "not yet due");
    world.policy.anonymize = None;
    assert!(!learned(&world), "nobody asked for it");
}

#[test]
fn an_archived_operator_proves_nothing_about_those_that_the_account_cannot_see() {
    let mut world = due(AnonymizeBy::Topdesk);
    world.operator("o-1", "c-E001", true, OperatorKind::Regular);
    assert_eq!(retained(&world).state, RetentionState::Due);
    world.filters = FilterProof::Unreadable;
    assert_eq!(retained(&world).state, RetentionState::Waits);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn nobody_is_anonymized_early_or_while_anything_speaks_against_it(
        case in worlds(), by_api in any::<bool>(), days in prop::sample::select(vec![7_i64, 10, 11, 400]), since_end in any::<bool>(),
    ) {
        let mut world = case.world();
        let by = if by_api { AnonymizeBy::Api } else { AnonymizeBy::Topdesk };
        world.policy.anonymize = Some(rule(by, days));
        world.mapping.since_end = since_end;
        // Half of those whom we archived are gone from every source for long.
        let archived: Vec<CardId> = world.cards.values().filter(|card| card.archived).map(|card| card.id.clone()).collect();
        for (id, gone) in archived.iter().zip(case.approved.iter().cycle()) {
            let Some(entry) = world.ledger.get(id).filter(|_| *gone).cloned() else { continue };
            let wanted = entry.key.expect("a key");
            for source in &mut world.sources {
                source.rows.retain(|row| row.values["key"] != wanted.as_str());
                source.rejections.retain(|(key, _)| key.as_deref() != Some(wanted.as_str()));
            }
            for source in entry.sightings.keys() {
                world.absent(id.as_str(), source.as_str(), 3, 72);
            }
        }
        let judged = world.judged();
        let unapproved = judged.approved.changes().iter().any(|it| it.change().action.kind() == ActionKind::Anonymize);
        prop_assert!(!unapproved, "each needs an approval");
        let due = judged.plan.retained.iter().filter(|it| it.state == RetentionState::Due).map(|it| &it.card);
        let items = judged.plan.changes.iter().filter(|it| it.action.kind() == ActionKind::Anonymize);
        let items: Vec<&CardId> = items.map(|it| it.card.as_ref().expect("a card")).collect();
        let due: Vec<&CardId> = due.collect();
        prop_assert_eq!(items.len(), if by_api { due.len() } else { 0 });
        for id in due.into_iter().chain(items) {
            let (card, entry) = (&world.cards[id], &world.ledger[id]);
            let key = entry.key.as_ref().expect("a key");
            prop_assert!(card.archived && card.fields.text(CardField::EmployeeNumber) == Some(key.as_str()));
            let archive = entry.archived_by_us.as_ref().expect("ours");
            prop_assert_eq!(archive.modified_at, card.modified_at);
            let linked: Vec<_> = world.operators.values().filter(|it| it.linked_person.as_ref() == Some(id)).collect();
            prop_assert!(linked.iter().all(|it| it.archived && it.kind == OperatorKind::Regular));
            prop_assert_eq!(&world.filters, &FilterProof::None);
            prop_assert!(!world.policy.protected.keys.contains(key));
            prop_assert!(world.target_findings.is_empty());
            let same = world.cards.values().filter(|it| it.fields.text(CardField::EmployeeNumber) == Some(key.as_str()));
            prop_assert_eq!(same.count(), 1);
            for field in [CardField::Email, CardField::TasLoginName] {
                let Some(text) = card.fields.text(field) else { continue };
                let mut active = world.cards.values().filter(|it| !it.archived);
                let works_here = active.any(|it| it.fields.text(field) == Some(text));
                prop_assert!(text.is_empty() || !works_here, "the same {field} on an active card");
            }
            let others = judged.plan.changes.iter().filter(|it| it.card.as_ref() == Some(id));
            prop_assert!(others.clone().all(|it| it.action.kind() == ActionKind::Anonymize), "one thing at a time");
            let mut listed = None;
            for source in &world.sources {
                let verdict = source.snapshot(&world.policy, world.now).summary.verdict;
                prop_assert_eq!(verdict, Verdict::Complete);
                let theirs = |(it, scope): &(Option<String>, RejectionScope)| {
                    it.as_deref() == Some(key.as_str()) && *scope == RejectionScope::Record
                };
                let unusable = source.rejections.iter().any(theirs);
                prop_assert!(!unusable, "a record that cannot be used counts as present");
                listed = listed.or(source.rows.iter().find(|row| row.values["key"] == key.as_str()));
            }
            match listed {
                None => prop_assert!(archive.at + Duration::days(days) <= world.now, "early"),
                Some(row) => {
                    prop_assert!(since_end, "a source has them");
                    let end: chrono::NaiveDate = row.values["end"].parse().expect("a date");
                    let early = end + Duration::days(days) >= world.now.date_naive();
                    prop_assert!(!early && archive.at + Duration::days(days.min(30)) <= world.now);
                }
            }
        }
    }
}
