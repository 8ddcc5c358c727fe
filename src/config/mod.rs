//! The configuration file: one YAML file per TOPdesk environment.
//!
//! The structs below are the documentation: one comment per option, with default and unit. They become the JSON Schema
//! of `config schema`. Reading, locating and checking is in [`mod@load`] and [`validate`]; secrets are in [`secret`].

pub mod address;
pub mod anonymize;
pub mod budgets;
pub mod decides;
mod lifecycle;
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
pub mod topdesk;
mod tree;
pub mod units;
pub mod validate;

pub use anonymize::AnonymizeConfig;
pub use lifecycle::{JoinerConfig, LeaverConfig, LifecycleConfig, MissingConfig, RehireConfig, SspAccess};
pub use load::{Loaded, load};
pub use schema::schema;
pub use show::show;
pub use source::{
    Canaries, CanariesAtLeast, CsvConfig, Expect, LdapConfig, LdifConfig, OneOrMany, PerContract, Plaintext, RowUnit,
    RowsConfig, SourceCommon, SourceConfig, SourceOptions,
};
pub use starter::starter;
pub use store::{RetentionConfig, StoreConfig};
pub use topdesk::{AccountConfig, AccountFilters, ExpectTarget, TopdeskConfig};

use crate::core::model::key::Normaliser;
pub use crate::core::rules::policy::{FieldPolicy, MissingEntry, RehireOperator, RehirePerson, WorkLeft};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use units::Percent;

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
