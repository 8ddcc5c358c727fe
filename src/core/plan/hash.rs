//! Hashes of content: what makes the same item the same in every plan (RULES 8.4).

use crate::core::model::field::{CardField, FieldKind, FieldValue, Reference};
use crate::core::model::ids::{ItemId, SourceName};
use crate::core::plan::{Action, Change};
use crate::core::reads::cards::fold;
use crate::core::rules::evidence::EvidenceCode;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Hashes the identity of an item: the same content gives the same id in every plan.
pub fn item_id(change: &Change) -> ItemId {
    let codes: BTreeSet<(EvidenceCode, Option<&SourceName>)> = change
        .evidence
        .iter()
        .map(|evidence| (evidence.code, evidence.source.as_ref()))
        .collect();
    let mut action = change.action.clone();
    if let Action::Create { fields }
    | Action::Update { fields }
    | Action::Adopt { fields }
    | Action::Exchange { fields, .. }
    | Action::Merge { fields, .. }
    | Action::Anonymize { fields, .. }
    | Action::SetReferences { fields } = &mut action
    {
        for field in fields {
            let name = field.field;
            for value in [&mut field.from, &mut field.to].into_iter().flatten() {
                name_for_good(name, value);
            }
        }
    }
    let identity = (&action, &change.key, &change.card, &change.operator, codes);
    let text = serde_json::to_vec(&identity).expect("plain data always serialises");
    ItemId::new(short_hash(&text))
}

/// What this plan makes for one person may exist when the next plan is made for another: a list entry that can be created
/// goes by its name, which is unique, and a person by their key; so an approval outlives the creation.
fn name_for_good(field: CardField, value: &mut FieldValue) {
    let by_name = match field.kind() {
        FieldKind::Lookup(list) => list.can_create(),
        FieldKind::Manager => true,
        FieldKind::Text { .. } | FieldKind::Flag | FieldKind::Number | FieldKind::Date => false,
    };
    if let FieldValue::Reference(reference) = value
        && by_name
    {
        *reference = Reference::FreeText(fold(reference.label()).into());
    }
}

/// The first 12 hex digits of SHA-256: short enough to type, and an approval is checked against the content besides.
pub fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The whole SHA-256 in hex.
pub fn full_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
