//! The parts together, against real servers on this machine.

mod faults;
mod ldap;
mod sandbox;
mod support;
mod topdesk;
mod unit;
