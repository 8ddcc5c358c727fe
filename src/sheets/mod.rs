//! Tables for spreadsheets: the one form in which all are written, and how they come back. Pure.

pub mod read;
pub mod table;
