//! Many updates that say the same are one block: five hundred lines of 'phone number from empty' hide the eight people whose
//! name changes. Whoever wants each of them says `--all`.

use crate::core::model::card::OperatorLink;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::plan::{ActionKind, Change};
use std::collections::{BTreeMap, BTreeSet};

/// So many alike are shown as one.
pub(super) const ALIKE: usize = 4;

/// One change, or several that are alike.
pub(crate) enum Part<'a> {
    One(&'a Change),
    Many(Alike<'a>),
}

/// Changes that say the same.
pub(crate) struct Alike<'a> {
    pub changes: Vec<&'a Change>,
    /// Field by field, what all of them do.
    pub fields: Vec<String>,
}

/// What makes two updates alike: the fields, and their values unless all of them fill empty fields; then what holds them,
/// and why they are wanted.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'a> {
    kind: ActionKind,
    operator: &'a OperatorLink,
    fields: Vec<(CardField, Values<'a>)>,
    overwrites: &'a BTreeSet<CardField>,
    why: &'a [String],
    held: Vec<String>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Values<'a> {
    Exactly(Option<&'a FieldValue>, Option<&'a FieldValue>),
    FromEmpty,
}

/// Puts what is alike together: first each change that stands alone, in its order, then the blocks, small ones first.
/// `held` is what holds a change besides what holds all of the list.
pub(crate) fn folded<'a>(changes: &[&'a Change], held: &dyn Fn(&Change) -> Vec<String>) -> Vec<Part<'a>> {
    let exact = blocks(changes, held, false);
    let taken: BTreeSet<*const Change> = exact
        .iter()
        .flatten()
        .map(|change| std::ptr::from_ref(*change))
        .collect();
    let rest: Vec<&Change> = changes
        .iter()
        .copied()
        .filter(|change| !taken.contains(&std::ptr::from_ref(*change)))
        .collect();
    let filling = blocks(&rest, held, true);
    let taken: BTreeSet<*const Change> = filling
        .iter()
        .flatten()
        .map(|change| std::ptr::from_ref(*change))
        .collect();
    let mut blocks: Vec<Vec<&Change>> = exact.into_iter().chain(filling).collect();
    blocks.sort_by_key(Vec::len);
    let alone = rest
        .into_iter()
        .filter(|change| !taken.contains(&std::ptr::from_ref(*change)));
    alone
        .map(Part::One)
        .chain(blocks.into_iter().map(|changes| {
            let fields = field_lines(&changes);
            Part::Many(Alike { changes, fields })
        }))
        .collect()
}

/// The groups of at least [`ALIKE`]; with `filling` those that fill the same empty fields with whatever values.
fn blocks<'a>(changes: &[&'a Change], held: &dyn Fn(&Change) -> Vec<String>, filling: bool) -> Vec<Vec<&'a Change>> {
    let mut groups: BTreeMap<Likeness<'a>, Vec<&'a Change>> = BTreeMap::new();
    for change in changes.iter().copied().filter(|change| may_fold(change)) {
        let fields = change.action.fields();
        let fills = fields.iter().all(|field| field.from.is_none() && field.to.is_some());
        if filling && !fills {
            continue;
        }
        let values = fields.iter().map(|field| {
            let values = if filling {
                Values::FromEmpty
            } else {
                Values::Exactly(field.from.as_ref(), field.to.as_ref())
            };
            (field.field, values)
        });
        let likeness = Likeness {
            kind: change.action.kind(),
            operator: &change.operator,
            fields: values.collect(),
            overwrites: &change.overwrites,
            why: &change.why,
            held: held(change),
        };
        groups.entry(likeness).or_default().push(change);
    }
    groups.into_values().filter(|group| group.len() >= ALIKE).collect()
}

/// Only fields of people without an operator: everything graver is looked at one by one.
fn may_fold(change: &Change) -> bool {
    let plain = match change.action.kind() {
        ActionKind::Update | ActionKind::SetReferences => true,
        ActionKind::CreateEntry
        | ActionKind::Unarchive
        | ActionKind::Create
        | ActionKind::Adopt
        | ActionKind::Exchange
        | ActionKind::Merge
        | ActionKind::Archive
        | ActionKind::Anonymize => false,
    };
    // Where operators cannot be seen at all, that is said of the block.
    plain && !change.operator.is_linked()
}

fn field_lines(changes: &[&Change]) -> Vec<String> {
    let Some(first) = changes.first() else {
        return Vec::new();
    };
    let shown = |value: &Option<FieldValue>| {
        let value = value.as_ref();
        value.map_or("(empty)".to_owned(), |value| format!("\"{}\"", value.display()))
    };
    let line = |at: usize| {
        let field = &first.action.fields()[at];
        let name = field.field.name();
        let values: BTreeSet<&Option<FieldValue>> =
            changes.iter().map(|change| &change.action.fields()[at].to).collect();
        if values.len() == 1 {
            format!("{name}: {} -> {}", shown(&field.from), shown(&field.to))
        } else {
            let example = shown(&field.to);
            format!(
                "{name}: {} -> {} different values, e.g. {example}",
                shown(&field.from),
                values.len()
            )
        }
    };
    (0..first.action.fields().len()).map(line).collect()
}
