//! What a read may be used for (RULES 3.1, 3.2, 3.3, 3.6).

use super::world::{World, key, row};
use crate::core::model::card::FilterProof;
use crate::core::reads::quality::judge_target;
use crate::core::reads::snapshot::{Expectations, RejectionScope, SnapshotHistory, Use, Verdict};

fn verdict(world: &World) -> (Verdict, Vec<String>) {
    let snapshot = &world.input().snapshots[0];
    let codes = snapshot.summary.findings.iter().map(|finding| finding.code.to_string());
    (snapshot.summary.verdict.clone(), codes.collect())
}

fn no_absence() -> Verdict {
    Verdict::Degraded {
        cannot: [Use::Absence].into(),
    }
}

#[test]
fn an_undisturbed_read_is_complete() {
    assert_eq!(verdict(&World::of(3)), (Verdict::Complete, vec![]));
}

#[test]
fn an_empty_read_is_below_every_floor() {
    assert_eq!(
        verdict(&World::new()),
        (Verdict::Rejected, vec!["below_floor".to_owned()])
    );
}

#[test]
fn a_drop_beyond_ten_percent_is_rejected_and_exactly_ten_is_not() {
    let mut world = World::of(90);
    world.hr().history.largest_accepted = Some(100);
    assert_eq!(verdict(&world).0, Verdict::Complete);
    world.hr().remove("E090");
    assert_eq!(verdict(&world), (Verdict::Rejected, vec!["dropped".to_owned()]));
}

#[test]
fn canaries_must_be_there() {
    let mut world = World::of(3);
    let expected = Expectations {
        canaries: vec![key("E001"), key("E900"), key("E901")],
        canaries_at_least: 1,
        ..Expectations::default()
    };
    world.policy.expectations.insert("hr".into(), expected);
    assert_eq!(verdict(&world).0, Verdict::Complete);
    world
        .policy
        .expectations
        .get_mut(&"hr".into())
        .unwrap()
        .canaries_at_least = 2;
    assert_eq!(
        verdict(&world),
        (Verdict::Rejected, vec!["canaries_missing".to_owned()])
    );
}

#[test]
fn size_can_be_accepted_and_decoding_cannot() {
    let mut world = World::of(3);
    world.hr().history.largest_accepted = Some(100);
    let item = world.input().snapshots[0].summary.acceptance.clone().unwrap();
    world.hr().history.accepted.insert(item);
    assert_eq!(verdict(&world).0, Verdict::Complete);
    world.hr().reject();
    assert_eq!(verdict(&world).0, Verdict::Rejected);
}

#[test]
fn an_acceptance_is_bound_to_the_content_not_to_its_order() {
    let mut world = World::of(3);
    world.hr().history.largest_accepted = Some(100);
    let item = world.input().snapshots[0].summary.acceptance.clone();
    assert!(item.is_some());
    world.hr().rows.reverse();
    assert_eq!(world.input().snapshots[0].summary.acceptance, item);
    world.hr().remove("E001");
    assert_ne!(world.input().snapshots[0].summary.acceptance, item);
}

#[test]
fn keyless_records_count_against_the_last_good_read() {
    let mut world = World::of(3);
    world.hr().rows.push(row("  "));
    assert_eq!(verdict(&world).0, Verdict::Complete, "nothing to compare with yet");
    world.hr().history.last_good_keyless = Some(1);
    assert_eq!(verdict(&world).0, Verdict::Complete);
    world.hr().rows.push(row(""));
    assert_eq!(verdict(&world), (no_absence(), vec!["more_keyless".to_owned()]));
}

#[test]
fn unreadable_records_count_and_bad_fields_do_not() {
    let mut world = World::of(3);
    world.hr().history.last_good_unreadable = Some(0);
    world
        .hr()
        .rejections
        .push((Some("E001".to_owned()), RejectionScope::Fields));
    assert_eq!(verdict(&world).0, Verdict::Complete);
    for bad in ["12*", "123456789012345678901"] {
        let mut world = world.clone();
        world.hr().rows.push(row(bad));
        assert_eq!(
            verdict(&world),
            (no_absence(), vec!["more_unreadable".to_owned()]),
            "{bad}"
        );
    }
}

#[test]
fn a_file_too_old_is_rejected() {
    let world = World::of(1);
    let input = world.input();
    let mut keyed = crate::core::reads::quality::key_records(
        crate::core::reads::snapshot::SourceRead {
            source: "hr".into(),
            role: crate::core::reads::snapshot::Role::Authoritative,
            read_at: world.now,
            generation: "1".into(),
            key_attribute: "key".to_owned(),
            attributes: crate::core::model::record::AttributeNames::new(["key".to_owned()], false),
            missing_attributes: Default::default(),
            known_attributes: Default::default(),
            records: Vec::new(),
            rejections: Vec::new(),
            findings: Vec::new(),
            modified_at: Some(world.now - chrono::Duration::hours(27)),
            name_date: None,
            server_time: None,
            content: None,
            update_marks: Default::default(),
        },
        &input.policy.key,
    );
    keyed.records = vec![];
    let expected = Expectations {
        min_records: 0,
        max_age: Some(chrono::Duration::hours(26)),
        ..Expectations::default()
    };
    let snapshot = crate::core::reads::quality::judge_source(keyed, &expected, &SnapshotHistory::default(), world.now);
    assert!(snapshot.is_rejected());
    assert_eq!(&*snapshot.summary.findings[0].code, "too_old");
}

#[test]
fn the_read_of_topdesk_is_judged_too() {
    type Spoil = fn(&mut crate::core::model::card::TargetSnapshot);
    let ways: [(&str, Spoil); 3] = [
        ("count_differs", |target| target.counts.1 += 1),
        ("linked_card_unseen", |target| {
            target.operators.push(crate::core::model::card::OperatorCard {
                id: "o-1".into(),
                archived: false,
                kind: crate::core::model::card::OperatorKind::Regular,
                linked_person: Some("hidden".into()),
                login_name: None,
                email: None,
                login_permission: None,
            });
        }),
        ("known_card_unseen", |target| {
            target.cards.remove(0);
            target.counts = (2, 2);
        }),
    ];
    let world = World::of(3);
    for (code, spoil) in ways {
        let input = world.input();
        let mut target = input.target.clone();
        spoil(&mut target);
        judge_target(
            &mut target,
            &Default::default(),
            world.ledger.keys(),
            &Expectations::default(),
            &SnapshotHistory::default(),
        );
        let Verdict::Degraded { cannot } = &target.verdict else {
            panic!("{code}: {:?}", target.verdict)
        };
        assert!(
            cannot.contains(&Use::Create) && cannot.contains(&Use::Archive),
            "{code}"
        );
        assert_eq!(&*target.findings[0].code, code);
    }
}

#[test]
fn a_deleted_card_is_drift_only_for_an_account_that_sees_everything() {
    let mut world = World::of(3);
    world.cards.remove(&crate::core::model::ids::CardId::from("c-E001"));
    world.confirmed_gone.insert("c-E001".into());
    assert_eq!(world.input().target.verdict, Verdict::Complete);
    world.filters = FilterProof::Unreadable;
    assert_ne!(world.input().target.verdict, Verdict::Complete);
}

#[test]
fn a_smaller_topdesk_is_doubted() {
    let world = World::of(3);
    let mut target = world.input().target;
    let history = SnapshotHistory {
        largest_accepted: Some(100),
        ..SnapshotHistory::default()
    };
    judge_target(
        &mut target,
        &Default::default(),
        world.ledger.keys(),
        &Expectations::default(),
        &history,
    );
    assert_eq!(&*target.findings[0].code, "dropped");
}
