//! People of exports with a row per contract who have no current row: between two contracts, or at the end of the last one
//! (RULES 4.5).

use super::learning::archived_before;
use super::shields::Shields;
use super::{Planner, presence};
use crate::core::memory::asked::Asked;
use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::identity::Part;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::model::record::{SourceRecord, Standing};
use crate::core::plan::{HoldReason, SkipReason};
use crate::core::reads::cards::Likeness;
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::Role;
use crate::core::rules::contracts::{Contracts, Ended, doubtful_end, ended, go_by_the_clock, next_in_words, remember};
use crate::core::rules::evidence::{Evidence, Grade};
use crate::core::rules::lifecycle::{Leaving, Missing, Objection, second_source};

/// Somebody of whom every contract has ended, long enough: archived once it is known which records may be theirs.
pub(super) struct Left {
    key: Key,
    pub(super) card: usize,
    evidence: Vec<Evidence>,
    doubts: Vec<HoldReason>,
}

impl Planner<'_> {
    /// Notes in a ledger entry which authoritative sources have the person, and what goes on there.
    pub(super) fn see(&self, entry: &mut LedgerEntry, person: &Person<'_>) {
        for (snapshot, part) in person.joined.parts.values() {
            let decides = snapshot.summary.role == Some(Role::Authoritative) && !snapshot.is_rejected();
            let Part::Record(record) = part else { continue };
            if !decides {
                continue;
            }
            // A current row that is missing is counted like a person who is.
            if record.standing == Standing::AllRowsEnded {
                presence::see_listed(entry, snapshot);
            } else {
                presence::see(entry, std::iter::once(*snapshot));
            }
            if self.input.clock.is_trusted()
                && let Some(sighting) = entry.sightings.get_mut(&snapshot.summary.name)
            {
                remember(sighting, snapshot, record);
            }
        }
    }

    /// Whether the fields of this person's card are left alone while it is not known whether they leave: which row
    /// describes them is then not known either.
    pub(super) fn rows_are_open(&self, person: &Person<'_>) -> bool {
        // With one row that may be current there is no other that could describe the person.
        let one_row = person.joined.parts.values().all(|(_, part)| match part {
            Part::Record(SourceRecord { standing, rows, .. }) => {
                *standing == Standing::Current
                    || *standing == Standing::NotKnown && rows.as_ref().is_none_or(|rows| rows.all.len() == 1)
            }
            Part::NoRecord | Part::Unknown(_) => true,
        });
        matches!(person.contracts, Contracts::NotKnown(_)) && !one_row
            || !self.input.clock.is_trusted() && go_by_the_clock(person)
    }

    /// Somebody with a card and a contract that begins later. Says whether the card is kept in step meanwhile: that of a
    /// joiner is, that of somebody between two contracts stays as it is until the next one begins.
    pub(super) fn next_contract(&mut self, person: &Person<'_>, card: usize) -> bool {
        let Contracts::Next { from, after_another } = &person.contracts else {
            return true;
        };
        let known = self.known[card];
        let worked_before = known.is_some_and(|entry| entry.sightings.values().any(|it| it.worked));
        if !*after_another && !worked_before {
            return true;
        }
        let detail = format!("{}; the card stays as it is", next_in_words(*from));
        self.skip(SkipReason::NextContract, Some(person.key), Some(card), detail);
        false
    }

    /// Somebody with a card of whom every contract row has ended.
    pub(super) fn contracts_ended(&mut self, person: &Person<'_>, card: usize, doubt: Option<HoldReason>) {
        let key = person.key;
        let id = self.index.cards[card].id.clone();
        // A leaver's card can turn out to be a newcomer's.
        self.make_searchable(card);
        let Some(entry) = self.learned.get(&id).or(self.known[card]).cloned() else {
            self.undecided.insert(id);
            let detail = "every contract row has ended, and whether the card is this person's is not known";
            self.skip_asking(SkipReason::LeavingUnknown, (Asked::Leaving, person), Some(card), detail);
            return;
        };
        let (verdict, sightings) = ended(person, &entry, self.population, self.input);
        let mut learned = entry;
        learned.sightings = sightings;
        // That contracts have ended is judged anew with every read: without the rows the person is absent.
        (learned.leaving_since, learned.leaving_is_certain) = match &verdict {
            Ended::Leaving(_) => (learned.leaving_since.or(Some(self.input.moment.now)), false),
            Ended::Missing(_) => (None, false),
            Ended::Open(_) => (learned.leaving_since, learned.leaving_is_certain),
        };
        let odd_end = match &verdict {
            Ended::Leaving(_) => doubtful_end(person, &learned, self.input),
            Ended::Missing(_) | Ended::Open(_) => None,
        };
        if self.known[card] != Some(&learned) {
            self.learned.insert(id.clone(), learned);
        }
        let evidence = match verdict {
            Ended::Leaving(Leaving::Now(evidence)) => vec![evidence],
            Ended::Missing(Missing::Gone(evidence)) => evidence,
            waits => {
                self.ended_not_yet(waits, person, card);
                return;
            }
        };
        // Once the card is archived, which may be in this very run.
        self.stands_apart(key);
        if self.index.cards[card].archived {
            if doubt.is_none() {
                self.note_last_day(person, card);
            }
            return;
        }
        if let Some(who) = self.known[card].and_then(archived_before) {
            let detail = format!(
                "every contract has ended, but somebody else (a person or a program) unarchived the card after {who} had archived it: it stays so"
            );
            self.skip_asking(
                SkipReason::UnarchivedByHand,
                (Asked::Leaving, person),
                Some(card),
                detail,
            );
            return;
        }
        self.left.push(Left {
            key: key.clone(),
            card,
            evidence,
            doubts: doubt.into_iter().chain(odd_end).collect(),
        });
    }

    fn ended_not_yet(&mut self, verdict: Ended, person: &Person<'_>, card: usize) {
        let id = self.index.cards[card].id.clone();
        let archived = self.index.cards[card].archived;
        let (reason, detail) = match verdict {
            Ended::Open(why) | Ended::Leaving(Leaving::Unknown(why)) | Ended::Missing(Missing::Unknown(why)) => {
                self.undecided.insert(id);
                (SkipReason::AbsenceUnknown, why)
            }
            Ended::Leaving(Leaving::Later { detail }) => {
                self.counts(archived, id);
                (SkipReason::LeavingLater, detail)
            }
            Ended::Missing(Missing::NotYet { detail }) => {
                self.counts(archived, id);
                (SkipReason::MissingNotYet, detail)
            }
            Ended::Leaving(Leaving::No | Leaving::NextContract | Leaving::ContractsEnded | Leaving::Now(_))
            | Ended::Missing(Missing::Present | Missing::Gone(_)) => return,
        };
        if archived {
            self.stands_apart(person.key);
        } else {
            self.skip_asking(reason, (Asked::Leaving, person), Some(card), detail);
        }
    }

    fn counts(&mut self, archived: bool, card: CardId) {
        if !archived {
            self.counting_absent.insert(card);
        }
    }

    /// Archives those whose contracts have ended, once every record that may be theirs is known: a row that cannot be used
    /// may be the one that is missing.
    pub(super) fn archive_left(&mut self, shields: &mut Option<Shields>) {
        for left in std::mem::take(&mut self.left) {
            let Left {
                key,
                card,
                evidence,
                mut doubts,
            } = left;
            let id = self.index.cards[card].id.clone();
            let Some(entry) = self.learned.get(&id).or(self.known[card]).cloned() else {
                continue;
            };
            let shields = shields.get_or_insert_with(|| Shields::of(self));
            if let Some(why) = shields.over(&Likeness::of_card(&self.index.cards[card]), &entry) {
                self.counting_absent.insert(id);
                self.skip(SkipReason::Shielded, Some(&key), Some(card), why);
                continue;
            }
            if evidence.iter().any(|one| one.grade == Grade::Weak) && self.index.operator(card).is_linked() {
                match second_source(self.describe, &key, &self.input.snapshots, self.input.moment) {
                    None => {}
                    Some(Objection::Unreadable(why)) => {
                        self.counting_absent.insert(id);
                        let detail =
                            format!("a current row that is missing does not archive an operator's card alone: {why}");
                        self.skip(SkipReason::SecondSource, Some(&key), Some(card), detail);
                        continue;
                    }
                    Some(Objection::StillListed(what)) => doubts.push(HoldReason::StillListed { what }),
                }
            }
            doubts.extend(self.archive_doubts());
            self.archive(&key, card, evidence, doubts);
        }
    }
}
