//! Judges a read: complete, degraded or rejected, and why (RULES 3). Only a complete snapshot can say that somebody is missing.

use super::card::{FilterProof, TargetSnapshot};
use super::ids::{CardId, Generation, ItemId, SourceName};
use super::key::{Key, KeyReading, KeySpec, RawKey};
use super::plan::short_hash;
use super::record::{NoKey, SourceRecord, Standing, Unkeyed};
use super::snapshot::{
    Effect, Expectations, Finding, Rejection, RejectionScope, Role, Snapshot, SnapshotHistory, SnapshotSummary,
    SourceRead, Use, Verdict,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A read whose records have keys, sorted by key; before rows of one person are grouped and the read is judged.
#[derive(Clone, Debug)]
pub struct Keyed {
    pub read: SourceRead,
    pub records: Vec<SourceRecord>,
    pub keyless: u64,
    /// Records without a usable key, of a source that decides: they may be anybody's.
    pub unkeyed: Vec<Unkeyed>,
}

/// Reads the key of every record. Records without a usable key become rejections: they are present, not missing.
pub fn key_records(mut read: SourceRead, spec: &KeySpec) -> Keyed {
    let position = read.attributes.position(&read.key_attribute);
    let raw = std::mem::take(&mut read.records);
    let mut records = Vec::with_capacity(raw.len());
    let mut keyless = 0;
    let mut unkeyed = Vec::new();
    for record in raw {
        let values = position.map_or(&[][..], |at| record.values[at].as_slice());
        let mut reject = |key: Option<Key>, message: String| {
            let source = read.source.clone();
            read.rejections.push(Rejection {
                source,
                place: record.place.clone(),
                key,
                scope: RejectionScope::Record,
                message,
            });
        };
        let name = &read.key_attribute;
        let key = match values {
            [] => Err(NoKey::Empty),
            [value] => match spec.read(value) {
                KeyReading::Key(key) => Ok((key, RawKey(value.clone()))),
                KeyReading::None => Err(NoKey::Empty),
                KeyReading::Anonymized => {
                    reject(
                        None,
                        format!(
                            "{name} holds an asterisk, TOPdesk's mark of an anonymized card; correct it in the source"
                        ),
                    );
                    Err(NoKey::Anonymized)
                }
                KeyReading::TooLong { key, chars, limit } => {
                    let field = spec.card_field;
                    reject(
                        Some(key),
                        format!(
                            "{name} has {chars} characters, {field} takes {limit}; a key is never cut: correct it in the source"
                        ),
                    );
                    Err(NoKey::TooLong)
                }
            },
            several => {
                reject(
                    None,
                    format!(
                        "{name} has {} values; a person has one key: correct it in the source",
                        several.len()
                    ),
                );
                Err(NoKey::Several)
            }
        };
        match key {
            Ok((key, raw_key)) => records.push(SourceRecord {
                key,
                raw_key,
                place: record.place,
                values: record.values,
                anchor: record.anchor,
                standing: Standing::Current,
            }),
            Err(why) => {
                keyless += u64::from(why == NoKey::Empty);
                if read.role == Role::Authoritative {
                    unkeyed.push(Unkeyed { record, why });
                }
            }
        }
    }
    records.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.place.cmp(&b.place)));
    records.shrink_to_fit();
    unkeyed.shrink_to_fit();
    Keyed {
        read,
        records,
        keyless,
        unkeyed,
    }
}

/// The item that stands for accepting exactly this content of a source, in spite of its size, drop or canaries.
pub fn acceptance_item(source: &SourceName, records: &[SourceRecord]) -> ItemId {
    let mut text = source.as_str().as_bytes().to_vec();
    for record in records {
        text.push(0);
        text.extend_from_slice(record.key.as_str().as_bytes());
    }
    ItemId::new(short_hash(&text))
}

