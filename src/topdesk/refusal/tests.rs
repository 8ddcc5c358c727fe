//! What TOPdesk says, and what it means.

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
    let (sleep, wake) = (Deed::ArchiveOperator("o1".into()), Deed::UnarchiveOperator("o1".into()));
    let disarm = Deed::SetLoginPermission("o1".into());
    let protected = ("not done", Some(Concerns::OperatorProtected));
    let operators = ("not done", Some(Concerns::OperatorRight));
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
        // Perhaps because the card is archived: to whoever did not write to the archive it concerns this record.
        (
            &patch,
            400,
            "etwas in einer anderen Sprache",
            ("not done", Some(Concerns::ArchivedCard)),
        ),
        (
            &patch,
            400,
            "The person is archived and cannot be modified.",
            ("not done", Some(Concerns::ArchivedCard)),
        ),
        (&archive, 400, "Person is already archived", ("already", None)),
        (&unarchive, 400, "Person is already unarchived", ("already", None)),
        (
            &patch,
            400,
            "Person is already archived",
            ("not done", Some(Concerns::ArchivedCard)),
        ),
        (&archive, 400, "Reason for archiving is mandatory", kind),
        (
            &archive,
            400,
            "The value for the field \"archiving-reason\" cannot be found",
            kind,
        ),
        (&archive, 400, "Can not archive person groups via this endpoint", record),
        (&archive, 400, "Can not archive admins", protected),
        (&sleep, 400, "Can not archive admins", protected),
        (&sleep, 400, "Can not archive yourself", protected),
        (&sleep, 400, "Operator is already archived", ("already", None)),
        (&wake, 400, "Operator is already unarchived", ("already", None)),
        (&disarm, 400, "Archived operators cannot be updated", record),
        (&sleep, 403, "No permission to archive operators.", operators),
        (&wake, 403, "No permission to archive operators.", operators),
        (&wake, 403, "No permission to archive persons.", kind),
        (&sleep, 403, "No permission to see the requested operator.", record),
        (
            &disarm,
            403,
            "No permission to update operators",
            ("not done", Some(Concerns::OperatorLoginRight)),
        ),
        (
            &disarm,
            400,
            "The field \"loginPermission\" does not exist.",
            ("not done", Some(Concerns::OperatorLoginRight)),
        ),
        (&sleep, 404, "The operator could not be found", record),
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

#[test]
fn a_reason_that_is_not_offered_is_known_by_its_code_in_whatever_shape() {
    let archive = Deed::ArchiveCard(card());
    for body in [
        r#"{"errors":[{"errorCode":"Archiving reason not available"}]}"#,
        r#"[{"message":"The value for the field \"archiving-reason\" cannot be found"}]"#,
    ] {
        let failure = Failure::Answered(Answered {
            status: 400,
            words: Words::parse(body.as_bytes()),
            retry_after: None,
        });
        let Refusal::Error(WriteError::NotDone(error)) = judge(&archive, &failure) else {
            panic!("{body}");
        };
        assert_eq!(error.concerns, Concerns::ActionKind, "{body}");
        assert!(
            error.cure.contains("topdesk.archiving_reason"),
            "{body}: {}",
            error.cure
        );
    }
}

#[test]
fn what_was_not_sent_after_a_refused_log_in_was_not_done_and_ends_the_run() {
    assert_eq!(
        outcome(&Deed::PatchCard(card()), &Failure::LoginRefused),
        ("not done", Some(Concerns::Run))
    );
    assert!(Failure::LoginRefused.cure().contains("topdesk.username"));
}
