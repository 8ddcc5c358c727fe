//! What stands around the cards: the version of TOPdesk, the account, and what it may read.

use crate::core::model::card::{OperatorKind, TargetSnapshot};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A version of TOPdesk as `GET /productVersion` gives it: year, release, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// From this version deleting an operator happens through its person (vendor announcement).
pub const DELETING_FOLLOWS: Version = Version(16, 3, 19);
/// From this version archiving a person archives its linked operator (vendor announcement).
pub const ARCHIVING_FOLLOWS: Version = Version(16, 6, 7);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}.{:03}", self.0, self.1, self.2)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut parts = text.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Version(major, minor, patch)),
            _other => Err(serde::de::Error::custom("not a version of three numbers")),
        }
    }
}

/// What kind of account cardsync itself has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Api,
    /// An ordinary operator.
    Regular,
    /// Of TOPdesk's own staff.
    Topdesk,
    /// TOPdesk does not say.
    #[default]
    NotTold,
}

impl AccountKind {
    /// The account with which TOPdesk was read.
    pub fn of(target: &TargetSnapshot) -> Self {
        let own = target.own_account.as_ref();
        let own = own.and_then(|own| target.operators.iter().find(|operator| operator.id == *own));
        match own.map(|own| own.kind) {
            Some(OperatorKind::ApiAccount) => AccountKind::Api,
            Some(OperatorKind::Regular) => AccountKind::Regular,
            Some(OperatorKind::TopdeskAccount) => AccountKind::Topdesk,
            None => AccountKind::NotTold,
        }
    }
}

/// How something that was looked at ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LookedLevel {
    Ok,
    Warning,
    Fail,
    FirstWriteTells,
}

/// One thing that was looked at, as `check` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    pub level: LookedLevel,
    pub topic: String,
    pub text: String,
    pub cure: Option<String>,
}

/// What an operator card says besides what a plan needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorDetails {
    pub first_name: Option<String>,
    pub sur_name: Option<String>,
    pub employee_number: Option<String>,
    pub application_passwords: Option<bool>,
}

impl OperatorDetails {
    /// The name by which people know the account.
    pub fn name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.first_name, &self.sur_name]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// The version, the account, and what reading shows of its rights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Surroundings {
    /// `None` where TOPdesk does not say.
    pub product: Option<Version>,
    pub account: AccountKind,
    pub looked: Vec<Looked>,
}
