//! HTTP to one TOPdesk: one request in, one answer or one [`Failure`] out. Knows media types, pacing and retries of
//! reads; knows nothing of persons.

use super::address::ApiAddress;
use super::errors::{Answered, Failure, Words};
use super::pacing::{Load, Pacer, Pass, Patience};
use super::proxy::{BadProxy, Way, way_to};
use super::tls;
use super::values::Sent;
use crate::config::TopdeskConfig;
use crate::engine::target::{Concerns, TargetError};
use backon::Retryable;
use base64::Engine as _;
use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response};
use secrecy::ExposeSecret;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Media types (API description, persons version 2).
pub(super) const JSON: &str = "application/json";
pub(super) const PERSON_V2: &str = "application/x.topdesk-person-v2+json";
pub(super) const PERSONS_V2: &str = "application/x.topdesk-collection-person-v2+json";

/// Largest answer that is read: 5000 full cards are some 15 MB.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;
/// Largest error body that is looked at.
const LARGEST_ERROR: usize = 64 * 1024;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// The path as the API description has it, for logs: no ids, no values.
    pub(super) route: &'static str,
    pub(super) url: Url,
    pub(super) accept: &'static str,
    pub(super) body: Option<Vec<u8>>,
}

/// A success with a body that looks like JSON, or with none.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty for 204.
    pub(super) body: Vec<u8>,
    /// TOPdesk's clock.
    pub(super) date: Option<DateTime<Utc>>,
}

/// The connection to one TOPdesk with one account. Made anew for every run: password and authority are read then.
pub(super) struct Http {
    address: ApiAddress,
    way: Way,
    reads: reqwest::Client,
    writes: reqwest::Client,
    pacer: Pacer,
    patience: Patience,
}

