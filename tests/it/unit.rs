//! The systemd unit: understood by systemd, and as closed as it claims to be.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The highest exposure that is accepted, on systemd's scale from 0 to 10. Most of what is left is the network.
const MOST_EXPOSED: f64 = 1.5;

fn systemd_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

fn unit() -> String {
    std::fs::read_to_string(systemd_folder().join("cardsync.service")).unwrap()
}

/// Lets systemd look at the unit; `None` where there is no systemd.
fn analyse(arguments: &[&str]) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cardsync.service");
    // The program is not installed on this machine; one that exists stands in.
    let installed = unit().replace("ExecStart=/usr/local/bin/cardsync ", "ExecStart=/bin/sh ");
    assert_ne!(installed, unit(), "ExecStart names the installed program");
    std::fs::write(&path, installed).unwrap();
    match Command::new("systemd-analyze")
        .args(arguments)
        .arg(&path)
        .env("SYSTEMD_COLORS", "0")
        .output()
    {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("not looked at: systemd-analyze is not here ({error})");
            None
        }
    }
}

#[test]
fn systemd_understands_every_line() {
    let Some(output) = analyse(&["verify"]) else { return };
    // Unknown keys are warnings, and the exit status is 0 nevertheless.
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn the_exposure_is_low() {
    let Some(output) = analyse(&["security", "--offline=true", "--no-pager"]) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, level) = text
        .split_once("Overall exposure level for cardsync.service: ")
        .expect(&text);
    let level: f64 = level.split_whitespace().next().unwrap().parse().unwrap();
    assert!(level <= MOST_EXPOSED, "{text}");
}

#[test]
fn every_line_has_its_comment() {
    let unit = unit();
    let lines: Vec<&str> = unit.lines().collect();
    for (before, line) in lines.iter().zip(&lines[1..]) {
        let directive = line.contains('=') && !line.starts_with('#');
        let title = line.starts_with("Description=");
        assert!(
            !directive || title || before.starts_with("# "),
            "no comment above: {line}"
        );
    }
}

#[test]
fn the_user_of_the_unit_is_the_one_that_is_made() {
    let users = std::fs::read_to_string(systemd_folder().join("cardsync.sysusers.conf")).unwrap();
    let made = users
        .lines()
        .find(|line| line.starts_with("u "))
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    assert!(unit().lines().any(|line| line == format!("User={made}")));
    assert!(users.contains("/var/lib/cardsync") && unit().contains("\nStateDirectory=cardsync\n"));
}
