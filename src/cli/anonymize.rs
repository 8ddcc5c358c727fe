//! `anonymize list` and `anonymize certificates`: who is due and since when, and the proof of what was done. Both change nothing.

use super::exit::Exit;
use super::out;
use super::progress::Shown as Bars;
use super::session;
use super::table::TableForm;
use crate::core::memory::certificate::{Certificate, Way};
use crate::core::model::card::OperatorLink;
use crate::core::model::field::CardField;
use crate::core::model::ids::OperatorId;
use crate::core::reads::snapshot::SnapshotSummary;
use crate::core::rules::anonymize::{Anonymize, AnonymizeBy};
use crate::core::rules::retention::{ClockStart, Retained, RetentionState};
use crate::engine::records::RecordsReader;
use crate::present::lines::Paint;
use crate::present::lines::{line, lined};
use anyhow::bail;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::Path;

/// Lines per part before it is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

#[derive(Debug, Subcommand)]
pub(super) enum AnonymizeCommand {
    /// Read everything and list whose data is due, since when, who waits and why. Exit code 2 when somebody is due.
    List(ListArgs),
    /// What was anonymized: when, how, by whom, and what was not reached. Without personal data.
    Certificates(CertificatesArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// A JSON document on standard output.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV on standard output, for a spreadsheet: dates, key, card id, operator; no names.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    form: TableForm,
    /// Also those whose time is not over, and every line.
    #[arg(long)]
    all: bool,
    /// As if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CertificatesArgs {
    /// A JSON array on standard output.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV on standard output, for a spreadsheet.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    form: TableForm,
}

pub(super) async fn run(config: &Path, command: &AnonymizeCommand) -> anyhow::Result<Exit> {
    match command {
        AnonymizeCommand::List(args) => list(config, args).await,
        AnonymizeCommand::Certificates(args) => certificates(config, args).await,
    }
}

async fn list(config: &Path, args: &ListArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    if environment.config().lifecycle.anonymize.is_none() {
        bail!(
            "nobody is anonymized: lifecycle.anonymize is not in the configuration; write e.g. anonymize: {{ by: topdesk, \
             after: 400d, approval: always }}, see docs/anonymization.md"
        );
    }
    let zone = environment.zone();
    let as_of = args
        .as_of
        .as_deref()
        .map(|text| session::moment(text, zone))
        .transpose()?;
    let clock = session::clock(as_of);
    let store = session::read_store(&environment).await?;
    let connected = environment.connect()?;
    let bars = Bars::new();
    let planned = environment.read_parts(&connected, &*clock, &bars).plan(&store).await;
    bars.finish();
    store.close().await;
    let planned = planned?;
    let plan = &planned.judged.plan;
    let Some(rule) = &planned.input.policy.anonymize else {
        bail!("nobody is anonymized: lifecycle.anonymize is not in the configuration");
    };
    let today = planned.input.moment.today();
    let shown = |one: &&Retained| args.all || one.state != RetentionState::Later;
    if args.json {
        let later = plan.retained.iter().filter(|one| one.state == RetentionState::Later);
        let people: Vec<&Retained> = plan.retained.iter().filter(shown).collect();
        let document = json!({
            "by": rule.by,
            "as_of": today,
            "people": people,
            "later": later.count(),
        });
        out::json(&document)?;
    } else if args.csv {
        let rows = plan.retained.iter().filter(shown).map(list_row);
        out::table(&args.form.table(&LIST_COLUMNS, rows));
    } else {
        out::print(&list_text(&plan.retained, rule, today, args.all, Paint::stdout()));
    }
    let due = plan.retained.iter().any(|one| one.state == RetentionState::Due);
    Ok(if plan.snapshots.iter().any(SnapshotSummary::is_unusable_in_part) {
        Exit::Verdict(4)
    } else if due {
        Exit::Verdict(2)
    } else {
        Exit::Done
    })
}

const LIST_COLUMNS: [&str; 9] = [
    "state",
    "due",
    "since",
    "since_what",
    "key",
    "person_id",
    "operator",
    "operator_ids",
    "why",
];

fn list_row(one: &Retained) -> Vec<String> {
    let day = |day: &Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let (operator, ids) = operator(&one.operator);
    vec![
        one.state.word().to_owned(),
        day(&one.due),
        day(&one.since),
        one.started.map(start_word).unwrap_or_default().to_owned(),
        one.key.to_string(),
        one.card.to_string(),
        operator.to_owned(),
        ids,
        one.why.clone().unwrap_or_default(),
    ]
}

fn start_word(started: ClockStart) -> &'static str {
    match started {
        ClockStart::Archived => "archived",
        ClockStart::LastDay => "last_day",
        ClockStart::ChangedLast => "changed_last",
    }
}

fn operator(link: &OperatorLink) -> (&'static str, String) {
    let ids = |operators: &[OperatorId]| {
        let ids: Vec<&str> = operators.iter().map(OperatorId::as_str).collect();
        ids.join(" ")
    };
    match link {
        OperatorLink::ProvenNone => ("none", String::new()),
        OperatorLink::Unproven => ("not known", String::new()),
        OperatorLink::Active { operators } => ("active", ids(operators)),
        OperatorLink::Archived { operators } => ("archived", ids(operators)),
    }
}

