//! The way to TOPdesk: straight, or through the proxy that the environment names.
//!
//! The HTTP client goes by `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or not, and passes over an address that it
//! cannot read; then requests would leave by a way that nobody wanted. So the same reader is asked before: a bad address is an
//! error, and `check` can say which way is taken. Never a user or password that the address carries.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// What names a proxy for `https://`, the first that is set counts.
const FOR_HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
/// What names one for everything that has none of its own.
const FOR_ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const FOR_NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// How requests travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Straight, and whether a proxy is named that is not for this address.
    Straight { passed_over: bool },
    /// Through this proxy: scheme, host and port.
    Proxy { address: String, named_by: &'static str },
}

/// A proxy that cannot be used; the text names the variable, never its content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the proxy in the environment variable {0} is not an address")]
pub(super) struct BadProxy(&'static str);

impl BadProxy {
    pub(super) const CURE: &'static str =
        "write it as http://proxy.example.org:8080, or take the variable away (systemctl show -p Environment cardsync)";
}

/// The way to an `https://` address by this environment.
pub(super) fn way_to(url: &Url, variable: impl Fn(&str) -> Option<String>) -> Result<Way, BadProxy> {
    let Ok(address) = url.as_str().parse::<Uri>() else {
        return Ok(Way::Straight { passed_over: false });
    };
    let first = |names: [&'static str; 2]| {
        names.into_iter().find_map(|name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|value| (name, value))
        })
    };
    let Some((named_by, proxy)) = first(FOR_HTTPS).or_else(|| first(FOR_ALL)) else {
        return Ok(Way::Straight { passed_over: false });
    };
    let alone = Matcher::builder().all(proxy.clone()).build();
    if !alone
        .intercept(&address)
        .is_some_and(|through| is_address(through.uri()))
    {
        return Err(BadProxy(named_by));
    }
    let none = first(FOR_NONE).map(|(_, value)| value).unwrap_or_default();
    let way = Matcher::builder().all(proxy).no(none).build().intercept(&address);
    Ok(match way {
        Some(through) => Way::Proxy {
            address: format!(
                "{}://{}",
                through.uri().scheme_str().unwrap_or("http"),
                through.uri().authority().map_or("?", |authority| authority.as_str())
            ),
            named_by,
        },
        None => Way::Straight { passed_over: true },
    })
}

/// Whether it has a host, and a port that is a number where it has one.
fn is_address(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let (host, port) = authority
        .as_str()
        .split_at(authority.host().len().min(authority.as_str().len()));
    !host.is_empty() && port.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn way(variables: &[(&str, &str)]) -> Result<Way, BadProxy> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let url = "https://example.topdesk.net/tas/api/".parse().unwrap();
        way_to(&url, |name| variables.get(name).map(|value| (*value).to_owned()))
    }

    fn through(address: &str, named_by: &'static str) -> Result<Way, BadProxy> {
        let address = address.to_owned();
        Ok(Way::Proxy { address, named_by })
    }

    #[test]
    fn the_way_is_the_clients() {
        assert_eq!(way(&[]), Ok(Way::Straight { passed_over: false }));
        assert_eq!(
            way(&[("HTTP_PROXY", "http://other:1")]),
            Ok(Way::Straight { passed_over: false })
        );
        let proxy = ("https_proxy", "proxy.example.org:8080");
        assert_eq!(way(&[proxy]), through("http://proxy.example.org:8080", "https_proxy"));
        let first = ("HTTPS_PROXY", "http://first:1");
        assert_eq!(way(&[proxy, first]), through("http://first:1", "HTTPS_PROXY"));
        assert_eq!(
            way(&[("ALL_PROXY", "http://all:3")]),
            through("http://all:3", "ALL_PROXY")
        );
        for none in ["topdesk.net", "*", " other.org, .topdesk.net"] {
            assert_eq!(
                way(&[proxy, ("NO_PROXY", none)]),
                Ok(Way::Straight { passed_over: true }),
                "{none}"
            );
        }
        assert!(way(&[proxy, ("NO_PROXY", "ample.topdesk.net")]).is_ok_and(|way| matches!(way, Way::Proxy { .. })));
    }

    #[test]
    fn neither_password_nor_nonsense_is_shown() {
        let way = way(&[("HTTPS_PROXY", "http://user:secret@proxy.example.org:8080")]);
        assert_eq!(way, through("http://proxy.example.org:8080", "HTTPS_PROXY"));
        for bad in ["http://", "http://a b:8080", "http://proxy:port", "gopher://proxy:70"] {
            let error = super::tests::way(&[("HTTPS_PROXY", bad)]).expect_err(bad);
            assert_eq!(
                error.to_string(),
                "the proxy in the environment variable HTTPS_PROXY is not an address"
            );
        }
    }
}