/// Judges a keyed read against what is expected of it and what earlier reads were like.
pub fn judge_source(keyed: Keyed, expected: &Expectations, history: &SnapshotHistory, now: DateTime<Utc>) -> Snapshot {
    let Keyed {
        read,
        records,
        keyless,
        unkeyed,
    } = keyed;
    let SourceRead {
        source,
        role,
        read_at,
        generation,
        attributes,
        missing_attributes,
        rejections,
        mut findings,
        modified_at,
        ..
    } = read;
    // People, not rows: an export that has every row twice must not become the yardstick for whole ones.
    let count = records.chunk_by(|a, b| a.key == b.key).count() as u64;
    // Bad fields are no doubt about who is there.
    let unreadable = rejections
        .iter()
        .filter(|rejection| rejection.scope == RejectionScope::Record)
        .count() as u64;
    let item = acceptance_item(&source, &records);
    let way_out = format!("check the export or filter; if this is how it should be: cardsync approve {item}");

    if let (Some(limit), Some(modified)) = (expected.max_age, modified_at) {
        let age = now - modified;
        if age > limit {
            findings.push(Finding::new(
                "too_old",
                Effect::Reject,
                format!(
                    "{source} is {} hours old, {} hours are accepted",
                    age.num_hours(),
                    limit.num_hours()
                ),
                "see to the job that writes the export",
            ));
        }
    }
    // A read that already cannot be used says nothing by its size: to offer its approval would only mislead.
    let whole = !findings.iter().any(|finding| finding.effect == Effect::Reject);
    if whole && count < expected.min_records {
        findings.push(Finding::new(
            "below_floor",
            Effect::RejectAcceptable,
            format!(
                "{source} has {count} records with a key, at least {} are expected",
                expected.min_records
            ),
            &*way_out,
        ));
    }
    if whole
        && let Some(reference) = history.largest_accepted
        && let Some(message) = drop_message(&source, count, reference, expected.max_drop_percent)
    {
        findings.push(Finding::new("dropped", Effect::RejectAcceptable, message, &*way_out));
    }
    let missing: Vec<&str> = expected
        .canaries
        .iter()
        .filter(|key| records.binary_search_by(|record| record.key.cmp(key)).is_err())
        .map(Key::as_str)
        .collect();
    if whole && expected.canaries.len() - missing.len() < expected.canaries_at_least {
        findings.push(Finding::new(
            "canaries_missing",
            Effect::RejectAcceptable,
            format!(
                "{source} lacks {} of {} canaries ({}), {} must be there",
                missing.len(),
                expected.canaries.len(),
                missing.join(", "),
                expected.canaries_at_least
            ),
            &*way_out,
        ));
    }
    for (code, what, today, before) in [
        (
            "more_keyless",
            "records without a key",
            keyless,
            history.last_good_keyless,
        ),
        (
            "more_unreadable",
            "unreadable records",
            unreadable,
            history.last_good_unreadable,
        ),
    ] {
        // Without an earlier good read there is nothing to compare with: this one is the first.
        let Some(before) = before else { continue };
        if today > before {
            findings.push(Finding::new(
                code,
                Effect::NoAbsence,
                format!("{source} has {today} {what}, {before} in its last good read: nobody counts as absent from it"),
                "give these records a key, or repair them, in the source",
            ));
        }
    }
    findings.sort_by(|a, b| b.effect.cmp(&a.effect).then_with(|| a.code.cmp(&b.code)));
    let accepted = history.accepted.contains(&item);
    let verdict = verdict_of(&findings, accepted, BTreeSet::from([Use::Absence]));
    let only_size = !findings.iter().any(|finding| finding.effect == Effect::Reject);
    let acceptance = (verdict == Verdict::Rejected && only_size).then_some(item);
    let summary = SnapshotSummary {
        name: source,
        role: Some(role),
        read_at,
        generation,
        records: count,
        keyless,
        unreadable,
        verdict,
        findings,
        acceptance,
    };
    Snapshot::judged(summary, attributes, missing_attributes, records, rejections).with_unkeyed(unkeyed)
}

fn verdict_of(findings: &[Finding], accepted: bool, degraded: BTreeSet<Use>) -> Verdict {
    let mut verdict = Verdict::Complete;
    for finding in findings {
        match finding.effect {
            Effect::Note => {}
            Effect::NoAbsence if verdict == Verdict::Complete => {
                verdict = Verdict::Degraded {
                    cannot: degraded.clone(),
                }
            }
            Effect::NoAbsence => {}
            Effect::RejectAcceptable if accepted => {}
            Effect::RejectAcceptable | Effect::Reject => verdict = Verdict::Rejected,
        }
    }
    verdict
}

