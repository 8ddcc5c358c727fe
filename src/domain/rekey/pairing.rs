//! Who belongs to which card: every card without the key beside every person without a card, graded.
//!
//! A pair is a suggestion. How one is graded stands in `standing`; whatever is ambiguous, or was handed on from one human to
//! another, is no pair but a row that says why.

mod namesakes;

use self::namesakes::ByName;
use super::marks::{Agreement, Mark, Marks};
pub use super::rows::{FreePerson, Grade, Namesakes, NoPair, Pair, Pairing, Row, Shown, Verdict, Which};
use super::standing::Standing;
use crate::domain::card::{OperatorCard, OperatorLink};
use crate::domain::cards::{CardIndex, CardMatch, CardState};
use crate::domain::field::CardField;
use crate::domain::identity::{Describe, FirstDay, Truth};
use crate::domain::ids::CardId;
use crate::domain::input::PlanInput;
use crate::domain::key::{Key, RawKey};
use crate::domain::lifecycle::dates::FirstSight;
use crate::domain::lifecycle::{Leaving, leaving};
use crate::domain::merge::{Member, Population};
use crate::domain::record::Anchor;
use chrono::NaiveDate;
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
    card: Option<usize>,
}

struct Edge {
    person: usize,
    standing: Standing,
    agreement: Agreement,
}

/// The rank from which on a pair is likely.
const LIKELY: u8 = 4;

