//! Writing TOPdesk: one step, one request, one attempt. When to send it again is the engine's decision.
//!
//! Archiving is `PATCH /persons/id/{id}/archive`: PUT and PATCH are described with the same rights and answers there.
//! Unarchiving is `PUT /persons/id/{id}/unarchive`: the description asks for archive rights on persons *and operators*
//! for PATCH, and only on persons for PUT. The everyday account is meant to have no right on operators, and must still be
//! able to bring back people who have none. What PUT does to a linked operator is uncertain, so the engine holds those and
//! reads the operator again afterwards.
//!
//! Operators are archived, unarchived and changed with PATCH: there PUT and PATCH are described with the same rights, fields
//! and answers, and PATCH says that what is not in the body stays. Unarchiving an operator unarchives its person too.

use super::client::{Answer, Ask, Http, JSON, PERSON_V2};
use super::errors::Failure;
use super::lookups;
use super::pacing::Pass;
use super::refusal::{Deed, Refusal, judge};
use super::wire::body::{self, BodyError};
use super::wire::card::CardShape;
use super::wire::list::{entry, place};
use super::wire::operator::operator;
use crate::core::model::field::LookupKind;
use crate::core::model::ids::CardId;
use crate::core::plan::{CardTarget, Step};
use crate::engine::target::{Concerns, IntentId, Made, TargetError, TargetWriter, WriteError, Written};
use chrono_tz::Tz;
use reqwest::Method;
use std::sync::Arc;
use url::Url;

/// Sends writes, each once.
#[derive(Clone)]
pub struct WriteClient {
    pub(super) http: Arc<Http>,
    pub(super) zone: Tz,
    /// For the answers of writes, which are full cards.
    pub(super) shape: Arc<CardShape>,
}

impl TargetWriter for WriteClient {
    type Turn<'a> = Pass<'a>;

    async fn turn(&self) -> Pass<'_> {
        self.http.pacer().enter().await
    }

    async fn send<'a>(
        &'a self,
        turn: Pass<'a>,
        intent: IntentId,
        step: &Step,
        made: &Made,
    ) -> Result<Written, WriteError> {
        let (deed, ask) = self.request(step, made).map_err(WriteError::NotDone)?;
        let answer = self.http.send(turn, &ask).await;
        let result = match answer {
            Ok(answer) => self.written(&deed, &answer),
            Err(failure) => self.unwritten(&deed, step, &failure).await,
        };
        tracing::debug!(intent = intent.row(), deed = %deed, done = result.is_ok(), "write sent");
        result
    }
}

impl WriteClient {
    /// The one request of a step. Fails before anything is sent.
    fn request(&self, step: &Step, made: &Made) -> Result<(Deed, Ask), TargetError> {
        let address = self.http.address();
        let ask = |method, route, url: Url, accept, body| Ask {
            method,
            route,
            url,
            accept,
            body,
        };
        Ok(match step {
            Step::CreateEntry { list, name } => {
                let deed = Deed::CreateEntry(*list);
                if !list.can_create() {
                    let what = format!("could not {deed}: the list is not kept through cardsync");
                    return Err(TargetError::new(
                        Concerns::ActionKind,
                        what,
                        "make the entry in TOPdesk",
                    ));
                }
                let place = place(*list);
                let segments: Vec<&str> = place.segments.iter().map(String::as_str).collect();
                let url = address.at(&segments, &[]);
                (deed, ask(Method::POST, place.route, url, JSON, Some(body::entry(name))))
            }
            Step::CreateCard { fields } => {
                let deed = Deed::CreateCard;
                let body = body::person(fields, true, made, self.zone).map_err(|error| no_body(&deed, &error))?;
                let url = address.at(&["persons"], &[]);
                (deed, ask(Method::POST, "/persons", url, PERSON_V2, Some(body)))
            }
            Step::PatchCard { card, fields } => {
                let card = target(card, made)?;
                let url = address.at(&["persons", card.as_str()], &[]);
                let deed = Deed::PatchCard(card);
                let body = body::person(fields, false, made, self.zone).map_err(|error| no_body(&deed, &error))?;
                (deed, ask(Method::PATCH, "/persons/{id}", url, PERSON_V2, Some(body)))
            }
            Step::ArchiveCard { card, reason } => {
                let url = address.at(&["persons", "id", card.as_str(), "archive"], &[]);
                let body = Some(body::archive(reason.as_deref()));
                let deed = Deed::ArchiveCard(card.clone());
                (deed, ask(Method::PATCH, "/persons/id/{id}/archive", url, JSON, body))
            }
            Step::UnarchiveCard { card } => {
                let url = address.at(&["persons", "id", card.as_str(), "unarchive"], &[]);
                let deed = Deed::UnarchiveCard(card.clone());
                (deed, ask(Method::PUT, "/persons/id/{id}/unarchive", url, JSON, None))
            }
            Step::ArchiveOperator { operator, reason } => {
                let url = address.at(&["operators", "id", operator.as_str(), "archive"], &[]);
                let body = Some(body::archive(reason.as_deref()));
                let deed = Deed::ArchiveOperator(operator.clone());
                (deed, ask(Method::PATCH, "/operators/id/{id}/archive", url, JSON, body))
            }
            Step::UnarchiveOperator { operator } => {
                let url = address.at(&["operators", "id", operator.as_str(), "unarchive"], &[]);
                let deed = Deed::UnarchiveOperator(operator.clone());
                (
                    deed,
                    ask(Method::PATCH, "/operators/id/{id}/unarchive", url, JSON, None),
                )
            }
            Step::SetLoginPermission { operator, allowed } => {
                let url = address.at(&["operators", "id", operator.as_str()], &[]);
                let body = Some(body::login_permission(*allowed));
                let deed = Deed::SetLoginPermission(operator.clone());
                (deed, ask(Method::PATCH, "/operators/id/{id}", url, JSON, body))
            }
        })
    }

