//! The rules of the core as tests: a small world, one thing changes, the plan is looked at (RULES 1 to 6, 8, 9, 11).

mod absence;
mod apply;
mod describe;
mod groups;
mod guard;
mod lifecycle;
mod newcomers;
mod people;
mod properties;
mod provenance;
mod quality;
mod reads;
mod rekey;
mod second_pass;
mod shields;
mod source;
mod twins;
mod undo;
mod windows;
mod world;
mod worlds;
