//! The list of persons, page by page, and what may go wrong with pages.
//!
//! Offset paging is no snapshot: cards may appear, vanish or shift while pages are read. So the list is sorted by
//! something that does not change, ids are counted once, a page that comes twice ends the read, and the caller compares
//! the number of ids with `/persons/count`. While one page is decoded the next one is already under way.

use super::client::{Answer, Http, PERSONS_V2};
use super::errors::Failure;
use super::wire::card::{CardShape, Page};
use crate::core::model::card::PersonCard;
use crate::core::reads::snapshot::{Effect, Finding};
use crate::engine::Progress;
use crate::engine::target::TargetError;
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use url::Url;

/// The largest page the API gives.
const PAGE_SIZE: u64 = 5000;
/// Orders that do not change while pages are read, best first. That the id can be sorted by is not documented for
/// certain; the last is the API's own order, by name.
const ORDERS: [Option<&str>; 3] = [Some("id:asc"), Some("creationDate:asc"), None];

/// All cards of a list, sorted by id, without doubles.
#[derive(Debug, Default)]
pub(super) struct PersonList {
    pub(super) cards: Vec<PersonCard>,
    pub(super) findings: Vec<Finding>,
    /// Whether a card showed that budget holders are switched on.
    pub(super) budget_holders: bool,
}

/// Which cards, and how many are expected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selection<'a> {
    /// A query; without one archived cards are included (API description).
    pub(super) query: Option<&'a str>,
    /// For progress, and to notice pages without end.
    pub(super) expected: Option<u64>,
}

/// Reads all pages.
pub(super) async fn read(
    http: &Http,
    shape: &Arc<CardShape>,
    selection: Selection<'_>,
    progress: &dyn Progress,
) -> Result<PersonList, TargetError> {
    let doing = match selection.query {
        None => "read the person cards",
        Some(_) => "look up person cards by a query",
    };
    let get = |url: Url| http.get("/persons", url, PERSONS_V2);
    let failed = |failure: Failure| failure.of_read(doing);
    let (order, first, mut answer) = first_page(http, shape, selection.query).await.map_err(failed)?;
    let mut walk = Walk::new(http, shape, selection, order, first);
    let mut guessing = true;
    loop {
        let status = answer.status;
        let guess = (guessing && status == 206).then(|| walk.page_url(walk.start + PAGE_SIZE));
        let decoding = tokio::task::spawn_blocking({
            let shape = Arc::clone(shape);
            move || shape.page(&answer.body)
        });
        let ahead = async {
            match &guess {
                Some(url) => Some(get(url.clone()).await),
                None => None,
            }
        };
        let (page, ahead) = tokio::join!(decoding, ahead);
        let page = page
            .expect("decoding does not panic")
            .map_err(|why| failed(Failure::Unreadable { status, why }))?;
        let turn = walk.take(page, status);
        progress.advance("persons", walk.cards.len() as u64, selection.expected);
        let Some(next) = turn else { break };
        answer = match (ahead, &guess) {
            // The link may be spelled in many ways: the same offset is the same page.
            (Some(ahead), Some(guess)) if offset(&next) == offset(guess) => ahead.map_err(failed)?,
            (Some(_), _) => {
                guessing = false;
                get(next).await.map_err(failed)?
            }
            (None, _) => get(next).await.map_err(failed)?,
        };
    }
    Ok(walk.finish())
}

