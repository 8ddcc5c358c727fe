//! `explain`: one person, start to end.

use super::exit::Exit;
use super::other_key::WithOtherKey;
use super::out;
use super::progress::Shown as Bars;
use super::replay::look_for_input;
use super::session;
use crate::app::environment::{Environment, kept_mapping};
use crate::core::model::card::OperatorCard;
use crate::core::model::ids::{CardId, RunId};
use crate::core::model::key::KeyReading;
use crate::core::model::visible;
use crate::core::reads::cards::fold;
use crate::engine::explain::{Explanation, FoundBy, JournalReader, Kept, Subject, explain, find, operators_of, traces};
use crate::engine::run::Planned;
use crate::engine::state::StateReader;
use crate::engine::target::TargetReader;
use crate::mapping::Mapping;
use crate::present::explain::ExplainText;
use crate::present::lines::Paint;
use crate::present::lines::{line, lined};
use crate::store::ReadOnlyStore;
use crate::tools::history::{RunHistory, of_run};
use crate::tools::rekey::both_keys::BothKeys;
use crate::tools::replay::again;
use anyhow::bail;
use clap::Args;
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A key, a card id, an e-mail address, a login (of the person or of the operator), or a name.
    word: String,
    /// Explain a past run from what it had read (`last` for the latest). Asks no server.
    #[arg(long, value_name = "RUN", conflicts_with = "as_of")]
    run: Option<String>,
    /// Explain as if it were another moment, e.g. 2026-03-01.
    #[arg(long, value_name = "DATETIME")]
    as_of: Option<String>,
    /// Explain what would become of somebody if another card field were the key, e.g. `email`; see `plan --key`.
    #[arg(long, value_name = "FIELD[=EXPRESSION]", conflicts_with = "run")]
    key: Option<String>,
    /// Everything as one JSON document: an answer to somebody who asks what is kept about them.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let what_if = args
        .key
        .as_deref()
        .map(|key| super::other_key::load(config, key))
        .transpose()?;
    let own;
    let environment = match &what_if {
        Some(what_if) => &what_if.environment,
        None => {
            own = session::environment(config)?;
            &own
        }
    };
    let store = session::read_store(environment).await?;
    let explained = match &args.run {
        Some(run) => past(environment, &store, run, &args.word).await,
        None => next(environment, &store, args, what_if.as_ref()).await,
    };
    store.close().await;
    let explained = explained?;
    if let Some(what_if) = what_if.as_ref().filter(|_| !args.json) {
        out::print(&what_if.banner(Paint::stdout()));
    }
    match explained {
        Found::One(explanation) if args.json => {
            let mut document = serde_json::to_value(&*explanation)?;
            if let Some(what_if) = &what_if {
                document["what_if"] = serde_json::json!({ "key": what_if.key.card_field.name() });
            }
            out::json(&document)?;
        }
        Found::One(explanation) => {
            let text = ExplainText {
                explanation: &explanation,
                zone: environment.zone(),
                paint: Paint::stdout(),
            };
            out::print(&text.whole());
        }
        Found::Several(subjects) if args.json => {
            out::json(&subjects)?;
        }
        Found::Several(subjects) => out::print(&several(&args.word, &subjects)),
        Found::Recorded(recorded) if args.json => {
            out::json(&*recorded)?;
        }
        Found::Recorded(recorded) => {
            let Recorded { run, history, .. } = &*recorded;
            out::print(
                "What this run had read is no longer kept (the last 3 runs are, for 7 days). This is what was recorded of it:\n",
            );
            out::print(&super::history::one_run(
                run,
                history,
                environment.zone(),
                Paint::stdout(),
            ));
        }
    }
    Ok(Exit::Done)
}

/// Whom a word means.
enum Found {
    One(Box<Explanation>),
    Several(Vec<Subject>),
    /// The run is too long ago to be planned again.
    Recorded(Box<Recorded>),
}

/// What the records of a run have about somebody, where what it read is gone.
#[derive(Serialize)]
struct Recorded {
    run: RunId,
    /// Always false: it tells this document from an explanation.
    input_kept: bool,
    #[serde(flatten)]
    history: RunHistory,
}

/// From a plan that is made now and thrown away.
async fn next(
    environment: &Environment,
    store: &ReadOnlyStore,
    args: &ExplainArgs,
    what_if: Option<&WithOtherKey>,
) -> anyhow::Result<Found> {
    let as_of = args
        .as_of
        .as_deref()
        .map(|text| session::moment(text, environment.zone()));
    let clock = session::clock(as_of.transpose()?);
    let connected = environment.connect()?;
    let bars = Bars::new();
    let planned = match what_if {
        Some(what_if) => {
            let parts = what_if.read_parts(&connected, &*clock, &bars);
            let both = parts.plan_under_both(store, what_if.key.clone()).await;
            both.map(|both| {
                let word = under_other_key(&both, &environment.mapping, &args.word);
                (both.other, word)
            })
        }
        None => {
            let planned = environment.read_parts(&connected, &*clock, &bars).plan(store).await;
            planned.map(|planned| (planned, args.word.clone()))
        }
    };
    bars.finish();
    let (planned, word) = planned?;
    let subject = match whom(&planned, &environment.mapping, &word)? {
        Ok(subject) => subject,
        Err(several) => return Ok(Found::Several(several)),
    };
    let mut kept = kept_about(&planned, store, &subject).await?;
    for operator in operators_of(&planned, &subject) {
        let groups = connected.reader.read_groups_of(&operator).await?;
        kept.groups.insert(operator, groups);
    }
    let explanation = explain(&planned, &environment.mapping, &subject, None, kept);
    Ok(Found::One(Box::new(explanation)))
}

