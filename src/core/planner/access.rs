//! Access to the self-service portal of people whose card was made before their first working day: left off with the card,
//! given on the day, once. Only on cards that cardsync made so: every other flag is somebody's decision (RULES 5).

use super::Planner;
use crate::core::model::card::PersonCard;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::plan::{FieldChange, SkipReason};
use crate::core::reads::merge::Person;
use crate::core::rules::joining::has_started;

const ACCESS: CardField = CardField::HasSspAccess;

impl<'a> Planner<'a> {
    /// Takes the access out of a new card whose person has not started; says whether it did.
    pub(super) fn withhold_access(&self, person: &Person<'_>, changes: &mut [FieldChange]) -> bool {
        let policy = &self.input.policy;
        let on_the_day = policy.joiners.is_some_and(|joiners| joiners.access_on_the_day);
        // A mapped flag is the mapping's.
        if !on_the_day || policy.fields.contains_key(&ACCESS) || has_started(self.describe, person, self.input) {
            return false;
        }
        let given = changes.iter_mut().find(|change| change.field == ACCESS);
        match given.map(|change| &mut change.to) {
            Some(to @ Some(FieldValue::Flag(true))) => {
                *to = Some(FieldValue::Flag(false));
                true
            }
            Some(_) | None => false,
        }
    }

    /// The access that is due on this card today. Whoever gave it before, or what the configuration no longer wants, ends
    /// the waiting: the flag is a human's from then on.
    pub(super) fn access_due(&mut self, person: &Person<'_>, card: usize) -> Option<FieldChange> {
        let cards: &'a [PersonCard] = self.index.cards;
        let stored = &cards[card];
        let entry = self.learned.get(&stored.id).or(self.known[card]);
        let mut entry = entry.filter(|entry| entry.access_later)?.clone();
        let policy = &self.input.policy;
        let on_the_day = policy.joiners.is_some_and(|joiners| joiners.access_on_the_day);
        if !on_the_day || policy.fields.contains_key(&ACCESS) {
            let detail = "hasSspAccess: was to be given on the first working day, and lifecycle.joiner.ssp_access no longer \
                          says so; give it in TOPdesk";
            self.skip(SkipReason::FieldLeft, Some(person.key), Some(card), detail);
            return None;
        }
        if self.input.target.unknown_fields.contains(&ACCESS) {
            return None;
        }
        let from = stored.fields.get(ACCESS).cloned();
        let given = from == Some(FieldValue::Flag(true));
        let due = has_started(self.describe, person, self.input);
        if given || due && !policy.has_ssp_access {
            entry.access_later = false;
            self.learned.insert(stored.id.clone(), entry);
            return None;
        }
        due.then_some(FieldChange {
            field: ACCESS,
            from,
            to: Some(FieldValue::Flag(true)),
        })
    }
}
