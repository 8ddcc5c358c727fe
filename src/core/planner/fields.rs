//! What a person's card should hold, against what it holds.

use super::Planner;
use crate::core::memory::asked::{Asked, mark_of};
use crate::core::model::card::CardFields;
use crate::core::model::field::{CardField, FieldKind, FieldValue, Reference};
use crate::core::model::identity::{Description, Desired, Unknown, Wanted};
use crate::core::model::ids::SourceName;
use crate::core::model::key::Key;
use crate::core::model::references::Resolved;
use crate::core::plan::{FieldChange, SkipReason};
use crate::core::reads::diff::{field_change, same};
use crate::core::reads::merge::Person;
use crate::core::reads::snapshot::{Rejection, RejectionScope};
use crate::core::rules::policy::FieldPolicy;
use std::collections::BTreeSet;

/// The wanted fields of a person, compared with a card or with nothing.
pub(super) struct Fields {
    pub changes: Vec<FieldChange>,
    /// A manager that this plan may make.
    pub new_manager: Option<Key>,
    /// Problems that make the person wait, by the field that has them.
    pub holds: Vec<(CardField, String)>,
    /// What is changed besides what the sources say, and why.
    pub why: Vec<String>,
    /// Enrich sources whose values are unknown because they were rejected.
    pub needs: BTreeSet<SourceName>,
}