impl Edge {
    /// Higher is better; what is no pair is 0. Of two of one grade the one with account and full name is the better.
    fn rank(&self) -> u8 {
        let all = self.agreement.of_account() && self.agreement.full_name();
        match self.standing {
            Standing::Not(_) => 0,
            Standing::As(Grade::Possible) => 2 + u8::from(all),
            Standing::As(Grade::Likely) => LIKELY + u8::from(all),
            Standing::As(Grade::Sure) => 6 + u8::from(all),
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
            Member::Rejected(_) | Member::Skipped(_) => continue,
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
        let mut marks = Marks::of_person(&description, &mapped, input.policy.birth_date, &person.anchors);
        marks.number = Some(without_zeros(person.key.as_str()));
        marks.begins = match describe.first_day(&person.joined, input.moment) {
            Some(FirstDay::On(day)) => Some(day),
            Some(FirstDay::Blank | FirstDay::Unknown(_)) | None => None,
        };
        marks.leaves = match leaving(describe, &person, input, FirstSight::default()) {
            Leaving::Now(_) | Leaving::Later { .. } | Leaving::ContractsEnded => true,
            Leaving::No | Leaving::NextContract | Leaving::Unknown(_) => false,
        };
        let text = |field| super::text_wanted(&description, field);
        people.push(Someone {
            key: person.key.clone(),
            raw_key: person.joined.raw_key.clone(),
            shown: shown(text),
            marks,
            anchors: person.anchors.clone(),
            in_scope: describe.scope(&person.joined, input.moment) == Truth::True,
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
            .birth_date
            .iter()
            .for_each(|it| add(Mark::BirthDate, it.to_string()));
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
    /// Everybody of the sources, and every card, by full name.
    named: (ByName, ByName),
    /// The date of birth on each card, whether it is looked at or not.
    born: Vec<Option<NaiveDate>>,
    /// Cards whose number is somebody's of the sources, with whose.
    claimed: BTreeMap<usize, usize>,
    /// Active cards by person, each with its rank, of those that may be written to.
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
        let birth_date = input.policy.birth_date;
        let marks_of = |card: usize| {
            let stored = &index.cards[card];
            let linked = operators.get(&stored.id).into_iter().flatten().copied();
            Marks::of_card(stored, &mapped, birth_date, linked)
        };
        let of_card = |card: &usize| {
            let mut marks = marks_of(*card);
            if let CardState::Keyed(key) = index.state(*card) {
                marks.number = Some(without_zeros(key.as_str()));
            }
            if let Some(entry) = input.ledger.get(&index.cards[*card].id) {
                marks.anchors.extend(entry.anchors.iter().cloned());
            }
            marks
        };
        let marks: Vec<Marks> = cards.iter().map(of_card).collect();
        let (mut in_sources, mut on_cards) = (Seen::default(), Seen::default());
        let mut named = (ByName::default(), ByName::default());
        for (number, person) in people.iter().enumerate() {
            in_sources.add(&person.marks);
            named.0.add(number, &person.marks);
        }
        let mut born = Vec::with_capacity(index.cards.len());
        for (card, stored) in index.cards.iter().enumerate() {
            let marks = marks_of(card);
            // Every active card counts, whoever's it is: what two cards have tells neither from the other.
            if !stored.archived {
                on_cards.add(&marks);
            }
            if *index.state(card) != CardState::Anonymized {
                named.1.add(card, &marks);
            }
            born.push(marks.birth_date);
        }
        let telling = |mark: Mark, value: &str| in_sources.count(mark, value) <= 1 && on_cards.count(mark, value) <= 1;
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
            named,
            born,
            claimed: people
                .iter()
                .enumerate()
                .filter_map(|(number, person)| person.card.map(|card| (card, number)))
                .collect(),
            of_person: BTreeMap::new(),
        };
        work.mind_namesakes();
        for (at, edges) in work.edges.iter().enumerate() {
            if work.refused(work.cards[at]).is_none() {
                for edge in edges {
                    let of_person = work.of_person.entry(edge.person).or_default();
                    of_person.push((edge.rank(), at));
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
        let best = edges.iter().map(Edge::rank).max().unwrap_or(0);
        let at_best: Vec<&Edge> = edges.iter().filter(|edge| edge.rank() == best).collect();
        let keys = |edges: &[&Edge]| edges.iter().map(|edge| self.people[edge.person].key.clone()).collect();
        let no = |why, people: Vec<Key>, cards: Vec<CardId>| Some(Verdict::None { why, people, cards });
        match self.refused(self.cards[at]) {
            // Of an archived card only what a new card beside it would double.
            Some(NoPair::Archived) if best < LIKELY || !self.is_free_of_cards(&at_best) => return None,
            Some(why) => return no(why, keys(&at_best), Vec::new()),
            None => {}
        }
        if best == 0 {
            return match at_best.first().map(|edge| edge.standing) {
                Some(Standing::Not(why)) => no(why, keys(&at_best), Vec::new()),
                Some(Standing::As(_)) | None => no(NoPair::Nobody, Vec::new(), Vec::new()),
            };
        }
        let in_the_running = self.in_the_running(at, &at_best);
        let [edge] = in_the_running.as_slice() else {
            return no(NoPair::SeveralPeople, keys(&in_the_running), Vec::new());
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
        let best_of_person = of_person.iter().map(|(rank, _)| *rank).max().unwrap_or(0);
        let rivals: Vec<usize> = of_person
            .iter()
            .filter(|(rank, other)| *rank == best_of_person && *other != at)
            .map(|(_, other)| *other)
            .collect();
        let ids = |cards: &[usize]| cards.iter().map(|other| self.id(*other)).collect::<Vec<CardId>>();
        match rivals.as_slice() {
            [] if best == best_of_person => Some(self.pair(at, edge, None)),
            // Two cards of one human, and one has the operator: the key goes onto the other, and a run offers to make one of
            // them, which moves it.
            [rival] if self.is_twin(edge, at, self.cards[*rival]) => no(NoPair::Twin, key, ids(&rivals)),
            [rival] if best == best_of_person && self.is_twin_of(*rival, edge.person, at) => {
                Some(self.pair(at, edge, Some(self.id(*rival))))
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
                && active.is_none_or(|cards| cards.iter().all(|(rank, _)| *rank < LIKELY))
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

    fn pair(&self, at: usize, edge: &Edge, twin: Option<CardId>) -> Verdict {
        let person = &self.people[edge.person];
        let grade = match edge.standing {
            Standing::As(grade) => grade,
            Standing::Not(_) => unreachable!("what is no pair has rank 0"),
        };
        let content = serde_json::to_vec(&(&person.key, &person.raw_key, &person.marks, grade, &twin));
        Verdict::Pair(Box::new(Pair {
            grade,
            key: person.key.clone(),
            raw_key: person.raw_key.clone(),
            person: person.shown.clone(),
            agreement: edge.agreement.clone(),
            leaves: person.marks.leaves,
            twin,
            namesakes: self.namesakes(at, edge).unwrap_or_default(),
            mark: crate::domain::plan::short_hash(&content.expect("plain data always serialises")),
        }))
    }
}