fn drop_message(name: &SourceName, count: u64, reference: u64, max_percent: f64) -> Option<String> {
    if count >= reference || reference == 0 {
        return None;
    }
    let drop = (reference - count) as f64 * 100.0 / reference as f64;
    (drop > max_percent).then(|| {
        format!("{name} has {count} records, {reference} in its largest read of the last 14 days: {drop:.1} % fewer, at most {max_percent} % is accepted")
    })
}

/// Judges the read of TOPdesk (RULES 3.6): unique ids, count before and after, every linked card and every card of the
/// ledger in it, floor and drop. A doubt degrades it: no create, archive, unarchive, adopt or anonymize.
pub fn judge_target<'a>(
    target: &mut TargetSnapshot,
    ledger_cards: impl Iterator<Item = &'a CardId>,
    expected: &Expectations,
    history: &SnapshotHistory,
) {
    let name = SourceName::new("topdesk");
    let has = |id: &CardId| target.cards.binary_search_by(|card| card.id.cmp(id)).is_ok();
    let count = target.cards.len() as u64;
    let mut found = Vec::new();
    let mut doubt = |code: &str, message: String, cure: &str| {
        found.push(Finding::new(code, Effect::NoAbsence, message, cure));
    };
    let (before, after) = target.counts;
    if before != count || after != count {
        doubt(
            "count_differs",
            format!("TOPdesk counted {before} person cards before the read and {after} after it, {count} were read"),
            "somebody worked in TOPdesk during the read, or cards are hidden: the next run reads again",
        );
    }
    let unseen: Vec<&str> = target
        .operators
        .iter()
        .filter_map(|operator| operator.linked_person.as_ref())
        .filter(|card| !has(card))
        .map(CardId::as_str)
        .collect();
    if !unseen.is_empty() {
        doubt(
            "linked_card_unseen",
            format!(
                "{} operators are linked to person cards that were not read, e.g. {}",
                unseen.len(),
                unseen[0]
            ),
            "take the branch filters off the account",
        );
    }
    // Asked for by id and unknown, by an account that sees everything: deleted. That is drift, not a bad read.
    let deleted = |card: &CardId| target.filters == FilterProof::None && target.confirmed_gone.contains(card);
    let gone: Vec<&str> = ledger_cards
        .filter(|card| !has(card) && !deleted(card))
        .map(CardId::as_str)
        .collect();
    if !gone.is_empty() {
        doubt(
            "known_card_unseen",
            format!(
                "{} cards that cardsync keeps were not read, e.g. {}",
                gone.len(),
                gone[0]
            ),
            "were they deleted, or does the account have a branch filter? take the filter off, or delete fewer at once",
        );
    }
    if count < expected.min_records {
        doubt(
            "below_floor",
            format!(
                "TOPdesk has {count} person cards, at least {} are expected",
                expected.min_records
            ),
            "check topdesk.url and topdesk.expect",
        );
    }
    if let Some(reference) = history.largest_accepted
        && let Some(message) = drop_message(&name, count, reference, expected.max_drop_percent)
    {
        doubt(
            "dropped",
            message,
            "check the account's filters; raise topdesk.expect.max_drop if cards were really deleted",
        );
    }
    target.findings.append(&mut found);
    target
        .findings
        .sort_by(|a, b| b.effect.cmp(&a.effect).then_with(|| a.code.cmp(&b.code)));
    let degraded = BTreeSet::from([
        Use::Absence,
        Use::Create,
        Use::Archive,
        Use::Unarchive,
        Use::Adopt,
        Use::Anonymize,
    ]);
    target.verdict = verdict_of(&target.findings, false, degraded);
}

/// The read of TOPdesk, as shown and stored beside the sources.
pub fn target_summary(target: &TargetSnapshot) -> SnapshotSummary {
    SnapshotSummary {
        name: SourceName::new("topdesk"),
        role: None,
        read_at: target.read_at,
        generation: Generation::new(target.read_at.to_rfc3339()),
        records: target.cards.len() as u64,
        keyless: 0,
        unreadable: 0,
        verdict: target.verdict.clone(),
        findings: target.findings.clone(),
        acceptance: None,
    }
}
