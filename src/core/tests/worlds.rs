//! Worlds at random: a dozen people in every shape that the rules speak of, with sources and a TOPdesk that are often
//! spoiled. Names and numbers are few, so that people meet.

use super::world::{Row, TestSource, World, key, row};
use crate::core::memory::decision::Contact;
use crate::core::memory::ledger::Sighting;
use crate::core::model::card::{FilterProof, OperatorKind};
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::reads::snapshot::{Effect, Finding, RejectionScope, Role};
use crate::core::rules::policy::{Budget, Budgets, RehirePerson};
use chrono::Duration;
use proptest::prelude::*;
use proptest::sample::select;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InSource {
    No,
    Once,
    Twice,
    Unusable,
    BadFields,
    Keyless,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCards {
    None,
    Active,
    ArchivedByHand,
    ArchivedByUs,
    WokenByHand,
    Keyless,
    OtherKey,
    Anonymized,
    TwoActive,
    WithArchivedTwin,
}

#[derive(Clone, Debug)]
pub struct Someone {
    pub hr: InSource,
    pub hr2: InSource,
    pub cards: OnCards,
    pub known: bool,
    pub absent: (u32, i64),
    pub attributes: Vec<(&'static str, &'static str)>,
    pub stranger: bool,
    pub operators: Vec<(bool, OperatorKind)>,
    pub protected: bool,
    pub anchor: bool,
    pub ended: bool,
}

#[derive(Clone, Debug)]
pub struct Spoiled {
    pub hr: u8,
    pub hr2: u8,
    pub same_people: bool,
    pub target: bool,
    pub filters: bool,
    pub contact: u8,
    pub budgets: u8,
    pub manager_flag: bool,
    pub rehire_holds: bool,
}

/// Attributes of a row: mostly none differs, and where one does, the values are few.
fn attributes() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let odd = select(vec![
        ("job", "Nurse"),
        ("job", "BAD"),
        ("job", "ODD"),
        ("sur", "Married"),
        ("sur", ""),
        ("email", ""),
        ("email", "shared@example.net"),
        ("login", ""),
        ("login", "shared"),
        ("login", "p1"),
        ("login", "p2"),
        ("login", "p3"),
        ("login", "p4"),
        ("dept", "Sales"),
        ("dept", "New"),
        ("dept", "Newer"),
        ("branch", "Delft"),
        ("branch", "Nowhere"),
        ("mgr", "P1"),
        ("mgr", "P2"),
        ("mgr", "P3"),
        ("mgr", "NOBODY"),
        ("end", "2026-01-01"),
        ("end", "2026-01-01"),
        ("end", "2026-03-01"),
        ("end", "2027-01-01"),
        ("end", "soon"),
        ("status", "left"),
        ("status", "?"),
        ("scope", "no"),
        ("scope", "?"),
    ]);
    proptest::collection::vec(odd, 0..4)
}

fn in_source() -> impl Strategy<Value = InSource> {
    prop_oneof![
        8 => Just(InSource::Once),
        3 => Just(InSource::No),
        1 => Just(InSource::Twice),
        1 => Just(InSource::Unusable),
        1 => Just(InSource::BadFields),
        1 => Just(InSource::Keyless),
    ]
}

fn on_cards() -> impl Strategy<Value = OnCards> {
    prop_oneof![
        8 => Just(OnCards::Active),
        3 => Just(OnCards::None),
        1 => Just(OnCards::ArchivedByHand),
        2 => Just(OnCards::ArchivedByUs),
        1 => Just(OnCards::WokenByHand),
        2 => Just(OnCards::Keyless),
        1 => Just(OnCards::OtherKey),
        1 => Just(OnCards::Anonymized),
        1 => Just(OnCards::TwoActive),
        1 => Just(OnCards::WithArchivedTwin),
    ]
}

fn operators() -> impl Strategy<Value = Vec<(bool, OperatorKind)>> {
    let kind = prop_oneof![
        8 => Just(OperatorKind::Regular),
        1 => Just(OperatorKind::ApiAccount),
        1 => Just(OperatorKind::TopdeskAccount),
    ];
    prop_oneof![
        5 => Just(Vec::new()),
        2 => proptest::collection::vec((any::<bool>(), kind), 1..3),
    ]
}

