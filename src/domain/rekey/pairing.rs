//! Who belongs to which card: every card without the key beside every person without a card, graded.
//!
//! A pair is a suggestion. The top grade needs a witness of another family than e-mail address, login and name; and whatever
//! is ambiguous, or was handed on from one human to another, is no pair but a row that says why.
//!
//! ```text
//! sure      first name, surname, e-mail or login, and a second witness; or a witness that is never handed on
//! likely    first name, surname, e-mail or login
//! possible  one of them, and nothing speaks against it
//! ```

use super::marks::{Agreement, Mark, Marks, Names};
pub use super::rows::{FreePerson, Grade, NoPair, Pair, Pairing, Row, Shown, Verdict, Which};
use crate::domain::card::{OperatorCard, OperatorLink};
use crate::domain::cards::{CardIndex, CardMatch, CardState};
use crate::domain::field::CardField;
use crate::domain::identity::{Describe, Truth};
use crate::domain::ids::CardId;
use crate::domain::input::PlanInput;
use crate::domain::key::{Key, RawKey};
use crate::domain::lifecycle::{Leaving, leaving};
use crate::domain::merge::{Member, Population};
use crate::domain::record::Anchor;
use std::collections::{BTreeMap, BTreeSet};

/// A value that more people than this have in common finds nobody: a reception's telephone number, a shared mailbox.
const MOST_ALIKE: usize = 20;

struct Someone {
    key: Key,
    raw_key: RawKey,
    shown: Shown,
    marks: Marks,
    anchors: Vec<Anchor>,
    in_scope: bool,
    leaves: bool,
    card: Option<usize>,
}

struct Edge {
    person: usize,
    standing: Standing,
    agreement: Agreement,
}

/// How a person and a card stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Not(NoPair),
    As(Grade),
}

impl Standing {
    fn of(agreement: &Agreement) -> Option<Standing> {
        let (account, full) = (agreement.of_account(), agreement.full_name());
        if agreement.names_differ() {
            return account.then_some(Standing::Not(NoPair::HandedOn));
        }
        let second = agreement.second_witness();
        let date_differs = agreement.differ.contains(&Mark::Date);
        if date_differs && !second {
            return (account || full).then_some(Standing::Not(NoPair::DateDiffers));
        }
        let contradicted = date_differs || agreement.differ.contains(&Mark::Number);
        let id = agreement.same.contains(&Mark::Number) || agreement.same.contains(&Mark::DirectoryId);
        let sure = full && (account && second || id)
            || agreement.first_name == Names::Same && account && agreement.lasting_witness();
        let in_part = agreement.first_name == Names::Same || agreement.surname == Names::Same;
        if sure && !contradicted {
            Some(Standing::As(Grade::Sure))
        } else if full && account && !contradicted {
            Some(Standing::As(Grade::Likely))
        } else if account || full || in_part && second {
            Some(Standing::As(Grade::Possible))
        } else {
            None
        }
    }

    /// Higher is better; what is no pair is 0.
    fn tier(self) -> u8 {
        match self {
            Standing::Not(_) => 0,
            Standing::As(Grade::Possible) => 1,
            Standing::As(Grade::Likely) => 2,
            Standing::As(Grade::Sure) => 3,
        }
    }
}

/// Pairs the cards. Pure: the same input gives the same rows.
pub fn pair(input: &PlanInput, describe: &dyn Describe, which: Which) -> Pairing {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let mut pairing = Pairing::default();
    let people = people(input, describe, &index, &mut pairing);
    let claimed: BTreeSet<usize> = people.iter().filter_map(|person| person.card).collect();
    let in_conflict = pairing.in_conflict.clone();
    let looked_at = |card: &usize| match index.state(*card) {
        CardState::Keyless => true,
        CardState::Keyed(key) => which == Which::Unclaimed && !claimed.contains(card) && !in_conflict.contains(key),
        CardState::Anonymized => false,
    };
    let cards: Vec<usize> = (0..index.cards.len()).filter(looked_at).collect();
    let world = Work::new(input, &index, &people, &cards);
    let mut rows: Vec<Row> = world.rows();
    let of_operator = |link: &OperatorLink| match link {
        OperatorLink::Active { .. } => 0,
        OperatorLink::Archived { .. } => 1,
        OperatorLink::Unproven | OperatorLink::ProvenNone => 2,
    };
    let order = |row: &Row| {
        let grade = row.pair().map_or(3, |pair| match pair.grade {
            Grade::Sure => 0,
            Grade::Likely => 1,
            Grade::Possible => 2,
        });
        (of_operator(&row.operator), grade)
    };
    rows.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.card.cmp(&b.card)));
    pairing.rows = rows;
    for person in people {
        match person.card {
            Some(card) => {
                pairing.taken.insert(person.key, index.cards[card].id.clone());
            }
            None => {
                let free = FreePerson {
                    raw_key: person.raw_key,
                    shown: person.shown,
                    anchors: person.anchors,
                    in_scope: person.in_scope,
                };
                pairing.free.insert(person.key, free);
            }
        }
    }
    pairing
}

