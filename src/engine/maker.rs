//! A maker of plans: the sync, an undo, the writing of keys. What comes before it (settling what was left open) and after it
//! (sending, remembering, telling) is the same for all, see [`super::run`].

use super::Source;
use super::gather::ReadParts;
use super::planned::Planned;
use super::run::RunError;
use super::settled::SettledRead;
use super::state::StateReader;
use super::target::TargetReader;
use crate::core::guard::ApprovedPlan;
use crate::core::memory::decision::Decision;
use crate::core::memory::pin::Pin;
use crate::core::model::ids::{ItemId, RunId};
use crate::core::plan::report::ChangeOutcome;
use crate::core::plan::view::{ChangeView, PlanView};
use std::collections::BTreeMap;
use std::future::Future;

/// What a plan is made from.
pub struct Making<'a, S, R, T> {
    pub parts: &'a ReadParts<'a, S, R>,
    pub store: &'a T,
    pub read: SettledRead,
    pub run: &'a RunId,
    /// What earlier runs had left half-way, and what became of it just now.
    pub recovered: &'a [ChangeOutcome],
}

/// A judged plan, and what is to be on disk before the first request of it leaves.
pub struct Made<A> {
    pub planned: Planned,
    /// What is carried out of what may pass.
    pub approved: ApprovedPlan,
    /// By item: so that the sync does not do again what this item takes back, however the run ends.
    pub pins: BTreeMap<ItemId, Vec<Pin>>,
    /// What whoever asked decided by asking. Kept with what they are about.
    pub decisions: Vec<Decision>,
    pub also: A,
}

/// Makes plans of one kind. It decides nothing of what may pass: that is the guard's.
pub trait PlanMaker: Send + Sync {
    /// What is told of a run beside what every run tells.
    type Also: Default + Send;

    /// Whether it looks at everybody: then absence is counted, and what was seen is remembered.
    fn is_whole(&self) -> bool {
        false
    }

    /// The name under which what it holds is kept beside what the sync holds; `None`: it is the sync.
    fn aside(&self) -> Option<&str> {
        None
    }

    /// The parts to read with, where it needs others than those of the environment.
    fn reads_with<'a, S: Source + Sync, R: TargetReader>(
        &self,
        _parts: &ReadParts<'a, S, R>,
        _store: &impl StateReader,
    ) -> impl Future<Output = Result<Option<ReadParts<'a, S, R>>, RunError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Plans and judges. Sends nothing but GET and changes no state.
    fn make<S: Source + Sync, R: TargetReader, T: StateReader>(
        &self,
        making: Making<'_, S, R, T>,
    ) -> impl Future<Output = Result<Made<Self::Also>, RunError>> + Send;

    /// Whether whoever asked for all of it is left with something that is not done.
    fn leaves_something(_also: &Self::Also) -> bool {
        false
    }
}

/// How much of the sync a run does.
pub enum Scope {
    /// A whole run: it counts absence and remembers what it saw.
    Whole,
    /// Only what is also in this saved plan, unchanged. Counts nothing.
    Selected(Box<PlanView>),
    /// Only this person, by the key as somebody types it. Counts nothing.
    Only(String),
}

impl PlanMaker for Scope {
    type Also = ();

    fn is_whole(&self) -> bool {
        matches!(self, Scope::Whole)
    }

    async fn make<S: Source + Sync, R: TargetReader, T: StateReader>(
        &self,
        making: Making<'_, S, R, T>,
    ) -> Result<Made<()>, RunError> {
        let planned = making.parts.planned(making.read).await;
        let planned = match self {
            Scope::Whole | Scope::Selected(_) => planned,
            Scope::Only(key) => planned.only(key)?,
        };
        let approved = planned.judged.approved.clone();
        let approved = match self {
            // Of one person: the plan was narrowed before.
            Scope::Whole | Scope::Only(_) => approved,
            Scope::Selected(saved) => selected(approved, saved),
        };
        Ok(Made {
            planned,
            approved,
            pins: BTreeMap::new(),
            decisions: Vec::new(),
            also: (),
        })
    }
}

/// A plan file selects, it never supplies: an item passes when the fresh plan has it with the same content.
fn selected(approved: ApprovedPlan, saved: &PlanView) -> ApprovedPlan {
    let saved: BTreeMap<&ItemId, &ChangeView> = saved.changes.iter().map(|change| (&change.id, change)).collect();
    approved.keep(|change| {
        let now = ChangeView::new(change, &[]);
        saved.get(&change.id).is_some_and(|then| {
            then.action == now.action
                && then.key == now.key
                && then.person_id == now.person_id
                && then.fields == now.fields
        })
    })
}
