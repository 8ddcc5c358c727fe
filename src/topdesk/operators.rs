//! Operators, archived ones included, and the account that cardsync itself uses.

use super::client::{Answer, Http, JSON};
use super::errors::Failure;
use super::query::{ACTIVE_OPERATORS, ALL_OPERATORS, ARCHIVED_OPERATORS, equals};
use super::wire::list::names;
use super::wire::operator::{OPERATOR_FIELDS, operator, operators, state_fields};
use crate::core::model::card::{FilterProof, OperatorCard};
use crate::core::model::groups::{Group, GroupMembers, OperatorGroups, Seen};
use crate::core::model::ids::{CardId, GroupId, OperatorId};
use crate::core::reads::snapshot::{Effect, Finding};
use crate::engine::Progress;
use crate::engine::target::TargetError;
use futures::StreamExt;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// The largest page the API gives.
const PAGE_SIZE: usize = 100;
/// The kinds of filters of an account, as the paths name them.
const FILTER_KINDS: [&str; 3] = ["branch", "operator", "category"];

/// All operators, sorted by id.
#[derive(Debug, Default)]
pub(super) struct OperatorList {
    pub(super) cards: Vec<OperatorCard>,
    pub(super) findings: Vec<Finding>,
    /// Whether 'not in this list' means 'does not exist', as far as the read itself goes.
    pub(super) whole: bool,
}

/// Reads all operators. An account that may not read them is no error but a doubt: nothing is proven then.
pub(super) async fn read(http: &Http, progress: &dyn Progress) -> Result<OperatorList, TargetError> {
    let mut walk = Walk::default();
    match all(http, &mut walk, progress).await {
        Ok(()) => {}
        Err(failure) if matches!(failure.status(), Some(403 | 404)) && walk.cards.is_empty() => walk.doubt(
            "operators_unreadable",
            format!("the operators could not be read: {}", failure.tell()),
            "give the API account read on operators",
        ),
        Err(failure) => return Err(failure.of_read("read the operators")),
    }
    progress.advance("operators", walk.cards.len() as u64, Some(walk.cards.len() as u64));
    Ok(walk.finish())
}

