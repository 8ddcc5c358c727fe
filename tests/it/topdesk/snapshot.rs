//! A snapshot of one look-alike is the seed of another: the same shape, none of the people.

use super::Desk;
use cardsync::core::model::field::CardField;
use cardsync::engine::Silent;
use cardsync::topdesk::{SnapshotKeys, SnapshotReport};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use topdesk_sandbox::Seed;

/// A company with everything that is awkward: twins, double keys and addresses, variants of a key, anonymized cards,
/// operators of every kind, a list entry that only a card still knows.
fn awkward() -> Value {
    serde_json::from_str(include_str!("../../fixtures/topdesk/awkward.json")).unwrap()
}

/// Everything that would tell who somebody is.
const PERSONAL: &[&str] = &[
    "vermeulen",
    "katrijn",
    "oosterhout",
    "dijkgraaf",
    "jahnström",
    "łukasz",
    "quist",
    "siem",
    "nobody",
    "interface",
    "zuid",
    "noord",
    "2345678",
    "98765432",
    "1112223",
    "lawyer",
    "peanut",
    "bsn123456782",
    "4711",
    "1984-02-29",
    "divorced",
    "willemsen",
    "mornings",
    "van der",
    "\"drs.\"",
    "\"k.m.\"",
    "\"bo\"",
    "balie",
];

async fn taken(desk: &Desk, keys: SnapshotKeys) -> (Vec<u8>, SnapshotReport) {
    let mut file = Vec::new();
    let report = desk
        .reader()
        .snapshot(CardField::EmployeeNumber, keys, &mut file, &Silent)
        .await
        .unwrap();
    (file, report)
}

fn cards<'a>(state: &'a Value, array: &str) -> Vec<&'a Value> {
    let mut cards: Vec<&Value> = state[array].as_array().unwrap().iter().collect();
    cards.sort_by_key(|card| card["id"].as_str());
    cards
}

/// Which cards share a value: lists of ids, whatever the value is.
fn doubles(state: &Value, array: &str, value: impl Fn(&Value) -> String) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for card in cards(state, array) {
        let group = groups.entry(value(card)).or_default();
        group.push(card["id"].as_str().unwrap().to_owned());
    }
    let mut groups: Vec<_> = groups.into_values().filter(|ids| ids.len() > 1).collect();
    groups.sort();
    groups
}

fn text(card: &Value, field: &str) -> String {
    card[field].as_str().unwrap_or_default().to_lowercase()
}

