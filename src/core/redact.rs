//! A plan for a ticket: structure, reasons and ids stay, everything of people goes. Keys and values become short marks that are
//! the same wherever the same thing stands, and tell nothing without the store that made them.

use crate::core::input::PlanInput;
use crate::core::model::groups::{Group, OperatorGroups, Seen};
use crate::core::model::key::Key;
use crate::core::model::operator_names::OperatorNames;
use crate::core::model::record::{Place, RecordRef};
use crate::core::plan::concern::Concern;
use crate::core::plan::view::{ChangeView, FromTo, HoldView, PlanView, TwinView};
use crate::core::plan::{Conflict, Skip};
use crate::core::reads::snapshot::{Finding, Rejection, SnapshotReader, SnapshotSummary};
use std::collections::{BTreeMap, BTreeSet};

/// Hex digits of a mark.
const MARK: usize = 8;
/// The longest value that is looked for in a sentence, in words.
const MOST_WORDS: usize = 12;
/// Characters of a card's id.
const ID_CHARS: usize = 36;

/// The plan without personal data. `hash` is a keyed hash in hexadecimal.
pub fn redact(view: &PlanView, input: &PlanInput, hash: &dyn Fn(&str) -> String) -> PlanView {
    let redactor = Redactor {
        hash,
        keys: keys_of(input),
        values: values_of(view, input),
    };
    let PlanView {
        plan_id,
        fingerprint,
        created_at,
        config_hash,
        snapshots,
        clock,
        summary,
        changes,
        conflicts,
        rejections,
        skipped,
        attention,
        base,
        foreign_cards,
    } = view.clone();
    PlanView {
        plan_id,
        fingerprint,
        created_at,
        config_hash,
        snapshots: snapshots
            .into_iter()
            .map(|snapshot| redactor.snapshot(snapshot))
            .collect(),
        clock: clock.into_iter().map(|finding| redactor.finding(finding)).collect(),
        summary,
        changes: changes.into_iter().map(|change| redactor.change(change)).collect(),
        conflicts: conflicts
            .into_iter()
            .map(|conflict| redactor.conflict(conflict))
            .collect(),
        rejections: rejections
            .into_iter()
            .map(|rejection| redactor.rejection(rejection))
            .collect(),
        skipped: skipped.into_iter().map(|skip| redactor.skip(skip)).collect(),
        attention: attention.into_iter().map(|concern| redactor.concern(concern)).collect(),
        base,
        foreign_cards,
    }
}

/// Words of our own sentences as they stand within them. Whoever is called so is known by the capital letter; marked as well,
/// every sentence would tell that somebody is.
pub(crate) const OWN_WORDS: [&str; 78] = [
    "all", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "card", "day", "do", "for", "from",
    "had", "has", "have", "he", "her", "his", "if", "in", "is", "it", "its", "key", "may", "me", "more", "my", "name",
    "new", "no", "not", "now", "of", "off", "old", "on", "one", "or", "our", "out", "own", "per", "read", "run", "say",
    "see", "she", "so", "than", "that", "the", "them", "then", "they", "this", "to", "two", "up", "us", "was", "we",
    "were", "what", "when", "who", "will", "with", "yet", "you", "your", "made", "same",
];

struct Redactor<'a> {
    hash: &'a dyn Fn(&str) -> String,
    keys: BTreeSet<String>,
    /// Sorted; without marks of punctuation at either end.
    values: Vec<String>,
}

/// Every key, as it is and as it is written.
fn keys_of(input: &PlanInput) -> BTreeSet<String> {
    let records = input.snapshots.iter().flat_map(|snapshot| snapshot.records());
    let of_records = records.flat_map(|record| [record.key.to_string(), record.raw_key.to_write()]);
    let of_ledger = input
        .ledger
        .values()
        .flat_map(|entry| entry.key.iter().chain(&entry.former_keys));
    let rejections = input.snapshots.iter().flat_map(|snapshot| &snapshot.rejections);
    let of_rejections = rejections.filter_map(|rejection| rejection.key.as_ref());
    let kept = of_ledger
        .chain(of_rejections)
        .chain(&input.in_doubt)
        .chain(&input.purged_keys);
    let field = input.policy.key.card_field;
    let of_cards = input
        .target
        .cards
        .iter()
        .filter_map(|card| card.fields.text(field))
        .map(str::to_owned);
    of_records
        .chain(kept.map(ToString::to_string))
        .chain(of_cards)
        .collect()
}

