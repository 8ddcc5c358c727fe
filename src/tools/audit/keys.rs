//! Which field could be the key: how many cards have it, how often it is unique, whether it changes in life, and how many
//! people of the sources it finds.

use super::other_key::OtherKey;
use super::people::Workforce;
use super::values::{Candidate, Ground};
use crate::core::model::field::CardField;
use crate::core::model::key::KeySpec;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How a candidate would pair the people of the sources who work here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Matches {
    /// People for whom the sources have a value.
    pub people: u64,
    /// People with exactly one active card, which nobody else claims.
    pub paired: u64,
    /// People whose value is on no active card.
    pub no_card: u64,
    /// People whose value is on several active cards, or whom another person shares it with.
    pub unclear: u64,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyCandidate {
    pub field: Candidate,
    /// Whether it is the key of the configuration.
    pub current: bool,
    /// Active cards of people.
    pub cards: u64,
    /// Those with a value.
    pub filled: u64,
    /// Those whose value no other active card has.
    pub unique: u64,
    /// Those whose value another active card has as well.
    pub shared: u64,
    /// Those whose value also stands on an archived card.
    pub also_archived: u64,
    /// Why it changes in life; absent for what can stay the same.
    pub changes: Option<&'static str>,
    /// Absent where the sources' values are not known.
    pub matches: Option<Matches>,
    /// Active cards on which it holds a key of the sources, for a field that the configuration does not map.
    pub holds_source_keys: Option<u64>,
}

/// Which key to use, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    pub field: Candidate,
    /// Whether it is the key of the configuration already.
    pub current: bool,
    pub reasons: Vec<String>,
    /// What comes next, with the command.
    pub next: String,
}

/// Whether the configuration states that the login that is its key never changes.
pub(super) fn states_that_it_stays(spec: &KeySpec) -> bool {
    spec.immutable && spec.card_field.is_login()
}

/// Every candidate that is filled on any card, and the key of the configuration: what no card has finds nobody.
pub(super) fn candidates(ground: &Ground<'_>, workforce: &Workforce) -> Vec<KeyCandidate> {
    let current = Candidate::Field(ground.spec.card_field);
    let extra = (!Candidate::all().any(|candidate| candidate == current)).then_some(current);
    Candidate::all()
        .chain(extra)
        .map(|candidate| candidate_of(ground, workforce, candidate, current))
        .filter(|found| found.filled > 0 || found.current)
        .collect()
}

fn candidate_of(ground: &Ground<'_>, workforce: &Workforce, field: Candidate, current: Candidate) -> KeyCandidate {
    let by_value = ground.by_value(field, ground.active_people());
    let archived: BTreeSet<String> = (0..ground.index.cards.len())
        .filter(|at| ground.card(*at).archived && !ground.is_anonymized(*at))
        .filter_map(|at| ground.value(at, field))
        .collect();
    let count = |wanted: &dyn Fn(&str, &[usize]) -> bool| {
        let of = by_value.iter().filter(|(value, cards)| wanted(value, cards));
        of.map(|(_, cards)| cards.len() as u64).sum::<u64>()
    };
    let stated = field == current && states_that_it_stays(ground.spec);
    let mapped = workforce.mapped.contains(&field);
    let keys: BTreeSet<String> = workforce
        .people()
        .iter()
        .filter_map(|person| field.comparable(person.key.as_str(), ground.spec))
        .collect();
    KeyCandidate {
        field,
        current: field == current,
        cards: ground.active_people().count() as u64,
        filled: count(&|_, _| true),
        unique: count(&|_, cards| cards.len() == 1),
        shared: count(&|_, cards| cards.len() > 1),
        also_archived: count(&|value, _| archived.contains(value)),
        changes: field.changes().filter(|_| !stated),
        matches: (mapped && workforce.usable).then(|| matches(ground, workforce, field, &by_value)),
        holds_source_keys: (!mapped && workforce.usable && field.changes().is_none())
            .then(|| count(&|value, _| keys.contains(value))),
    }
}

