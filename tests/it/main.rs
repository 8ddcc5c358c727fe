//! The parts together, against real servers on this machine.

mod support;

mod ldap;