impl Http {
    /// Reads the password and the authority file and prepares the connections. Nothing is sent.
    pub(super) fn connect(config: &TopdeskConfig, patience: Patience) -> Result<Arc<Self>, TargetError> {
        let wrong = |what: String, cure: &str| TargetError::new(Concerns::Run, what, cure);
        let address = ApiAddress::parse(&config.url)
            .map_err(|error| wrong(error.to_string(), "write it as https://example.topdesk.net"))?;
        let password = config
            .password
            .read()
            .map_err(|error| wrong(format!("no password for TOPdesk: {error}"), "correct topdesk.password"))?;
        let pair = format!("{}:{}", config.username, password.expose_secret());
        let mut login = HeaderValue::from_str(&format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair)))
            .expect("base64 is a valid header");
        login.set_sensitive(true);
        let trust = tls::client_config(address.is_secure(), config.ca_file.as_deref())
            .map_err(|error| wrong(error.to_string(), error.cure()))?;
        let way = if address.is_loopback() {
            Way::Straight { passed_over: false }
        } else {
            way_to(&address.at(&[], &[]), |name| std::env::var(name).ok())
                .map_err(|error| wrong(error.to_string(), BadProxy::CURE))?
        };
        let timeout = config.timeout.duration();
        let client = |idle: Duration| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(trust.clone())
                .default_headers(HeaderMap::from_iter([(AUTHORIZATION, login.clone())]))
                .user_agent(concat!("cardsync/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .timeout(timeout)
                // Shorter than the whole, so that 'not connected' and 'no answer' can be told apart.
                .connect_timeout((timeout / 2).min(Duration::from_secs(10)))
                .pool_idle_timeout(idle);
            if address.is_loopback() {
                builder = builder.no_proxy();
            }
            builder.build().map_err(|error| {
                wrong(
                    format!("HTTP cannot be set up: {}", chain(&error)),
                    "check the proxy settings",
                )
            })
        };
        Ok(Arc::new(Self {
            reads: client(Duration::from_secs(30))?,
            // A write on a connection that the server is just closing is in doubt without need: few servers close
            // before 5 seconds, so older idle connections are not used again.
            writes: client(Duration::from_secs(4))?,
            address,
            way,
            pacer: Pacer::new(config.concurrency, config.requests_per_second),
            patience,
        }))
    }

    /// Where the API is.
    pub(super) fn address(&self) -> &ApiAddress {
        &self.address
    }

    /// How requests travel there.
    pub(super) fn way(&self) -> &Way {
        &self.way
    }

    /// What lets requests through.
    pub(super) fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// A GET, tried again while its failure may pass.
    pub(super) async fn get(&self, route: &'static str, url: Url, accept: &'static str) -> Result<Answer, Failure> {
        let ask = Ask {
            method: Method::GET,
            route,
            url,
            accept,
            body: None,
        };
        let began = Instant::now();
        (|| async { self.once(self.pacer.enter().await, &self.reads, &ask).await })
            .retry(self.patience.waits())
            .when(Failure::is_transient)
            .adjust(|failure, own| self.patience.adjusted(own, failure.retry_after(), began.elapsed()))
            .notify(|failure, wait| {
                tracing::info!(
                    route,
                    status = failure.status(),
                    wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                    "read of TOPdesk failed, trying again"
                );
            })
            .await
    }

    /// A write, sent once.
    pub(super) async fn send(&self, pass: Pass<'_>, ask: &Ask) -> Result<Answer, Failure> {
        self.once(pass, &self.writes, ask).await
    }

    async fn once(&self, _pass: Pass<'_>, client: &reqwest::Client, ask: &Ask) -> Result<Answer, Failure> {
        // Before the pass is given back, so that whoever waits for it learns of it first: of so many in flight, no more are
        // refused.
        if self.pacer.is_locked_out() {
            return Err(Failure::LoginRefused);
        }
        let began = Instant::now();
        let result = exchange(client, ask).await;
        if matches!(&result, Err(failure) if failure.status() == Some(401)) {
            self.pacer.lock_out();
        }
        let took = began.elapsed();
        let calm = Load::Calm((ask.method != Method::GET).then_some(took));
        let (status, load) = match &result {
            Ok(answer) => (Some(answer.status), calm),
            Err(Failure::Answered(answered)) if matches!(answered.status, 429 | 503) => {
                let asked = answered.retry_after.map(|asked| asked.min(self.patience.longest_asked));
                (Some(answered.status), Load::Busy(asked))
            }
            Err(failure) => match failure.status() {
                Some(status) => (Some(status), calm),
                None => (None, Load::Silent),
            },
        };
        self.pacer.learn(load);
        if let Load::Busy(asked) = load {
            tracing::info!(
                route = ask.route,
                status,
                asked_s = asked.map(|asked| asked.as_secs()),
                in_flight = self.pacer.limit(),
                "TOPdesk is busy, slowing down"
            );
        }
        tracing::debug!(
            method = %ask.method,
            route = ask.route,
            status,
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "request to TOPdesk"
        );
        result
    }
}

