//! What reading can prove before a run: version, account, filters, lists, rights. Data for `cardsync check`.
//!
//! Rights to write cannot be seen without writing; they are listed as such, with what a missing one would look like.

use super::client::{JSON, PERSONS_V2};
use super::errors::Failure;
use super::proxy::Way;
use super::read::ReadClient;
use super::wire::card::CardShape;
use super::wire::list::{ProductVersion, api_version, product_version};
use super::{lookups, operators};
use crate::core::model::card::{FilterProof, OperatorKind};
use crate::core::model::field::CardField;
use crate::engine::target::TargetWants;

/// The first product version in which a person card takes its linked operator along (vendor announcement).
const CASCADE_SINCE: ProductVersion = ProductVersion(16, 6, 7);

/// How a line of the check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckLevel {
    /// Proven.
    Ok,
    /// A run works, and somebody should know.
    Warn,
    /// A run would fail.
    Fail,
    /// Reading cannot tell: the first write will.
    FirstWriteTells,
}

/// One line of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckLine {
    pub level: CheckLevel,
    /// What was looked at, e.g. `topdesk version`.
    pub topic: String,
    /// What was found.
    pub text: String,
    /// What to do, where there is something to do.
    pub cure: Option<String>,
}

impl CheckLine {
    fn new(level: CheckLevel, topic: &str, text: impl Into<String>, cure: Option<&str>) -> Self {
        Self {
            level,
            topic: topic.to_owned(),
            text: text.into(),
            cure: cure.map(str::to_owned),
        }
    }

    fn ok(topic: &str, text: impl Into<String>) -> Self {
        Self::new(CheckLevel::Ok, topic, text, None)
    }

    fn failed(topic: &str, failure: &Failure) -> Self {
        Self::new(CheckLevel::Fail, topic, failure.tell(), Some(failure.cure()))
    }
}

impl ReadClient {
    /// Everything that reading can show about a run with these wants. Sends nothing but GET, a dozen requests. Ends
    /// early where going on makes no sense (no connection, wrong password).
    pub async fn probe(&self, wants: &TargetWants) -> Vec<CheckLine> {
        let mut lines = vec![self.way()];
        match self.persons(wants).await {
            Ok(line) => lines.push(line),
            Err(failure) => {
                let stop = !matches!(failure.status(), Some(400 | 403));
                lines.push(CheckLine::failed("person cards", &failure));
                if stop {
                    return lines;
                }
            }
        }
        lines.push(self.version().await);
        lines.extend(self.account_lines(wants).await);
        lines.push(match operators::try_archived(&self.http).await {
            Ok(()) => CheckLine::ok("operators", "can be read, archived ones included"),
            Err(failure) => CheckLine::new(
                CheckLevel::Warn,
                "operators",
                format!(
                    "cannot be read: {}; archives and unarchives will be held",
                    failure.tell()
                ),
                Some("give the API account read on operators"),
            ),
        });
        lines.extend(self.group_lines().await);
        lines.push(self.reason(wants).await);
        for list in &wants.lookups {
            let topic = format!("list '{list}'");
            lines.push(match lookups::read(&self.http, *list).await {
                Ok(entries) => CheckLine::ok(
                    &topic,
                    match entries.len() {
                        1 => "1 entry".to_owned(),
                        count => format!("{count} entries"),
                    },
                ),
                Err(failure) => CheckLine::failed(&topic, &failure),
            });
        }
        lines.extend(first_write_tells(wants));
        lines
    }

    /// Straight or through a proxy; of a bad address there is no connection at all.
    fn way(&self) -> CheckLine {
        let text = match self.http.way() {
            Way::Straight { passed_over: false } => "straight, no proxy".to_owned(),
            Way::Straight { passed_over: true } => "straight: NO_PROXY names this address".to_owned(),
            Way::Proxy { address, named_by } => {
                format!("through the proxy {address} ({named_by}); directories are asked straight")
            }
        };
        CheckLine::ok("way to topdesk", text)
    }

