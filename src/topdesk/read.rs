//! Reading TOPdesk: everything in bulk for a plan, single cards right before a write. Nothing but GET.

use super::client::{Http, JSON, PERSON_V2};
use super::errors::Failure;
use super::persons::{self, PersonList, Selection};
use super::query::{any_of, not_before};
use super::wire::card::CardShape;
use super::wire::list::{count, product_version};
use super::{lookups, operators};
use crate::core::model::card::{FilterProof, LookupEntry, OperatorCard, PersonCard, TargetSnapshot};
use crate::core::model::field::{CardField, LookupKind};
use crate::core::model::groups::{GroupMembers, OperatorGroups};
use crate::core::model::ids::{CardId, GroupId, OperatorId};
use crate::core::model::installation::Installation;
use crate::core::model::surroundings::Version;
use crate::core::reads::snapshot::{Effect, Finding, Verdict};
use crate::engine::target::{Concerns, TargetError, TargetReader, TargetWants};
use crate::engine::{Progress, Silent};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Reads TOPdesk and retries freely. Cheap to clone.
#[derive(Clone)]
pub struct ReadClient {
    pub(super) http: Arc<Http>,
    pub(super) zone: Tz,
}

impl ReadClient {
    /// `/persons/count`, and TOPdesk's clock.
    pub(super) async fn count(&self) -> Result<(u64, Option<DateTime<Utc>>), Failure> {
        let url = self.http.address().at(&["persons", "count"], &[]);
        let answer = self.http.get("/persons/count", url, JSON).await?;
        let status = answer.status;
        let count = count(&answer.body).map_err(|why| Failure::Unreadable { status, why })?;
        Ok((count, answer.date))
    }

    /// The version and the rights of the account, as far as TOPdesk says.
    async fn installation(&self, own: Option<&OperatorId>, shown: &BTreeSet<Box<str>>) -> Installation {
        let product = async {
            let url = self.http.address().at(&["productVersion"], &[]);
            let answer = self.http.get("/productVersion", url, JSON).await.ok()?;
            let version = product_version(&answer.body).ok()?;
            Some(Version(version.0, version.1, version.2))
        };
        let groups = async {
            let groups = operators::permission_groups_of(&self.http, own?).await?;
            Some(groups.into_iter().map(|group| group.name).collect())
        };
        let (product, permission_groups) = tokio::join!(product, groups);
        Installation {
            product,
            permission_groups,
            operator_fields: own.map(|_| shown.clone()),
            seen_at: Some(Utc::now()),
        }
    }

    fn shape(&self, fields: &BTreeSet<CardField>) -> Arc<CardShape> {
        Arc::new(CardShape::new(fields, self.zone))
    }

    /// Requests sent so far, reads and writes together.
    pub fn requests_sent(&self) -> u64 {
        self.http.pacer().passed()
    }
}

