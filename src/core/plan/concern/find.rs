//! Finds what needs a human in a judged plan and in what it was made of. Pure.

use super::marks::{of_clock, of_finding, of_operators, of_rejected, of_row, of_skipped};
use super::words::{of_conflict, of_rejection, of_skip};
use super::{Addressee, Concern, ConcernCode, half_way};
use crate::core::guard::Judged;
use crate::core::input::PlanInput;
use crate::core::memory::asked::{mark_of, mark_of_record, without_numbers};
use crate::core::model::card::{OperatorLink, PersonCard};
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::model::record::{NoKey, Place};
use crate::core::plan::{Conflict, Plan, Skip, SkipReason, short_hash};
use crate::core::reads::cards::{CardIndex, CardState};
use crate::core::reads::snapshot::{Effect, Finding, LIST_UNREADABLE, Rejection, Role, SnapshotSummary, Verdict};
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that needs a human beside the held items: what concerns an active operator first.
pub fn concerns(judged: &Judged, input: &PlanInput) -> Vec<Concern> {
    let plan = &judged.plan;
    let mut finder = Finder {
        input,
        index: OnceCell::new(),
        found: Vec::new(),
    };
    finder.reads(plan);
    for conflict in &plan.conflicts {
        finder.conflict(conflict);
    }
    for rejection in &plan.rejections {
        finder.rejection(rejection);
    }
    finder.without_key();
    finder.people(plan);
    let mut found = finder.close();
    found.extend(half_way(&input.half_done, &input.decisions, input.moment.now));
    in_order(&mut found);
    found
}

/// What concerns an active operator first.
pub fn in_order(concerns: &mut [Concern]) {
    concerns.sort_by(|a, b| {
        let order = |it: &Concern| (Reverse(it.concerns_operator()), it.code, it.key.clone());
        order(a).cmp(&order(b))
    });
}

/// A concern before its id, with what makes it the same from run to run.
struct Found {
    concern: Concern,
    /// Beside code, key and card.
    mark: String,
}

struct Finder<'a> {
    input: &'a PlanInput,
    /// Made once somebody is to be named: most plans concern nobody.
    index: OnceCell<CardIndex<'a>>,
    found: Vec<Found>,
}

