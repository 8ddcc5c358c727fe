//! Compares what a card should hold with what it holds, as TOPdesk stores it (RULES 11).

use crate::core::model::card::CardFields;
use crate::core::model::field::{CardField, FieldKind, FieldValue, Reference};
use crate::core::plan::FieldChange;
use crate::core::rules::policy::FieldPolicy;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Whether two values are the same to TOPdesk. Empty, missing and `false` are equal for flags; text compares in NFC
/// without blanks at the ends; references compare by id.
pub fn same(a: Option<&FieldValue>, b: Option<&FieldValue>, kind: FieldKind) -> bool {
    match (a, b, kind) {
        (a, b, FieldKind::Flag) => flag(a) == flag(b),
        (None, None, _) => true,
        (Some(FieldValue::Text(a)), Some(FieldValue::Text(b)), _) => same_text(a, b),
        (
            Some(FieldValue::Reference(Reference::FreeText(a))),
            Some(FieldValue::Reference(Reference::FreeText(b))),
            _,
        ) => same_text(a, b),
        (Some(a), Some(b), _) => a == b,
        (None, Some(other), _) | (Some(other), None, _) => {
            matches!(other, FieldValue::Text(text) if text.trim().is_empty())
        }
    }
}

fn flag(value: Option<&FieldValue>) -> bool {
    value == Some(&FieldValue::Flag(true))
}

fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    a == b || (!(is_nfc(a) && is_nfc(b)) && a.nfc().eq(b.nfc()))
}

/// The change of one field under its policy, if there is one.
pub fn field_change(
    field: CardField,
    current: &CardFields,
    wanted: Option<FieldValue>,
    policy: FieldPolicy,
) -> Option<FieldChange> {
    let from = current.get(field);
    if same(from, wanted.as_ref(), field.kind()) {
        return None;
    }
    match policy {
        FieldPolicy::Seed if from.is_some() => None,
        FieldPolicy::NeverClear | FieldPolicy::Seed if wanted.is_none() => None,
        FieldPolicy::Enforce | FieldPolicy::Seed | FieldPolicy::NeverClear => Some(FieldChange {
            field,
            from: from.cloned(),
            to: wanted,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<FieldValue> {
        Some(FieldValue::Text(text.into()))
    }

    #[test]
    fn blanks_unicode_form_and_missing_flags_are_no_change() {
        let kind = FieldKind::Text { max_chars: 50 };
        assert!(same(text("Jos\u{e9} ").as_ref(), text("Jose\u{301}").as_ref(), kind));
        assert!(same(None, text("  ").as_ref(), kind));
        assert!(!same(text("Jose").as_ref(), text("Jos\u{e9}").as_ref(), kind));
        assert!(same(None, Some(&FieldValue::Flag(false)), FieldKind::Flag));
        assert!(!same(None, Some(&FieldValue::Flag(true)), FieldKind::Flag));
    }

    #[test]
    fn seed_fills_and_never_clear_keeps() {
        let filled: CardFields = [(CardField::JobTitle, FieldValue::Text("Nurse".into()))]
            .into_iter()
            .collect();
        let empty = CardFields::default();
        assert!(field_change(CardField::JobTitle, &filled, text("Clerk"), FieldPolicy::Seed).is_none());
        assert!(field_change(CardField::JobTitle, &empty, text("Clerk"), FieldPolicy::Seed).is_some());
        assert!(field_change(CardField::JobTitle, &filled, None, FieldPolicy::NeverClear).is_none());
        assert!(field_change(CardField::JobTitle, &filled, text("Clerk"), FieldPolicy::NeverClear).is_some());
        assert!(field_change(CardField::JobTitle, &filled, None, FieldPolicy::Enforce).is_some());
    }
}
