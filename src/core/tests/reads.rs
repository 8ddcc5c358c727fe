//! Reads against earlier ones, and a clock that is wrong (RULES 3, 4): what is not known is neither absent nor empty.

use super::world::{World, allowed, holds, key, names, row};
use super::worlds::worlds;
use crate::core::memory::decision::Answer;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::plan::{ActionKind, EvidenceCode};
use crate::core::reads::canaries::name_leavers;
use crate::core::reads::clock::{ClockJudgement, ClockReading, Yardsticks, judge_clock};
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::{Effect, Expectations, SnapshotSummary, Verdict};
use crate::core::rules::policy::FieldPolicy;
use chrono::Duration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn summary(world: &World) -> SnapshotSummary {
    world.input().snapshots[0].summary.clone()
}

fn codes(world: &World) -> Vec<String> {
    summary(world)
        .findings
        .iter()
        .map(|finding| finding.code.to_string())
        .collect()
}

/// The read of now, as the last good and the largest one.
fn remember(world: &mut World) {
    let snapshot = &world.input().snapshots[0];
    let (profile, records) = (snapshot.profile.clone(), snapshot.summary.records);
    let (keyless, unreadable) = (snapshot.summary.keyless, snapshot.summary.unreadable);
    let history = &mut world.hr().history;
    history.last_good_keyless = Some(keyless);
    history.last_good_unreadable = Some(unreadable);
    history.last_modified_at = profile.modified_at;
    history.earlier_contents.extend(profile.content.clone());
    history.last_good = Some(profile.clone());
    history.reference = Some(profile);
    history.largest_accepted = Some(records);
}

/// A human accepts what was found, as it is.
fn accept(world: &mut World) {
    let item = summary(world).acceptance.expect("something to accept");
    world.hr().history.accepted.insert(item);
}

/// A clock that TOPdesk's contradicts by so many minutes.
fn doubted(world: &World, minutes: i64) -> ClockJudgement {
    let reading = ClockReading {
        whose: "topdesk".to_owned(),
        theirs: world.now + Duration::minutes(minutes),
        began: world.now,
        ended: world.now,
    };
    judge_clock(world.now, &[reading], &Yardsticks::default())
}

#[test]
fn an_attribute_that_went_empty_clears_nothing_until_that_is_accepted() {
    let mut world = World::of(6);
    remember(&mut world);
    for number in 1..=6 {
        world.hr().set(&format!("E{number:03}"), "email", "");
    }
    assert_eq!(codes(&world), ["attribute_emptied"]);
    let finding = &summary(&world).findings[0];
    assert!(
        finding.message.contains("'email' in 0 of 6 records, 6 of 6"),
        "{}",
        finding.message
    );
    assert_eq!(names(&world.judged().plan), Vec::<String>::new());
    accept(&mut world);
    assert_eq!(summary(&world).verdict, Verdict::Complete);
    let judged = world.judged();
    assert_eq!(names(&judged.plan).len(), 6);
    assert_eq!(holds(&judged, "update c-E001"), ["over_budget:blanked_fields:email"]);
}

#[test]
fn a_group_that_shrank_says_nothing_of_absence() {
    let mut world = World::new();
    for number in 1..=20 {
        world.staff(&format!("E{number:03}"));
        let dept = if number <= 6 { "Care" } else { "Sales" };
        world.hr().set(&format!("E{number:03}"), "dept", dept);
    }
    let expected = Expectations {
        groups: Some(BTreeSet::from(["dept".to_owned()])),
        max_drop_percent: 30.0,
        ..Expectations::default()
    };
    world.policy.expectations.insert("hr".into(), expected);
    remember(&mut world);
    let mut moved = world.clone();
    for number in 1..=6 {
        moved.hr().set(&format!("E{number:03}"), "dept", "Sales");
    }
    assert_eq!(codes(&moved), ["group_moved"]);
    assert_eq!(summary(&moved).verdict, Verdict::Complete);
    for number in 1..=4 {
        world.hr().remove(&format!("E{number:03}"));
    }
    assert_eq!(codes(&world), ["group_shrank"]);
    assert!(
        summary(&world).findings[0]
            .message
            .contains("2 records with dept 'Care', 6 in")
    );
    assert_ne!(summary(&world).verdict, Verdict::Complete);
    accept(&mut world);
    assert_eq!(summary(&world).verdict, Verdict::Complete);
}

