//! Anonymization: what cannot be meant.

use super::is_blank;
use crate::config::anonymize::{LegalHoldConfig, OverwriteConfig};
use crate::config::problem::Fault;
use crate::config::units::Span;
use crate::config::{AnonymizeConfig, BudgetConfig, Config};
use crate::core::model::field::CardField;
use crate::core::rules::anonymize::{AnonymizeBy, misfit};

/// A shorter time is no retention but an accident: absence itself takes days to be believed.
const SHORTEST: Span = Span::days(7);

const PATH: &str = "lifecycle.anonymize";

pub fn anonymize(config: &Config, faults: &mut Vec<Fault>) {
    if let Some(BudgetConfig { max, percent, .. }) = &config.guard.anonymize
        && (percent.is_some() || max.is_some_and(|max| max > 0))
    {
        faults.push(Fault::new(
            "guard.anonymize",
            "an anonymization cannot be undone: each needs an approval, and no number of them goes without",
            "take it out, or write { max: 0 }",
        ));
    }
    let Some(anonymize) = &config.lifecycle.anonymize else {
        return;
    };
    let AnonymizeConfig {
        by,
        after,
        approval: _,
        since,
        legal_hold,
        fields,
    } = anonymize;
    if *after < SHORTEST {
        let message = format!("{after} is too short: a card that was archived by mistake must be noticed before");
        faults.push(Fault::new(
            format!("{PATH}.after"),
            message,
            format!("write {SHORTEST} or more; 400d is usual"),
        ));
    }
    if since.as_deref().is_some_and(is_blank) {
        faults.push(Fault::new(
            format!("{PATH}.since"),
            "is blank",
            "write an expression such as \"{{ hr['End date'] | date }}\", or take it out",
        ));
    }
    held(legal_hold, faults);
    if *by == AnonymizeBy::Topdesk && !fields.is_empty() {
        faults.push(Fault::new(
            format!("{PATH}.fields"),
            "TOPdesk's own anonymization decides what it overwrites",
            "take it out, or write by: api",
        ));
        return;
    }
    let key = CardField::from_name(&config.key.card_field);
    for (name, how) in fields {
        overwritten(name, how, key, faults);
    }
}

fn held(legal_hold: &LegalHoldConfig, faults: &mut Vec<Fault>) {
    let LegalHoldConfig { keys, cards, file } = legal_hold;
    for (n, _) in keys.iter().enumerate().filter(|(_, key)| is_blank(key)) {
        faults.push(Fault::new(
            format!("{PATH}.legal_hold.keys[{n}]"),
            "is blank",
            "write a key",
        ));
    }
    for (n, _) in cards
        .iter()
        .enumerate()
        .filter(|(_, card)| uuid::Uuid::try_parse(card.trim()).is_err())
    {
        faults.push(Fault::new(
            format!("{PATH}.legal_hold.cards[{n}]"),
            "is not a card id",
            "write the id of a person card, e.g. 2c4b6a8e-0d1f-4a3b-9c5d-7e8f9a0b1c2d",
        ));
    }
    if file.as_ref().is_some_and(|file| file.as_os_str().is_empty()) {
        faults.push(Fault::new(
            format!("{PATH}.legal_hold.file"),
            "is blank",
            "write the path of a file, or take it out",
        ));
    }
}

fn overwritten(name: &str, how: &OverwriteConfig, key: Option<CardField>, faults: &mut Vec<Fault>) {
    let path = format!("{PATH}.fields.{name}");
    let Some(field) = CardField::from_name(name) else {
        let cure = "see `cardsync config schema` for the fields";
        faults.push(Fault::new(path, "is not a field of a person card", cure));
        return;
    };
    if let Some((message, cure)) = key.and_then(|key| misfit(field, &how.overwrite(), key)) {
        faults.push(Fault::new(path, message, cure));
    }
}
