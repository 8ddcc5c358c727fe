//! Undo: what earlier runs wrote is read from the journal, TOPdesk is read anew, and the way back goes through the guard
//! and the journal like everything else. Sources are not read: the way back asks nobody what people should be.

use super::Source;
use super::gather::ReadParts;
use super::groups::read_groups;
use super::reason::without_reason;
use super::run::{Planned, RunError, Through, WriteParts};
use super::settled::{Aside, SettledRead};
use super::state::{Learned, RunLease, StateReader, StateWriter};
use super::stopping::unless_stopped;
use super::target::{TargetReader, TargetWriter};
use crate::domain::decision::{Contact, SeenConfig};
use crate::domain::guard::judge;
use crate::domain::ids::{ItemId, RunId};
use crate::domain::pin::{Pin, with_new};
use crate::domain::report::RunReport;
use crate::domain::undo::{Author, Deed, Kept, Part, part_of, undo};
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

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Reads, plans the way back and judges it. Sends nothing but GET and changes no state.
    pub async fn plan_undo(&self, store: &impl StateReader, request: &UndoRequest) -> Result<WayBack, RunError> {
        let deeds = deeds(store, request).await?;
        let parts = self.of_topdesk(&deeds);
        let read = parts.read_settled(store, None).await?;
        Ok(parts.way_back(read, deeds, request, &RunId::new("")).await)
    }

    /// The same parts without the sources, reading every field that these deeds wrote, mapped or not.
    fn of_topdesk(&self, deeds: &[Deed]) -> ReadParts<'_, S, R> {
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

    /// Plans, judges and applies the way back. The caller has the lease.
    pub(super) async fn undo_through<W: TargetWriter, T: StateWriter>(
        &self,
        parts: &WriteParts<'_, W, T>,
        lease: &RunLease,
        request: &UndoRequest,
        report: &mut RunReport,
    ) -> Result<Through, RunError> {
        let store = parts.store;
        let quiet = self.of_topdesk(&deeds(store, request).await?);
        let (read, recovered) = Box::pin(quiet.settle_to_write(parts, lease)).await?;
        let hasher = read.remembered.hasher.clone();
        let earlier_holds = store.holds().await?;
        // Once more: some of it may just have been settled.
        let deeds = deeds(store, request).await?;
        let way = quiet.way_back(read, deeds, request, lease.run());
        let way = unless_stopped(parts.stop, way).await.ok_or(RunError::Stopped)?;
        let WayBack { planned, kept, pins } = way;
        let Planned { judged, input } = &planned;
        report.plan_id = Some(judged.plan.id.clone());
        let (approved, unreasoned) = without_reason(judged.approved.clone(), input, &quiet.wants.archiving_reason);
        // Before anything is sent: an undo that is cut off must not leave the sync a way to do it all again. A pin on what
        // was not undone after all goes with the next whole run.
        let new: Vec<Pin> = approved
            .changes()
            .iter()
            .filter_map(|approved| pins.get(&approved.change().id))
            .flatten()
            .cloned()
            .collect();
        let standing = with_new(&input.pins, &new);
        let learned = Learned {
            pins: (!new.is_empty()).then_some(standing.as_slice()),
            ..Learned::default()
        };
        store.learn(lease, learned, self.clock.now()).await?;
        let applier = quiet.applier(parts, lease, input, input.ledger.clone(), &hasher);
        let mut outcomes = applier.apply(&approved).await?;
        outcomes.extend(unreasoned);
        outcomes.extend(recovered);
        let aside = Aside {
            what: &request.what,
            stopped_by: applier.stopped_by(),
            planned,
            outcomes,
            earlier_holds: &earlier_holds,
            kept,
        };
        quiet.end_aside(store, lease, aside, report).await
    }
}

async fn deeds(store: &impl StateReader, request: &UndoRequest) -> Result<Vec<Deed>, RunError> {
    let deeds = store.deeds(&request.what).await?;
    if deeds.is_empty() {
        return Err(RunError::NothingToUndo(request.what.clone()));
    }
    Ok(deeds)
}
