//! `rekey review`: a look at what was written. A wrong number whose card has the right address shows in no `verify`, for both
//! keys say the same of it.

use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::progress::Shown as Bars;
use crate::cli::session;
use crate::core::model::ids::CardId;
use crate::core::plan::ActionKind;
use crate::engine::records::{Ended, JournalQuery, RecordsReader};
use crate::present::lines::{Paint, line};
use crate::present::words::counted;
use crate::store::ReadOnlyStore;
use crate::tools::rekey::pairing::{Reviewed, Shown, Written, review};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows of the journal that are read at a time.
const PIECE: u32 = 10_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReviewArgs {
    /// How many pairs without an operator are shown, the weakest evidence first. Those with an operator are shown all.
    #[arg(long, value_name = "NUMBER", default_value_t = 25)]
    sample: usize,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Review as if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

pub(super) async fn show(config: &Path, args: &ReviewArgs) -> anyhow::Result<Exit> {
    let environment = session::environment(config)?;
    let store = session::read_store(&environment).await?;
    let written = written(&store).await?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of.map(|text| session::moment(text, environment.zone()));
    let clock = session::clock(as_of.transpose()?);
    let connected = environment.connect()?;
    let bars = Bars::new();
    let parts = environment.read_parts(&connected, &*clock, &bars);
    let planned = parts.plan(&store).await;
    bars.finish();
    store.close().await;
    let planned = planned?;
    let all = review(&planned.input, &environment.mapping, written);
    let total = all.len();
    let (operators, others): (Vec<Reviewed>, Vec<Reviewed>) = all.into_iter().partition(|one| one.operator.is_linked());
    let sample: Vec<Reviewed> = operators
        .into_iter()
        .chain(others.into_iter().take(args.sample))
        .collect();
    if args.json {
        out::json(&json!({ "written": total, "shown": sample }))?;
    } else {
        out::print(&text(total, &sample, Paint::stdout()));
    }
    Ok(Exit::Done)
}

/// Every number that was written onto a card that had none, or another one, with the card right before.
async fn written(store: &ReadOnlyStore) -> anyhow::Result<Vec<Written>> {
    let mut last: BTreeMap<CardId, Written> = BTreeMap::new();
    let mut after = 0;
    loop {
        let query = JournalQuery {
            after,
            limit: Some(PIECE),
            ..JournalQuery::default()
        };
        let rows = store.journal(&query).await?;
        let Some(newest) = rows.last() else { break };
        after = newest.id;
        for entry in rows {
            let writes_a_number = matches!(entry.action, ActionKind::Adopt | ActionKind::Exchange);
            let done = writes_a_number && entry.ended() == Ended::Done;
            let (Some(key), Some(card), Some(values)) = (entry.key, entry.card, entry.values) else {
                continue;
            };
            let (true, Some(before)) = (done, values.before) else {
                continue;
            };
            let one = Written {
                card: card.clone(),
                key,
                before,
                why: values.change.why,
            };
            last.insert(card, one);
        }
    }
    Ok(last.into_values().collect())
}

fn text(total: usize, sample: &[Reviewed], paint: Paint) -> String {
    let mut text = String::new();
    let title = format!(
        "{} written by cardsync and still there; {} shown: all with an operator, of the others the weakest evidence first",
        counted(total as u64, "number"),
        sample.len()
    );
    line!(text, "{}", paint.strong(&title));
    if total == 0 {
        text.push_str("  What was written before the journal's values were let go of cannot be shown.\n");
    }
    for one in sample {
        let operator = if one.operator.is_linked() { ", operator" } else { "" };
        let grade = one.grade.map_or("nothing but the number", |grade| grade.word());
        line!(text, "  {} on card {}{operator}: {grade}", one.key, one.card);
        line!(text, "      card before    {}", told(&one.shown));
        match &one.person {
            Some(person) => line!(text, "      in the sources {}", told(person)),
            None => line!(text, "      in the sources nobody any more"),
        }
        if let Some(agreement) = &one.agreement {
            let same: Vec<&str> = agreement.same.iter().map(|mark| mark.name()).collect();
            let against = agreement.against.iter().map(|against| against.words());
            let differ = agreement
                .differ
                .iter()
                .map(|mark| mark.name())
                .collect::<Vec<_>>()
                .join(", ");
            let differ = (!differ.is_empty()).then(|| format!("not the same: {differ}"));
            line!(
                text,
                "      same {}",
                if same.is_empty() {
                    "nothing".to_owned()
                } else {
                    same.join(", ")
                }
            );
            for against in differ.iter().map(String::as_str).chain(against) {
                line!(text, "      {against}");
            }
        }
        for why in &one.why {
            line!(text, "      written: {why}");
        }
    }
    if !sample.is_empty() {
        text.push_str(
            "Ask somebody who knows them. A wrong one: cardsync explain NUMBER names the run and the item; cardsync undo ITEM \
             takes the number off again, after an approval.\n",
        );
    }
    text
}

fn told(shown: &Shown) -> String {
    let apart = shown.told_apart_by();
    if apart.is_empty() {
        shown.name.clone()
    } else {
        format!("{} ({apart})", shown.name)
    }
}
