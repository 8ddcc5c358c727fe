//! What is remembered from run to run: cards, decisions, questions, what was written and what an undo took back.

pub mod apart;
pub mod asked;
pub mod certificate;
pub mod decision;
pub mod deed;
pub mod halves;
pub mod ledger;
pub mod pin;
pub mod refused;
pub mod rejected_pairs;
pub mod seen;
pub mod shown;
