//! `/sandbox/*`: looking at the sandbox and changing it from outside the API. No sign-in: it listens where its user
//! decides, and holds nothing but play data.

use serde_json::{Value, json};

use super::super::call::{Call, Reply};
use super::super::core::Core;
use super::super::dump;
use super::super::faults::parse;
use super::super::seed::Seed;

/// Answers a control request.
pub fn answer(core: &Core, call: &Call) -> Reply {
    let path = call.path.trim_end_matches('/').trim_start_matches("/sandbox");
    match (call.method.as_str(), path) {
        ("GET", "/state") => Reply::typed(200, "application/json", dump::state(&core.world())),
        ("GET", "/stats") => Reply::json(200, &core.stats().to_json(&core.world())),
        ("GET", "/settings") => Reply::json(200, &Value::Object(core.world().settings.to_json())),
        ("POST", "/settings") => settings(core, &call.body),
        ("POST", "/reset") => reset(core, &call.body),
        ("POST", "/edit") => edit(core, call),
        ("GET", "/faults") => Reply::json(200, &core.faults().to_json()),
        ("POST", "/faults") => faults(core, &call.body),
        ("DELETE", "/faults") => {
            core.faults().clear();
            Reply::json(200, &json!([]))
        }
        _ => refuse(
            404,
            "the sandbox has /sandbox/state, stats, settings, reset, edit and faults",
        ),
    }
}

/// A refusal in the sandbox's own words.
pub fn refuse(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

fn settings(core: &Core, body: &[u8]) -> Reply {
    let Ok(Value::Object(wanted)) = serde_json::from_slice(body) else {
        return refuse(400, "expected an object of settings, such as {\"next_link\": \"path\"}");
    };
    let mut world = core.world_mut();
    let mut changed = world.settings.clone();
    if let Err(error) = changed.set_all(&wanted) {
        return refuse(400, &error.to_string());
    }
    world.settings = changed;
    world.touch();
    Reply::json(200, &Value::Object(world.settings.to_json()))
}

fn edit(core: &Core, call: &Call) -> Reply {
    let wanted: Value = match serde_json::from_slice(&call.body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(400, &format!("the edit is not JSON: {error}")),
    };
    match core.edit(&wanted, call.at) {
        Ok(id) => Reply::json(200, &json!({ "id": id.to_string() })),
        Err(problem) => refuse(400, &problem),
    }
}

fn faults(core: &Core, body: &[u8]) -> Reply {
    match parse(body) {
        Ok(rules) => {
            let mut faults = core.faults();
            rules.into_iter().for_each(|rule| faults.add(rule));
            Reply::json(200, &faults.to_json())
        }
        Err(error) => refuse(400, &format!("not a fault: {error}")),
    }
}

fn reset(core: &Core, body: &[u8]) -> Reply {
    let seed = if body.iter().all(u8::is_ascii_whitespace) {
        None
    } else {
        match Seed::from_reader(body) {
            Ok(seed) => Some(seed),
            Err(error) => return refuse(400, &error.to_string()),
        }
    };
    match core.reset(seed) {
        Ok(()) => Reply::json(200, &json!({ "reset": true })),
        Err(error) => refuse(400, &error.to_string()),
    }
}
