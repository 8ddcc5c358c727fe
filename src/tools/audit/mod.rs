//! What is at risk before the next import, from one read: the environment, the operators, the cards and what could be the
//! key. Pure, and it changes nothing: the input is that of a plan, read wider, and nothing needs to be known before.
//!
//! ```text
//! PlanInput --people--> who works here, with what values
//!     |                     |
//!     +--operators, cards --+--> findings          a doubtful read gives `NotKnown`, never a finding (RULES 3)
//!     +--keys, other_key ---+--> which field can be the key, and whom another one would harm
//! ```

mod cards;
mod environment;
mod finding;
mod keys;
mod mainframe;
mod operators;
mod other_key;
mod people;
mod redact;
mod values;
mod who;
mod wrong_cards;

pub use crate::core::model::surroundings::{
    ARCHIVING_FOLLOWS, AccountKind, Looked, LookedLevel, OperatorDetails, Surroundings, Version,
};
pub use finding::{Area, Fact, Finding, NotKnown, Severity, Subject};
pub use keys::{Advice, KeyCandidate, Matches};
pub use other_key::OtherKey;
pub use values::Candidate;

use crate::core::input::PlanInput;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::identity::Describe;
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::reads::quality::target_summary;
use crate::core::reads::snapshot::{Role, Snapshot, SnapshotSummary, Verdict};
use crate::tools::rekey::pairing::{Which, pair};
use chrono::{DateTime, Utc};
use people::Workforce;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use values::Ground;

/// The fields that an audit reads besides those of a plan: every text that could be a key, and the flags of a card.
pub fn more_fields() -> BTreeSet<CardField> {
    let mut fields: BTreeSet<CardField> = Candidate::all().flat_map(Candidate::fields).collect();
    fields.extend([CardField::Prefixes, CardField::HasSspAccess, CardField::IsCaller]);
    fields
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    pub active_cards: u64,
    pub archived_cards: u64,
    /// Cards with asterisks, among both.
    pub anonymized_cards: u64,
    /// Active cards with a usable key.
    pub active_with_key: u64,
    /// Active operators who are people: no API accounts, none of TOPdesk's own staff.
    pub active_operators: u64,
    pub archived_operators: u64,
    pub api_accounts: u64,
    /// People of the authoritative sources who work here; absent where no source could be used.
    pub people: Option<u64>,
    /// People of the sources who have left.
    pub left: Option<u64>,
}

/// Everything that an audit has to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// The moment of the reads.
    pub at: DateTime<Utc>,
    pub key_field: String,
    pub surroundings: Surroundings,
    pub sizes: Sizes,
    /// The heaviest first, then by area.
    pub findings: Vec<Finding>,
    pub keys: Vec<KeyCandidate>,
    pub advice: Advice,
    /// Whom matching on another field would harm.
    pub other_keys: Vec<OtherKey>,
    pub not_known: Vec<NotKnown>,
    pub snapshots: Vec<SnapshotSummary>,
}

impl Audit {
    /// Whether a read was rejected, so that a part is unknown.
    pub fn has_rejected_read(&self) -> bool {
        self.snapshots
            .iter()
            .any(|snapshot| snapshot.verdict == Verdict::Rejected)
    }

    /// The findings that somebody should do something about.
    pub fn to_do(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity > Severity::Note)
    }

    /// The same without values of people: each becomes a mark that is the same wherever the value stands. `mark` makes it.
    pub fn redacted(self, mark: &dyn Fn(&str) -> String) -> Audit {
        redact::redacted(self, mark)
    }
}

