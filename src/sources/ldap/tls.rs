//! Whom to trust, read anew for every run, and what a failed TLS handshake means in words.

use super::handshake::{Noting, Seen};
use crate::core::reads::snapshot::{Effect, Finding};
use rustls::client::WebPkiServerVerifier;
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::path::Path;
use std::sync::Arc;

/// How a certificate in DER begins; no PEM file does.
const DER_SEQUENCE: u8 = 0x30;

/// Trust in the CA file alone or, without one, in the roots of the operating system.
///
/// Always our own: the one that ldap3 makes by itself has no roots at all as soon as one file of the system is unreadable.
pub(super) fn client_config(ca_file: Option<&Path>, seen: Arc<Seen>) -> Result<Arc<ClientConfig>, Finding> {
    let roots = match ca_file {
        Some(path) => roots_of_file(path)?,
        None => roots_of_system()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .expect("there are roots, and no lists of revoked certificates that could be wrong");
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        // Nothing is trusted that the usual verifier does not trust; it is only watched, to name an unknown issuer.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Noting {
            inner,
            seen: Arc::clone(&seen),
        }))
        .with_client_cert_resolver(seen);
    Ok(Arc::new(config))
}

fn roots_of_file(path: &Path) -> Result<RootCertStore, Finding> {
    let wrong = |what: String| {
        Finding::new(
            "ca_file",
            Effect::Reject,
            format!("cannot use the CA file {}: {what}", path.display()),
            "ca_file must be a PEM or DER file with the certificate of the authority that signed the server's certificate, readable by the user cardsync runs as",
        )
    };
    let mut roots = RootCertStore::empty();
    // What Windows exports as .cer is the certificate's own bytes, without the PEM lines around them.
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    if bytes.starts_with(&[DER_SEQUENCE]) {
        let certificate = CertificateDer::from(bytes);
        roots
            .add(certificate)
            .map_err(|e| wrong(format!("the certificate in it is malformed ({e})")))?;
        return Ok(roots);
    }
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| wrong(pem_error(&e)))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| wrong(pem_error(&e)))?;
        roots
            .add(certificate)
            .map_err(|e| wrong(format!("a certificate in it is malformed ({e})")))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn pem_error(error: &rustls_pki_types::pem::Error) -> String {
    match error {
        rustls_pki_types::pem::Error::Io(e) => e.to_string(),
        rustls_pki_types::pem::Error::NoItemsFound => "it holds no certificate".to_owned(),
        other => other.to_string(),
    }
}

fn roots_of_system() -> Result<RootCertStore, Finding> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry odd old certificates; one of them must not take the others along.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|e| format!(" ({e})")).unwrap_or_default();
        return Err(Finding::new(
            "no_system_roots",
            Effect::Reject,
            format!("this system has no trusted certificate authorities{why}"),
            "install the package ca-certificates, or name the authority's PEM file in ca_file",
        ));
    }
    Ok(roots)
}