/// Everybody whom the sources name once, with the card that has the key.
fn people(input: &PlanInput, describe: &dyn Describe, index: &CardIndex<'_>, pairing: &mut Pairing) -> Vec<Someone> {
    let population = Population::new(&input.snapshots, &input.policy.same_people);
    let mapped = mapped(input);
    let mut people = Vec::new();
    for member in population.members() {
        let person = match member {
            Member::Person(person) => person,
            Member::Conflict(conflict) => {
                pairing.in_conflict.insert(conflict.key);
                continue;
            }
            // Present, and yet nothing can be said of them.
            Member::Rejected(_) => continue,
        };
        let card = match index.matching(person.key) {
            CardMatch::None => None,
            CardMatch::One { card, .. } => Some(card),
            CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => {
                pairing.in_conflict.insert(person.key.clone());
                continue;
            }
        };
        let description = describe.describe(&person.joined, input.moment);
        let mut marks = Marks::of_person(&description, &mapped, &person.anchors);
        marks.number = Some(without_zeros(person.key.as_str()));
        let text = |field| super::text_wanted(&description, field);
        people.push(Someone {
            key: person.key.clone(),
            raw_key: person.joined.raw_key.clone(),
            shown: shown(text),
            marks,
            anchors: person.anchors.clone(),
            in_scope: describe.scope(&person.joined, input.moment) == Truth::True,
            leaves: match leaving(describe, &person, input, None) {
                Leaving::Now(_) | Leaving::Later { .. } => true,
                Leaving::No | Leaving::Unknown(_) => false,
            },
            card,
        });
    }
    people
}

/// The fields by which the sources and the cards can be compared.
fn mapped(input: &PlanInput) -> BTreeSet<CardField> {
    let unknown = &input.target.unknown_fields;
    let fields = input.policy.fields.keys().copied();
    fields.filter(|field| !unknown.contains(field)).collect()
}

fn shown(text: impl Fn(CardField) -> Option<String>) -> Shown {
    let parts = [CardField::FirstName, CardField::Prefixes, CardField::SurName].map(&text);
    let login = text(CardField::TasLoginName).or_else(|| text(CardField::NetworkLoginName));
    Shown {
        name: parts.into_iter().flatten().collect::<Vec<_>>().join(" "),
        email: text(CardField::Email).unwrap_or_default(),
        login: login.unwrap_or_default(),
    }
}

fn without_zeros(number: &str) -> String {
    number.trim().trim_start_matches('0').to_lowercase()
}

/// Where a value is found, so that nobody is compared with everybody.
fn places(marks: &Marks) -> Vec<(u8, String)> {
    let mut places = Vec::new();
    let mut add = |family: u8, value: &str| places.push((family, value.to_owned()));
    marks.emails.iter().for_each(|it| add(0, it));
    marks.logins.iter().for_each(|it| add(1, it));
    if !marks.surname.is_empty() && !marks.first_name.is_empty() {
        add(
            2,
            &format!("{}|{}", marks.first_name.join(" "), marks.surname.join(" ")),
        );
    }
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
    places
}

/// How often values occur, on one side.
#[derive(Default)]
struct Seen(BTreeMap<(Mark, String), usize>);

impl Seen {
    fn add(&mut self, marks: &Marks) {
        let mut add = |mark: Mark, value: String| *self.0.entry((mark, value)).or_default() += 1;
        marks.phones.iter().for_each(|it| add(Mark::Phone, it.clone()));
        marks
            .own
            .iter()
            .for_each(|(field, it)| add(Mark::OwnField, format!("{field} {it}")));
        marks
            .dates
            .iter()
            .for_each(|(field, it)| add(Mark::Date, format!("{field} {it}")));
    }

    fn count(&self, mark: Mark, value: &str) -> usize {
        self.0.get(&(mark, value.to_owned())).copied().unwrap_or(0)
    }
}

struct Work<'a> {
    input: &'a PlanInput,
    index: &'a CardIndex<'a>,
    people: &'a [Someone],
    cards: &'a [usize],
    marks: Vec<Marks>,
    edges: Vec<Vec<Edge>>,
    /// Active cards by person, each with its tier, of those that may be written to.
    of_person: BTreeMap<usize, Vec<(u8, usize)>>,
}