/// The first page in the best order the environment takes.
async fn first_page(
    http: &Http,
    shape: &CardShape,
    query: Option<&str>,
) -> Result<(Option<&'static str>, Url, Answer), Failure> {
    // A query gives few cards: one page, in any order.
    let orders = if query.is_some() { &ORDERS[2..] } else { &ORDERS[..] };
    let mut refused = None;
    for order in orders {
        let url = page_url(http, shape, query, *order, 0);
        match http.get("/persons", url.clone(), PERSONS_V2).await {
            Ok(answer) => return Ok((*order, url, answer)),
            // It may be the order or anything else in the request: the first refusal is told if no order helps.
            Err(failure) if failure.status() == Some(400) => refused = refused.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    Err(refused.expect("at least one order was tried"))
}

fn page_url(http: &Http, shape: &CardShape, query: Option<&str>, order: Option<&str>, start: u64) -> Url {
    let (start, size) = (start.to_string(), PAGE_SIZE.to_string());
    let mut parameters = vec![("pageStart", &*start), ("pageSize", &*size), ("fields", shape.fields())];
    parameters.extend(order.map(|order| ("sort", order)));
    parameters.extend(query.map(|query| ("query", query)));
    http.address().at(&["persons"], &parameters)
}

fn offset(url: &Url) -> Option<u64> {
    let found = url.query_pairs().find(|(name, _)| name == "pageStart");
    found.and_then(|(_, value)| value.parse().ok())
}

/// A walk over pages: takes one after the other and says where the next is.
struct Walk<'a> {
    http: &'a Http,
    shape: &'a CardShape,
    selection: Selection<'a>,
    order: Option<&'static str>,
    current: Url,
    start: u64,
    cards: Vec<PersonCard>,
    pages: BTreeSet<u64>,
    findings: Vec<Finding>,
    budget_holders: bool,
}

impl<'a> Walk<'a> {
    fn new(
        http: &'a Http,
        shape: &'a CardShape,
        selection: Selection<'a>,
        order: Option<&'static str>,
        first: Url,
    ) -> Self {
        let expected = usize::try_from(selection.expected.unwrap_or(0)).unwrap_or(0);
        Self {
            http,
            shape,
            selection,
            order,
            current: first,
            start: 0,
            cards: Vec::with_capacity(expected.min(2_000_000)),
            pages: BTreeSet::new(),
            findings: Vec::new(),
            budget_holders: false,
        }
    }

    fn page_url(&self, start: u64) -> Url {
        page_url(self.http, self.shape, self.selection.query, self.order, start)
    }

    fn finding(&mut self, code: &str, effect: Effect, message: String, cure: &str) {
        if self.findings.iter().all(|known| &*known.code != code) {
            self.findings.push(Finding::new(code, effect, message, cure));
        }
    }

    /// Takes a page; gives the address of the next one.
    fn take(&mut self, page: Page, status: u16) -> Option<Url> {
        let rows = page.cards.len() as u64;
        let more = status == 206 || page.next.is_some();
        self.budget_holders |= page.budget_holders;
        if rows == 0 {
            if status == 206 {
                let message = format!(
                    "TOPdesk announced more person cards after {} and gave none",
                    self.cards.len()
                );
                self.finding(
                    "persons_cut_short",
                    Effect::Reject,
                    message,
                    "run again; if it stays, ask TOPdesk's support",
                );
            }
            return None;
        }
        if !self.pages.insert(fingerprint(&page.cards)) {
            let message = format!(
                "the page of person cards at offset {} repeats an earlier page",
                self.start
            );
            self.finding(
                "page_repeated",
                Effect::Reject,
                message,
                "run again; if it stays, the environment or a proxy ignores 'pageStart'",
            );
            return None;
        }
        self.cards.extend(page.cards);
        if !more {
            return None;
        }
        let read = self.cards.len() as u64;
        if self
            .selection
            .expected
            .is_some_and(|expected| read > 2 * expected + 2 * PAGE_SIZE)
        {
            let message =
                format!("{read} rows of person cards read and still more announced, where TOPdesk counted far fewer");
            self.finding(
                "pages_endless",
                Effect::Reject,
                message,
                "run again; if it stays, ask TOPdesk's support",
            );
            return None;
        }
        let own = self.start + rows;
        let next = page.next.as_deref().and_then(|link| {
            let url = self.http.address().page_link(&self.current, link);
            if url.is_none() {
                self.finding(
                    "next_link_elsewhere",
                    Effect::Note,
                    "the link to the next page of person cards leads to another address; it was not followed, the page was asked for by its offset".to_owned(),
                    "nothing to do; a proxy that rewrites addresses may be the reason",
                );
            }
            url.filter(|url| *url != self.current)
        });
        let next = next.unwrap_or_else(|| self.page_url(own));
        self.start = offset(&next).unwrap_or(own);
        self.current = next.clone();
        Some(next)
    }

    fn finish(mut self) -> PersonList {
        if self.order.is_none() && self.pages.len() > 1 {
            self.finding(
                "unsorted_pages",
                Effect::Note,
                "TOPdesk takes no sorting by id or creation date: pages may shift when names change while reading"
                    .to_owned(),
                "nothing to do: doubles and the count are checked",
            );
        }
        let rows = self.cards.len();
        let mut cards = self.cards;
        cards.sort_by(|a, b| a.id.cmp(&b.id));
        cards.dedup_by(|next, kept| {
            let double = next.id == kept.id;
            if double {
                // The one that was read later is the fresher one.
                std::mem::swap(next, kept);
            }
            double
        });
        let doubles = rows - cards.len();
        if doubles > 0 {
            self.findings.push(Finding::new(
                "cards_read_twice",
                Effect::NoAbsence,
                format!("{doubles} person cards came twice: the pages shifted while they were read"),
                "run again at a quieter time",
            ));
        }
        cards.shrink_to_fit();
        PersonList {
            cards,
            findings: self.findings,
            budget_holders: self.budget_holders,
        }
    }
}

/// What makes two pages the same page: the same ids in the same order.
fn fingerprint(cards: &[PersonCard]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for card in cards {
        card.id.hash(&mut hasher);
    }
    hasher.finish()
}
