//! The groups of operators: which desks somebody works for, and what they may do. Read only for the operators that a plan
//! touches, so what is not in here was not asked for.

use crate::core::model::card::{OperatorKind, OperatorLink, TargetSnapshot};
use crate::core::model::ids::{GroupId, OperatorId};
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{ActionKind, Change};
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

impl OperatorGroups {
    /// Whether the operator is in the same groups. Of what could not be read then or now nobody was shown anything.
    pub fn same_groups(&self, now: &OperatorGroups) -> bool {
        let same = |then: &Seen<Vec<Group>>, now: &Seen<Vec<Group>>| match (then, now) {
            (Seen::Known(then), Seen::Known(now)) => {
                let ids = |groups: &[Group]| groups.iter().map(|group| group.id.clone()).collect::<BTreeSet<_>>();
                ids(then) == ids(now)
            }
            (Seen::Unreadable(_), _) | (_, Seen::Unreadable(_)) => true,
        };
        same(&self.operator_groups, &now.operator_groups) && same(&self.permission_groups, &now.permission_groups)
    }
}

/// The operators in an operator group. Archived ones may be among them.
pub type GroupMembers = Seen<BTreeSet<OperatorId>>;

/// What was read about the operators that a plan touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsRead {
    pub of_operators: BTreeMap<OperatorId, OperatorGroups>,
    pub members: BTreeMap<GroupId, GroupMembers>,
}

/// The operators that changes move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchedOperators {
    /// All that are linked to a card that is archived, unarchived or anonymized.
    pub moved: BTreeSet<OperatorId>,
    /// Those of them that an archive or an anonymization takes along.
    pub taken: BTreeSet<OperatorId>,
}

/// The operators that these changes take along or wake.
pub fn touched_operators<'a>(changes: impl IntoIterator<Item = &'a Change>) -> TouchedOperators {
    let mut touched = TouchedOperators::default();
    for change in changes {
        let taken = taken_along(change);
        touched.taken.extend(taken.iter().cloned());
        touched.moved.extend(taken.iter().cloned());
        if change.operators_affected() > 0
            && let OperatorLink::Active { operators } | OperatorLink::Archived { operators } = &change.operator
        {
            touched.moved.extend(operators.iter().cloned());
        }
    }
    touched
}

/// The operators that go with the card; archived ones may be among them.
fn taken_along(change: &Change) -> &[OperatorId] {
    match (change.action.kind(), &change.operator) {
        (ActionKind::Archive | ActionKind::Anonymize, OperatorLink::Active { operators }) => operators,
        (
            ActionKind::Archive | ActionKind::Anonymize,
            OperatorLink::Archived { .. } | OperatorLink::ProvenNone | OperatorLink::Unproven,
        )
        | (
            ActionKind::CreateEntry
            | ActionKind::Create
            | ActionKind::Update
            | ActionKind::Adopt
            | ActionKind::Exchange
            // The card that a merge archives has no operator.
            | ActionKind::Merge
            | ActionKind::SetReferences
            | ActionKind::Unarchive,
            _,
        ) => &[],
    }
}

/// Why an item waits that would leave an operator group without an active operator, or may do so. `leaving` are all the
/// operators that go by this plan: two colleagues who leave together leave their group together.
pub fn last_operator(
    change: &Change,
    target: &TargetSnapshot,
    read: &GroupsRead,
    leaving: &BTreeSet<OperatorId>,
) -> Vec<HoldReason> {
    let staying = |member: &OperatorId| {
        let known = target.operators.binary_search_by(|it| it.id.cmp(member));
        // An integration does not answer a phone, and somebody who is hidden may be archived.
        let works = known.is_ok_and(|at| {
            let operator = &target.operators[at];
            !operator.archived && operator.kind == OperatorKind::Regular
        });
        works && !leaving.contains(member)
    };
    let is_active = |operator: &&OperatorId| {
        let known = target.operators.binary_search_by(|it| it.id.cmp(*operator));
        known.is_ok_and(|at| !target.operators[at].archived)
    };
    let mut emptied: BTreeSet<Box<str>> = BTreeSet::new();
    let mut unread: Option<String> = None;
    for operator in taken_along(change).iter().filter(is_active) {
        let groups = match read.of_operators.get(operator).map(|groups| &groups.operator_groups) {
            Some(Seen::Known(groups)) => groups,
            Some(Seen::Unreadable(why)) => {
                unread.get_or_insert_with(|| why.clone());
                continue;
            }
            None => {
                unread.get_or_insert_with(|| "they were not read".to_owned());
                continue;
            }
        };
        for group in groups {
            match read.members.get(&group.id) {
                Some(Seen::Known(members)) if members.iter().any(staying) => {}
                Some(Seen::Known(_)) => {
                    emptied.insert(group.name.clone());
                }
                Some(Seen::Unreadable(why)) => {
                    unread.get_or_insert_with(|| why.clone());
                }
                None => {
                    unread.get_or_insert_with(|| "its members were not read".to_owned());
                }
            }
        }
    }
    let mut reasons = Vec::new();
    if !emptied.is_empty() {
        reasons.push(HoldReason::LastOperator {
            groups: emptied.into_iter().collect(),
        });
    }
    reasons.extend(unread.map(|why| HoldReason::GroupsUnreadable { why }));
    reasons
}

impl GroupsRead {
    /// What is known of these operators.
    pub fn of(&self, link: &OperatorLink) -> BTreeMap<OperatorId, OperatorGroups> {
        let operators = match link {
            OperatorLink::Active { operators } | OperatorLink::Archived { operators } => operators.as_slice(),
            OperatorLink::ProvenNone | OperatorLink::Unproven => &[],
        };
        let known = operators
            .iter()
            .filter_map(|id| Some((id.clone(), self.of_operators.get(id)?.clone())));
        known.collect()
    }
}
