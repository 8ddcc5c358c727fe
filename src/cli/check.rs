//! `check`: one line per thing that a run needs, with the cure. Reads, writes nothing.

use super::exit::Exit;
use super::out;
use super::progress::Shown as Bars;
use super::session;
use crate::app::environment::{Connected, Environment};
use crate::config::policy::policy;
use crate::core::input::PlanInput;
use crate::core::model::field::FieldKind;
use crate::core::model::identity::{Desired, Moment};
use crate::core::model::ids::SourceName;
use crate::core::model::references::{References, Resolved};
use crate::core::reads::cards::CardIndex;
use crate::core::reads::quality::target_summary;
use crate::core::reads::snapshot::{Effect, Finding, SnapshotHistory, SnapshotSummary, Verdict};
use crate::core::rules::lists::{WITHOUT_CARD_CURE, without_cards};
use crate::engine::Source;
use crate::engine::gather::read_sources;
use crate::engine::state::StateReader;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::snapshot_lines;
use crate::topdesk::{CheckLevel, CheckLine};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

struct Checked {
    lines: Vec<CheckLine>,
    snapshots: Vec<SnapshotSummary>,
    /// What earlier reads were like.
    earlier: BTreeMap<SourceName, SnapshotHistory>,
}

impl Checked {
    fn line(&mut self, level: CheckLevel, topic: &str, text: impl Into<String>, cure: Option<String>) {
        self.lines.push(CheckLine {
            level,
            topic: topic.to_owned(),
            text: text.into(),
            cure,
        });
    }

    fn has_told(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.text == text)
    }

    fn finding(&mut self, topic: &str, finding: &Finding) {
        let level = match finding.effect {
            Effect::Note => CheckLevel::Warn,
            Effect::NoAbsence | Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable => CheckLevel::Warn,
            Effect::RejectAcceptable | Effect::Reject => CheckLevel::Fail,
        };
        self.line(level, topic, finding.message.clone(), Some(finding.cure.clone()));
    }
}

pub(super) async fn check(config: &Path, args: &CheckArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let mut checked = Checked {
        lines: Vec::new(),
        snapshots: Vec::new(),
        earlier: BTreeMap::new(),
    };
    let file = environment.loaded.path.display().to_string();
    checked.line(
        CheckLevel::Ok,
        "configuration",
        format!("{file} for {}", environment.id),
        None,
    );
    match crate::config::validate::key_refusal(environment.config()) {
        Some(why) => checked.line(CheckLevel::Fail, "key", why, None),
        None => checked.line(
            CheckLevel::Ok,
            "key",
            format!("{} decides who is who", environment.config().key.card_field),
            None,
        ),
    }
    for problem in environment.mapping.advice() {
        checked.line(
            CheckLevel::Warn,
            "expressions",
            format!("{}: {}", problem.path, problem.message),
            Some(problem.cure.clone()),
        );
    }
    if !environment.config().fields.contains_key("branch") {
        checked.line(
            CheckLevel::Warn,
            "fields",
            "branch is not among the fields: TOPdesk ordinarily refuses new cards without one",
            Some("add e.g. branch: \"{{ hr.Site }}\", or branch: Head office".to_owned()),
        );
    }
    for part in &environment.sources {
        for finding in part.source.advice() {
            checked.finding(part.name.as_str(), &finding);
        }
    }
    if let Some(text) = environment.password_warning(Utc::now().date_naive()) {
        let cure =
            "make a new application password in TOPdesk, put it in its place, and change topdesk.password_expires";
        checked.line(CheckLevel::Warn, "password", text, Some(cure.to_owned()));
    }
    servers(&environment, &mut checked).await;
    let exit = reads(&environment, &mut checked).await?;
    schedule(&environment, &mut checked);
    let failed = checked.lines.iter().any(|line| line.level == CheckLevel::Fail);
    if args.json {
        let lines: Vec<_> = checked
            .lines
            .iter()
            .map(|line| json!({ "level": word(line.level), "topic": line.topic, "text": line.text, "cure": line.cure }))
            .collect();
        let earlier = checked.earlier.iter().map(|(name, history)| {
            let reference = json!({ "read_at": history.reference_at, "records": history.largest_accepted });
            (
                name.to_string(),
                json!({ "last": history.last, "reference": reference }),
            )
        });
        let earlier: serde_json::Map<String, serde_json::Value> = earlier.collect();
        let document = json!({ "lines": lines, "snapshots": checked.snapshots, "earlier": earlier });
        out::json(&document)?;
    } else {
        let zone = environment.zone();
        out::print(&as_text(&checked, zone, Paint::stdout()));
    }
    Ok(if failed { Exit::Error } else { exit })
}

