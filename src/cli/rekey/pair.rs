//! `rekey pair`: the list for whoever knows the people.

use crate::cli::exit::Exit;
use crate::cli::out::line;
use crate::cli::out::{self, Paint};
use crate::cli::progress::Shown as Bars;
use crate::cli::session;
use crate::cli::words::{counted, snapshot_lines};
use crate::config::policy::zone;
use crate::domain::card::OperatorLink;
use crate::domain::key::Key;
use crate::domain::quality::target_summary;
use crate::domain::rekey::pairing::{Grade, Pairing, Row, Verdict, Which};
use crate::domain::snapshot::SnapshotSummary;
use crate::engine::pair_sheet;
use crate::engine::pair_words::{agreeing, remarks, why_not};
use crate::engine::rekey::Paired;
use crate::engine::sheet::SheetProblem;
use anyhow::Context;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows before the list is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

#[derive(Debug, Args)]
pub(in crate::cli) struct PairArgs {
    /// Write the list for a spreadsheet, with columns for the right number, a decision and a note; `rekey write` reads it.
    /// Readable by its owner only.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Take the decisions and notes of an earlier list over, as far as they still hold; says of every other line why not.
    #[arg(long, value_name = "FILE", requires = "csv")]
    from: Option<PathBuf>,
    /// Look also at cards with a number that nobody of the sources has.
    #[arg(long)]
    unclaimed: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Show every row, however many.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Pair as if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

/// Which cards are looked at.
pub(super) fn which(unclaimed: bool) -> Which {
    if unclaimed { Which::Unclaimed } else { Which::Keyless }
}

/// A list that came back; every bad line at once.
pub(super) fn lines_of(file: &Path) -> anyhow::Result<Vec<pair_sheet::Line>> {
    let bytes = std::fs::read(file).with_context(|| format!("the list {} cannot be read", file.display()))?;
    pair_sheet::read(&bytes).map_err(|problems| anyhow::anyhow!("{}: {}", file.display(), told(&problems)))
}

/// One problem to a line.
pub(super) fn told(problems: &[SheetProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

pub(super) async fn pair(config: &Path, args: &PairArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let earlier = args.from.as_deref().map(lines_of).transpose()?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of.map(|text| session::moment(text, zone(environment.config())));
    let clock = session::clock(as_of.transpose()?);
    let store = session::read_store(&environment).await?;
    let connected = environment.connect()?;
    let bars = Bars::new();
    let parts = environment.read_parts(&connected, &*clock, &bars);
    let paired = parts.pair(&store, which(args.unclaimed)).await;
    bars.finish();
    store.close().await;
    let paired = paired?;
    let (carried, gone) = match &earlier {
        Some(lines) => pair_sheet::carry(lines, &paired.pairing, &paired.input),
        None => (BTreeMap::new(), Vec::new()),
    };
    if args.json {
        let document = json!({ "summary": summary(&paired.pairing), "rows": paired.pairing.rows });
        out::json(&document)?;
    } else {
        out::print(&text(&paired, args.all, Paint::stdout()));
    }
    if let Some(file) = &args.csv {
        let sheet = pair_sheet::write(&paired.pairing, &carried);
        out::private_file(file, &sheet)
            .with_context(|| format!("the list could not be written to {}", file.display()))?;
        let kept = carried.values().filter(|one| one.answer.is_some()).count();
        let lapsed: Vec<&str> = carried
            .values()
            .map(|one| one.remark.as_str())
            .filter(|it| !it.is_empty())
            .collect();
        if !args.json {
            let file = file.display();
            let mut said = format!(
                "\nWrote {} to {file}. Write approve or reject in the column 'decision', and the right number where it is another \
                 one; then: cardsync rekey write {file}\n",
                counted(paired.pairing.rows.len() as u64, "row")
            );
            if earlier.is_some() {
                line!(
                    said,
                    "Taken over from the earlier list: {}.",
                    counted(kept as u64, "decision")
                );
                for remark in &lapsed {
                    line!(said, "  not taken over: {remark}");
                }
                for problem in &gone {
                    line!(said, "  not in the new list: {problem}");
                }
            }
            out::print(&said);
        }
    }
    let rejected = paired.input.snapshots.iter().any(|snapshot| snapshot.is_rejected());
    Ok(if rejected { Exit::Rejected } else { Exit::Done })
}

/// How many rows there are of each kind, and how many of them have an operator.
fn summary(pairing: &Pairing) -> BTreeMap<String, serde_json::Value> {
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in &pairing.rows {
        let count = counts.entry(kind(row)).or_default();
        count.0 += 1;
        count.1 += u64::from(row.operator.is_linked());
    }
    let told = |(total, operators): (u64, u64)| json!({ "total": total, "operators": operators });
    counts.into_iter().map(|(kind, count)| (kind, told(count))).collect()
}

fn kind(row: &Row) -> String {
    match &row.verdict {
        Verdict::Pair(pair) => pair.grade.word().to_owned(),
        Verdict::None { why, .. } => {
            let word = serde_json::to_value(why).expect("a word");
            word.as_str().unwrap_or_default().to_owned()
        }
    }
}

fn text(paired: &Paired, all: bool, paint: Paint) -> String {
    let Paired { pairing, input } = paired;
    let mut text = String::new();
    let at = input
        .moment
        .now
        .with_timezone(&input.moment.zone)
        .format("%Y-%m-%d %H:%M %Z");
    let title = format!("Pairs for {} at {at}", input.environment);
    line!(text, "{}", paint.strong(&title));
    let of = |grade: Grade| -> (usize, usize) {
        let rows = pairing
            .rows
            .iter()
            .filter(|row| row.pair().is_some_and(|pair| pair.grade == grade));
        let operators = rows.clone().filter(|row| row.operator.is_linked()).count();
        (rows.count(), operators)
    };
    let told = [
        (
            Grade::Sure,
            "the person is witnessed, or account, whole name and time agree and nobody else has the name",
        ),
        (
            Grade::Likely,
            "account and name agree, and both may be handed on: a human decides",
        ),
        (Grade::Possible, "a part of it: a human decides"),
    ];
    for (grade, what) in told {
        let (total, operators) = of(grade);
        line!(
            text,
            "  {:<10}{total:>7}, {operators} with an operator   {what}",
            grade.word()
        );
    }
    let none = pairing.rows.iter().filter(|row| row.pair().is_none()).count();
    line!(text, "  {:<10}{none:>7}", "none");
    line!(
        text,
        "  people of the sources with a card by number: {}, without: {}\n",
        pairing.taken.len(),
        pairing.free.len()
    );
    line!(text, "{}", paint.strong("Read"));
    let summaries = input.snapshots.iter().map(|snapshot| snapshot.summary.clone());
    let summaries: Vec<SnapshotSummary> = summaries.chain([target_summary(&input.target)]).collect();
    for snapshot in &summaries {
        text.push_str(&snapshot_lines(snapshot, paint));
    }
    let (pairs, others): (Vec<&Row>, Vec<&Row>) = pairing.rows.iter().partition(|row| row.pair().is_some());
    for (title, rows) in [("Pairs, operators first", pairs), ("No pair", others)] {
        if rows.is_empty() {
            continue;
        }
        line!(text, "\n{}", paint.strong(&format!("{title} ({})", rows.len())));
        let shown = if all { rows.len() } else { MOST_SHOWN };
        rows.iter().take(shown).for_each(|row| one(&mut text, row));
        if rows.len() > shown {
            line!(
                text,
                "  ... and {} more (--all, --json, or --csv FILE)",
                rows.len() - shown
            );
        }
    }
    text
}

fn one(text: &mut String, row: &Row) {
    let operator = match &row.operator {
        OperatorLink::Active { .. } => ", operator",
        OperatorLink::Archived { .. } => ", archived operator",
        OperatorLink::Unproven | OperatorLink::ProvenNone => "",
    };
    let card = format!("{} ({}{operator})", row.shown.name, row.card);
    match &row.verdict {
        Verdict::Pair(pair) => {
            line!(
                text,
                "  {:<9} {card}: {} {}",
                pair.grade.word(),
                pair.key,
                pair.person.name
            );
            line!(text, "      same {}", agreeing(pair));
            for remark in remarks(pair) {
                line!(text, "      {remark}");
            }
        }
        Verdict::None { why, people, .. } => {
            let people: Vec<&str> = people.iter().map(Key::as_str).collect();
            let people = if people.is_empty() {
                String::new()
            } else {
                format!(" ({})", people.join(", "))
            };
            line!(text, "  {card}: {}{people}", why_not(*why));
        }
    }
}
