//! What goes wrong between us and TOPdesk, and what TOPdesk says about it.
//!
//! TOPdesk's texts may change and may be in another language, so the status decides first and known texts second. Its
//! words are kept, ours are not: no request body, no value of a person is ever part of a message.

use super::values::Sent;
use crate::core::model::visible;
use crate::engine::target::{Concerns, TargetError};
use serde_json::Value;
use std::time::Duration;

/// Longest part of TOPdesk's own words in a message, in characters.
const LONGEST_WORDS: usize = 300;

/// What to do about a 401.
const CHECK_LOGIN: &str =
    "check topdesk.username and the application password: it may be wrong or expired, or the account may be archived";

/// How a request that did not give a usable answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing was sent: no such host, connection refused, no trust.
    NotSent { why: String, hopeless: bool },
    /// Nothing was sent: TOPdesk has refused the log-in of this account before, and would again.
    LoginRefused,
    /// It was sent, or may have been, and no whole answer came back.
    Lost { why: String },
    /// TOPdesk answered with an error.
    Answered(Answered),
    /// Something answered that is not the API: a redirect, a page for people, another format.
    NotTheApi { status: u16, why: String },
    /// The API answered with success and something that is not as described.
    Unreadable { status: u16, why: String },
}

/// An answered error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) words: Words,
    pub(super) retry_after: Option<Duration>,
}

/// What an error body says, whatever its shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Texts for people.
    pub(super) texts: Vec<String>,
    /// Codes for programs, e.g. `duplicate_value`.
    pub(super) codes: Vec<String>,
    /// Fields it is about.
    pub(super) fields: Vec<String>,
    /// What the request carried: none of it is repeated.
    pub(super) sent: Sent,
}

impl Words {
    /// Reads an error body: all shapes of the API, plain text, a page, or nothing.
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut words = Words::default();
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => words.collect(&value),
            Err(_not_json) => {
                let text = String::from_utf8_lossy(body);
                let text = if text.trim_start().starts_with('<') {
                    title(&text)
                } else {
                    text.trim()
                };
                words.texts.extend((!text.is_empty()).then(|| text.to_owned()));
            }
        }
        words
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(fields) => {
                for (name, inner) in fields {
                    match (name.as_str(), inner) {
                        ("message" | "errorMessage", Value::String(text)) => self.texts.push(text.clone()),
                        ("errorCode", Value::String(code)) => self.codes.push(code.clone()),
                        ("appliesTo", Value::String(field)) => self.fields.push(field.clone()),
                        ("appliesTo", Value::Array(fields)) => {
                            self.fields
                                .extend(fields.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        ("errors", inner) => self.collect(inner),
                        _other => {}
                    }
                }
            }
            Value::String(text) => self.texts.push(text.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether a text contains this, ignoring case; some codes are texts as well.
    pub(super) fn mention(&self, part: &str) -> bool {
        let mut words = self.texts.iter().chain(&self.codes);
        words.any(|text| text.to_lowercase().contains(part))
    }

    /// Whether this code is there.
    pub(super) fn code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known.eq_ignore_ascii_case(code))
    }

    /// In one line, without values of people, and not long. Our own values are known; what TOPdesk quotes besides, and what
    /// looks like an address or a telephone number, may be somebody else's.
    pub(super) fn say(&self) -> String {
        let mut parts: Vec<String> = self.texts.iter().map(|text| tidy(text, &self.sent)).collect();
        if parts.iter().all(String::is_empty) {
            parts.clone_from(&self.codes);
            parts.extend((!self.fields.is_empty()).then(|| format!("field {}", self.fields.join(", "))));
        }
        parts.dedup();
        let said: String = parts.join("; ").chars().take(LONGEST_WORDS).collect();
        if said.is_empty() {
            "no explanation".to_owned()
        } else {
            format!("TOPdesk says: {said}")
        }
    }
}

/// The title of a page for people.
fn title(page: &str) -> &str {
    let lower = page.to_ascii_lowercase();
    let found = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = lower[start..].find("</title>")?;
        Some(page[start..start + end].trim())
    });
    found.filter(|title| !title.is_empty()).unwrap_or("a page for people")
}

/// One line, without values.
fn tidy(text: &str, sent: &Sent) -> String {
    let words = text.split(|c: char| c.is_whitespace() || visible::hides(c));
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    sent.masked(&line)
}