/// Every server of a directory that names several: one that stands by for years is needed on the day that it cannot.
async fn servers(environment: &Environment, checked: &mut Checked) {
    for part in &environment.sources {
        let topic = part.name.as_str();
        match part.source.try_servers().await {
            Err(finding) => checked.finding(topic, &finding),
            Ok(tried) => {
                for (server, failed) in tried {
                    match failed {
                        None => checked.line(CheckLevel::Ok, topic, format!("{server} lets the account in"), None),
                        Some(finding) => {
                            let text = format!("{}; it cannot stand in for the others", finding.message);
                            checked.line(CheckLevel::Warn, topic, text, Some(finding.cure));
                        }
                    }
                }
            }
        }
    }
}

/// The state, and the reads a run would make, with their verdicts.
async fn reads(environment: &Environment, checked: &mut Checked) -> anyhow::Result<Exit> {
    let store = session::read_store(environment).await?;
    let place = environment
        .store_path()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    let state = if store.exists() {
        place
    } else {
        format!("{place} does not exist yet; the first run makes it, and is a first contact")
    };
    checked.line(CheckLevel::Ok, "state", state, None);
    let clock = session::clock(None);
    let remembered = store.load(Utc::now()).await?;
    store.close().await;
    checked.earlier.clone_from(&remembered.snapshots);
    let reachable = probe(environment, checked).await;
    let bars = Bars::new();
    match &reachable {
        // The sources are worth a look also where TOPdesk is not.
        None => {
            let moment = Moment {
                now: clock.now(),
                zone: environment.zone(),
            };
            let policy = policy(&environment.loaded);
            let (parts, mapping) = (&environment.sources, &environment.mapping);
            let snapshots = read_sources(parts, mapping, &policy, &remembered, None, moment, &bars).await;
            checked
                .snapshots
                .extend(snapshots.into_iter().map(|(snapshot, _)| snapshot.summary));
        }
        Some(connected) => {
            let parts = environment.read_parts(connected, &*clock, &bars);
            match parts.read(&remembered).await {
                Ok(readings) => {
                    checked
                        .snapshots
                        .extend(readings.snapshots.iter().map(|snapshot| snapshot.summary.clone()));
                    let mut of_cards = target_summary(&readings.target);
                    // The first look has told these, each with its cure.
                    of_cards.findings.retain(|finding| !checked.has_told(&finding.message));
                    checked.snapshots.push(of_cards);
                    for doubt in &readings.clock.doubts {
                        let text = format!("{}; nothing that depends on the time would count", doubt.message);
                        checked.line(CheckLevel::Warn, "clock", text, Some(doubt.cure.clone()));
                    }
                    if readings.clock.is_trusted() {
                        let text = "agrees with TOPdesk's, the directories' and the last run";
                        checked.line(CheckLevel::Ok, "clock", text, None);
                    }
                    let (input, _former) = parts.input_beside(readings, remembered, BTreeSet::new());
                    constants(environment, &input, checked);
                    for (number, words) in without_cards(&input) {
                        let text = format!("{number} is {words}");
                        checked.line(CheckLevel::Warn, "lists", text, Some(WITHOUT_CARD_CURE.to_owned()));
                    }
                }
                Err(error) => checked.line(CheckLevel::Fail, "topdesk", error.what, Some(error.cure)),
            }
        }
    }
    bars.finish();
    let rejected = checked
        .snapshots
        .iter()
        .any(|snapshot| snapshot.verdict == Verdict::Rejected);
    Ok(if rejected { Exit::Rejected } else { Exit::Done })
}

