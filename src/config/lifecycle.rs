//! When people join, leave and come back.

use super::AnonymizeConfig;
use super::units::{Span, TimeOfDay};
use crate::core::rules::policy::{RehireOperator, RehirePerson, WorkLeft};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
