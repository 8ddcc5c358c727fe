//! What the tests start and look through; nothing here asserts a rule.

pub mod hostile_ldap;
pub mod masks;
pub mod slapd;
pub mod workplace;
