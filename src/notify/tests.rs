use super::*;
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::model::key::Key;
use crate::core::plan::HoldReason;
use crate::core::plan::concern::{Addressee, Concern, ConcernCode};
use crate::core::plan::view::{ChangeVerdict, ChangeView, FromTo};
use crate::core::reads::snapshot::{Finding, Role};
use crate::core::rules::policy::BudgetClass;
use crate::engine::attention::{Attention, KeptConcern};

fn moment() -> DateTime<Utc> {
    "2026-06-08T06:00:00Z".parse().unwrap()
}

fn report(id: &str, verdict: RunVerdict) -> RunReport {
    RunReport {
        id: id.into(),
        command: "daemon".to_owned(),
        started_at: moment(),
        finished_at: Some(moment()),
        plan_id: None,
        verdict: Some(verdict),
        failure: None,
        counts: RunCounts::default(),
        snapshots: Vec::new(),
        clock: Vec::new(),
        whole: false,
    }
}

fn environment() -> EnvironmentId {
    "example.topdesk.net".into()
}

fn held(id: &str, action: ActionKind, reasons: Vec<HoldReason>) -> HeldItem {
    let person = FromTo {
        from: Some("jane.doe@example.net".to_owned()),
        to: None,
        overwrites: false,
    };
    HeldItem {
        change: ChangeView {
            id: id.into(),
            action,
            key: Some(Key::stored("SECRETKEY")),
            person_id: Some(CardId::new("c1")),
            operator: OperatorLink::Active {
                operators: vec![OperatorId::new("o1")],
            },
            operator_names: Default::default(),
            operator_groups: Default::default(),
            operators_kept_archived: Vec::new(),
            fields: [("email".to_owned(), person)].into(),
            twin: None,
            other: None,
            evidence: Vec::new(),
            depends_on: Vec::new(),
            why: vec!["Jane Doe left".to_owned()],
            verdict: ChangeVerdict::Held,
            holds: Vec::new(),
            choices: Vec::new(),
        },
        name: None,
        reasons,
        since: moment(),
        run: "r1".into(),
        set_aside: None,
        judged_at: None,
    }
}

fn archive(id: &str) -> HeldItem {
    let class = BudgetClass::Operators;
    held(
        id,
        ActionKind::Archive,
        vec![HoldReason::OverBudget {
            class,
            count: 1,
            limit: 0,
            base: 100,
            before: None,
            waiting: 0,
        }],
    )
}

fn read(name: &str, verdict: Verdict, acceptance: Option<&str>) -> SnapshotSummary {
    let lacks = "hr lacks 1 of 3 canaries (SECRETKEY)";
    SnapshotSummary {
        name: name.into(),
        role: Some(Role::Authoritative),
        read_at: moment(),
        generation: "g1".into(),
        records: 412,
        keyless: 0,
        unreadable: 0,
        skipped: 0,
        verdict,
        findings: vec![
            Finding::new("dropped", Effect::RejectAcceptable, "412 of 610", "see to the export"),
            Finding::new("canaries_missing", Effect::RejectAcceptable, lacks, "see to the export"),
            Finding::new("keyless", Effect::Note, "3 without a key", ""),
        ],
        acceptance: acceptance.map(Into::into),
        accepted: None,
    }
}

/// One event with everything in it.
pub(super) fn event() -> NotifyEvent {
    let run = RunReport {
        snapshots: vec![read("hr", Verdict::Rejected, Some("i9"))],
        ..report("r1", RunVerdict::SnapshotRejected)
    };
    events(&environment(), None, &run, &[archive("i1")]).swap_remove(0)
}

fn kinds(previous: Option<&RunReport>, current: &RunReport, new: &[HeldItem]) -> Vec<(NotifyKind, bool)> {
    events(&environment(), previous, current, new)
        .iter()
        .map(|event| (event.kind, event.repeated))
        .collect()
}

fn failed(id: &str) -> RunReport {
    RunReport {
        failure: Some("the disk is full\nmore".to_owned()),
        ..report(id, RunVerdict::Failed)
    }
}

fn rejecting(id: &str, sources: &[&str]) -> RunReport {
    let snapshots = sources.iter().map(|name| read(name, Verdict::Rejected, None)).collect();
    RunReport {
        snapshots,
        ..report(id, RunVerdict::SnapshotRejected)
    }
}