#[test]
fn accepting_keyless_records_is_bound_to_these_records() {
    let mut world = World::of(3);
    remember(&mut world);
    world.hr().rows.push(row("").with("sur", "One"));
    assert_eq!(codes(&world), ["more_keyless"]);
    accept(&mut world);
    assert_eq!(summary(&world).verdict, Verdict::Complete);
    world.staff("E900");
    assert_eq!(summary(&world).verdict, Verdict::Complete, "other people do not matter");
    world.hr().rows.retain(|row| !row.values["key"].is_empty());
    world.hr().rows.push(row("").with("sur", "Another"));
    assert_ne!(summary(&world).verdict, Verdict::Complete);
}

#[test]
fn an_older_export_is_refused_and_old_content_says_nothing_of_absence() {
    let mut world = World::of(3);
    let written = world.now - Duration::hours(2);
    world.hr().modified_at = Some(written);
    world.hr().content = Some("monday".into());
    remember(&mut world);
    world.hr().content = Some("tuesday".into());
    world.hr().modified_at = Some(written + Duration::hours(1));
    remember(&mut world);
    world.hr().content = Some("monday".into());
    world.hr().modified_at = Some(written);
    assert_eq!(codes(&world), ["older_export"]);
    assert_eq!(
        (summary(&world).verdict, summary(&world).acceptance),
        (Verdict::Rejected, None)
    );
    let now = world.now;
    world.hr().modified_at = Some(now);
    assert_eq!(codes(&world), ["content_went_back"]);
    accept(&mut world);
    assert_eq!(summary(&world).verdict, Verdict::Complete);
    // A file that was from the future, once accepted, does not make every later one an old one.
    world.hr().history.last_modified_at = Some(now + Duration::days(300));
    assert_eq!(summary(&world).verdict, Verdict::Complete);
}

#[test]
fn a_directory_that_is_behind_itself_says_nothing_of_absence() {
    let mut world = World::of(3);
    world.hr().update_marks.insert("dc1".to_owned(), "00500".to_owned());
    remember(&mut world);
    world.hr().update_marks.insert("dc1".to_owned(), "00499".to_owned());
    assert_eq!(codes(&world), ["directory_went_back"]);
    let item = summary(&world).acceptance;
    world.hr().update_marks.insert("dc1".to_owned(), "00498".to_owned());
    assert_eq!(summary(&world).acceptance, item, "what goes on is one and the same");
}

#[test]
fn a_field_that_topdesk_shows_no_more_is_left_alone() {
    let mut world = World::of(6);
    world.policy.fields.get_mut(&CardField::JobTitle).unwrap().policy = FieldPolicy::Seed;
    for number in 1..=6 {
        world.hr().set(&format!("E{number:03}"), "job", "Nurse");
    }
    assert_eq!(names(&world.judged().plan).len(), 6, "an empty field is filled");
    world.target_history.last_good = Some(Profile {
        records: 6,
        filled: BTreeMap::from([("jobTitle".to_owned(), 6)]),
        ..Profile::default()
    });
    let judged = world.judged();
    assert_eq!(names(&judged.plan), Vec::<String>::new());
    assert_ne!(world.input().target.verdict, Verdict::Complete);
    let item = world.input().target.acceptance.expect("something to accept");
    world.target_history.accepted.insert(item);
    assert_eq!(names(&world.judged().plan).len(), 6);
}

#[test]
fn canaries_that_leave_are_named_a_month_before() {
    let mut world = World::of(4);
    let now = world.now;
    let day = |days: i64| (now + Duration::days(days)).date_naive().to_string();
    let ends = [("E001", day(20)), ("E002", day(90)), ("E003", day(-3))];
    for (key, end) in ends {
        world.hr().set(key, "end", &end);
    }
    let expected = Expectations {
        canaries: vec![key("E001"), key("E002"), key("E003"), key("E004")],
        canaries_at_least: 1,
        ..Expectations::default()
    };
    world.policy.expectations.insert("hr".into(), expected);
    let mut input = world.input();
    name_leavers(&mut input.snapshots, &input.policy, &world.mapping, input.moment);
    let told: Vec<&str> = input.snapshots[0]
        .summary
        .findings
        .iter()
        .map(|f| f.message.as_str())
        .collect();
    let leaves = format!("canary E001 of hr leaves on {}", day(21));
    assert_eq!(told, [leaves.as_str(), "canary E003 of hr has evidence of leaving"]);
}

