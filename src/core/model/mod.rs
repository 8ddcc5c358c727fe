//! The nouns: people, cards, keys, fields, moments, and how text and times are read.

pub mod card;
pub mod damage;
pub mod dn;
pub mod field;
pub mod groups;
pub mod hour;
pub mod identity;
pub mod ids;
pub mod installation;
pub mod key;
pub mod letters;
pub mod operator_names;
pub mod record;
pub mod references;
pub mod signature;
pub mod surroundings;
pub mod visible;