/// Everything that a field of somebody holds, in the sources, in TOPdesk or in the plan.
fn values_of(view: &PlanView, input: &PlanInput) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for record in input.snapshots.iter().flat_map(|snapshot| snapshot.records()) {
        let beside = record
            .rows
            .iter()
            .flat_map(|rows| &rows.beside)
            .flat_map(|row| &row.values);
        values.extend(
            record
                .values
                .iter()
                .chain(beside)
                .flat_map(|values| values.as_slice())
                .map(|value| value.to_string()),
        );
        values.extend(record.anchor.iter().map(ToString::to_string));
        match &record.place {
            Place::Dn(dn) => values.push(dn.to_string()),
            Place::Line(_) => {}
        }
    }
    for unkeyed in input.snapshots.iter().flat_map(|snapshot| snapshot.unkeyed()) {
        let of_record = unkeyed.record.values.iter().flat_map(|values| values.as_slice());
        values.extend(of_record.map(|value| value.to_string()));
        values.extend(unkeyed.record.anchor.iter().map(ToString::to_string));
        match &unkeyed.record.place {
            Place::Dn(dn) => values.push(dn.to_string()),
            Place::Line(_) => {}
        }
    }
    for card in &input.target.cards {
        values.extend(card.fields.iter().map(|(_, value)| value.display()));
    }
    for operator in &input.target.operators {
        values.extend(
            [&operator.login_name, &operator.email]
                .into_iter()
                .flatten()
                .map(ToString::to_string),
        );
    }
    for entries in input.target.lookups.lists.values() {
        values.extend(entries.iter().map(|entry| entry.name.to_string()));
    }
    let twins = view.changes.iter().filter_map(|change| change.twin.as_ref());
    let of_twins = twins.flat_map(|twin| twin.fields.values());
    let written = view
        .changes
        .iter()
        .flat_map(|change| change.fields.values())
        .chain(of_twins);
    values.extend(
        written
            .flat_map(|field| [field.from.clone(), field.to.clone()])
            .flatten(),
    );
    let lower: Vec<String> = values.iter().map(|value| value.to_lowercase()).collect();
    values.extend(lower);
    for value in &mut values {
        *value = bare(value).to_owned();
    }
    // Flags say nothing about anybody, a single letter is no value to recognise, and 'an' in a sentence is nobody's first name.
    values.retain(|value| value.chars().count() > 1 && !is_flag(value) && !OWN_WORDS.contains(&value.as_str()));
    values.sort();
    values.dedup();
    values
}

fn bare(text: &str) -> &str {
    text.trim_matches(|letter: char| !letter.is_alphanumeric())
}

fn is_flag(text: &str) -> bool {
    ["true", "false"].contains(&text)
}