/// Looks at everything. The same input gives the same audit.
pub fn audit(
    input: &PlanInput,
    describe: &dyn Describe,
    details: &BTreeMap<OperatorId, OperatorDetails>,
    surroundings: Surroundings,
) -> Audit {
    let pairing = pair(input, describe, Which::Unclaimed);
    let ground = Ground::new(input, details, &pairing);
    let workforce = Workforce::of(input, describe, &ground.index);
    let mut not_known = Vec::new();
    let mut findings = surroundings.findings();
    let (mut keys, mut other_keys) = (Vec::new(), Vec::new());
    if input.target.verdict == Verdict::Rejected {
        not_known.push(NotKnown {
            what: "everything about cards and operators".to_owned(),
            why: "the read of TOPdesk was rejected, see the reads".to_owned(),
        });
    } else {
        findings.extend(wrong_cards::finding(&ground));
        findings.extend(operators::findings(&ground, &workforce, &mut not_known));
        findings.extend(cards::findings(&ground, &workforce, &mut not_known));
        findings.extend(mainframe::findings(&ground));
        keys = keys::candidates(&ground, &workforce);
        let (ways, more) = other_key::compare(&ground, &workforce, &mut not_known);
        other_keys = ways;
        findings.extend(more);
    }
    one_cure_per_card(&mut findings);
    let advice = keys::advice(&keys, &other_keys, &ground, &workforce);
    findings.sort_by(|a, b| (b.severity, a.area, &a.code).cmp(&(a.severity, b.area, &b.code)));
    not_known.sort();
    not_known.dedup();
    let sources = input.snapshots.iter().map(|snapshot| snapshot.summary.clone());
    Audit {
        at: input.moment.now,
        key_field: input.policy.key.card_field.name(),
        surroundings,
        sizes: sizes(&ground, &workforce),
        findings,
        keys,
        advice,
        other_keys,
        not_known,
        snapshots: sources.chain([target_summary(&input.target)]).collect(),
    }
}

/// What is amiss with a card itself, the gravest first: whoever follows the first has no need of the others.
const CURES: [&str; 11] = [
    "number_of_somebody_else",
    "duplicate_key",
    "generated_twin",
    "generated_card",
    "nearly_the_same_key",
    "operator_has_left",
    "operator_not_in_sources",
    "operator_not_known",
    "card_without_key",
    "card_of_nobody",
    "double_person",
];

/// A card stands in one finding about itself: that whose cure `rekey pair`, or a run, takes for it.
fn one_cure_per_card(findings: &mut Vec<Finding>) {
    let mut cured: BTreeSet<CardId> = BTreeSet::new();
    for code in CURES.into_iter().chain(["same_name"]) {
        for finding in findings.iter_mut().filter(|finding| finding.code == code) {
            let other = |subject: &Subject| subject.card.as_ref().is_none_or(|card| !cured.contains(card));
            finding.subjects.retain(other);
            finding.count = finding.subjects.len() as u64;
        }
        let of_code = findings.iter().filter(|finding| finding.code == code);
        let cards = of_code
            .flat_map(|finding| &finding.subjects)
            .filter_map(|subject| subject.card.clone());
        cured.extend(cards.collect::<Vec<_>>());
    }
    findings.retain(|finding| finding.count > 0);
}

fn sizes(ground: &Ground<'_>, workforce: &Workforce) -> Sizes {
    let cards = || ground.index.cards.iter().enumerate();
    let count = |wanted: &dyn Fn(usize) -> bool| cards().filter(|(at, _)| wanted(*at)).count() as u64;
    let active = |at: usize| !ground.index.cards[at].archived;
    let people = |archived: bool| {
        let of = ground.target.operators.iter();
        of.filter(|operator| operator.kind == OperatorKind::Regular && operator.archived == archived)
            .count() as u64
    };
    Sizes {
        active_cards: count(&|at| active(at) && !ground.is_anonymized(at)),
        archived_cards: count(&|at| !active(at)),
        anonymized_cards: count(&|at| ground.is_anonymized(at)),
        active_with_key: count(&|at| active(at) && ground.key(at).is_some()),
        active_operators: people(false),
        archived_operators: people(true),
        api_accounts: ground
            .target
            .operators
            .iter()
            .filter(|operator| operator.kind == OperatorKind::ApiAccount && !operator.archived)
            .count() as u64,
        people: workforce.usable.then(|| workforce.working().count() as u64),
        left: workforce.usable.then(|| workforce.left().count() as u64),
    }
}

/// Whether nobody can hide from the authoritative sources: all of them may say who is missing.
fn sources_are_whole(input: &PlanInput) -> bool {
    let mut deciding = input
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative))
        .peekable();
    deciding.peek().is_some() && deciding.all(|snapshot| snapshot.can_say_absent())
}

/// Why the sources cannot say who is missing.
fn not_whole(input: &PlanInput) -> String {
    let doubtful: Vec<String> = input
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.summary.role == Some(Role::Authoritative) && !snapshot.can_say_absent())
        .map(Snapshot::why_not_absent)
        .collect();
    format!("{}, see the reads", doubtful.join(", and "))
}
