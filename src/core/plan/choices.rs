//! What excludes each other: for one number there is one card, and one thing becomes of one card. So a new card for somebody
//! and the cards that may be theirs already are one question with one answer (RULES 8.5).

use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{ActionKind, Change};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// What there is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject<'a> {
    /// The card of a number.
    Number(&'a Key),
    /// What becomes of a card.
    Card(&'a CardId),
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Number(key) => write!(f, "number {key}"),
            Subject::Card(card) => write!(f, "card {card}"),
        }
    }
}

/// An item as far as it excludes others.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    pub id: &'a ItemId,
    action: ActionKind,
    /// The number whose card it would settle.
    key: Option<&'a Key>,
    cards: Vec<&'a CardId>,
}

impl<'a> From<&'a Change> for Offer<'a> {
    fn from(change: &'a Change) -> Self {
        Offer {
            id: &change.id,
            action: change.action.kind(),
            key: change.key.as_ref().filter(|_| !change.takes_number_off()),
            cards: change.cards(),
        }
    }
}

impl<'a> From<&'a ChangeView> for Offer<'a> {
    fn from(change: &'a ChangeView) -> Self {
        let twin = change.twin.iter().chain(&change.other).map(|twin| &twin.person_id);
        Offer {
            id: &change.id,
            action: change.action,
            key: change.key.as_ref().filter(|_| !change.takes_number_off()),
            cards: change.person_id.iter().chain(twin).collect(),
        }
    }
}

impl<'a> Offer<'a> {
    /// What it would settle.
    pub fn subjects(&self) -> Vec<Subject<'a>> {
        let mut subjects = Vec::new();
        if let (ActionKind::Create | ActionKind::Adopt, Some(key)) = (self.action, self.key) {
            subjects.push(Subject::Number(key));
        }
        if let ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge | ActionKind::Archive = self.action {
            subjects.extend(self.cards.iter().map(|card| Subject::Card(card)));
        }
        subjects
    }
}

/// The items of each subject that has more than one: of these at most one can be done.
pub fn exclusive<'a>(offers: impl IntoIterator<Item = Offer<'a>>) -> BTreeMap<Subject<'a>, Vec<&'a ItemId>> {
    let mut groups: BTreeMap<Subject<'a>, Vec<&'a ItemId>> = BTreeMap::new();
    for offer in offers {
        for subject in offer.subjects() {
            groups.entry(subject).or_default().push(offer.id);
        }
    }
    groups.retain(|_, items| items.len() > 1);
    groups
}

/// By item the choices of its question, itself among them: the cards that may be this person's, the best match first, and last
/// a new card. Items that are a question of their own are not in it.
pub fn questions(changes: &[Change]) -> BTreeMap<ItemId, Vec<ItemId>> {
    let by_id: BTreeMap<&ItemId, &Change> = changes.iter().map(|change| (&change.id, change)).collect();
    let mut questions = BTreeMap::new();
    for (subject, mut items) in exclusive(changes.iter().map(Offer::from)) {
        if !matches!(subject, Subject::Number(_)) {
            continue;
        }
        items.sort_by_key(|item| match_of(by_id[item]));
        let choices: Vec<ItemId> = items.iter().copied().cloned().collect();
        questions.extend(items.into_iter().map(|item| (item.clone(), choices.clone())));
    }
    questions
}

/// Puts what is about one number under one question also where the items come from several plans, such as that of a run and
/// that of a list of pairs: for the number there is one card, whoever offers it. A new card comes last.
pub fn join_questions(changes: &mut [&mut ChangeView]) {
    let actions: BTreeMap<ItemId, ActionKind> = changes.iter().map(|it| (it.id.clone(), it.action)).collect();
    let known: BTreeMap<ItemId, Vec<ItemId>> = changes.iter().map(|it| (it.id.clone(), it.choices.clone())).collect();
    let mut joined: BTreeMap<ItemId, Vec<ItemId>> = BTreeMap::new();
    for (subject, items) in exclusive(changes.iter().map(|change| Offer::from(&**change))) {
        if !matches!(subject, Subject::Number(_)) {
            continue;
        }
        let mut choices: Vec<ItemId> = Vec::new();
        for item in &items {
            let of_item = known[*item].iter().chain([*item]);
            for choice in of_item {
                if !choices.contains(choice) {
                    choices.push(choice.clone());
                }
            }
        }
        choices.sort_by_key(|choice| actions.get(choice) == Some(&ActionKind::Create));
        joined.extend(items.into_iter().map(|item| (item.clone(), choices.clone())));
    }
    for change in changes.iter_mut() {
        if let Some(choices) = joined.remove(&change.id) {
            change.choices = choices;
        }
    }
}

/// How good a match is, the best first: the card that the store knows as this person's, then the more that agrees, then the card
/// with an operator, whose number must not go elsewhere.
fn match_of(change: &Change) -> (bool, bool, Reverse<usize>, bool, Option<&CardId>) {
    let agree = change.doubts.iter().find_map(|doubt| match doubt {
        HoldReason::AdoptOrCreate { agree, .. } | HoldReason::SamePerson { agree, .. } => Some(agree.len()),
        _other => None,
    });
    let is_known = agree == Some(0);
    (
        change.action.kind() == ActionKind::Create,
        !is_known,
        Reverse(agree.unwrap_or(0)),
        !change.operator.is_linked(),
        change.card.as_ref(),
    )
}
