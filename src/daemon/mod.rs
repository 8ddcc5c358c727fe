//! Runs on a schedule. What is due when is pure and stands in [`schedule`]; it must not read a clock.

pub mod schedule;
