//! Everything the sandbox holds, as a seed again.

use serde_json::Value;

use super::fields::{Kind, common};
use super::render::{Object, Selection, View, card, id, text};
use super::seed::list_kind;
use super::world::{World, dynamic_name};

/// The whole state as JSON. Loaded as a seed it gives the same state again.
pub fn state(world: &World) -> Vec<u8> {
    let mut out = Vec::new();
    let mut top = Object::open(&mut out);
    let settings = Value::Object(world.settings.to_json()).to_string();
    top.key("settings").extend_from_slice(settings.as_bytes());
    let account = world.card(Kind::Operator, world.account);
    let mut object = Object::open(top.key("account"));
    id(object.key("id"), account.id);
    text(object.key("name"), &dynamic_name(account));
    text(object.key("loginName"), account.text(common::LOGIN));
    object.close();
    for kind in Kind::all() {
        let always = kind.index() < Kind::ExtraA.index();
        if kind != Kind::Actor && (always || world.table(kind).len() > 0) {
            table(top.key(kind.array()), world, kind);
        }
    }
    top.close();
    out
}

fn table(out: &mut Vec<u8>, world: &World, kind: Kind) {
    let selection = Selection::all(kind, View::Dump, &world.settings);
    out.push(b'[');
    for (count, (place, found)) in world.table(kind).iter().enumerate() {
        if count > 0 {
            out.push(b',');
        }
        card(out, world, kind, found, &selection, View::Dump);
        if kind == Kind::Operator {
            // The lists live outside the card: reopen the object that was just closed.
            out.pop();
            for list in Kind::all().filter(|list| list_kind(kind, list.array()).is_some()) {
                let entries = world.list_of(place, list);
                if entries.is_empty() {
                    continue;
                }
                out.push(b',');
                text(out, list.array());
                out.extend_from_slice(b":[");
                for (count, entry) in entries.iter().enumerate() {
                    if count > 0 {
                        out.push(b',');
                    }
                    let entry = world.card(list, *entry);
                    let mut object = Object::open(out);
                    id(object.key("id"), entry.id);
                    text(object.key("name"), entry.text(common::NAME));
                    object.close();
                }
                out.push(b']');
            }
            out.push(b'}');
        }
    }
    out.push(b']');
}
