//! The people of the sources, as far as pairing needs them: those who can be paired, and those who can only be mistaken for
//! somebody.

use super::super::rows::{Pairing, Shown};
use crate::core::input::PlanInput;
use crate::core::likeness::marks::{Mark, Marks};
use crate::core::model::field::CardField;
use crate::core::model::identity::{Describe, Description, Desired, FirstDay, JoinedRecord, LastDay, Truth, Wanted};
use crate::core::model::key::{Key, RawKey};
use crate::core::model::record::{Anchor, RecordRef, SourceRecord, Unkeyed};
use crate::core::reads::cards::{CardIndex, CardMatch};
use crate::core::reads::merge::{Member, Person, Population};
use crate::core::reads::snapshot::{Role, Snapshot};
use crate::core::rules::lifecycle::dates::{FirstSight, last_day};
use crate::core::rules::lifecycle::{Leaving, leaving};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody of the sources who can be paired.
pub(super) struct Someone {
    pub key: Key,
    pub raw_key: RawKey,
    pub shown: Shown,
    pub marks: Marks,
    pub anchors: Vec<Anchor>,
    pub in_scope: bool,
    /// The card that bears the number.
    pub card: Option<usize>,
}

/// Somebody whom a record names and who cannot be paired: there is no usable number, or several have it. They may have any
/// card, so they count as namesakes: what cannot be used is not nobody.
pub(super) struct Unclear {
    pub record: RecordRef,
    pub marks: Marks,
}

/// Everybody whom the sources name, and who of them cannot be paired.
#[derive(Default)]
pub(super) struct People {
    pub people: Vec<Someone>,
    pub unclear: Vec<Unclear>,
}

/// The fields by which the sources and the cards can be compared.
pub(super) fn mapped(input: &PlanInput) -> BTreeSet<CardField> {
    let unknown = &input.target.unknown_fields;
    let fields = input.policy.fields.keys().copied();
    fields.filter(|field| !unknown.contains(field)).collect()
}

/// A number without its leading zeros.
pub(super) fn without_zeros(number: &str) -> String {
    number.trim().trim_start_matches('0').to_lowercase()
}

impl People {
    /// Of all sources that decide who exists. Numbers in conflict are put into the pairing.
    pub fn of(input: &PlanInput, describe: &dyn Describe, index: &CardIndex<'_>, pairing: &mut Pairing) -> Self {
        let population = Population::new(&input.snapshots, &input.policy.same_people);
        let look = Look {
            input,
            describe,
            mapped: mapped(input),
        };
        let mut found = Self::default();
        for member in population.members() {
            match member {
                Member::Person(person) => match index.matching(person.key) {
                    CardMatch::None => found.people.push(look.someone(&person, None)),
                    CardMatch::One { card, .. } => found.people.push(look.someone(&person, Some(card))),
                    CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => {
                        pairing.in_conflict.insert(person.key.clone());
                        look.unclear(person.key, &mut found.unclear);
                    }
                },
                Member::Conflict(conflict) => {
                    look.unclear(&conflict.key, &mut found.unclear);
                    pairing.in_conflict.insert(conflict.key);
                }
                Member::Rejected(key) => look.unclear(key, &mut found.unclear),
                // No people, or people whose every contract has ended: nothing else is kept of them.
                Member::Skipped(_) => {}
            }
        }
        look.without_number(&mut found.unclear);
        found
    }
}

struct Look<'a> {
    input: &'a PlanInput,
    describe: &'a dyn Describe,
    mapped: BTreeSet<CardField>,
}

