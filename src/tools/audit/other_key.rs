//! Whom an import that matches on another field would harm: calculated from the cards whose person is known by number.
//!
//! The import is a kind one: it ignores case, touches only cards that have the field, and archives only those whose value
//! no working person has. What it does to people without a number on their card cannot be told, and is not counted.

use super::finding::{Area, Finding, NotKnown, Severity, Subject, Words};
use super::keys::states_that_it_stays;
use super::people::{Has, Worker, Workforce};
use super::values::{Candidate, Ground};
use super::{not_whole, sources_are_whole};
use crate::core::model::field::CardField;
use crate::core::model::key::KeySpec;
use serde::Serialize;
use std::collections::BTreeMap;

/// What matching on a field would do, to people who work here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherKey {
    pub field: Candidate,
    /// Active cards whose person is known by number and works here.
    pub judged: u64,
    /// Active cards of which nobody can say whose they are.
    pub not_judged: u64,
    /// People whose card it would archive. Each person is counted once, by the worst.
    pub archived: u64,
    /// Those of them with an active operator.
    pub locked_out: u64,
    /// People whose card it would give to somebody else, or whose data it would write onto somebody else's.
    pub mixed_up: u64,
    /// People for whom it would make a second card.
    pub second_card: u64,
    /// Working people for whom the sources have no value or a doubtful one.
    pub without_value: u64,
}

impl OtherKey {
    /// People, each once.
    pub fn harmed(&self) -> u64 {
        self.archived + self.mixed_up + self.second_card
    }
}

/// A way of matching, with the names of its facts.
struct Way {
    field: Candidate,
    by: &'static str,
    on_card: &'static str,
    in_sources: &'static str,
}

const WAYS: [Way; 4] = [
    Way {
        field: Candidate::Field(CardField::Email),
        by: "by e-mail",
        on_card: "e-mail on the card",
        in_sources: "e-mail in the sources",
    },
    Way {
        field: Candidate::Field(CardField::TasLoginName),
        by: "by tasLoginName",
        on_card: "tasLoginName on the card",
        in_sources: "tasLoginName in the sources",
    },
    Way {
        field: Candidate::Field(CardField::NetworkLoginName),
        by: "by networkLoginName",
        on_card: "networkLoginName on the card",
        in_sources: "networkLoginName in the sources",
    },
    Way {
        field: Candidate::FullName,
        by: "by full name",
        on_card: "name on the card",
        in_sources: "name in the sources",
    },
];

const HARMED: Words = Words {
    code: "harmed_by_another_key",
    area: Area::Keys,
    severity: Severity::Medium,
    title: "People who work here whom an import by e-mail, login or name would harm",
    why: "a marriage or a new mail domain changes names, addresses and logins, and those of leavers are given out again; the number \
          stays",
    cure: "let no import recognise people by it; use a number as the key",
    command: Some("rekey pair"),
};

/// What one way would do to somebody.
struct Harm<'w> {
    way: &'w Way,
    harms: Vec<&'static str>,
    on_card: Option<String>,
    wanted: Option<String>,
}

/// The field by which it is known whose a card is: the key of the configuration, or the employee number where that key
/// changes in life.
fn truth(spec: &KeySpec, workforce: &Workforce) -> Option<Candidate> {
    let key = Candidate::Field(spec.card_field);
    let number = Candidate::Field(CardField::EmployeeNumber);
    if key.changes().is_none() || states_that_it_stays(spec) {
        return Some(key);
    }
    workforce.mapped.contains(&number).then_some(number)
}

/// Compares every way of matching with the number.
pub(super) fn compare(
    ground: &Ground<'_>,
    workforce: &Workforce,
    not_known: &mut Vec<NotKnown>,
) -> (Vec<OtherKey>, Vec<Finding>) {
    let mut unknown = |what: String, why: String| not_known.push(NotKnown { what, why });
    let all = "whom another key would harm".to_owned();
    if !workforce.usable {
        unknown(
            all,
            "no source that decides who exists could be used, see the reads".to_owned(),
        );
        return (Vec::new(), Vec::new());
    }
    if !sources_are_whole(ground.input) {
        unknown(all, not_whole(ground.input));
        return (Vec::new(), Vec::new());
    }
    let Some(truth) = truth(ground.spec, workforce) else {
        let why = format!(
            "{} changes in life, so it cannot show whose a card is; add employeeNumber to `fields`",
            ground.spec.card_field
        );
        unknown(all, why);
        return (Vec::new(), Vec::new());
    };
    let pairs = pairs(ground, workforce, truth);
    let mut ways = Vec::new();
    let mut harmed: BTreeMap<usize, Vec<Harm<'_>>> = BTreeMap::new();
    for known in &WAYS {
        let way = known.field;
        if way == truth {
            continue;
        }
        let what = format!("whom matching on {way} would harm");
        let hidden = way
            .fields()
            .into_iter()
            .find(|field| ground.target.unknown_fields.contains(field));
        if let Some(field) = hidden {
            unknown(what, format!("nearly no card shows {field} any more, see the reads"));
            continue;
        }
        // What no card has is no way to find anybody.
        if ground.active_people().all(|at| ground.value(at, way).is_none()) {
            continue;
        }
        if !workforce.mapped.contains(&way) {
            unknown(what, format!("`fields` does not say what the sources have for {way}"));
            continue;
        }
        let values = workforce
            .working()
            .filter(|person| *person.has(way) != Has::NotKnown)
            .count();
        if values == 0 && workforce.working().next().is_some() {
            unknown(
                what,
                format!("the sources' values for {way} are not known, see the reads"),
            );
            continue;
        }
        let (counted, found) = one_way(ground, workforce, &pairs, known);
        ways.push(counted);
        for (at, harm) in found {
            harmed.entry(at).or_default().push(harm);
        }
    }
    if workforce.unread() > 0 {
        unknown(
            "what another key would do to some people".to_owned(),
            format!("{} records cannot be used or stand twice", workforce.unread()),
        );
    }
    let subjects = harmed
        .into_iter()
        .map(|(at, harms)| subject(ground, at, harms))
        .collect();
    let in_use = WAYS
        .iter()
        .any(|way| way.field == Candidate::Field(ground.spec.card_field));
    let severity = if in_use { Severity::High } else { HARMED.severity };
    let finding = HARMED.of(subjects).map(|found| Finding { severity, ..found });
    (ways, finding.into_iter().collect())
}

