//! Faults on demand: rules that say which request goes wrong and how. Pure; the HTTP face plays them.
//!
//! A rule counts every request that fits its method, route and text, and strikes on some of them:
//!
//! ```json
//! { "method": "POST", "route": "/persons", "contains": "100042", "nth": 1, "reset": "after" }
//! { "route": "/persons", "every": 3, "answer": { "status": 429, "headers": { "Retry-After": "2" } } }
//! { "method": "POST", "route": "/persons", "reset": "before", "effect_after_ms": 3000, "times": 1 }
//! { "route": "/persons", "nth": 2, "edit": { "person": "100007", "set": { "surName": "Aa" } } }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{Call, Reply};

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Method; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Route as it is counted, such as `/persons/{id}`; `*` at the end takes everything below; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Text that the path, the query or the body holds: a card id, a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Strikes only on this one of the fitting requests, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Strikes on every so many of the fitting requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Strikes from this one of the fitting requests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Strikes at most so often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Milliseconds to wait before anything happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Milliseconds to wait after the effect and before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_delay_ms: Option<u64>,
    /// Cuts the connection before or after the request takes effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
    /// Answers this instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Scripted>,
    /// Sends half of the answer's body and cuts the connection.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_body: bool,
    /// Whether the request takes effect; by default it does, unless it is reset before or answered by script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<bool>,
    /// The request takes effect so many milliseconds later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect_after_ms: Option<u64>,
    /// An edit, as in `POST /sandbox/edit`, made before the request is handled: this is how pages shift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<Value>,
    /// A parameter of the query that is overlooked: without `pageStart` a page repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_parameter: Option<String>,
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// Before the request takes effect.
    Before,
    /// After it took effect: the answer is lost.
    After,
}

/// A scripted answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Body: text as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
}

impl Scripted {
    /// The answer. A redirect without a body gets the page that the real product sends along.
    pub fn reply(&self) -> Reply {
        let redirect = (300..400).contains(&self.status);
        let (media_type, body) = match &self.body {
            Value::Null if redirect => ("text/html", b"<html><body>Sign in to TOPdesk</body></html>".to_vec()),
            Value::Null => ("", Vec::new()),
            Value::String(text) if text.trim_start().starts_with('<') => ("text/html", text.clone().into_bytes()),
            Value::String(text) => ("text/plain", text.clone().into_bytes()),
            other => ("application/json", other.to_string().into_bytes()),
        };
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if redirect && !self.headers.keys().any(|name| name.eq_ignore_ascii_case("location")) {
            headers.push(("Location".into(), "/tas/public/login".into()));
        }
        Reply {
            status: self.status,
            media_type: media_type.to_owned(),
            headers,
            body,
        }
    }
}

impl Rule {
    /// True when the request takes effect at once.
    pub fn takes_effect(&self) -> bool {
        let scripted = self.answer.is_some() || self.reset == Some(Reset::Before);
        self.effect_after_ms.is_none() && self.effect.unwrap_or(!scripted)
    }

    fn concerns(&self, call: &Call, route: &str) -> bool {
        let method = self
            .method
            .as_deref()
            .is_none_or(|method| method.eq_ignore_ascii_case(&call.method));
        let fits = self
            .route
            .as_deref()
            .is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(start) => route.starts_with(start),
                None => route == wanted.strip_prefix("/tas/api").unwrap_or(wanted),
            });
        let contained = |text: &str| {
            let inside = |bytes: &[u8]| bytes.windows(text.len().max(1)).any(|part| part == text.as_bytes());
            let mut query = url::form_urlencoded::parse(call.query.as_bytes());
            inside(call.path.as_bytes()) || inside(&call.body) || query.any(|(_, value)| inside(value.as_bytes()))
        };
        method && fits && self.contains.as_deref().is_none_or(contained)
    }

    fn strikes_on(&self, count: u64, struck: u64) -> bool {
        self.nth.is_none_or(|nth| count == nth)
            && self.every.is_none_or(|every| count.is_multiple_of(every.max(1)))
            && self.from.is_none_or(|from| count >= from)
            && self.times.is_none_or(|times| struck < times)
    }
}

#[derive(Debug)]
struct Armed {
    rule: Rule,
    count: u64,
    struck: u64,
}

