//! What decides: the configuration in the words of the core, evidence of leaving, dates, lists, budget windows.

pub mod anonymize;
pub mod contracts;
pub mod evidence;
pub mod joining;
pub mod lifecycle;
pub mod lists;
pub mod policy;
pub mod retention;
pub mod window;
