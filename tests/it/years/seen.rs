//! What stands in the sandbox at one moment: read from outside, not from our own reports.

use crate::support::workplace::text;
use serde_json::Value;
use std::collections::BTreeMap;
use topdesk_sandbox::RunningSandbox;

/// A person card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub number: String,
    pub surname: String,
    pub first: String,
    pub mail: String,
    pub login: String,
    pub phone: String,
    pub archived: bool,
    pub portal: bool,
}

impl Card {
    pub fn is_anonymized(&self) -> bool {
        self.surname.starts_with("***")
    }
}

/// An operator card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Id of the linked person card.
    pub person: String,
    pub archived: bool,
    /// May log in.
    pub armed: bool,
}

/// All of them, by id.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub cards: BTreeMap<String, Card>,
    pub operators: BTreeMap<String, Operator>,
}

impl Seen {
    pub fn of(sandbox: &RunningSandbox) -> Seen {
        let state = sandbox.state_json();
        let rows = |list: &str| state[list].as_array().cloned().unwrap_or_default();
        let id = |row: &Value| text(&row["id"]).to_owned();
        let card = |row: &Value| Card {
            number: text(&row["employeeNumber"]).to_owned(),
            surname: text(&row["surName"]).to_owned(),
            first: text(&row["firstName"]).to_owned(),
            mail: text(&row["email"]).to_owned(),
            login: text(&row["tasLoginName"]).to_owned(),
            phone: text(&row["phoneNumber"]).to_owned(),
            archived: row["archived"] == true,
            portal: row["hasSspAccess"] == true,
        };
        let operator = |row: &Value| Operator {
            person: text(&row["linkedPerson"]["id"]).to_owned(),
            archived: text(&row["status"]) == "operatorArchived",
            armed: row["loginPermission"] == true,
        };
        Seen {
            cards: rows("persons").iter().map(|row| (id(row), card(row))).collect(),
            operators: rows("operators").iter().map(|row| (id(row), operator(row))).collect(),
        }
    }

    /// The operators linked to a card.
    pub fn operators_of<'a>(&'a self, card: &'a str) -> impl Iterator<Item = &'a Operator> {
        self.operators.values().filter(move |operator| operator.person == card)
    }
}
