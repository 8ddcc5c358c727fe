//! Who belongs to which card: every card without the key beside every person without a card, graded.
//!
//! A pair is a suggestion. How one is graded stands in `standing`; whatever is ambiguous, or was handed on from one human to
//! another, is no pair but a row that says why.

mod marking;
mod misplaced;
mod namesakes;
mod people;
mod review;

pub use self::misplaced::Misplaced;
use self::namesakes::ByName;
use self::people::{People, Seen, Someone, Unclear, mapped, places, without_zeros};
pub use self::review::{Reviewed, Written, review};
use super::rejections;
pub use super::rows::{
    Exchange, Grade, Namesakes, NoPair, Pair, Pairing, Rejected, Row, RowMark, Shown, SourcePerson, Verdict, Which,
};
use super::standing::Standing;
use crate::core::input::PlanInput;
use crate::core::likeness::marks::{Agreement, Contradiction, Mark, Marks};
use crate::core::model::card::{OperatorCard, OperatorLink};
use crate::core::model::field::FieldValue;
use crate::core::model::identity::Describe;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::reads::cards::{CardIndex, CardState};
use crate::core::reads::snapshot::{Role, Verdict as Reading};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// A value that more people than this have in common finds nobody: a reception's telephone number, a shared mailbox.
const MOST_ALIKE: usize = 20;

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
    let People { people, unclear } = People::of(input, describe, &index, &mut pairing);
    let claimed: BTreeSet<usize> = people.iter().filter_map(|person| person.card).collect();
    let in_conflict = pairing.in_conflict.clone();
    let looked_at = |card: &usize| match index.state(*card) {
        CardState::Keyless => true,
        CardState::Keyed(key) => which == Which::Unclaimed && !claimed.contains(card) && !in_conflict.contains(key),
        CardState::Anonymized => false,
    };
    let by_place = by_place(&people);
    let misplaced = misplaced_numbers(input, &index, &people, &by_place);
    let with_a_strange_number = |card: &usize| misplaced.get(card).is_some_and(|(_, shows)| shows.is_some());
    let all = 0..index.cards.len();
    let cards: Vec<usize> = all
        .filter(|card| looked_at(card) || with_a_strange_number(card))
        .collect();
    let world = Work::new(input, &index, (&people, &unclear), &cards, (by_place, misplaced));
    let mut rows: Vec<Row> = world.rows();
    pairing.misplaced = world.misplaced_cards();
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
            Some(card) => drop(pairing.taken.insert(person.key.clone(), index.cards[card].id.clone())),
            None => drop(pairing.free.insert(person.key.clone())),
        }
        let known = SourcePerson {
            raw_key: person.raw_key,
            shown: person.shown,
            anchors: person.anchors,
            in_scope: person.in_scope,
        };
        pairing.people.insert(person.key, known);
    }
    rejections::note(&mut pairing, input);
    pairing
}

/// People by where a value of theirs is found.
fn by_place(people: &[Someone]) -> BTreeMap<(u8, String), Vec<usize>> {
    let mut by_place: BTreeMap<(u8, String), Vec<usize>> = BTreeMap::new();
    for (number, person) in people.iter().enumerate() {
        for place in places(&person.marks) {
            by_place.entry(place).or_default().push(number);
        }
    }
    by_place
}

/// Active cards whose number somebody of the sources has, and that show somebody else.
fn misplaced_numbers(
    input: &PlanInput,
    index: &CardIndex<'_>,
    people: &[Someone],
    by_place: &BTreeMap<(u8, String), Vec<usize>>,
) -> misplaced::Places {
    let mapped = mapped(input);
    let claimed = people
        .iter()
        .enumerate()
        .filter_map(|(person, it)| Some((it.card?, person)));
    let cards = claimed
        .filter(|(card, _)| !index.cards[*card].archived && !index.is_special(*card))
        .map(|(card, person)| {
            let marks = Marks::of_card(&index.cards[card], &mapped, input.policy.birth_date, std::iter::empty());
            (card, person, marks)
        });
    misplaced::find(people, by_place, cards, MOST_ALIKE)
}

/// Whether everybody was read: what was not may be a namesake of anybody (RULES 3.1).
fn everybody_was_read(input: &PlanInput) -> bool {
    let mut deciding = input
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative));
    input.target.verdict == Reading::Complete && deciding.all(|snapshot| snapshot.can_say_absent())
}

