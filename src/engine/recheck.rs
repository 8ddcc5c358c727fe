//! The last look before a grave write (RULES 7.3): the card and its operators against what was judged.

use crate::core::model::card::{OperatorCard, OperatorLink, PersonCard};
use crate::core::model::field::CardField;
use crate::core::model::ids::OperatorId;
use crate::core::reads::diff::same;
use std::collections::BTreeSet;

/// What the last look found.
#[derive(Clone, Debug)]
pub enum Recheck {
    /// As judged: the before-image for the journal.
    Same {
        card: Option<PersonCard>,
        operators: Vec<OperatorCard>,
    },
    /// Not as judged: the item becomes a hold. The text has no personal data.
    Changed(String),
}

/// What differs from what was judged, if anything: archived or not, the fields that are `read`, the operator that the card
/// was judged to have.
pub fn card_changed(
    operator: &OperatorLink,
    read: &BTreeSet<CardField>,
    judged: &PersonCard,
    now: &PersonCard,
    operators: &[OperatorCard],
) -> Option<String> {
    if judged.archived != now.archived {
        let state = if now.archived { "archived" } else { "active" };
        return Some(format!("the card was found {state}"));
    }
    // Evidence and adoption rest on who the card is: every field that is read counts, not only those written. A card as
    // our own write left it may show more than is read.
    let differing = read
        .iter()
        .find(|field| !same(judged.fields.get(**field), now.fields.get(**field), field.kind()));
    if let Some(field) = differing {
        return Some(format!("{field} of the card was found changed"));
    }
    let ids = |archived: bool| -> BTreeSet<&OperatorId> {
        operators
            .iter()
            .filter(|operator| operator.archived == archived)
            .map(|operator| &operator.id)
            .collect()
    };
    let (active, archived) = (ids(false), ids(true));
    let as_judged = match operator {
        OperatorLink::Active { operators } => {
            !active.is_empty()
                && operators.iter().collect::<BTreeSet<_>>() == active.union(&archived).copied().collect()
        }
        OperatorLink::Archived { operators } => {
            active.is_empty() && operators.iter().collect::<BTreeSet<_>>() == archived
        }
        OperatorLink::ProvenNone | OperatorLink::Unproven => active.is_empty() && archived.is_empty(),
    };
    (!as_judged).then(|| "the linked operator was found changed".to_owned())
}

/// Whether a linked operator has another login or e-mail address than it was judged by: a generated card is recognised by them,
/// and who approves an item knows the operator by them.
pub fn operators_changed(judged: &[OperatorCard], now: &[OperatorCard]) -> Option<String> {
    let other = now.iter().any(|operator| {
        let known = judged.iter().find(|known| known.id == operator.id);
        known.is_some_and(|known| known.login_name != operator.login_name || known.email != operator.email)
    });
    other.then(|| "login or e-mail of the linked operator was found changed".to_owned())
}
