//! How a configuration reads its sources and TOPdesk, as text that two configurations are compared by (RULES 8.3).

use crate::config::decides::{NOT_THE_READ, take_out, take_out_of_source};
use crate::config::{Config, SourceConfig};
use crate::core::model::ids::SourceName;
use crate::engine::former::{ReadingRules, SourceReading};
use serde_json::{Value, json};
use std::path::PathBuf;

/// With all files named from the root: a configuration that is kept, or lies in another folder, must still name
/// the same files.
pub(super) fn with_whole_paths(config: &Config) -> Config {
    let mut config = config.clone();
    config.each_path(&mut make_whole);
    config
}

fn make_whole(path: &mut PathBuf) {
    if let Ok(whole) = std::path::absolute(&*path) {
        *path = whole;
    }
}

/// The rules of one configuration.
pub(super) fn reading_rules(config: &Config) -> ReadingRules {
    let config = with_whole_paths(config);
    // Another normaliser makes another key of the same record.
    let key = json!({ "field": config.key.card_field, "normalize": config.key.normalize });
    let mut target = serde_json::to_value(&config.topdesk).expect("a configuration is plain data");
    take_out(&mut target, &["topdesk"], NOT_THE_READ);
    target["key"] = key.clone();
    ReadingRules {
        sources: config.sources.iter().map(|source| of_source(source, &key)).collect(),
        target: target.to_string(),
        protect_query: config.guard.protect.query.clone(),
    }
}

fn of_source(source: &SourceConfig, key: &Value) -> SourceReading {
    let mut rule = serde_json::to_value(source).expect("a configuration is plain data");
    take_out_of_source(&mut rule, NOT_THE_READ);
    rule["key of cards"] = key.clone();
    let common = source.common();
    SourceReading {
        name: SourceName::new(common.name),
        role: common.role,
        rule: rule.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn rules(change: impl Fn(&str) -> String) -> ReadingRules {
        let text = change(include_str!("../../config/all-options.yaml"));
        let loaded = crate::config::load::from_text(Path::new("/x/c.yaml"), &text).unwrap_or_else(|e| panic!("{e}"));
        reading_rules(&loaded.config)
    }

    #[test]
    fn only_what_changes_the_read_makes_another_rule() {
        let plain = || rules(str::to_owned);
        let with = |from: &str, to: &str| {
            rules(|text| {
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            })
        };
        assert_eq!(plain(), plain());
        assert_eq!(
            with(
                "archive: { max: 20, percent: 2%, per_week: 30 }",
                "archive: { max: 10 }"
            ),
            plain()
        );
        let other = with("username: api-cardsync", "username: api-other");
        assert_ne!(other.target, plain().target);
        assert_eq!(other.sources, plain().sources);
    }
}
