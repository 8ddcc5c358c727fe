//! A key can be any word, one of our own formats among them: who has it is forgotten, and everything still reads (RULES 12).

use super::super::file;
use super::super::mentions::{OF_PEOPLE, TEXTS};
use super::*;
use crate::core::memory::apart::{Apart, AskedLeaver};
use crate::core::memory::decision::{Answer, Contact, Decision, HeldItem, SeenConfig, Waiting};
use crate::core::memory::pin::{Pin, Pinned};
use crate::core::model::card::OperatorLink;
use crate::core::model::field::Reference;
use crate::core::model::record::Anchor;
use crate::core::plan::concern::{Addressee, Concern, ConcernCode};
use crate::core::plan::report::RunReport;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{ActionKind, Drift, Evidence, EvidenceCode, HoldReason, OtherSide};
use crate::core::rules::policy::BudgetClass;
use crate::engine::attention::KeptConcern;
use crate::engine::records::{RecordsKeeper, RecordsReader};
use crate::engine::state::{KeptHold, Learned, StateReader};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody else, about whom much is kept.
fn leaver() -> Change {
    let manager = FieldValue::Reference(Reference::Card {
        id: "c-9".into(),
        label: "900009".into(),
    });
    let number = FieldChange {
        field: CardField::EmployeeNumber,
        from: None,
        to: FieldValue::text("900001"),
    };
    let mut change = change(
        Action::Archive {
            reason: Some("left".into()),
            disarm: vec!["o-1".into()],
            apart: Default::default(),
            number: vec![
                number,
                FieldChange {
                    field: CardField::Manager,
                    from: Some(manager),
                    to: None,
                },
            ],
        },
        "900001",
        Some("c-1"),
    );
    change.operator = OperatorLink::Active {
        operators: vec!["o-1".into()],
    };
    change.evidence = vec![Evidence::new(
        EvidenceCode::LeaverCondition,
        Some("hr".into()),
        "status is left".into(),
    )];
    change.why = vec!["undoes create 0a1b2c of run r0".into()];
    change.doubts = doubts();
    change.anchors = vec![Anchor {
        source: "ad".into(),
        value: "guid".into(),
    }];
    change.seen_in = vec!["hr".into()];
    change.overwrites = [CardField::Email].into();
    change
}

/// Doubts whose words stand where others have sentences.
fn doubts() -> Vec<HoldReason> {
    vec![
        HoldReason::FirstContact,
        HoldReason::Drift {
            card: "c-1".into(),
            what: Drift::Anonymized,
        },
        HoldReason::OverBudget {
            class: BudgetClass::Blanked(CardField::Email),
            count: 4,
            limit: 3,
            base: 9,
            waiting: 0,
            before: None,
        },
        HoldReason::AdoptOrCreate {
            cards: vec!["c-2".into()],
            agree: [CardField::SurName].into(),
        },
        HoldReason::WorkLeft {
            manager_of: Some(2),
            examples: vec!["900003".into()],
        },
        HoldReason::ChangedSinceJudged {
            what: "the card was gone".into(),
        },
    ]
}

fn exchange() -> Change {
    let number = |from: &str, to: &str| FieldChange {
        field: CardField::EmployeeNumber,
        from: FieldValue::text(from),
        to: FieldValue::text(to),
    };
    let other = OtherSide {
        card: "c-4".into(),
        key: Key::stored("900004"),
        fields: vec![number("900003", "900004")],
        operator: OperatorLink::ProvenNone,
    };
    let action = Action::Exchange {
        fields: vec![number("900004", "900003")],
        other: Box::new(other),
    };
    change(action, "900003", Some("c-3"))
}

