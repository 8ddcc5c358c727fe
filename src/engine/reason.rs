//! The archiving reason: where TOPdesk has no such entry, what needs it is not sent.

use crate::core::guard::ApprovedPlan;
use crate::core::input::PlanInput;
use crate::core::plan::report::{ChangeOutcome, Outcome};
use crate::core::plan::{Action, Change};

/// Archives that lack their configured reason are not sent at all.
pub(super) fn without_reason(
    approved: ApprovedPlan,
    input: &PlanInput,
    wanted: &Option<String>,
) -> (ApprovedPlan, Vec<ChangeOutcome>) {
    let Some(name) = wanted.as_ref().filter(|_| input.target.archiving_reason.is_none()) else {
        return (approved, Vec::new());
    };
    let is_archive = |change: &Change| match &change.action {
        // An anonymization may have to archive the card again.
        Action::Archive { .. } | Action::Merge { .. } | Action::Anonymize { .. } => true,
        // Whoever wakes and was not to is archived again.
        Action::Unarchive { operators } => !operators.keeps().is_empty(),
        Action::CreateEntry { .. }
        | Action::Create { .. }
        | Action::Update { .. }
        | Action::Adopt { .. }
        | Action::Exchange { .. }
        | Action::SetReferences { .. } => false,
    };
    let refused = approved
        .changes()
        .iter()
        .map(|approved| approved.change())
        .filter(|change| is_archive(change))
        .map(|change| ChangeOutcome {
            item: change.id.clone(),
            action: change.action.kind(),
            key: change.key.clone(),
            card: change.card.clone(),
            operators: Vec::new(),
            outcome: Outcome::NotDone {
                message: format!(
                    "TOPdesk has no archiving reason '{name}'; add it there, or correct topdesk.archiving_reason"
                ),
            },
        })
        .collect();
    (approved.keep(|change| !is_archive(change)), refused)
}
