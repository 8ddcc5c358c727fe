//! From an address to a bound connection, and what every way to fail means in words.

use super::address::{Encryption, Server};
use super::handshake::Seen;
use super::{Failure, answer, policy, tls};
use crate::config::LdapConfig;
use crate::core::reads::snapshot::{Effect, Finding};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// What every server of a source is reached with; read anew for every run.
pub(super) struct Access {
    pub password: SecretString,
    /// `None` when no server is reached over TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// What the last handshake showed.
    seen: Arc<Seen>,
}

impl Access {
    /// Reads the password and the trusted authorities now.
    pub fn read(config: &LdapConfig, servers: &[Server]) -> Result<Self, Finding> {
        let password = config.password.read().map_err(|e| {
            Finding::new(
                "password_unreadable",
                Effect::Reject,
                format!("source '{}': {e}", config.name),
                "put the password of bind_dn where password says",
            )
        })?;
        let seen = Arc::new(Seen::default());
        let tls = if servers.iter().any(|server| server.encryption != Encryption::Plaintext) {
            Some(tls::client_config(config.ca_file.as_deref(), Arc::clone(&seen))?)
        } else {
            None
        };
        Ok(Self { password, tls, seen })
    }
}

/// Connects, encrypts and binds, each within the connect timeout. Nothing is sent before the encryption stands.
pub(super) async fn connect(server: &Server, config: &LdapConfig, access: &Access) -> Result<Ldap, Failure> {
    let limit = config.connect_timeout.duration();
    let ca_file = config.ca_file.as_deref();
    let stream = reach(server, limit).await.map_err(Failure::Server)?;

    let mut settings = LdapConnSettings::new()
        .set_conn_timeout(limit)
        .set_std_stream(StdStream::Tcp(stream))
        .set_starttls(server.encryption == Encryption::StartTls);
    if let Some(tls) = &access.tls {
        settings = settings.set_config(Arc::clone(tls));
    }
    access.seen.clear();
    let failed = |finding: Finding| Failure::Server(access.in_full(server, finding));
    let (connection, mut ldap) = LdapConnAsync::from_url_with_settings(settings, &server.url)
        .await
        .map_err(|e| {
            failed(not_connected(
                &e,
                server,
                ca_file,
                access.seen.issuer().as_deref(),
                limit,
            ))
        })?;
    // The connection lives on this thread until the handle is dropped; its errors reach us through the handle.
    tokio::spawn(connection.drive());

    let bind = ldap
        .with_controls(policy::request())
        .simple_bind(&config.bind_dn, access.password.expose_secret());
    let result = match timeout(limit, bind).await {
        Ok(Ok(result)) => result,
        Ok(Err(e)) => return Err(failed(broken(&e, &server.name, "while binding"))),
        Err(_) => return Err(Failure::Server(too_slow(&server.name, "answer to the bind", limit))),
    };
    match result.rc {
        0 => Ok(ldap),
        code => {
            let finding = answer::bind_refused(&server.name, &config.bind_dn, &result);
            Err(if answer::is_about_the_account(code) {
                Failure::Account(finding)
            } else {
                Failure::Server(finding)
            })
        }
    }
}

impl Access {
    /// Why a server closes a connection without a word, as far as the handshake and the address show it.
    fn in_full(&self, server: &Server, finding: Finding) -> Finding {
        // A certificate that was refused says why by itself.
        if self.seen.asked_for_certificate() && self.seen.issuer().is_none() {
            return Finding::new(
                "client_certificate_demanded",
                Effect::Reject,
                format!(
                    "{server} asked for a client certificate, got none, and ended the connection: cardsync signs in with bind_dn \
                     and password and has no certificate"
                ),
                "let the server accept clients without one (OpenLDAP: TLSVerifyClient allow or try, or never), or use a server \
                 that does",
            );
        }
        if &*finding.code == "connection_lost" && server.encryption != Encryption::Ldaps {
            return Finding {
                cure: format!(
                    "if port {} is for LDAPS (usually 636 or 3269), write ldaps:// in url; else {}",
                    server.port, finding.cure
                ),
                ..finding
            };
        }
        finding
    }
}

/// Looks the host up and opens a TCP connection to the first of its addresses that answers.
async fn reach(server: &Server, limit: Duration) -> Result<std::net::TcpStream, Finding> {
    let deadline = Instant::now() + limit;
    let lookup = timeout_at(deadline, tokio::net::lookup_host((server.host.as_str(), server.port))).await;
    let addresses: Vec<SocketAddr> = match lookup {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(e)) => return Err(unknown_host(server, &e.to_string())),
        Err(_) => return Err(too_slow(&server.name, "answer of the name server", limit)),
    };
    if addresses.is_empty() {
        return Err(unknown_host(server, "the name has no address"));
    }
    let mut last = None;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        // One address that swallows packets must not use up the time of the others.
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        left = left.saturating_sub(1).max(1);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let opened = stream.set_nodelay(true).and_then(|()| stream.into_std());
                return opened.map_err(|e| unreachable(server, &e));
            }
            Ok(Err(e)) => last = Some(unreachable(server, &e)),
            Err(_) => last = Some(too_slow(&server.name, "connection", limit)),
        }
    }
    Err(last.expect("at least one address was tried"))
}

