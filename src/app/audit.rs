//! Reads for an audit, wider than for a plan, and looks. Sends nothing but GET.

use super::environment::Environment;
use crate::engine::state::StateReader;
use crate::engine::{Clock, Progress};
use crate::tools::audit::{self, AccountKind, Audit};
use std::collections::BTreeSet;

/// Audits an environment. The state may be empty: nothing in it is needed.
///
/// # Errors
/// When the state or TOPdesk cannot be read; a source that cannot be used is part of the audit.
pub async fn look(
    environment: &Environment,
    store: &impl StateReader,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> anyhow::Result<Audit> {
    let remembered = store.load(clock.now()).await?;
    let connected = environment.connect()?;
    let mut parts = environment.read_parts(&connected, clock, progress);
    parts.wants.fields.extend(audit::more_fields());
    // No name of a list entry is looked up, and nothing is compared with an earlier configuration.
    parts.wants.lookups.clear();
    parts.former = |_| None;
    let readings = parts.read(&remembered).await;
    let details = connected.reader.operator_details(progress).await;
    let surroundings = connected.reader.surroundings(&environment.wants()).await;
    let input = parts.input(readings?, remembered, BTreeSet::new());
    let surroundings = audit::Surroundings {
        account: AccountKind::of(&input.target),
        ..surroundings
    };
    Ok(audit::audit(&input, &environment.mapping, &details?, surroundings))
}