#[test]
fn with_a_doubted_clock_dates_are_unknown_and_what_is_not_a_date_is_not_ripe() {
    let mut world = World::of(6);
    world.leaves("E001");
    world.hr().set("E002", "status", "left");
    world.entry("c-E002").leaving_since = Some(world.now - Duration::days(9));
    world.hr().set("E003", "job", "Nurse");
    world.hr().set("E004", "end", "2027-01-01");
    world.hr().remove("E005");
    world.absent("c-E005", "hr", 3, 72);
    world.policy.expectations.insert(
        "hr".into(),
        Expectations {
            max_drop_percent: 90.0,
            ..Expectations::default()
        },
    );
    let trusted = world.judged();
    assert!(
        ["archive c-E001", "archive c-E002", "archive c-E005"]
            .iter()
            .all(|it| names(&trusted.plan).contains(&(*it).to_owned()))
    );
    world.clock = doubted(&world, 11);
    assert_eq!(allowed(&world.judged()), ["update c-E003"]);
}

#[test]
fn an_approval_that_has_expired_by_another_clock_waives_nothing() {
    let mut world = World::of(3);
    world.hr().set("E001", "job", "Nurse");
    world.contact = crate::core::memory::decision::Contact::default();
    let judged = world.judged();
    world.hr().set("E002", "job", "BAD");
    let update = super::world::change(&judged.plan, "update c-E001").id.clone();
    world.decide(&update, Answer::Approve, BTreeSet::from(["first_contact".to_owned()]));
    let decided = world.decisions[&update].clone();
    world.clock = doubted(&world, 8 * 24 * 60);
    assert!(decided.in_force(world.now) && !decided.in_force(world.clock.latest(world.now)));
}

/// The next complete read of `hr` has this content; what came before is remembered as a run would.
fn next_content(world: &mut World, content: &str) -> Vec<String> {
    world.hr().content = Some(content.into());
    let codes = codes(world);
    if summary(world).verdict == Verdict::Complete {
        world.hr().history.remember_content(content);
        remember(world);
    }
    codes
}

#[test]
fn a_mistake_taken_back_is_no_old_export() {
    let mut world = World::of(20);
    assert_eq!(next_content(&mut world, "right"), Vec::<String>::new());
    assert_eq!(next_content(&mut world, "wrong"), Vec::<String>::new());
    assert_eq!(next_content(&mut world, "right"), ["change_taken_back"]);
    // Two mistakes, taken back one after the other.
    for content in ["first", "second"] {
        assert_eq!(next_content(&mut world, content), Vec::<String>::new());
    }
    assert_eq!(next_content(&mut world, "first"), ["change_taken_back"]);
    assert_eq!(next_content(&mut world, "right"), ["change_taken_back"]);
    // Somebody was lost and is there again.
    world.hr().remove("E020");
    assert_eq!(next_content(&mut world, "lost"), Vec::<String>::new());
    world.hr().rows.push(row("E020"));
    assert_eq!(next_content(&mut world, "right"), ["change_taken_back"]);
}

