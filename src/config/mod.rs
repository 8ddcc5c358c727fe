//! The configuration file: one YAML file per TOPdesk environment.
//!
//! The structs below are the documentation: one comment per option, with default and unit. They become the JSON Schema
//! of `config schema`. Reading, locating and checking is in [`mod@load`] and [`validate`]; secrets are in [`secret`].

pub mod address;
pub mod anonymize;
pub mod budgets;
pub mod decides;
pub mod load;
pub mod policy;
pub mod problem;
pub mod schema;
pub mod secret;
mod shape;
pub mod show;
pub mod source;
pub mod starter;
mod store;
mod suggest;
mod tree;
pub mod units;
pub mod validate;

pub use anonymize::AnonymizeConfig;
pub use load::{Loaded, load};
pub use schema::schema;
pub use show::show;
pub use source::{
    Canaries, CanariesAtLeast, CsvConfig, Expect, LdapConfig, LdifConfig, OneOrMany, PerContract, Plaintext, RowUnit,
    RowsConfig, SourceCommon, SourceConfig, SourceOptions,
};
pub use starter::starter;
pub use store::{RetentionConfig, StoreConfig};

use crate::domain::key::Normaliser;
pub use crate::domain::policy::{FieldPolicy, MissingEntry, RehireOperator, RehirePerson, WorkLeft};
use chrono::NaiveDate;
use schemars::JsonSchema;
use secret::SecretRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use units::{Percent, Span, TimeOfDay};

/// One TOPdesk environment and everything that feeds it. Relative paths start in the folder of this file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the person cards are.
    pub topdesk: TopdeskConfig,
    /// IANA time zone for 'today', dates and hours, e.g. `Europe/Amsterdam`. Default: UTC.
    #[serde(default = "default_timezone")]
    pub timezone: String,
    /// Where identities come from. At least one is authoritative.
    pub sources: Vec<SourceConfig>,
    /// Condition: who is in scope at all. People out of scope are neither changed nor archived. Default: everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
    /// Which card field decides who is who, and how two keys are compared.
    #[serde(default)]
    pub key: KeyConfig,
    /// Card field: expression over `source.attribute`.
    #[schemars(extend("propertyNames" = schema::card_field_names()))]
    pub fields: BTreeMap<String, FieldRule>,
    /// Flags of new cards. Required, because TOPdesk's own default is true for both.
    pub create: CreateConfig,
    /// When people leave and what happens when they come back.
    #[serde(default)]
    pub lifecycle: LifecycleConfig,
    /// Limits per class of change, and who is never touched.
    #[serde(default)]
    pub guard: GuardConfig,
    /// When the daemon runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-decides" = "how"))]
    pub schedule: Option<ScheduleConfig>,
    /// Where state is kept.
    #[serde(default)]
    #[schemars(extend("x-decides" = "how"))]
    pub store: StoreConfig,
    /// Who is told.
    #[serde(default)]
    #[schemars(extend("x-decides" = "how"))]
    pub notify: NotifyConfig,
}

impl Config {
    /// Every file that an option names, those of secrets among them.
    pub fn each_path(&mut self, visit: &mut dyn FnMut(&mut PathBuf)) {
        self.topdesk.ca_file.iter_mut().for_each(&mut *visit);
        self.topdesk.password.each_path(visit);
        if let Some(account) = &mut self.topdesk.operator_account {
            account.password.each_path(visit);
        }
        self.store.sqlite.iter_mut().for_each(&mut *visit);
        if let Some(anonymize) = &mut self.lifecycle.anonymize {
            anonymize.legal_hold.file.iter_mut().for_each(&mut *visit);
        }
        for source in &mut self.sources {
            source.options_mut().each_path(visit);
        }
    }
}

fn default_timezone() -> String {
    "UTC".to_owned()
}

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
fn default_timeout() -> Span {
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

/// The key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyConfig {
    /// Card field that holds the key. Default `employeeNumber`. E-mail and names are refused by everything that writes.
    pub card_field: String,
    /// How keys are compared (never written): `trim`, `uppercase`, `lowercase`, `strip_leading_zeros`. Default `[trim]`.
    pub normalize: Vec<Normaliser>,
    /// Say `true` to use a login field as key: a statement that logins never change and are never used again.
    pub immutable: bool,
    /// Card field that holds the date of birth, one of the optional dates; it must be mapped under `fields`. Decides:
    /// nothing of the sync; it witnesses the human where people are compared. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
}

impl Default for KeyConfig {
    fn default() -> Self {
        Self {
            card_field: "employeeNumber".to_owned(),
            normalize: vec![Normaliser::Trim],
            immutable: false,
            birth_date: None,
        }
    }
}

/// How a field gets its value: an expression, or an expression with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldRule {
    /// `"{{ hr['Last name'] }}"`
    Expression(String),
    /// With options.
    Full(FieldOptions),
}

/// A field with options. Exactly one of `value`, `key` and `dn`; the last two for `manager` only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FieldOptions {
    /// The expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Manager: expression that gives the manager's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Manager: expression that gives the manager's DN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// Whether the source rules (`enforce`, default), fills empty fields only (`seed`), or never empties (`never_clear`,
    /// default for `branch`, which TOPdesk demands).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<FieldPolicy>,
    /// References: what to do when the list has no such entry. Default `hold`.
    pub missing: MissingEntry,
    /// Text longer than the field takes. Default `skip`: report it and leave the field as it is.
    pub too_long: TooLong,
}

/// What to do with text longer than the field takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TooLong {
    /// The field stays as it is.
    #[default]
    Skip,
    /// Cut to the field's length.
    Truncate,
    /// The person waits.
    Reject,
}