impl<'a> Finder<'a> {
    fn index(&self) -> &CardIndex<'a> {
        self.index
            .get_or_init(|| CardIndex::build(&self.input.target, &self.input.policy.key))
    }

    fn add(&mut self, code: ConcernCode, addressee: Addressee, mark: impl Into<String>, about: About) -> &mut Concern {
        let About {
            key,
            card,
            places,
            what,
            cure,
        } = about;
        // The card that the person has now: whoever looks into it wants name and operator.
        let place = match (&card, &key) {
            (Some(card), _) => self.index().position(card),
            (None, Some(key)) => {
                let group = self.index().group(key);
                group.active.first().or(group.archived.first()).copied()
            }
            (None, None) => None,
        };
        let operator = place.map_or(OperatorLink::ProvenNone, |card| self.index().operator(card));
        let shown = place.map(|card| &self.index().cards[card]);
        self.found.push(Found {
            concern: Concern {
                id: ItemId::new(""),
                code,
                addressee,
                name: shown.and_then(name),
                person_id: card.or_else(|| shown.map(|card| card.id.clone())),
                key,
                operator,
                places,
                what,
                cure,
                acceptance: None,
                rejected_by: None,
            },
            mark: mark.into(),
        });
        &mut self.found.last_mut().expect("it was just added").concern
    }

    fn reads(&mut self, plan: &Plan) {
        for doubt in &plan.clock {
            let about = About::new(doubt.message.clone(), doubt.cure.clone());
            self.add(ConcernCode::ClockDoubted, Addressee::It, of_clock(doubt), about);
        }
        for summary in &plan.snapshots {
            for finding in summary.findings.iter().filter(|finding| needs_a_look(finding, summary)) {
                let code = if summary.verdict == Verdict::Rejected || &*finding.code == LIST_UNREADABLE {
                    ConcernCode::ReadRejected
                } else {
                    ConcernCode::ReadDoubted
                };
                let about = About {
                    places: vec![summary.name.to_string()],
                    ..About::new(finding.message.clone(), finding.cure.clone())
                };
                let mark = of_finding(finding, summary, self.content(summary));
                let concern = self.add(code, Addressee::It, mark, about);
                concern.acceptance.clone_from(&summary.acceptance);
            }
        }
    }

    fn conflict(&mut self, conflict: &Conflict) {
        let Conflict {
            key,
            kind,
            records,
            cards,
        } = conflict;
        let (code, what, cure) = of_conflict(*kind);
        let addressee = match (code, records.first()) {
            (ConcernCode::DuplicateKey, Some(record)) => keeper_of(&record.place),
            (_, _) => Addressee::Desk,
        };
        let mark = self.mark_of_conflict(conflict);
        let records = records.iter().map(ToString::to_string);
        let cards = cards.iter().map(|card| format!("card {card}"));
        let about = About {
            key: Some(key.clone()),
            places: records.chain(cards).collect(),
            ..About::new(what.to_owned(), cure.to_owned())
        };
        self.add(code, addressee, mark, about);
    }

    fn rejection(&mut self, rejection: &Rejection) {
        let Rejection {
            source,
            place,
            key,
            scope,
            message,
            content: _,
        } = rejection;
        let (code, cure) = of_rejection(*scope);
        let about = About {
            key: key.clone(),
            places: vec![format!("{source} {place}")],
            ..About::new(message.clone(), cure.to_owned())
        };
        self.add(code, keeper_of(place), of_rejected(rejection), about);
    }

    /// Records without any key. Those whose key cannot be used were rejected.
    fn without_key(&mut self) {
        let input = self.input;
        for snapshot in &input.snapshots {
            let source = &snapshot.summary.name;
            for unkeyed in snapshot.unkeyed().iter().filter(|unkeyed| unkeyed.why == NoKey::Empty) {
                let place = &unkeyed.record.place;
                let about = About {
                    places: vec![format!("{source} {place}")],
                    ..About::new(
                        "the record has no key: it is nobody's, and while there are more of these than before nobody counts as \
                         absent"
                            .to_owned(),
                        "give it its key in the source, or keep it out of the export or filter if it is no person".to_owned(),
                    )
                };
                let mark = format!("{source} {}", of_row(&unkeyed.record));
                self.add(ConcernCode::RecordWithoutKey, keeper_of(place), mark, about);
            }
        }
    }

    fn people(&mut self, plan: &Plan) {
        if plan.judged.nobody() {
            let open = |skip: &&Skip| matches!(skip.reason, SkipReason::LeavingUnknown | SkipReason::ScopeUnknown);
            let why = plan.skipped.iter().find(open).map(|skip| skip.detail.clone());
            let about = About::new(
                format!(
                    "of all {} records it is not known whether they leave: {}",
                    plan.judged.unknown,
                    why.as_deref().unwrap_or_default()
                ),
                "see that the sources have what the conditions look at, or correct the conditions".to_owned(),
            );
            let mark = without_numbers(why.as_deref().unwrap_or_default());
            self.add(ConcernCode::NobodyJudged, Addressee::It, mark, about);
        }
        let asked: BTreeSet<&CardId> = plan.changes.iter().flat_map(|change| change.cards()).collect();
        for skip in &plan.skipped {
            let Some((code, addressee, cure)) = of_skip(skip.reason) else {
                continue;
            };
            if self.is_said_otherwise(code, skip, plan, &asked) {
                continue;
            }
            let records = skip.key.as_ref().map(|key| self.records_with(key)).unwrap_or_default();
            let addressee = match (addressee, records.first()) {
                (Addressee::Hr, Some((_, place))) => keeper_of(place),
                (addressee, _) => addressee,
            };
            let about = About {
                key: skip.key.clone(),
                card: skip.card.clone(),
                places: records.into_iter().map(|(text, _)| text).collect(),
                ..About::new(skip.detail.clone(), cure.to_owned())
            };
            self.add(code, addressee, of_skipped(skip), about);
        }
    }

    /// Whether something else on the list says it: the read, the clock, an item about the same card.
    fn is_said_otherwise(&self, code: ConcernCode, skip: &Skip, plan: &Plan, asked: &BTreeSet<&CardId>) -> bool {
        let bad_read = || plan.snapshots.iter().any(|read| read.verdict == Verdict::Rejected);
        let doubted_read = || {
            plan.snapshots
                .iter()
                .any(|read| read.role == Some(Role::Authoritative) && read.verdict != Verdict::Complete)
        };
        let untimely = !self.input.clock.is_trusted();
        match code {
            ConcernCode::LeavingUnknown | ConcernCode::ScopeUnknown => plan.judged.nobody() || bad_read() || untimely,
            ConcernCode::StartUnknown => bad_read() || untimely,
            ConcernCode::AbsenceUnknown => doubted_read() || untimely,
            ConcernCode::CardChanged => {
                let card = skip.card.as_ref().and_then(|card| self.index().position(card));
                // One that was anonymized is nobody's any more.
                let awake = card.is_some_and(|card| {
                    !self.index().cards[card].archived && *self.index().state(card) != CardState::Anonymized
                });
                let by_item = skip.card.as_ref().is_some_and(|card| asked.contains(card));
                let by_key = skip.key.is_some() && plan.changes.iter().any(|change| change.key == skip.key);
                !awake || by_item || by_key
            }
            ConcernCode::PossibleTwin => skip.card.as_ref().is_some_and(|card| asked.contains(card)),
            _told_nowhere_else => false,
        }
    }

    /// Where the sources have somebody.
    fn records_with(&self, key: &Key) -> Vec<(String, Place)> {
        let deciding = self.input.snapshots.iter();
        let deciding = deciding.filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative));
        let records = deciding.flat_map(|snapshot| {
            let name = &snapshot.summary.name;
            let records = snapshot.with_key(key).iter();
            records.map(move |record| (format!("{name} {}", record.place), record.place.clone()))
        });
        records.collect()
    }

    /// What a file holds, where it could be read at all.
    fn content(&self, summary: &SnapshotSummary) -> Option<&str> {
        let read = self
            .input
            .snapshots
            .iter()
            .find(|read| read.summary.name == summary.name)?;
        read.profile.content.as_deref()
    }

    /// The rows and the cards that are in conflict, whatever their order and lines.
    fn mark_of_conflict(&self, conflict: &Conflict) -> String {
        let reads = self.input.snapshots.iter();
        let deciding = reads.filter(|read| read.summary.role == Some(Role::Authoritative));
        let rows = deciding.flat_map(|read| {
            let name = &read.summary.name;
            let records = read.with_key(&conflict.key).iter();
            records.map(move |record| format!("{name} {}", mark_of_record(record)))
        });
        let mut parts: Vec<String> = rows.chain(conflict.cards.iter().map(ToString::to_string)).collect();
        parts.sort();
        mark_of(parts)
    }

    /// Gives every concern its id: equal ones are told apart by their number.
    fn close(self) -> Vec<Concern> {
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        let mut concerns: Vec<Concern> = Vec::with_capacity(self.found.len());
        for Found { mut concern, mark } in self.found {
            let key = concern.key.as_ref().map_or("", Key::as_str);
            // A person goes by the key, so that another card of theirs is no other question.
            let card = match (&concern.key, &concern.person_id) {
                (None, Some(card)) => card.as_str(),
                (Some(_) | None, _) => "",
            };
            let operators = of_operators(&concern.operator);
            let identity = format!("{}\n{key}\n{card}\n{operators}\n{mark}", concern.code);
            let number = seen.entry(identity.clone()).or_default();
            *number += 1;
            concern.id = ItemId::new(short_hash(format!("concern\n{identity}\n{number}").as_bytes()));
            // Whoever does not accept a read knows of it.
            let mut asked = std::iter::once(&concern.id).chain(&concern.acceptance);
            let decision = asked.find_map(|item| self.input.decisions.get(item));
            let rejected = decision.filter(|it| it.keeps_quiet(self.input.moment.now));
            concern.rejected_by = rejected.map(|it| it.by.clone());
            concerns.push(concern);
        }
        concerns
    }
}

