//! The second account: it is loaded only when an approved item that touches an operator is applied, so that the everyday
//! account needs no archive right on operators and TOPdesk itself refuses the accident (RULES 6.3).

use super::Applier;
use crate::core::guard::ApprovedChange;
use crate::core::plan::{Action, Change, OperatorFate, Step};
use crate::engine::target::TargetError;
use std::sync::OnceLock;

/// Makes the second account's writer when it is first needed, and keeps it for the run.
pub struct OperatorAccount<'a, W> {
    connect: Box<dyn Fn() -> Result<W, TargetError> + Send + Sync + 'a>,
    writer: OnceLock<Result<W, TargetError>>,
}

impl<'a, W> OperatorAccount<'a, W> {
    /// `connect` reads the secret and prepares the connections; it is called once at most.
    pub fn new(connect: impl Fn() -> Result<W, TargetError> + Send + Sync + 'a) -> Self {
        Self {
            connect: Box::new(connect),
            writer: OnceLock::new(),
        }
    }

    fn writer(&self) -> Result<&W, &TargetError> {
        self.writer.get_or_init(|| (self.connect)()).as_ref()
    }
}

impl<'a, R, W, S> Applier<'a, R, W, S> {
    /// The account that sends a change: the second one only where a human approved an item that takes an operator along,
    /// wakes one, or writes to one.
    pub(super) fn writer_of(&self, approved: &ApprovedChange) -> Result<&'a W, &'a TargetError> {
        let change = approved.change();
        let touches = approved.approved_by().is_some() && moves_operators(change);
        match self.operator_account {
            Some(account) if touches => account.writer(),
            Some(_) | None => Ok(self.writer),
        }
    }

    /// The account that sends one request of a change. A request to an operator itself always goes through the second one,
    /// approved by name or not: it wakes whom an approval named, or puts somebody back to sleep.
    pub(super) fn sender_of<'w>(&self, step: &Step, writer: &'w W) -> Result<&'w W, &'a TargetError>
    where
        'a: 'w,
    {
        match self.operator_account {
            Some(account) if step.operator().is_some() => account.writer(),
            Some(_) | None => Ok(writer),
        }
    }

    /// The account for what takes operators along on the way to a safe end.
    pub(super) fn last_resort_writer(&self) -> Result<&'a W, &'a TargetError> {
        match self.operator_account {
            Some(account) => account.writer(),
            None => Ok(self.writer),
        }
    }
}

/// Whether the card's own requests are for the second account. Where everybody is to stay asleep they are not: an account
/// without a right on operators wakes none.
fn moves_operators(change: &Change) -> bool {
    match &change.action {
        Action::Unarchive {
            operators: OperatorFate::KeepArchived { .. },
        } => false,
        Action::Unarchive {
            operators: OperatorFate::Restore { .. } | OperatorFate::AsItFalls,
        }
        | Action::CreateEntry { .. }
        | Action::Create { .. }
        | Action::Update { .. }
        | Action::Adopt { .. }
        | Action::Exchange { .. }
        | Action::Merge { .. }
        | Action::Archive { .. }
        | Action::Anonymize { .. }
        | Action::SetReferences { .. } => {
            change.operators_affected() > 0 || change.steps().iter().any(|step| step.operator().is_some())
        }
    }
}