impl<'a> Work<'a> {
    fn new(input: &'a PlanInput, index: &'a CardIndex<'a>, people: &'a [Someone], cards: &'a [usize]) -> Self {
        let mut operators: BTreeMap<&CardId, Vec<&OperatorCard>> = BTreeMap::new();
        for operator in &input.target.operators {
            if let Some(card) = &operator.linked_person {
                operators.entry(card).or_default().push(operator);
            }
        }
        let mapped = mapped(input);
        let of_card = |card: &usize| {
            let stored = &index.cards[*card];
            let linked = operators.get(&stored.id).into_iter().flatten().copied();
            let mut marks = Marks::of_card(&stored.fields, &mapped, linked);
            if let CardState::Keyed(key) = index.state(*card) {
                marks.number = Some(without_zeros(key.as_str()));
            }
            if let Some(entry) = input.ledger.get(&stored.id) {
                marks.anchors.extend(entry.anchors.iter().cloned());
            }
            marks
        };
        let marks: Vec<Marks> = cards.iter().map(of_card).collect();
        let (mut in_sources, mut on_cards) = (Seen::default(), Seen::default());
        people.iter().for_each(|person| in_sources.add(&person.marks));
        // Every active card counts, whoever's it is: what two cards have tells neither from the other.
        for card in (0..index.cards.len()).filter(|card| !index.cards[*card].archived) {
            on_cards.add(&Marks::of_card(&index.cards[card].fields, &mapped, std::iter::empty()));
        }
        let often = 5 + people.len() / 1000;
        let telling = |mark: Mark, value: &str| {
            let most = if mark == Mark::Date { often } else { 1 };
            in_sources.count(mark, value) <= most && on_cards.count(mark, value) <= most
        };
        let mut by_place: BTreeMap<(u8, String), Vec<usize>> = BTreeMap::new();
        for (number, person) in people.iter().enumerate() {
            for place in places(&person.marks) {
                by_place.entry(place).or_default().push(number);
            }
        }
        let edges_of = |marks: &Marks| -> Vec<Edge> {
            let found: BTreeSet<usize> = places(marks)
                .iter()
                .filter_map(|place| by_place.get(place))
                .filter(|people| people.len() <= MOST_ALIKE)
                .flatten()
                .copied()
                .collect();
            let edges = found.into_iter().filter_map(|person| {
                let agreement = Agreement::between(&people[person].marks, marks, telling);
                Standing::of(&agreement).map(|standing| Edge {
                    person,
                    standing,
                    agreement,
                })
            });
            edges.collect()
        };
        let edges: Vec<Vec<Edge>> = marks.iter().map(edges_of).collect();
        let mut work = Self {
            input,
            index,
            people,
            cards,
            marks,
            edges,
            of_person: BTreeMap::new(),
        };
        for (at, edges) in work.edges.iter().enumerate() {
            if work.refused(work.cards[at]).is_none() {
                for edge in edges {
                    let of_person = work.of_person.entry(edge.person).or_default();
                    of_person.push((edge.standing.tier(), at));
                }
            }
        }
        work
    }

    /// Why nothing is ever written to a card.
    fn refused(&self, card: usize) -> Option<NoPair> {
        let stored = &self.index.cards[card];
        let protected = &self.input.policy.protected;
        let by_key = match self.index.state(card) {
            CardState::Keyed(key) => protected.keys.contains(key),
            CardState::Keyless | CardState::Anonymized => false,
        };
        if self.index.is_special(card) {
            Some(NoPair::SpecialAccount)
        } else if by_key || protected.cards.contains(&stored.id) {
            Some(NoPair::Protected)
        } else {
            stored.archived.then_some(NoPair::Archived)
        }
    }

    fn rows(&self) -> Vec<Row> {
        let rows = self.cards.iter().enumerate().filter_map(|(at, card)| {
            let stored = &self.index.cards[*card];
            let verdict = self.verdict(at)?;
            let operator = self.index.operator(*card);
            let content = serde_json::to_vec(&(&stored.id, &self.marks[at], &operator));
            Some(Row {
                card: stored.id.clone(),
                shown: shown(|field| stored.fields.text(field).map(str::to_owned)),
                verdict,
                mark: crate::domain::plan::short_hash(&content.expect("plain data always serialises")),
                operator,
            })
        });
        rows.collect()
    }