/// Whom and what a concern is about.
struct About {
    key: Option<Key>,
    card: Option<CardId>,
    places: Vec<String>,
    what: String,
    cure: String,
}

impl About {
    fn new(what: String, cure: String) -> Self {
        Self {
            key: None,
            card: None,
            places: Vec::new(),
            what,
            cure,
        }
    }
}

/// Files come from HR, entries from the directory that IT keeps.
fn keeper_of(place: &Place) -> Addressee {
    match place {
        Place::Line(_) => Addressee::Hr,
        Place::Dn(_) => Addressee::It,
    }
}

/// Whether a finding about a read is more than a note, and nobody has accepted it.
fn needs_a_look(finding: &Finding, summary: &SnapshotSummary) -> bool {
    let usable = !summary.findings.iter().any(|other| other.effect == Effect::Reject);
    let accepted = usable && summary.acceptance.is_none();
    match finding.effect {
        Effect::Reject => true,
        Effect::RejectAcceptable => !accepted,
        // What is doubted in a read that may not be used at all is no question.
        Effect::NoAbsence => summary.verdict != Verdict::Rejected,
        Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable => !accepted && summary.verdict != Verdict::Rejected,
        // A note that names the item to approve is what that item is about.
        Effect::Note => {
            let asks = |id: &ItemId| finding.message.contains(id.as_str()) || finding.cure.contains(id.as_str());
            &*finding.code == LIST_UNREADABLE || summary.acceptance.as_ref().is_some_and(asks)
        }
    }
}

fn name(card: &PersonCard) -> Option<String> {
    let parts = [CardField::FirstName, CardField::SurName].into_iter();
    let parts: Vec<&str> = parts.filter_map(|field| card.fields.text(field)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
