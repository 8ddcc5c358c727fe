//! A read against earlier ones: size, keyless and unreadable records, attributes, groups, freshness (RULES 3.2, 3.3).

use super::doubts::Doubts;
use crate::core::model::ids::SourceName;
use crate::core::model::record::SourceRecord;
use crate::core::reads::profile::Profile;
use crate::core::reads::snapshot::{Effect, Finding, SnapshotHistory};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;

/// A time further ahead than this is no time to compare with.
const AHEAD: Duration = Duration::minutes(10);

/// The same of a date in a name, which may be of another time zone and of tomorrow.
const NAMED_AHEAD: Duration = Duration::days(2);

/// How much smaller the read is than its yardstick, where that is too much.
pub(super) fn drop_message(name: &SourceName, count: u64, reference: u64, max_percent: f64) -> Option<String> {
    if count >= reference || reference == 0 {
        return None;
    }
    let drop = (reference - count) as f64 * 100.0 / reference as f64;
    (drop > max_percent).then(|| {
        format!("{name} has {count} records, {reference} in its largest read of the last 14 days: {drop:.1} % fewer, at most {max_percent} % is accepted")
    })
}

/// Rows of an export with a row per contract, counted as people are: somebody whose current row is lost is still there by the
/// rows that have ended.
pub(super) fn fewer_rows(
    name: &SourceName,
    records: &[SourceRecord],
    rows: u64,
    history: &SnapshotHistory,
    max_percent: f64,
    doubts: &mut Doubts,
) {
    // Where the rows were not counted before, there is nothing to compare with.
    let before = [&history.reference, &history.last_good].into_iter().flatten();
    let reference = before.map(|before| before.rows).max().unwrap_or(0);
    if rows == 0 || rows >= reference {
        return;
    }
    let drop = (reference - rows) as f64 * 100.0 / reference as f64;
    if drop > max_percent {
        doubts.add_acceptable(
            ("rows_dropped", Effect::RejectAcceptable),
            format!(
                "{name} has {rows} rows with a key, {reference} in its largest read of the last 14 days: {drop:.1} % fewer, \
                 at most {max_percent} % is accepted"
            ),
            "check the export or filter",
            // Accepted is exactly this content: these people with so many rows each.
            records.iter().flat_map(|record| {
                let rows = record.rows.as_ref().map_or(0, |rows| rows.all.len());
                [record.key.to_string(), rows.to_string()]
            }),
        );
    }
}

/// Attributes that went mostly empty: what they would clear is not known (RULES 3.5). Gives their names.
pub(super) fn emptied(
    name: &SourceName,
    profile: &Profile,
    history: &SnapshotHistory,
    max_percent: f64,
    doubts: &mut Doubts,
) -> BTreeSet<String> {
    let Some(before) = &history.last_good else {
        return BTreeSet::new();
    };
    let mut names = BTreeSet::new();
    let mut found = profile.emptied_since(before, max_percent);
    let told = found.len();
    for emptied in profile.emptied_in_groups(before) {
        if !found[..told].iter().any(|whole| whole.attribute == emptied.attribute) {
            found.push(emptied);
        }
    }
    for emptied in found {
        let attribute = &emptied.attribute;
        let inside = match &emptied.group {
            Some((kind, value)) => format!(" with {kind} '{value}'"),
            None => String::new(),
        };
        let message = format!(
            "{name} has '{attribute}' in {} of {} records{inside}, {} of {} in its last good read: its values are not \
             known, and nobody counts as absent",
            emptied.filled, emptied.records, emptied.filled_before, emptied.records_before
        );
        doubts.add_acceptable(
            ("attribute_emptied", Effect::NoAbsenceAcceptable),
            message,
            "look at the right of the account to read it there, or have it filled again at the source",
            [attribute.clone(), inside, emptied.filled.to_string()],
        );
        names.insert(emptied.attribute);
    }
    names
}

/// Whether the yardstick was read under other `skip` and `exclude` options.
pub(super) fn skips_otherwise(profile: &Profile, history: &SnapshotHistory) -> bool {
    history
        .reference
        .as_ref()
        .is_some_and(|reference| reference.skip_rule != profile.skip_rule)
}

/// Groups that lost many of their people: a department, a site, a part of the directory.
pub(super) fn shrunk(
    name: &SourceName,
    profile: &Profile,
    history: &SnapshotHistory,
    max_percent: f64,
    doubts: &mut Doubts,
) {
    let Some(before) = &history.reference else { return };
    for group in profile.shrunk_since(before, max_percent) {
        let (attribute, value) = (&group.attribute, &group.value);
        let what = format!(
            "{name} has {} records with {attribute} '{value}', {} in its largest read of the last 14 days",
            group.count, group.before
        );
        if group.moved {
            let message = format!("{what}; the people are elsewhere in it");
            doubts.add(Finding::new(
                "group_moved",
                Effect::Note,
                message,
                "nothing, if this was reorganised",
            ));
        } else {
            doubts.add_acceptable(
                ("group_shrank", Effect::NoAbsenceAcceptable),
                format!("{what}: nobody counts as absent from it"),
                "check the export, the filter and the rights of the account",
                [attribute.clone(), value.clone(), group.count.to_string()],
            );
        }
    }
}

