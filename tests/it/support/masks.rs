//! Makes output comparable: what differs from run to run, or says nothing to a reader, becomes a name.

use super::workplace::{Workplace, text};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// Names for ids, given once and kept.
#[derive(Default)]
pub struct Masks {
    cards: BTreeMap<String, String>,
    items: BTreeMap<String, String>,
}

impl Masks {
    /// Gives names to the cards that are there now and have none yet: `card-` or `op-` and what it is known by.
    pub fn learn(&mut self, state: &Value) {
        for (array, word, known_by) in [
            ("persons", "card", ["employeeNumber", "tasLoginName", "surName"]),
            ("operators", "op", ["loginName", "tasLoginName", "surName"]),
        ] {
            let cards = state[array].as_array().expect("an array of cards");
            for card in cards {
                let id = text(&card["id"]);
                if self.cards.contains_key(id) {
                    continue;
                }
                let known_by = known_by.iter().map(|field| text(&card[*field]).trim());
                let known_by = known_by.clone().find(|value| !value.is_empty()).unwrap_or("nobody");
                let name = format!("{word}-{}", known_by.replace(' ', "_"));
                let same = self
                    .cards
                    .values()
                    .filter(|known| **known == name || known.starts_with(&format!("{name}#")));
                let name = match same.count() {
                    0 => name,
                    others => format!("{name}#{}", others + 1),
                };
                self.cards.insert(id.to_owned(), name);
            }
        }
    }

    /// Output with names in place of ids, moments of the machine's clock and places of this run.
    pub fn apply(&mut self, output: &str, place: &Workplace) -> String {
        let mut output = output
            .replace(&place.folder.path().display().to_string(), "FOLDER")
            .replace(&place.sandbox.addr.to_string(), "SANDBOX");
        if let Some(url) = place.directory_url() {
            output = output.replace(url.trim_start_matches("ldap://"), "DIRECTORY");
        }
        for (id, name) in &self.cards {
            output = output.replace(id, name);
        }
        let output = regex(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b").replace_all(&output, "RUN");
        let output = regex(r"\bp-[0-9a-f]{12}\b").replace_all(&output, "PLAN");
        let output = regex(r"until \d{4}-\d\d-\d\d \d\d:\d\d UTC").replace_all(&output, "until LATER");
        let output = regex(r"(approved by \S+|holds) until \d{4}-\d\d-\d\d \d\d:\d\d [A-Z]+")
            .replace_all(&output, "$1 until LATER");
        let output = regex(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d [A-Z]+  (approved|rejected) by \S+:")
            .replace_all(&output, "NOW  $1 by USER:");
        let output = regex(r"last changed \d{4}-\d\d-\d\d \d\d:\d\d \w+ by \S+")
            .replace_all(&output, "last changed THEN by WHOM");
        let output = regex(r"(approved|rejected) by [a-z_][a-z0-9_-]*(  \[|\n)").replace_all(&output, "$1 by USER$2");
        let output = regex(r"(by|known to) [a-z_][a-z0-9_-]*( until|: \d+ item|; approve| on \d|: stays quiet)")
            .replace_all(&output, "$1 USER$2");
        let output = regex(
            r"(?i)\b(approved|rejected|taken back) by [a-z_][a-z0-9_-]*( \d{4}-\d\d-\d\d \d\d:\d\d [A-Z]+)?(,|:| |\n)",
        )
        .replace_all(&output, |found: &regex::Captures<'_>| {
            let now = if found.get(2).is_some() { " NOW" } else { "" };
            format!("{} by USER{now}{}", &found[1], &found[3])
        })
        .into_owned();
        let output = regex(r"which [a-z_][a-z0-9_-]* has approved").replace_all(&output, "which USER has approved");
        // The sandbox stamps its cards with the machine's time.
        let output = regex(r"due \d{4}-\d\d-\d\d, archived by a human, changed last \d{4}-\d\d-\d\d")
            .replace_all(&output, "due THEN, archived by a human, changed last THEN");
        let output = regex(r"changed last on \d{4}-\d\d-\d\d, due since \d{4}-\d\d-\d\d")
            .replace_all(&output, "changed last on THEN, due since THEN");
        let output = regex(r"keyed hash of the key: [0-9a-f]{64}").replace_all(&output, "keyed hash of the key: HASH");
        // How much of a stream arrives before it is cut is a matter of luck.
        let output = regex(r"after \d+ entries in \d+ pages").replace_all(&output, "after SOME entries");
        let items = &mut self.items;
        regex(r"\b[0-9a-f]{12}\b")
            .replace_all(&output, |found: &regex::Captures<'_>| {
                let next = format!("item-{}", items.len() + 1);
                items.entry(found[0].to_owned()).or_insert(next).clone()
            })
            .into_owned()
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}