    async fn persons(&self, wants: &TargetWants) -> Result<CheckLine, Failure> {
        let (count, _) = self.count().await?;
        let shape = CardShape::new(&wants.fields, self.zone);
        let parameters = [("pageStart", "0"), ("pageSize", "1"), ("fields", shape.fields())];
        let url = self.http.address().at(&["persons"], &parameters);
        let answer = self.http.get("/persons", url, PERSONS_V2).await?;
        let status = answer.status;
        let page = shape
            .page(&answer.body)
            .map_err(|why| Failure::Unreadable { status, why })?;
        let wants_budget_holder =
            wants.fields.contains(&CardField::BudgetHolder) || wants.fields.contains(&CardField::ShowBudgetHolder);
        if wants_budget_holder && !page.budget_holders && !page.cards.is_empty() {
            return Ok(CheckLine::new(
                CheckLevel::Warn,
                "person cards",
                format!("{count} cards; the budget holder field seems to be switched off"),
                Some("take budgetHolder out of 'fields', or switch the field on in TOPdesk"),
            ));
        }
        Ok(CheckLine::ok(
            "person cards",
            format!("{count} cards can be read, version 2 of the API"),
        ))
    }

    async fn version(&self) -> CheckLine {
        let topic = "version";
        let api = async {
            let answer = self
                .http
                .get("/version", self.http.address().at(&["version"], &[]), JSON)
                .await?;
            let status = answer.status;
            api_version(&answer.body).map_err(|why| Failure::Unreadable { status, why })
        };
        let product = async {
            let url = self.http.address().at(&["productVersion"], &[]);
            let answer = self.http.get("/productVersion", url, JSON).await?;
            let status = answer.status;
            product_version(&answer.body).map_err(|why| Failure::Unreadable { status, why })
        };
        let (api, product) = tokio::join!(api, product);
        let api = api.unwrap_or_else(|_| "unknown".to_owned());
        match product {
            Ok(version) if version >= CASCADE_SINCE => CheckLine::ok(
                topic,
                format!("TOPdesk {version}, API {api}: archiving a person archives the linked operator"),
            ),
            Ok(version) => CheckLine::new(
                CheckLevel::Warn,
                topic,
                format!(
                    "TOPdesk {version}, API {api}: before {CASCADE_SINCE} a person does not take the operator along"
                ),
                Some("nothing to do; cardsync assumes that it does, which is the safe side"),
            ),
            Err(failure) => CheckLine::new(
                CheckLevel::Warn,
                topic,
                format!("unknown: {}", failure.tell()),
                Some("nothing to do; cardsync assumes a version in which a person takes the operator along"),
            ),
        }
    }

    async fn account_lines(&self, wants: &TargetWants) -> Vec<CheckLine> {
        let account = match operators::account(&self.http).await {
            Ok(account) => account,
            Err(error) => {
                return vec![CheckLine::new(
                    CheckLevel::Fail,
                    "account",
                    error.what,
                    Some(&error.cure),
                )];
            }
        };
        let own = match &account.operator {
            None => CheckLine::new(
                CheckLevel::Warn,
                "account",
                format!(
                    "TOPdesk does not say which operator it is ({})",
                    account.unread.as_deref().unwrap_or("no explanation")
                ),
                Some("use an operator account of its own for cardsync"),
            ),
            Some(own) => match (own.kind, &own.linked_person) {
                (OperatorKind::ApiAccount, _) => CheckLine::ok("account", "an API account"),
                (OperatorKind::TopdeskAccount, _) => CheckLine::new(
                    CheckLevel::Warn,
                    "account",
                    "an account of TOPdesk's own staff",
                    Some("use an operator account of its own for cardsync"),
                ),
                (OperatorKind::Regular, Some(card)) => CheckLine::new(
                    CheckLevel::Warn,
                    "account",
                    format!("a regular operator, linked to person card {card}, which cardsync will never touch"),
                    Some("use an API account of its own for cardsync"),
                ),
                (OperatorKind::Regular, None) => CheckLine::ok("account", "an operator without a person card"),
            },
        };
        vec![
            own,
            filter_line(&account.filters, account.unread.as_deref(), wants.filters_stated_none),
        ]
    }