/// Active and archived ones with one query, or one after the other where TOPdesk refuses to give both.
async fn all(http: &Http, walk: &mut Walk, progress: &dyn Progress) -> Result<(), Failure> {
    let refused = |failure: &Failure| failure.status() == Some(400);
    match pages(http, Some(ALL_OPERATORS), walk, progress).await {
        Err(failure) if refused(&failure) && walk.cards.is_empty() => {}
        other => return other,
    }
    // Somebody may move from one list to the other in between: whoever was active again after the archived ones had been
    // read is in the third list. Nobody is missed who was in the same list for longer than one read takes.
    for query in [ACTIVE_OPERATORS, ARCHIVED_OPERATORS, ACTIVE_OPERATORS] {
        walk.next_pass();
        match pages(http, Some(query), walk, progress).await {
            Ok(()) => walk.only(query == ARCHIVED_OPERATORS),
            Err(failure) if refused(&failure) => {
                walk.doubt(
                    "operators_active_only",
                    "TOPdesk refused the query for archived operators: only active ones were read".to_owned(),
                    "archives and unarchives are held; look at the version of the environment",
                );
                walk.next_pass();
                return pages(http, None, walk, progress).await;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// All pages of one query.
async fn pages(http: &Http, query: Option<&str>, walk: &mut Walk, progress: &dyn Progress) -> Result<(), Failure> {
    let (status, cards) = page(http, query, 0).await?;
    let stride = cards.len();
    walk.take(cards);
    if status != 206 {
        return Ok(());
    }
    if stride == 0 {
        walk.cut_short();
        return Ok(());
    }
    // No link and no count: pages are asked for by offset, a few ahead, until one is the last. What is asked for
    // beyond the last page is a handful of empty answers.
    let pages = futures::stream::iter(1..).map(|number| page(http, query, number * stride));
    let mut pages = std::pin::pin!(pages.buffered(http.pacer().most()));
    while let Some(result) = pages.next().await {
        let (status, cards) = result?;
        let rows = cards.len();
        let new = walk.take(cards);
        progress.advance("operators", walk.cards.len() as u64, None);
        if status != 206 {
            break;
        }
        if rows != stride {
            walk.doubt(
                "operator_pages_uneven",
                format!("a page of operators had {rows} rows where {stride} were expected"),
                "run again; if it stays, ask TOPdesk's support",
            );
        }
        if new == 0 {
            walk.cut_short();
            break;
        }
    }
    Ok(())
}

/// The operators linked to a card, archived ones included.
pub(super) async fn linked_to(http: &Http, card: &CardId) -> Result<Vec<OperatorCard>, TargetError> {
    let query = equals("linkedPerson.id", card.as_str());
    let doing = || format!("read the operators linked to person card {card}");
    let mut found: BTreeMap<OperatorId, OperatorCard> = BTreeMap::new();
    let mut start = 0;
    loop {
        let (status, cards) = page(http, Some(&query), start)
            .await
            .map_err(|failure| failure.of_read(&doing()))?;
        let rows = cards.len();
        let before = found.len();
        // An environment that does not know the filter would give everybody.
        found.extend(
            cards
                .into_iter()
                .filter(|operator| operator.linked_person.as_ref() == Some(card))
                .map(|operator| (operator.id.clone(), operator)),
        );
        if status != 206 || rows == 0 || found.len() == before {
            return Ok(found.into_values().collect());
        }
        start += rows;
    }
}

/// One operator; `None` when it is gone or hidden.
pub(super) async fn one(http: &Http, id: &OperatorId) -> Result<Option<OperatorCard>, TargetError> {
    let segments = ["operators", "id", id.as_str()];
    let url = http.address().at(&segments, &[("fields", OPERATOR_FIELDS)]);
    let failed = |failure: Failure| failure.of_read(&format!("read operator {id}"));
    match http.get("/operators/id/{id}", url, JSON).await {
        Ok(Answer { status, body, .. }) => match operator(&body) {
            Ok(card) => Ok(Some(card)),
            Err(why) => Err(failed(Failure::Unreadable { status, why })),
        },
        Err(failure) if failure.status() == Some(404) => Ok(None),
        Err(failure) => Err(failed(failure)),
    }
}

/// The operator groups and permission groups of an operator.
pub(super) async fn groups_of(http: &Http, id: &OperatorId) -> Result<OperatorGroups, TargetError> {
    let groups = |kind, route| async move {
        let segments = ["operators", "id", id.as_str(), kind];
        let list = named(http, &segments, route, &format!("read the {kind} of operator {id}")).await?;
        Ok::<_, TargetError>(list.map(|list| {
            let groups = list.into_iter().map(|(id, name)| Group {
                id: GroupId::new(id),
                name: name.into(),
            });
            groups.collect()
        }))
    };
    let (operator_groups, permission_groups) = tokio::try_join!(
        groups("operatorgroups", "/operators/id/{id}/operatorgroups"),
        groups("permissiongroups", "/operators/id/{id}/permissiongroups"),
    )?;
    Ok(OperatorGroups {
        operator_groups,
        permission_groups,
    })
}

/// The permission groups of an operator, where the account may see them.
pub(super) async fn permission_groups_of(http: &Http, id: &OperatorId) -> Option<Vec<Group>> {
    let segments = ["operators", "id", id.as_str(), "permissiongroups"];
    let route = "/operators/id/{id}/permissiongroups";
    match named(http, &segments, route, "read the rights of cardsync's own account").await {
        Ok(Seen::Known(list)) => {
            let groups = list.into_iter().map(|(id, name)| Group {
                id: GroupId::new(id),
                name: name.into(),
            });
            Some(groups.collect())
        }
        Ok(Seen::Unreadable(_)) | Err(_) => None,
    }
}

/// The operators in an operator group.
pub(super) async fn members_of(http: &Http, group: &GroupId) -> Result<GroupMembers, TargetError> {
    let segments = ["operatorgroups", "id", group.as_str(), "operators"];
    let route = "/operatorgroups/id/{id}/operators";
    let list = named(http, &segments, route, &format!("read the operators of group {group}")).await?;
    Ok(list.map(|list| list.into_iter().map(|(id, _)| OperatorId::new(id)).collect()))
}

/// A list of ids and names, which these paths give whole. What the account may not see is a value.
async fn named(
    http: &Http,
    segments: &[&str],
    route: &'static str,
    doing: &str,
) -> Result<Seen<Vec<(String, String)>>, TargetError> {
    match http.get(route, http.address().at(segments, &[]), JSON).await {
        Ok(Answer { status, body, .. }) => match names(&body) {
            Ok(list) => Ok(Seen::Known(list)),
            Err(why) => Err(Failure::Unreadable { status, why }.of_read(doing)),
        },
        Err(failure) if matches!(failure.status(), Some(400 | 403 | 404)) => Ok(Seen::Unreadable(failure.tell())),
        Err(failure) => Err(failure.of_read(doing)),
    }
}

async fn page(http: &Http, query: Option<&str>, start: usize) -> Result<(u16, Vec<OperatorCard>), Failure> {
    let Answer { status, body, .. } = http
        .get("/operators", page_url(http, query, start, PAGE_SIZE), JSON)
        .await?;
    match operators(&body) {
        Ok(cards) => Ok((status, cards)),
        Err(why) => Err(Failure::Unreadable { status, why }),
    }
}

fn page_url(http: &Http, query: Option<&str>, start: usize, size: usize) -> Url {
    let (start, size) = (start.to_string(), size.to_string());
    let mut parameters = vec![("start", &*start), ("page_size", &*size), ("fields", OPERATOR_FIELDS)];
    parameters.extend(query.map(|query| ("query", query)));
    http.address().at(&["operators"], &parameters)
}

/// Whether archived operators can be read, by the smallest request that shows it.
pub(super) async fn try_archived(http: &Http) -> Result<(), Failure> {
    let one = |query| http.get("/operators", page_url(http, Some(query), 0, 1), JSON);
    match one(ALL_OPERATORS).await {
        Err(failure) if failure.status() == Some(400) => one(ARCHIVED_OPERATORS).await.map(|_| ()),
        other => other.map(|_| ()),
    }
}

/// Whether operator groups can be read, by the smallest request that shows it.
pub(super) async fn try_groups(http: &Http) -> Result<(), Failure> {
    let url = http.address().at(&["operatorgroups"], &[("page_size", "1")]);
    http.get("/operatorgroups", url, JSON).await.map(|_| ())
}

/// Whether permission groups can be read.
pub(super) async fn try_permission_groups(http: &Http) -> Result<(), Failure> {
    let url = http.address().at(&["permissiongroups"], &[]);
    http.get("/permissiongroups", url, JSON).await.map(|_| ())
}

#[derive(Default)]
struct Walk {
    cards: BTreeMap<OperatorId, OperatorCard>,
    /// What this pass has given, with whether it is archived.
    of_pass: BTreeMap<OperatorId, bool>,
    doubles: usize,
    findings: Vec<Finding>,
    doubtful: bool,
}

impl Walk {
    /// Another query begins: what it gives replaces what earlier ones gave.
    fn next_pass(&mut self) {
        self.of_pass.clear();
    }

    /// What this pass gave must all be archived, or all be active: a filter that is overlooked proves nothing.
    fn only(&mut self, archived: bool) {
        if self.of_pass.values().any(|found| *found != archived) {
            let state = if archived { "archived" } else { "active" };
            self.doubt(
                "operators_filter_overlooked",
                format!("TOPdesk was asked for {state} operators and gave others as well"),
                "archives and unarchives are held; ask TOPdesk's support about the query 'archived' on operators",
            );
        }
    }

    fn doubt(&mut self, code: &str, message: String, cure: &str) {
        self.doubtful = true;
        if self.findings.iter().all(|known| &*known.code != code) {
            self.findings.push(Finding::new(code, Effect::NoAbsence, message, cure));
        }
    }

    fn cut_short(&mut self) {
        let message = format!(
            "TOPdesk announced more operators after {} and gave none that are new",
            self.cards.len()
        );
        self.doubt(
            "operators_cut_short",
            message,
            "run again; if it stays, ask TOPdesk's support",
        );
    }

    /// Takes a page; gives how many operators were new to this pass.
    fn take(&mut self, cards: Vec<OperatorCard>) -> usize {
        let mut new = 0;
        for card in cards {
            match self.of_pass.entry(card.id.clone()) {
                Entry::Vacant(place) => {
                    place.insert(card.archived);
                    new += 1;
                }
                Entry::Occupied(mut place) => {
                    place.insert(card.archived);
                    self.doubles += 1;
                }
            }
            self.cards.insert(card.id.clone(), card);
        }
        new
    }

    fn finish(mut self) -> OperatorList {
        if self.doubles > 0 {
            let message = format!(
                "{} operators came twice: the pages shifted while they were read",
                self.doubles
            );
            self.doubt("operators_read_twice", message, "run again at a quieter time");
        }
        OperatorList {
            cards: self.cards.into_values().collect(),
            findings: self.findings,
            whole: !self.doubtful,
        }
    }
}

/// cardsync's own account.
#[derive(Debug)]
pub(super) struct Account {
    /// `None` when TOPdesk does not say.
    pub(super) operator: Option<OperatorCard>,
    pub(super) filters: FilterProof,
    /// Why the account or its filters could not be read.
    pub(super) unread: Option<String>,
    /// Which fields that tell an operator's state its answer has.
    pub(super) shown: BTreeSet<Box<str>>,
}

/// Reads the account and its filters. What may not be read is said, not an error.
pub(super) async fn account(http: &Http) -> Result<Account, TargetError> {
    let url = http
        .address()
        .at(&["operators", "current"], &[("fields", OPERATOR_FIELDS)]);
    let failed = |failure: &Failure| failure.of_read("read cardsync's own account");
    let answer = match http.get("/operators/current", url, JSON).await {
        Ok(answer) => answer,
        Err(failure) if matches!(failure.status(), Some(400 | 403 | 404)) => {
            return Ok(Account {
                operator: None,
                filters: FilterProof::Unreadable,
                unread: Some(failure.tell()),
                shown: BTreeSet::new(),
            });
        }
        Err(failure) => return Err(failed(&failure)),
    };
    let status = answer.status;
    let own = operator(&answer.body).map_err(|why| failed(&Failure::Unreadable { status, why }))?;
    let (filters, unread) = filters(http, &own.id).await?;
    Ok(Account {
        operator: Some(own),
        filters,
        unread,
        shown: state_fields(&answer.body),
    })
}

async fn filters(http: &Http, id: &OperatorId) -> Result<(FilterProof, Option<String>), TargetError> {
    let reads = FILTER_KINDS.map(|kind| async move {
        let url = http
            .address()
            .at(&["operators", "id", id.as_str(), "filters", kind], &[]);
        let answer = http.get("/operators/id/{id}/filters/{kind}", url, JSON).await?;
        let status = answer.status;
        names(&answer.body).map_err(|why| Failure::Unreadable { status, why })
    });
    let mut present = Vec::new();
    let mut unread = None;
    for (kind, result) in FILTER_KINDS.into_iter().zip(futures::future::join_all(reads).await) {
        match result {
            Ok(found) if found.is_empty() => {}
            Ok(_) => present.push(kind.into()),
            Err(failure) if matches!(failure.status(), Some(400 | 403 | 404)) => {
                unread = unread.or_else(|| Some(format!("{kind} filters: {}", failure.tell())));
            }
            Err(failure) => return Err(failure.of_read("read the filters of cardsync's own account")),
        }
    }
    Ok(match (present.is_empty(), &unread) {
        (false, _) => (FilterProof::Present(present), unread),
        (true, Some(_)) => (FilterProof::Unreadable, unread),
        (true, None) => (FilterProof::None, None),
    })
}
