//! Trust: a server with a certificate of an own authority, one that has expired, and a host name that does not fit.

use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

/// A TLS server that answers everything with 401. Its thread ends with the test's process.
fn server(address: &str, certificate: &str) -> String {
    let certificate = CertificateDer::from_pem_file(fixture(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((address, 0)).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that does not trust us goes away: that is what is tested.
            let _ = answer(stream.unwrap(), &config);
        }
    });
    url
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut tls = StreamOwned::new(connection, stream);
    let mut request = [0; 4096];
    if tls.read(&mut request)? > 0 {
        tls.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")?;
        tls.flush()?;
    }
    Ok(())
}

async fn told(url: &str, ca_file: Option<PathBuf>) -> (TargetError, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(url, &folder, "secret");
    config.ca_file = ca_file;
    let client = TopdeskClient::connect(&config, Europe::Amsterdam).unwrap();
    let error = client.reader().read_all(&wants(), &Silent).await.unwrap_err();
    (error, client.reader().requests_sent())
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let url = server("127.0.0.1", "server.pem");
    let (error, _) = told(&url, Some(fixture("authority.pem"))).await;
    assert_eq!(error.status, Some(401), "the answer came through: {error}");
}

#[tokio::test]
async fn what_is_not_trusted_is_told_at_once_with_the_cure() {
    let unknown = server("127.0.0.1", "server.pem");
    let expired = server("127.0.0.1", "expired.pem");
    // Loopback too, but not the address that the certificate names.
    let other_name = server("127.0.0.2", "server.pem");
    let authority = || Some(fixture("authority.pem"));
    for (url, ca_file, words) in [
        (&unknown, None, "an authority that this system does not trust"),
        (&expired, authority(), "expired"),
        (&other_name, authority(), "not valid for"),
    ] {
        let (error, sent) = told(url, ca_file).await;
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.cure.contains("ca_file"), "{error}");
        assert!(!error.retryable);
        assert_eq!(sent, 1, "trying again does not help: {error}");
    }
}

#[tokio::test]
async fn the_authority_is_read_again_for_every_connection() {
    let url = server("127.0.0.1", "server.pem");
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let told = async || {
        let mut config = config(&url, &folder, "secret");
        config.ca_file = Some(ca_file.clone());
        let client = TopdeskClient::connect(&config, Europe::Amsterdam).unwrap();
        client.reader().read_all(&wants(), &Silent).await.unwrap_err()
    };
    // A certificate that signed nothing here: the server is unknown until the file is replaced, as on a renewal.
    std::fs::copy(fixture("expired.pem"), &ca_file).unwrap();
    let before = told().await;
    assert!(before.to_string().contains("does not trust"), "{before}");
    std::fs::copy(fixture("authority.pem"), &ca_file).unwrap();
    assert_eq!(told().await.status, Some(401), "the answer comes through now");
}
