//! Findings of one read, those that a human may accept among them. One item stands for all of these together: an
//! approval waives what it was shown, and is bound to what each finding is about.

use crate::core::model::ids::{ItemId, SourceName};
use crate::core::plan::short_hash;
use crate::core::reads::snapshot::{Effect, Finding, Use, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// The findings of a read, while it is judged.
pub(super) struct Doubts {
    name: SourceName,
    findings: Vec<Finding>,
    /// What a finding that can be accepted is about, by its code: another content needs another approval.
    bound: BTreeMap<Box<str>, Vec<u8>>,
}

/// What comes of them.
pub(super) struct Judgement {
    pub findings: Vec<Finding>,
    pub verdict: Verdict,
    /// Set while a human may accept what was found, and has not.
    pub acceptance: Option<ItemId>,
    /// What a human has accepted of it: the item that was approved.
    pub accepted: Option<ItemId>,
}

impl Doubts {
    /// Begins with what the read itself noticed.
    pub fn new(name: &SourceName, findings: Vec<Finding>) -> Self {
        Self {
            name: name.clone(),
            findings,
            bound: BTreeMap::new(),
        }
    }

    /// Whether the read can be used as far as is known.
    pub fn usable(&self) -> bool {
        !self.findings.iter().any(|finding| finding.effect == Effect::Reject)
    }

    /// A finding that nobody can accept.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Findings that nobody can accept.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// A finding that a human may accept: `bound` is all that the approval is for.
    pub fn add_acceptable(
        &mut self,
        (code, effect): (&str, Effect),
        message: String,
        cure: &str,
        bound: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) {
        let text = self.bound.entry(code.into()).or_default();
        for part in bound {
            text.extend_from_slice(part.as_ref());
            text.push(0);
        }
        self.findings.push(Finding::new(code, effect, message, cure));
    }

    fn item(&self) -> ItemId {
        let mut text = self.name.as_str().as_bytes().to_vec();
        for (code, bound) in &self.bound {
            text.push(1);
            text.extend_from_slice(code.as_bytes());
            text.push(0);
            text.extend_from_slice(bound);
        }
        ItemId::new(short_hash(&text))
    }

    /// The verdict. A read that cannot be used at all is not offered for approval: that would only mislead.
    pub fn close(mut self, accepted: &BTreeSet<ItemId>, degraded: &BTreeSet<Use>) -> Judgement {
        let item = self.item();
        let usable = self.usable();
        let waits = usable && !self.bound.is_empty();
        let is_accepted = waits && accepted.contains(&item);
        let mut rejected = false;
        let mut cannot = BTreeSet::new();
        for finding in &mut self.findings {
            let acceptable = match finding.effect {
                Effect::Note | Effect::NoAbsence | Effect::Reject => false,
                Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable | Effect::RejectAcceptable => true,
            };
            if acceptable && waits {
                finding.cure = format!("{}; if this is how it should be: cardsync approve {item}", finding.cure);
            }
            match finding.effect {
                Effect::Note => {}
                Effect::NoAbsenceAcceptable | Effect::NoReturnAcceptable | Effect::RejectAcceptable if is_accepted => {}
                Effect::NoAbsence | Effect::NoAbsenceAcceptable => cannot.extend(degraded.iter().copied()),
                Effect::NoReturnAcceptable => {
                    cannot.insert(Use::Return);
                }
                Effect::RejectAcceptable | Effect::Reject => rejected = true,
            }
        }
        let verdict = if rejected {
            Verdict::Rejected
        } else if cannot.is_empty() {
            Verdict::Complete
        } else {
            Verdict::Degraded { cannot }
        };
        self.findings
            .sort_by(|a, b| b.effect.cmp(&a.effect).then_with(|| a.code.cmp(&b.code)));
        Judgement {
            findings: self.findings,
            verdict,
            acceptance: (waits && !is_accepted).then(|| item.clone()),
            accepted: is_accepted.then_some(item),
        }
    }
}