impl TargetReader for ReadClient {
    async fn read_all(&self, wants: &TargetWants, progress: &dyn Progress) -> Result<TargetSnapshot, TargetError> {
        let read_at = Utc::now();
        let counted = |failure: Failure| failure.of_read("count the person cards");
        // First and alone: a wrong password is told once.
        let (before, server_time) = self.count().await.map_err(counted)?;
        let shape = self.shape(&wants.fields);
        let selection = Selection {
            query: None,
            expected: Some(before),
        };
        let mut findings = Vec::new();
        let mut list_findings = Vec::new();
        let reason = async {
            match &wants.archiving_reason {
                Some(name) => lookups::archiving_reason(&self.http, name).await.map(Some),
                None => Ok(None),
            }
        };
        let (persons, operators, account, mut lookups, reason) = tokio::try_join!(
            persons::read(&self.http, &shape, selection, progress),
            operators::read(&self.http, progress),
            operators::account(&self.http),
            lookups::read_all(&self.http, &wants.lookups, &mut list_findings),
            reason,
        )?;
        let installation = self
            .installation(account.operator.as_ref().map(|own| &own.id), &account.shown)
            .await;
        let (after, _) = self.count().await.map_err(counted)?;

        findings.extend(persons.findings);
        findings.extend(operators.findings);
        findings.append(&mut list_findings);
        if wants.fields.contains(&CardField::Department) {
            lookups.department_mode = lookups::department_mode(&persons.cards, &mut findings);
        }
        let budget_holder = [CardField::BudgetHolder, CardField::ShowBudgetHolder];
        let wants_budget_holder = budget_holder.iter().any(|field| wants.fields.contains(field));
        if wants_budget_holder && !persons.budget_holders && !persons.cards.is_empty() {
            findings.push(Finding::new(
                "budget_holder_off",
                Effect::Note,
                "the budget holder field seems to be switched off in TOPdesk: no card shows it",
                "take budgetHolder out of 'fields', or switch the field on",
            ));
        }
        let archiving_reason = match reason {
            Some(Ok(id)) => Some(id),
            Some(Err(finding)) => {
                findings.push(finding);
                None
            }
            None => None,
        };
        let filters = proof(
            account.filters,
            account.unread.as_deref(),
            operators.whole,
            wants.filters_stated_none,
            &mut findings,
        );
        let mut own_cards: BTreeSet<CardId> = BTreeSet::new();
        let own_account = account.operator.as_ref().map(|own| own.id.clone());
        if let Some(own) = account.operator {
            let listed = operators.cards.iter().find(|operator| operator.id == own.id);
            own_cards.extend(listed.and_then(|operator| operator.linked_person.clone()));
            own_cards.extend(own.linked_person);
        }
        Ok(TargetSnapshot {
            read_at,
            verdict: Verdict::Complete,
            findings,
            cards: persons.cards,
            operators: operators.cards,
            filters,
            lookups,
            counts: (before, after),
            archiving_reason,
            own_account,
            own_cards,
            confirmed_gone: BTreeSet::new(),
            server_time,
            unknown_fields: BTreeSet::new(),
            acceptance: None,
            installation,
            accepted: None,
        })
    }

    async fn read_card(&self, card: &CardId, fields: &BTreeSet<CardField>) -> Result<Option<PersonCard>, TargetError> {
        let shape = self.shape(fields);
        let url = self
            .http
            .address()
            .at(&["persons", card.as_str()], &[("fields", shape.fields())]);
        let failed = |failure: Failure| failure.of_read(&format!("read person card {card}"));
        match self.http.get("/persons/{id}", url, PERSON_V2).await {
            Ok(answer) => {
                let status = answer.status;
                shape
                    .card(&answer.body)
                    .map(Some)
                    .map_err(|why| failed(Failure::Unreadable { status, why }))
            }
            Err(failure) if failure.status() == Some(404) => Ok(None),
            Err(failure) => Err(failed(failure)),
        }
    }

    async fn read_operators_of(&self, card: &CardId) -> Result<Vec<OperatorCard>, TargetError> {
        operators::linked_to(&self.http, card).await
    }

    async fn read_operator(&self, operator: &OperatorId) -> Result<Option<OperatorCard>, TargetError> {
        operators::one(&self.http, operator).await
    }

    async fn read_groups_of(&self, operator: &OperatorId) -> Result<OperatorGroups, TargetError> {
        operators::groups_of(&self.http, operator).await
    }

    async fn read_members_of(&self, group: &GroupId) -> Result<GroupMembers, TargetError> {
        operators::members_of(&self.http, group).await
    }

    async fn cards_with_keys(&self, key_field: CardField, raw_keys: &[String]) -> Result<Vec<PersonCard>, TargetError> {
        let shape = self.shape(&BTreeSet::from([key_field]));
        let mut cards = Vec::new();
        for query in any_of(&key_field.name(), raw_keys) {
            let selection = Selection {
                query: Some(&query),
                expected: None,
            };
            cards.extend(whole(persons::read(&self.http, &shape, selection, &Silent).await?)?);
        }
        cards.sort_by(|a, b| a.id.cmp(&b.id));
        cards.dedup_by(|next, kept| next.id == kept.id);
        Ok(cards)
    }

    async fn cards_changed_since(
        &self,
        since: Option<DateTime<Utc>>,
        key_field: CardField,
    ) -> Result<Vec<PersonCard>, TargetError> {
        let shape = self.shape(&BTreeSet::from([key_field]));
        let query = since.map(|since| not_before("modificationDate", since));
        let selection = Selection {
            query: query.as_deref(),
            expected: None,
        };
        whole(persons::read(&self.http, &shape, selection, &Silent).await?)
    }

