//! What an unsuccessful write means: not done, in doubt, or there already; and whom it concerns.
//!
//! | what came back | outcome |
//! |---|---|
//! | no connection: refused, no host, no trust | not done, try again later |
//! | a timeout or a cut after sending began | in doubt |
//! | 2xx that cannot be read, 2xx with a page for people | in doubt: it may have been done |
//! | 408, 425, 429, 503 | not done, try again later: the server says that it did not take the request |
//! | not sent, because the log-in was refused before | not done, stops the run |
//! | 500, 502, 504, other 5xx | in doubt: the effect may have happened before the error, or behind the gateway |
//! | 3xx, 401, 405, 406, 415 | not done, stops the run |
//! | 403 | not done, stops this kind of change; a hold when it is about operators |
//! | 'Can not archive admins', 'Can not archive yourself' | not done, a hold: nobody archives this operator through the API |
//! | 'already archived', 'already unarchived' | there already |
//! | 400 for a change of a card, in words that are not known | not done; of an archived card perhaps because it is archived |
//! | other 4xx | not done, this record only, but for the texts in [`SETTINGS`] |

use super::errors::{Answered, Failure};
use crate::core::model::field::LookupKind;
use crate::core::model::ids::{CardId, OperatorId};
use crate::engine::target::{Concerns, TargetError, WriteError};
use std::fmt;

/// A write, for messages and for judging its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    CreateEntry(LookupKind),
    CreateCard,
    PatchCard(CardId),
    ArchiveCard(CardId),
    UnarchiveCard(CardId),
    ArchiveOperator(OperatorId),
    UnarchiveOperator(OperatorId),
    SetLoginPermission(OperatorId),
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Deed::CreateEntry(list) => write!(f, "create an entry of the list '{list}'"),
            Deed::CreateCard => f.write_str("create a person card"),
            Deed::PatchCard(card) => write!(f, "change person card {card}"),
            Deed::ArchiveCard(card) => write!(f, "archive person card {card}"),
            Deed::UnarchiveCard(card) => write!(f, "unarchive person card {card}"),
            Deed::ArchiveOperator(operator) => write!(f, "archive operator {operator}"),
            Deed::UnarchiveOperator(operator) => write!(f, "unarchive operator {operator}"),
            Deed::SetLoginPermission(operator) => write!(f, "change the log-in of operator {operator}"),
        }
    }
}

/// What a failed write means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Error(WriteError),
    /// The list has an entry of this name already, perhaps in other capitals: it is to be found and used.
    EntryExists(TargetError),
}

/// Texts of status 400 that are about the configuration or the environment and so meet every change of the kind.
const SETTINGS: [(&[&str], &str); 6] = [
    (
        &["reason for archiving is mandatory"],
        "set topdesk.archiving_reason to the name of a reason that TOPdesk has",
    ),
    (
        &["archiving-reason"],
        "topdesk.archiving_reason names a reason that TOPdesk no longer has: correct it",
    ),
    (
        &["archiving reason not available"],
        "topdesk.archiving_reason names a reason that TOPdesk does not offer any more: correct it",
    ),
    (
        &["the field", "does not exist"],
        "the environment does not have this field, or it is switched off: take it out of 'fields' or switch it on",
    ),
    (
        &["passwords are set to be mandatory"],
        "the API cannot set passwords: switch off the mandatory password for persons, or take tasLoginName out of 'fields'",
    ),
    (
        &["unknown field"],
        "the environment does not have this field, or it is switched off: take it out of 'fields' or switch it on",
    ),
];

/// Texts of status 400 about one record, with their cure.
const RECORD: [(&[&str], &str); 8] = [
    (&["mandatory field"], "fill the field in the source or in the mapping"),
    (
        &["cannot be parsed"],
        "correct the value in the source, or the expression of the field",
    ),
    (
        &["can only be", "characters"],
        "shorten the value in the source or in the mapping",
    ),
    (
        &["cannot be found"],
        "the entry it points to has gone since it was read: plan again; if it stays, look at the entry in TOPdesk",
    ),
    (
        &["login name", "unique"],
        "another card holds this login, perhaps an archived one: free it there, or correct the source",
    ),
    (
        &["doesn't belong to the given branch"],
        "map branch and location so that they fit",
    ),
    (&["memo fields"], "take the memo field out of 'fields'"),
    (
        &["person groups"],
        "the id is that of a person group: look at it in TOPdesk",
    ),
];

