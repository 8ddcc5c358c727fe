//! The parts together, against real servers on this machine.

mod demo;
mod faults;
mod ldap;
mod sandbox;
mod scenarios;
mod support;
mod topdesk;
mod unit;