impl Planner<'_> {
    /// Bad fields hold creates and updates of the person, never an archive with evidence (RULES 4.2).
    pub(super) fn reject_fields(&mut self, person: &Person<'_>, problems: &[(CardField, String)]) {
        let Some(record) = person.records.first() else { return };
        for (field, message) in problems {
            let behind = self.describe.behind(Asked::Field(*field), &person.joined);
            self.rejections.push(Rejection {
                source: record.source.clone(),
                place: record.place.clone(),
                key: Some(person.key.clone()),
                scope: RejectionScope::Fields,
                message: message.clone(),
                content: mark_of(behind).into(),
            });
        }
    }

    /// Compares the wanted fields with a card, or with nothing for a create.
    pub(super) fn compare(
        &mut self,
        person: &Person<'_>,
        description: &Description,
        card: Option<usize>,
        current: &CardFields,
    ) -> Fields {
        let mut fields = Fields {
            changes: Vec::new(),
            new_manager: None,
            holds: Vec::new(),
            why: Vec::new(),
            needs: BTreeSet::new(),
        };
        for problem in &description.problems {
            let differ = description.fields.get(&problem.field);
            if card.is_none() && matches!(differ, Some(Desired::Unknown(Unknown::RowsDiffer(_)))) {
                // It holds the new card, and is told as that.
                continue;
            }
            let message = format!("{}: {}", problem.field, problem.message);
            if card.is_none() && problem.field == CardField::SurName && !problem.holds_person {
                // It is known, and cannot be written: one line says both.
                let message = format!("{}; a new card needs a surname", problem.message);
                fields.holds.push((problem.field, message));
            } else if problem.holds_person {
                fields.holds.push((problem.field, message))
            } else {
                self.skip(SkipReason::FieldLeft, Some(person.key), card, message)
            }
        }
        let mut branch: Option<Box<str>> = entry_id(current.get(CardField::Branch));
        let mut location = None;
        let policy = &self.input.policy;
        for (field, desired) in &description.fields {
            // A key equal after normalising is never rewritten, whatever the mapping says.
            let Some(rule) = policy.fields.get(field).filter(|_| *field != policy.key.card_field) else {
                continue;
            };
            if card.is_some() && self.input.target.unknown_fields.contains(field) {
                continue;
            }
            let wanted = match desired {
                Desired::Unknown(unknown) => {
                    match unknown {
                        Unknown::SourceRejected(source) => {
                            fields.needs.insert(source.clone());
                        }
                        Unknown::RowsDiffer(source) if card.is_none() => {
                            let message = format!(
                                "{field}: rows of {source} are current together and differ here, and no card is made before it \
                                 is known which one holds; say in rows.main which row leads, or correct the rows"
                            );
                            fields.holds.push((*field, message));
                        }
                        _other => {}
                    }
                    continue;
                }
                Desired::Clear => None,
                // Nearly everybody's values are as they should be.
                Desired::Set(Wanted::Value(value)) if same(current.get(*field), Some(value), field.kind()) => continue,
                Desired::Set(wanted) => {
                    let kind = match field.kind() {
                        FieldKind::Lookup(kind) => Some(kind),
                        FieldKind::Text { .. }
                        | FieldKind::Flag
                        | FieldKind::Number
                        | FieldKind::Date
                        | FieldKind::Manager => None,
                    };
                    match self
                        .references
                        .resolve(wanted, kind, rule.missing, branch.as_deref(), &self.index)
                    {
                        Resolved::Value(value) => Some(value),
                        Resolved::Leave(message) => {
                            self.skip(
                                SkipReason::FieldLeft,
                                Some(person.key),
                                card,
                                format!("{field}: {message}"),
                            );
                            continue;
                        }
                        Resolved::Hold(message) => {
                            fields.holds.push((*field, format!("{field}: {message}")));
                            continue;
                        }
                        Resolved::NewManager(key) => {
                            if rule.policy != FieldPolicy::Seed || current.get(*field).is_none() {
                                fields.new_manager = Some(key);
                            }
                            continue;
                        }
                        Resolved::NoManager(message) => {
                            self.skip(
                                SkipReason::ManagerUnknown,
                                Some(person.key),
                                card,
                                format!("{message}; the field stays as it is"),
                            );
                            continue;
                        }
                    }
                }
            };
            if *field == CardField::Branch {
                if wanted.is_none() && rule.policy == FieldPolicy::NeverClear && current.get(*field).is_some() {
                    let detail = "branch: empty in the source; a card needs one, so the field stays as it is; correct the \
                                  source, or write policy: enforce for this field";
                    self.skip(SkipReason::FieldLeft, Some(person.key), card, detail);
                    continue;
                }
                branch = entry_id(wanted.as_ref());
            }
            if *field == CardField::Location {
                location.clone_from(&wanted);
            }
            if *field == CardField::SurName && wanted.is_none() {
                let message = "surName: the surname is empty; a card needs one: correct the source".to_owned();
                fields.holds.push((*field, message));
                continue;
            }
            let needs_flag = self.input.policy.manager_flag && *field == CardField::Manager;
            match field_change(*field, current, wanted, rule.policy) {
                Some(change) if needs_flag && self.manager_needs_flag(&change) => {
                    fields.new_manager = change.to.as_ref().and_then(manager_key);
                }
                Some(change) => fields.changes.push(change),
                None => {}
            }
        }
        self.follow_branch(&mut fields, location, current);
        fields
    }

    /// A location belongs to one branch: TOPdesk refuses another branch as long as the card keeps it. `wanted` is the
    /// location that the sources give within the new branch, if any.
    fn follow_branch(&self, fields: &mut Fields, wanted: Option<FieldValue>, current: &CardFields) {
        let location = CardField::Location;
        let Some(from) = current.get(location) else { return };
        let Some(moved) = fields.changes.iter().find(|change| change.field == CardField::Branch) else {
            return;
        };
        let settled = fields.changes.iter().any(|change| change.field == location);
        let stays = same(wanted.as_ref(), Some(from), location.kind());
        let branch_of = |location: &FieldValue| self.references.branch_of(&entry_id(Some(location))?);
        let fits = branch_of(from).is_some_and(|of| entry_id(moved.to.as_ref()).as_deref() == Some(of));
        if settled || stays || fits {
            return;
        }
        fields.why.push(
            "location: the card's location belongs to the former branch, and TOPdesk takes no other branch with it"
                .to_owned(),
        );
        fields.changes.push(FieldChange {
            field: location,
            from: Some(from.clone()),
            to: wanted,
        });
    }

    /// Whether the manager's card must first be marked as a manager's.
    fn manager_needs_flag(&self, change: &FieldChange) -> bool {
        let Some(FieldValue::Reference(Reference::Card { id, .. })) = &change.to else {
            return false;
        };
        let position = self.index.position(id);
        position.is_some_and(|card| {
            self.index.cards[card].fields.get(CardField::IsManager) != Some(&FieldValue::Flag(true))
        })
    }
}

fn manager_key(value: &FieldValue) -> Option<Key> {
    match value {
        FieldValue::Reference(Reference::Card { label, .. }) => Some(Key::stored(label)),
        FieldValue::Reference(Reference::Entry { .. } | Reference::FreeText(_) | Reference::Pending(_)) => None,
        FieldValue::Text(_) | FieldValue::Flag(_) | FieldValue::Number(_) | FieldValue::Date(_) => None,
    }
}

fn entry_id(value: Option<&FieldValue>) -> Option<Box<str>> {
    match value {
        Some(FieldValue::Reference(Reference::Entry { id, .. })) => Some(id.clone()),
        Some(
            FieldValue::Reference(_)
            | FieldValue::Text(_)
            | FieldValue::Flag(_)
            | FieldValue::Number(_)
            | FieldValue::Date(_),
        )
        | None => None,
    }
}