#[test]
fn a_quiet_run_tells_nothing() {
    let clean = report("r1", RunVerdict::Clean);
    let held = report("r1", RunVerdict::Held);
    assert!(kinds(None, &clean, &[]).is_empty());
    assert!(kinds(Some(&clean), &report("r2", RunVerdict::Clean), &[]).is_empty());
    assert!(
        kinds(Some(&held), &report("r2", RunVerdict::Held), &[]).is_empty(),
        "what waits was told before"
    );
}

#[test]
fn a_new_hold_is_told_with_what_a_human_needs() {
    let new = [archive("i2")];
    let told = events(&environment(), None, &report("r1", RunVerdict::Held), &new);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind, NotifyKind::HoldNew);
    assert_eq!(told[0].items[0].id, ItemId::new("i2"));
    assert_eq!(told[0].items[0].action, ActionKind::Archive);
    assert_eq!(told[0].items[0].class, class_of(&archive("i2")));
    assert_eq!(told[0].items[0].reasons, ["over_budget:operators"]);
    assert!(
        told[0]
            .message
            .contains("(1 with a linked operator); look with `cardsync holds`"),
        "{}",
        told[0].message
    );
}

#[test]
fn thousands_of_holds_are_counted_and_the_first_are_listed() {
    let many: Vec<HeldItem> = (0..1234).map(|n| archive(&format!("i{n}"))).collect();
    let told = events(&environment(), None, &report("r1", RunVerdict::Held), &many);
    assert_eq!(
        (told[0].items.len(), told[0].items_left_off),
        (MOST_ITEMS, 1234 - MOST_ITEMS)
    );
    assert!(told[0].message.contains("1234 "), "{}", told[0].message);
}

#[test]
fn a_failed_run_is_told_every_time_and_marked_when_it_was_so_before() {
    let clean = report("r1", RunVerdict::Clean);
    assert_eq!(
        kinds(Some(&clean), &failed("r2"), &[]),
        [(NotifyKind::RunFailed, false)]
    );
    assert_eq!(
        kinds(Some(&failed("r2")), &failed("r3"), &[]),
        [(NotifyKind::RunFailed, true)]
    );
    let told = events(&environment(), None, &failed("r2"), &[]);
    assert_eq!(told[0].message, "the disk is full");
    let mut some = report("r2", RunVerdict::SomeFailed);
    some.counts = RunCounts {
        not_done: 4,
        in_doubt: 1,
        ..RunCounts::default()
    };
    let told = events(&environment(), None, &some, &[]);
    assert!(
        told[0].message.starts_with("run r2: changes 4 failed, 1 in doubt; "),
        "{}",
        told[0].message
    );
}

#[test]
fn a_run_that_could_not_begin_is_told_in_the_same_form() {
    let told = not_begun(&environment(), &"r1".into(), moment(), "the secret is empty\nat line 3");
    let begun = events(&environment(), None, &failed("r1"), &[]).swap_remove(0);
    let message = "the secret is empty".to_owned();
    assert_eq!(told, NotifyEvent { message, ..begun });
}

#[test]
fn a_rejected_read_is_told_also_when_the_run_went_on() {
    let held = RunReport {
        snapshots: vec![read("ad", Verdict::Rejected, None), read("hr", Verdict::Complete, None)],
        ..report("r1", RunVerdict::Held)
    };
    let told = events(&environment(), None, &held, &[]);
    assert_eq!(told[0].kind, NotifyKind::SnapshotRejected);
    assert_eq!(told[0].snapshots.len(), 1);
    assert_eq!(
        told[0].snapshots[0].findings,
        ["dropped", "canaries_missing"],
        "what rejected it, not every note"
    );
    assert!(
        told[0]
            .message
            .starts_with("rejected: ad (412 records: dropped, canaries_missing); "),
        "{}",
        told[0].message
    );
    assert!(
        event().message.contains("`cardsync approve i9` accepts it"),
        "{}",
        event().message
    );
}

#[test]
fn a_rejection_is_a_repetition_only_when_every_source_was_rejected_before() {
    assert_eq!(
        kinds(Some(&rejecting("r1", &["hr"])), &rejecting("r2", &["hr"]), &[]),
        [(NotifyKind::SnapshotRejected, true)]
    );
    assert_eq!(
        kinds(Some(&rejecting("r1", &["hr"])), &rejecting("r2", &["ad", "hr"]), &[]),
        [(NotifyKind::SnapshotRejected, false)]
    );
}

#[test]
fn a_run_may_have_several_things_to_tell() {
    let mut run = rejecting("r1", &["ad"]);
    run.counts.not_done = 2;
    assert_eq!(
        kinds(None, &run, &[archive("i1")]),
        [
            (NotifyKind::RunFailed, false),
            (NotifyKind::SnapshotRejected, false),
            (NotifyKind::HoldNew, false)
        ]
    );
}

