//! The limits that hold when the configuration is silent (RULES 8.2), and the classes by name.

use super::units::Percent;
use super::{BudgetConfig, GuardConfig};
use crate::core::rules::policy::{Budget, Budgets};

fn budget(budget: Budget) -> Option<BudgetConfig> {
    Some(BudgetConfig {
        max: budget.max,
        percent: budget.percent.map(Percent),
        per_week: budget.per_week,
    })
}

impl GuardConfig {
    /// Every class by its name in the file, with what the file says.
    pub fn written(&self) -> [(&'static str, Option<BudgetConfig>); 13] {
        let GuardConfig {
            archive,
            unarchive,
            create,
            names,
            blanked_fields,
            changed_fields,
            changed_logins,
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
            ("changed_fields", *changed_fields),
            ("changed_logins", *changed_logins),
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
        let silent = Budgets::default();
        GuardConfig {
            archive: self.archive.or(budget(silent.archive)),
            unarchive: self.unarchive.or(budget(silent.unarchive)),
            create: self.create.or(budget(silent.create)),
            names: self.names.or(budget(silent.names)),
            blanked_fields: self.blanked_fields.or(budget(silent.blanked_fields)),
            changed_fields: self.changed_fields.or(budget(silent.changed_fields)),
            changed_logins: self.changed_logins.or(budget(silent.changed_logins)),
            lookups: self.lookups.or(budget(silent.lookups)),
            adopt: self.adopt.or(budget(silent.adopt)),
            keys: self.keys.or(budget(silent.keys)),
            anonymize: self.anonymize.or(budget(silent.anonymize)),
            operators: self.operators.or(budget(silent.operators)),
            operators_woken: self.operators_woken.or(budget(silent.operators_woken)),
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
            archive: Some(BudgetConfig {
                max: Some(50),
                percent: None,
                per_week: None,
            }),
            ..GuardConfig::default()
        };
        assert_eq!(
            guard.with_defaults().archive,
            Some(BudgetConfig {
                max: Some(50),
                percent: None,
                per_week: None
            })
        );
        assert_eq!(
            guard.with_defaults().operators,
            Some(BudgetConfig {
                max: Some(0),
                percent: None,
                per_week: None
            })
        );
    }
}
