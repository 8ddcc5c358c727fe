//! What a concern goes by beside its code and its person: what it shows, without the lines and times that move on by themselves.

use crate::core::memory::asked::{mark_of_values, without_numbers};
use crate::core::model::card::OperatorLink;
use crate::core::model::dn::same_for_all_spellings;
use crate::core::model::ids::OperatorId;
use crate::core::model::record::{Place, RawRecord};
use crate::core::plan::{Skip, SkipReason};
use crate::core::reads::snapshot::{Effect, Finding, Rejection, SnapshotSummary};

/// A doubt about the clock: whose clock says otherwise, not by how much.
pub(super) fn of_clock(doubt: &Finding) -> String {
    format!("{} {}", doubt.code, without_numbers(&doubt.message))
}

/// A doubt about a read: this content of it. Of what broke on the way nothing is known but how; TOPdesk's cards change all day.
pub(super) fn of_finding(finding: &Finding, summary: &SnapshotSummary, content: Option<&str>) -> String {
    let acceptable = matches!(
        finding.effect,
        Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable | Effect::RejectAcceptable
    );
    let what = match (&summary.acceptance, content) {
        (Some(item), _) if acceptable => item.to_string(),
        (_, Some(content)) => content.to_owned(),
        (_, None) if finding.effect == Effect::Reject || summary.role.is_none() => without_numbers(&finding.message),
        (_, None) => finding.message.clone(),
    };
    format!("{} {} {what}", summary.name, finding.code)
}

/// A record that cannot be used. A line moves with every export, an entry keeps its name.
pub(super) fn of_rejected(rejection: &Rejection) -> String {
    let name = match &rejection.place {
        Place::Line(_) => String::new(),
        Place::Dn(dn) => same_for_all_spellings(dn),
    };
    let message = without_numbers(&rejection.message);
    format!("{} {name} {message} {}", rejection.source, rejection.content)
}

/// A record without a key: what it says, and in a directory its name.
pub(super) fn of_row(record: &RawRecord) -> String {
    let name = match &record.place {
        Place::Line(_) => String::new(),
        Place::Dn(dn) => same_for_all_spellings(dn),
    };
    format!("{name} {}", mark_of_values(&record.values))
}

/// Somebody to whom nothing happens.
pub(super) fn of_skipped(skip: &Skip) -> String {
    let detail = match skip.reason {
        // Cards, numbers and days of the person: with others it is another question.
        SkipReason::Drift
        | SkipReason::PossibleTwin
        | SkipReason::LeaverMayHaveCard
        | SkipReason::AnonymizeInTopdesk
        | SkipReason::AnonymizationWaits => skip.detail.clone(),
        _counts_and_times => without_numbers(&skip.detail),
    };
    let card = match (skip.reason, &skip.card) {
        (SkipReason::Drift, Some(card)) => card.as_str(),
        _by_key => "",
    };
    format!("{card} {detail} {}", skip.mark)
}

/// The operators that go on: what may be left of a person must not be left of an operator unasked.
pub(super) fn of_operators(link: &OperatorLink) -> String {
    match link {
        OperatorLink::Active { operators } => {
            let mut ids: Vec<&str> = operators.iter().map(OperatorId::as_str).collect();
            ids.sort_unstable();
            ids.join(" ")
        }
        OperatorLink::Archived { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven => String::new(),
    }
}
