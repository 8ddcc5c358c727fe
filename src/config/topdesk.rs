//! The TOPdesk environment and the accounts cardsync uses.

use super::secret::SecretRef;
use super::units::{Percent, Span};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The TOPdesk environment and the account cardsync uses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopdeskConfig {
    /// Address, with or without `/tas/api`. `http://` only for loopback addresses.
    pub url: String,
    /// Login name of the API account.
    pub username: String,
    /// Its application password.
    #[schemars(extend("x-decides" = "how"))]
    pub password: SecretRef,
    /// The day the application password expires, e.g. `2027-03-31`: `check` and every run warn from 30 days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "how"))]
    pub password_expires: Option<NaiveDate>,
    /// A second account, used only for approved items that touch an operator: then the everyday account needs no archive
    /// right on operators. Its password is read when the first such item is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "judging"))]
    pub operator_account: Option<AccountConfig>,
    /// Name of the archiving reason that archives use. Required where the environment makes it mandatory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "judging"))]
    pub archiving_reason: Option<String>,
    /// Only where the account's filters cannot be read: a human states that there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_filters: Option<AccountFilters>,
    /// PEM file with the certificate authority, when the system's roots do not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "how"))]
    pub ca_file: Option<PathBuf>,
    /// Requests in flight at most. Default 4, 1 to 32.
    #[serde(default = "default_concurrency")]
    #[schemars(extend("x-decides" = "how"))]
    pub concurrency: usize,
    /// Requests per second at most. Default 20.
    #[serde(default = "default_requests_per_second")]
    #[schemars(extend("x-decides" = "how"))]
    pub requests_per_second: u32,
    /// Longest wait for one answer. Default 60s.
    #[serde(default = "default_timeout")]
    #[schemars(extend("x-decides" = "how"))]
    pub timeout: Span,
    /// How long a run waits for an environment in maintenance (502 to 504, 520 to 524) before its first write. Default 0s: not at all.
    #[serde(default)]
    #[schemars(extend("x-decides" = "how"))]
    pub patience: Span,
    /// Longest time for sending changes in one run; what is left is planned again by the next. Default 2h.
    #[serde(default = "default_run_limit")]
    #[schemars(extend("x-decides" = "how"))]
    pub run_limit: Span,
    /// How the read of person cards itself is judged. Defaults: at least 1 card, at most 10 % fewer than before.
    #[serde(default)]
    pub expect: ExpectTarget,
    /// Whether a card needs `isManager` before others may have it as their manager. Default false: the flag is not touched.
    #[serde(default)]
    #[schemars(extend("x-decides" = "judging"))]
    pub manager_flag: bool,
    /// Whether an archived card keeps its login name reserved. Default true, the safe assumption.
    #[serde(default = "default_true")]
    #[schemars(extend("x-decides" = "judging"))]
    pub archived_logins_reserved: bool,
}

fn default_concurrency() -> usize {
    4
}
fn default_requests_per_second() -> u32 {
    20
}
pub(super) fn default_timeout() -> Span {
    Span::seconds(60)
}
fn default_run_limit() -> Span {
    Span::hours(2)
}
fn default_true() -> bool {
    true
}

/// An account of TOPdesk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Login name.
    pub username: String,
    /// Its application password.
    pub password: SecretRef,
}

/// A human's statement about the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountFilters {
    /// The account has no branch, operator or category filter.
    None,
}

/// Expectations of the TOPdesk read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectTarget {
    /// Fewest cards. Default 1.
    pub min_records: u64,
    /// Largest drop against the largest read of the last 14 days. Default 10%.
    pub max_drop: Percent,
    /// Largest loss of the cards of one branch or department; at least 5 cards. Default 50%.
    pub max_group_drop: Percent,
}

impl Default for ExpectTarget {
    fn default() -> Self {
        Self {
            min_records: 1,
            max_drop: Percent(10.0),
            max_group_drop: Percent(50.0),
        }
    }
}