    /// The groups of operators: read when a plan takes an operator along.
    async fn group_lines(&self) -> Vec<CheckLine> {
        let (groups, rights) = tokio::join!(
            operators::try_groups(&self.http),
            operators::try_permission_groups(&self.http)
        );
        vec![
            match groups {
                Ok(()) => CheckLine::ok("operator groups", "can be read"),
                Err(failure) => CheckLine::new(
                    CheckLevel::Warn,
                    "operator groups",
                    format!(
                        "cannot be read: {}; whoever takes an operator along may be the last of a group, and is held",
                        failure.tell()
                    ),
                    Some("give the API account read on operator groups"),
                ),
            },
            match rights {
                Ok(()) => CheckLine::ok("permission groups", "can be read"),
                Err(failure) => CheckLine::new(
                    CheckLevel::Warn,
                    "permission groups",
                    format!(
                        "cannot be read: {}; items that touch an operator do not show them",
                        failure.tell()
                    ),
                    Some("give the API account read on permission groups"),
                ),
            },
        ]
    }

    async fn reason(&self, wants: &TargetWants) -> CheckLine {
        let topic = "archiving reason";
        match &wants.archiving_reason {
            None => {
                let there = match lookups::archiving_reasons(&self.http).await {
                    Ok(reasons) if reasons.is_empty() => "; TOPdesk has none".to_owned(),
                    Ok(reasons) => format!("; TOPdesk has {}", lookups::listed(&reasons)),
                    Err(failure) => format!("; which there are could not be read: {}", failure.tell()),
                };
                CheckLine::new(
                    CheckLevel::FirstWriteTells,
                    topic,
                    format!("none is configured: works only where TOPdesk does not make one mandatory{there}"),
                    Some("set topdesk.archiving_reason"),
                )
            }
            Some(name) => match lookups::archiving_reason(&self.http, name).await {
                Ok(Ok(_)) => CheckLine::ok(topic, format!("'{name}' is there")),
                Ok(Err(finding)) => CheckLine::new(CheckLevel::Fail, topic, finding.message, Some(&finding.cure)),
                Err(error) => CheckLine::new(CheckLevel::Fail, topic, error.what, Some(&error.cure)),
            },
        }
    }
}

fn filter_line(filters: &FilterProof, unread: Option<&str>, stated_none: bool) -> CheckLine {
    let topic = "account filters";
    match filters {
        FilterProof::None => CheckLine::ok(topic, "none: the account sees every card and operator"),
        FilterProof::Present(kinds) => CheckLine::new(
            CheckLevel::Warn,
            topic,
            format!(
                "the account has filters ({}): hidden cards look absent, and no operator is ever proven to be missing, so creates and archives are held",
                kinds.join(", ")
            ),
            Some("remove the filters from the account"),
        ),
        FilterProof::Unreadable if stated_none => {
            CheckLine::ok(topic, "could not be read; the configuration states that there are none")
        }
        FilterProof::Unreadable => CheckLine::new(
            CheckLevel::Warn,
            topic,
            format!(
                "could not be read ({}): 'no operator' cannot be proven and archives are held",
                unread.unwrap_or("no explanation")
            ),
            Some("give the account read on filters, or look in TOPdesk and state topdesk.account_filters: none"),
        ),
    }
}

/// The rights that only a write shows.
fn first_write_tells(wants: &TargetWants) -> Vec<CheckLine> {
    let line =
        |topic: &str, text: &str, cure: Option<&str>| CheckLine::new(CheckLevel::FirstWriteTells, topic, text, cure);
    let mut lines = vec![
        line("right: persons", "create, write and archive on persons", None),
        line(
            "right: operators",
            "archive on operators should be missing: then TOPdesk itself refuses to archive an operator with a person",
            Some("take the right away from the everyday account if it has it"),
        ),
    ];
    // What only helps to recognise people is read, not written.
    if wants.mapped.contains(&CardField::TasLoginName) {
        lines.push(line("right: login data", "write on login data, for tasLoginName", None));
    }
    if wants.makes_entries {
        lines.push(line(
            "right: list entries",
            "write on supporting files settings, because a field says missing: create",
            None,
        ));
    }
    lines
}