    /// A 2xx answer. One that cannot be read leaves in doubt what was made.
    fn written(&self, deed: &Deed, answer: &Answer) -> Result<Written, WriteError> {
        let read = match deed {
            Deed::CreateEntry(list) => entry(*list, &answer.body).map(|entry| Written::Entry(entry.id)),
            Deed::CreateCard | Deed::PatchCard(_) | Deed::ArchiveCard(_) | Deed::UnarchiveCard(_) => {
                self.shape.card(&answer.body).map(|card| Written::Card(Box::new(card)))
            }
            Deed::ArchiveOperator(_) | Deed::UnarchiveOperator(_) | Deed::SetLoginPermission(_) => {
                operator(&answer.body).map(|card| Written::Operator(Box::new(card)))
            }
        };
        let read = read.and_then(|written| match (deed, &written) {
            (Deed::PatchCard(asked) | Deed::ArchiveCard(asked) | Deed::UnarchiveCard(asked), Written::Card(card))
                if card.id != *asked =>
            {
                Err(format!("the answer is about another card ({})", card.id))
            }
            (
                Deed::ArchiveOperator(asked) | Deed::UnarchiveOperator(asked) | Deed::SetLoginPermission(asked),
                Written::Operator(operator),
            ) if operator.id != *asked => Err(format!("the answer is about another operator ({})", operator.id)),
            _other => Ok(written),
        });
        read.map_err(|why| {
            let status = answer.status;
            match judge(deed, &Failure::Unreadable { status, why }) {
                Refusal::Error(error) => error,
                Refusal::EntryExists(error) => WriteError::NotDone(error),
            }
        })
    }

    async fn unwritten(&self, deed: &Deed, step: &Step, failure: &Failure) -> Result<Written, WriteError> {
        match (judge(deed, failure), step) {
            (Refusal::Error(error), _) => Err(error),
            (Refusal::EntryExists(error), Step::CreateEntry { list, name }) => self.existing(*list, name, error).await,
            (Refusal::EntryExists(error), _) => Err(WriteError::NotDone(error)),
        }
    }

    /// The entry that has the name already, in whatever capitals: names are unique ignoring case.
    async fn existing(&self, list: LookupKind, name: &str, refused: TargetError) -> Result<Written, WriteError> {
        let entries = lookups::read(&self.http, list).await.map_err(|failure| {
            WriteError::NotDone(
                failure.of_read(&format!("read the list '{list}' after an entry was refused as double")),
            )
        })?;
        let plain = |text: &str| text.trim().to_lowercase();
        match entries.into_iter().find(|entry| plain(&entry.name) == plain(name)) {
            Some(entry) => Ok(Written::Entry(entry.id)),
            None => Err(WriteError::NotDone(refused)),
        }
    }
}

fn target(card: &CardTarget, made: &Made) -> Result<CardId, TargetError> {
    match card {
        CardTarget::Known(card) => Ok(card.clone()),
        CardTarget::MadeBy(item) => made.cards.get(item).cloned().ok_or_else(|| {
            TargetError::new(
                Concerns::Record,
                format!("could not change the person card that change {item} was to make: it has not been made"),
                "see what became of that change",
            )
        }),
    }
}

fn no_body(deed: &Deed, error: &BodyError) -> TargetError {
    let cure = match error {
        BodyError::NotMade { .. } => "see what became of that change",
        BodyError::WrongKind(_) => "plan again",
    };
    TargetError::new(Concerns::Record, format!("could not {deed}: {error}"), cure)
}
