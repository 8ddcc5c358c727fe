//! Trust for connections to TOPdesk: rustls with ring, the system's roots, and the configured authority besides.
//!
//! The provider is named here instead of taken from the process, so that the client works in every program that links
//! this library, whether or not `main` installed one.

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why no trust could be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("cannot read the certificate file {path}: {why}")]
    File { path: PathBuf, why: String },
    #[error("the certificate file {0} holds no certificate in PEM form")]
    NoCertificate(PathBuf),
    #[error("this system has no certificate authorities ({0})")]
    NoRoots(String),
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl TlsError {
    /// What the administrator can do.
    pub(super) fn cure(&self) -> &'static str {
        match self {
            TlsError::File { .. } => "make the file readable for the user cardsync runs as, or correct topdesk.ca_file",
            TlsError::NoCertificate(_) => "topdesk.ca_file must hold the authority as -----BEGIN CERTIFICATE-----",
            TlsError::NoRoots(_) => "install the package ca-certificates, or set topdesk.ca_file",
            TlsError::Setup(_) => "check topdesk.ca_file",
        }
    }
}

/// The settings of a TLS connection. With `trusted` false nothing is trusted: for `http://`, where TLS never begins.
pub(super) fn client_config(trusted: bool, ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let roots = if trusted {
        roots(ca_file)?
    } else {
        RootCertStore::empty()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        let wrong = |why: String| TlsError::File {
            path: path.to_owned(),
            why,
        };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(TlsError::NoCertificate(path.to_owned()));
        }
    }
    if roots.is_empty() {
        let why: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
        return Err(TlsError::NoRoots(why.join("; ")));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_file_without_certificates_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let missing = client_config(true, Some(&path)).unwrap_err();
        assert!(missing.to_string().contains("ca.pem"), "{missing}");
        std::fs::write(&path, "nothing\n").unwrap();
        let empty = client_config(true, Some(&path)).unwrap_err();
        assert!(matches!(empty, TlsError::NoCertificate(_)), "{empty}");
        assert!(client_config(false, Some(&path)).is_ok());
    }
}
