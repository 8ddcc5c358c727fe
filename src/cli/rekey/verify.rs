//! `rekey verify`: the proof that the old and the new key say the same, or a signature under what they do not.

use crate::cli::exit::Exit;
use crate::cli::other_key;
use crate::cli::out::line;
use crate::cli::out::{self, Paint};
use crate::cli::progress::Shown as Bars;
use crate::cli::replay::{Plans, difference_text};
use crate::cli::words::counted;
use crate::cli::{approver, session};
use crate::config::policy::zone;
use crate::domain::decision::{Answer, Decision};
use crate::domain::ids::ItemId;
use crate::engine::other_key::BothKeys;
use crate::engine::state::{StateReader, StateWriter};
use anyhow::bail;
use chrono::Utc;
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// What a signature waives: the reason by which it stands in the log of decisions.
const SIGNED: &str = "key_difference";

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The old key: a card field, e.g. `email`, or with an expression as in `--old "tasLoginName={{ ad.sAMAccountName }}"`.
    #[arg(long, value_name = "FIELD[=EXPRESSION]")]
    old: String,
    /// Sign off the difference with this mark, as it was shown: you have looked at every line of it. Another difference has
    /// another mark.
    #[arg(long, value_name = "MARK")]
    sign: Option<String>,
    /// Why it is right so, for the log.
    #[arg(long, requires = "sign")]
    note: Option<String>,
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
    session::refuse_changing_key(environment)?;
    let as_of = args.as_of.as_deref();
    let as_of = as_of.map(|text| session::moment(text, zone(environment.config())));
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
    if let Some(mark) = &args.sign {
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
            note: args.note.clone(),
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
        out::json(&document)?;
    } else {
        out::print(&text(&both, signed.as_ref(), args));
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

fn text(both: &BothKeys, signed: Option<&Decision>, args: &VerifyArgs) -> String {
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
    let plans = &both.difference.plans;
    if plans.is_empty() {
        text.push_str(&format!(
            "{}\n",
            paint.good(&format!(
                "No difference: {} alike under both keys. The way to {new} is done.",
                counted(plans.same, "item")
            ))
        ));
        return text;
    }
    line!(text, "  'added' is only under {new}, 'removed' only under {old}");
    text.push_str(&difference_text(plans, Plans::NotJudged, paint, args.all));
    let id = &both.difference.id;
    match signed {
        Some(decision) => text.push_str(&format!(
            "\nSigned off by {} on {}. The way to {new} is done.\n",
            decision.by,
            decision.at.with_timezone(&input.moment.zone).format("%Y-%m-%d %H:%M %Z")
        )),
        None => text.push_str(&format!(
            "\nNot done yet. Look at every line; mend what is wrong, and where the rest is right so: cardsync rekey verify --old \
             '{}' --sign {id} --note TEXT\n",
            args.old
        )),
    }
    text
}
