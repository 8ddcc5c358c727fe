//! How many records `skip` and `exclude` took, against the last good read: a word or a unit that suddenly means many more
//! people, or none any more, is as doubtful as a read that suddenly has fewer.

use super::doubts::Doubts;
use crate::core::model::ids::SourceName;
use crate::core::model::record::SourceRecord;
use crate::core::reads::profile::Profile;
use crate::core::reads::skipped::Skipped;
use crate::core::reads::snapshot::{Effect, Expectations, Finding, SnapshotHistory};

/// Fewer than these say nothing: a handful of service accounts comes and goes.
const FEWEST: u64 = 5;

/// Notes what was skipped and doubts it where it is far from what the last good read skipped under the same options.
pub(super) fn judge(
    source: &SourceName,
    skipped: &Skipped,
    profile: &Profile,
    expected: &Expectations,
    history: &SnapshotHistory,
    doubts: &mut Doubts,
) {
    notes(source, skipped, doubts);
    let Some(before) = &history.last_good else { return };
    if before.skip_rule != skipped.rule {
        if before.skipped != skipped.count() {
            doubts.add(Finding::new(
                "skip_changed",
                Effect::Note,
                format!(
                    "{source}: `skip` and `exclude` are not those of the last good read: they take {} records, they took {}",
                    skipped.count(),
                    before.skipped
                ),
                "nothing, if you changed them; whoever has no other record is out of scope",
            ));
        }
        return;
    }
    let cure = "check the expression and the units it names; nobody is archived for being skipped";
    let (count, was) = (skipped.count(), before.skipped);
    let grew = count.saturating_sub(was);
    let fell = was.saturating_sub(count);
    let everybody = before.records + was;
    let large = grew >= FEWEST && grew as f64 * 100.0 > everybody as f64 * expected.max_drop_percent;
    let far = |change: u64| change >= FEWEST && change as f64 * 100.0 > was as f64 * expected.max_group_drop_percent;
    if large || far(grew) {
        let effect = if large {
            Effect::RejectAcceptable
        } else {
            Effect::NoAbsenceAcceptable
        };
        doubts.add_acceptable(
            ("more_skipped", effect),
            format!("{source}: `skip` and `exclude` take {count} records, {was} in its last good read"),
            cure,
            skipped.marks(),
        );
    } else if far(fell) && 2 * profile.records.saturating_sub(before.records) >= fell {
        // Not deleted: what was no person is one now, and would get cards.
        doubts.add_acceptable(
            ("fewer_skipped", Effect::RejectAcceptable),
            format!(
                "{source}: `skip` and `exclude` take {count} records, {was} in its last good read, and the others count as people now"
            ),
            cure,
            skipped.marks(),
        );
    }
}

fn notes(source: &SourceName, skipped: &Skipped, doubts: &mut Doubts) {
    if let Some(why) = skipped.why_undecided.as_ref().filter(|_| skipped.undecided > 0) {
        doubts.add(Finding::new(
            "skip_unknown",
            Effect::Note,
            format!(
                "{source}: `skip` gives neither yes nor no for {} records, which count as people: {why}",
                skipped.undecided
            ),
            "correct the expression, e.g. with | default('') for an attribute that some records lack",
        ));
    }
    if !skipped.idle.is_empty() {
        doubts.add(Finding::new(
            "exclude_unused",
            Effect::Note,
            format!("{source}: nothing stands at or below {}", skipped.idle.join("; ")),
            "correct the name in `exclude`, or take it out",
        ));
    }
}

/// How many keys a note names.
const MOST_NAMED: usize = 5;

/// Keys that several records of a source that only adds have: it says nothing of these people (RULES 3.4).
pub(super) fn doubled(source: &SourceName, records: &[SourceRecord]) -> Option<Finding> {
    let several = records.chunk_by(|a, b| a.key == b.key).filter(|same| same.len() > 1);
    let keys: Vec<&str> = several.filter_map(|same| Some(same.first()?.key.as_str())).collect();
    let more = match keys.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = keys.get(..MOST_NAMED).unwrap_or(&keys).join(", ");
    (!keys.is_empty()).then(|| {
        Finding::new(
            "several_records",
            Effect::Note,
            format!(
                "{source} has several records for {} {}, and what it says of these people is not known: {named}{more}",
                keys.len(),
                if keys.len() == 1 { "key" } else { "keys" }
            ),
            "take the records that are no people out with `skip` or `exclude`, e.g. second accounts of administrators; \
             correct the others in the source",
        )
    })
}