/// The word by which somebody is found under another key: people know each other by the number that is the configured one.
fn under_other_key(both: &BothKeys, mapping: &Mapping, word: &str) -> String {
    let is_found = |word: &str| !find(word, &both.other.input, mapping).is_empty();
    if is_found(word) {
        return word.to_owned();
    }
    let by_number = find(word, &both.configured.input, mapping);
    let [subject] = by_number.as_slice() else {
        return word.to_owned();
    };
    let key = subject.key.as_ref().and_then(|key| both.translation.other(key));
    let words = [
        key.map(ToString::to_string),
        subject.person_id.as_ref().map(ToString::to_string),
    ];
    words
        .into_iter()
        .flatten()
        .find(|other| is_found(other))
        .unwrap_or_else(|| word.to_owned())
}

/// From what a past run had read; from the records of the run where that is gone.
async fn past(environment: &Environment, store: &ReadOnlyStore, run: &str, word: &str) -> anyhow::Result<Found> {
    let input = match look_for_input(store, run)? {
        Ok(input) => input,
        Err(not_kept) => return recorded(environment, store, run, word, not_kept).await,
    };
    let mapping = kept_mapping(&input.header).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let planned = again(&input, &mapping);
    let subject = match whom(&planned, &mapping, word)? {
        Ok(subject) => subject,
        Err(several) => return Ok(Found::Several(several)),
    };
    let kept = kept_about(&planned, store, &subject).await?;
    let explanation = explain(&planned, &mapping, &subject, Some(input.header.run.clone()), kept);
    Ok(Found::One(Box::new(explanation)))
}

/// What the records of a run say about a key or a card.
async fn recorded(
    environment: &Environment,
    store: &ReadOnlyStore,
    run: &str,
    word: &str,
    not_kept: String,
) -> anyhow::Result<Found> {
    let run = RunId::from(run);
    let Some(mut history) = of_run(store, &run).await? else {
        bail!("{not_kept}");
    };
    let key = match environment.key().read(word) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
        KeyReading::None | KeyReading::Anonymized => None,
    };
    let card = CardId::from(word.trim().to_lowercase());
    history.items.retain(|item| {
        let by_key = key.is_some() && item.key == key;
        by_key || item.person_id.as_ref() == Some(&card)
    });
    if history.items.is_empty() {
        bail!(
            "what run {run} had read is no longer kept, and its records have nothing about '{}': nothing was written and nothing \
             new was held; records know keys and card ids, not addresses and logins",
            visible::line(word)
        );
    }
    Ok(Found::Recorded(Box::new(Recorded {
        run,
        input_kept: false,
        history,
    })))
}

/// The one person that a word means, or several.
fn whom(planned: &Planned, mapping: &Mapping, word: &str) -> anyhow::Result<Result<Subject, Vec<Subject>>> {
    let mut subjects = find(word, &planned.input, mapping);
    match subjects.len() {
        0 => bail!("{}", nobody(word, &planned.input.target.operators)),
        1 => Ok(Ok(subjects.remove(0))),
        _several => Ok(Err(subjects)),
    }
}

/// Nobody answers to a word; an operator without a person card may.
fn nobody(word: &str, operators: &[OperatorCard]) -> String {
    let wanted = fold(word);
    let named = |operator: &&OperatorCard| operator.login_name.as_ref().is_some_and(|login| fold(login) == wanted);
    let shown = visible::line(word);
    match operators.iter().find(named) {
        Some(operator) => format!(
            "'{shown}' is operator {}, who has no person card: cardsync has nothing to do with it",
            operator.id
        ),
        None => format!(
            "nobody is called '{shown}': no card, no record and nothing remembered has this key, card id, e-mail address, login \
             or name"
        ),
    }
}

/// What the store remembers of somebody.
async fn kept_about(planned: &Planned, store: &ReadOnlyStore, subject: &Subject) -> anyhow::Result<Kept> {
    let (cards, keys) = traces(planned, subject);
    Ok(Kept {
        holds: store.holds().await?,
        decisions: store.decisions().await?,
        journal: store.journal_about(&cards, &keys).await?,
        ..Kept::default()
    })
}

fn several(word: &str, subjects: &[Subject]) -> String {
    let mut text = lined!(
        "'{}' means {} people; explain one of them by key or card id:",
        visible::line(word),
        subjects.len()
    );
    const MOST_SHOWN: usize = 25;
    for subject in subjects.iter().take(MOST_SHOWN) {
        let key = subject.key.as_ref().map_or("no key", |key| key.as_str());
        let card = subject.person_id.as_ref().map_or("no card", |card| card.as_str());
        let name = subject.name.as_deref().unwrap_or_default();
        let by = match subject.found_by {
            FoundBy::CardId => "card id",
            FoundBy::Key => "key",
            FoundBy::FormerKey => "former key",
            FoundBy::Email => "e-mail",
            FoundBy::Login => "login",
            FoundBy::Operator => "operator",
            FoundBy::Name => "name",
        };
        line!(text, "  {key} {name} ({card}), by {by}");
    }
    if subjects.len() > MOST_SHOWN {
        line!(
            text,
            "  ... and {} more; say more of the name",
            subjects.len() - MOST_SHOWN
        );
    }
    text
}
