//! Reads the groups of the operators that a plan takes along or wakes, and who else is in them.

use super::target::{TargetError, TargetReader};
use crate::core::model::groups::{GroupsRead, OperatorGroups, Seen, touched_operators};
use crate::core::model::ids::OperatorId;
use crate::core::plan::Plan;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

/// Reads at once; the client's own pace holds as well.
const AT_ONCE: usize = 4;

/// What cannot be read is said in its place and ends nothing: what depends on it is held.
pub(crate) async fn read_groups(reader: &impl TargetReader, plan: &Plan) -> GroupsRead {
    let touched = touched_operators(&plan.changes);
    let of_operators: BTreeMap<OperatorId, OperatorGroups> = each(touched.moved, |operator| async move {
        let groups = reader.read_groups_of(&operator).await;
        let groups = groups.unwrap_or_else(|error| OperatorGroups {
            operator_groups: unreadable(&error),
            permission_groups: unreadable(&error),
        });
        (operator, groups)
    })
    .await;
    let taken = of_operators
        .iter()
        .filter(|(operator, _)| touched.taken.contains(*operator));
    let groups: BTreeSet<_> = taken
        .filter_map(|(_, groups)| match &groups.operator_groups {
            Seen::Known(groups) => Some(groups.iter().map(|group| group.id.clone())),
            Seen::Unreadable(_) => None,
        })
        .flatten()
        .collect();
    let members = each(groups, |group| async move {
        let members = reader.read_members_of(&group).await;
        let members = members.unwrap_or_else(|error| unreadable(&error));
        (group, members)
    })
    .await;
    GroupsRead { of_operators, members }
}

fn unreadable<T>(error: &TargetError) -> Seen<T> {
    Seen::Unreadable(error.what.clone())
}

/// Asks for each, a few at once.
async fn each<K: Ord, V, F: Future<Output = (K, V)>>(keys: BTreeSet<K>, ask: impl Fn(K) -> F) -> BTreeMap<K, V> {
    let asked: Vec<F> = keys.into_iter().map(ask).collect();
    futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
}
