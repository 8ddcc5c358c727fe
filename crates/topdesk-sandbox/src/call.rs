//! One request and one answer as plain values, so that everything behind the HTTP face is pure.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A request, read whole.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path, decoded.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Host` header.
    pub host: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// When the request came in.
    pub at: DateTime<Utc>,
}

impl Call {
    /// A parameter of the query, decoded; the first one of that name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into())
    }

    /// The parts of the path behind `/tas/api`.
    pub fn segments(&self) -> Vec<&str> {
        self.path
            .trim_start_matches("/tas/api")
            .split('/')
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// True when the caller takes this media type. No header takes everything.
    pub fn accepts(&self, media_type: &str) -> bool {
        let Some(accept) = self.accept.as_deref().filter(|accept| !accept.trim().is_empty()) else {
            return true;
        };
        accept.split(',').any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            range == media_type
                || range == "*/*"
                || range
                    .strip_suffix("/*")
                    .is_some_and(|group| media_type.split('/').next() == Some(group))
        })
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub media_type: String,
    /// Other headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Reply {
            status,
            media_type: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Reply::typed(status, "application/json", body.to_string().into_bytes())
    }

    /// An answer with a media type of its own.
    pub fn typed(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        Reply {
            status,
            media_type: media_type.to_owned(),
            headers: Vec::new(),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(accept: Option<&str>) -> Call {
        Call {
            method: "GET".into(),
            path: "/tas/api/persons/id/7".into(),
            query: "query=a%3D%3D'b%26c'&fields=id%2Cname".into(),
            accept: accept.map(str::to_owned),
            authorization: None,
            host: None,
            body: Vec::new(),
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn parameters_and_path_are_taken_apart() {
        let call = call(None);
        assert_eq!(call.parameter("query").as_deref(), Some("a=='b&c'"));
        assert_eq!(call.parameter("fields").as_deref(), Some("id,name"));
        assert_eq!(call.segments(), ["persons", "id", "7"]);
    }

    #[test]
    fn accept_takes_lists_ranges_and_weights() {
        const V2: &str = "application/x.topdesk-person-v2+json";
        for good in [
            V2,
            "*/*",
            "text/html, application/x.topdesk-person-v2+json;q=0.5",
            "application/*",
            "",
        ] {
            assert!(call(Some(good)).accepts(V2), "{good}");
        }
        assert!(call(None).accepts(V2));
        assert!(!call(Some("application/json")).accepts(V2));
        assert!(!call(Some("text/*")).accepts(V2));
    }
}
