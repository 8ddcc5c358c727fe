//! A throw-away OpenLDAP: own folder, own authority and certificates, own people, free ports of 127.0.0.1. Killed on drop.

use super::ports::Port;
use super::waiting::PATIENCE;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where Debian installs it.
const SLAPD: &str = "/usr/sbin/slapd";
const SLAPADD: &str = "/usr/sbin/slapadd";
pub const BASE: &str = "dc=example,dc=test";
/// May read everything but passwords.
pub const READER: &str = "cn=reader,dc=example,dc=test";
pub const READER_PASSWORD: &str = "reader-secret";

/// Attributes as Active Directory has them, with their real OIDs.
const AD_LIKE: &str = "\
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.35 NAME 'employeeID' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.141 NAME 'department' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.146 NAME 'company' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.1.2.1 NAME 'adLikeUser' DESC 'test only' SUP top AUXILIARY
  MAY ( sAMAccountName $ employeeID $ objectGUID $ userAccountControl $ accountExpires $ department $ company ) )
";

/// What to start.
pub struct Options {
    /// Generated people, every tenth of them in `ou=disabled`.
    pub people: usize,
    /// More entries, as LDIF.
    pub ldif: String,
    /// Lines for the reader's `limits`, e.g. `size.pr=100`; without any, the server's own limits hold.
    pub reader_limits: String,
    /// Whether the certificate ended in 2020.
    pub expired: bool,
    /// What the certificate is valid for.
    pub names: Names,
    /// OpenLDAP's `TLSVerifyClient`: whether clients need a certificate.
    pub verify_client: &'static str,
    /// Password policies, with `cn=policy` as the default one; a lock is told.
    pub policies: bool,
    /// More lines in the reader's own entry.
    pub reader_lines: &'static str,
}

/// What the certificate is valid for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    AddressAndLocalhost,
    OnlyElsewhere,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            people: 0,
            ldif: String::new(),
            reader_limits: "size=unlimited".to_owned(),
            expired: false,
            names: Names::AddressAndLocalhost,
            verify_client: "never",
            policies: false,
            reader_lines: "",
        }
    }
}

/// A running server.
pub struct Slapd {
    folder: TempDir,
    process: Child,
    ldap_port: Port,
    ldaps_port: Port,
}

impl Slapd {
    /// Starts it and waits until it listens.
    pub fn start(options: &Options) -> Self {
        assert!(
            Path::new(SLAPD).exists() && Path::new(SLAPADD).exists(),
            "OpenLDAP's server is not installed ({SLAPD}); run scripts/test, which installs it, or: apt-get install -y --no-install-recommends slapd"
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        std::fs::create_dir(path.join("db")).expect("a folder for the database");
        certificates(path, options);
        write(path, "adlike.schema", AD_LIKE);
        write(path, "slapd.conf", &configuration(path, options));
        write(path, "people.ldif", &people(options));

        let loaded = Command::new(SLAPADD)
            .args(["-q", "-f"])
            .arg(path.join("slapd.conf"))
            .arg("-l")
            .arg(path.join("people.ldif"))
            .output()
            .expect("slapadd runs");
        assert!(
            loaded.status.success(),
            "slapadd: {}",
            String::from_utf8_lossy(&loaded.stderr)
        );

        // A program that is no test may take the port before slapd does: then it ends at once and is started with others.
        for _ in 0..5 {
            let (ldap_port, ldaps_port) = (Port::free(), Port::free());
            let mut process = Command::new(SLAPD)
                .args(["-d", "none", "-f"])
                .arg(path.join("slapd.conf"))
                .args([
                    "-h",
                    &format!(
                        "ldap://127.0.0.1:{} ldaps://127.0.0.1:{}",
                        ldap_port.number, ldaps_port.number
                    ),
                ])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(path.join("slapd.log")).expect("a log file"))
                .spawn()
                .expect("slapd starts");
            if listens(&mut process, ldaps_port.number) {
                return Self {
                    folder,
                    process,
                    ldap_port,
                    ldaps_port,
                };
            }
            end(&mut process);
        }
        let log = std::fs::read_to_string(path.join("slapd.log")).unwrap_or_default();
        panic!("slapd does not start: {log}");
    }