impl Redactor<'_> {
    fn short(&self, text: &str) -> String {
        (self.hash)(text).chars().take(MARK).collect()
    }

    fn key(&self, key: &str) -> Key {
        Key::stored(&format!("key-{}", self.short(key)))
    }

    /// A value as its mark and its length, which many questions are about.
    fn value(&self, text: &str) -> String {
        if is_flag(text) {
            return text.to_owned();
        }
        if self.keys.contains(text) {
            return self.key(text).to_string();
        }
        format!("value-{} ({} characters)", self.short(text), text.chars().count())
    }

    fn place(&self, place: Place) -> Place {
        match place {
            Place::Line(line) => Place::Line(line),
            Place::Dn(dn) => Place::Dn(format!("dn-{}", self.short(&dn)).into()),
        }
    }

    fn finding(&self, finding: Finding) -> Finding {
        Finding {
            message: self.text(&finding.message),
            cure: self.text(&finding.cure),
            ..finding
        }
    }

    fn snapshot(&self, snapshot: SnapshotSummary) -> SnapshotSummary {
        let findings = snapshot.findings.into_iter().map(|finding| self.finding(finding));
        SnapshotSummary {
            findings: findings.collect(),
            ..snapshot
        }
    }

    fn fields(&self, fields: BTreeMap<String, FromTo>) -> BTreeMap<String, FromTo> {
        let value = |value: Option<String>| value.map(|value| self.value(&value));
        let redacted = fields.into_iter().map(|(name, field)| {
            let FromTo { from, to, overwrites } = field;
            let (from, to) = (value(from), value(to));
            (name, FromTo { from, to, overwrites })
        });
        redacted.collect()
    }

    /// The names of groups tell of the organisation.
    fn groups(&self, groups: OperatorGroups) -> OperatorGroups {
        let marked = |groups: Seen<Vec<Group>>| {
            groups.map(|groups| {
                let marked = groups.into_iter().map(|group| Group {
                    name: self.value(&group.name).into(),
                    id: group.id,
                });
                marked.collect()
            })
        };
        OperatorGroups {
            operator_groups: marked(groups.operator_groups),
            permission_groups: marked(groups.permission_groups),
        }
    }

    /// Every part by its name, so that a new one cannot slip through.
    fn change(&self, change: ChangeView) -> ChangeView {
        let ChangeView {
            id,
            action,
            key,
            person_id,
            operator,
            // Ids stay, logins and addresses do not.
            operator_names: _,
            operator_groups,
            operators_kept_archived,
            fields,
            twin,
            other,
            evidence,
            depends_on,
            why,
            verdict,
            holds,
            choices,
        } = change;
        let holds = holds.into_iter().map(|hold| HoldView {
            // Who said no, and what they wrote, is nobody else's business.
            message: match hold.code.as_str() {
                "rejected" => "rejected; approve to lift".to_owned(),
                _code => self.text(&hold.message),
            },
            ..hold
        });
        let evidence = evidence.into_iter().map(|mut evidence| {
            evidence.detail = self.text(&evidence.detail);
            evidence
        });
        let groups = operator_groups.into_iter();
        let card = |TwinView { person_id, fields }| TwinView {
            person_id,
            fields: self.fields(fields),
        };
        ChangeView {
            id,
            action,
            key: key.map(|key| self.key(key.as_str())),
            person_id,
            operator,
            operator_names: OperatorNames::default(),
            operator_groups: groups
                .map(|(operator, groups)| (operator, self.groups(groups)))
                .collect(),
            operators_kept_archived,
            fields: self.fields(fields),
            twin: twin.map(card),
            other: other.map(card),
            evidence: evidence.collect(),
            depends_on,
            why: why.iter().map(|why| self.text(why)).collect(),
            verdict,
            holds: holds.collect(),
            choices,
        }
    }

    fn conflict(&self, conflict: Conflict) -> Conflict {
        let records = conflict.records.into_iter().map(|record| RecordRef {
            source: record.source,
            place: self.place(record.place),
        });
        Conflict {
            key: self.key(conflict.key.as_str()),
            records: records.collect(),
            ..conflict
        }
    }

    fn rejection(&self, rejection: Rejection) -> Rejection {
        Rejection {
            key: rejection.key.map(|key| self.key(key.as_str())),
            place: self.place(rejection.place),
            message: self.text(&rejection.message),
            content: Box::default(),
            ..rejection
        }
    }

    /// Every part by its name, so that a new one cannot slip through.
    fn concern(&self, concern: Concern) -> Concern {
        let Concern {
            id,
            code,
            addressee,
            key,
            person_id,
            name: _,
            operator,
            places,
            what,
            cure,
            acceptance,
            rejected_by: _,
        } = concern;
        Concern {
            id,
            code,
            addressee,
            key: key.map(|key| self.key(key.as_str())),
            person_id,
            name: None,
            operator,
            places: places.iter().map(|place| self.text(place)).collect(),
            what: self.text(&what),
            cure: self.text(&cure),
            acceptance,
            rejected_by: None,
        }
    }

    fn skip(&self, skip: Skip) -> Skip {
        Skip {
            key: skip.key.map(|key| self.key(key.as_str())),
            detail: self.text(&skip.detail),
            mark: String::new(),
            ..skip
        }
    }

    /// A sentence with every key and value in it replaced: the longest that begins at a word and ends with one.
    fn text(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        let mut within_word = false;
        while let Some(letter) = rest.chars().next() {
            let id = leading_id(rest);
            let found = if within_word || !letter.is_alphanumeric() {
                None
            } else {
                self.leading(rest)
            };
            let (taken, put) = match (within_word, id, found) {
                (false, Some(id), _) => (id.len(), id.to_owned()),
                (_, _, Some((length, mark))) => (length, mark),
                (_, _, None) => (letter.len_utf8(), letter.to_string()),
            };
            within_word = letter.is_alphanumeric();
            redacted.push_str(&put);
            rest = &rest[taken..];
        }
        redacted
    }

    /// The longest key or value at the beginning of a text, and its mark.
    fn leading(&self, text: &str) -> Option<(usize, String)> {
        let ends = word_ends(text).take(MOST_WORDS);
        let found = ends.filter_map(|end| {
            let candidate = &text[..end];
            if self.keys.contains(candidate) {
                return Some((end, self.key(candidate).to_string()));
            }
            let known = self.values.binary_search_by(|value| value.as_str().cmp(candidate));
            known.ok().map(|_| (end, format!("value-{}", self.short(candidate))))
        });
        found.last()
    }
}

/// Where the words of a text end.
fn word_ends(text: &str) -> impl Iterator<Item = usize> {
    let letters = text.char_indices();
    let following = text.chars().skip(1).map(Some).chain([None]);
    letters.zip(following).filter_map(|((at, letter), next)| {
        let ends = letter.is_alphanumeric() && next.is_none_or(|next| !next.is_alphanumeric());
        ends.then_some(at + letter.len_utf8())
    })
}

/// A card's id at the beginning of a text: it stays whole.
fn leading_id(text: &str) -> Option<&str> {
    let end = text
        .find(|letter: char| !letter.is_ascii_hexdigit() && letter != '-')
        .unwrap_or(text.len());
    let id = &text[..end];
    (id.len() == ID_CHARS && id.matches('-').count() == 4).then_some(id)
}
