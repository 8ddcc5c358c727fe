//! The groups of operators: which desks somebody works for, and what they may do. Read only for the operators that a plan
//! touches, so what is not in here was not asked for.

use super::ids::{GroupId, OperatorId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An operator group or a permission group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub name: Box<str>,
}

/// Something about groups that the account may not be allowed to see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    Known(T),
    /// TOPdesk's own words why it could not be read.
    Unreadable(String),
}

impl<T> Seen<T> {
    /// The same about what is known.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Seen::Known(known) => Seen::Known(with(known)),
            Seen::Unreadable(why) => Seen::Unreadable(why),
        }
    }
}

/// The groups of one operator, sorted by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorGroups {
    pub operator_groups: Seen<Vec<Group>>,
    pub permission_groups: Seen<Vec<Group>>,
}

/// The operators in an operator group. Archived ones may be among them.
pub type GroupMembers = Seen<BTreeSet<OperatorId>>;

/// What was read about the operators that a plan touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsRead {
    pub of_operators: BTreeMap<OperatorId, OperatorGroups>,
    pub members: BTreeMap<GroupId, GroupMembers>,
}