async fn exchange(client: &reqwest::Client, ask: &Ask) -> Result<Answer, Failure> {
    let mut request = client
        .request(ask.method.clone(), ask.url.clone())
        .header(ACCEPT, ask.accept);
    if let Some(body) = &ask.body {
        request = request.header(CONTENT_TYPE, JSON).body(body.clone());
    }
    let response = request.send().await.map_err(|error| unanswered(&error))?;
    let status = response.status().as_u16();
    let headers = response.headers();
    let date = text_header(headers, DATE.as_str())
        .and_then(|text| DateTime::parse_from_rfc2822(text).ok())
        .map(|date| date.with_timezone(&Utc));
    match status {
        200..=299 => {
            let body = whole_body(response, LARGEST_ANSWER).await?;
            if status != 204 && !looks_like_json(&body) {
                return Err(not_json(status, &body));
            }
            Ok(Answer { status, body, date })
        }
        // Where it leads may hold a session: not in the message.
        300..=399 => Err(Failure::NotTheApi {
            status,
            why: "a redirect, as a log-in page or a portal sends it".to_owned(),
        }),
        _error => {
            let retry_after = text_header(headers, RETRY_AFTER.as_str()).and_then(|text| waiting_time(text, date));
            // An error body that is cut off is still an answered error.
            let body = whole_body(response, LARGEST_ERROR).await.unwrap_or_default();
            Err(Failure::Answered(Answered {
                status,
                words: Words {
                    sent: ask.body.as_deref().map(Sent::of).unwrap_or_default(),
                    ..Words::parse(&body)
                },
                retry_after,
            }))
        }
    }
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

async fn whole_body(mut response: Response, largest: usize) -> Result<Vec<u8>, Failure> {
    let length = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    let mut body = Vec::with_capacity(length.min(largest));
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error))? {
        if body.len() + chunk.len() > largest {
            return Err(Failure::Unreadable {
                status: response.status().as_u16(),
                why: format!("the answer is larger than {largest} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn looks_like_json(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

fn not_json(status: u16, body: &[u8]) -> Failure {
    if body.is_empty() {
        return Failure::Unreadable {
            status,
            why: "the answer is empty".to_owned(),
        };
    }
    Failure::NotTheApi {
        status,
        why: format!("not JSON but a page or text: {}", Words::parse(body).say()),
    }
}

/// `Retry-After`: seconds, or a date that is compared with the answer's own date.
fn waiting_time(text: &str, date: Option<DateTime<Utc>>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text.trim()).ok()?.with_timezone(&Utc);
    Some((until - date?).to_std().unwrap_or(Duration::ZERO))
}

/// A request without a whole answer: was it sent?
fn unanswered(error: &reqwest::Error) -> Failure {
    let why = chain(error);
    if error.is_connect() || error.is_builder() {
        let tls = tls_error(error);
        return Failure::NotSent {
            // A certificate does not get better by waiting; a name only where the name service itself is away.
            hopeless: error.is_builder()
                || tls.is_some()
                || (error.is_dns() && !why.to_ascii_lowercase().contains("temporary")),
            why: tls.and_then(certificate_words).unwrap_or(why),
        };
    }
    let why = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        why
    };
    Failure::Lost { why }
}

fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    // An io::Error hides what it wraps from `source`.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| wrapped.and_then(|wrapped| tls_error(wrapped)))
        .or_else(|| error.source().and_then(tls_error))
}

/// The usual troubles with certificates in plain words; `None` leaves the library's own.
fn certificate_words(error: &rustls::Error) -> Option<String> {
    use rustls::CertificateError::{Expired, ExpiredContext, UnknownIssuer};
    let rustls::Error::InvalidCertificate(problem) = error else {
        return None;
    };
    match problem {
        Expired => Some("its certificate has expired".to_owned()),
        ExpiredContext { not_after, .. } => {
            let seconds = i64::try_from(not_after.as_secs()).ok()?;
            let day = chrono::DateTime::from_timestamp(seconds, 0)?.date_naive();
            Some(format!("its certificate expired on {day}"))
        }
        UnknownIssuer => Some("its certificate was signed by an authority that this system does not trust".to_owned()),
        _other => None,
    }
}

/// The innermost cause, without the address: it may hold a query.
fn chain(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause.and_then(Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "no further explanation".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_seconds_or_dates() {
        let now = DateTime::parse_from_rfc2822("Sat, 21 Nov 2026 06:00:00 GMT")
            .unwrap()
            .with_timezone(&Utc);
        assert_eq!(waiting_time(" 7 ", None), Some(Duration::from_secs(7)));
        assert_eq!(
            waiting_time("Sat, 21 Nov 2026 06:00:30 GMT", Some(now)),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            waiting_time("Sat, 21 Nov 2026 05:00:00 GMT", Some(now)),
            Some(Duration::ZERO)
        );
        assert_eq!(waiting_time("soon", Some(now)), None);
    }

    #[test]
    fn json_is_told_from_pages() {
        assert!(looks_like_json(b" \n[]") && looks_like_json(b"{\"a\":1}"));
        assert!(!looks_like_json(b"<html>") && !looks_like_json(b""));
        assert!(
            matches!(not_json(200, b"<html><title>Log in</title>"), Failure::NotTheApi { why, .. } if why.contains("Log in"))
        );
        assert!(matches!(not_json(200, b""), Failure::Unreadable { .. }));
    }
}
