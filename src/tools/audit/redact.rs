//! An audit for a ticket: what is found, how often and about which cards stays; values of people become marks.

use super::Audit;
use super::finding::{Fact, Finding, Subject};
use crate::core::reads::snapshot::SnapshotSummary;

pub(super) fn redacted(audit: Audit, mark: &dyn Fn(&str) -> String) -> Audit {
    let fact = |fact: Fact| Fact {
        value: if fact.personal { mark(&fact.value) } else { fact.value },
        ..fact
    };
    let subject = |subject: Subject| Subject {
        key: subject.key.map(|key| mark(&key)),
        facts: subject.facts.into_iter().map(fact).collect(),
        ..subject
    };
    let finding = |finding: Finding| Finding {
        subjects: finding.subjects.into_iter().map(subject).collect(),
        ..finding
    };
    Audit {
        findings: audit.findings.into_iter().map(finding).collect(),
        snapshots: audit.snapshots.into_iter().map(bare).collect(),
        ..audit
    }
}

/// A read without the words of its findings: they can name keys.
fn bare(mut snapshot: SnapshotSummary) -> SnapshotSummary {
    for finding in &mut snapshot.findings {
        finding.message = finding.code.to_string();
    }
    snapshot
}
