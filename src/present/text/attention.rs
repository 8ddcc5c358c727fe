//! What a plan says where nothing is done, and what of it needs a human.

use super::Shown;
use crate::core::plan::SkipReason;
use crate::core::plan::concern::{Concern, ConcernCode};
use crate::core::plan::report::RunCounts;
use crate::core::reads::snapshot::Verdict;
use crate::present::concerns::open_line;
use crate::present::lines::line;
use crate::present::words::counted;

/// How much somebody has set aside as known; nothing where that is nothing.
pub(crate) fn set_aside(known: u64) -> Option<String> {
    (known > 0).then(|| {
        let (needs, were) = if known == 1 { ("needs", "was") } else { ("need", "were") };
        format!(
            "{} that {needs} a human {were} set aside: see cardsync holds",
            counted(known, "thing")
        )
    })
}

/// How much needs a human, in the last line of a run.
pub(crate) fn needs_a_human(counts: &RunCounts) -> Option<String> {
    match counts.needs_attention() {
        0 => None,
        1 => Some("1 thing needs a human: see cardsync holds".to_owned()),
        more => Some(format!("{more} things need a human: see cardsync holds")),
    }
}

impl Shown<'_> {
    /// That nobody can be seen to leave, with the first reason.
    pub(super) fn nobody_judged(&self) -> String {
        let plan = &self.judged.plan;
        let unknown = |reason| matches!(reason, SkipReason::LeavingUnknown | SkipReason::ScopeUnknown);
        let why = plan.skipped.iter().find(|skip| unknown(skip.reason));
        format!(
            "NOBODY IS SEEN TO LEAVE, and no new card is made: of all {} it is not known whether they leave ({})",
            counted(plan.judged.unknown, "record"),
            why.map_or("see below", |skip| skip.detail.as_str())
        )
    }

    /// Why there are no changes. Neither a source that could not be used nor a person about whom nothing could be decided is
    /// a reason to say that all is well.
    pub(super) fn nothing_to_do(&self) -> String {
        let plan = &self.judged.plan;
        let unusable: Vec<&str> = plan
            .snapshots
            .iter()
            .filter(|snapshot| !matches!(snapshot.verdict, Verdict::Complete))
            .map(|snapshot| snapshot.name.as_str())
            .collect();
        let open = self.judged.concerns.iter().filter(|concern| concern.is_open()).count();
        if !unusable.is_empty() {
            let line = format!("No changes, but not all is known: see {} below.", unusable.join(", "));
            return self.paint.bad(&line);
        }
        if plan.judged.unknown > 0 && self.only.is_none() {
            let unknown = counted(plan.judged.unknown, "record");
            return self.paint.bad(&format!(
                "No changes, but of {unknown} it is not known whether they leave: see below."
            ));
        }
        if open > 0 {
            return self.paint.warn("No changes, but not everything is in order.");
        }
        if let Some(aside) = set_aside(self.known()) {
            return self.paint.warn(&format!("No changes; {aside}."));
        }
        if let Some(person) = self.only {
            return format!("Nothing to do for {person}.");
        }
        let are = if plan.base == 1 { "is" } else { "are" };
        format!("Nothing to do: {} {are} in step.", counted(plan.base, "card"))
    }

    fn known(&self) -> u64 {
        self.judged.concerns.iter().filter(|concern| !concern.is_open()).count() as u64
    }

    /// What needs a human beside the held items, in one line.
    pub(super) fn needs_a_human(&self, text: &mut String) {
        if let Some(open) = open_line(self.judged.concerns.iter()) {
            let line = format!("  Needs a human: {open}.");
            line!(text, "{}", self.paint.warn(&line));
            if let Some(aside) = set_aside(self.known()) {
                line!(text, "  Besides, {aside}.");
            }
        }
    }

    /// Records without a key, with where they stand.
    pub(super) fn without_key(&self, text: &mut String) {
        let keyless = |concern: &&Concern| concern.code == ConcernCode::RecordWithoutKey;
        let found: Vec<&Concern> = self.judged.concerns.iter().filter(keyless).collect();
        if found.is_empty() {
            return;
        }
        let title = format!(
            "Records without a key ({}): nobody's, as long as they have none",
            found.len()
        );
        line!(text, "\n{}", self.paint.strong(&title));
        let lines = found.iter().map(|concern| {
            let mut line = String::new();
            line!(line, "  {}", concern.places.join("; "));
            line
        });
        self.list(text, found.len(), lines);
    }
}