/// Texts of status 400 about an operator that nobody archives through the API.
const PROTECTED: [&str; 2] = ["can not archive admins", "can not archive yourself"];

/// Judges a failed write.
pub(super) fn judge(deed: &Deed, failure: &Failure) -> Refusal {
    let error = |concerns, cure: &str| TargetError {
        concerns,
        status: failure.status(),
        what: format!("could not {deed}: {}", failure.tell()),
        cure: cure.to_owned(),
        retryable: false,
        retry_after: failure.retry_after(),
    };
    let not_done = |error| Refusal::Error(WriteError::NotDone(error));
    let in_doubt = |error| Refusal::Error(WriteError::InDoubt(error));
    match failure {
        Failure::NotSent { hopeless, .. } => not_done(TargetError {
            retryable: !hopeless,
            ..error(Concerns::Run, failure.cure())
        }),
        Failure::LoginRefused => not_done(error(Concerns::Run, failure.cure())),
        Failure::Lost { .. } => in_doubt(TargetError {
            retryable: true,
            ..error(
                Concerns::Record,
                "it may have been done: the next full read of TOPdesk tells",
            )
        }),
        // A redirect is an answer instead of the deed; a page with 200 may come from anything in between.
        Failure::NotTheApi { status, .. } if (300..400).contains(status) => {
            not_done(error(Concerns::Run, failure.cure()))
        }
        Failure::NotTheApi { .. } => in_doubt(error(Concerns::Run, failure.cure())),
        Failure::Unreadable { .. } => in_doubt(error(
            Concerns::Record,
            "it was probably done: the next full read of TOPdesk tells",
        )),
        Failure::Answered(answered) => match answered.status {
            408 | 425 | 429 | 503 => not_done(TargetError {
                retryable: true,
                ..error(Concerns::Record, failure.cure())
            }),
            500.. => in_doubt(TargetError {
                retryable: true,
                ..error(Concerns::Record, failure.cure())
            }),
            401 | 405 | 406 | 415 => not_done(error(Concerns::Run, failure.cure())),
            403 => {
                let (concerns, cure) = forbidden(deed, answered);
                not_done(error(concerns, cure))
            }
            404 => match deed {
                Deed::CreateEntry(_) | Deed::CreateCard => not_done(error(Concerns::ActionKind, failure.cure())),
                Deed::PatchCard(_) | Deed::ArchiveCard(_) | Deed::UnarchiveCard(_) => not_done(error(
                    Concerns::Record,
                    "the card is gone, or a branch filter of the account hides it: look it up in TOPdesk",
                )),
                Deed::ArchiveOperator(_) | Deed::UnarchiveOperator(_) | Deed::SetLoginPermission(_) => not_done(error(
                    Concerns::Record,
                    "the operator is gone, or a filter of the account hides it: look it up in TOPdesk",
                )),
            },
            _other => refused(deed, answered, error),
        },
    }
}