    /// What comes of a card; `None` where there is nothing to say of it: archived, and nobody's who is here.
    fn verdict(&self, at: usize) -> Option<Verdict> {
        let edges = &self.edges[at];
        let best = edges.iter().map(|edge| edge.standing.tier()).max().unwrap_or(0);
        let at_best: Vec<&Edge> = edges.iter().filter(|edge| edge.standing.tier() == best).collect();
        let keys = |edges: &[&Edge]| edges.iter().map(|edge| self.people[edge.person].key.clone()).collect();
        let no = |why, people: Vec<Key>, cards: Vec<CardId>| Some(Verdict::None { why, people, cards });
        match self.refused(self.cards[at]) {
            // Of an archived card only what a new card beside it would double.
            Some(NoPair::Archived) if best < 2 || !self.is_free_of_cards(&at_best) => return None,
            Some(why) => return no(why, keys(&at_best), Vec::new()),
            None => {}
        }
        if best == 0 {
            return match at_best.first().map(|edge| edge.standing) {
                Some(Standing::Not(why)) => no(why, keys(&at_best), Vec::new()),
                Some(Standing::As(_)) | None => no(NoPair::Nobody, Vec::new(), Vec::new()),
            };
        }
        let [edge] = at_best.as_slice() else {
            return no(NoPair::SeveralPeople, keys(&at_best), Vec::new());
        };
        let person = &self.people[edge.person];
        let key = vec![person.key.clone()];
        if !person.in_scope {
            return no(NoPair::OutOfScope, key, Vec::new());
        }
        if let Some(card) = person.card {
            let other = vec![self.index.cards[card].id.clone()];
            let why = if self.is_twin(edge, at, card) {
                NoPair::Twin
            } else {
                NoPair::SecondCard
            };
            return no(why, key, other);
        }
        let of_person = self.of_person.get(&edge.person).map_or(&[][..], Vec::as_slice);
        let best_of_person = of_person.iter().map(|(tier, _)| *tier).max().unwrap_or(0);
        let rivals: Vec<usize> = of_person
            .iter()
            .filter(|(tier, other)| *tier == best_of_person && *other != at)
            .map(|(_, other)| *other)
            .collect();
        let ids = |cards: &[usize]| cards.iter().map(|other| self.id(*other)).collect::<Vec<CardId>>();
        match rivals.as_slice() {
            [] if best == best_of_person => Some(self.pair(edge, None)),
            // Two cards of one human, and one has the operator: the key goes onto the other, and a run offers to make one of
            // them, which moves it.
            [rival] if self.is_twin(edge, at, self.cards[*rival]) => no(NoPair::Twin, key, ids(&rivals)),
            [rival] if best == best_of_person && self.is_twin_of(*rival, edge.person, at) => {
                Some(self.pair(edge, Some(self.id(*rival))))
            }
            _ if best == best_of_person => no(NoPair::SeveralCards, key, ids(&rivals)),
            _ => no(NoPair::RatherAnother, key, ids(&rivals)),
        }
    }

    fn id(&self, at: usize) -> CardId {
        self.index.cards[self.cards[at]].id.clone()
    }

    /// Whether none of these people has, or is about to get, an active card.
    fn is_free_of_cards(&self, edges: &[&Edge]) -> bool {
        edges.iter().all(|edge| {
            let active = self.of_person.get(&edge.person);
            self.people[edge.person].card.is_none()
                && active.is_none_or(|cards| cards.iter().all(|(tier, _)| *tier < 2))
        })
    }

    /// Whether this card, which has an operator, is of the person of another card that has none.
    fn is_twin(&self, edge: &Edge, at: usize, other: usize) -> bool {
        let awake = matches!(self.index.operator(self.cards[at]), OperatorLink::Active { .. });
        awake
            && edge.agreement.of_account()
            && self.index.operator(other) == OperatorLink::ProvenNone
            && !self.index.cards[other].archived
    }

    /// Whether a rival for this person is the operator's card, and `at` the other one.
    fn is_twin_of(&self, rival: usize, person: usize, at: usize) -> bool {
        let edge = self.edges[rival].iter().find(|edge| edge.person == person);
        edge.is_some_and(|edge| self.is_twin(edge, rival, self.cards[at]))
    }

    fn pair(&self, edge: &Edge, twin: Option<CardId>) -> Verdict {
        let person = &self.people[edge.person];
        let grade = match edge.standing {
            Standing::As(grade) => grade,
            Standing::Not(_) => unreachable!("what is no pair has tier 0"),
        };
        let content = serde_json::to_vec(&(&person.key, &person.raw_key, &person.marks, grade, &twin));
        Verdict::Pair(Box::new(Pair {
            grade,
            key: person.key.clone(),
            raw_key: person.raw_key.clone(),
            person: person.shown.clone(),
            agreement: edge.agreement.clone(),
            leaves: person.leaves,
            twin,
            mark: crate::domain::plan::short_hash(&content.expect("plain data always serialises")),
        }))
    }
}
