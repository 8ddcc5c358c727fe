//! `rekey pair`: the list for whoever knows the people.

use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::progress::Shown as Bars;
use crate::cli::session;
use crate::cli::table::TableForm;
use crate::core::model::card::OperatorLink;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::core::model::visible;
use crate::core::reads::quality::target_summary;
use crate::core::reads::snapshot::SnapshotSummary;
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::{counted, snapshot_lines};
use crate::present::workbook;
use crate::sheets::table::Separator;
use crate::tools::rekey::pairing::{Grade, Pairing, Row, Verdict, Which};
use crate::tools::rekey::run::Paired;
use crate::tools::rekey::sheet::{self, Carried, ListProblem};
use crate::tools::rekey::words::{agreeing, remarks, why_not};
use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows before the list is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

#[derive(Debug, Args)]
pub(in crate::cli) struct PairArgs {
    /// Write the list for a spreadsheet, with columns for a decision, another number and a note; `rekey write` reads it.
    /// Readable by its owner only.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    form: TableForm,
    /// Write the same list as a workbook, which opens as it is; it comes back as CSV. Readable by its owner only.
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    /// Take the decisions and notes of an earlier list over, as far as they still hold; says of every other line why not.
    /// Given several times for the copies of several people.
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
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

/// The lists that came back, copies of several people together; every bad line at once.
pub(super) fn lines_of(files: &[PathBuf]) -> anyhow::Result<Vec<sheet::Line>> {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        let bytes = std::fs::read(file).with_context(|| format!("the list {} cannot be read", file.display()))?;
        let name = file.display().to_string();
        match sheet::read(&bytes, if files.len() > 1 { &name } else { "" }) {
            Ok(found) => lines.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    match (problems.as_slice(), files) {
        ([], _) => Ok(lines),
        (problems, [file]) => bail!("{}: {}", file.display(), told(problems)),
        (problems, _) => bail!("{}", told(problems)),
    }
}

/// One problem to a line.
pub(super) fn told(problems: &[ListProblem]) -> String {
    // A cell of the list is quoted in some of them.
    let line = |problem: &ListProblem| visible::line(&problem.to_string()).into_owned();
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) async fn pair(config: &Path, args: &PairArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    if !args.from.is_empty() && args.csv.is_none() && args.xlsx.is_none() {
        bail!("--from takes decisions into a new list: give --csv FILE or --xlsx FILE as well");
    }
    let earlier = lines_of(&args.from)?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of.map(|text| session::moment(text, environment.zone()));
    let clock = session::clock(as_of.transpose()?);
    let store = session::read_store(&environment).await?;
    let connected = environment.connect()?;
    let bars = Bars::new();
    let parts = environment.read_parts(&connected, &*clock, &bars);
    let paired = parts.pair(&store, which(args.unclaimed)).await;
    bars.finish();
    store.close().await;
    let paired = paired?;
    let (carried, gone) = sheet::carry(&earlier, &paired.pairing, &paired.input);
    if args.json {
        let document = json!({
            "summary": summary(&paired.pairing),
            "rows": paired.pairing.rows,
            "misplaced": paired.pairing.misplaced,
        });
        out::json(&document)?;
    } else {
        out::print(&text(&paired, args.all, Paint::stdout()));
    }
    let list = List {
        paired: &paired,
        carried: &carried,
        gone: &gone,
        has_earlier: !args.from.is_empty(),
    };
    let said = list.write(args.csv.as_deref(), args.form.separator(), args.xlsx.as_deref())?;
    if !args.json {
        out::print(&said);
    }
    let rejected = paired.input.snapshots.iter().any(|snapshot| snapshot.is_rejected());
    Ok(if rejected { Exit::Rejected } else { Exit::Done })
}

/// The list that goes to whoever knows the people.
struct List<'a> {
    paired: &'a Paired,
    carried: &'a BTreeMap<CardId, Carried>,
    gone: &'a [ListProblem],
    has_earlier: bool,
}

impl List<'_> {
    /// Writes it where it is wanted, and says so.
    fn write(&self, csv: Option<&Path>, separator: Separator, xlsx: Option<&Path>) -> anyhow::Result<String> {
        let mut said = String::new();
        let rows = counted(self.paired.pairing.rows.len() as u64, "row");
        let how = "Write approve or reject into the column 'decision', and into 'other_number' the right number where it is another \
                   one";
        if let Some(file) = csv {
            let list = sheet::write(&self.paired.pairing, self.carried, separator);
            out::private_file(file, &list)
                .with_context(|| format!("the list could not be written to {}", file.display()))?;
            let file = file.display();
            line!(
                said,
                "\nWrote {rows} to {file}. {how}; then: cardsync rekey write {file}"
            );
        }
        if let Some(file) = xlsx {
            let list = workbook::of(&sheet::table(&self.paired.pairing, self.carried))?;
            out::private_bytes(file, &list)
                .with_context(|| format!("the list could not be written to {}", file.display()))?;
            line!(
                said,
                "\nWrote {rows} to {}. {how}; save it as CSV (UTF-8), then: cardsync rekey write FILE.csv",
                file.display()
            );
        }
        if self.has_earlier {
            let kept = self.carried.values().filter(|one| one.answer.is_some()).count();
            line!(
                said,
                "Taken over from the earlier list: {}.",
                counted(kept as u64, "decision")
            );
            for one in self.carried.values().filter(|one| !one.remark.is_empty()) {
                line!(said, "  not taken over: {}", visible::line(&one.remark));
            }
            for problem in self.gone {
                line!(said, "  not in the new list: {}", visible::line(&problem.to_string()));
            }
        }
        Ok(said)
    }
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
        Verdict::Pair(pair) if pair.exchange.is_some() => "exchanged".to_owned(),
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
        let rows = pairing.rows.iter().filter(|row| {
            row.pair()
                .is_some_and(|pair| pair.grade == grade && pair.exchange.is_none())
        });
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
    let exchanged = pairing
        .rows
        .iter()
        .filter(|row| row.pair().is_some_and(|pair| pair.exchange.is_some()))
        .count();
    if exchanged > 0 {
        line!(
            text,
            "  {:<10}{exchanged:>7}   two cards with each other's number: one line of the list puts both right",
            "exchanged"
        );
    }
    let rejected = pairing.rows.iter().filter(|row| row.rejected.is_some()).count();
    if rejected > 0 {
        line!(text, "  of these rejected by somebody: {rejected}");
    }
    line!(
        text,
        "  people of the sources with a card by number: {}, without: {}",
        pairing.taken.len(),
        pairing.free.len()
    );
    if !pairing.misplaced.is_empty() {
        line!(
            text,
            "  numbers that stand on somebody else's card: {} (cardsync audit names them)",
            pairing.misplaced.len()
        );
    }
    text.push('\n');
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
                if pair.exchange.is_some() {
                    "exchanged"
                } else {
                    pair.grade.word()
                },
                pair.key,
                pair.person.name
            );
            line!(text, "      same {}", agreeing(pair));
            for remark in remarks(pair) {
                line!(text, "      {remark}");
            }
            if let Some(rejected) = &row.rejected {
                line!(
                    text,
                    "      rejected by {} on {}",
                    rejected.by,
                    rejected.at.date_naive()
                );
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
