//! The identifiers that pass through every layer, each a type of its own so that no two can be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}

identifier! {
    /// One TOPdesk environment: the host name of its address. In every stored row, log span and lock.
    EnvironmentId
}
identifier! {
    /// The id of a person card: TOPdesk's UUID, in lower case.
    CardId
}
identifier! {
    /// The id of an operator group or a permission group: TOPdesk's UUID, in lower case.
    GroupId
}
identifier! {
    /// The id of an operator card: TOPdesk's UUID, in lower case.
    OperatorId
}
identifier! {
    /// One run, from the first read to the last outcome.
    RunId
}
identifier! {
    /// The name a source has in the configuration; expressions use it as their first word.
    SourceName
}
identifier! {
    /// One item of a plan: the hash of its content, so that the same item has the same id in every plan.
    ItemId
}
identifier! {
    /// One plan: derived from its fingerprint, so that the same plan has the same id.
    PlanId
}
identifier! {
    /// What makes two reads of a source the same read: for a file its modification time and content, for a server the
    /// moment of the read. Absence is counted once per generation.
    Generation
}