/// What the failed handshake means: a stable code, what is wrong, and the cure.
///
/// `issuer` is who signed the certificate, as it says itself.
pub(super) fn explain(
    error: &TlsError,
    host: &str,
    ca_file: Option<&Path>,
    issuer: Option<&str>,
) -> (&'static str, String, String) {
    let signed_by = issuer
        .map(|issuer| format!("; it says that '{issuer}' signed it"))
        .unwrap_or_default();
    let renew = "renew the certificate on the server".to_owned();
    let trust = match ca_file {
        Some(path) => format!(
            "put the certificate of the authority that signed it into {}",
            path.display()
        ),
        None => "name the PEM file of the authority that signed it in ca_file, or install it on this system".to_owned(),
    };
    match error {
        TlsError::InvalidCertificate(problem) => match problem {
            CertificateError::Expired => ("certificate_expired", "its certificate has expired".to_owned(), renew),
            CertificateError::ExpiredContext { not_after, .. } => (
                "certificate_expired",
                format!("its certificate expired on {}", day(*not_after)),
                renew,
            ),
            CertificateError::NotValidYet => (
                "certificate_not_valid_yet",
                "its certificate is not valid yet".to_owned(),
                "check the clocks of this machine and of the server".to_owned(),
            ),
            CertificateError::NotValidYetContext { not_before, .. } => (
                "certificate_not_valid_yet",
                format!("its certificate is valid from {} only", day(*not_before)),
                "check the clocks of this machine and of the server".to_owned(),
            ),
            CertificateError::UnknownIssuer | CertificateError::BadSignature => (
                "certificate_untrusted",
                match ca_file {
                    Some(path) => format!(
                        "its certificate was not signed by the authority in {}{signed_by}",
                        path.display()
                    ),
                    None => {
                        format!("its certificate was signed by an authority that this system does not trust{signed_by}")
                    }
                },
                trust,
            ),
            CertificateError::NotValidForName => (
                "certificate_other_name",
                format!("its certificate is not valid for {host}"),
                "use the name in the certificate in url, or give the server a certificate with this name".to_owned(),
            ),
            CertificateError::NotValidForNameContext { presented, .. } => (
                "certificate_other_name",
                format!("its certificate is not valid for {host} but for {}", names(presented)),
                "use one of these names in url, or give the server a certificate with this name".to_owned(),
            ),
            CertificateError::Revoked => ("certificate_revoked", "its certificate was revoked".to_owned(), renew),
            other if format!("{other:?}").contains("UnsupportedCertVersion") => (
                "certificate_too_old",
                "its certificate has the form of version 1, which names no host and is not accepted any more"
                    .to_owned(),
                format!("give the server a certificate of version 3 with {host} as subjectAltName"),
            ),
            other => (
                "certificate_unusable",
                format!("its certificate cannot be used: {other}"),
                "give the server a certificate for servers that an authority signed".to_owned(),
            ),
        },
        TlsError::InvalidMessage(_) => (
            "not_tls",
            "what answers there does not speak TLS".to_owned(),
            "LDAPS is usually port 636; on port 389 use ldap:// with starttls: true".to_owned(),
        ),
        other => (
            "tls_failed",
            format!("the TLS handshake failed: {other}"),
            "the server must offer TLS 1.2 or 1.3 with a modern cipher".to_owned(),
        ),
    }
}

fn day(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
        .map_or_else(
            || "an impossible date".to_owned(),
            |time| time.format("%Y-%m-%d").to_string(),
        )
}

/// `DnsName("a")` and `IpAddress(1.2.3.4)`, as rustls lists what a certificate is valid for, without the wrapping.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no name at all".to_owned();
    }
    let plain: Vec<&str> = presented
        .iter()
        .map(|name| {
            let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner);
            inner.trim_end_matches(')').trim_matches('"')
        })
        .collect();
    plain.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn text(problem: CertificateError, ca_file: Option<&Path>) -> (&'static str, String) {
        let (code, message, cure) = explain(
            &TlsError::InvalidCertificate(problem),
            "dc1.example.net",
            ca_file,
            Some("Example CA"),
        );
        assert!(!cure.is_empty() && !message.contains('\n'));
        (code, message)
    }

    #[test]
    fn an_expired_certificate_names_the_day() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext {
            time: at(1_800_000_000),
            not_after: at(1_700_000_000),
        };
        assert_eq!(
            text(expired, None),
            (
                "certificate_expired",
                "its certificate expired on 2023-11-14".to_owned()
            )
        );
    }

    #[test]
    fn an_unknown_authority_names_the_file_that_should_have_it() {
        let (code, message) = text(CertificateError::UnknownIssuer, Some(Path::new("/etc/ssl/ours.pem")));
        assert_eq!(code, "certificate_untrusted");
        assert!(message.contains("/etc/ssl/ours.pem"), "{message}");
        let (_, message) = text(CertificateError::UnknownIssuer, None);
        assert!(message.contains("this system does not trust"), "{message}");
        assert!(message.contains("'Example CA' signed it"), "{message}");
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let problem = CertificateError::NotValidForNameContext {
            expected: rustls_pki_types::ServerName::try_from("dc1.example.net").unwrap(),
            presented: vec!["DnsName(\"ldap.example.net\")".into(), "IpAddress(10.0.0.1)".into()],
        };
        let (code, message) = text(problem, None);
        assert_eq!(code, "certificate_other_name");
        assert!(
            message.contains("not valid for dc1.example.net but for ldap.example.net, 10.0.0.1"),
            "{message}"
        );
    }

    #[test]
    fn a_ca_file_that_is_missing_empty_or_no_pem_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.pem");
        let finding = client_config(Some(&missing), Arc::default()).unwrap_err();
        assert!(finding.message.contains("missing.pem"), "{}", finding.message);
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate here\n").unwrap();
        let finding = client_config(Some(&empty), Arc::default()).unwrap_err();
        assert!(finding.message.contains("holds no certificate"), "{}", finding.message);
        let broken = folder.path().join("broken.pem");
        std::fs::write(
            &broken,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        let finding = client_config(Some(&broken), Arc::default()).unwrap_err();
        assert!(finding.message.contains("malformed"), "{}", finding.message);
    }
}