impl Look<'_> {
    fn someone(&self, person: &Person<'_>, card: Option<usize>) -> Someone {
        let (input, describe) = (self.input, self.describe);
        let description = describe.describe(&person.joined, input.moment);
        let mut marks = Marks::of_person(&description, &self.mapped, input.policy.birth_date, &person.anchors);
        marks.number = Some(without_zeros(person.key.as_str()));
        marks.begins = match describe.first_day(&person.joined, input.moment) {
            Some(FirstDay::On(day)) => Some(day),
            Some(FirstDay::Blank | FirstDay::Unknown(_)) | None => None,
        };
        match leaving(describe, person, input, FirstSight::default()) {
            Leaving::Now(_) | Leaving::Later { .. } | Leaving::ContractsEnded => marks.leaves = true,
            Leaving::Unknown(_) => marks.may_leave = true,
            Leaving::No | Leaving::NextContract => {}
        }
        let until = match describe.last_day(&person.joined, input.moment) {
            LastDay::On(day) => Some(day),
            LastDay::NotMapped => last_day(describe, person, input.moment),
            LastDay::NotKnown(_) => None,
        };
        Someone {
            key: person.key.clone(),
            raw_key: person.joined.raw_key.clone(),
            shown: Shown {
                born: marks.birth_date,
                since: marks.begins,
                until,
                ..Shown::of(|field| text_wanted(&description, field))
            },
            marks,
            anchors: person.anchors.clone(),
            in_scope: describe.scope(&person.joined, input.moment) == Truth::True,
            card,
        }
    }

    /// The snapshots that decide who exists, and that can be used.
    fn deciding(&self) -> impl Iterator<Item = &Snapshot> {
        let decides = |snapshot: &&Snapshot| snapshot.summary.role == Some(Role::Authoritative);
        self.input
            .snapshots
            .iter()
            .filter(decides)
            .filter(|it| !it.is_rejected())
    }

    fn unclear(&self, key: &Key, unclear: &mut Vec<Unclear>) {
        for snapshot in self.deciding() {
            let records = snapshot.with_key(key).iter();
            unclear.extend(records.map(|record| self.of_record(snapshot, record)));
        }
    }

    fn without_number(&self, unclear: &mut Vec<Unclear>) {
        for snapshot in self.deciding() {
            let records = snapshot.unkeyed().iter().map(Unkeyed::alone);
            unclear.extend(records.map(|record| self.of_record(snapshot, &record)));
        }
    }

    fn of_record(&self, snapshot: &Snapshot, record: &SourceRecord) -> Unclear {
        let source = &snapshot.summary.name;
        let joined = JoinedRecord::alone(&self.input.snapshots, source, record);
        let description = self.describe.describe(&joined, self.input.moment);
        Unclear {
            record: RecordRef {
                source: source.clone(),
                place: record.place.clone(),
            },
            marks: Marks::of_person(&description, &self.mapped, self.input.policy.birth_date, &[]),
        }
    }
}

/// What a field should show, in words.
fn text_wanted(description: &Description, field: CardField) -> Option<String> {
    match description.fields.get(&field) {
        Some(Desired::Set(Wanted::Value(value))) => Some(value.display()),
        Some(Desired::Set(Wanted::Entry(name))) => Some(name.to_string()),
        Some(Desired::Set(Wanted::ManagerKey(_) | Wanted::ManagerDn { .. }) | Desired::Clear | Desired::Unknown(_))
        | None => None,
    }
}

/// Where a value is found, so that nobody is compared with everybody.
pub(super) fn places(marks: &Marks) -> Vec<(u8, String)> {
    let mut places = Vec::new();
    let mut add = |family: u8, value: &str| places.push((family, value.to_owned()));
    marks.emails.iter().for_each(|it| add(0, it));
    marks.logins.iter().for_each(|it| add(1, it));
    marks.full_names().iter().for_each(|it| add(2, it));
    marks.phones.iter().for_each(|it| add(3, it));
    marks
        .own
        .iter()
        .for_each(|(field, it)| add(4, &format!("{field} {it}")));
    marks.number.iter().for_each(|it| add(5, it));
    marks
        .anchors
        .iter()
        .for_each(|it| add(6, &format!("{} {}", it.source, it.value)));
    marks.birth_date.iter().for_each(|it| add(7, &it.to_string()));
    places
}

/// How often values occur, on one side.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<(Mark, String), usize>);

impl Seen {
    pub fn add(&mut self, marks: &Marks) {
        let mut add = |mark: Mark, value: String| *self.0.entry((mark, value)).or_default() += 1;
        marks.phones.iter().for_each(|it| add(Mark::Phone, it.clone()));
        marks
            .own
            .iter()
            .for_each(|(field, it)| add(Mark::OwnField, format!("{field} {it}")));
        marks
            .birth_date
            .iter()
            .for_each(|it| add(Mark::BirthDate, it.to_string()));
    }

    pub fn count(&self, mark: Mark, value: &str) -> usize {
        self.0.get(&(mark, value.to_owned())).copied().unwrap_or(0)
    }
}
