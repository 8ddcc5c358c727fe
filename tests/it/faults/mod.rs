//! What goes wrong between the first read and the last outcome, and that later runs come to the same end.

mod anonymizations;
mod clocks;
mod exchanges;
mod half_way;
mod installations;
mod kills;
mod limits;
mod neighbours;
mod operators;
mod outage;
mod process;
mod reads;
mod rights;
mod stops;
mod switches;
mod twins;
mod walk;
mod writes;

use crate::support::company::{Company, done, today};
use cardsync::core::plan::ActionKind;
use cardsync::core::plan::report::RunVerdict;
use serde_json::json;

#[tokio::test]
async fn the_day_has_every_kind_of_change_and_an_empty_second_run() {
    let company = Company::open(&[]).await;
    let first = company.run(today()).await.unwrap();
    let done = done(&first);
    for (kind, count) in [
        (ActionKind::CreateEntry, 1),
        (ActionKind::Unarchive, 2),
        (ActionKind::Create, 2),
        (ActionKind::Adopt, 1),
        (ActionKind::Archive, 2),
    ] {
        assert_eq!(done.get(&kind), Some(&count), "{kind}");
    }
    assert!(
        done[&ActionKind::Update] >= 2 && done[&ActionKind::SetReferences] >= 2,
        "{done:?}"
    );
    assert_eq!(
        first.report.verdict,
        Some(RunVerdict::Clean),
        "an answered alternative waits no longer"
    );
    assert_eq!(company.effects(), company.journal().await);
    company.settle(today()).await;
    assert_eq!(company.duplicates(), json!([]));
}
