//! An audit as text: counts first, then each finding with a few of those whom it concerns, then the key.

use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::{counted, snapshot_lines};
use crate::tools::audit::{Area, Audit, Fact, Finding, LookedLevel, Severity, Subject};
use chrono_tz::Tz;

/// Subjects that are named per finding; `--all` names everybody.
const FEW: usize = 5;

/// What is shown, and how.
pub(crate) struct AuditText<'a> {
    pub(crate) audit: &'a Audit,
    pub(crate) environment: &'a str,
    pub(crate) zone: Tz,
    pub(crate) all: bool,
    pub(crate) paint: Paint,
}

/// What is known of somebody, on one line.
pub(crate) fn facts(subject: &Subject) -> String {
    let facts: Vec<String> = subject.facts.iter().map(Fact::to_string).collect();
    facts.join("; ")
}

/// How many findings of each weight there are, in words.
pub(crate) fn weights(audit: &Audit) -> String {
    let parts: Vec<String> = Severity::IN_ORDER
        .into_iter()
        .filter(|severity| *severity > Severity::Note)
        .filter_map(|severity| {
            let of = audit.findings.iter().filter(|finding| finding.severity == severity);
            let count = of.count();
            (count > 0).then(|| format!("{count} {}", severity.word()))
        })
        .collect();
    match parts.as_slice() {
        [] if audit.not_known.is_empty() => "Nothing to do.".to_owned(),
        [] => "Nothing was found, but not all is known, see the end.".to_owned(),
        parts => {
            let findings = counted(audit.to_do().count() as u64, "finding");
            format!("{findings} to look at: {}.", parts.join(", "))
        }
    }
}

impl AuditText<'_> {
    pub(crate) fn whole(&self) -> String {
        let mut text = String::new();
        let audit = self.audit;
        let at = audit.at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M %Z");
        let title = format!("Audit of {} at {at}: {}", self.environment, weights(audit));
        line!(text, "{}", self.paint.strong(&title));
        let sizes = &audit.sizes;
        line!(
            text,
            "  {}, {} of them with {}; {} archived; {}, {}",
            counted(sizes.active_cards, "active card"),
            sizes.active_with_key,
            audit.key_field,
            sizes.archived_cards,
            counted(sizes.active_operators, "active operator"),
            counted(sizes.api_accounts, "API account"),
        );
        if let (Some(people), Some(left)) = (sizes.people, sizes.left) {
            line!(text, "  {people} people of the sources work here, {left} have left");
        }
        for area in Area::IN_ORDER {
            let findings: Vec<&Finding> = audit.findings.iter().filter(|finding| finding.area == area).collect();
            if !findings.is_empty() {
                line!(text, "\n{}", self.paint.strong(area.title()));
                findings
                    .into_iter()
                    .for_each(|finding| self.finding(&mut text, finding));
            }
        }
        self.keys(&mut text);
        self.not_known(&mut text);
        line!(text, "\n{}", self.paint.strong("Read"));
        for snapshot in &audit.snapshots {
            text.push_str(&snapshot_lines(snapshot, self.paint));
        }
        let first_write = |level: LookedLevel| level == LookedLevel::FirstWriteTells;
        if audit.surroundings.looked.iter().any(|looked| first_write(looked.level)) {
            text.push_str("  Rights to write show only when something is written: `cardsync check` lists those that are needed.\n");
        }
        text
    }

    fn finding(&self, text: &mut String, finding: &Finding) {
        let mark = match finding.severity {
            Severity::High => self.paint.bad("HIGH  "),
            Severity::Medium => self.paint.warn("medium"),
            Severity::Low => "low   ".to_owned(),
            Severity::Note => self.paint.good("note  "),
        };
        let count = if finding.subjects.is_empty() && finding.count == 1 {
            String::new()
        } else {
            format!(": {}", finding.count)
        };
        line!(text, "{mark} {}{count}", finding.title);
        line!(text, "       {}", finding.why);
        if finding.severity > Severity::Note {
            let helps = finding
                .command
                .as_ref()
                .map_or_else(String::new, |command| format!(" (`cardsync {command}`)"));
            line!(text, "       -> {}{helps}", finding.cure);
        }
        let shown = if self.all { finding.subjects.len() } else { FEW };
        for subject in finding.subjects.iter().take(shown) {
            let parts: Vec<String> = [
                subject.key.clone(),
                subject.card.as_ref().map(|card| format!("card {card}")),
                subject.operator.as_ref().map(|operator| format!("operator {operator}")),
            ]
            .into_iter()
            .flatten()
            .collect();
            line!(text, "         {}", parts.join(", "));
            line!(text, "           {}", facts(subject));
        }
        if finding.subjects.len() > shown {
            line!(
                text,
                "         and {} more (--all, --csv)",
                finding.subjects.len() - shown
            );
        }
    }

    fn keys(&self, text: &mut String) {
        line!(text, "\n{}", self.paint.strong("What could be the key"));
        line!(
            text,
            "  {:<24}{:>8}{:>8}{:>8}{:>9}  {:<22}",
            "",
            "filled",
            "unique",
            "shared",
            "changes",
            "finds of the sources"
        );
        for key in &self.audit.keys {
            let found = match (&key.matches, key.holds_source_keys) {
                (Some(matches), _) => format!("{} of {}", matches.paired, matches.people),
                (None, Some(cards)) => format!("{cards} cards hold a key"),
                (None, None) => "not known".to_owned(),
            };
            line!(
                text,
                "  {:<24}{:>8}{:>8}{:>8}{:>9}  {found}",
                key.field.to_string(),
                key.filled,
                key.unique,
                key.shared,
                if key.changes.is_some() { "yes" } else { "no" },
            );
        }
        let advice = &self.audit.advice;
        line!(text, "  Best: {}", self.paint.good(&advice.field.to_string()));
        for reason in &advice.reasons {
            line!(text, "    - {reason}");
        }
        line!(text, "    -> {}", advice.next);
    }

    fn not_known(&self, text: &mut String) {
        if self.audit.not_known.is_empty() {
            return;
        }
        line!(text, "\n{}", self.paint.strong("Not known"));
        for unknown in &self.audit.not_known {
            line!(text, "  {}: {}", unknown.what, unknown.why);
        }
    }
}
