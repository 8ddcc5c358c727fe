//! Undo: what earlier runs wrote is read from the journal, TOPdesk is read anew, and the way back goes through the guard
//! and the journal like everything else. Sources are not read: the way back asks nobody what people should be.

use crate::core::guard::judge;
use crate::core::memory::decision::{Contact, SeenConfig};
use crate::core::memory::pin::Pin;
use crate::core::model::ids::{ItemId, RunId};
use crate::engine::Source;
use crate::engine::gather::ReadParts;
use crate::engine::groups::read_groups;
use crate::engine::maker::{Made, Making, PlanMaker};
use crate::engine::run::{Planned, RunError};
use crate::engine::settled::SettledRead;
use crate::engine::state::StateReader;
use crate::engine::target::TargetReader;
use crate::tools::undo::{Author, Deed, Kept, Part, part_of, undo};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be undone, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRequest {
    /// The id of a run, or of an item: then the last run that did it.
    pub what: String,
    pub part: Part,
    /// The operating-system user.
    pub by: String,
}

/// A judged way back.
pub struct WayBack {
    pub planned: Planned,
    /// What is not undone, and why.
    pub kept: Vec<Kept>,
    pins: BTreeMap<ItemId, Vec<Pin>>,
}

impl<'a, S: Source + Sync, R: TargetReader> ReadParts<'a, S, R> {
    /// Reads, plans the way back and judges it. Sends nothing but GET and changes no state.
    pub async fn plan_undo(&self, store: &impl StateReader, request: &UndoRequest) -> Result<WayBack, RunError> {
        let deeds = deeds(store, request).await?;
        let parts = self.of_topdesk(&deeds);
        let read = parts.read_settled(store, None).await?;
        Ok(parts.way_back(read, deeds, request, &RunId::new("")).await)
    }

    /// The same parts without the sources, reading every field that these deeds wrote, mapped or not.
    fn of_topdesk(&self, deeds: &[Deed]) -> ReadParts<'a, S, R> {
        let mut wants = self.wants.clone();
        let written = deeds.iter().filter_map(|deed| deed.written.as_ref());
        let fields = written.flat_map(|written| written.change.action.fields());
        wants.fields.extend(fields.map(|change| change.field));
        ReadParts {
            environment: self.environment.clone(),
            policy: self.policy.clone(),
            config: self.config.clone(),
            rules: self.rules.clone(),
            former: self.former,
            zone: self.zone,
            mapping: self.mapping,
            sources: &[],
            reader: self.reader,
            wants,
            protect_query: self.protect_query.clone(),
            clock: self.clock,
            progress: self.progress,
        }
    }

    async fn way_back(&self, read: SettledRead, deeds: Vec<Deed>, request: &UndoRequest, run: &RunId) -> WayBack {
        let mut input = self.input(read.readings, read.remembered, read.open);
        // First contact and changed configurations concern what the sources bring; here a human asks.
        input.contact = Contact {
            seen: Some(SeenConfig {
                config_hash: input.policy.config_hash.clone(),
                decision_version: input.policy.decision_version,
                config: None,
            }),
            ..Contact::default()
        };
        let author = Author {
            by: request.by.clone(),
            run: run.clone(),
        };
        let made = undo(&input, &part_of(deeds, &request.part), &author);
        input.groups = read_groups(self.reader, &made.plan).await;
        let mut judged = judge(made.plan, &input);
        // The list of what needs a human is the sync's.
        judged.concerns.clear();
        WayBack {
            planned: Planned {
                judged,
                input: Arc::new(input),
            },
            kept: made.kept,
            pins: made.pins,
        }
    }
}

impl PlanMaker for UndoRequest {
    type Also = Vec<Kept>;

    fn aside(&self) -> Option<&str> {
        Some(&self.what)
    }

    async fn reads_with<'a, S: Source + Sync, R: TargetReader>(
        &self,
        parts: &ReadParts<'a, S, R>,
        store: &impl StateReader,
    ) -> Result<Option<ReadParts<'a, S, R>>, RunError> {
        Ok(Some(parts.of_topdesk(&deeds(store, self).await?)))
    }

    async fn make<S: Source + Sync, R: TargetReader, T: StateReader>(
        &self,
        making: Making<'_, S, R, T>,
    ) -> Result<Made<Vec<Kept>>, RunError> {
        // Read once more: some of it may just have been settled.
        let deeds = deeds(making.store, self).await?;
        let WayBack { planned, kept, pins } = making.parts.way_back(making.read, deeds, self, making.run).await;
        Ok(Made {
            approved: planned.judged.approved.clone(),
            planned,
            pins,
            decisions: Vec::new(),
            also: kept,
        })
    }

    fn leaves_something(kept: &Vec<Kept>) -> bool {
        kept.iter().any(|one| !one.why.is_done())
    }
}

/// Nothing of that name is in the journal.
#[derive(Debug, thiserror::Error)]
#[error("no run and no item '{0}' wrote anything; a run says its id when it ends, and items carry theirs in brackets")]
pub struct NothingToUndo(pub String);

async fn deeds(store: &impl StateReader, request: &UndoRequest) -> Result<Vec<Deed>, RunError> {
    let deeds = store.deeds(&request.what).await?;
    if deeds.is_empty() {
        return Err(RunError::Refused(NothingToUndo(request.what.clone()).into()));
    }
    Ok(deeds)
}
