//! The cards of the company: what the import, people and TOPdesk made of them.

use super::super::cards::{API_LOGIN, ARCHIVING_REASON};
use super::super::names::{DEPARTMENTS, SITES};
use super::super::person::{Person, scattered};
use super::{born, index_of};
use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;

/// A person card.
#[derive(Clone, Debug)]
pub struct SiteCard {
    pub id: Uuid,
    /// The number of its person, if HR has them.
    pub human: Option<u32>,
    /// The number that makes its id: that of its person, also where HR does not know them.
    pub seed: u32,
    pub number: Option<String>,
    pub first_name: &'static str,
    pub prefix: &'static str,
    pub last_name: &'static str,
    /// The name of a program, where it is no person's.
    program: Option<String>,
    pub mail: Option<String>,
    pub login: Option<String>,
    pub network_login: Option<String>,
    phone: Option<String>,
    born: Option<NaiveDate>,
    function: &'static str,
    site: &'static str,
    department: &'static str,
    pub portal: bool,
    caller: bool,
    pub archived: bool,
}

fn id(seed: u32, salt: u64) -> Uuid {
    uuid::Builder::from_random_bytes(scattered(seed, salt)).into_uuid()
}

impl SiteCard {
    /// As the import made it and hands kept it: a quarter has a number, two in three a log-in, some a phone and a day of
    /// birth.
    pub fn of(person: &Person) -> Self {
        let lot = scattered(person.number, 41);
        let phone = match lot[0] % 10 {
            0..=2 => None,
            3..=4 => Some(person.phone.replace("+31 30", "030")),
            _same => Some(person.phone.clone()),
        };
        Self {
            id: id(person.number, 7),
            human: Some(person.number),
            seed: person.number,
            number: lot[1].is_multiple_of(4).then(|| person.number.to_string()),
            first_name: person.first_name,
            prefix: person.prefix,
            last_name: person.last_name,
            program: None,
            mail: Some(person.mail.clone()),
            login: (!lot[2].is_multiple_of(3)).then(|| person.login.clone()),
            network_login: Some(person.login.clone()),
            phone,
            born: (lot[3] % 5 < 2).then(|| born(person.number)),
            function: person.function,
            site: person.site,
            department: person.department,
            portal: true,
            caller: true,
            archived: false,
        }
    }

    /// Another card of the same person.
    pub fn again(&mut self, salt: u64) {
        self.id = id(self.seed, salt);
    }

    /// As TOPdesk generates a card for an operator: no portal, not a caller, and only what the operator card has.
    pub fn generated(self, salt: u64) -> Self {
        Self {
            id: id(self.seed, salt),
            number: None,
            network_login: None,
            phone: None,
            born: None,
            function: "",
            portal: false,
            caller: false,
            ..self
        }
    }

    /// The generated card of an account under which a program works.
    pub fn of_program(seed: u32, name: &str, login: &str) -> Self {
        Self {
            human: None,
            seed,
            program: Some(name.to_owned()),
            mail: None,
            login: Some(login.to_owned()),
            archived: false,
            ..Self::anonymized(seed)
        }
        .generated(7)
    }

    /// A card that TOPdesk anonymized: asterisks.
    pub fn anonymized(seed: u32) -> Self {
        Self {
            id: id(seed, 7),
            human: None,
            seed,
            number: Some("*****".to_owned()),
            first_name: "*****",
            prefix: "",
            last_name: "*****",
            program: None,
            mail: None,
            login: None,
            network_login: None,
            phone: None,
            born: None,
            function: "",
            site: SITES[index_of(seed) as usize % SITES.len()],
            department: "",
            portal: true,
            caller: true,
            archived: true,
        }
    }

    fn json(&self) -> Value {
        let mut card = json!({
            "id": self.id.to_string(),
            "surName": self.program.as_deref().unwrap_or(self.last_name),
            "branch": { "name": self.site },
            "hasSspAccess": self.portal,
            "isCaller": self.caller,
            "archived": self.archived,
        });
        if self.program.is_none() {
            card["firstName"] = self.first_name.into();
        }
        let texts = [
            ("prefixes", Some(self.prefix)),
            ("employeeNumber", self.number.as_deref()),
            ("email", self.mail.as_deref()),
            ("tasLoginName", self.login.as_deref()),
            ("networkLoginName", self.network_login.as_deref()),
            ("phoneNumber", self.phone.as_deref()),
            ("jobTitle", Some(self.function)),
        ];
        for (name, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                card[name] = text.into();
            }
        }
        if !self.department.is_empty() {
            card["department"] = json!({ "name": self.department });
        }
        if let Some(born) = self.born {
            card["optionalFields1"] = json!({ "date1": format!("{born}T00:00:00.000+0000") });
        }
        card
    }
}

/// An operator card.
#[derive(Clone, Debug)]
pub struct SiteOperator {
    pub card: Option<Uuid>,
    name: String,
    first_name: &'static str,
    pub mail: Option<String>,
    pub login: String,
    site: &'static str,
}

impl SiteOperator {
    /// The operator that belongs to a card.
    pub fn of(card: &SiteCard) -> Self {
        let login = card.login.as_ref().or(card.network_login.as_ref());
        Self {
            card: Some(card.id),
            name: card.program.clone().unwrap_or_else(|| card.last_name.to_owned()),
            first_name: if card.program.is_some() { "" } else { card.first_name },
            mail: card.mail.clone(),
            // A generated twin has left its login to the other card.
            login: login.cloned().unwrap_or_else(|| format!("op{}", card.seed)),
            site: card.site,
        }
    }

    fn json(&self) -> Value {
        let mut operator = json!({
            "surName": self.name,
            "loginName": self.login,
            "branch": { "name": self.site },
            "accountType": "regular",
            "status": "operator",
        });
        if !self.first_name.is_empty() {
            operator["firstName"] = self.first_name.into();
        }
        if let Some(mail) = &self.mail {
            operator["email"] = mail.as_str().into();
        }
        if let Some(card) = &self.card {
            operator["linkedPerson"] = json!({ "id": card.to_string() });
        }
        operator
    }
}

/// The seed: lists, cards, operators and the accounts that are nobody's.
pub fn seed(cards: &[SiteCard], operators: &[SiteOperator]) -> String {
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
    let persons: Vec<String> = cards.iter().map(|card| card.json().to_string()).collect();
    let operators: Vec<String> = accounts
        .into_iter()
        .chain(operators.iter().map(SiteOperator::json))
        .map(|operator| operator.to_string())
        .collect();
    format!(
        "{{\n\"branches\": {},\n\"departments\": {},\n\"archivingReasons\": {},\n\"persons\": [\n{}\n],\n\"operators\": [\n{}\n]\n}}\n",
        json!(SITES),
        json!(DEPARTMENTS),
        json!([ARCHIVING_REASON, "Entered by mistake"]),
        persons.join(",\n"),
        operators.join(",\n"),
    )
}
