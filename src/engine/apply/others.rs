//! Whether another cardsync works on the same TOPdesk (RULES 5). Two that start in the same minute, on two machines, both read
//! that somebody has no card; so before the first create the cards are asked once more for writes that this store does not
//! know of, the first create goes alone, and after each batch the keys are looked up again: at the first twin the class ends.

use super::{Applier, open};
use crate::core::guard::ApprovedChange;
use crate::core::model::card::PersonCard;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::{Key, KeyReading};
use crate::core::model::signature::Signatures;
use crate::core::plan::report::Outcome;
use crate::core::plan::{ActionKind, Change, Step};
use crate::engine::state::StateWriter;
use crate::engine::stopping::unless_stopped;
use crate::engine::target::{TargetError, TargetReader, TargetWriter};
use std::collections::{BTreeMap, BTreeSet};

/// How many cards are named.
const EXAMPLES: usize = 3;

/// What another cardsync must not see happen twice: the kinds that end when it is noticed.
const ENDED: [ActionKind; 3] = [ActionKind::Create, ActionKind::Merge, ActionKind::Archive];

/// What this run has sent: such writes are no news of another cardsync.
#[derive(Default)]
pub(super) struct Sent {
    cards: BTreeSet<CardId>,
    /// Of creates: which card they made may not be known.
    keys: BTreeSet<Key>,
}

impl Sent {
    /// Whether no create has been sent yet.
    pub(super) fn no_create(&self) -> bool {
        self.keys.is_empty()
    }
}

impl<R: TargetReader, W: TargetWriter, S: StateWriter> Applier<'_, R, W, S> {
    /// Remembers that a request is about to leave.
    pub(super) fn note_sent(&self, change: &Change, step: &Step) {
        let mut sent = open(&self.state.sent);
        sent.cards.extend(step.card().or(change.card.as_ref()).cloned());
        if let Step::CreateCard { .. } = step {
            sent.keys.extend(change.key.clone());
        }
    }

    /// Asks for writes under our name since the cards were read that are not this run's; if there are any, nobody more is
    /// created or archived. Where it cannot be asked, nobody is created either.
    pub(super) async fn ask_for_others(&self) {
        if self.state.stops().has(ActionKind::Create) {
            return;
        }
        let known = &self.input.target.cards;
        let since = known.iter().filter_map(|card| card.modified_at).max();
        let key_field = self.input.policy.key.card_field;
        let asked = unless_stopped(self.stop, self.reader.cards_changed_since(since, key_field)).await;
        let cards = match asked {
            Some(Ok(cards)) => cards,
            // The environment takes no such query: the look-ups before and after each create are what is left.
            Some(Err(error)) if error.status == Some(400) => {
                tracing::warn!("TOPdesk cannot be asked for cards changed since the read: {error}");
                return;
            }
            Some(Err(error)) => return self.nobody_more("could not be asked whether another cardsync writes", &error),
            None => return,
        };
        let ours = Signatures::of(self.input);
        let strange: Vec<&CardId> = cards
            .iter()
            .filter(|card| self.is_strange(card, &ours))
            .map(|card| &card.id)
            .collect();
        if strange.is_empty() {
            return;
        }
        let examples: Vec<&str> = strange.iter().take(EXAMPLES).map(|card| card.as_str()).collect();
        self.alarm(format!(
            "another cardsync works on this TOPdesk: while this run worked, {} card(s) were made or changed under the name of \
             its account and not by it ({}); nobody more was created or archived: find the other one and stop it, then run again",
            strange.len(),
            examples.join(", ")
        ));
    }

    /// Whether a card bears our name for a write that this run did not send and the read did not show.
    fn is_strange(&self, card: &PersonCard, ours: &Signatures) -> bool {
        let spec = &self.input.policy.key;
        let reading = spec.read(card.fields.text(spec.card_field).unwrap_or(""));
        let sent = open(&self.state.sent);
        let is_known = |key: &Key| sent.keys.contains(key) || self.input.in_doubt.contains(key);
        let of_key = matches!(&reading, KeyReading::Key(key) if is_known(key));
        let explained = of_key || sent.cards.contains(&card.id) || self.input.writes.in_doubt.contains(&card.id);
        let known = &self.input.target.cards;
        let read = known.binary_search_by(|known| known.id.cmp(&card.id)).ok();
        let signature = match read.map(|at| &known[at]) {
            None => card.creator.as_deref(),
            Some(read) if read.modified_at == card.modified_at => None,
            Some(_) => card.modifier.as_deref(),
        };
        !explained && ours.include(signature)
    }

    /// Looks up the keys of the cards that were just made: where a key has two cards, the class ends.
    pub(super) async fn look_for_twins(&self, part: &[&ApprovedChange], done: &[(ItemId, Outcome)]) {
        let made: BTreeMap<&ItemId, &Outcome> = done.iter().map(|(item, outcome)| (item, outcome)).collect();
        let is_made = |change: &Change| matches!(made.get(&change.id), Some(Outcome::Done { .. }));
        let changes: Vec<&Change> = part.iter().map(|approved| approved.change()).collect();
        let raw: Vec<String> = changes
            .iter()
            .filter(|change| is_made(change))
            .filter_map(|change| change.raw_key.as_ref())
            .map(|raw| raw.to_write())
            .collect();
        if raw.is_empty() {
            return;
        }
        let spec = &self.input.policy.key;
        let looked = unless_stopped(self.stop, self.reader.cards_with_keys(spec.card_field, &raw)).await;
        let cards = match looked {
            Some(Ok(cards)) => cards,
            Some(Err(error)) => {
                return self.nobody_more("could not be asked for second cards of those just made", &error);
            }
            None => return,
        };
        let mut of_key: BTreeMap<Key, Vec<&CardId>> = BTreeMap::new();
        for card in &cards {
            if let KeyReading::Key(key) = spec.read(card.fields.text(spec.card_field).unwrap_or("")) {
                of_key.entry(key).or_default().push(&card.id);
            }
        }
        let twins: Vec<&CardId> = of_key.into_values().filter(|cards| cards.len() > 1).flatten().collect();
        if twins.is_empty() {
            return;
        }
        let cards: Vec<&str> = twins.iter().map(|card| card.as_str()).collect();
        self.alarm(format!(
            "a card that this run made has a second one under its key ({}): somebody else made it at the same moment; nobody \
             more was created or archived: find what else creates cards here (another cardsync? an import?) and stop it, then \
             merge the two in TOPdesk",
            cards.join(", ")
        ));
    }

    /// Ends the creates of this run because a question had no answer.
    fn nobody_more(&self, what: &str, error: &TargetError) {
        self.stop_kinds(
            &[ActionKind::Create],
            &format!("nobody more is created in this run: TOPdesk {what}: {error}"),
        );
    }

    /// Ends what may not happen twice, and makes the run a failed one: a human must look, also where nothing was left to do.
    fn alarm(&self, message: String) {
        tracing::error!("{message}");
        self.stop_kinds(&ENDED, &message);
        open(&self.state.alarm).get_or_insert(message);
    }
}