#[tokio::test]
async fn the_seed_has_the_shape_of_the_environment_and_none_of_its_people() {
    let real = Desk::open(awkward(), &[]).await;
    let before = real.sandbox.state_json();
    for keys in [SnapshotKeys::Keep, SnapshotKeys::Hash] {
        let (file, report) = taken(&real, keys).await;
        let lower = String::from_utf8(file.clone()).unwrap().to_lowercase();
        for value in PERSONAL {
            assert!(!lower.contains(value), "{value} is in the file");
        }
        assert_eq!(lower.contains("100042"), keys == SnapshotKeys::Keep);
        assert_eq!(lower.contains("ex-44a"), keys == SnapshotKeys::Keep);
        let seed = Seed::from_reader(&file[..]).unwrap();
        let rehearsal = Desk::open(json!({}), &[]).await;
        rehearsal.sandbox.reset(Some(seed)).unwrap();
        let after = rehearsal.sandbox.state_json();
        for array in [
            "persons",
            "operators",
            "branches",
            "locations",
            "departments",
            "budgetHolders",
            "languages",
            "archivingReasons",
            "personExtraFieldAEntries",
            "searchlist2_3",
            "permissionGroups",
            "operatorGroups",
        ] {
            let ids = |state: &Value| {
                cards(state, array)
                    .iter()
                    .map(|card| card["id"].clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(ids(&after), ids(&before), "{array}");
        }
        let keyed = |card: &Value| text(card, "employeeNumber").trim().trim_start_matches('0').to_owned();
        let whole = |card: &Value| [text(card, "surName"), text(card, "firstName")].join(" ");
        assert_eq!(doubles(&after, "persons", keyed), doubles(&before, "persons", keyed));
        assert_eq!(
            doubles(&after, "persons", |card| text(card, "email")),
            doubles(&before, "persons", |card| text(card, "email"))
        );
        assert_eq!(doubles(&after, "persons", whole), doubles(&before, "persons", whole));
        let pairs = cards(&after, "persons").into_iter().zip(cards(&before, "persons"));
        for (new, old) in pairs {
            for same in [
                "archived",
                "branch",
                "department",
                "location",
                "isCaller",
                "hasSspAccess",
                "isManager",
                "jobTitle",
                "creationDate",
                "language",
                "personExtraFieldA",
                "showBudgetholder",
            ] {
                assert_eq!(new[same], old[same], "{same}");
            }
            assert_eq!(new["manager"]["id"], old["manager"]["id"]);
            assert_eq!(
                new["optionalFields2"]["searchlist3"],
                old["optionalFields2"]["searchlist3"]
            );
            for shape in [
                "surName",
                "firstName",
                "employeeNumber",
                "tasLoginName",
                "phoneNumber",
                "prefixes",
            ] {
                assert_eq!(
                    text(new, shape).chars().count(),
                    text(old, shape).chars().count(),
                    "{shape}"
                );
            }
            if keys == SnapshotKeys::Keep {
                assert_eq!(new["employeeNumber"], old["employeeNumber"]);
            }
            assert!(
                new["email"].is_null()
                    || text(new, "email").is_empty()
                    || text(new, "email").ends_with(".example.invalid")
            );
        }
        for (new, old) in cards(&after, "operators").into_iter().zip(cards(&before, "operators")) {
            for same in [
                "status",
                "apiAccount",
                "operatorGroups",
                "operatorFilters",
                "loginPermission",
                "branch",
            ] {
                assert_eq!(new[same], old[same], "{same}");
            }
            assert_eq!(new["linkedPerson"]["id"], old["linkedPerson"]["id"]);
        }
        assert_eq!(after["account"]["id"], before["account"]["id"]);
        for habit in ["product_version", "date_offset", "unset_values"] {
            assert_eq!(after["settings"][habit], before["settings"][habit], "{habit}");
        }
        assert!(
            report.notes.iter().any(|note| note.contains("operator filters")),
            "{:?}",
            report.notes
        );
        assert!(report.replaced["names and parts of names"] > 20);
        // One person, one pseudonym: on the person card, on the operator card, in logins and addresses.
        let person = cards(&after, "persons")
            .into_iter()
            .find(|card| card["title"] != "" && !card["title"].is_null());
        let person = person.unwrap();
        let operator = cards(&after, "operators")
            .into_iter()
            .find(|card| card["linkedPerson"]["id"] == person["id"]);
        let operator = operator.unwrap();
        assert_eq!(
            (&operator["surName"], &operator["email"]),
            (&person["surName"], &person["email"])
        );
        assert_eq!(text(operator, "loginName"), text(person, "tasLoginName"));
        assert_eq!(person["mainframeLoginName"], person["email"]);
        assert!(text(person, "networkLoginName").ends_with(&format!("\\{}", text(person, "tasLoginName"))));
    }
    let asked = real.sandbox.stats();
    let asked = asked["requests"].as_object().unwrap();
    assert!(asked.keys().all(|request| request.starts_with("GET ")), "{asked:?}");
}

#[tokio::test]
async fn a_rehearsal_reads_as_the_environment_does() {
    let real = Desk::open(super::company(7_300, 230), &[("department_mode", "text")]).await;
    let (file, _) = taken(&real, SnapshotKeys::Keep).await;
    let seed: Value = serde_json::from_slice(&file).unwrap();
    let rehearsal = Desk::open(seed, &[]).await;
    let (before, after) = (real.read().await.unwrap(), rehearsal.read().await.unwrap());
    assert_eq!(after.cards.len(), before.cards.len());
    let keys = |snapshot: &cardsync::core::model::card::TargetSnapshot| {
        let keys = snapshot
            .cards
            .iter()
            .map(|card| card.fields.text(CardField::EmployeeNumber).map(str::to_owned));
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys(&after), keys(&before));
    let linked = |snapshot: &cardsync::core::model::card::TargetSnapshot| {
        let links = snapshot
            .operators
            .iter()
            .map(|operator| (operator.id.clone(), operator.linked_person.clone(), operator.archived));
        links.collect::<Vec<_>>()
    };
    assert_eq!(linked(&after), linked(&before));
}

#[tokio::test]
async fn what_the_account_may_not_read_is_said_and_left_out() {
    let rights = [
        ("right.read_operators", "off"),
        ("right.read_filters", "off"),
        ("right.read_operator_groups", "off"),
    ];
    let real = Desk::open(awkward(), &rights).await;
    let (file, report) = taken(&real, SnapshotKeys::Keep).await;
    let state = Desk::open(serde_json::from_slice(&file).unwrap(), &[])
        .await
        .sandbox
        .state_json();
    assert_eq!(state["persons"].as_array().unwrap().len(), 9);
    for what in [
        "operators could not be read",
        "operator groups could not be read",
        "branch filters could not be read",
    ] {
        assert!(
            report
                .notes
                .iter()
                .any(|note| note.starts_with(what) || note.contains(what)),
            "{:?}",
            report.notes
        );
    }
    real.sandbox.set("branch_filter", "Leiden").unwrap();
    let (file, report) = taken(&real, SnapshotKeys::Keep).await;
    let state = Desk::open(serde_json::from_slice(&file).unwrap(), &[])
        .await
        .sandbox
        .state_json();
    assert_eq!(state["persons"].as_array().unwrap().len(), 1);
    assert_eq!(
        report.written.iter().find(|(array, _)| array == "persons").unwrap().1,
        1
    );
}
