//! What the sandbox counts: requests by method and route, writes in order, and the harm that was done.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::fields::{Kind, common};
use super::render::date_text;
use super::routes::Answer;
use super::world::World;

/// Counters since the start or the last reset.
#[derive(Debug, Default)]
pub struct Stats {
    requests: BTreeMap<String, u64>,
    answers: BTreeMap<u16, u64>,
    writes: Vec<Write>,
    operators_archived: Vec<Uuid>,
    operators_woken: Vec<Uuid>,
    persons_woken: Vec<Uuid>,
    faults: u64,
}

#[derive(Debug)]
struct Write {
    at: i64,
    method: String,
    route: String,
    id: Option<Uuid>,
    status: Option<u16>,
    body: Box<[u8]>,
}

/// Longest body that is kept of a write, in bytes.
const BODY_KEPT: usize = 4096;
/// Most writes that are kept; older ones stay, later ones are only counted.
const WRITES_KEPT: usize = 500_000;

impl Stats {
    /// Counts a request when it arrives.
    pub fn arrived(&mut self, method: &str, route: &str) {
        *self.requests.entry(format!("{method} {route}")).or_default() += 1;
    }

    /// Counts what the API did with a request; `delivered` is false where the caller never saw the answer.
    pub fn answered(&mut self, call: &Call, route: &str, answer: &Answer, delivered: bool) {
        *self.answers.entry(answer.reply.status).or_default() += 1;
        if call.method == "GET" || self.writes.len() >= WRITES_KEPT {
            return;
        }
        self.operators_archived.extend(&answer.cascade.operators_archived);
        self.operators_woken.extend(&answer.cascade.operators_woken);
        self.persons_woken.extend(&answer.cascade.persons_woken);
        self.writes.push(Write {
            at: call.at.timestamp_millis(),
            method: call.method.clone(),
            route: route.to_owned(),
            id: answer.written.or_else(|| id_in(call)),
            status: delivered.then_some(answer.reply.status),
            body: call.body[..call.body.len().min(BODY_KEPT)].into(),
        });
    }

    /// Counts a fault that was played.
    pub fn fault(&mut self) {
        self.faults += 1;
    }

    /// How often a method and route was asked for, such as `GET /persons`.
    pub fn requests(&self, method_and_route: &str) -> u64 {
        self.requests.get(method_and_route).copied().unwrap_or_default()
    }

    /// Everything as JSON.
    pub fn to_json(&self, world: &World) -> Value {
        let ids = |ids: &[Uuid]| ids.iter().map(Uuid::to_string).collect::<Vec<_>>();
        let writes: Vec<Value> = (1u64..)
            .zip(&self.writes)
            .map(|(seq, write)| {
                let body = match serde_json::from_slice::<Value>(&write.body) {
                    Ok(body) => body,
                    Err(_) if write.body.is_empty() => Value::Null,
                    Err(_) => Value::String(String::from_utf8_lossy(&write.body).into_owned()),
                };
                json!({
                    "seq": seq,
                    "at": date_text(write.at, false),
                    "method": write.method,
                    "route": write.route,
                    "id": write.id.map(|id| id.to_string()),
                    "status": write.status,
                    "body": body,
                })
            })
            .collect();
        let answers: BTreeMap<String, u64> = self
            .answers
            .iter()
            .map(|(status, n)| (status.to_string(), *n))
            .collect();
        json!({
            "requests": self.requests,
            "answers": answers,
            "writes": writes,
            "operators_archived_by_cascade": ids(&self.operators_archived),
            "operators_woken_by_cascade": ids(&self.operators_woken),
            "persons_woken_by_operator": ids(&self.persons_woken),
            "duplicate_keys": duplicate_keys(world),
            "faults_played": self.faults,
        })
    }
}

fn id_in(call: &Call) -> Option<Uuid> {
    call.segments().iter().find_map(|segment| Uuid::parse_str(segment).ok())
}

/// Active persons that share an employee number, whatever its case; asterisks are anonymized and do not count.
fn duplicate_keys(world: &World) -> Vec<Value> {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, card) in world.table(Kind::Person).iter().filter(|(_, card)| !card.archived()) {
        let key = card.text(common::EMPLOYEE_NUMBER).trim();
        if !key.is_empty() && !key.contains('*') {
            holders.entry(key.to_lowercase()).or_default().push(card.id.to_string());
        }
    }
    holders.retain(|_, ids| ids.len() > 1);
    holders
        .into_iter()
        .map(|(key, ids)| json!({ "employeeNumber": key, "ids": ids }))
        .collect()
}