fn list_text(people: &[Retained], rule: &Anonymize, today: NaiveDate, all: bool, paint: Paint) -> String {
    let mut text = String::new();
    line!(
        text,
        "Anonymization as of {today}, {} days after the archive or the last day",
        rule.after.num_days()
    );
    let of = |state: RetentionState| people.iter().filter(move |one| one.state == state);
    let part = |text: &mut String, title: &str, state: RetentionState| {
        let count = of(state).count();
        if count == 0 {
            return;
        }
        line!(text, "\n{}", paint.strong(&format!("{title} ({count})")));
        let shown = if all { count } else { MOST_SHOWN };
        text.extend(of(state).take(shown).map(line));
        if count > shown {
            line!(text, "  ... and {} more (--all, --csv or --json)", count - shown);
        }
    };
    let due = match rule.by {
        AnonymizeBy::Topdesk => "Due: anonymize these cards in TOPdesk",
        AnonymizeBy::Api => "Due: an item of the plan each, which waits for an approval",
    };
    part(&mut text, due, RetentionState::Due);
    part(&mut text, "Waiting", RetentionState::Waits);
    part(&mut text, "Legal hold", RetentionState::LegalHold);
    if all {
        part(&mut text, "Not yet", RetentionState::Later);
    } else {
        let later = of(RetentionState::Later);
        let next = later.clone().filter_map(|one| one.due).min();
        if let Some(next) = next {
            line!(text, "\nNot yet: {}, the next on {next} (--all)", later.count());
        }
    }
    if people.is_empty() {
        text.push_str("Nobody: no card that cardsync knows stands archived, or their time is not over.\n");
    }
    if rule.by == AnonymizeBy::Topdesk && of(RetentionState::Due).next().is_some() {
        text.push_str(
            "\nTOPdesk's own anonymization takes the linked operator along. The run after it sees that it was done, takes out \
             what cardsync keeps of the person, and writes a certificate: cardsync anonymize certificates\n",
        );
    }
    text
}

fn line(one: &Retained) -> String {
    let due = one.due.map_or("no date".to_owned(), |due| format!("due {due}"));
    let since = match (one.since, one.started) {
        (Some(since), Some(ClockStart::Archived)) => format!(", archived {since}"),
        (Some(since), Some(ClockStart::LastDay)) => format!(", last day {since}"),
        (Some(since), Some(ClockStart::ChangedLast)) => format!(", archived by a human, changed last {since}"),
        (Some(_) | None, _) => String::new(),
    };
    let operator = match operator(&one.operator) {
        ("none", _) => String::new(),
        (word, ids) => format!(", operator {word} {ids}").trim_end().to_owned(),
    };
    let why = one.why.as_ref().map(|why| lined!("      {why}")).unwrap_or_default();
    lined!("  {due}{since}  {} (card {}{operator})", one.key, one.card) + &why
}

async fn certificates(config: &Path, args: &CertificatesArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let store = session::read_store(&environment).await?;
    let found = store.certificates().await;
    store.close().await;
    let found = found?;
    if args.json {
        out::json(&found)?;
    } else if args.csv {
        let zone = environment.zone();
        let rows = found.iter().map(|one| certificate_row(one, zone));
        out::table(&args.form.table(&CERTIFICATE_COLUMNS, rows));
    } else if found.is_empty() {
        out::print("No card has been seen anonymized yet.\n");
    } else {
        let zone = environment.zone();
        let text: String = found.iter().map(|one| certificate_text(one, zone)).collect();
        out::print(&text);
    }
    Ok(Exit::Done)
}

const CERTIFICATE_COLUMNS: [&str; 11] = [
    "at",
    "way",
    "person_id",
    "key_hash",
    "run",
    "archived_at",
    "fields",
    "approver",
    "modifier",
    "operators",
    "out_of_reach",
];

fn names(fields: &[CardField]) -> String {
    let names: Vec<String> = fields.iter().map(|field| field.name()).collect();
    names.join(" ")
}

fn certificate_row(one: &Certificate, zone: Tz) -> Vec<String> {
    let stamp = |at: DateTime<Utc>| at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true);
    let operators: Vec<&str> = one.operators.iter().map(OperatorId::as_str).collect();
    let beyond: Vec<&str> = one.out_of_reach.iter().map(|it| it.words()).collect();
    vec![
        stamp(one.at),
        one.way.word().to_owned(),
        one.card.to_string(),
        one.key_hash.clone().unwrap_or_default(),
        one.run.to_string(),
        one.archived_at.map(stamp).unwrap_or_default(),
        names(&one.fields),
        one.approver.clone().unwrap_or_default(),
        one.modifier.clone().unwrap_or_default(),
        operators.join(" "),
        beyond.join("; "),
    ]
}

fn certificate_text(one: &Certificate, zone: Tz) -> String {
    let when =
        |moment: chrono::DateTime<chrono::Utc>| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    let mut text = String::new();
    let what = match one.way {
        Way::Topdesk => "seen anonymized in TOPdesk",
        Way::Api => "overwritten by cardsync",
        Way::Deleted => "deleted in TOPdesk when it was due",
    };
    line!(text, "{}  card {}: {what}, run {}", when(one.at), one.card, one.run);
    if let Some(archived) = one.archived_at {
        line!(text, "    archived by cardsync on {}", when(archived));
    }
    if let Some(by) = &one.approver {
        line!(text, "    approved by {by}");
    }
    if let Some(by) = &one.modifier {
        line!(text, "    card modified last by {by}");
    }
    if !one.fields.is_empty() {
        line!(text, "    fields: {}", names(&one.fields));
    }
    if !one.operators.is_empty() {
        let ids: Vec<&str> = one.operators.iter().map(OperatorId::as_str).collect();
        line!(text, "    linked operator, archived: {}", ids.join(", "));
    }
    let beyond: Vec<&str> = one.out_of_reach.iter().map(|it| it.words()).collect();
    let title = match one.way {
        Way::Api => "not reached",
        Way::Topdesk | Way::Deleted => "not seen by cardsync",
    };
    line!(text, "    {title}: {}", beyond.join(", "));
    if let Some(hash) = &one.key_hash {
        line!(text, "    keyed hash of the key: {hash}");
    }
    text
}