#[test]
fn all_is_well_only_after_trouble_and_only_when_nothing_waits() {
    let clean = report("r9", RunVerdict::Clean);
    let killed = RunReport {
        verdict: None,
        ..report("r1", RunVerdict::Clean)
    };
    for trouble in [
        RunVerdict::Held,
        RunVerdict::SomeFailed,
        RunVerdict::SnapshotRejected,
        RunVerdict::Failed,
    ] {
        let before = report("r1", trouble);
        assert_eq!(
            kinds(Some(&before), &clean, &[]),
            [(NotifyKind::AllWell, false)],
            "{trouble:?}"
        );
        assert!(
            kinds(Some(&before), &report("r2", RunVerdict::Held), &[]).is_empty(),
            "{trouble:?}: something still waits"
        );
    }
    assert!(kinds(Some(&killed), &clean, &[]).is_empty());
    assert!(kinds(None, &clean, &[]).is_empty());
}

#[test]
fn an_event_has_no_personal_data_and_stable_names() {
    let mut run = rejecting("r1", &["hr"]);
    run.counts.not_done = 1;
    for event in events(&environment(), None, &run, &[archive("i1")]) {
        let json = serde_json::to_string(&event).unwrap();
        for personal in ["SECRETKEY", "jane", "Jane", "Doe", "c1", "o1"] {
            assert!(!json.contains(personal), "{personal} in {json}");
        }
        assert_eq!(serde_json::from_str::<NotifyEvent>(&json).unwrap(), event);
    }
    let json = serde_json::to_value(event()).unwrap();
    assert_eq!(json["kind"], "snapshot_rejected");
    assert_eq!(json["environment"], "example.topdesk.net");
    assert_eq!(json["run"], "r1");
    assert_eq!(json["verdict"], "snapshot_rejected");
    assert_eq!(json["snapshots"][0]["acceptance"], "i9");
    assert!(json.get("items").is_none());
}

#[test]
fn what_needs_a_human_is_told_without_anybody_in_it_and_a_rejected_read_is_not_told_twice() {
    let concern = |id: &str, code| Concern {
        id: id.into(),
        code,
        addressee: Addressee::Hr,
        key: Some(Key::stored("SECRETKEY")),
        person_id: Some(CardId::new("c1")),
        name: Some("Jane Doe".to_owned()),
        operator: OperatorLink::Active {
            operators: vec![OperatorId::new("o1")],
        },
        places: vec!["hr line 3".to_owned()],
        what: "Jane Doe".to_owned(),
        cure: String::new(),
        acceptance: None,
        rejected_by: None,
    };
    let attention = Attention {
        now: Vec::new(),
        new: vec![
            concern("a", ConcernCode::LeavingUnknown),
            concern("b", ConcernCode::ReadRejected),
        ],
        solved: vec![concern("c", ConcernCode::DuplicateKey)],
    };
    let told = attention_events(&environment(), &report("r1", RunVerdict::Attention), &attention);
    let kinds: Vec<NotifyKind> = told.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [NotifyKind::AttentionNew, NotifyKind::AttentionSolved]);
    assert_eq!(told[0].concerns.len(), 1);
    assert!(
        told[0]
            .message
            .contains("1 leaving_unknown (1 with an active operator)"),
        "{}",
        told[0].message
    );
    // What somebody has set aside is told no more; with one read beside it that nobody knows of, it is.
    let known = |sources: &[&str], by: Option<&str>| {
        let event = events(&environment(), None, &rejecting("r1", sources), &[]).swap_remove(0);
        let read = Concern {
            places: vec!["hr".to_owned()],
            rejected_by: by.map(str::to_owned),
            ..concern("d", ConcernCode::ReadRejected)
        };
        let kept = KeptConcern {
            concern: read,
            since: moment(),
            seen_at: moment(),
        };
        let now = vec![kept];
        is_known(
            &event,
            &Attention {
                now,
                ..Attention::default()
            },
        )
    };
    assert!(known(&["hr"], Some("ann")));
    assert!(!known(&["hr"], None) && !known(&["hr", "ad"], Some("ann")) && !known(&["ad"], Some("ann")));
    let text = serde_json::to_string(&told).unwrap();
    for personal in ["SECRETKEY", "Jane", "c1"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    assert!(attention_events(&environment(), &report("r2", RunVerdict::Clean), &Attention::default()).is_empty());
}
