//! What waits for a decision, as programs read it.

use super::by_item;
use crate::engine::decisions::{Waiting, class_of};
use crate::engine::state::REKEY;
use serde_json::{Value, json};

/// The array of what waits for a decision.
pub(super) fn items(waiting: &Waiting) -> Value {
    let decided = by_item(waiting);
    let items = waiting.items.iter().map(|kept| {
        let change = &kept.item.change;
        let decision = decided.get(&change.id);
        let mut item = json!({
            "id": change.id,
            "class": class_of(&kept.item),
            "action": change.action,
            "key": change.key,
            "person_id": change.person_id,
            "operator": change.operator,
            "operator_groups": change.operator_groups,
            "fields": change.fields,
            "evidence": change.evidence,
            "reasons": change.holds,
            "since": kept.item.since,
            "plan_id": kept.plan,
            "decision": decision,
        });
        if !change.choices.is_empty() {
            item["choices"] = json!(change.choices);
        }
        if let Some(name) = &kept.item.name {
            item["name"] = json!(name);
        }
        if !change.operator_names.is_empty() {
            item["operator_names"] = json!(change.operator_names);
        }
        if let Some(twin) = &change.twin {
            item["twin"] = json!(twin);
        }
        if let Some(other) = &change.other {
            item["other"] = json!(other);
        }
        if let Some(what) = kept.undoes.as_ref().filter(|what| *what != REKEY) {
            item["undoes"] = json!(what);
        }
        item
    });
    let snapshots = waiting.snapshots.iter().map(|hold| {
        let code = if hold.rejected {
            "snapshot_rejected"
        } else {
            "snapshot_doubted"
        };
        let reasons: Vec<Value> = hold
            .reasons
            .iter()
            .map(|text| json!({ "code": code, "message": text, "approvable": true }))
            .collect();
        json!({
            "id": hold.id,
            "class": "snapshot",
            "action": "accept_snapshot",
            "key": null,
            "person_id": null,
            "operator": null,
            "fields": {},
            "evidence": [],
            "reasons": reasons,
            "since": hold.since,
            "source": hold.source,
        })
    });
    items.chain(snapshots).collect()
}