    async fn cards_of_query(&self, query: &str) -> Result<BTreeSet<CardId>, TargetError> {
        let shape = self.shape(&BTreeSet::new());
        let selection = Selection {
            query: Some(query),
            expected: None,
        };
        let list = persons::read(&self.http, &shape, selection, &Silent)
            .await
            .map_err(|error| TargetError {
                cure: match error.status {
                    Some(400) => format!("correct the query '{query}' in the configuration (guard.protect.query)"),
                    Some(_) | None => error.cure,
                },
                ..error
            })?;
        Ok(whole(list)?.into_iter().map(|card| card.id).collect())
    }

    async fn read_entries(&self, list: LookupKind) -> Result<Vec<LookupEntry>, TargetError> {
        lookups::read(&self.http, list)
            .await
            .map_err(|failure| failure.of_read(&format!("read the list '{list}'")))
    }
}

/// The cards of a look-up. One that may have missed a card is an error: creates and the protect list rely on it.
fn whole(list: PersonList) -> Result<Vec<PersonCard>, TargetError> {
    let doubt = list.findings.into_iter().find(|finding| finding.effect > Effect::Note);
    match doubt {
        None => Ok(list.cards),
        Some(finding) => Err(TargetError {
            retryable: true,
            ..TargetError::new(
                Concerns::Run,
                format!("could not look up person cards: {}", finding.message),
                finding.cure,
            )
        }),
    }
}

/// What is known about what the account does not see. A human's statement counts only where nothing could be read, and
/// never against a read of operators that is itself in doubt.
fn proof(
    read: FilterProof,
    unread: Option<&str>,
    operators_whole: bool,
    stated_none: bool,
    findings: &mut Vec<Finding>,
) -> FilterProof {
    match read {
        FilterProof::Present(kinds) => {
            let named = kinds.join(", ");
            // Hidden cards look absent and would be created twice.
            let effect = if kinds.iter().any(|kind| &**kind == "branch") {
                Effect::NoAbsence
            } else {
                Effect::Note
            };
            findings.push(Finding::new(
                "account_filtered",
                effect,
                format!("the API account has filters ({named}): it does not see every card or operator"),
                "remove the filters from the account",
            ));
            FilterProof::Present(kinds)
        }
        FilterProof::Unreadable if !stated_none => {
            findings.push(Finding::new(
                "filters_unreadable",
                Effect::Note,
                format!(
                    "whether the API account has filters could not be read ({})",
                    unread.unwrap_or("no explanation")
                ),
                "give the account read on filters, or state topdesk.account_filters: none",
            ));
            FilterProof::Unreadable
        }
        FilterProof::None | FilterProof::Unreadable if operators_whole => FilterProof::None,
        FilterProof::None | FilterProof::Unreadable => FilterProof::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(read: FilterProof, whole: bool, stated: bool) -> (FilterProof, Vec<(String, Effect)>) {
        let mut findings = Vec::new();
        let proof = proof(read, Some("status 403"), whole, stated, &mut findings);
        (
            proof,
            findings.into_iter().map(|it| (it.code.into(), it.effect)).collect(),
        )
    }

    #[test]
    fn a_statement_counts_only_where_nothing_could_be_read() {
        let present = || FilterProof::Present(vec!["category".into()]);
        assert_eq!(judged(FilterProof::None, true, false), (FilterProof::None, vec![]));
        assert_eq!(judged(FilterProof::Unreadable, true, true), (FilterProof::None, vec![]));
        assert_eq!(judged(FilterProof::Unreadable, true, false).0, FilterProof::Unreadable);
        assert_eq!(
            judged(present(), true, true),
            (present(), vec![("account_filtered".to_owned(), Effect::Note)])
        );
    }

    #[test]
    fn a_doubtful_read_of_operators_proves_nothing() {
        assert_eq!(judged(FilterProof::None, false, false).0, FilterProof::Unreadable);
        assert_eq!(judged(FilterProof::Unreadable, false, true).0, FilterProof::Unreadable);
    }

    #[test]
    fn a_branch_filter_hides_cards() {
        let branch = FilterProof::Present(vec!["branch".into()]);
        assert_eq!(
            judged(branch, true, true).1,
            [("account_filtered".to_owned(), Effect::NoAbsence)]
        );
    }
}