fn unknown_host(server: &Server, why: &str) -> Finding {
    Finding::new(
        "unknown_host",
        Effect::Reject,
        format!("{server}: the host name {} cannot be resolved ({why})", server.host),
        "correct the name in url, or this machine's name servers",
    )
}

fn unreachable(server: &Server, error: &std::io::Error) -> Finding {
    let (code, what) = match error.kind() {
        ErrorKind::ConnectionRefused => (
            "connection_refused",
            format!("nothing listens on port {} of {}", server.port, server.host),
        ),
        _ => (
            "unreachable",
            format!("no connection to port {} of {}: {error}", server.port, server.host),
        ),
    };
    Finding::new(
        code,
        Effect::Reject,
        format!("{server}: {what}"),
        "check host and port in url, the server, and the firewalls between",
    )
}

/// A connection that failed before the bind.
fn not_connected(
    error: &LdapError,
    server: &Server,
    ca_file: Option<&Path>,
    issuer: Option<&str>,
    limit: Duration,
) -> Finding {
    let rustls = match error {
        LdapError::Rustls { source } => Some(source),
        LdapError::Io { source } => source.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    if let Some(problem) = rustls {
        let (code, what, cure) = tls::explain(problem, &server.host, ca_file, issuer);
        return Finding::new(code, Effect::Reject, format!("{server}: {what}"), cure);
    }
    match error {
        LdapError::LdapResult { result } if server.encryption == Encryption::StartTls => Finding::new(
            "starttls_refused",
            Effect::Reject,
            format!(
                "{server} refuses StartTLS ({}){}",
                answer::name(result.rc),
                answer::said(result)
            ),
            "give the server a certificate, or use ldaps://",
        ),
        LdapError::DNSName { .. } => Finding::new(
            "host_name_needed",
            Effect::Reject,
            format!("{server}: a certificate cannot be checked against '{}'", server.host),
            "write the host name that stands in the server's certificate",
        ),
        LdapError::Timeout { .. } => too_slow(&server.name, "encrypted connection", limit),
        LdapError::Io { source } if source.kind() == ErrorKind::UnexpectedEof || reset(source) => Finding::new(
            "not_tls",
            Effect::Reject,
            format!("{server}: the server closed the connection during the TLS handshake"),
            "it may have no certificate or not speak TLS on this port: LDAPS is usually 636, StartTLS 389",
        ),
        other => broken(other, &server.name, "while connecting"),
    }
}

fn reset(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// A connection that broke while something was asked.
pub(super) fn broken(error: &LdapError, server: &str, when: &str) -> Finding {
    let what = match error {
        LdapError::EndOfStream | LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            format!("{server} closed the connection {when}")
        }
        LdapError::Io { source } => format!("the connection to {server} broke {when}: {source}"),
        other => format!("the talk with {server} failed {when}: {other}"),
    };
    Finding::new(
        "connection_lost",
        Effect::Reject,
        what,
        "nothing was used of this read; if it happens again, look at the server's log and at time limits of firewalls",
    )
}

/// Something took longer than its limit.
pub(super) fn too_slow(server: &str, what: &str, limit: Duration) -> Finding {
    Finding::new(
        "timeout",
        Effect::Reject,
        format!("{server}: no {what} within {} s", limit.as_secs()),
        "check the server's load and the network, or raise the time limit of this source",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::ldap::tests::config;
    use std::io::Error;

    fn server(text: &str) -> Server {
        Server::parse(text, &config()).unwrap()
    }

    fn explained(error: LdapError, address: &str) -> Finding {
        let finding = not_connected(&error, &server(address), None, None, Duration::from_secs(10));
        assert!(finding.message.contains(address), "{}", finding.message);
        assert_eq!(finding.effect, Effect::Reject);
        finding
    }

    #[test]
    fn tls_errors_are_found_inside_io_errors() {
        let inner = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let error = LdapError::Io {
            source: Error::new(ErrorKind::InvalidData, inner),
        };
        assert_eq!(&*explained(error, "ldaps://dc1").code, "certificate_expired");
    }

    #[test]
    fn each_way_to_fail_has_its_code() {
        let refused = |rc| LdapError::LdapResult {
            result: ldap3::LdapResult {
                rc,
                matched: String::new(),
                text: "unsupported extended operation".into(),
                refs: vec![],
                ctrls: vec![],
            },
        };
        let finding = explained(refused(2), "ldap://dc1.example.net");
        assert_eq!(&*finding.code, "starttls_refused");
        assert!(finding.message.contains("unsupported extended operation"));
        let closed = LdapError::Io {
            source: Error::from(ErrorKind::UnexpectedEof),
        };
        assert_eq!(&*explained(closed, "ldaps://dc1").code, "not_tls");
        assert_eq!(
            &*explained(LdapError::EndOfStream, "ldaps://dc1").code,
            "connection_lost"
        );
    }

    #[test]
    fn a_port_that_nobody_listens_on_is_named() {
        let finding = unreachable(
            &server("ldap://127.0.0.1:4"),
            &Error::from(ErrorKind::ConnectionRefused),
        );
        assert_eq!(&*finding.code, "connection_refused");
        assert!(finding.message.contains("port 4 of 127.0.0.1"), "{}", finding.message);
    }
}