/// Whom a 403 concerns, and the cure.
fn forbidden(deed: &Deed, answered: &Answered) -> (Concerns, &'static str) {
    let words = &answered.words;
    if words.mention("to see") {
        return (
            Concerns::Record,
            "a branch filter of the account hides this card: the account must see every card",
        );
    }
    match deed {
        Deed::SetLoginPermission(_) => (
            Concerns::OperatorLoginRight,
            "give the API account write on operators, permission groups and login data, or approve it for an account with these rights",
        ),
        // Unarchiving an operator takes the right on persons too, because the person comes back with it.
        Deed::UnarchiveOperator(_) if words.mention("archive persons") => (
            Concerns::ActionKind,
            "give the API account the right to archive persons: the person comes back with the operator",
        ),
        Deed::ArchiveOperator(_) | Deed::UnarchiveOperator(_) => (
            Concerns::OperatorRight,
            "this account may not archive operators: do it in TOPdesk by hand, or approve it for an account with the right",
        ),
        // 'No permission to archive operators.': the account may archive persons, and this one has an operator. In
        // another language only the noun can be known.
        Deed::ArchiveCard(_) | Deed::UnarchiveCard(_)
            if ["operator", "behandelaar", "bearbeiter"]
                .iter()
                .any(|noun| words.mention(noun)) =>
        {
            (
                Concerns::OperatorRight,
                "the person has an operator, which this account may not archive: that is the safety net; archive the person in TOPdesk by hand, or approve it for an account with the right",
            )
        }
        Deed::ArchiveCard(_) | Deed::UnarchiveCard(_) => (
            Concerns::ActionKind,
            "give the API account the right to archive persons",
        ),
        Deed::CreateEntry(_) => (
            Concerns::ActionKind,
            "give the API account write on supporting files settings, or set missing: hold for this field",
        ),
        Deed::CreateCard => (
            Concerns::ActionKind,
            "give the API account create on persons, and write on login data where tasLoginName is mapped",
        ),
        Deed::PatchCard(_) => (
            Concerns::ActionKind,
            "give the API account write on persons, and write on login data where tasLoginName is mapped",
        ),
    }
}

fn refused(deed: &Deed, answered: &Answered, error: impl Fn(Concerns, &str) -> TargetError) -> Refusal {
    let words = &answered.words;
    let already = match deed {
        Deed::ArchiveCard(_) | Deed::ArchiveOperator(_) => words.mention("already archived"),
        Deed::UnarchiveCard(_) | Deed::UnarchiveOperator(_) => words.mention("already unarchived"),
        Deed::CreateEntry(_) | Deed::CreateCard | Deed::PatchCard(_) | Deed::SetLoginPermission(_) => false,
    };
    if already {
        return Refusal::Error(WriteError::AlreadyThere);
    }
    if PROTECTED.iter().any(|text| words.mention(text)) {
        let cure = "this card's operator is an administrator or cardsync's own account: a human must decide";
        return Refusal::Error(WriteError::NotDone(error(Concerns::OperatorProtected, cure)));
    }
    let exists = words.code("duplicate_value") || words.mention("already exists") || answered.status == 409;
    if let (Deed::CreateEntry(_), true) = (deed, exists) {
        return Refusal::EntryExists(error(
            Concerns::Record,
            "the name is taken, perhaps by an archived entry that the API does not show: unarchive it in TOPdesk, or correct the source",
        ));
    }
    let known = |table: &[(&[&str], &'static str)]| {
        let row = table
            .iter()
            .find(|(parts, _)| parts.iter().all(|part| words.mention(part)));
        row.map(|(_, cure)| *cure)
    };
    // Fields that the account may not write are described as not there.
    if matches!(deed, Deed::SetLoginPermission(_))
        && words.mention("loginpermission")
        && words.mention("does not exist")
    {
        let (concerns, cure) = forbidden(deed, answered);
        return Refusal::Error(WriteError::NotDone(error(concerns, cure)));
    }
    let found = if answered.status == 400 {
        known(&SETTINGS).map(|cure| (Concerns::ActionKind, cure))
    } else {
        None
    };
    // Its words are nowhere documented, and may be in another language: what is no known refusal of a value may be it.
    let of_archived = || {
        let patch = matches!(deed, Deed::PatchCard(_)) && answered.status == 400;
        let said = words.mention("archiv") || words.mention("archief");
        patch.then_some(if said {
            (
                Concerns::ArchivedCard,
                "the card is archived: unarchive it in TOPdesk if it must change",
            )
        } else {
            (
                Concerns::ArchivedCard,
                "look at what TOPdesk says, and at this person's record",
            )
        })
    };
    let (concerns, cure) = found
        .or_else(|| known(&RECORD).map(|cure| (Concerns::Record, cure)))
        .or_else(of_archived)
        .unwrap_or((
            Concerns::Record,
            "look at what TOPdesk says, and at this person's record",
        ));
    Refusal::Error(WriteError::NotDone(error(concerns, cure)))
}

#[cfg(test)]
mod tests;
