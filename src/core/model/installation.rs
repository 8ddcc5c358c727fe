//! What a TOPdesk is like apart from its data: its version, what cardsync's account may do, what answers show. An
//! application manager or an upgrade changes them between two runs, and with them what an archive does to an operator.

use crate::core::model::surroundings::ARCHIVING_FOLLOWS;
use crate::core::model::surroundings::Version;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What one read saw of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Version of the product; `None` where TOPdesk does not say.
    #[serde(default)]
    pub product: Option<Version>,
    /// Names of the permission groups of cardsync's account; `None` where they cannot be read.
    #[serde(default)]
    pub permission_groups: Option<BTreeSet<Box<str>>>,
    /// Which of the fields that tell an operator's state an answer has; `None` where no operator was shown.
    #[serde(default)]
    pub operator_fields: Option<BTreeSet<Box<str>>>,
    /// When it was seen, on the machine's clock, as decisions are.
    #[serde(default)]
    pub seen_at: Option<DateTime<Utc>>,
}

/// What is remembered of it from run to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownInstallation {
    pub last: Installation,
    /// The last difference between two runs.
    #[serde(default)]
    pub changed: Option<InstallationChange>,
}

/// A difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationChange {
    /// What is different, and what it means, in one line.
    pub what: String,
    /// What was decided before this was decided about another TOPdesk.
    pub at: DateTime<Utc>,
}

impl Installation {
    /// Whether archiving a person card archives its operator. A version that is not known is taken to do so.
    pub fn archives_operators(&self) -> bool {
        self.product.is_none_or(|version| version >= ARCHIVING_FOLLOWS)
    }

    /// What is different from before, in words. What is not known on either side is no difference.
    pub fn differences(&self, before: &Installation) -> Vec<String> {
        let mut found = Vec::new();
        if let (Some(now), Some(then)) = (self.product, before.product)
            && now != then
        {
            let means = match (before.archives_operators(), self.archives_operators()) {
                (false, true) => "from now on archiving a person card archives its operator with it",
                (true, false) => "archiving a person card does not archive its operator any more",
                (true, true) => "archiving a person card archives its operator, as before",
                (false, false) => "archiving a person card leaves its operator active, as before",
            };
            found.push(format!("TOPdesk has version {now} and had {then}: {means}"));
        }
        let joined = |names: &BTreeSet<Box<str>>| {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        };
        if let (Some(now), Some(then)) = (&self.permission_groups, &before.permission_groups)
            && now != then
        {
            found.push(format!(
                "cardsync's account has other rights: its permission groups are {} and were {}",
                joined(now),
                joined(then)
            ));
        }
        if let (Some(now), Some(then)) = (&self.operator_fields, &before.operator_fields)
            && now != then
        {
            found.push(format!(
                "answers about operators look different: they show {} and showed {}",
                joined(now),
                joined(then)
            ));
        }
        found
    }
}

impl KnownInstallation {
    /// The change that this read shows, if it shows one.
    pub fn change(known: Option<&Self>, now: &Installation) -> Option<InstallationChange> {
        let differences = now.differences(&known?.last);
        (!differences.is_empty()).then(|| InstallationChange {
            what: differences.join("; "),
            at: now.seen_at.unwrap_or_default(),
        })
    }

    /// What is remembered after this read: what it does not say stays known.
    pub fn next(known: Option<&Self>, now: &Installation) -> Self {
        let before = known.map(|known| known.last.clone()).unwrap_or_default();
        let last = Installation {
            product: now.product.or(before.product),
            permission_groups: now.permission_groups.clone().or(before.permission_groups),
            operator_fields: now.operator_fields.clone().or(before.operator_fields),
            // Only the moment of a change matters: a store does not change with every run.
            seen_at: None,
        };
        let changed = Self::change(known, now).or_else(|| known.and_then(|known| known.changed.clone()));
        Self { last, changed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(patch: u32) -> Installation {
        Installation {
            product: Some(Version(16, 6, patch)),
            ..Installation::default()
        }
    }

    #[test]
    fn only_what_is_known_on_both_sides_can_differ() {
        assert!(version(7).differences(&Installation::default()).is_empty());
        assert!(Installation::default().differences(&version(7)).is_empty());
        let known = KnownInstallation::next(None, &version(6));
        assert_eq!(known.changed, None, "the first read is no change");
        let silent = KnownInstallation::next(Some(&known), &Installation::default());
        assert_eq!(
            silent.last.product,
            Some(Version(16, 6, 6)),
            "what is not said stays known"
        );
        let change = KnownInstallation::change(Some(&silent), &version(7)).unwrap();
        assert!(
            change.what.contains("16.06.007") && change.what.contains("from now on"),
            "{}",
            change.what
        );
        assert!(!version(6).archives_operators() && version(7).archives_operators());
        assert!(Installation::default().archives_operators(), "the safe assumption");
    }
}
