//! Where a server is and how the connection to it is protected. Pure: nothing is looked up.

use crate::config::{LdapConfig, Plaintext};
use crate::core::reads::snapshot::{Effect, Finding};
use std::fmt;
use std::net::IpAddr;
use url::Url;

/// One directory server of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// As it is written in the configuration: what people read in messages.
    pub name: String,
    pub url: Url,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
}

/// How what is sent to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte.
    Ldaps,
    /// Upgraded before anything else is sent.
    StartTls,
    /// Not at all: the same machine, or allowed in so many words.
    Plaintext,
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encryption::Ldaps => "LDAPS",
            Encryption::StartTls => "StartTLS",
            Encryption::Plaintext => "not encrypted",
        })
    }
}

impl Server {
    /// Reads one address. The finding says what is wrong with it, e.g. that the password would travel unprotected.
    pub fn parse(text: &str, config: &LdapConfig) -> Result<Self, Finding> {
        let wrong = |what: &str| {
            Finding::new(
                "server_url",
                Effect::Reject,
                format!("'{text}' is not the address of a directory server: {what}"),
                "write ldaps://host or ldap://host, with :port where it is not 636 or 389",
            )
        };
        let url = Url::parse(text.trim()).map_err(|e| wrong(&e.to_string()))?;
        let ldaps = match url.scheme() {
            "ldap" => false,
            "ldaps" => true,
            other => return Err(wrong(&format!("the scheme is '{other}'"))),
        };
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            // The address itself stays out of the message: it may hold a password.
            return Err(Finding::new(
                "server_url",
                Effect::Reject,
                format!("the address of the server {host} holds a login"),
                "take everything up to the @ out of url; use bind_dn and password",
            ));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "it holds more than a host and a port; base and filter have options of their own",
            ));
        }
        let allowed = is_loopback(&host) || config.plaintext == Some(Plaintext::Allowed);
        let encryption = match (ldaps, config.starttls) {
            (true, _) => Encryption::Ldaps,
            (false, Some(true)) => Encryption::StartTls,
            (false, None) if !allowed => Encryption::StartTls,
            (false, Some(false)) if !allowed => {
                return Err(Finding::new(
                    "plaintext_refused",
                    Effect::Reject,
                    format!("{text} would send the password and all data unencrypted to another machine"),
                    "use ldaps://, or take 'starttls: false' out; only if the network is trusted, add 'plaintext: allowed'",
                ));
            }
            (false, Some(false) | None) => Encryption::Plaintext,
        };
        Ok(Self {
            name: text.trim().to_owned(),
            port: url.port().unwrap_or(if ldaps { 636 } else { 389 }),
            url,
            host,
            encryption,
        })
    }

    /// Whether the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// By name or address alone; nothing is looked up.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::ldap::tests::config;

    fn parse(text: &str) -> Result<Server, Finding> {
        Server::parse(text, &config())
    }

    #[test]
    fn ports_and_hosts_are_found() {
        let server = parse("ldaps://dc1.example.net").unwrap();
        assert_eq!((server.host.as_str(), server.port), ("dc1.example.net", 636));
        assert_eq!(server.encryption, Encryption::Ldaps);
        assert_eq!(parse("ldaps://dc1.example.net:3269/").unwrap().port, 3269);
        assert_eq!(parse("ldap://[::1]").unwrap().host, "::1");
        assert_eq!(parse("ldap://dc1").unwrap().port, 389);
    }

    #[test]
    fn ldap_is_upgraded_unless_it_stays_on_this_machine_or_is_allowed() {
        assert_eq!(
            parse("ldap://dc1.example.net").unwrap().encryption,
            Encryption::StartTls
        );
        for local in ["ldap://localhost", "ldap://127.0.0.1:3389", "ldap://[::1]:3389"] {
            assert_eq!(parse(local).unwrap().encryption, Encryption::Plaintext, "{local}");
        }
        let mut config = config();
        config.plaintext = Some(Plaintext::Allowed);
        let allowed = Server::parse("ldap://dc1.example.net", &config).unwrap();
        assert_eq!(allowed.encryption, Encryption::Plaintext);
        config.starttls = Some(true);
        let upgraded = Server::parse("ldap://127.0.0.1", &config).unwrap();
        assert_eq!(upgraded.encryption, Encryption::StartTls);
    }

    #[test]
    fn an_unprotected_password_to_another_machine_is_refused() {
        let mut config = config();
        config.starttls = Some(false);
        let finding = Server::parse("ldap://dc1.example.net", &config).unwrap_err();
        assert_eq!(&*finding.code, "plaintext_refused");
        assert!(Server::parse("ldap://127.0.0.1", &config).is_ok());
        // A name that only looks like this machine is another machine.
        assert!(Server::parse("ldap://localhost.example.net", &config).is_err());
    }

    #[test]
    fn what_is_no_server_address_is_refused_with_the_reason() {
        for (text, why) in [
            ("https://dc1", "the scheme is 'https'"),
            ("dc1.example.net", "relative URL"),
            ("ldap:///", "the host is missing"),
            ("ldap://dc1/dc=example?cn", "more than a host"),
            ("ldap://me:secret@dc1", "holds a login"),
        ] {
            let finding = parse(text).unwrap_err();
            assert!(finding.message.contains(why), "{text}: {}", finding.message);
            assert!(!finding.message.contains("secret"), "{}", finding.message);
        }
    }
}
