//! What a TLS handshake shows that its errors do not tell: whether the server wants a certificate of ours, and who signed
//! its own. Nothing here decides whom to trust.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error as TlsError, SignatureScheme};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What was seen of the last handshake.
#[derive(Debug, Default)]
pub(super) struct Seen {
    asked_for_certificate: AtomicBool,
    issuer: Mutex<Option<String>>,
}

impl Seen {
    /// Before the next connection.
    pub fn clear(&self) {
        self.asked_for_certificate.store(false, Ordering::Relaxed);
        *self.issuer.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the server asked for a certificate of ours. It got none.
    pub fn asked_for_certificate(&self) -> bool {
        self.asked_for_certificate.load(Ordering::Relaxed)
    }

    /// Who signed the server's certificate, or the last one that it sent with it, where that was refused.
    pub fn issuer(&self) -> Option<String> {
        self.issuer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesClientCert for Seen {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked_for_certificate.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Trusts exactly as the inner one, and remembers the issuer of what that refused.
#[derive(Debug)]
pub(super) struct Noting {
    pub inner: Arc<WebPkiServerVerifier>,
    pub seen: Arc<Seen>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified = self
            .inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if verified.is_err() {
            let issuer = issuer_of(intermediates.last().unwrap_or(end_entity));
            *self.seen.issuer.lock().unwrap_or_else(PoisonError::into_inner) = issuer;
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// SEQUENCE, SET and OBJECT IDENTIFIER in DER.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The version of a certificate, where it has one.
const VERSION: u8 = 0xa0;
/// The parts of a name that say who it is, best first: common name, organisation, unit (2.5.4.3, .10, .11).
const NAMES: [[u8; 3]; 3] = [[0x55, 4, 3], [0x55, 4, 10], [0x55, 4, 11]];

/// The issuer's name of a certificate (RFC 5280 4.1), as far as it can be shown.
fn issuer_of(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number and algorithm stand before it.
    let rest = element(element(rest)?.2)?.2;
    let (SEQUENCE, mut names, _) = element(rest)? else {
        return None;
    };
    let mut found: [Option<String>; 3] = [const { None }; 3];
    while let Some((SET, name, others)) = element(names) {
        names = others;
        let (_, name, _) = element(name)?;
        let (_, id, value) = element(name)?;
        let (_, value, _) = element(value)?;
        if let Some(at) = NAMES.iter().position(|known| known == id) {
            let text = String::from_utf8_lossy(value);
            found[at].get_or_insert_with(|| text.chars().filter(|c| !c.is_control()).take(100).collect());
        }
    }
    found.into_iter().flatten().next()
}

/// One element of DER: its tag, its content, and what follows. It does not descend, so that no nesting can overflow.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        (
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)),
            rest,
        )
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
        let content = parts.concat();
        let mut bytes = vec![tag, 0x82];
        bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
        bytes
    }

    fn named(id: u8, text: &str) -> Vec<u8> {
        let pair = [der(6, &[vec![0x55, 4, id]]), der(12, &[text.as_bytes().to_vec()])];
        der(SET, &[der(SEQUENCE, &pair)])
    }

    fn certificate(version: bool, names: &[Vec<u8>]) -> Vec<u8> {
        let mut parts = Vec::new();
        if version {
            parts.push(der(VERSION, &[vec![2, 1, 2]]));
        }
        parts.extend([der(2, &[vec![7]]), der(SEQUENCE, &[]), der(SEQUENCE, names)]);
        der(SEQUENCE, &[der(SEQUENCE, &parts)])
    }

    #[test]
    fn the_issuer_is_named_by_its_common_name_or_its_organisation() {
        let both = [named(10, "Example BV"), named(3, "Example CA\n")];
        assert_eq!(issuer_of(&certificate(true, &both)).as_deref(), Some("Example CA"));
        assert_eq!(
            issuer_of(&certificate(false, &both[..1])).as_deref(),
            Some("Example BV")
        );
        assert_eq!(issuer_of(&certificate(true, &[])), None);
    }

    #[test]
    fn what_is_no_certificate_has_no_issuer() {
        let whole = certificate(true, &[named(3, "CA")]);
        for end in 0..whole.len() {
            issuer_of(&whole[..end]);
        }
        for odd in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 2, 0x30, 0x7f],
        ] {
            assert_eq!(issuer_of(odd), None);
        }
        assert_eq!(issuer_of(&[0x30; 5000]), None);
    }
}
