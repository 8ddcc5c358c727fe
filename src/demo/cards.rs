//! What stands in TOPdesk before cardsync comes: the seed of the sandbox, card by card.

use super::names::{DEPARTMENTS, SITES};
use super::person::{Person, scattered};
use serde_json::{Value, json};
use std::io::{self, Write};
use uuid::Uuid;

/// The name of the reason that archives use.
pub const ARCHIVING_REASON: &str = "No longer employed";
/// Login of the account that cardsync uses.
pub const API_LOGIN: &str = "api-cardsync";

/// A person card as TOPdesk has it.
#[derive(Clone, Debug)]
pub struct Card {
    /// What stands on the card, which need not be what HR says.
    pub says: Person,
    /// Personnel number of the human it belongs to; `None` for people whom HR does not know.
    pub human: Option<u32>,
    /// Whether the personnel number stands on it.
    pub has_number: bool,
    /// Made by TOPdesk for an operator who had no card.
    pub generated: bool,
    /// Beside it stands a card of the same human that has the number and the login.
    pub is_twin: bool,
    pub archived: bool,
    /// Whether an operator card is linked to it.
    pub operator: bool,
}

impl Card {
    /// A card that says what HR and directory say.
    pub fn in_step(person: Person) -> Self {
        Self {
            human: Some(person.number),
            has_number: true,
            generated: false,
            is_twin: false,
            archived: false,
            operator: person.operator,
            says: person,
        }
    }

    /// The id of the card.
    pub fn id(&self) -> Uuid {
        card_id(self.says.number)
    }

    fn json(&self) -> Value {
        let person = &self.says;
        let mut card = json!({
            "id": self.id().to_string(),
            "surName": person.last_name,
            "prefixes": person.prefix,
            "firstName": person.first_name,
            "email": person.mail,
            "tasLoginName": if self.is_twin { "" } else { &person.login },
            "phoneNumber": person.phone,
            "jobTitle": person.function,
            "branch": { "name": person.site },
            "department": { "name": person.department },
            "hasSspAccess": !self.generated,
            "isCaller": !self.generated,
            "archived": self.archived,
        });
        if self.has_number {
            card["employeeNumber"] = person.number.to_string().into();
        }
        if let (Some(manager), false) = (person.manager, self.generated || self.human.is_none() || self.archived) {
            card["manager"] = json!({ "id": card_id(manager).to_string() });
        }
        card
    }

    fn operator_json(&self) -> Value {
        let person = &self.says;
        json!({
            "surName": person.last_name,
            "prefixes": person.prefix,
            "firstName": person.first_name,
            "email": person.mail,
            "loginName": person.login,
            "branch": { "name": person.site },
            "linkedPerson": { "id": self.id().to_string() },
            "accountType": "regular",
            "status": "operator",
        })
    }
}

/// The id of the card of the person with this number.
pub fn card_id(number: u32) -> Uuid {
    uuid::Builder::from_random_bytes(scattered(number, 7)).into_uuid()
}

/// Writes the seed: lists, the cards, an operator card for whoever is one, and the accounts that are no people.
pub fn write_seed(mut out: impl Write, cards: impl Iterator<Item = Card> + Clone) -> io::Result<()> {
    writeln!(out, "{{")?;
    writeln!(out, "\"branches\": {},", json!(SITES))?;
    writeln!(out, "\"departments\": {},", json!(DEPARTMENTS))?;
    writeln!(
        out,
        "\"archivingReasons\": {},",
        json!([ARCHIVING_REASON, "Entered by mistake"])
    )?;
    array(&mut out, "persons", cards.clone().map(|card| card.json()))?;
    writeln!(out, ",")?;
    let accounts = [
        json!({
            "surName": "cardsync (API)", "branch": { "name": SITES[0] }, "loginName": API_LOGIN, "apiAccount": true,
            "hasApplicationPasswords": true, "status": "operator",
        }),
        json!({
            "surName": "TOPdesk", "branch": { "name": SITES[0] }, "loginName": "topdesk", "accountType": "TOPdesk",
            "status": "operator",
        }),
    ];
    let linked = cards.filter(|card| card.operator).map(|card| card.operator_json());
    array(&mut out, "operators", accounts.into_iter().chain(linked))?;
    writeln!(out, "\n}}")?;
    out.flush()
}

fn array(out: &mut impl Write, name: &str, entries: impl Iterator<Item = Value>) -> io::Result<()> {
    writeln!(out, "\"{name}\": [")?;
    for (n, entry) in entries.enumerate() {
        if n > 0 {
            writeln!(out, ",")?;
        }
        serde_json::to_writer(&mut *out, &entry)?;
    }
    write!(out, "\n]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use topdesk_sandbox::Seed;

    #[test]
    fn the_sandbox_takes_the_seed() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let cards = (0..300).map(|index| Card::in_step(Person::new(index, today)));
        let mut bytes = Vec::new();
        write_seed(&mut bytes, cards).unwrap();
        let seed = Seed::from_reader(&bytes[..]).unwrap();
        let rows: usize = seed.arrays.iter().map(|(_, rows)| rows.len()).sum();
        assert!(rows > 300 + 20);
    }
}
