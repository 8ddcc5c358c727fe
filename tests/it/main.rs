//! The parts together, against real servers on this machine.

mod architecture;
mod audit;
mod cli;
mod config;
mod demo;
mod docs;
mod faults;
mod hostile_text;
mod ldap;
mod lives;
mod privacy;
mod sandbox;
mod scenarios;
mod support;
mod topdesk;
mod undo;
mod unit;
mod way;
mod years;