async fn filled(path: &Path) -> (SqliteStore, RunLease) {
    let store = open(path).await;
    let lease = lease(&store, "r1").await;
    store
        .start_run(&lease, &RunReport::begun("r1".into(), "run", at(0)))
        .await
        .unwrap();
    let leaver = leaver();
    let intent = send(&store, &lease, &leaver, at(1)).await.unwrap();
    let refused = Outcome::Held {
        reason: HoldReason::DrivenBack {
            what: "TOPdesk said no".into(),
        },
    };
    store.outcome(&lease, intent, ending(&refused)).await.unwrap();
    // Of this one nobody knows how it ended, and it is half-way.
    send(&store, &lease, &exchange(), at(2)).await.unwrap();
    let held = |change: &Change| KeptHold {
        plan: "p1".into(),
        item: HeldItem {
            change: ChangeView::new(change, &doubts()),
            name: Some("Ada Mol".into()),
            reasons: doubts(),
            since: at(3),
            run: "r1".into(),
            set_aside: None,
            judged_at: Some(at(3)),
        },
        undoes: None,
    };
    let concern = Concern {
        id: "concern-1".into(),
        code: ConcernCode::CardChanged,
        addressee: Addressee::Hr,
        key: Some(Key::stored("900005")),
        person_id: Some("c-5".into()),
        name: Some("Leo Berg".into()),
        operator: OperatorLink::ProvenNone,
        places: vec!["hr line 7".into()],
        what: "two cards".into(),
        cure: "take one off".into(),
        acceptance: None,
        rejected_by: None,
    };
    let waiting = Waiting {
        card: "c-1".into(),
        action: ActionKind::Archive,
        reason: HoldReason::ConfigChanged,
        since: at(1),
    };
    let contact = Contact {
        seen: Some(SeenConfig {
            config_hash: "abcdef012345".to_owned(),
            decision_version: 1,
            config: Some("archive:\n  max: 3\nguard:\n  protect:\n    keys:\n    - '900006'\n".to_owned()),
        }),
        waiting: BTreeMap::from([(Contact::slot(&"c-1".into(), ActionKind::Archive), waiting)]),
        listed: BTreeMap::from([(Key::stored("900006"), BTreeSet::from(["c-6".into()]))]),
        apart: Apart {
            known: [Key::stored("900007")].into(),
            asked: BTreeMap::from([(
                Key::stored("900008"),
                AskedLeaver {
                    raw_key: RawKey("900008".into()),
                    anchors: Vec::new(),
                    evidence: None,
                    odd: None,
                    cards: BTreeMap::from([("c-7".into(), BTreeSet::new())]),
                },
            )]),
            ..Apart::default()
        },
        ..Contact::default()
    };
    let pins = [
        Pinned::Unarchive,
        Pinned::Adopt {
            key: Key::stored("900001"),
        },
    ]
    .map(|what| Pin {
        card: "c-1".into(),
        what,
        by: "ann".to_owned(),
        at: at(4),
        run: "r1".into(),
    });
    let learned = Learned {
        contact: Some(&contact),
        holds: Some(&[held(&leaver), held(&exchange())]),
        concerns: Some(&[KeptConcern {
            concern,
            since: at(3),
            seen_at: at(3),
        }]),
        pins: Some(&pins),
        ..Learned::default()
    };
    store.learn(&lease, learned, at(5)).await.unwrap();
    let decision = Decision {
        item: leaver.id.clone(),
        answer: Answer::Approve,
        waives: BTreeSet::from(["over_budget:archive".to_owned(), "drift".to_owned()]),
        by: "ann".to_owned(),
        at: at(4),
        until: None,
        note: Some("seen with somebody".to_owned()),
        about: Default::default(),
    };
    store.decide(&[decision]).await.unwrap();
    (store, lease)
}

#[tokio::test]
async fn each_request_of_an_exchange_is_about_the_person_of_its_own_card() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    let lease = lease(&store, "r1").await;
    let change = exchange();
    for (step_index, step) in change.steps().iter().enumerate() {
        let intent = Intent {
            plan: &PlanId::new("plan-1"),
            change: &change,
            step_index,
            step,
            before: None,
            operators_before: &[],
            cards_before: &[],
            approval: None,
            at: at(1),
        };
        store.intent(&lease, intent).await.unwrap();
    }
    let rows = store.journal(&Default::default()).await.unwrap();
    let whose: Vec<_> = rows.iter().map(|row| (row.card.clone(), row.key.clone())).collect();
    let of = |card: &str, key: &str| (Some(CardId::from(card)), Some(Key::stored(key)));
    assert_eq!(whose, [of("c-3", "900003"), of("c-4", "900004")]);
}

