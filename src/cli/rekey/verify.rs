//! `rekey verify`: the proof that the old and the new key say the same, or a signature under what they do not.

use crate::cli::exit::Exit;
use crate::cli::other_key;
use crate::cli::out;
use crate::cli::progress::Shown as Bars;
use crate::cli::{approver, session};
use crate::core::memory::decision::{Answer, Decision};
use crate::core::model::ids::ItemId;
use crate::core::model::visible;
use crate::core::plan::ActionKind;
use crate::engine::state::{StateReader, StateWriter};
use crate::present::difference::{Plans, difference_text};
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::counted;
use crate::tools::rekey::both_keys::BothKeys;
use anyhow::bail;
use chrono::Utc;
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// What a signature waives: the reason by which it stands in the log of decisions.
const SIGNED: &str = "key_difference";

/// What no comparison of two keys can show.
const REVIEW: &str = "A wrong number on a card whose address is the right one cannot show here, for both keys agree on it: look at \
                      a sample with cardsync rekey review.\n";

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The old key: a card field, e.g. `email`, or with an expression as in `--old "tasLoginName={{ ad.sAMAccountName }}"`.
    #[arg(long, value_name = "FIELD[=EXPRESSION]")]
    old: String,
    /// Sign off the difference with this mark, as it was shown: you have looked at every line of it. Another difference has
    /// another mark. Refused while creations or archives differ.
    #[arg(long, value_name = "MARK", requires = "note")]
    sign: Option<String>,
    /// Why it is right so, for the log: what was looked at, and with whom.
    #[arg(long, requires = "sign")]
    note: Option<String>,
    /// Of a hundred people who work here so many must be found by each key, or the plans prove nothing.
    #[arg(long, value_name = "PERCENT", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=100))]
    floor: u64,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Show every line, however many.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Verify as if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
}

pub(super) async fn verify(config: &Path, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let asked = other_key::load(config, &args.old)?;
    let environment = &asked.environment;
    environment.refuse_changing_key()?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of.map(|text| session::moment(text, environment.zone()));
    let clock = session::clock(as_of.transpose()?);
    let store = session::read_store(environment).await?;
    let connected = environment.connect()?;
    let bars = Bars::new();
    let both = asked
        .read_parts(&connected, &*clock, &bars)
        .plan_under_both(&store, asked.key.clone())
        .await;
    bars.finish();
    let signed = signature(&store, both.as_ref().ok().map(|both| &both.difference.id)).await;
    store.close().await;
    let (both, mut signed) = (both?, signed?);
    if let Some(unusable) = unusable(&both) {
        bail!("{unusable} could not be used, so the plans prove nothing: mend that and verify again");
    }
    let floor = under_floor(&both, args.floor);
    if let Some(mark) = &args.sign {
        if let Some(floor) = &floor {
            bail!("nothing was signed: {floor}");
        }
        let note = args.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
        let Some(note) = note else {
            bail!("nothing was signed: --note says what was looked at, and with whom");
        };
        if let Some(grave) = grave_differences(&both) {
            bail!("nothing was signed: {grave}");
        }
        if mark != both.difference.id.as_str() {
            bail!(
                "nothing was signed: the difference is now {}, not {mark}; look at it again, then sign that mark",
                both.difference.id
            );
        }
        let decision = Decision {
            item: both.difference.id.clone(),
            answer: Answer::Approve,
            waives: BTreeSet::from([SIGNED.to_owned()]),
            by: approver::operating_system_user(),
            at: Utc::now(),
            // It is bound to the content, and that does not age.
            until: None,
            note: Some(note.to_owned()),
            about: Default::default(),
        };
        let store = session::write_store(environment).await?;
        let kept = store.decide(std::slice::from_ref(&decision)).await;
        store.close().await;
        kept?;
        signed = Some(decision);
    }
    let same = both.difference.plans.is_empty();
    if args.json {
        let mut document = asked.document(&both);
        document["same"] = json!(same);
        document["signed"] = json!(signed);
        document["finds"] = json!(both.coverages);
        out::json(&document)?;
    } else {
        out::print(&text(&both, signed.as_ref(), floor.as_deref(), args));
    }
    if let Some(floor) = floor {
        bail!("{floor}");
    }
    Ok(if same || signed.is_some() {
        Exit::Done
    } else {
        Exit::Held
    })
}