    /// `ldap://127.0.0.1:PORT`
    pub fn ldap(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.ldap_port.number)
    }

    /// `ldaps://127.0.0.1:PORT`
    pub fn ldaps(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.ldaps_port.number)
    }

    /// The certificate of the server's own authority.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Ends it now.
    pub fn kill(&mut self) {
        end(&mut self.process);
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn end(process: &mut Child) {
    // It may have ended by itself.
    let _ = process.kill();
    let _ = process.wait();
}

/// Whether the process accepts connections before it ends.
fn listens(process: &mut Child, port: u16) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if process.try_wait().expect("the process can be asked").is_some() {
            return false;
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file in the temporary folder");
}

/// `ca.pem`, `server.pem`, `server.key`.
fn certificates(folder: &Path, options: &Options) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "Throw-away authority");
    let authority_key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, authority_key).expect("an authority");
    write(folder, "ca.pem", &authority.pem());

    let mut server = CertificateParams::default();
    server.distinguished_name.push(DnType::CommonName, "Throw-away server");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.subject_alt_names = match options.names {
        Names::AddressAndLocalhost => vec![
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            SanType::DnsName("localhost".try_into().expect("a name")),
        ],
        Names::OnlyElsewhere => vec![SanType::DnsName("elsewhere.example.test".try_into().expect("a name"))],
    };
    if options.expired {
        server.not_before = date_time_ymd(2019, 1, 1);
        server.not_after = date_time_ymd(2020, 1, 1);
    }
    let server_key = KeyPair::generate().expect("a key");
    let certificate = server.signed_by(&server_key, &authority).expect("a certificate");
    write(folder, "server.pem", &certificate.pem());
    write(folder, "server.key", &server_key.serialize_pem());
}

fn configuration(folder: &Path, options: &Options) -> String {
    let folder = folder.display();
    format!(
        "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {folder}/adlike.schema
modulepath /usr/lib/ldap
moduleload back_mdb
{}pidfile {folder}/slapd.pid
loglevel none
threads 4
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient {}
database mdb
suffix \"{BASE}\"
directory {folder}/db
maxsize 1073741824
dbnosync
index objectClass eq
limits dn.exact=\"{READER}\" {}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=\"{READER}\" read by anonymous auth by * none
{}",
        if options.policies { "moduleload ppolicy\n" } else { "" },
        options.verify_client,
        options.reader_limits,
        if options.policies {
            format!("overlay ppolicy\nppolicy_default \"cn=policy,{BASE}\"\nppolicy_use_lockout\n")
        } else {
            String::new()
        }
    )
}

fn people(options: &Options) -> String {
    let mut ldif = format!(
        "dn: {BASE}\nobjectClass: domain\ndc: example\n\n\
         dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: {READER_PASSWORD}\n{}\n",
        options.reader_lines
    );
    for unit in ["people", "disabled"] {
        write!(
            ldif,
            "dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n\n"
        )
        .expect("text");
    }
    for number in 0..options.people {
        let unit = if number % 10 == 9 { "disabled" } else { "people" };
        write!(
            ldif,
            "dn: uid=u{number:06},ou={unit},{BASE}\n\
             objectClass: inetOrgPerson\nobjectClass: adLikeUser\n\
             uid: u{number:06}\ncn: Person {number}\nsn: Name {number}\ngivenName: Given\n\
             mail: u{number:06}@example.test\nmail: second{number:06}@example.test\n\
             telephoneNumber: +31 15 {number:07}\nemployeeID: E{number:06}\nemployeeNumber: {number}\n\
             title: Clerk\ndepartment: Finance\ncompany: Example BV\nl: Delft\n\
             sAMAccountName: u{number:06}\nuserAccountControl: 512\naccountExpires: 9223372036854775807\n\n"
        )
        .expect("text");
    }
    ldif.push_str(&options.ldif);
    ldif
}