/// Flags of new cards; never written on update unless mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConfig {
    /// Access to the self-service portal.
    #[serde(rename = "hasSspAccess")]
    pub has_ssp_access: bool,
    /// May be chosen as the caller of a call.
    #[serde(rename = "isCaller")]
    pub is_caller: bool,
}

/// When people leave and what happens when they come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LifecycleConfig {
    /// Before the first working day. Default: a card is made as soon as a source has the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joiner: Option<JoinerConfig>,
    /// Evidence of leaving. Default: none, only absence counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaver: Option<LeaverConfig>,
    /// Absence from every authoritative source.
    pub missing: MissingConfig,
    /// What happens to somebody who comes back.
    pub rehire: RehireConfig,
    /// What happens to the data of people whose card was archived long ago. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymize: Option<AnonymizeConfig>,
}

/// Before the first working day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinerConfig {
    /// The first working day, an expression that gives a date, e.g. `{{ hr['Start date'] | date }}`. A blank date is later
    /// than every date; who has no date that can be read gets no card.
    pub starts: String,
    /// A card is made, or an archived one made active again, at most so many days before. Whole days; default 14d.
    #[serde(default = "default_before")]
    pub before: Span,
    /// When a card that cardsync makes gets the access that `create.hasSspAccess` says.
    #[serde(default)]
    pub ssp_access: SspAccess,
}

fn default_before() -> Span {
    Span::days(14)
}

/// When a new card gets its access to the self-service portal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SspAccess {
    /// With the card.
    #[default]
    AtOnce,
    /// On the first working day.
    OnTheDay,
}

/// Evidence of leaving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaverConfig {
    /// Condition, e.g. `{{ hr['End date'] | date < today }}`. Only a source with a row per contract can do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How long it must hold before the card is archived. Default 1d.
    #[serde(default = "default_after")]
    pub after: Span,
    /// With a row per contract: how long after the day on which the last contract has ended a card stays, for the next contract
    /// that is entered late. A next contract that is known already keeps the card whatever the gap. Whole days. Default 0d.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub gap: Span,
    /// The time of day, in `timezone`, at which cards are archived, e.g. "18:00". Default: whenever it has held long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<TimeOfDay>,
    /// A leaver with an operator who is still the manager of others: off (default), report, or hold.
    #[serde(default)]
    pub work_left: WorkLeft,
    /// Before the card of somebody with an active operator is archived, the operator loses the permission to log in, so that
    /// a later wake-up gives no access. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disarm: bool,
}

fn default_after() -> Span {
    Span::days(1)
}

/// When somebody who is no longer in any source counts as gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MissingConfig {
    /// Complete reads that must miss the person, each with new content. Default 3; at least 2.
    pub reads: u32,
    /// Time that must pass since the first of them. Default 48h.
    #[serde(rename = "for")]
    pub for_: Span,
}

impl Default for MissingConfig {
    fn default() -> Self {
        Self {
            reads: 3,
            for_: Span::hours(48),
        }
    }
}

/// What happens to somebody who comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RehireConfig {
    /// A card that cardsync archived: unarchive it (default), or hold.
    pub person: RehirePerson,
    /// The linked archived operator that may wake up with it. `hold` (default): a human decides whether the card wakes, with
    /// whatever TOPdesk then makes of the operator. `restore`: one that cardsync archived with the card is woken, once that is
    /// approved. `keep_archived`: it stays archived, and is archived again at once where TOPdesk wakes it with the card.
    pub operator: RehireOperator,
}

impl Default for RehireConfig {
    fn default() -> Self {
        Self {
            person: RehirePerson::Unarchive,
            operator: RehireOperator::Hold,
        }
    }
}

/// A limit: at most `max`, and at most `percent` of the active cards that are ours, whichever is less, but never below 3.
/// It holds for any 24 hours and for any 7 days, counting what every command sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetConfig {
    /// Items in 24 hours and in 7 days. A budget can be raised, never switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Share of the active cards that are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// Items in 7 days, where a week may have more (or less) than 24 hours. Default: the same limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_week: Option<u32>,
}

/// Limits per class of change; a class over its limit is held whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardConfig {
    /// Default 20 or 2%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<BudgetConfig>,
    /// Default 10 or 1%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unarchive: Option<BudgetConfig>,
    /// Default 5%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<BudgetConfig>,
    /// Cards whose surname or first name changes. Default 2%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<BudgetConfig>,
    /// Cards on which one and the same field is emptied. Default 2%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blanked_fields: Option<BudgetConfig>,
    /// Cards on which one and the same field gets another value, per field; not names, e-mail and logins. Default 20%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_fields: Option<BudgetConfig>,
    /// Cards whose e-mail address, or one and the same login, gets another value. Default 5%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_logins: Option<BudgetConfig>,
    /// List entries created. Default 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookups: Option<BudgetConfig>,
    /// Keys written onto cards without one. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt: Option<BudgetConfig>,
    /// Keys changed. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<BudgetConfig>,
    /// Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymize: Option<BudgetConfig>,
    /// Operators that an archive takes along. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operators: Option<BudgetConfig>,
    /// Operators that an unarchive wakes. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operators_woken: Option<BudgetConfig>,
    /// Who is never touched, whatever else is said.
    pub protect: ProtectConfig,
}

/// Who is never touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProtectConfig {
    /// Keys of people. The card that has the key, or had it, stays protected when the key changes.
    pub keys: Vec<String>,
    /// Ids of person cards.
    pub cards: Vec<String>,
    /// TOPdesk query over person cards, e.g. `branch.name=='Board'`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// When the daemon runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Cron expression with 5, 6 (seconds first) or 7 (year last) fields, in `timezone`.
    pub cron: String,
}

/// Who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// Program and arguments; it gets one JSON object on standard input when a hold is new, a snapshot is rejected, a run
    /// failed, or all is well again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}
