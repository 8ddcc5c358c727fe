//! Finds what a reference field points to: list entries by name or id, managers by key or DN.

use crate::core::model::card::OperatorLink;
use crate::core::model::card::{DepartmentMode, LookupEntry, Lookups};
use crate::core::model::dn::same_for_all_spellings;
use crate::core::model::field::{FieldValue, LookupKind, PendingRef, Reference};
use crate::core::model::identity::Wanted;
use crate::core::model::ids::{CardId, ItemId, SourceName};
use crate::core::model::key::Key;
use crate::core::model::record::Place;
use crate::core::plan::{Action, Change, item_id};
use crate::core::reads::cards::{CardIndex, CardMatch, fold};
use crate::core::reads::snapshot::{Snapshot, SnapshotReader};
use crate::core::rules::policy::MissingEntry;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// What a wanted value turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    Value(FieldValue),
    /// The field stays as it is.
    Leave(String),
    /// The person waits.
    Hold(String),
    /// The manager has no active card: perhaps this plan makes or wakes one.
    NewManager(Key),
    /// The manager is not known.
    NoManager(String),
}

/// The entries of a list, by folded name and by id.
#[derive(Default)]
struct List<'a> {
    by_name: BTreeMap<String, Vec<&'a LookupEntry>>,
    by_id: BTreeMap<String, &'a LookupEntry>,
}

/// Resolves references; collects the list entries that must be made.
pub struct References<'a> {
    lists: BTreeMap<LookupKind, List<'a>>,
    lookups: &'a Lookups,
    /// New entries by list and folded name.
    new_entries: BTreeMap<(LookupKind, String), Change>,
    dns: BTreeMap<SourceName, BTreeMap<String, Named>>,
}

/// Whom a distinguished name of a source means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    One(Key),
    /// Entries of several people have it.
    Several,
}

impl Named {
    /// Joins what two entries under one name say.
    fn or(self, other: Named) -> Named {
        if self == other { self } else { Named::Several }
    }
}

impl<'a> References<'a> {
    /// Over the lists as read; `snapshots` resolve managers by DN where `by_dn` is set.
    pub fn new(lookups: &'a Lookups, snapshots: &[Snapshot], by_dn: bool) -> Self {
        let lists = lookups
            .lists
            .iter()
            .map(|(kind, entries)| {
                let mut list = List::default();
                for entry in entries {
                    list.by_name.entry(fold(&entry.name)).or_default().push(entry);
                    list.by_id.insert(entry.id.to_ascii_lowercase(), entry);
                }
                (*kind, list)
            })
            .collect();
        let mut dns = BTreeMap::new();
        for snapshot in snapshots.iter().filter(|_| by_dn) {
            let mut by_dn: BTreeMap<String, Named> = BTreeMap::new();
            for record in snapshot.records() {
                let Place::Dn(dn) = &record.place else { continue };
                let named = Named::One(record.key.clone());
                by_dn
                    .entry(same_for_all_spellings(dn))
                    .and_modify(|known| *known = known.clone().or(named.clone()))
                    .or_insert(named);
            }
            dns.insert(snapshot.summary.name.clone(), by_dn);
        }
        Self {
            lists,
            lookups,
            new_entries: BTreeMap::new(),
            dns,
        }
    }

