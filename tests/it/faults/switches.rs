//! The day under each value of each switch of the look-alike, alone and in pairs: whatever the real product does, the end
//! is the one that belongs to it.

use crate::support::company::{Company, Picture, done, today};
use cardsync::core::plan::ActionKind;
use cardsync::engine::run::RunError;
use serde_json::json;
use std::collections::BTreeSet;
use topdesk_sandbox::SWITCHES;

pub(super) type Setting = (&'static str, &'static str);

/// Values of switches that take a free one.
const FREE: &[Setting] = &[
    ("product_version", "16.06.006"),
    ("product_version", "16.06.007"),
    ("operator_filter", "Nobody"),
    ("category_filter", "Hardware"),
    ("latency_ms", "3"),
    ("clock_minutes", "5"),
];

/// Switches that keep people from being written at all; each has a test of its own.
const APART: &[&str] = &["persons_v2", "password_mandatory", "branch_filter", "rights"];

/// Every value but the default of every other switch.
pub(super) fn settings() -> Vec<Setting> {
    let mut all = Vec::new();
    for switch in SWITCHES.iter().filter(|switch| !APART.contains(&switch.name)) {
        let closed = switch.values[1..].iter().filter(|value| !value.starts_with('<'));
        all.extend(closed.map(|value| (switch.name, *value)));
        let free = FREE.iter().filter(|(name, _)| *name == switch.name);
        assert!(
            free.clone().next().is_some() || !switch.values.iter().any(|value| value.starts_with('<')),
            "{}",
            switch.name
        );
        all.extend(free);
    }
    all
}

async fn play(settings: &[Setting]) -> Picture {
    let company = Company::open(settings).await;
    if settings.contains(&("manager_flag", "needed")) {
        company.reconfigure("timeout: 20s", "timeout: 20s\n  manager_flag: true");
        company.approve(today()).await;
    }
    company.run(today()).await.unwrap();
    company.settle(today()).await;
    assert_eq!(company.duplicates(), json!([]), "{settings:?}");
    assert_eq!(
        company.effects(),
        company.journal().await,
        "lost outcomes: {settings:?}"
    );
    company.picture()
}

/// What the usual end becomes under these settings.
fn expected(usual: &Picture, settings: &[Setting]) -> Picture {
    let is = |setting| settings.contains(&setting);
    let alone = is(("product_version", "16.06.006"));
    let hidden = is(("operator_filter", "Nobody"));
    let mut lines: Picture = usual
        .iter()
        .filter(|line| !(is(("department_mode", "text")) && line.as_str() == "departments: Projects"))
        .map(|line| match line.as_str() {
            // Who is not seen cannot be archived by a request of its own.
            "operators: OPDEKKER|Dekker|operatorArchived" if alone && hidden => {
                "operators: OPDEKKER|Dekker|operator".to_owned()
            }
            // Archived by a request of its own, and such a version wakes nobody with the card.
            "operators: OPBOS|Bos|operator" if alone && !hidden => "operators: OPBOS|Bos|operatorArchived".to_owned(),
            "operators: OPBOS|Bos|operator" if is(("unarchive_restores_operator", "no")) && !alone => {
                "operators: OPBOS|Bos|operatorArchived".to_owned()
            }
            other => other.to_owned(),
        })
        .collect();
    lines.sort();
    lines
}

/// The lines that differ.
fn difference(settings: &[Setting], is: &Picture, should: &Picture) -> String {
    let less = should
        .iter()
        .filter(|line| !is.contains(line))
        .map(|line| format!("  - {line}"));
    let more = is
        .iter()
        .filter(|line| !should.contains(line))
        .map(|line| format!("  + {line}"));
    format!("{settings:?}\n{}", less.chain(more).collect::<Vec<_>>().join("\n"))
}

async fn usual() -> Picture {
    let usual = play(&[]).await;
    assert!(
        usual.contains(&"operators: OPDEKKER|Dekker|operatorArchived".to_owned()),
        "{usual:#?}"
    );
    assert!(usual.contains(&"operators: OPBOS|Bos|operator".to_owned()));
    assert!(usual.contains(&"departments: Projects".to_owned()));
    usual
}