/// Somebody, once, with what each way would do to them.
fn subject(ground: &Ground<'_>, at: usize, harms: Vec<Harm<'_>>) -> Subject {
    let mut subject = Subject::of_card(ground.card(at), ground.spec.card_field);
    if let Some(operator) = ground.active_operator(at) {
        subject = subject.operator(&operator.id);
    }
    for Harm {
        way,
        harms,
        on_card,
        wanted,
    } in harms
    {
        subject = subject
            .plain(way.by, harms.join(", "))
            .value(way.on_card, on_card)
            .value(way.in_sources, wanted);
    }
    subject
}

/// Working people with exactly one active card, by number; the place of the card and the person.
struct Pairs<'a> {
    of_card: BTreeMap<usize, &'a Worker>,
    /// Active cards that are nobody's by number.
    rest: u64,
}

fn pairs<'a>(ground: &Ground<'_>, workforce: &'a Workforce, truth: Candidate) -> Pairs<'a> {
    let by_number = ground.by_value(truth, ground.active_people());
    let mut people: BTreeMap<&str, Vec<&Worker>> = BTreeMap::new();
    for person in workforce.people() {
        if let Some(number) = person.value(truth) {
            people.entry(number).or_default().push(person);
        }
    }
    let mut of_card = BTreeMap::new();
    let mut known = 0;
    for (number, cards) in &by_number {
        let Some([person]) = people.get(&**number).map(Vec::as_slice) else {
            continue;
        };
        // Whose the card is then is not what its number says.
        if cards.iter().any(|card| ground.is_misplaced(*card)) {
            continue;
        }
        known += cards.len() as u64;
        if let ([card], super::people::Stands::Works) = (cards.as_slice(), &person.stands) {
            of_card.insert(*card, *person);
        }
    }
    Pairs {
        of_card,
        rest: ground.active_people().count() as u64 - known,
    }
}

fn one_way<'w>(
    ground: &Ground<'_>,
    workforce: &Workforce,
    pairs: &Pairs<'_>,
    way: &'w Way,
) -> (OtherKey, Vec<(usize, Harm<'w>)>) {
    let field = way.field;
    let by_value = ground.by_value(field, ground.active_people());
    let archived_cards = ground.by_value(
        field,
        (0..ground.index.cards.len()).filter(|at| ground.card(*at).archived && !ground.is_anonymized(*at)),
    );
    let mut claimants: BTreeMap<&str, Vec<&Worker>> = BTreeMap::new();
    for person in workforce.working() {
        if let Some(value) = person.value(field) {
            claimants.entry(value).or_default().push(person);
        }
    }
    let mut counted = OtherKey {
        field,
        judged: pairs.of_card.len() as u64,
        not_judged: pairs.rest,
        archived: 0,
        locked_out: 0,
        second_card: 0,
        mixed_up: 0,
        without_value: workforce
            .working()
            .filter(|person| person.value(field).is_none())
            .count() as u64,
    };
    let mut found = Vec::new();
    for (at, person) in &pairs.of_card {
        let on_card = ground.value(*at, field);
        let wanted = person.value(field);
        let claimed = on_card.as_deref().and_then(|value| claimants.get(value));
        let (mut archived, mut mixed_up, mut second_card) = (None, Vec::new(), None);
        match (&on_card, claimed) {
            (Some(_), None) if *person.has(field) != Has::NotKnown => archived = Some("its card archived"),
            (Some(_), Some(people)) if people.iter().all(|other| other.key != person.key) => {
                mixed_up.push("its card given to somebody else");
            }
            (Some(_), Some(people)) if people.len() > 1 => mixed_up.push("shares the value with another person"),
            (Some(_) | None, _) => {}
        }
        if let Some(wanted) = wanted.filter(|wanted| Some(*wanted) != on_card.as_deref()) {
            let mut active = by_value.get(wanted).into_iter().flatten();
            if active.any(|other| other != at) {
                mixed_up.push("written onto somebody else's card");
            } else if archived_cards.contains_key(wanted) {
                mixed_up.push("somebody else's archived card woken for it");
            } else {
                second_card = Some("a second card made");
            }
        }
        let operator = archived.is_some() && ground.active_operator(*at).is_some();
        match (archived, mixed_up.is_empty(), second_card) {
            (Some(_), _, _) => {
                counted.archived += 1;
                counted.locked_out += u64::from(operator);
            }
            (None, false, _) => counted.mixed_up += 1,
            (None, true, Some(_)) => counted.second_card += 1,
            (None, true, None) => continue,
        }
        let with_operator = operator.then_some("the operator with it");
        let harms = archived
            .into_iter()
            .chain(with_operator)
            .chain(mixed_up)
            .chain(second_card);
        let harm = Harm {
            way,
            harms: harms.collect(),
            wanted: wanted.map(str::to_owned),
            on_card,
        };
        found.push((*at, harm));
    }
    (counted, found)
}