struct Work<'a> {
    input: &'a PlanInput,
    index: &'a CardIndex<'a>,
    people: &'a [Someone],
    unclear: &'a [Unclear],
    cards: &'a [usize],
    marks: Vec<Marks>,
    edges: Vec<Vec<Edge>>,
    /// Everybody of the sources, and every card, by full name.
    named: (ByName, ByName),
    /// Those who cannot be paired, by full name.
    unclear_named: ByName,
    /// Cards whose number is somebody else's.
    misplaced: misplaced::Places,
    /// The date of birth on each card, whether it is looked at or not.
    born: Vec<Option<NaiveDate>>,
    /// Cards whose number is somebody's of the sources, with whose.
    claimed: BTreeMap<usize, usize>,
    /// Active cards by person, each with its rank, of those that may be written to.
    of_person: BTreeMap<usize, Vec<(u8, usize)>>,
}

impl<'a> Work<'a> {
    fn new(
        input: &'a PlanInput,
        index: &'a CardIndex<'a>,
        (people, unclear): (&'a [Someone], &'a [Unclear]),
        cards: &'a [usize],
        (by_place, misplaced): (BTreeMap<(u8, String), Vec<usize>>, misplaced::Places),
    ) -> Self {
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
        let mut unclear_named = ByName::default();
        for (number, other) in unclear.iter().enumerate() {
            in_sources.add(&other.marks);
            unclear_named.add(number, &other.marks);
        }
        let all_read = everybody_was_read(input);
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
        let edges_of = |marks: &Marks| -> Vec<Edge> {
            let found: BTreeSet<usize> = places(marks)
                .iter()
                .filter_map(|place| by_place.get(place))
                .filter(|people| people.len() <= MOST_ALIKE)
                .flatten()
                .copied()
                .collect();
            let edges = found.into_iter().filter_map(|person| {
                let mut agreement = Agreement::between(&people[person].marks, marks, telling);
                if !all_read {
                    agreement.against.insert(Contradiction::NotAllRead);
                }
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
            unclear,
            cards,
            marks,
            edges,
            named,
            unclear_named,
            misplaced,
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
            let shown = Shown {
                born: self.marks[at].birth_date,
                since: self.marks[at].begins,
                ..Shown::of(|field| stored.fields.get(field).map(FieldValue::display))
            };
            Some(Row {
                card: stored.id.clone(),
                mark: self.mark(at, &shown, &operator, &verdict),
                shown,
                verdict,
                operator,
                rejected: None,
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
        if let Some(other) = self.exchanged_with(self.cards[at]) {
            // One line puts both right: that of the card with the lower id.
            let shows = self.misplaced[&self.cards[at]].1;
            let edge = edges
                .iter()
                .find(|edge| Some(edge.person) == shows && edge.rank() > 0)?;
            return (self.cards[at] < other).then(|| self.pair(at, edge, None));
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
            let why = if self.misplaced.contains_key(&card) {
                NoPair::NumberElsewhere
            } else if self.is_twin(edge, at, card) {
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

    /// The other side of an exchange.
    fn exchange(&self, at: usize, other: usize) -> Exchange {
        let (bears, _) = self.misplaced[&self.cards[at]];
        let person = &self.people[bears];
        let stored = &self.index.cards[other];
        Exchange {
            card: stored.id.clone(),
            operator: self.index.operator(other),
            shown: Shown::of(|field| stored.fields.get(field).map(FieldValue::display)),
            key: person.key.clone(),
            person: person.shown.clone(),
        }
    }

    fn pair(&self, at: usize, edge: &Edge, twin: Option<CardId>) -> Verdict {
        let person = &self.people[edge.person];
        let grade = match edge.standing {
            Standing::As(grade) => grade,
            Standing::Not(_) => unreachable!("what is no pair has rank 0"),
        };
        Verdict::Pair(Box::new(Pair {
            grade,
            key: person.key.clone(),
            raw_key: person.raw_key.clone(),
            person: person.shown.clone(),
            agreement: edge.agreement.clone(),
            leaves: person.marks.leaves,
            twin,
            namesakes: self.namesakes(at, edge).unwrap_or_default(),
            exchange: self
                .exchanged_with(self.cards[at])
                .map(|other| self.exchange(at, other)),
        }))
    }
}
