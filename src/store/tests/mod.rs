//! The store on real files: what it promises when it is reopened, killed, cut off, locked, full or not ours.

mod inputs;
mod journal;
mod lease;
mod memory;
mod mentions;
mod opening;
mod readable;
mod reads;

use super::{SqliteStore, StoreError};
use crate::core::model::card::{CardFields, OperatorCard, OperatorKind, OperatorLink, PersonCard};
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::{CardId, EnvironmentId, PlanId, RunId};
use crate::core::model::key::{Key, RawKey};
use crate::core::plan::report::Outcome;
use crate::core::plan::{Action, Change, FieldChange, item_id};
use crate::engine::state::{Ending, Intent, RunLease, StateWriter};
use crate::engine::target::IntentId;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const HOST: &str = "example.topdesk.net";

/// A folder of its own and the place of a store in it.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").join("cardsync.db");
    (folder, path)
}

fn environment() -> EnvironmentId {
    EnvironmentId::new(HOST)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, &environment(), HOST).await.unwrap()
}

async fn refused(path: &Path) -> StoreError {
    SqliteStore::open(path, &environment(), HOST)
        .await
        .err()
        .expect("it must not open")
}

/// So many seconds after a fixed moment.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + seconds, 123_456_789).unwrap()
}

async fn lease(store: &SqliteStore, run: &str) -> RunLease {
    store.acquire(&RunId::new(run), "run", at(0)).await.unwrap()
}

fn change(action: Action, key: &str, card: Option<&str>) -> Change {
    let mut change = Change {
        id: "".into(),
        action,
        key: Some(Key::stored(key)),
        raw_key: Some(RawKey(key.into())),
        card: card.map(CardId::from),
        operator: OperatorLink::ProvenNone,
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts: Vec::new(),
        why: Vec::new(),
        anchors: Vec::new(),
        overwrites: std::collections::BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    };
    change.id = item_id(&change);
    change
}

fn create(key: &str) -> Change {
    let fields = vec![FieldChange {
        field: CardField::SurName,
        from: None,
        to: FieldValue::text("Jansen"),
    }];
    change(Action::Create { fields }, key, None)
}

fn archive(key: &str, card: &str) -> Change {
    change(
        Action::Archive {
            reason: Some("left".into()),
            disarm: Vec::new(),
            apart: Default::default(),
            number: Vec::new(),
        },
        key,
        Some(card),
    )
}

fn card(id: &str) -> PersonCard {
    PersonCard {
        id: id.into(),
        archived: false,
        fields: [(CardField::SurName, FieldValue::text("Jansen").unwrap())]
            .into_iter()
            .collect::<CardFields>(),
        creator: None,
        modifier: None,
        created_at: None,
        modified_at: Some(at(-100)),
    }
}

fn operator(id: &str, person: &str) -> OperatorCard {
    OperatorCard {
        id: id.into(),
        archived: false,
        kind: OperatorKind::Regular,
        linked_person: Some(person.into()),
        login_name: None,
        email: None,
        login_permission: None,
    }
}

/// Writes the intent of a change's only step.
async fn send(
    store: &SqliteStore,
    lease: &RunLease,
    change: &Change,
    sent_at: DateTime<Utc>,
) -> Result<IntentId, StoreError> {
    let before = change.card.as_ref().map(|id| card(id.as_str()));
    let intent = Intent {
        plan: &PlanId::new("plan-1"),
        change,
        step_index: 0,
        step: &change.steps()[0],
        before: before.as_ref(),
        operators_before: &[],
        cards_before: &[],
        approval: None,
        at: sent_at,
    };
    store.intent(lease, intent).await
}

fn ending(outcome: &Outcome) -> Ending<'_> {
    Ending {
        outcome,
        after: None,
        learned: None,
        at: at(60),
    }
}

fn done() -> Outcome {
    Outcome::Done { card: None }
}

/// Runs one ignored test of this binary as a process of its own, which can be killed or give up its rights.
fn child(test: &str, store: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", test])
        .env(CHILD_STORE, store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Tells a child process its store. Where it is not set, the child's test has nothing to do.
const CHILD_STORE: &str = "CARDSYNC_TEST_CHILD_STORE";
