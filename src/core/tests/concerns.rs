//! What needs a human is found, goes by what it is about, and nothing that needs nobody is on the list (RULES 8.7).

use super::world::{World, row};
use super::worlds::worlds;
use crate::core::memory::decision::{Answer, read_of};
use crate::core::model::card::OperatorKind;
use crate::core::plan::concern::{Addressee, Concern, ConcernCode};
use crate::core::reads::snapshot::RejectionScope;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn concerns(world: &World) -> Vec<Concern> {
    world.judged().concerns
}

fn codes(world: &World) -> Vec<(ConcernCode, String)> {
    let about = |concern: &Concern| concern.key.as_ref().map(ToString::to_string).unwrap_or_default();
    concerns(world).iter().map(|it| (it.code, about(it))).collect()
}

/// Twenty people in step, then trouble of several kinds.
fn troubled() -> World {
    let mut world = World::of(20);
    world.run();
    let hr = world.hr();
    // A number twice, an end date that is none, a row without a number, a row that cannot be read.
    let twice = hr.row_of("E002").clone();
    hr.rows.push(twice);
    hr.set("E003", "end", "1 november");
    hr.rows.push(row("X").with("key", ""));
    hr.rejections.push((Some("E004".to_owned()), RejectionScope::Record));
    hr.remove("E004");
    world
}

#[test]
fn a_company_in_step_needs_nobody() {
    let mut world = World::of(5);
    world.run();
    assert_eq!(codes(&world), []);
}

#[test]
fn conflicts_unknown_leaving_and_bad_records_are_on_the_list_with_their_places() {
    let world = troubled();
    let found: BTreeSet<(ConcernCode, String)> = codes(&world).into_iter().collect();
    let about = |code, key: &str| (code, key.to_owned());
    for expected in [
        about(ConcernCode::DuplicateKey, "E002"),
        about(ConcernCode::LeavingUnknown, "E003"),
        about(ConcernCode::RecordRejected, "E004"),
        about(ConcernCode::RecordWithoutKey, ""),
    ] {
        assert!(found.contains(&expected), "{expected:?}: {found:?}");
    }
    for concern in concerns(&world) {
        let placed = concern.code == ConcernCode::ReadDoubted || concern.places[0].contains("line");
        assert!(placed && !concern.cure.is_empty(), "{concern:?}");
    }
}

#[test]
fn whoever_has_an_active_operator_stands_first() {
    let mut world = troubled();
    world.operator("o1", "c-E003", false, OperatorKind::Regular);
    let first = &concerns(&world)[0];
    assert_eq!(
        (first.code, first.concerns_operator()),
        (ConcernCode::LeavingUnknown, true)
    );
    assert_eq!(first.addressee, Addressee::Hr);
}

#[test]
fn the_same_question_on_another_line_is_the_same_question() {
    let mut world = troubled();
    let ids = |world: &World| -> BTreeSet<String> { concerns(world).iter().map(|it| it.id.to_string()).collect() };
    let before = ids(&world);
    world.hr().rows.rotate_left(7);
    assert_eq!(ids(&world), before);
    world.hr().set("E005", "end", "soon");
    let after = ids(&world);
    assert!(after.is_superset(&before) && after.len() == before.len() + 1);
}

#[test]
fn what_is_known_is_quiet_until_it_is_another_one() {
    let mut world = troubled();
    let known = concerns(&world)
        .into_iter()
        .find(|it| it.code == ConcernCode::RecordWithoutKey);
    world.decide(
        &known.expect("a row without a number").id,
        Answer::Reject,
        BTreeSet::new(),
    );
    let open = |world: &World| {
        let found = concerns(world);
        let keyless = found.iter().filter(|it| it.code == ConcernCode::RecordWithoutKey);
        keyless.filter(|it| it.is_open()).count()
    };
    assert_eq!(open(&world), 0);
    world.hr().rows.push(row("Y").with("key", "").with("sur", "Other"));
    assert_eq!(open(&world), 1);
}

/// Something that changes what a concern is about.
type Change = fn(&mut World);

#[test]
fn another_value_is_another_question_whatever_is_asked() {
    let changes: [(ConcernCode, Change); 5] = [
        (ConcernCode::LeavingUnknown, |world| {
            world.hr().set("E003", "end", "29-11-2026")
        }),
        (ConcernCode::LeavingUnknown, |world| {
            world.operator("o1", "c-E003", false, OperatorKind::Regular);
        }),
        (ConcernCode::DuplicateKey, |world| {
            world
                .hr()
                .rows
                .last_mut()
                .expect("a row")
                .values
                .insert("end", "2026-11-01".to_owned());
        }),
        (ConcernCode::DuplicateKey, |world| {
            let third = world.hr().row_of("E002").clone();
            world.hr().rows.push(third);
        }),
        (ConcernCode::RecordWithoutKey, |world| {
            world.hr().set("", "sur", "Other")
        }),
    ];
    for (code, change) in changes {
        let mut world = troubled();
        let hr = world.hr();
        let twin = hr
            .rows
            .iter()
            .rposition(|row| row.values["key"] == "E002")
            .expect("a second row");
        let last = hr.rows.len() - 1;
        hr.rows.swap(twin, last);
        let of_code = |world: &World| {
            let found = concerns(world).into_iter().filter(|it| it.code == code);
            found.collect::<Vec<Concern>>()
        };
        let before = of_code(&world);
        world.decide(&before[0].id, Answer::Reject, BTreeSet::new());
        assert!(of_code(&world).iter().all(|it| !it.is_open()), "{code}: it is known");
        change(&mut world);
        let after = of_code(&world);
        assert!(after.iter().all(Concern::is_open), "{code}: {before:#?} {after:#?}");
        assert!(after[0].follows(&before[0]), "{code}: it is about the same");
    }
}

#[test]
fn another_content_of_a_read_is_another_question() {
    let mut world = World::of(20);
    world.run();
    world.hr().history.largest_accepted = Some(20);
    let read = |world: &World| {
        let found = concerns(world).into_iter();
        found
            .filter(|it| it.code == ConcernCode::ReadRejected)
            .collect::<Vec<Concern>>()
    };
    for number in 1..=10 {
        world.hr().remove(&format!("E{number:03}"));
    }
    let first = read(&world);
    for concern in &first {
        world.decide(&concern.id, Answer::Reject, BTreeSet::from([read_of(&"hr".into())]));
    }
    assert!(!first.is_empty() && read(&world).iter().all(|it| !it.is_open()));
    world.hr().remove("E011");
    assert!(
        read(&world).iter().all(Concern::is_open),
        "fewer again is another matter"
    );
}

proptest! {
    /// Ids tell the entries of a list apart, and the order of the rows says nothing.
    #[test]
    fn ids_are_unique_and_the_same_whatever_the_order(case in worlds(), by in 0..7_usize) {
        let mut world = case.world();
        let ids = |world: &World| -> Vec<String> { concerns(world).iter().map(|it| it.id.to_string()).collect() };
        let before = ids(&world);
        let unique: BTreeSet<&String> = before.iter().collect();
        prop_assert_eq!(unique.len(), before.len());
        for source in &mut world.sources {
            let rows = source.rows.len();
            if rows > 0 {
                source.rows.rotate_left(by % rows);
            }
        }
        let after: BTreeSet<String> = ids(&world).into_iter().collect();
        prop_assert_eq!(after, before.into_iter().collect::<BTreeSet<String>>());
    }
}
