//! The configuration as it is in effect: defaults filled in, secrets by their place.

use super::Config;

/// With every default that does not depend on the machine.
pub fn effective(config: &Config) -> Config {
    Config {
        guard: config.guard.with_defaults(),
        ..config.clone()
    }
}

/// The effective configuration as YAML. It can be read again and means the same. A secret is only its place, such as
/// `credential: topdesk`, because the configuration holds nothing else.
pub fn show(config: &Config) -> String {
    serde_yaml::to_string(&effective(config)).expect("a configuration is plain data")
}

#[cfg(test)]
mod tests {
    use super::super::load::{config_hash, from_text};
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_shown_can_be_read_again_and_means_the_same() {
        for text in [
            include_str!("../../config/cardsync.yaml"),
            include_str!("../../config/hr-only.yaml"),
            include_str!("../../config/contracts.yaml"),
            include_str!("../../config/openldap.yaml"),
            include_str!("../../config/all-options.yaml"),
        ] {
            let first = from_text(Path::new("/x/c.yaml"), text).unwrap();
            let shown = show(&first.config);
            let again = from_text(Path::new("/x/shown.yaml"), &shown).unwrap_or_else(|e| panic!("{e}\n{shown}"));
            assert_eq!(show(&again.config), shown);
            assert_eq!(config_hash(&again.config), config_hash(&first.config));
        }
    }

    #[test]
    fn defaults_and_places_of_secrets_are_shown() {
        let text = include_str!("../../config/hr-only.yaml");
        let shown = show(&from_text(Path::new("/x/c.yaml"), text).unwrap().config);
        for expected in [
            "  password:\n    env: TOPDESK_PASSWORD\n",
            "concurrency: 4",
            "archive:\n    max: 20\n    percent: 2%\n",
            "operators:\n    max: 0\n",
            "card_field: employeeNumber",
            "for: 2d",
            "path: /x/people.csv",
        ] {
            assert!(shown.contains(expected), "{expected} in\n{shown}");
        }
    }
}