fn someone() -> impl Strategy<Value = Someone> {
    let rare = || prop::bool::weighted(0.1);
    (
        (
            in_source(),
            prop_oneof![6 => Just(InSource::No), 1 => in_source()],
            on_cards(),
        ),
        (prop::bool::weighted(0.8), (0_u32..4, select(vec![1_i64, 30, 72]))),
        attributes(),
        operators(),
        (rare(), rare(), prop::bool::weighted(0.3), rare()),
    )
        .prop_map(
            |((hr, hr2, cards), (known, absent), attributes, operators, flags)| Someone {
                hr,
                hr2,
                cards,
                known,
                absent,
                attributes,
                stranger: flags.0,
                operators,
                protected: flags.1,
                anchor: flags.2,
                ended: flags.3,
            },
        )
}

fn spoiled() -> impl Strategy<Value = Spoiled> {
    let rare = || prop::bool::weighted(0.1);
    let source = || prop_oneof![6 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    (
        (source(), prop_oneof![2 => Just(3_u8), 2 => source()], any::<bool>()),
        (rare(), rare(), prop_oneof![6 => Just(0_u8), 1 => Just(1), 1 => Just(2)]),
        (0_u8..3, any::<bool>(), rare()),
    )
        .prop_map(|(sources, target, rest)| Spoiled {
            hr: sources.0,
            hr2: sources.1,
            same_people: sources.2,
            target: target.0,
            filters: target.1,
            contact: target.2,
            budgets: rest.0,
            manager_flag: rest.1,
            rehire_holds: rest.2,
        })
}

/// What a world is made from: short to print where a property fails.
#[derive(Clone, Debug)]
pub struct Case {
    pub people: Vec<Someone>,
    pub spoiled: Spoiled,
    /// Which items a human approves, around and around.
    pub approved: Vec<bool>,
}

impl Case {
    pub fn world(&self) -> World {
        build(&self.people, &self.spoiled)
    }
}

pub fn worlds() -> impl Strategy<Value = Case> {
    (
        proptest::collection::vec(someone(), 1..12),
        spoiled(),
        proptest::collection::vec(any::<bool>(), 8),
    )
        .prop_map(|(people, spoiled, approved)| Case {
            people,
            spoiled,
            approved,
        })
}

fn build(people: &[Someone], spoiled: &Spoiled) -> World {
    let mut world = World::new();
    world.policy.manager_flag = spoiled.manager_flag;
    if spoiled.rehire_holds {
        world.policy.rehire = RehirePerson::Hold;
    }
    world.policy.budgets = budgets(spoiled.budgets);
    match spoiled.contact {
        0 => {}
        1 => world.contact = Contact::default(),
        _ => "older".clone_into(&mut world.contact.seen.as_mut().expect("seen").config_hash),
    }
    if spoiled.filters {
        world.filters = FilterProof::Unreadable;
    }
    if spoiled.target {
        let finding = Finding::new("page_shifted", Effect::NoAbsence, "", "");
        world.target_findings.push(finding);
    }
    if spoiled.hr2 != 3 {
        world.sources.push(TestSource::new("hr2", Role::Authoritative));
        world.source("hr2").rows.push(row("Q1").with("end", "2026-01-01"));
        if spoiled.same_people {
            world.policy.same_people = vec![["hr".into(), "hr2".into()].into()];
        }
        spoil(world.source("hr2"), spoiled.hr2);
    }
    spoil(world.hr(), spoiled.hr);
    for (number, someone) in people.iter().enumerate() {
        add(&mut world, number + 1, someone, spoiled.hr2 != 3);
    }
    for source in &mut world.sources {
        for (number, row) in source.rows.iter_mut().enumerate() {
            row.line = Some(number as u64 + 2);
        }
    }
    world
}

fn spoil(source: &mut TestSource, how: u8) {
    source.history.last_good_keyless = Some(3);
    source.history.last_good_unreadable = Some(3);
    match how {
        1 => source.degrade(),
        2 => source.reject(),
        _ => {}
    }
}

/// Defaults, next to nothing, or plenty; plenty without percentages, so that a new card does not raise a limit.
pub fn budgets(which: u8) -> Budgets {
    let max = |max| Budget {
        max: Some(max),
        percent: None,
        per_week: None,
    };
    match which {
        0 => Budgets::default(),
        1 => Budgets {
            archive: max(1),
            unarchive: max(1),
            create: max(1),
            names: max(0),
            blanked_fields: max(0),
            lookups: max(1),
            ..Budgets::default()
        },
        _ => Budgets {
            archive: max(50),
            unarchive: max(50),
            create: max(50),
            names: max(50),
            blanked_fields: max(50),
            lookups: max(50),
            ..Budgets::default()
        },
    }
}

fn add(world: &mut World, number: usize, someone: &Someone, second: bool) {
    let number = format!("P{number}");
    let plain = row(&number);
    let mut record = plain.clone();
    if someone.stranger {
        record = record
            .with("sur", "Else")
            .with("first", "Somebody")
            .with("email", "")
            .with("login", "");
    }
    for (attribute, value) in &someone.attributes {
        record = record.with(attribute, value);
    }
    record.ended = someone.ended;
    record.anchor = someone.anchor.then(|| format!("guid-{number}"));
    put(world.hr(), &number, someone.hr, &record);
    if second {
        put(world.source("hr2"), &number, someone.hr2, &record);
    }
    let id = format!("c-{number}");
    match someone.cards {
        OnCards::None => return,
        OnCards::Keyless => world.card(&id, &plain.clone().with("key", "")),
        OnCards::OtherKey => world.card(&id, &plain.clone().with("key", &format!("X{number}"))),
        OnCards::Anonymized => world.card(&id, &plain.clone().with("key", "***").with("sur", "***")),
        OnCards::Active
        | OnCards::ArchivedByHand
        | OnCards::ArchivedByUs
        | OnCards::WokenByHand
        | OnCards::TwoActive
        | OnCards::WithArchivedTwin => world.card(&id, &plain),
    }
    if someone.known || matches!(someone.cards, OnCards::ArchivedByUs | OnCards::WokenByHand) {
        remember(world, &id, &number, someone, second);
    }
    match someone.cards {
        OnCards::ArchivedByHand => world.card_mut(&id).archived = true,
        OnCards::ArchivedByUs => world.archived_by_us(&id),
        OnCards::WokenByHand => {
            world.archived_by_us(&id);
            world.card_mut(&id).archived = false;
        }
        OnCards::TwoActive | OnCards::WithArchivedTwin => {
            let twin = format!("c-{number}-twin");
            world.card(&twin, &plain.with("login", "").with("email", ""));
            world.card_mut(&twin).archived = someone.cards == OnCards::WithArchivedTwin;
        }
        _ => {}
    }
    for (at, (archived, kind)) in someone.operators.iter().enumerate() {
        world.operator(&format!("o-{number}-{at}"), &id, *archived, *kind);
    }
    if someone.protected {
        world.policy.protected.keys.insert(key(&number));
    }
}

fn put(source: &mut TestSource, number: &str, how: InSource, record: &Row) {
    match how {
        InSource::No => {}
        InSource::Once => source.rows.push(record.clone()),
        InSource::Keyless => source.rows.push(record.clone().with("key", "")),
        InSource::Twice => source.rows.extend([record.clone(), record.clone()]),
        InSource::Unusable => source
            .rejections
            .push((Some(number.to_owned()), RejectionScope::Record)),
        InSource::BadFields => {
            source.rows.push(record.clone());
            source
                .rejections
                .push((Some(number.to_owned()), RejectionScope::Fields));
        }
    }
}

fn remember(world: &mut World, id: &str, number: &str, someone: &Someone, second: bool) {
    let card = CardId::from(id);
    // The ledger entry is of the time when the card had its key.
    let now = world.cards[&card].fields.get(CardField::EmployeeNumber).cloned();
    world.set_text(id, CardField::EmployeeNumber, number);
    world.ours(id);
    world.set(id, CardField::EmployeeNumber, now);
    let (reads, hours) = someone.absent;
    if reads > 0 {
        world.absent(id, "hr", reads, hours);
    }
    if second && someone.hr2 != InSource::No {
        let sighting = Sighting::new(world.now);
        world.entry(id).sightings.insert("hr2".into(), sighting);
        if reads > 0 {
            world.absent(id, "hr2", reads, hours);
        }
    }
    if someone.anchor {
        let value = format!("guid-{number}").into();
        world.entry(id).anchors.push(crate::core::model::record::Anchor {
            source: "hr".into(),
            value,
        });
    }
    if hours > 24 {
        world.entry(id).leaving_since = Some(world.now - Duration::hours(hours));
    }
}
