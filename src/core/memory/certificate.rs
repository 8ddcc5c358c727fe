//! What is kept of an anonymization: that it was done, when, by whom, and what it could not reach. No personal data of the
//! person: the card's id and a keyed hash of the key.

use crate::core::memory::ledger::LedgerEntry;
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, OperatorId, RunId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How the data went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Somebody anonymized the card in TOPdesk; cardsync saw it.
    Topdesk,
    /// cardsync overwrote the card through the API.
    Api,
    /// The card was deleted in TOPdesk after it was due.
    Deleted,
}

impl Way {
    /// The word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Way::Topdesk => "topdesk",
            Way::Api => "api",
            Way::Deleted => "deleted",
        }
    }
}

/// What an overwrite of the card does not reach, and what cardsync does not see after an anonymization in TOPdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfReach {
    /// An archived operator takes no change through the API: its name, login, e-mail and telephone.
    OperatorFields,
    MemoFields,
    Avatar,
    /// The card's own history in TOPdesk.
    CardHistory,
    /// Names and addresses in the texts of calls and other cards.
    CallTexts,
    Contract,
    PrivateDetails,
}

impl OutOfReach {
    const OF_A_CARD: [OutOfReach; 6] = [
        OutOfReach::MemoFields,
        OutOfReach::Avatar,
        OutOfReach::CardHistory,
        OutOfReach::CallTexts,
        OutOfReach::Contract,
        OutOfReach::PrivateDetails,
    ];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            OutOfReach::OperatorFields => "the fields of the archived operator card",
            OutOfReach::MemoFields => "memo fields",
            OutOfReach::Avatar => "the photograph",
            OutOfReach::CardHistory => "the history of the card",
            OutOfReach::CallTexts => "texts of calls and other cards",
            OutOfReach::Contract => "the contract tab",
            OutOfReach::PrivateDetails => "the private details",
        }
    }
}

/// A card that cardsync overwrote: what its certificate is made of. Kept in the ledger with the request, so that a killed
/// run loses nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overwritten {
    pub at: DateTime<Utc>,
    pub run: RunId,
    pub fields: Vec<CardField>,
    /// Who approved it.
    pub approver: Option<String>,
    /// Linked operators, all of them archived.
    pub operators: Vec<OperatorId>,
}

/// The certificate of one anonymization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub card: CardId,
    /// A keyed hash of the key, as the ledger and the logs have it.
    pub key_hash: Option<String>,
    pub way: Way,
    /// When it was done, or seen.
    pub at: DateTime<Utc>,
    /// The run that did it, or saw it.
    pub run: RunId,
    /// When cardsync had archived the card.
    pub archived_at: Option<DateTime<Utc>>,
    /// `api`: the fields that were overwritten.
    pub fields: Vec<CardField>,
    /// `api`: who approved it.
    pub approver: Option<String>,
    /// Who modified the card last, as TOPdesk signs it.
    pub modifier: Option<String>,
    /// `api`: operators that are linked to the card.
    pub operators: Vec<OperatorId>,
    /// `api`: what was not reached. Otherwise: what cardsync did not see, because the API does not show it.
    pub out_of_reach: Vec<OutOfReach>,
}

impl Certificate {
    /// Of a card that shows anonymized, or is gone (`card_is_there` false), as this run sees it.
    pub fn of(
        entry: &LedgerEntry,
        key_hash: Option<String>,
        card_is_there: bool,
        modifier: Option<String>,
        run: &RunId,
        now: DateTime<Utc>,
    ) -> Self {
        let archived_at = entry.archived_by_us.as_ref().map(|archive| archive.at);
        let card = entry.card.clone();
        match &entry.overwritten {
            Some(overwritten) => {
                let Overwritten {
                    at,
                    run,
                    fields,
                    approver,
                    operators,
                } = (**overwritten).clone();
                let of_operator = (!operators.is_empty()).then_some(OutOfReach::OperatorFields);
                Self {
                    card,
                    key_hash,
                    way: Way::Api,
                    at,
                    run,
                    archived_at,
                    fields,
                    approver,
                    modifier,
                    operators,
                    out_of_reach: of_operator.into_iter().chain(OutOfReach::OF_A_CARD).collect(),
                }
            }
            None => Self {
                card,
                key_hash,
                way: if card_is_there { Way::Topdesk } else { Way::Deleted },
                at: now,
                run: run.clone(),
                archived_at,
                fields: Vec::new(),
                approver: None,
                modifier,
                operators: Vec::new(),
                out_of_reach: OutOfReach::OF_A_CARD.to_vec(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::memory::ledger::Origin;
    use crate::core::model::key::Key;

    #[test]
    fn a_certificate_says_what_was_not_reached_and_nothing_of_the_person() {
        let now = DateTime::UNIX_EPOCH;
        let mut entry = LedgerEntry::new("c1".into(), Key::stored("900373"), Origin::Matched, now);
        let of = |entry: &LedgerEntry, there| {
            let hash = Some("abc".to_owned());
            Certificate::of(entry, hash, there, None, &"run-2".into(), now)
        };
        assert_eq!(of(&entry, true).way, Way::Topdesk);
        assert_eq!(of(&entry, false).way, Way::Deleted);
        entry.overwritten = Some(Box::new(Overwritten {
            at: now,
            run: "run-1".into(),
            fields: vec![CardField::SurName],
            approver: Some("an".to_owned()),
            operators: vec!["o1".into()],
        }));
        let certificate = of(&entry, true);
        assert_eq!((certificate.way, certificate.run.as_str()), (Way::Api, "run-1"));
        assert_eq!(certificate.out_of_reach.first(), Some(&OutOfReach::OperatorFields));
        assert_eq!(certificate.out_of_reach.len(), 7);
        let text = serde_json::to_string(&certificate).expect("plain data");
        assert!(!text.contains("900373"), "{text}");
    }
}
