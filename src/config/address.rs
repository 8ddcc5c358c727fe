//! Addresses: how TOPdesk's and the directories' addresses may be written, and what they mean.

use super::{Config, LdapConfig};
use crate::core::model::ids::EnvironmentId;
use std::net::IpAddr;
use url::Url;

/// An address that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    /// What is wrong; never the address itself, which might carry a password.
    pub message: String,
    pub cure: String,
}

fn refuse<T>(message: impl Into<String>, cure: impl Into<String>) -> Result<T, AddressError> {
    Err(AddressError {
        message: message.into(),
        cure: cure.into(),
    })
}

/// Whether the host is this machine: `localhost`, 127.0.0.0/8 or `::1`.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The base of all API calls, always ending in `/tas/api/`, from an address with or without `/tas` or `/tas/api`.
///
/// # Errors
/// When it is no such address, when it is unencrypted and not this machine, or when it carries a user or password.
pub fn topdesk_api(text: &str) -> Result<Url, AddressError> {
    const EXAMPLE: &str = "write it as https://example.topdesk.net";
    let Ok(mut url) = Url::parse(text.trim()) else {
        return refuse("is not an address", EXAMPLE);
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "carries a user or password",
            "take it out: they belong to 'username' and 'password'",
        );
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return refuse(
                "is http://, which would send the password unencrypted",
                "write https://",
            );
        }
        _ => return refuse("is not an https:// address", EXAMPLE),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return refuse("has no host", EXAMPLE);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a part after ? or #", EXAMPLE);
    }
    match url.path().trim_end_matches('/') {
        "" | "/tas" | "/tas/api" => url.set_path("/tas/api/"),
        _ => return refuse("has a path that is not /tas/api", EXAMPLE),
    }
    Ok(url)
}

/// The environment that a configuration is for: the host of `topdesk.url`, in lower case.
pub fn environment(config: &Config) -> EnvironmentId {
    let host = topdesk_api(&config.topdesk.url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_lowercase));
    // Only a configuration that never passed the checks has no host.
    EnvironmentId::new(host.unwrap_or_else(|| config.topdesk.url.clone()))
}

/// Where exactly the TOPdesk of a configuration is: its host in lower case, with the port where it is not the usual one.
pub fn authority(config: &Config) -> String {
    let port = topdesk_api(&config.topdesk.url).ok().and_then(|url| url.port());
    let host = environment(config);
    port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"))
}

/// How a connection to a directory server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LdapTransport {
    /// `ldaps://`
    Tls,
    /// `ldap://`, upgraded before the password is sent.
    StartTls,
    /// `ldap://` as it is: to this machine, or because `plaintext: allowed` says so.
    Plain,
}

/// A directory server's address and how it is to be protected.
///
/// # Errors
/// When it is no such address, or when the password would go unencrypted to another machine without permission.
pub fn ldap_server(text: &str, config: &LdapConfig) -> Result<(Url, LdapTransport), AddressError> {
    const EXAMPLE: &str = "write it as ldaps://dc1.example.net";
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse("is not an address", EXAMPLE);
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "carries a user or password",
            "take it out: they belong to 'bind_dn' and 'password'",
        );
    }
    if url.host_str().is_none_or(str::is_empty) {
        return refuse("has no host", EXAMPLE);
    }
    if !url.path().trim_end_matches('/').is_empty() || url.query().is_some() || url.fragment().is_some() {
        return refuse(
            "has a part after the host",
            "the search base belongs to 'base', the filter to 'filter'",
        );
    }
    let open = config.plaintext.is_some();
    let transport = match (url.scheme(), config.starttls) {
        ("ldaps", _) => LdapTransport::Tls,
        ("ldap", Some(true)) => LdapTransport::StartTls,
        ("ldap", None) if !open && !is_loopback(&url) => LdapTransport::StartTls,
        ("ldap", None) => LdapTransport::Plain,
        ("ldap", Some(false)) if open || is_loopback(&url) => LdapTransport::Plain,
        ("ldap", Some(false)) => {
            return refuse(
                "would get the password unencrypted",
                "write ldaps://, or take out 'starttls: false', or say 'plaintext: allowed'",
            );
        }
        _ => return refuse("is neither ldaps:// nor ldap://", EXAMPLE),
    };
    Ok((url, transport))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topdesk_addresses_have_one_form() {
        for text in [
            "https://Example.topdesk.net",
            "https://example.topdesk.net/",
            "https://example.topdesk.net/tas",
            " https://example.topdesk.net/tas/api/ ",
        ] {
            assert_eq!(
                topdesk_api(text).unwrap().as_str(),
                "https://example.topdesk.net/tas/api/"
            );
        }
        for text in [
            "http://127.0.0.1:8480",
            "http://localhost:8480/tas/api",
            "http://[::1]:8480",
            "http://127.9.9.9",
        ] {
            assert!(topdesk_api(text).is_ok(), "{text}");
        }
        for text in [
            "example.topdesk.net",
            "http://example.topdesk.net",
            "http://127.0.0.1.example.net",
            "http://localhost.example.net",
            "ftp://example.net",
            "https://user:pw@example.net",
            "https://example.net/tas/secure/mango/window/1",
            "https://example.net/tas/api?x=1",
            "https://",
        ] {
            assert!(topdesk_api(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_not_repeated() {
        let error = topdesk_api("https://user:hunter2@example.net").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
