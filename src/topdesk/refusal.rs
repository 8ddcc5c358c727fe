//! What an unsuccessful write means: not done, in doubt, or there already; and whom it concerns.
//!
//! | what came back | outcome |
//! |---|---|
//! | no connection: refused, no host, no trust | not done, try again later |
//! | a timeout or a cut after sending began | in doubt |
//! | 2xx that cannot be read, 2xx with a page for people | in doubt: it may have been done |
//! | 408, 425, 429, 503 | not done, try again later: the server says that it did not take the request |
//! | 500, 502, 504, other 5xx | in doubt: the effect may have happened before the error, or behind the gateway |
//! | 3xx, 401, 405, 406, 415 | not done, stops the run |
//! | 403 | not done, stops this kind of change; a hold when it is about archiving operators |
//! | 'already archived', 'already unarchived' | there already |
//! | other 4xx | not done, this record only, but for the texts in [`SETTINGS`] |

use super::errors::{Answered, Failure};
use crate::domain::field::LookupKind;
use crate::domain::ids::CardId;
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
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Deed::CreateEntry(list) => write!(f, "create an entry of the list '{list}'"),
            Deed::CreateCard => f.write_str("create a person card"),
            Deed::PatchCard(card) => write!(f, "change person card {card}"),
            Deed::ArchiveCard(card) => write!(f, "archive person card {card}"),
            Deed::UnarchiveCard(card) => write!(f, "unarchive person card {card}"),
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
const SETTINGS: [(&[&str], &str); 5] = [
    (
        &["reason for archiving is mandatory"],
        "set topdesk.archiving_reason to the name of a reason that TOPdesk has",
    ),
    (
        &["archiving-reason"],
        "topdesk.archiving_reason names a reason that TOPdesk no longer has: correct it",
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
const RECORD: [(&[&str], &str); 9] = [
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
    (
        &["can not archive"],
        "this card's operator is an administrator or cardsync's own account: a human must decide",
    ),
];

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
        Deed::ArchiveCard(_) => words.mention("already archived"),
        Deed::UnarchiveCard(_) => words.mention("already unarchived"),
        Deed::CreateEntry(_) | Deed::CreateCard | Deed::PatchCard(_) => false,
    };
    if already {
        return Refusal::Error(WriteError::AlreadyThere);
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
    let found = if answered.status == 400 {
        known(&SETTINGS).map(|cure| (Concerns::ActionKind, cure))
    } else {
        None
    };
    let (concerns, cure) = found
        .or_else(|| known(&RECORD).map(|cure| (Concerns::Record, cure)))
        .unwrap_or((
            Concerns::Record,
            "look at what TOPdesk says, and at this person's record",
        ));
    Refusal::Error(WriteError::NotDone(error(concerns, cure)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topdesk::errors::Words;

    fn card() -> CardId {
        CardId::from("c1")
    }

    fn answered(status: u16, text: &str) -> Failure {
        Failure::Answered(Answered {
            status,
            words: Words::parse(format!(r#"[{{"message":{}}}]"#, serde_json::json!(text)).as_bytes()),
            retry_after: None,
        })
    }

    fn outcome(deed: &Deed, failure: &Failure) -> (&'static str, Option<Concerns>) {
        match judge(deed, failure) {
            Refusal::Error(WriteError::NotDone(error)) => ("not done", Some(error.concerns)),
            Refusal::Error(WriteError::InDoubt(error)) => ("in doubt", Some(error.concerns)),
            Refusal::Error(WriteError::AlreadyThere) => ("already", None),
            Refusal::EntryExists(_) => ("exists", None),
        }
    }

    #[test]
    fn what_topdesk_says_decides_whom_it_concerns() {
        let patch = Deed::PatchCard(card());
        let archive = Deed::ArchiveCard(card());
        let unarchive = Deed::UnarchiveCard(card());
        let entry = Deed::CreateEntry(LookupKind::Department);
        let record = ("not done", Some(Concerns::Record));
        let kind = ("not done", Some(Concerns::ActionKind));
        let run = ("not done", Some(Concerns::Run));
        for (deed, status, text, expected) in [
            (&patch, 400, "Mandatory field 'surName' is missing.", record),
            (&patch, 400, "The field \"budgetHolder\" does not exist.", kind),
            (
                &patch,
                400,
                "The value for the field \"email\" cannot be parsed",
                record,
            ),
            (
                &patch,
                400,
                "The value for the field \"surName\" can only be 50 characters long.",
                record,
            ),
            (
                &patch,
                400,
                "The value for the field \"branch\" cannot be found.",
                record,
            ),
            (
                &patch,
                400,
                "The given login name of this person already exists but it must be unique.",
                record,
            ),
            (
                &Deed::CreateCard,
                400,
                "No password was provided, but passwords are set to be mandatory for persons.",
                kind,
            ),
            (
                &patch,
                400,
                "The given location doesn't belong to the given branch.",
                record,
            ),
            (&patch, 400, "etwas in einer anderen Sprache", record),
            (&archive, 400, "Person is already archived", ("already", None)),
            (&unarchive, 400, "Person is already unarchived", ("already", None)),
            (&patch, 400, "Person is already archived", record),
            (&archive, 400, "Reason for archiving is mandatory", kind),
            (
                &archive,
                400,
                "The value for the field \"archiving-reason\" cannot be found",
                kind,
            ),
            (&archive, 400, "Can not archive person groups via this endpoint", record),
            (&archive, 400, "Can not archive admins", record),
            (
                &archive,
                403,
                "No permission to archive operators.",
                ("not done", Some(Concerns::OperatorRight)),
            ),
            (
                &archive,
                403,
                "Geen rechten om behandelaars te archiveren",
                ("not done", Some(Concerns::OperatorRight)),
            ),
            (&archive, 403, "No permission to archive persons.", kind),
            (&archive, 403, "No permission to see the requested person.", record),
            (&patch, 403, "No permission to update persons.", kind),
            (&Deed::CreateCard, 403, "No permission to create persons", kind),
            (
                &entry,
                400,
                "Department with name 'X' already exists.",
                ("exists", None),
            ),
            (&entry, 403, "No permission to create departments", kind),
            (&patch, 401, "No authentication token provided", run),
            (&patch, 406, "", run),
            (&patch, 404, "", record),
            (&Deed::CreateCard, 404, "", kind),
            (&patch, 429, "", record),
            (&patch, 503, "", record),
            (
                &Deed::CreateCard,
                500,
                "An error occurred on the server",
                ("in doubt", Some(Concerns::Record)),
            ),
            (&Deed::CreateCard, 502, "", ("in doubt", Some(Concerns::Record))),
            (&archive, 504, "", ("in doubt", Some(Concerns::Record))),
        ] {
            assert_eq!(
                outcome(deed, &answered(status, text)),
                expected,
                "{deed}: {status} {text}"
            );
        }
        let code = Failure::Answered(Answered {
            status: 400,
            words: Words::parse(br#"{"errorCode":"duplicate_value","appliesTo":["name"]}"#),
            retry_after: None,
        });
        assert_eq!(outcome(&entry, &code), ("exists", None));
    }

    #[test]
    fn only_what_was_surely_not_done_is_called_not_done() {
        let why = || "why".to_owned();
        let deed = Deed::CreateCard;
        for (failure, expected) in [
            (
                Failure::NotSent {
                    why: why(),
                    hopeless: false,
                },
                "not done",
            ),
            (
                Failure::NotSent {
                    why: why(),
                    hopeless: true,
                },
                "not done",
            ),
            (Failure::Lost { why: why() }, "in doubt"),
            (
                Failure::NotTheApi {
                    status: 302,
                    why: why(),
                },
                "not done",
            ),
            (
                Failure::NotTheApi {
                    status: 200,
                    why: why(),
                },
                "in doubt",
            ),
            (
                Failure::Unreadable {
                    status: 201,
                    why: why(),
                },
                "in doubt",
            ),
        ] {
            assert_eq!(outcome(&deed, &failure).0, expected, "{failure:?}");
        }
    }

    #[test]
    fn a_busy_server_can_be_tried_again() {
        let mut failure = answered(429, "");
        if let Failure::Answered(answered) = &mut failure {
            answered.retry_after = Some(std::time::Duration::from_secs(7));
        }
        let Refusal::Error(WriteError::NotDone(error)) = judge(&Deed::PatchCard(card()), &failure) else {
            panic!("429 is an answered error");
        };
        assert!(error.retryable);
        assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(7)));
        assert!(error.to_string().contains("change person card c1"), "{error}");
    }
}
