//! Raw rows: the API's answers as they are, page by page, so that a hundred thousand cards never exist at once.

use crate::topdesk::client::{Http, JSON, PERSONS_V2};
use crate::topdesk::errors::Failure;
use crate::topdesk::query::ALL_OPERATORS;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// A card or entry as it came.
pub(super) type Row = Map<String, Value>;

/// Rows per page of persons; a row is some kilobytes while it is looked at.
const PERSON_PAGE: usize = 1000;
/// Rows per page where only ids are read: the most that the API gives.
const ID_PAGE: usize = 5000;
/// The most that operators and groups are given at once.
const OPERATOR_PAGE: usize = 100;
/// Orders that do not change while pages are read, best first.
const ORDERS: [Option<&str>; 3] = [Some("id:asc"), Some("creationDate:asc"), None];

/// A plain list.
pub(super) async fn rows(
    http: &Http,
    route: &'static str,
    segments: &[&str],
    parameters: &[(&str, &str)],
) -> Result<Vec<Row>, Failure> {
    let answer = http.get(route, http.address().at(segments, parameters), JSON).await?;
    if answer.body.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&answer.body).map_err(|error| unreadable(answer.status, &error))
}

/// One object.
pub(super) async fn row(
    http: &Http,
    route: &'static str,
    segments: &[&str],
    parameters: &[(&str, &str)],
) -> Result<Row, Failure> {
    let answer = http.get(route, http.address().at(segments, parameters), JSON).await?;
    serde_json::from_slice(&answer.body).map_err(|error| unreadable(answer.status, &error))
}

/// The text of a JSON error may quote a value: only its place is told.
fn unreadable(status: u16, error: &serde_json::Error) -> Failure {
    let why = format!(
        "not the JSON that was expected, at line {} column {}",
        error.line(),
        error.column()
    );
    Failure::Unreadable { status, why }
}

/// The id of a row in its normal form.
pub(super) fn id(row: &Row) -> Option<uuid::Uuid> {
    row.get("id")?
        .as_str()
        .and_then(|id| uuid::Uuid::parse_str(id.trim()).ok())
}

/// Person cards, page by page.
pub(super) struct Persons<'a> {
    http: &'a Http,
    fields: &'a str,
    size: usize,
    order: Option<&'static str>,
    start: usize,
    over: bool,
    seen: HashSet<uuid::Uuid>,
    /// The first link to a next page, and whether there was a further page without one.
    pub(super) first_link: Option<String>,
    pub(super) unlinked: bool,
    /// Whether the order by id was refused.
    pub(super) id_order_refused: bool,
}

#[derive(Deserialize)]
struct Page {
    item: Vec<Row>,
    next: Option<String>,
}

impl<'a> Persons<'a> {
    /// All fields that are given.
    pub(super) fn new(http: &'a Http, fields: &'a str) -> Self {
        Self {
            http,
            fields,
            size: if fields == "id" { ID_PAGE } else { PERSON_PAGE },
            order: ORDERS[0],
            start: 0,
            over: false,
            seen: HashSet::new(),
            first_link: None,
            unlinked: false,
            id_order_refused: false,
        }
    }

    /// The next cards; `None` when there are no more. A card that comes twice because pages shifted is given once.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Row>>, Failure> {
        if self.over {
            return Ok(None);
        }
        let (status, page) = self.page().await?;
        let rows = page.item.len();
        let more = status == 206 || page.next.is_some();
        if more {
            self.unlinked |= page.next.is_none();
            self.first_link = self.first_link.take().or(page.next);
        }
        let cards: Vec<Row> = page
            .item
            .into_iter()
            .filter(|row| id(row).is_some_and(|id| self.seen.insert(id)))
            .collect();
        self.over = !more;
        self.start += rows;
        if more && cards.is_empty() {
            let why = format!(
                "the page of person cards at offset {} holds nothing new",
                self.start - rows
            );
            return Err(Failure::Unreadable { status, why });
        }
        Ok(Some(cards))
    }

    async fn page(&mut self) -> Result<(u16, Page), Failure> {
        let mut refused = None;
        let first = self.start == 0;
        let orders = if first { &ORDERS[..] } else { &[self.order][..] };
        for order in orders.iter().copied() {
            let (start, size) = (self.start.to_string(), self.size.to_string());
            let mut parameters = vec![("pageStart", &*start), ("pageSize", &*size), ("fields", self.fields)];
            parameters.extend(order.map(|order| ("sort", order)));
            let url = self.http.address().at(&["persons"], &parameters);
            match self.http.get("/persons", url, PERSONS_V2).await {
                Ok(answer) => {
                    self.order = order;
                    let page =
                        serde_json::from_slice(&answer.body).map_err(|error| unreadable(answer.status, &error))?;
                    return Ok((answer.status, page));
                }
                Err(failure) if failure.status() == Some(400) && first => {
                    self.id_order_refused = true;
                    refused = refused.or(Some(failure));
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(refused.expect("at least one order was tried"))
    }
}

/// Operators or operator groups, archived ones included where the environment gives them.
pub(super) async fn operators(
    http: &Http,
    list: &'static str,
    fields: &str,
    advance: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<Row>, Failure> {
    let route = if list == "operators" {
        "/operators"
    } else {
        "/operatorgroups"
    };
    let mut query = Some(ALL_OPERATORS);
    let mut seen = HashSet::new();
    let (mut found, mut start) = (Vec::new(), 0);
    loop {
        let (offset, size) = (start.to_string(), OPERATOR_PAGE.to_string());
        let mut parameters = vec![("start", &*offset), ("page_size", &*size), ("fields", fields)];
        parameters.extend(query.map(|query| ("query", query)));
        let answer = match http.get(route, http.address().at(&[list], &parameters), JSON).await {
            Ok(answer) => answer,
            Err(failure) if failure.status() == Some(400) && query.is_some() && start == 0 => {
                query = None;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if answer.body.is_empty() {
            return Ok(found);
        }
        let page: Vec<Row> = serde_json::from_slice(&answer.body).map_err(|error| unreadable(answer.status, &error))?;
        let (rows, before) = (page.len(), found.len());
        found.extend(page.into_iter().filter(|row| id(row).is_some_and(|id| seen.insert(id))));
        advance(found.len());
        if answer.status != 206 || found.len() == before {
            return Ok(found);
        }
        start += rows;
    }
}
