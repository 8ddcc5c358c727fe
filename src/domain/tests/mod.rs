//! The rules of the core as tests: a small world, one thing changes, the plan is looked at (RULES 1 to 6, 8, 9, 11).

mod absence;
mod apply;
mod describe;
mod former;
mod groups;
mod guard;
mod lifecycle;
mod newcomers;
mod people;
mod properties;
mod provenance;
mod quality;
mod reads;
mod redact;
mod rekey;
mod retention;
mod second_pass;
mod shields;
mod source;
mod stored;
mod twins;
mod undo;
mod windows;
pub(crate) mod world;
mod worlds;
