//! What the tests start and look through; nothing here asserts a rule.

pub mod company;
pub mod failing_store;
pub mod hostile_ldap;
pub mod masks;
pub mod ports;
pub mod slapd;
pub mod waiting;
pub mod workplace;
