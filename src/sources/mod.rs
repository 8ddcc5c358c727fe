//! Where identities come from: CSV, LDIF and directories.
//!
//! A source reads and reports facts: records, rejections, findings. It judges nothing, normalises no key and never drops
//! a record silently.

pub mod csv;
pub mod directory;
pub mod file;
pub mod text;
