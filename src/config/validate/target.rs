//! TOPdesk, time, secrets and surroundings.

use super::is_blank;
use crate::config::Config;
use crate::config::address::topdesk_api;
use crate::config::policy::zone;
use crate::config::problem::Fault;
use crate::config::secret::SecretRef;
use crate::config::units::Span;

pub fn topdesk(config: &Config, faults: &mut Vec<Fault>) {
    let topdesk = &config.topdesk;
    if let Err(error) = topdesk_api(&topdesk.url) {
        faults.push(Fault::new("topdesk.url", error.message, error.cure));
    }
    if is_blank(&topdesk.username) {
        faults.push(Fault::new(
            "topdesk.username",
            "is blank",
            "write the login name of the API account",
        ));
    } else if topdesk.username.contains(':') {
        let cure = "HTTP basic authentication cannot send it; use an account without a colon";
        faults.push(Fault::new("topdesk.username", "contains a colon", cure));
    }
    if topdesk.archiving_reason.as_deref().is_some_and(is_blank) {
        let cure = "write the name of an archiving reason of TOPdesk, or take the option out";
        faults.push(Fault::new("topdesk.archiving_reason", "is blank", cure));
    }
    if topdesk.ca_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        faults.push(Fault::new(
            "topdesk.ca_file",
            "is blank",
            "write a path, or take the option out",
        ));
    }
}

pub fn pacing(config: &Config, faults: &mut Vec<Fault>) {
    let topdesk = &config.topdesk;
    if !(1..=32).contains(&topdesk.concurrency) {
        let message = format!("{} is not between 1 and 32", topdesk.concurrency);
        faults.push(Fault::new("topdesk.concurrency", message, "4 is a good number"));
    }
    if !(1..=1000).contains(&topdesk.requests_per_second) {
        let message = format!("{} is not between 1 and 1000", topdesk.requests_per_second);
        faults.push(Fault::new(
            "topdesk.requests_per_second",
            message,
            "20 is a good number",
        ));
    }
    if topdesk.timeout == Span::seconds(0) {
        faults.push(Fault::new(
            "topdesk.timeout",
            "is zero: every request would fail",
            "60s is a good time",
        ));
    }
}

pub fn timezone(config: &Config, faults: &mut Vec<Fault>) {
    faults.extend(zone(config).err());
}

pub fn secrets(config: &Config, faults: &mut Vec<Fault>) {
    place_of_secret("topdesk.password", &config.topdesk.password, faults);
}

pub(in crate::config) fn place_of_secret(path: &str, secret: &SecretRef, faults: &mut Vec<Fault>) {
    let wrong = match secret {
        SecretRef::Env(place) if is_blank(&place.env) || place.env.contains(['=', '\0']) => Some((
            "env",
            "is not the name of an environment variable",
            "write a name such as TOPDESK_PASSWORD",
        )),
        SecretRef::File(place) if place.file.as_os_str().is_empty() => Some((
            "file",
            "is blank",
            "write the path of a file that only the user of cardsync may read",
        )),
        SecretRef::Credential(place) if is_blank(&place.credential) || place.credential.contains('/') => Some((
            "credential",
            "is not the name of a systemd credential",
            "write the name that LoadCredential= has in the unit, without a path",
        )),
        SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Credential(_) => None,
    };
    if let Some((kind, message, cure)) = wrong {
        faults.push(Fault::new(format!("{path}.{kind}"), message, cure));
    }
}

pub fn surroundings(config: &Config, faults: &mut Vec<Fault>) {
    if let Some(path) = &config.store.sqlite {
        let text = path.to_string_lossy();
        if is_blank(&text) || text.ends_with('/') || path.file_name().is_none() {
            let cure = "write the path of a file, such as /var/lib/cardsync/cardsync.db";
            faults.push(Fault::new("store.sqlite", "is not the path of a file", cure));
        }
    }
    if config.notify.command.first().is_some_and(|program| is_blank(program)) {
        faults.push(Fault::new(
            "notify.command",
            "names no program",
            "write the program first, then its arguments",
        ));
    }
}
