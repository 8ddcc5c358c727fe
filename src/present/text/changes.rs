//! One change of a plan on a terminal: who, what, from, to and why.

use super::Shown;
use super::folded::Alike;
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::plan::view::ChangeView;
use crate::core::plan::{Action, ActionKind, Change};
use crate::present::lines::line;
use crate::present::words::{NUMBER_OFF, counted, group_lines, mark_of, name_of, operator_words, other_card_words};

impl Shown<'_> {
    /// What all of a block do, and the first of them.
    pub(super) fn alike_lines(&self, alike: &Alike<'_>) -> String {
        const NAMED: usize = 3;
        let Alike { changes, fields } = alike;
        let mut lines = String::new();
        let first = changes[0];
        line!(
            lines,
            "{} {} alike",
            self.action(first),
            counted(changes.len() as u64, "card")
        );
        self.operator_line(&mut lines, first);
        for field in fields {
            line!(lines, "      {field}");
        }
        for why in &first.why {
            line!(lines, "      why: {why}");
        }
        let named = changes.iter().take(NAMED);
        let named: Vec<String> = named
            .map(|change| format!("{} [{}]", self.person(change), change.id))
            .collect();
        line!(
            lines,
            "      {} and {} more (--all)",
            named.join(", "),
            changes.len().saturating_sub(NAMED)
        );
        lines
    }

    /// The action with its sign.
    fn action(&self, change: &Change) -> String {
        let kind = change.action.kind();
        let mark = match mark_of(kind) {
            "+" => self.paint.good("+"),
            "-" => self.paint.bad("-"),
            other => other.to_owned(),
        };
        if change.takes_number_off() {
            return format!("{} {NUMBER_OFF:<11}", self.paint.bad("-"));
        }
        format!("{mark} {:<11}", name_of(kind))
    }

    fn operator_line(&self, lines: &mut String, change: &Change) {
        let kept = change.keeps_archived();
        if let Some(what) = operator_words(&change.operator, change.action.kind(), kept, &self.judged.names) {
            line!(lines, "      {} {what}", self.paint.bad("operator"));
        }
    }

    /// Who, what, from, to and why.
    pub(crate) fn change_lines(&self, change: &Change) -> String {
        let mut lines = String::new();
        let who = self.who(change);
        line!(lines, "{} {who}  [{}]", self.action(change), change.id);
        self.operator_line(&mut lines, change);
        for line in group_lines(&self.judged.groups.of(&change.operator), &self.judged.names) {
            line!(lines, "        {line}");
        }
        for field in change.action.fields() {
            let shown = |value: &Option<crate::core::model::field::FieldValue>| {
                value
                    .as_ref()
                    .map_or("(empty)".to_owned(), |value| format!("\"{}\"", value.display()))
            };
            let name = field.field.name();
            let overwrites = if change.overwrites.contains(&field.field) {
                "  (overwrites what was entered in TOPdesk)"
            } else {
                ""
            };
            let line = match change.action.kind() {
                ActionKind::Create => format!("{name}: {}", shown(&field.to)),
                _other => format!("{name}: {} -> {}", shown(&field.from), shown(&field.to)),
            };
            line!(lines, "      {line}{overwrites}");
        }
        if let Some(other) = other_card_words(&ChangeView::new(change, &[])) {
            line!(lines, "      {other}");
        }
        for why in &change.why {
            line!(lines, "      why: {why}");
        }
        lines
    }

    /// Who a change is about: key, name and card.
    pub(crate) fn who(&self, change: &Change) -> String {
        if let Action::CreateEntry { .. } = &change.action {
            return self.person(change);
        }
        let id = change.card.as_ref().map_or("new card", |card| card.as_str());
        format!("{} ({id})", self.person(change))
    }

    /// Key and name; of a list entry what it is.
    pub(crate) fn person(&self, change: &Change) -> String {
        if let Action::CreateEntry { list, name } = &change.action {
            return format!("{list} \"{name}\"");
        }
        // References of a new card come after its creation, which has the name.
        let makes = |other: &&Change| other.key == change.key && matches!(other.action, Action::Create { .. });
        let creation = match (&change.card, &change.action) {
            (None, Action::SetReferences { .. }) => self.judged.plan.changes.iter().find(makes),
            (_, _) => None,
        };
        let fields = creation.unwrap_or(change).action.fields();
        let new = |field| {
            fields
                .iter()
                .find(|change| change.field == field)
                .and_then(|change| change.to.as_ref())
                .map(|value| value.display())
        };
        let card_of = |id: &CardId| {
            let at = self.input.target.cards.binary_search_by(|card| card.id.cmp(id)).ok()?;
            Some(&self.input.target.cards[at])
        };
        let card = change.card.as_ref().and_then(card_of);
        let text = |field| match card {
            Some(card) => card.fields.text(field).map(str::to_owned),
            None => new(field),
        };
        let name: Vec<String> = [text(CardField::FirstName), text(CardField::SurName)]
            .into_iter()
            .flatten()
            .collect();
        let key = change.key.as_ref().map_or("no key", |key| key.as_str());
        let named: Vec<&str> = std::iter::once(key).chain(name.iter().map(String::as_str)).collect();
        let mut named = named.join(" ");
        if let Some(other) = change.other_side() {
            let fields = card_of(&other.card).map(|card| &card.fields);
            let text = |field| fields.and_then(|fields| fields.text(field)).unwrap_or_default();
            let (first, sur) = (text(CardField::FirstName), text(CardField::SurName));
            named = format!("{named} and {} {first} {sur}", other.key).trim().to_owned();
        }
        named
    }
}