/// Every text and JSON of the store, by where it stands.
async fn texts(path: &Path) -> BTreeMap<String, String> {
    let mut connection = file::connect_reading(path).await.unwrap();
    let mut found = BTreeMap::new();
    for (table, place, columns) in TEXTS {
        for column in columns {
            let name = column.name;
            let select =
                format!("SELECT CAST({place} AS TEXT) AS place, {name} AS text FROM {table} WHERE {name} <> ''");
            let rows = sqlx::query(AssertSqlSafe(select))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            for row in rows {
                let (place, text): (String, String) = (row.get(0), row.get(1));
                assert!((column.reads)(&text), "{table}.{name}: {text}");
                found.insert(format!("{table}.{name} {place}"), text);
            }
        }
    }
    found
}

/// The words of a JSON document: names of fields, tags, and every other text.
fn words(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, item)| {
            found.insert(name.clone());
            words(item, found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The document without what may speak of people.
fn skeleton(value: &mut Value, of_people: bool) {
    match value {
        Value::String(text) if of_people => text.clear(),
        Value::Array(items) => items.iter_mut().for_each(|item| skeleton(item, of_people)),
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(name, item)| skeleton(item, OF_PEOPLE.contains(&name.as_str()))),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn skeletons(texts: &BTreeMap<String, String>) -> BTreeMap<&str, Value> {
    let bare = |text: &str| {
        let mut value = serde_json::from_str(text).unwrap_or(Value::Null);
        skeleton(&mut value, false);
        value
    };
    texts.iter().map(|(place, text)| (place.as_str(), bare(text))).collect()
}

#[tokio::test]
async fn whoever_has_a_word_of_our_formats_as_key_is_forgotten_and_everything_still_reads() {
    let (_folder, path) = folder();
    let (store, lease) = filled(&path).await;
    let before = texts(&path).await;
    let mut all = BTreeSet::new();
    for text in before.values() {
        words(&serde_json::from_str(text).unwrap_or(Value::Null), &mut all);
    }
    all.extend(["done", "hr", "class", "archive", "create", "key", "0", "true"].map(str::to_owned));
    all.retain(|word| !word.starts_with("9000") && !word.is_empty() && word.len() < 40);
    assert!(all.len() > 100, "{all:?}");
    for (number, word) in all.iter().enumerate() {
        let card = CardId::from(format!("card-{number}"));
        let keys = [Key::stored(word)].into();
        store.forget(&lease, &card, &keys).await.unwrap();
    }
    let after = texts(&path).await;
    assert_eq!(
        skeletons(&after),
        skeletons(&before),
        "nothing but texts of people changed"
    );
    let loaded = store.load(at(9)).await.unwrap();
    assert!(loaded.contact.listed.contains_key(&Key::stored("900006")));
    assert_eq!(store.holds().await.unwrap().len(), 2);
    assert_eq!(store.concerns().await.unwrap().len(), 1);
    assert_eq!(store.deeds("r1").await.unwrap().len(), 1);
    assert_eq!(store.halfway().await.unwrap().len(), 2);
    assert_eq!(store.open_intents().await.unwrap().len(), 1);
    assert_eq!(
        store.journal(&Default::default()).await.map(|rows| rows.len()).ok(),
        Some(2)
    );
    assert_eq!(store.history(5).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_whom_others_speak_nothing_is_left() {
    let (_folder, path) = folder();
    let (store, lease) = filled(&path).await;
    for (card, key) in [
        ("c-9", "900009"),
        ("c-10", "900003"),
        ("c-6", "900006"),
        ("c-7", "900007"),
    ] {
        store
            .forget(&lease, &card.into(), &[Key::stored(key)].into())
            .await
            .unwrap();
    }
    for (place, text) in texts(&path).await {
        // Its own requests that are not settled yet are kept until they are.
        let is_open = place.starts_with("journal") || place.starts_with("halfway");
        for key in ["900009", "900003", "900006", "900007"] {
            assert!(is_open || !text.contains(key), "{place}: {text}");
        }
    }
}
