//! Where the API is: the configured address in its one normal form, and the links of pages, which never lead elsewhere.

use super::query::{encode, query_string};
use url::{Host, Url};

/// The address of the API, ending in `/tas/api/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiAddress {
    root: Url,
}

/// An address that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("topdesk.url is not an address ({0})")]
    NotAnAddress(String),
    #[error("topdesk.url must begin with https://; http:// is for loopback addresses only")]
    NotSecure,
    #[error("topdesk.url must not hold a user name, a password, a query or a fragment")]
    Decorated,
}

impl ApiAddress {
    /// Reads the configured address, with or without a trailing slash and with or without `/tas/api`.
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let mut root = Url::parse(text.trim()).map_err(|error| AddressError::NotAnAddress(error.to_string()))?;
        let decorated = !root.username().is_empty()
            || root.password().is_some()
            || root.query().is_some()
            || root.fragment().is_some();
        if decorated {
            return Err(AddressError::Decorated);
        }
        match root.scheme() {
            "https" => {}
            "http" if is_loopback(&root) => {}
            _other => return Err(AddressError::NotSecure),
        }
        let path = root.path().trim_end_matches('/');
        let path = path.strip_suffix("/tas/api").unwrap_or(path);
        let path = path.strip_suffix("/tas").unwrap_or(path).to_owned();
        root.set_path(&format!("{path}/tas/api/"));
        Ok(Self { root })
    }

    /// Whether it is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.root)
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_secure(&self) -> bool {
        self.root.scheme() == "https"
    }

    /// The address of a path below the API, each segment encoded.
    pub(super) fn at(&self, segments: &[&str], parameters: &[(&str, &str)]) -> Url {
        let path: Vec<String> = segments.iter().map(|segment| encode(segment)).collect();
        let mut url = self.root.clone();
        url.set_path(&format!("{}{}", self.root.path(), path.join("/")));
        if !parameters.is_empty() {
            url.set_query(Some(&query_string(parameters)));
        }
        url
    }

    /// The address of a page link, which may be a whole address or a path; `None` when it leads to another origin or
    /// out of the API: then it is not followed.
    pub(super) fn page_link(&self, current: &Url, link: &str) -> Option<Url> {
        let url = current.join(link.trim()).ok()?;
        let ours = url.origin() == self.root.origin()
            && url.path().starts_with(self.root.path())
            && url.username().is_empty()
            && url.password().is_none();
        ours.then_some(url)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ApiAddress {
        ApiAddress::parse(text).unwrap()
    }

    #[test]
    fn every_usual_spelling_is_the_same_address() {
        for text in [
            "https://example.topdesk.net",
            "https://example.topdesk.net/",
            "https://example.topdesk.net/tas",
            "https://example.topdesk.net/tas/api",
            " https://example.topdesk.net/tas/api/ ",
        ] {
            let url = address(text).at(&["persons", "a/b"], &[("x", "1 2")]);
            assert_eq!(
                url.as_str(),
                "https://example.topdesk.net/tas/api/persons/a%2Fb?x=1%202",
                "{text}"
            );
        }
        let behind_a_path = address("https://tools.example.net/desk/").at(&["version"], &[]);
        assert_eq!(behind_a_path.as_str(), "https://tools.example.net/desk/tas/api/version");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(address("http://127.0.0.1:8480").is_loopback());
        assert!(address("http://[::1]:8480").is_loopback());
        assert!(!address("http://localhost").is_secure());
        assert_eq!(ApiAddress::parse("http://example.net"), Err(AddressError::NotSecure));
        assert_eq!(
            ApiAddress::parse("http://127.0.0.1.example.net"),
            Err(AddressError::NotSecure)
        );
        assert_eq!(ApiAddress::parse("ftp://example.net"), Err(AddressError::NotSecure));
        assert_eq!(
            ApiAddress::parse("https://u:p@example.net"),
            Err(AddressError::Decorated)
        );
        assert!(matches!(
            ApiAddress::parse("example"),
            Err(AddressError::NotAnAddress(_))
        ));
    }

    #[test]
    fn page_links_are_followed_in_every_form_and_never_elsewhere() {
        let api = address("https://example.net");
        let current = api.at(&["persons"], &[("pageStart", "0")]);
        let next = "https://example.net/tas/api/persons?pageStart=2";
        for link in [
            next,
            "/tas/api/persons?pageStart=2",
            "persons?pageStart=2",
            "?pageStart=2",
        ] {
            assert_eq!(api.page_link(&current, link).unwrap().as_str(), next, "{link}");
        }
        for link in [
            "https://evil.example/tas/api/persons?pageStart=2",
            "https://other:account@example.net/tas/api/persons?pageStart=2",
            "http://example.net/tas/api/persons?pageStart=2",
            "https://example.net:8443/tas/api/persons",
            "//evil.example/tas/api/persons",
            "/other/persons",
            "https://example.net/tas/api/../../secret",
            "http://[",
        ] {
            assert_eq!(api.page_link(&current, link), None, "{link}");
        }
    }
}
