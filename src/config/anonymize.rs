//! Anonymization: who does it, when, who is exempt. Off unless written.

use super::Config;
use super::units::Span;
use crate::core::model::field::CardField;
use crate::core::model::key::{KeyReading, KeySpec};
use crate::core::rules::anonymize::{Anonymize, AnonymizeBy, LegalHold, Overwrite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What happens to the data of people whose card cardsync archived long ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnonymizeConfig {
    /// Who does it; there is no default. `topdesk`: cardsync sends nothing, it lists who is due for TOPdesk's own
    /// anonymization, which takes the linked operator along, and notices when that is done. `api`: cardsync overwrites the
    /// fields of the card, which leaves what the API cannot reach.
    pub by: AnonymizeBy,
    /// How long after cardsync archived the card, or after the date that `since` gives, e.g. `400d`.
    pub after: Span,
    /// Every anonymization waits for an approval: it cannot be undone. The only value.
    #[serde(default)]
    pub approval: Approval,
    /// Expression for the last day of somebody whom a source still lists as a leaver, e.g. `{{ hr['End date'] | date }}`.
    /// Without it nobody is anonymized whom a source still has. For people in no source the archive counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Who is never anonymized.
    #[serde(default)]
    pub legal_hold: LegalHoldConfig,
    /// `by: api` only. Card field: `clear`, `keep`, `pseudonym` or `{ placeholder: TEXT }`. Default: names, addresses,
    /// numbers, logins, job, location, manager and the texts, numbers and dates of the optional tabs are cleared, `surName`
    /// becomes `*****`, all else stays. The key always becomes asterisks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = super::schema::card_field_names()))]
    pub fields: BTreeMap<String, OverwriteConfig>,
}

/// When a human is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Always.
    #[default]
    Always,
}

/// Who is never anonymized, whatever else is said: a dispute, a claim, an investigation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LegalHoldConfig {
    /// Keys of people.
    pub keys: Vec<String>,
    /// Ids of person cards.
    pub cards: Vec<String>,
    /// A file with one key or card id per line; `#` starts a remark. While it cannot be read nobody is anonymized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// What is written over a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OverwriteConfig {
    /// `clear`, `keep` or `pseudonym`.
    Word(OverwriteWord),
    /// `{ placeholder: TEXT }`: the same text on every card.
    Placeholder(PlaceholderConfig),
}

/// What is written over a field, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverwriteWord {
    /// The field is emptied; a flag is switched off.
    Clear,
    /// The field stays as it is.
    Keep,
    /// A text made from the card's id.
    Pseudonym,
}

/// A text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceholderConfig {
    pub placeholder: String,
}

impl OverwriteConfig {
    /// In the words of the core.
    pub fn overwrite(&self) -> Overwrite {
        match self {
            OverwriteConfig::Word(OverwriteWord::Clear) => Overwrite::Clear,
            OverwriteConfig::Word(OverwriteWord::Keep) => Overwrite::Keep,
            OverwriteConfig::Word(OverwriteWord::Pseudonym) => Overwrite::Pseudonym,
            OverwriteConfig::Placeholder(PlaceholderConfig { placeholder }) => {
                Overwrite::Placeholder(placeholder.as_str().into())
            }
        }
    }
}

/// The rule in the words of the core, with the legal-hold file as it is now; `None` where nobody is anonymized.
pub fn rule(config: &Config, key: &KeySpec) -> Option<Anonymize> {
    let anonymize = config.lifecycle.anonymize.as_ref()?;
    let mut fields = match anonymize.by {
        AnonymizeBy::Topdesk => BTreeMap::new(),
        AnonymizeBy::Api => Anonymize::default_fields(),
    };
    for (name, how) in &anonymize.fields {
        fields.extend(CardField::from_name(name).map(|field| (field, how.overwrite())));
    }
    Some(Anonymize {
        by: anonymize.by,
        after: anonymize.after.chrono(),
        legal_hold: legal_hold(&anonymize.legal_hold, key),
        fields,
    })
}

fn legal_hold(config: &LegalHoldConfig, key: &KeySpec) -> LegalHold {
    let mut hold = LegalHold::default();
    for raw in &config.keys {
        add_key(&mut hold, raw, key);
    }
    hold.cards
        .extend(config.cards.iter().map(|id| id.trim().to_lowercase().into()));
    let Some(file) = &config.file else { return hold };
    match lines(file) {
        Ok(lines) => {
            for line in &lines {
                add_key(&mut hold, line, key);
                hold.cards.insert(line.to_lowercase().into());
            }
        }
        Err(why) => hold.unreadable = Some(why),
    }
    hold
}

fn add_key(hold: &mut LegalHold, raw: &str, key: &KeySpec) {
    match key.read(raw) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => {
            hold.keys.insert(key);
        }
        KeyReading::None | KeyReading::Anonymized => {}
    }
}

/// The entries of a legal-hold file, without remarks.
fn lines(file: &Path) -> Result<Vec<String>, String> {
    let told = |why: String| {
        format!(
            "the legal-hold file {} cannot be read ({why}): nobody is anonymized; mend it, or correct \
             lifecycle.anonymize.legal_hold.file",
            file.display()
        )
    };
    let bytes = std::fs::read(file).map_err(|error| told(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| told("it is not UTF-8 text".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}');
    let entries = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(entries.filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
}