    /// Takes the list entries that must be made, in order.
    pub fn take_new_entries(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.new_entries).into_values().collect()
    }

    /// The id of the branch that a location belongs to, where the list of locations was read.
    pub fn branch_of(&self, location: &str) -> Option<&'a str> {
        let locations = self.lists.get(&LookupKind::Location)?;
        locations
            .by_id
            .get(&location.to_ascii_lowercase())?
            .qualifier
            .as_deref()
    }

    /// Resolves a wanted value. `branch` is the id of the person's branch, for locations.
    pub fn resolve(
        &mut self,
        wanted: &Wanted,
        kind: Option<LookupKind>,
        missing: MissingEntry,
        branch: Option<&str>,
        cards: &CardIndex<'_>,
    ) -> Resolved {
        match (wanted, kind) {
            (Wanted::Value(value), _) => Resolved::Value(value.clone()),
            (Wanted::Entry(name), Some(kind)) => self.entry(kind, name, missing, branch),
            (Wanted::Entry(_), None) => Resolved::Hold("this field is not a list".to_owned()),
            (Wanted::ManagerKey(key), _) => manager(key, cards),
            (Wanted::ManagerDn { sources, dn }, _) => self.manager_by_dn(sources, dn, cards),
        }
    }

    /// A name is looked up in every directory that the expression names: in which of them an entry stands its name says.
    fn manager_by_dn(&self, sources: &[SourceName], dn: &str, cards: &CardIndex<'_>) -> Resolved {
        let dn = same_for_all_spellings(dn);
        let found = sources.iter().filter_map(|source| self.dns.get(source)?.get(&dn));
        let names = || sources.iter().map(SourceName::as_str).collect::<Vec<_>>().join(" or ");
        match found.cloned().reduce(Named::or) {
            Some(Named::One(key)) => manager(&key, cards),
            Some(Named::Several) => Resolved::NoManager(format!("several people have the manager's DN in {}", names())),
            None => Resolved::NoManager(format!(
                "the manager's DN is not among the entries read from {}",
                names()
            )),
        }
    }

    fn entry(&mut self, kind: LookupKind, name: &str, missing: MissingEntry, branch: Option<&str>) -> Resolved {
        if kind == LookupKind::Department && self.lookups.department_mode == DepartmentMode::PlainText {
            return Resolved::Value(FieldValue::Reference(Reference::FreeText(name.into())));
        }
        let Some(list) = self.lists.get(&kind) else {
            return Resolved::Hold(format!(
                "the list of {kind} entries could not be read; give the account the right to read it"
            ));
        };
        let reference = |entry: &LookupEntry| {
            Resolved::Value(FieldValue::Reference(Reference::Entry {
                id: entry.id.clone(),
                name: entry.name.clone(),
            }))
        };
        let fits = |entry: &LookupEntry| match (kind, branch, &entry.qualifier) {
            (LookupKind::Location, Some(branch), Some(of)) => of.eq_ignore_ascii_case(branch),
            (_, _, _) => true,
        };
        if let Some(entry) = list.by_id.get(&name.to_ascii_lowercase()) {
            if !fits(entry) {
                let message = format!(
                    "the {kind} '{}' belongs to another branch than the person's",
                    entry.name
                );
                return refuse(missing, message);
            }
            return reference(entry);
        }
        let folded = fold(name);
        let found = list.by_name.get(&folded);
        let fitting: Vec<_> = found.into_iter().flatten().filter(|entry| fits(entry)).collect();
        match fitting.as_slice() {
            [entry] => reference(entry),
            [] => self.missing_entry(kind, name, folded, missing),
            several => refuse(
                missing,
                format!(
                    "{} {kind} entries have this name; name one by its id, or rename them",
                    several.len()
                ),
            ),
        }
    }

    fn missing_entry(&mut self, kind: LookupKind, name: &str, folded: String, missing: MissingEntry) -> Resolved {
        // Languages also go by code.
        if kind == LookupKind::Language {
            let by_code = self.lookups.lists.get(&kind).into_iter().flatten();
            let found = by_code
                .into_iter()
                .find(|entry| entry.qualifier.as_deref().is_some_and(|code| fold(code) == folded));
            if let Some(entry) = found {
                let reference = Reference::Entry {
                    id: entry.id.clone(),
                    name: entry.name.clone(),
                };
                return Resolved::Value(FieldValue::Reference(reference));
            }
        }
        if missing != MissingEntry::Create || !kind.can_create() {
            // What the configuration says already is no way out.
            let or = match (missing, kind.can_create()) {
                (MissingEntry::Hold | MissingEntry::Create, false) => ", or say `missing: skip` for this field",
                (MissingEntry::Hold | MissingEntry::Create, true) => {
                    ", or say `missing: skip` or `missing: create` for this field"
                }
                (MissingEntry::Skip, true) => ", or say `missing: create` for this field",
                (MissingEntry::Skip, false) => "",
            };
            return refuse(
                missing,
                format!("TOPdesk has no {kind} '{name}'; add it there or correct the source{or}"),
            );
        }
        let composed: String = name.nfc().collect();
        let composed = composed.trim();
        if composed.chars().count() > 100 {
            return Resolved::Hold(format!("a new {kind} entry may have 100 characters, this has more"));
        }
        let change = self
            .new_entries
            .entry((kind, folded))
            .or_insert_with(|| new_entry(kind, composed));
        let pending = PendingRef {
            item: change.id.clone(),
            label: composed.into(),
        };
        Resolved::Value(FieldValue::Reference(Reference::Pending(pending)))
    }
}

fn refuse(missing: MissingEntry, message: String) -> Resolved {
    match missing {
        MissingEntry::Skip => Resolved::Leave(message),
        MissingEntry::Hold | MissingEntry::Create => Resolved::Hold(message),
    }
}

fn new_entry(list: LookupKind, name: &str) -> Change {
    let mut change = Change {
        id: ItemId::new(""),
        action: Action::CreateEntry {
            list,
            name: name.into(),
        },
        key: None,
        raw_key: None,
        card: None,
        operator: OperatorLink::ProvenNone,
        evidence: Vec::new(),
        depends_on: Vec::new(),
        doubts: Vec::new(),
        why: vec![format!("no {list} of this name yet, and the field says create")],
        anchors: Vec::new(),
        overwrites: std::collections::BTreeSet::new(),
        access_later: false,
        seen_in: Vec::new(),
    };
    change.id = item_id(&change);
    change
}

fn manager(key: &Key, cards: &CardIndex<'_>) -> Resolved {
    match cards.matching(key) {
        CardMatch::One { card, .. } if !cards.cards[card].archived => {
            Resolved::Value(FieldValue::Reference(card_reference(&cards.cards[card].id, key)))
        }
        CardMatch::One { .. } | CardMatch::None => Resolved::NewManager(key.clone()),
        CardMatch::TwoActive(_) | CardMatch::SeveralArchived(_) => {
            Resolved::NoManager(format!("several cards have the manager's key {key}"))
        }
    }
}

/// A reference to a card, labelled with its key.
pub fn card_reference(id: &CardId, key: &Key) -> Reference {
    Reference::Card {
        id: id.clone(),
        label: key.as_str().into(),
    }
}