fn matches(
    ground: &Ground<'_>,
    workforce: &Workforce,
    field: Candidate,
    by_value: &BTreeMap<String, Vec<usize>>,
) -> Matches {
    let is_key = field == Candidate::Field(ground.spec.card_field);
    let mut claims: BTreeMap<&str, u64> = BTreeMap::new();
    for value in workforce.working().filter_map(|person| person.value(field)) {
        *claims.entry(value).or_default() += 1;
    }
    let mut found = Matches::default();
    for (value, people) in claims {
        found.people += people;
        match by_value.get(value).map_or(&[][..], Vec::as_slice) {
            [] => found.no_card += people,
            // By the key it would be found, and would be somebody else's.
            [card] if people == 1 && !(is_key && ground.is_misplaced(*card)) => found.paired += 1,
            _several => found.unclear += people,
        }
    }
    found
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "none".to_owned();
    }
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}

/// Which field to use: what does not change in life and pairs most people, or stands on most cards alone.
pub(super) fn advice(keys: &[KeyCandidate], others: &[OtherKey], ground: &Ground<'_>, workforce: &Workforce) -> Advice {
    let current = ground.spec.card_field;
    let weight = |key: &KeyCandidate| {
        let paired = key.matches.as_ref().map(|matches| matches.paired);
        paired.or(key.holds_source_keys).unwrap_or(key.unique)
    };
    // Of equals the first: the employee number.
    let best = keys
        .iter()
        .filter(|key| key.changes.is_none())
        .rev()
        .max_by_key(|key| weight(key));
    let number = Candidate::Field(CardField::EmployeeNumber);
    let field = best.filter(|key| weight(key) > 0).map_or(number, |key| key.field);
    let mut reasons = Vec::new();
    let mut complete = false;
    if let Some(key) = keys.iter().find(|key| key.field == field) {
        reasons.push(format!(
            "{field} can stay the same for life: a marriage, a new mail domain or a new login does not touch it"
        ));
        reasons.push(format!(
            "it stands on {} of {} active cards ({}), and on {} of them on no other active card",
            key.filled,
            key.cards,
            percent(key.filled, key.cards),
            key.unique
        ));
        if let Some(matches) = &key.matches {
            complete = matches.people > 0 && matches.paired == matches.people;
            reasons.push(format!(
                "of {} people in the sources who work here it finds exactly one card for {} ({})",
                matches.people,
                matches.paired,
                percent(matches.paired, matches.people)
            ));
        }
        if let Some(cards) = key.holds_source_keys {
            reasons.push(format!("on {cards} cards it holds a key of the sources"));
        }
    }
    for other in others.iter().filter(|other| other.harmed() > 0) {
        reasons.push(format!(
            "an import by {} would harm {} of {} people whose number is known: {} archived ({} of them operators), {} mixed up with \
             somebody else, {} with a second card, each counted once by the worst; for {} other cards nobody can say",
            other.field,
            other.harmed(),
            other.judged,
            other.archived,
            other.locked_out,
            other.mixed_up,
            other.second_card,
            other.not_judged
        ));
    }
    let in_use = Candidate::Field(current);
    if keys.is_empty() {
        return Advice {
            field,
            current: field == in_use,
            reasons: vec!["the read of TOPdesk was rejected, so that nothing is said of the cards".to_owned()],
            next: "mend the read, then run `cardsync audit` again".to_owned(),
        };
    }
    for key in keys.iter().filter(|key| key.field == in_use && key.field != field) {
        if let Some(why) = key.changes {
            reasons.push(format!("{in_use}, the key of the configuration, changes: {why}"));
        }
    }
    let misplaced = ground.pairing.misplaced.len();
    let next = if field == in_use && misplaced > 0 {
        {
            let cards = if misplaced == 1 { "card" } else { "cards" };
            format!("first put the numbers on somebody else's card right ({misplaced} {cards}, the first finding)")
        }
    } else if field == in_use && complete {
        "everybody in the sources has a card with it: go on with `cardsync plan`".to_owned()
    } else if field == in_use {
        "write it onto the cards that lack it: `cardsync rekey pair`, then `rekey write` and `rekey verify`".to_owned()
    } else {
        format!("make `key: {{ card_field: {field} }}` the key of the configuration, then `cardsync rekey pair`")
    };
    if !workforce.usable {
        reasons.push("the sources could not be used, so that nothing is said of whom it finds".to_owned());
    }
    Advice {
        field,
        current: field == in_use,
        reasons,
        next,
    }
}
