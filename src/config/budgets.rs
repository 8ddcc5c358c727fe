//! The limits that hold when the configuration is silent (RULES 8.2), and the classes by name.

use super::units::Percent;
use super::{BudgetConfig, GuardConfig};

const fn budget(max: Option<u32>, percent: Option<f64>) -> BudgetConfig {
    BudgetConfig {
        max,
        percent: match percent {
            Some(share) => Some(Percent(share)),
            None => None,
        },
    }
}

/// What a class has when the file does not name it.
const DEFAULTS: GuardConfig = GuardConfig {
    archive: Some(budget(Some(20), Some(2.0))),
    unarchive: Some(budget(Some(10), Some(1.0))),
    create: Some(budget(None, Some(5.0))),
    names: Some(budget(None, Some(2.0))),
    blanked_fields: Some(budget(None, Some(2.0))),
    lookups: Some(budget(Some(10), None)),
    adopt: Some(budget(Some(0), None)),
    keys: Some(budget(Some(0), None)),
    anonymize: Some(budget(Some(0), None)),
    operators: Some(budget(Some(0), None)),
    operators_woken: Some(budget(Some(0), None)),
    protect: super::ProtectConfig {
        keys: Vec::new(),
        cards: Vec::new(),
        query: None,
    },
};

impl GuardConfig {
    /// Every class by its name in the file, with what the file says.
    pub fn written(&self) -> [(&'static str, Option<BudgetConfig>); 11] {
        let GuardConfig {
            archive,
            unarchive,
            create,
            names,
            blanked_fields,
            lookups,
            adopt,
            keys,
            anonymize,
            operators,
            operators_woken,
            protect: _,
        } = self;
        [
            ("archive", *archive),
            ("unarchive", *unarchive),
            ("create", *create),
            ("names", *names),
            ("blanked_fields", *blanked_fields),
            ("lookups", *lookups),
            ("adopt", *adopt),
            ("keys", *keys),
            ("anonymize", *anonymize),
            ("operators", *operators),
            ("operators_woken", *operators_woken),
        ]
    }

    /// With the defaults where the file is silent. A class that the file names has what the file says and nothing else:
    /// `archive: { max: 50 }` has no percentage.
    pub fn with_defaults(&self) -> GuardConfig {
        GuardConfig {
            archive: self.archive.or(DEFAULTS.archive),
            unarchive: self.unarchive.or(DEFAULTS.unarchive),
            create: self.create.or(DEFAULTS.create),
            names: self.names.or(DEFAULTS.names),
            blanked_fields: self.blanked_fields.or(DEFAULTS.blanked_fields),
            lookups: self.lookups.or(DEFAULTS.lookups),
            adopt: self.adopt.or(DEFAULTS.adopt),
            keys: self.keys.or(DEFAULTS.keys),
            anonymize: self.anonymize.or(DEFAULTS.anonymize),
            operators: self.operators.or(DEFAULTS.operators),
            operators_woken: self.operators_woken.or(DEFAULTS.operators_woken),
            protect: self.protect.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_limit_when_the_file_is_silent() {
        for (class, budget) in GuardConfig::default().with_defaults().written() {
            let budget = budget.unwrap_or_else(|| panic!("{class} has a default"));
            assert!(budget.max.is_some() || budget.percent.is_some(), "{class}");
        }
    }

    #[test]
    fn what_the_file_says_replaces_the_default_whole() {
        let guard = GuardConfig {
            archive: Some(budget(Some(50), None)),
            ..GuardConfig::default()
        };
        assert_eq!(guard.with_defaults().archive, Some(budget(Some(50), None)));
        assert_eq!(guard.with_defaults().operators, Some(budget(Some(0), None)));
    }
}