/// The rules in force.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    /// Adds a rule behind the others.
    pub fn add(&mut self, rule: Rule) {
        self.armed.push(Armed {
            rule,
            count: 0,
            struck: 0,
        });
    }

    /// Removes all rules.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// The rule that strikes on this request: the first one that does. Every rule it fits counts it.
    pub fn strike(&mut self, call: &Call, route: &str) -> Option<Rule> {
        let mut found = None;
        for armed in self.armed.iter_mut().filter(|armed| armed.rule.concerns(call, route)) {
            armed.count += 1;
            if found.is_none() && armed.rule.strikes_on(armed.count, armed.struck) {
                armed.struck += 1;
                found = Some(armed.rule.clone());
            }
        }
        found
    }

    /// The rules with what they counted.
    pub fn to_json(&self) -> Value {
        let list = self.armed.iter().map(|armed| {
            let mut rule = serde_json::to_value(&armed.rule).expect("a rule is plain data");
            rule["requests"] = armed.count.into();
            rule["struck"] = armed.struck.into();
            rule
        });
        Value::Array(list.collect())
    }
}

/// Reads one rule or a list of rules.
///
/// # Errors
/// When a field is unknown or of the wrong form.
pub fn parse(body: &[u8]) -> Result<Vec<Rule>, serde_json::Error> {
    match serde_json::from_slice::<Value>(body)? {
        Value::Array(list) => list.into_iter().map(serde_json::from_value).collect(),
        one => Ok(vec![serde_json::from_value(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str, body: &str) -> Call {
        Call {
            method: method.into(),
            path: format!("/tas/api{path}"),
            query: "query=employeeNumber%3D%3D'42'".into(),
            accept: None,
            authorization: None,
            host: None,
            body: body.as_bytes().to_vec(),
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    fn faults(rules: &str) -> Faults {
        let mut faults = Faults::default();
        parse(rules.as_bytes())
            .unwrap()
            .into_iter()
            .for_each(|rule| faults.add(rule));
        faults
    }

    fn pattern(rules: &str, requests: usize) -> String {
        let mut faults = faults(rules);
        let call = call("GET", "/persons", "");
        (0..requests)
            .map(|_| {
                if faults.strike(&call, "/persons").is_some() {
                    'x'
                } else {
                    '.'
                }
            })
            .collect()
    }

    #[test]
    fn rules_strike_on_the_requests_they_say() {
        assert_eq!(pattern(r#"{"nth":3}"#, 6), "..x...");
        assert_eq!(pattern(r#"{"every":2}"#, 6), ".x.x.x");
        assert_eq!(pattern(r#"{"from":3}"#, 6), "..xxxx");
        assert_eq!(pattern(r#"{"times":2}"#, 6), "xx....");
        assert_eq!(pattern(r#"[{"nth":2},{"nth":4}]"#, 6), ".x.x..");
        assert_eq!(pattern(r#"{"method":"POST"}"#, 3), "...");
    }

    #[test]
    fn rules_fit_by_method_route_and_text() {
        let strikes = |rule: &str, call: &Call, route: &str| faults(rule).strike(call, route).is_some();
        let post = call("POST", "/persons", r#"{"employeeNumber":"42"}"#);
        assert!(strikes(
            r#"{"method":"post","route":"/persons","contains":"\"42\""}"#,
            &post,
            "/persons"
        ));
        assert!(strikes(r#"{"contains":"'42'"}"#, &post, "/persons"));
        assert!(!strikes(r#"{"contains":"43"}"#, &post, "/persons"));
        assert!(strikes(r#"{"route":"/persons*"}"#, &post, "/persons/id/{id}/archive"));
        assert!(!strikes(r#"{"route":"/persons"}"#, &post, "/persons/{id}"));
    }

    #[test]
    fn what_takes_effect_follows_from_the_fault() {
        let effect = |rule: &str| parse(rule.as_bytes()).unwrap()[0].takes_effect();
        assert!(effect(r#"{"delay_ms":5}"#) && effect(r#"{"cut_body":true}"#) && effect(r#"{"reset":"after"}"#));
        assert!(!effect(r#"{"reset":"before"}"#) && !effect(r#"{"answer":{"status":503}}"#));
        assert!(effect(r#"{"answer":{"status":503},"effect":true}"#));
        assert!(!effect(r#"{"reset":"after","effect_after_ms":10}"#));
    }

    #[test]
    fn unknown_fields_are_refused_and_redirects_lead_to_a_page() {
        assert!(parse(br#"{"metod":"GET"}"#).is_err());
        let rule = &parse(br#"{"answer":{"status":302}}"#).unwrap()[0];
        let reply = rule.answer.as_ref().unwrap().reply();
        assert_eq!(reply.headers, [("Location".to_owned(), "/tas/public/login".to_owned())]);
        assert_eq!(reply.media_type, "text/html");
    }
}