/// Words of the conditions that picked out many people and hardly any now (RULES 4.7): nobody comes back by such a read.
pub(super) fn vanished(name: &SourceName, profile: &Profile, history: &SnapshotHistory, doubts: &mut Doubts) {
    let Some(before) = &history.last_good else { return };
    for gone in profile.vanished_since(before) {
        let (condition, count, before) = (&gone.condition, gone.count, gone.before);
        let what = match &gone.comparison {
            Some(comparison) => format!("{condition}, {comparison},"),
            None => condition.clone(),
        };
        let message = format!(
            "{name}: {what} picked out {before} records in the last good read and {count} now, and the records are still \
             there: nobody who had left or was out of scope gets a card or is made active again by it"
        );
        let cure =
            format!("if a word, a group or an organisational unit was renamed, write the new name in {condition}");
        let bound = [
            condition.clone(),
            gone.comparison.unwrap_or_default(),
            count.to_string(),
        ];
        doubts.add_acceptable(("evidence_vanished", Effect::NoReturnAcceptable), message, &cure, bound);
    }
}

/// An export older than the last accepted one, content that was there before, or a directory that is behind itself.
pub(super) fn older(
    name: &SourceName,
    profile: &Profile,
    history: &SnapshotHistory,
    now: DateTime<Utc>,
    doubts: &mut Doubts,
) {
    // A file that claims to be from the future, once accepted, must not make every later one an old one.
    let latest_name = now.naive_utc() + NAMED_AHEAD;
    let named = history
        .last_name_date
        .filter(|last| *last <= latest_name)
        .zip(profile.name_date);
    if let Some((last, own)) = named
        && own < last
    {
        doubts.add(Finding::new(
            "older_export",
            Effect::Reject,
            format!("the newest file of {name} is of {own} by its name, the export that was accepted last of {last}"),
            "put the newest export in its folder; an older one is never read in the place of a newer one",
        ));
        return;
    }
    // A newer date in the name says more than the time of a copy.
    let newer_by_name = named.is_some_and(|(last, own)| own > last);
    let last = history
        .last_modified_at
        .filter(|last| *last <= now + AHEAD && !newer_by_name);
    if let (Some(last), Some(modified)) = (last, profile.modified_at)
        && modified < last
    {
        let behind = last - modified;
        let behind = match behind.num_hours() {
            0..=1 => format!("{} minutes", behind.num_minutes()),
            hours => format!("{hours} hours"),
        };
        doubts.add(Finding::new(
            "older_export",
            Effect::Reject,
            format!("{name} was written {behind} before the export that was accepted last"),
            "put the newest export in its place; if this one is right, give it a new modification time (touch)",
        ));
        return;
    }
    let Some(before) = &history.last_good else { return };
    if let Some(content) = profile
        .content
        .as_ref()
        .filter(|content| before.content.as_ref() != Some(*content))
        && history.earlier_contents.contains(content)
    {
        // One step back with the same people, or more, is a mistake that was corrected: nobody is missing by it.
        let same_people = profile.people.is_some() && profile.people == before.people;
        if history.content_before() == Some(&**content) && (same_people || profile.records > before.records) {
            doubts.add(Finding::new(
                "change_taken_back",
                Effect::Note,
                format!("{name} has the content again that it had before its last change: the change was taken back"),
                "nothing, if a mistake was corrected; else see whether an old export was put in its place",
            ));
            return;
        }
        doubts.add_acceptable(
            ("content_went_back", Effect::NoAbsenceAcceptable),
            format!(
                "{name} has the content of an earlier export again, not of the last one: nobody counts as absent from it"
            ),
            "see whether an old export was put in its place",
            [content.as_bytes()],
        );
    }
    for replica in profile.behind(before) {
        let mark = |profile: &Profile| profile.update_marks.get(&replica).cloned().unwrap_or_default();
        doubts.add_acceptable(
            ("directory_went_back", Effect::NoAbsenceAcceptable),
            format!(
                "{name}: {replica} is at update {}, it was at {} in the last good read: it was restored, or lags behind; \
                 nobody counts as absent from it",
                mark(profile),
                mark(before)
            ),
            "look at the server and its replication",
            // Its mark rises with every change of today: the approval is for having fallen behind this one.
            [replica.clone(), mark(before)],
        );
    }
}
