//! People who have left and have no card by their number. A card without a number, or with one that nobody of the sources has,
//! may be theirs, and with it an operator who goes on: it is offered as one item where the marks suffice, else it is told. A name
//! alone never suffices. Their record may go before anybody has answered: what it said it has said, and the question stays.

use super::Planner;
use crate::core::memory::apart::AskedLeaver;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::identity::Description;
use crate::core::model::key::Key;
use crate::core::plan::hold::shared_marks;
use crate::core::plan::{Action, Evidence, FieldChange, HoldReason, SkipReason};
use crate::core::reads::cards::{CardState, Likeness};
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::Verdict;
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// `evidence`: that they have left, once it has held long enough.
    pub(super) fn leaver_without_card(&mut self, person: &Person<'_>, evidence: Option<Evidence>) {
        let key = person.key;
        self.told_by_records.insert(key.clone());
        let description = self.describe.describe(&person.joined, self.input.moment);
        let alike = self.unclaimed_cards_like(key, &description);
        if alike.is_empty() {
            self.skip(
                SkipReason::LeftWithoutCard,
                Some(key),
                None,
                "leaves or has left, and has no card: none is made",
            );
            return;
        }
        let id = |card: usize| self.index.cards[card].id.clone();
        let leaver = AskedLeaver {
            raw_key: person.joined.raw_key.clone(),
            anchors: person.anchors.clone(),
            evidence,
            odd: self.looks.doubt(person),
            cards: alike.iter().map(|(card, agree)| (id(*card), agree.clone())).collect(),
        };
        self.ask_about(key, &leaver, &alike);
        self.apart.asked.insert(key.clone(), leaver);
    }

    /// Whoever an earlier look asked or told about and of whom no record speaks any more. It ends when the person is back, the
    /// number is on a card, or none of the cards can be theirs any more; what cannot be seen in this look is left as it is.
    pub(super) fn leavers_asked_before(&mut self) {
        let input = self.input;
        let asked = &input.contact.apart.asked;
        if asked.is_empty() {
            return;
        }
        let sees_all = input.target.verdict == Verdict::Complete && input.clock.is_trusted();
        let open = self.people_in_doubt();
        for (key, leaver) in asked {
            let told = self.told_by_records.contains(key);
            if self.apart.asked.contains_key(key) || told && sees_all {
                continue;
            }
            let group = self.index.group(key);
            let theirs: BTreeMap<usize, BTreeSet<CardField>> = leaver
                .cards
                .iter()
                .filter_map(|(id, agree)| Some((self.index.position(id)?, agree.clone())))
                .filter(|(card, agree)| self.may_be_theirs(key, *card, agree))
                .collect();
            let over = !group.active.is_empty() || !group.archived.is_empty() || theirs.is_empty();
            if sees_all && over {
                continue;
            }
            self.apart.asked.insert(key.clone(), leaver.clone());
            let card = theirs.keys().next().copied();
            if let (true, false, Some(card)) = (sees_all, open.contains(key), card) {
                if self.population.sources_with(key).next().is_none() && self.reads_may_lack_people() {
                    let detail =
                        "has left by a record that is gone, and a read of the sources cannot say who is missing";
                    self.skip(SkipReason::AbsenceUnknown, Some(key), Some(card), detail);
                    continue;
                }
                self.ask_about(key, leaver, &theirs);
            }
        }
    }

    /// People about whom the sources say something that cannot be used in this run.
    fn people_in_doubt(&self) -> BTreeSet<Key> {
        let in_doubt = self.skipped.iter().filter(|skip| match skip.reason {
            SkipReason::LeavingUnknown | SkipReason::ScopeUnknown | SkipReason::Protected => true,
            _known => false,
        });
        let skipped = in_doubt.filter_map(|skip| skip.key.clone());
        let conflicts = self.conflicts.iter().map(|conflict| conflict.key.clone());
        let rejected = self.rejections.iter().filter_map(|rejection| rejection.key.clone());
        skipped.chain(conflicts).chain(rejected).collect()
    }

    /// One item where one card is surely meant, else it is told.
    fn ask_about(&mut self, key: &Key, leaver: &AskedLeaver, alike: &BTreeMap<usize, BTreeSet<CardField>>) {
        let is_sure = |card: usize, agree: &BTreeSet<CardField>| {
            let name = agree.contains(&CardField::SurName);
            self.was_theirs(key, card) || name && agree.iter().any(|mark| *mark != CardField::SurName)
        };
        if let ([(card, agree)], Some(evidence)) = (alike.iter().collect::<Vec<_>>().as_slice(), &leaver.evidence)
            && is_sure(**card, agree)
        {
            self.offer_archive((key, leaver), **card, agree, evidence.clone());
            return;
        }
        let cards: Vec<String> = alike
            .iter()
            .map(|(card, agree)| {
                let id = &self.index.cards[*card].id;
                let operator = if self.index.operator(*card).is_linked() {
                    ", with an operator"
                } else {
                    ""
                };
                let number = match self.number_on(*card) {
                    Some(number) => format!(" with number {number}"),
                    None => String::new(),
                };
                match shared_marks(agree, false).join(", ") {
                    marks if marks.is_empty() => format!("card {id}{number}{operator}: it had this number before"),
                    marks => format!("card {id}{number}{operator}: same {marks}"),
                }
            })
            .collect();
        let numbered = alike.keys().any(|card| self.number_on(*card).is_some());
        let which = if numbered {
            "a card with no number of the sources"
        } else {
            "a card without a number"
        };
        let detail = format!(
            "has left; {which} may be theirs, and nobody archives it: {}",
            cards.join("; ")
        );
        let only = alike.keys().next().copied().filter(|_| alike.len() == 1);
        self.skip(SkipReason::LeaverMayHaveCard, Some(key), only, detail);
    }

    /// Active cards that nobody's number claims, that may be touched and resemble the person, by themselves or by their
    /// operators; and the one that was this person's until somebody changed its number.
    fn unclaimed_cards_like(&self, key: &Key, description: &Description) -> BTreeMap<usize, BTreeSet<CardField>> {
        let wanted = Likeness::of(|field| super::wanted_text(description, field).map(str::to_owned));
        let mut alike = self.look_alikes.find(&wanted);
        let known = self
            .memory
            .by_key
            .get(key)
            .and_then(|entry| self.index.position(&entry.card));
        if let Some(card) = known.filter(|card| self.was_theirs(key, *card)) {
            alike.entry(card).or_default();
        }
        alike.retain(|card, agree| self.may_be_theirs(key, *card, agree));
        alike
    }

    /// Of cards without an operator a name alone says nothing: namesakes are many, and nobody goes on by such a card.
    fn may_be_theirs(&self, key: &Key, card: usize, agree: &BTreeSet<CardField>) -> bool {
        let untouchable = self.index.is_special(card) || self.is_protected(None, Some(card));
        let named_only = agree.iter().all(|mark| *mark == CardField::SurName);
        let is_free = match self.index.state(card) {
            CardState::Keyless => true,
            // A card whose number a source had is judged by that number.
            CardState::Keyed(number) => {
                let of_source =
                    |entry: &&LedgerEntry| entry.key.as_ref() == Some(number) && !entry.sightings.is_empty();
                !self.claimed[card] && self.known[card].filter(of_source).is_none()
            }
            CardState::Anonymized => false,
        };
        let speaks = !named_only || self.index.operator(card).is_linked() || self.was_theirs(key, card);
        is_free && !self.index.cards[card].archived && !untouchable && speaks
    }

    /// Whether cardsync knows the card by this number, which is not on it any more.
    fn was_theirs(&self, key: &Key, card: usize) -> bool {
        self.known[card].is_some_and(|entry| entry.key.as_ref() == Some(key))
    }

    /// The number on a card, as it is written there.
    fn number_on(&self, card: usize) -> Option<&str> {
        self.index.cards[card].fields.text(self.input.policy.key.card_field)
    }

    /// One item: the number goes onto the card, and nothing else, for whoever leaves gets no new values; then the card is
    /// archived like that of any leaver. Two steps of one change: the card is known as theirs before it is archived.
    fn offer_archive(
        &mut self,
        (key, leaver): (&Key, &AskedLeaver),
        card: usize,
        agree: &BTreeSet<CardField>,
        evidence: Evidence,
    ) {
        let field = self.input.policy.key.card_field;
        let written = FieldChange {
            field,
            from: self.index.cards[card].fields.get(field).cloned(),
            to: Some(FieldValue::Text(leaver.raw_key.to_write().into())),
        };
        let mut doubts = vec![HoldReason::LeaverWithoutNumber {
            card: self.index.cards[card].id.clone(),
            agree: agree.clone(),
            number: self.number_on(card).map(Into::into),
        }];
        doubts.extend(leaver.odd.clone());
        doubts.extend(self.archive_doubts());
        let listed = self.listed_words(card);
        let bears = match self.number_on(card) {
            None => "the card has no number".to_owned(),
            Some(number) => format!("the card has number {number}, which nobody of the sources has"),
        };
        let found = match shared_marks(agree, false).join(", ") {
            marks if marks.is_empty() => format!("{bears}, and had this person's before"),
            marks => format!("{bears}, and the same {marks}"),
        };
        let archive = self.archive(key, card, vec![evidence], doubts);
        let gone = !self.told_by_records.contains(key);
        let draft = &mut self.drafts[archive];
        draft.raw_key = Some(leaver.raw_key.clone());
        draft.anchors.clone_from(&leaver.anchors);
        draft.why.push(found);
        draft.why.extend(listed);
        if gone {
            draft
                .why
                .push("no source lists the person any more; what the record said stands".to_owned());
        }
        if let Action::Archive { number, .. } = &mut draft.action {
            number.push(written);
        }
    }
}
