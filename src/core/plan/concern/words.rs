//! What concerns say: what is wrong, and what settles it.

use super::{Addressee, ConcernCode};
use crate::core::plan::{ConflictKind, SkipReason};
use crate::core::reads::snapshot::RejectionScope;

/// A conflict: code, what, cure.
pub(super) fn of_conflict(kind: ConflictKind) -> (ConcernCode, &'static str, &'static str) {
    match kind {
        ConflictKind::DuplicateInSource => (
            ConcernCode::DuplicateKey,
            "several records have this key: nothing happens to this person",
            "leave one of them in the source, or take those that are no people out with skip or exclude; a row per contract is \
             rows: { per: contract }, several sources of the same people are same_people_as",
        ),
        ConflictKind::TwoActiveCards => (
            ConcernCode::TwoActiveCards,
            "two active cards have this key: nothing happens to this person",
            "take the key off one of the cards in TOPdesk",
        ),
        ConflictKind::SeveralArchivedCards => (
            ConcernCode::SeveralArchivedCards,
            "several archived cards have this key and no active one: nothing happens to this person",
            "take the key off all but one of the cards in TOPdesk",
        ),
    }
}

/// A record that cannot be used, or only in part.
pub(super) fn of_rejection(scope: RejectionScope) -> (ConcernCode, &'static str) {
    match scope {
        RejectionScope::Record => (
            ConcernCode::RecordRejected,
            "repair the record in the source; until then this person counts as present and is left as they are",
        ),
        RejectionScope::Fields => (
            ConcernCode::FieldsRejected,
            "repair it where the message says; until then no card is made or changed for this person",
        ),
    }
}

/// What of those to whom nothing happens needs a human, who settles it, and how; `None`: it is as it should be, it ends by
/// itself, or something else on the list says it.
pub(super) fn of_skip(reason: SkipReason) -> Option<(ConcernCode, Addressee, &'static str)> {
    let found = match reason {
        SkipReason::LeavingUnknown => (
            ConcernCode::LeavingUnknown,
            Addressee::Hr,
            "correct what the condition looks at in the source: until then this person cannot be seen to leave",
        ),
        SkipReason::ScopeUnknown => (
            ConcernCode::ScopeUnknown,
            Addressee::Hr,
            "correct what `include` looks at in the source: until then nothing happens to this person",
        ),
        SkipReason::StartUnknown => (
            ConcernCode::StartUnknown,
            Addressee::Hr,
            "correct the first working day in the source",
        ),
        SkipReason::AbsenceUnknown => (
            ConcernCode::AbsenceUnknown,
            Addressee::It,
            "let the source say again who is there; of somebody who is gone, archive the card in TOPdesk",
        ),
        SkipReason::UnarchivedByHand => (
            ConcernCode::LeaverAwake,
            Addressee::Desk,
            "archive the card in TOPdesk once the person is gone, or have the source corrected",
        ),
        SkipReason::Drift => (
            ConcernCode::CardChanged,
            Addressee::Desk,
            "put the number back on the card in TOPdesk, or archive the card there if the person is gone",
        ),
        SkipReason::PossibleTwin => (
            ConcernCode::PossibleTwin,
            Addressee::Desk,
            "look at both cards in TOPdesk: of one human one card stays, and it has the number and the operator",
        ),
        SkipReason::LeaverMayHaveCard => (
            ConcernCode::LeaverMayHaveCard,
            Addressee::Desk,
            "look at the cards in TOPdesk: put the number on the one that is this person's, or archive it",
        ),
        SkipReason::SeveralRecords => (
            ConcernCode::SeveralRecords,
            Addressee::It,
            "take those that are no people out with `skip` or `exclude`, or leave one of them in the source",
        ),
        SkipReason::ListedWithoutCard => (
            ConcernCode::ListedWithoutCard,
            Addressee::It,
            "correct the number on the list, or take it off",
        ),
        SkipReason::AnonymizeInTopdesk => (
            ConcernCode::AnonymizationDue,
            Addressee::Privacy,
            "anonymize the card in TOPdesk; the next run notices it",
        ),
        SkipReason::AnonymizationWaits => (
            ConcernCode::AnonymizationWaits,
            Addressee::Privacy,
            "settle what keeps it, as it says; see cardsync anonymize list",
        ),
        // As it should be, by somebody's will, or until a time that comes by itself.
        SkipReason::Protected
        | SkipReason::SpecialAccount
        | SkipReason::OutOfScope
        | SkipReason::LeavingLater
        | SkipReason::LeavesOn
        | SkipReason::NextContract
        | SkipReason::StartsLater
        | SkipReason::LeftWithoutCard
        | SkipReason::MissingNotYet
        | SkipReason::ArchivedTwin
        | SkipReason::LegalHold
        // The record that shields them, or the read, is on the list itself.
        | SkipReason::Shielded
        | SkipReason::SecondSource
        | SkipReason::TargetDegraded
        // Nobody is wrongly in or out by it.
        | SkipReason::FieldLeft
        | SkipReason::LoginHeld
        | SkipReason::ManagerUnknown
        | SkipReason::CardDeleted => return None,
    };
    Some(found)
}
