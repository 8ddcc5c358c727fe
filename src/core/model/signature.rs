//! Whose name stands under a write in TOPdesk: cardsync's own account, or somebody else.

use crate::core::input::PlanInput;
use std::collections::BTreeSet;

/// The names under which our own writes stand in TOPdesk: the operator of the account, and what stood under our last write.
/// Case does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures(BTreeSet<String>);

impl Signatures {
    /// As far as this run knows them.
    pub fn of(input: &PlanInput) -> Self {
        let own = input.target.own_account.as_ref().map(|own| own.as_str());
        let last = input.writes.last.as_ref().and_then(|write| write.modifier.as_deref());
        Self(own.into_iter().chain(last).map(str::to_lowercase).collect())
    }

    /// Whether this name is one of ours. A write without a name is nobody's.
    pub fn include(&self, name: Option<&str>) -> bool {
        name.is_some_and(|name| self.0.contains(&name.to_lowercase()))
    }

    /// Whether there is nothing to compare with.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