#[tokio::test]
async fn each_value_alone() {
    let usual = usual().await;
    let all = settings();
    assert!(all.len() >= 20, "{all:?}");
    let mut wrong = Vec::new();
    for setting in all {
        let (picture, expected) = (play(&[setting]).await, expected(&usual, &[setting]));
        wrong.extend((picture != expected).then(|| difference(&[setting], &picture, &expected)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Few combinations in which every two values of different switches meet, defaults included. Greedy, and always the same.
fn pairs() -> Vec<Vec<Setting>> {
    let mut switches: Vec<Vec<Setting>> = Vec::new();
    for switch in SWITCHES.iter().filter(|switch| !APART.contains(&switch.name)) {
        let others = settings().into_iter().filter(|(name, _)| *name == switch.name);
        switches.push(std::iter::once((switch.name, switch.values[0])).chain(others).collect());
    }
    let mut left: BTreeSet<(Setting, Setting)> = BTreeSet::new();
    for (n, first) in switches.iter().enumerate() {
        for second in &switches[n + 1..] {
            left.extend(first.iter().flat_map(|a| second.iter().map(move |b| (*a, *b))));
        }
    }
    let mut rows = Vec::new();
    while let Some(seed) = left.first().copied() {
        let mut row: Vec<Setting> = vec![seed.0, seed.1];
        for values in switches
            .iter()
            .filter(|values| values[0].0 != seed.0.0 && values[0].0 != seed.1.0)
        {
            let gain = |value: &&Setting| {
                row.iter()
                    .filter(|it| left.contains(&(**it, **value)) || left.contains(&(**value, **it)))
                    .count()
            };
            let best = *values.iter().max_by_key(gain).unwrap();
            row.push(best);
        }
        left.retain(|(a, b)| !(row.contains(a) && row.contains(b)));
        row.retain(|(name, value)| {
            SWITCHES
                .iter()
                .all(|switch| switch.name != *name || switch.values[0] != *value)
        });
        rows.push(row);
    }
    rows
}

#[tokio::test]
async fn every_two_values_together() {
    let usual = usual().await;
    let rows = pairs();
    println!("{} combinations", rows.len());
    assert!(rows.len() < 30);
    let mut wrong = Vec::new();
    for row in rows {
        let (picture, expected) = (play(&row).await, expected(&usual, &row));
        wrong.extend((picture != expected).then(|| difference(&row, &picture, &expected)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_old_product_is_told_and_nothing_is_written() {
    let company = Company::open(&[]).await;
    company.sandbox.set("persons_v2", "missing").unwrap();
    let error = company.run(today()).await.map(|it| it.report).unwrap_err();
    assert!(
        matches!(&error, RunError::Target(error) if error.status == Some(406)),
        "{error}"
    );
    assert!(company.effects().is_empty());
}

#[tokio::test]
async fn mandatory_passwords_stop_creations_only() {
    let company = Company::open(&[]).await;
    company.sandbox.set("password_mandatory", "on").unwrap();
    let finished = company.run(today()).await.unwrap();
    let done = done(&finished);
    assert!(!done.contains_key(&ActionKind::Create));
    assert!(
        done.contains_key(&ActionKind::Archive) && done.contains_key(&ActionKind::Unarchive),
        "{done:?}"
    );
    assert!(company.sandbox.requests("POST /persons") <= 2);
}

#[tokio::test]
async fn a_branch_filter_creates_and_archives_nobody() {
    let company = Company::open(&[]).await;
    company.sandbox.set("branch_filter", "Delft").unwrap();
    let finished = company.run(today()).await.unwrap();
    let done = done(&finished);
    for kind in [
        ActionKind::Create,
        ActionKind::Archive,
        ActionKind::Unarchive,
        ActionKind::Adopt,
    ] {
        assert!(!done.contains_key(&kind), "{kind}: {done:?}");
    }
    assert_eq!(company.duplicates(), json!([]));
    company.sandbox.set("branch_filter", "").unwrap();
    company.settle(today()).await;
    assert_eq!(company.picture(), usual().await);
}