#[test]
fn an_older_export_is_told_from_a_mistake_taken_back() {
    let mut world = World::of(20);
    for content in ["monday", "tuesday", "wednesday"] {
        next_content(&mut world, content);
    }
    assert_eq!(
        next_content(&mut world, "monday"),
        ["content_went_back"],
        "two steps back"
    );
    // One step back, and a joiner is gone by it.
    world.hr().rows.push(row("E021"));
    assert_eq!(next_content(&mut world, "joiner"), Vec::<String>::new());
    world.hr().remove("E021");
    assert_eq!(next_content(&mut world, "wednesday"), ["content_went_back"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Whatever the world, and however far the clocks are apart: nobody leaves, nobody returns, nothing is counted.
    #[test]
    fn nothing_that_depends_on_the_time_happens_while_the_clock_is_doubted(
        case in worlds(),
        days in prop_oneof![-700_i64..-1, 1_i64..700],
    ) {
        let mut world = case.world();
        let judged = world.judged();
        world.approve(&judged, |_| true);
        world.clock = doubted(&world, days * 24 * 60);
        let judged = world.judged();
        for approved in judged.approved.changes() {
            let kind = approved.change().action.kind();
            prop_assert!(!matches!(kind, ActionKind::Archive | ActionKind::Unarchive | ActionKind::Anonymize));
        }
        prop_assert!(!judged.plan.full_look);
        for entry in &judged.plan.ledger {
            let Some(known) = world.ledger.get(&entry.card) else { continue };
            prop_assert!(entry.leaving_since.is_none() || entry.leaving_since == known.leaving_since);
            for (source, sighting) in &entry.sightings {
                let before = known.sightings.get(source).and_then(|sighting| sighting.absent.clone());
                prop_assert!(sighting.absent.is_none() || sighting.absent == before);
            }
        }
    }

    /// RULES 3.1, 3.3: whatever is doubted about a read, it makes nobody absent, and counts nobody as absent.
    #[test]
    fn a_doubted_read_makes_nobody_absent(case in worlds(), doubt in 0_u8..6) {
        let mut world = case.world();
        world.hr().content = Some("monday".into());
        world.hr().update_marks.insert("dc1".to_owned(), "00500".to_owned());
        remember(&mut world);
        let modified = world.now;
        let hr = world.hr();
        match doubt {
            0 => hr.rows.push(row("")),
            1 => hr.rows.push(row("12*")),
            2 => {
                hr.history.last_good.as_mut().unwrap().filled.insert("job".to_owned(), 1_000);
                hr.history.last_good.as_mut().unwrap().records = 1_000;
                for row in &mut hr.rows {
                    row.values.remove("job");
                }
            }
            3 => hr.history.last_good.as_mut().unwrap().content = Some("tuesday".into()),
            4 => {
                hr.update_marks.insert("dc1".to_owned(), "00499".to_owned());
            }
            _ => {
                hr.modified_at = Some(modified - Duration::hours(2));
                hr.history.last_modified_at = Some(modified - Duration::hours(1));
            }
        }
        let found = summary(&world).findings;
        prop_assume!(!summary(&world).name.as_str().is_empty() && summary(&world).records > 0);
        prop_assert!(found.iter().any(|finding| finding.effect != Effect::Note), "{found:?}");
        let judged = world.judged();
        for change in &judged.plan.changes {
            let by_hr = |code: EvidenceCode| code == EvidenceCode::Missing;
            for evidence in change.evidence.iter().filter(|evidence| by_hr(evidence.code)) {
                prop_assert!(evidence.source != Some("hr".into()), "{change:?}");
            }
        }
        for entry in &judged.plan.ledger {
            let absent = |entry: &crate::core::memory::ledger::LedgerEntry| {
                entry.sightings.get(&"hr".into()).and_then(|sighting| sighting.absent.clone())
            };
            let before = world.ledger.get(&entry.card).and_then(absent);
            prop_assert!(absent(entry).is_none() || absent(entry) == before);
        }
    }

    /// RULES 3.5: an attribute that went mostly empty empties no field of anybody.
    #[test]
    fn an_emptied_attribute_empties_nothing(case in worlds(), left in any::<bool>()) {
        let mut world = case.world();
        let hr = world.hr();
        for (number, row) in hr.rows.iter_mut().enumerate() {
            if number > 0 || !left {
                row.values.insert("email", String::new());
            }
        }
        let last_good = Profile {
            records: 1_000,
            filled: BTreeMap::from([("email".to_owned(), 1_000)]),
            ..Profile::default()
        };
        hr.history.last_good = Some(last_good);
        prop_assume!(codes(&world).contains(&"attribute_emptied".to_owned()));
        let judged = world.judged();
        let hr2_has = |key: &crate::core::model::key::Key| {
            let others = world.sources.iter().filter(|source| source.name.as_str() != "hr");
            others.flat_map(|source| &source.rows).any(|row| row.values["key"] == key.as_str())
        };
        for change in judged.plan.changes.iter().filter(|change| !change.key.as_ref().is_some_and(hr2_has)) {
            for field in change.action.fields().iter().filter(|field| field.field == CardField::Email) {
                let emptied = field.from.is_some() && field.to.is_none();
                prop_assert!(!emptied, "{change:?}");
                prop_assert!(!matches!(&field.to, Some(FieldValue::Text(text)) if text.is_empty()));
            }
        }
    }
}