impl Failure {
    /// Whether the same GET may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Failure::NotSent { hopeless, .. } => !hopeless,
            Failure::Lost { .. } => true,
            Failure::LoginRefused => false,
            // From 520 on: an edge in between whose origin did not answer.
            Failure::Answered(answered) => matches!(answered.status, 408 | 425 | 429 | 500 | 502..=504 | 520..=524),
            Failure::NotTheApi { .. } | Failure::Unreadable { .. } => false,
        }
    }

    /// How long TOPdesk asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::Answered(answered) => answered.retry_after,
            Failure::NotSent { .. }
            | Failure::LoginRefused
            | Failure::Lost { .. }
            | Failure::NotTheApi { .. }
            | Failure::Unreadable { .. } => None,
        }
    }

    /// The HTTP status, where there was an answer.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Failure::Answered(answered) => Some(answered.status),
            Failure::NotTheApi { status, .. } | Failure::Unreadable { status, .. } => Some(*status),
            Failure::NotSent { .. } | Failure::LoginRefused | Failure::Lost { .. } => None,
        }
    }

    /// What happened, to be read after 'could not ...: '.
    pub(super) fn tell(&self) -> String {
        match self {
            Failure::NotSent { why, .. } => format!("no connection ({why})"),
            Failure::LoginRefused => "not sent, because TOPdesk had refused the log-in (status 401)".to_owned(),
            Failure::Lost { why } => format!("no whole answer came back ({why})"),
            Failure::Answered(answered) => format!("status {}, {}", answered.status, answered.words.say()),
            Failure::NotTheApi { status, why } => format!("status {status}: {why}"),
            Failure::Unreadable { status, why } => format!("status {status}, but {why}"),
        }
    }

    /// What to do about a failure that has nothing to do with one card.
    pub(super) fn cure(&self) -> &'static str {
        match self {
            Failure::NotSent { hopeless: true, .. } => {
                "check the host in topdesk.url, the server's certificate and topdesk.ca_file"
            }
            Failure::NotSent { hopeless: false, .. } => "check topdesk.url, the network and whether TOPdesk is up",
            Failure::Lost { .. } => {
                "check the network and whether TOPdesk is up; a slow environment needs a longer topdesk.timeout"
            }
            Failure::LoginRefused => CHECK_LOGIN,
            Failure::NotTheApi { .. } => {
                "check topdesk.url: it must be the address of the environment itself, not of a portal or proxy log-in"
            }
            Failure::Unreadable { .. } => {
                "check that topdesk.url is a TOPdesk environment with version 2 of the persons API"
            }
            Failure::Answered(answered) => match answered.status {
                400 => "compare the configuration with what TOPdesk says",
                401 => CHECK_LOGIN,
                403 => "give the API account the right that TOPdesk names (REST API, and read on what is read)",
                404 | 405 => "check topdesk.url, and that the environment has this part of the API",
                406 | 415 => {
                    "the environment is too old for version 2 of the persons API, or a proxy changes the Accept header"
                }
                429 => "lower topdesk.requests_per_second or topdesk.concurrency",
                502..=504 | 520..=524 => "TOPdesk is in maintenance or overloaded: wait, then run again",
                500 => "look into TOPdesk's own log at this time, then run again",
                _other => "look at what TOPdesk says",
            },
        }
    }

    /// The failure of a read, as the engine hears it. `doing` is what was tried: 'read the person cards'.
    pub(super) fn of_read(&self, doing: &str) -> TargetError {
        TargetError {
            concerns: Concerns::Run,
            status: self.status(),
            what: format!("could not {doing}: {}", self.tell()),
            cure: self.cure().to_owned(),
            retryable: self.is_transient(),
            retry_after: self.retry_after(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(body: &str) -> Vec<String> {
        Words::parse(body.as_bytes()).texts
    }

    #[test]
    fn every_shape_of_error_is_understood() {
        assert_eq!(
            texts(r#"[{"message":"Person is already archived"}]"#),
            ["Person is already archived"]
        );
        assert_eq!(texts(r#"{"message":"one"}"#), ["one"]);
        assert_eq!(
            texts("An error occurred on the server"),
            ["An error occurred on the server"]
        );
        assert_eq!(texts(r#""An error occurred""#), ["An error occurred"]);
        assert_eq!(texts("<html><head><TITLE> Log in </TITLE></head>"), ["Log in"]);
        assert_eq!(texts("<html>"), ["a page for people"]);
        assert!(texts("").is_empty());
        let inner = r#"{"errorCode":"e1","appliesTo":["surName"],"errorMessage":"too long"}"#;
        let expected = Words {
            texts: vec!["too long".to_owned()],
            codes: vec!["e1".to_owned()],
            fields: vec!["surName".to_owned()],
            ..Words::default()
        };
        for body in [
            format!("[{inner}]"),
            inner.to_owned(),
            format!(r#"{{"errors":[{inner}]}}"#),
            format!(r#"[{{"errors":[{inner}]}}]"#),
        ] {
            assert_eq!(Words::parse(body.as_bytes()), expected, "{body}");
        }
        let bare = Words::parse(br#"{"errorCode":"duplicate_value","appliesTo":["name"]}"#);
        assert!(bare.code("duplicate_value"));
        assert_eq!(bare.say(), "TOPdesk says: duplicate_value; field name");
    }

    #[test]
    fn messages_are_one_line_short_and_hold_no_address() {
        let words = Words::parse("[{\"message\":\"bad\\n value anna@example.net here\"}]".as_bytes());
        assert_eq!(words.say(), "TOPdesk says: bad value *** here");
        let long = Words {
            texts: vec!["x".repeat(5000)],
            ..Words::default()
        };
        assert!(long.say().chars().count() < LONGEST_WORDS + 20);
        assert_eq!(Words::default().say(), "no explanation");
    }

    #[test]
    fn a_failed_read_says_what_where_and_the_cure() {
        let answered = |status| {
            Failure::Answered(Answered {
                status,
                ..Answered::default()
            })
        };
        let error = answered(401).of_read("read the person cards");
        assert_eq!(error.status, Some(401));
        assert!(!error.retryable);
        assert!(
            error
                .to_string()
                .starts_with("could not read the person cards: status 401, no explanation; check topdesk.username")
        );
        assert!(answered(503).is_transient() && answered(429).is_transient() && answered(500).is_transient());
        assert!((520..=524).all(|status| answered(status).is_transient() && answered(status).cure().contains("wait")));
        assert!(!answered(400).is_transient() && !answered(403).is_transient() && !answered(406).is_transient());
        assert!(
            !Failure::NotTheApi {
                status: 302,
                why: String::new()
            }
            .is_transient()
        );
    }
}
