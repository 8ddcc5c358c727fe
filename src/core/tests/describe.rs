//! A mapping without expressions: attributes of fixed names become fields and conditions.

use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::{
    Describe, Description, Desired, FieldProblem, FirstDay, JoinedRecord, LastDay, Moment, Part, Truth, Unknown, Wanted,
};
use crate::core::model::ids::SourceName;
use crate::core::model::key::Key;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;

/// Attribute, field. Text fields take the value as it is, lists its name, the manager a key.
pub const FIELDS: [(&str, CardField); 8] = [
    ("sur", CardField::SurName),
    ("first", CardField::FirstName),
    ("job", CardField::JobTitle),
    ("email", CardField::Email),
    ("login", CardField::TasLoginName),
    ("branch", CardField::Branch),
    ("dept", CardField::Department),
    ("mgr", CardField::Manager),
];

/// Special values: `BAD` holds the person, `ODD` skips the field, `?` makes a condition unknown.
#[derive(Clone, Debug, Default)]
pub struct FakeMapping {
    /// Attributes that come from an enrich source; all others come from whichever authoritative record there is.
    pub from: BTreeMap<&'static str, SourceName>,
    /// Whether `start` is the first working day.
    pub starts: bool,
    /// Maps `hasSspAccess` to false for everybody.
    pub no_ssp_access: bool,
    /// Maps `lifecycle.anonymize.since` to the attribute `end`.
    pub since_end: bool,
}

enum Found<'a> {
    Value(&'a str),
    Empty,
    Unknown(Unknown),
}

impl FakeMapping {
    fn look<'a>(&self, joined: &'a JoinedRecord<'_>, attribute: &'static str) -> Found<'a> {
        let enrich = self.from.get(attribute);
        let mut unknown = None;
        for (source, (snapshot, part)) in &joined.parts {
            let decides = snapshot.summary.role == Some(crate::core::reads::snapshot::Role::Authoritative);
            if enrich.map_or(!decides, |enrich| enrich != *source) {
                continue;
            }
            match part {
                Part::Record(record) => {
                    let at = snapshot.attributes.position(attribute);
                    if snapshot.missing_attributes.contains(attribute) {
                        unknown = Some(Unknown::NoAttribute((*source).clone(), attribute.into()));
                        continue;
                    }
                    return match at.and_then(|at| record.values[at].as_slice().first()) {
                        Some(value) if !value.is_empty() => Found::Value(value),
                        Some(_) | None => Found::Empty,
                    };
                }
                Part::NoRecord => unknown = unknown.or(Some(Unknown::NoRecord((*source).clone()))),
                Part::Unknown(why) => unknown = Some(why.clone()),
            }
        }
        Found::Unknown(unknown.unwrap_or_else(|| Unknown::Expression(format!("no source has {attribute}"))))
    }
}

impl Describe for FakeMapping {
    fn scope(&self, joined: &JoinedRecord<'_>, _: Moment) -> Truth {
        match self.look(joined, "scope") {
            Found::Value("no") => Truth::False,
            Found::Value("?") => Truth::Unknown("scope is odd".to_owned()),
            Found::Value(_) | Found::Empty | Found::Unknown(_) => Truth::True,
        }
    }

    fn leaving(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        match self.look(joined, "status") {
            Found::Value("left") => return Truth::True,
            Found::Value("?") => return Truth::Unknown("status is odd".to_owned()),
            Found::Value(_) | Found::Empty => {}
            Found::Unknown(_) => return Truth::Unknown("status is not known".to_owned()),
        }
        match self.look(joined, "end") {
            Found::Value("0000-00-00") | Found::Empty => Truth::False,
            Found::Value(text) => match text.parse::<NaiveDate>() {
                Ok(date) if date < moment.today() => Truth::True,
                Ok(_) => Truth::False,
                Err(_) => Truth::Unknown("end is no date".to_owned()),
            },
            Found::Unknown(_) => Truth::Unknown("end is not known".to_owned()),
        }
    }

    fn leaving_beyond_doubt(&self, joined: &JoinedRecord<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth {
        let date = match self.look(joined, "end") {
            Found::Value(text) => text.parse::<NaiveDate>().ok(),
            Found::Empty | Found::Unknown(_) => None,
        };
        let by_status = matches!(self.look(joined, "status"), Found::Value("left"));
        let odd = date.filter(|date| date.year() == 1970 || first_day.is_some_and(|first| *date < first));
        match odd {
            Some(date) if !by_status => Truth::Unknown(format!("end is {date}")),
            Some(_) | None => self.leaving(joined, moment),
        }
    }

    fn last_day(&self, joined: &JoinedRecord<'_>, _: Moment) -> LastDay {
        if !self.since_end {
            return LastDay::NotMapped;
        }
        match self.look(joined, "end") {
            Found::Value(text) => match text.parse() {
                Ok(date) => LastDay::On(date),
                Err(_) => LastDay::NotKnown("end is no date".to_owned()),
            },
            Found::Empty | Found::Unknown(_) => LastDay::NotKnown("end is not known".to_owned()),
        }
    }

    fn leaves_by_date(&self) -> bool {
        true
    }

    fn first_day(&self, joined: &JoinedRecord<'_>, _: Moment) -> Option<FirstDay> {
        self.starts.then(|| match self.look(joined, "start") {
            Found::Value(text) => text
                .parse()
                .map_or_else(|_| FirstDay::Unknown("start is no date".to_owned()), FirstDay::On),
            Found::Empty => FirstDay::Blank,
            Found::Unknown(_) => FirstDay::Unknown("start is not known".to_owned()),
        })
    }

    fn managers_by_dn(&self) -> bool {
        false
    }

    fn describe(&self, joined: &JoinedRecord<'_>, _: Moment) -> Description {
        let mut fields = BTreeMap::new();
        let mut problems = Vec::new();
        for (attribute, field) in FIELDS {
            let desired = match self.look(joined, attribute) {
                Found::Unknown(why) => Desired::Unknown(why),
                Found::Empty => Desired::Clear,
                Found::Value(odd @ ("BAD" | "ODD")) => {
                    problems.push(FieldProblem {
                        field,
                        message: "does not fit".to_owned(),
                        holds_person: odd == "BAD",
                    });
                    Desired::Unknown(Unknown::Expression("does not fit".to_owned()))
                }
                Found::Value(value) => Desired::Set(match field {
                    CardField::Branch | CardField::Department => Wanted::Entry(value.into()),
                    CardField::Manager => Wanted::ManagerKey(Key::stored(value)),
                    _ => Wanted::Value(FieldValue::Text(value.into())),
                }),
            };
            fields.insert(field, desired);
        }
        if self.no_ssp_access {
            let no = Desired::Set(Wanted::Value(FieldValue::Flag(false)));
            fields.insert(CardField::HasSspAccess, no);
        }
        Description { fields, problems }
    }
}