/// Lists entries that the configuration names for everybody: a typing error in one would hold every new card.
fn constants(environment: &Environment, input: &PlanInput, checked: &mut Checked) {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let mut references = References::new(&input.target.lookups, &[], false);
    for rule in environment.mapping.rules() {
        let FieldKind::Lookup(list) = rule.field.kind() else {
            continue;
        };
        let wanted = match rule.constant(input.moment, environment.mapping.key()) {
            Some(Desired::Set(wanted)) => wanted,
            Some(Desired::Clear | Desired::Unknown(_)) | None => continue,
        };
        let field = rule.field.name();
        match references.resolve(&wanted, Some(list), rule.missing, None, &index) {
            Resolved::Hold(message) => {
                let text = format!("{field} is the same for everybody, and {message}");
                checked.line(CheckLevel::Fail, "fields", text, None);
            }
            Resolved::Leave(message) => {
                let text = format!("{field} is the same for everybody, and {message}; until then it stays empty");
                checked.line(CheckLevel::Warn, "fields", text, None);
            }
            Resolved::Value(value) => {
                let text = format!("{field}: '{}' for everybody is there", value.display());
                checked.line(CheckLevel::Ok, "fields", text, None);
            }
            Resolved::NewManager(_) | Resolved::NoManager(_) => {}
        }
    }
}

/// What TOPdesk shows of itself; the connections, where it could be read.
async fn probe(environment: &Environment, checked: &mut Checked) -> Option<Connected> {
    let connected = match environment.connect() {
        Ok(connected) => connected,
        Err(error) => {
            checked.line(CheckLevel::Fail, "topdesk", error.what, Some(error.cure));
            return None;
        }
    };
    let lines = connected.reader.probe(&environment.wants()).await;
    let readable = !lines
        .iter()
        .any(|line| line.level == CheckLevel::Fail && line.topic == "person cards");
    checked.lines.extend(lines);
    readable.then_some(connected)
}

fn schedule(environment: &Environment, checked: &mut Checked) {
    match environment.upcoming(Utc::now(), 3) {
        None => checked.line(CheckLevel::Ok, "schedule", "none: cardsync runs when told to", None),
        Some(Ok(times)) if times.is_empty() => checked.line(
            CheckLevel::Fail,
            "schedule",
            "schedule.cron has no run left: every time it names is past",
            Some("correct schedule.cron; the last field may name years".to_owned()),
        ),
        Some(Ok(times)) => checked.line(
            CheckLevel::Ok,
            "schedule",
            format!("next runs: {}", times.join(", ")),
            None,
        ),
        Some(Err(why)) => checked.line(
            CheckLevel::Fail,
            "schedule",
            why,
            Some("correct schedule.cron".to_owned()),
        ),
    }
}

fn word(level: CheckLevel) -> &'static str {
    match level {
        CheckLevel::Ok => "ok",
        CheckLevel::Warn => "warning",
        CheckLevel::Fail => "fail",
        CheckLevel::FirstWriteTells => "first write tells",
    }
}

/// The last read of a run and its verdict, and the one that sizes are compared with.
fn earlier_lines(history: Option<&SnapshotHistory>, zone: Tz) -> String {
    let shown = |time: DateTime<Utc>| time.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    let Some((history, last)) = history.and_then(|history| Some((history, history.last.as_ref()?))) else {
        return "      no run has read it yet\n".to_owned();
    };
    let mut text = format!(
        "      last run read {} records, {}, {}\n",
        last.records,
        last.verdict,
        shown(last.read_at)
    );
    if let (Some(records), Some(at)) = (history.largest_accepted, history.reference_at) {
        line!(text, "      sizes are compared with {records} records of {}", shown(at));
    }
    text
}

fn as_text(checked: &Checked, zone: Tz, paint: Paint) -> String {
    let mut text = String::new();
    for line in &checked.lines {
        let mark = match line.level {
            CheckLevel::Ok => paint.good("ok   "),
            CheckLevel::Warn => paint.warn("warn "),
            CheckLevel::Fail => paint.bad("FAIL "),
            CheckLevel::FirstWriteTells => paint.warn("?    "),
        };
        line!(text, "{mark} {:<18} {}", line.topic, line.text);
        // Some cures stand in the sentence already.
        if let Some(cure) = line.cure.as_ref().filter(|cure| !line.text.contains(*cure)) {
            line!(text, "      {:<18} -> {cure}", "");
        }
    }
    if !checked.snapshots.is_empty() {
        text.push_str("\nRead, as a run would:\n");
        for snapshot in &checked.snapshots {
            text.push_str(&snapshot_lines(snapshot, paint));
            text.push_str(&earlier_lines(checked.earlier.get(&snapshot.name), zone));
        }
    }
    if checked
        .lines
        .iter()
        .any(|line| line.level == CheckLevel::FirstWriteTells)
    {
        text.push_str("\n? : reading cannot show it, the first write will tell.\n");
    }
    text
}
