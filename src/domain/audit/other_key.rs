//! Whom an import that matches on another field would harm: calculated from the cards whose person is known by number.
//!
//! The import is a kind one: it ignores case, touches only cards that have the field, and archives only those whose value
//! no working person has. What it does to people without a number on their card cannot be told, and is not counted.

use super::finding::{Area, Finding, NotKnown, Severity, Subject, Words};
use super::keys::states_that_it_stays;
use super::people::{Has, Worker, Workforce};
use super::values::{Candidate, Ground};
use super::{not_whole, sources_are_whole};
use crate::domain::field::CardField;
use crate::domain::key::KeySpec;
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
    /// Cards that it would archive.
    pub archived: u64,
    /// Those with an active operator.
    pub locked_out: u64,
    /// People for whom it would make a second card.
    pub second_card: u64,
    /// People whose data it would write onto somebody else's card.
    pub mixed_up: u64,
    /// Working people for whom the sources have no value or a doubtful one.
    pub without_value: u64,
    /// People, each once, by the worst that would happen to them.
    #[serde(skip)]
    pub worst: Worst,
}

/// People by the worst that would happen to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst {
    /// The card archived, and the operator with it.
    pub locked_out: u64,
    pub archived: u64,
    pub mixed_up: u64,
    pub second_card: u64,
}

impl OtherKey {
    /// People, each once.
    pub fn harmed(&self) -> u64 {
        let Worst {
            locked_out,
            archived,
            mixed_up,
            second_card,
        } = self.worst;
        locked_out + archived + mixed_up + second_card
    }
}

/// A way of matching, and the words for its harm.
const WAYS: [(Candidate, &str); 4] = [
    (Candidate::Field(CardField::Email), "harmed_by_email"),
    (Candidate::Field(CardField::TasLoginName), "harmed_by_tas_login"),
    (Candidate::Field(CardField::NetworkLoginName), "harmed_by_network_login"),
    (Candidate::FullName, "harmed_by_name"),
];

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
    let (mut ways, mut findings) = (Vec::new(), Vec::new());
    for (way, code) in WAYS {
        if way == truth {
            continue;
        }
        let what = format!("whom matching on {way} would harm");
        if !workforce.mapped.contains(&way) {
            unknown(what, format!("`fields` does not say what the sources have for {way}"));
            continue;
        }
        let hidden = way
            .fields()
            .into_iter()
            .find(|field| ground.target.unknown_fields.contains(field));
        if let Some(field) = hidden {
            unknown(what, format!("nearly no card shows {field} any more, see the reads"));
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
        let (counted, subjects) = one_way(ground, workforce, &pairs, way);
        ways.push(counted);
        findings.extend(finding(way, code, subjects, ground));
    }
    if workforce.unread() > 0 {
        unknown(
            "what another key would do to some people".to_owned(),
            format!("{} records cannot be used or stand twice", workforce.unread()),
        );
    }
    (ways, findings)
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

fn one_way(ground: &Ground<'_>, workforce: &Workforce, pairs: &Pairs<'_>, way: Candidate) -> (OtherKey, Vec<Subject>) {
    let by_value = ground.by_value(way, ground.active_people());
    let archived_cards = ground.by_value(
        way,
        (0..ground.index.cards.len()).filter(|at| ground.card(*at).archived && !ground.is_anonymized(*at)),
    );
    let mut claimants: BTreeMap<&str, Vec<&Worker>> = BTreeMap::new();
    for person in workforce.working() {
        if let Some(value) = person.value(way) {
            claimants.entry(value).or_default().push(person);
        }
    }
    let mut counted = OtherKey {
        field: way,
        judged: pairs.of_card.len() as u64,
        not_judged: pairs.rest,
        archived: 0,
        locked_out: 0,
        second_card: 0,
        mixed_up: 0,
        without_value: workforce.working().filter(|person| person.value(way).is_none()).count() as u64,
        worst: Worst::default(),
    };
    let mut subjects = Vec::new();
    for (at, person) in &pairs.of_card {
        let on_card = ground.value(*at, way);
        let wanted = person.value(way);
        let mut harms = Vec::new();
        let before = (counted.locked_out, counted.archived, counted.mixed_up);
        let claimed = on_card.as_deref().and_then(|value| claimants.get(value));
        match (&on_card, claimed) {
            (Some(_), None) if *person.has(way) != Has::NotKnown => {
                counted.archived += 1;
                harms.push("its card archived");
                if ground.active_operator(*at).is_some() {
                    counted.locked_out += 1;
                    harms.push("the operator with it");
                }
            }
            (Some(_), Some(people)) if people.iter().all(|other| other.key != person.key) => {
                counted.mixed_up += 1;
                harms.push("its card given to somebody else");
            }
            (Some(_), Some(people)) if people.len() > 1 => {
                counted.mixed_up += 1;
                harms.push("shares the value with another person");
            }
            (Some(_) | None, _) => {}
        }
        if let Some(wanted) = wanted.filter(|wanted| Some(*wanted) != on_card.as_deref()) {
            let active = by_value.get(wanted).into_iter().flatten();
            let active_others = active.filter(|other| *other != at).count();
            if active_others > 0 {
                counted.mixed_up += 1;
                harms.push("written onto somebody else's card");
            } else if archived_cards.contains_key(wanted) {
                counted.mixed_up += 1;
                harms.push("somebody else's archived card woken for it");
            } else {
                counted.second_card += 1;
                harms.push("a second card made");
            }
        }
        if harms.is_empty() {
            continue;
        }
        let worst = &mut counted.worst;
        let kinds = [
            (counted.locked_out > before.0, &mut worst.locked_out),
            (counted.archived > before.1, &mut worst.archived),
            (counted.mixed_up > before.2, &mut worst.mixed_up),
            (true, &mut worst.second_card),
        ];
        if let Some((_, kind)) = kinds.into_iter().find(|(is, _)| *is) {
            *kind += 1;
        }
        let mut subject = Subject::of_card(ground.card(*at), ground.spec.card_field);
        if let Some(operator) = ground.active_operator(*at) {
            subject = subject.operator(&operator.id);
        }
        subjects.push(
            subject
                .value("on the card", on_card)
                .value("in the sources", wanted)
                .plain("would be", harms.join(", ")),
        );
    }
    (counted, subjects)
}

fn finding(way: Candidate, code: &'static str, subjects: Vec<Subject>, ground: &Ground<'_>) -> Option<Finding> {
    let in_use = way == Candidate::Field(ground.spec.card_field);
    let words = Words {
        code,
        area: Area::Keys,
        severity: if in_use { Severity::High } else { Severity::Medium },
        title: "",
        why: "",
        cure: "let no import recognise people by it; use a number as the key",
        command: Some("rekey pair"),
    };
    let found = words.of(subjects)?;
    let why = way.changes().unwrap_or("it is not the number");
    Some(Finding {
        title: format!("People who work here whom an import by {way} would harm"),
        why: format!("{why}; under the number nothing happens to them"),
        ..found
    })
}