/// The signature under a difference, if there is one.
async fn signature(store: &impl StateReader, id: Option<&ItemId>) -> anyhow::Result<Option<Decision>> {
    let decisions = store.load(Utc::now()).await?.decisions;
    let decision = id.and_then(|id| decisions.get(id));
    Ok(decision.filter(|decision| decision.answer == Answer::Approve).cloned())
}

/// A read that leaves part of the company out of both plans: what is in neither is in no difference.
fn unusable(both: &BothKeys) -> Option<String> {
    let input = &both.configured.input;
    let source = input.snapshots.iter().find(|snapshot| snapshot.is_rejected());
    source.map(|snapshot| format!("source {}", snapshot.summary.name))
}

/// A key that finds hardly anybody: what it does not find it cannot say anything of, and two that find nobody agree in all.
fn under_floor(both: &BothKeys, floor: u64) -> Option<String> {
    let fields = (
        both.configured.input.policy.key.card_field,
        both.other.input.policy.key.card_field,
    );
    let finds = [(fields.0, both.coverages.configured), (fields.1, both.coverages.other)];
    let (field, found) = finds.into_iter().find(|(_, found)| !found.reaches(floor))?;
    Some(format!(
        "{field} finds one active card for {}, and fewer than {floor} % prove nothing; write the numbers first, let the first \
         cardsync run write the addresses, then verify again (--floor PERCENT where so many have none)",
        found.words()
    ))
}

/// Creations and archives that only one key would do: a second card, or somebody who works here archived. No signature covers
/// them.
fn grave_differences(both: &BothKeys) -> Option<String> {
    let plans = &both.difference.plans;
    let changed = plans.changed.iter().map(|item| &item.after);
    let items = plans.added.iter().chain(&plans.removed).chain(changed);
    let of = |kind: ActionKind| items.clone().filter(|item| item.action == kind).count() as u64;
    let (creations, archives) = (of(ActionKind::Create), of(ActionKind::Archive));
    (creations + archives > 0).then(|| {
        format!(
            "{} and {} are under one key only; let the first cardsync run write what the sources say beside the numbers (what is \
             doubtful waits), then verify again",
            counted(creations, "creation"),
            counted(archives, "archive")
        )
    })
}

fn text(both: &BothKeys, signed: Option<&Decision>, floor: Option<&str>, args: &VerifyArgs) -> String {
    let paint = Paint::stdout();
    let input = &both.configured.input;
    let (new, old) = (input.policy.key.card_field, both.other.input.policy.key.card_field);
    let at = input
        .moment
        .now
        .with_timezone(&input.moment.zone)
        .format("%Y-%m-%d %H:%M %Z");
    let mut text = format!(
        "{}\n",
        paint.strong(&format!("From {old} to {new} for {} at {at}", input.environment))
    );
    let finds = both.coverages;
    line!(text, "  {new} finds one active card for {}", finds.configured.words());
    line!(text, "  {old} finds one active card for {}", finds.other.words());
    let plans = &both.difference.plans;
    if plans.is_empty() && floor.is_some() {
        line!(
            text,
            "  No difference: {} alike under both keys",
            counted(plans.same, "item")
        );
        return text;
    }
    if plans.is_empty() {
        text.push_str(&format!(
            "{}\n",
            paint.good(&format!(
                "No difference: {} alike under both keys. The way to {new} is done.",
                counted(plans.same, "item")
            ))
        ));
        text.push_str(REVIEW);
        return text;
    }
    line!(text, "  'added' is only under {new}, 'removed' only under {old}");
    text.push_str(&difference_text(plans, Plans::NotJudged, paint, args.all));
    let id = &both.difference.id;
    match signed {
        Some(decision) => text.push_str(&format!(
            "\nSigned off by {} on {}: {}. The way to {new} is done.\n{REVIEW}",
            decision.by,
            decision.at.with_timezone(&input.moment.zone).format("%Y-%m-%d %H:%M %Z"),
            visible::line(decision.note.as_deref().unwrap_or("no note"))
        )),
        None if floor.is_some() => text.push('\n'),
        None if grave_differences(both).is_some() => text.push_str(&format!(
            "\nNot done yet: {}.\n",
            grave_differences(both).unwrap_or_default()
        )),
        None => text.push_str(&format!(
            "\nNot done yet. Look at every line; mend what is wrong, and where the rest is right so: cardsync rekey verify --old \
             '{}' --sign {id} --note TEXT\n",
            args.old
        )),
    }
    text
}
