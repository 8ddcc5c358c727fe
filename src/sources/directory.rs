//! What directories mean by their bytes and names: GUIDs, binary values, value ranges, references.
//!
//! Pure functions shared by the server and the file form of a directory. Nothing here reads or connects.

use crate::core::model::dn::{Dn, relative_names};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Attributes of 16 bytes that are a GUID in Active Directory's byte order.
const GUIDS: [&str; 3] = ["objectGUID", "mS-DS-ConsistencyGuid", "msExchMailboxGuid"];

/// Attributes that are bytes even when those bytes happen to be text.
const BYTES: [&str; 6] = [
    "objectSid",
    "sIDHistory",
    "thumbnailPhoto",
    "jpegPhoto",
    "userCertificate",
    "userSMIMECertificate",
];

/// The naming contexts of a forest that hold no people; a search from the top of a domain always refers to them.
/// MS-ADTS 3.1.1.1.5 (NC naming).
const OWN_FOREST: [&str; 3] = ["DC=DomainDnsZones", "DC=ForestDnsZones", "CN=Configuration"];

/// Which of the attributes that nobody has are known to be there, ignoring case.
pub fn known<'a>(names: impl IntoIterator<Item = &'a String>, missing: &BTreeSet<String>) -> BTreeSet<String> {
    let names: Vec<&String> = names.into_iter().collect();
    let is_known = |name: &&String| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    missing.iter().filter(is_known).cloned().collect()
}

/// The usual text form of an objectGUID: lower case, 8-4-4-4-12, the first three groups stored little-endian (MS-DTYP 2.3.4).
/// `None` unless there are exactly 16 bytes.
pub fn guid_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some(uuid::Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

/// Whether an attribute is known to hold bytes, not text: the known names, and every attribute asked for with `;binary`.
pub fn is_binary(attribute: &str) -> bool {
    let (base, options) = attribute.split_once(';').unwrap_or((attribute, ""));
    let named = |name: &&str| name.eq_ignore_ascii_case(base);
    GUIDS.iter().chain(&BYTES).any(named) || options.split(';').any(|option| option.eq_ignore_ascii_case("binary"))
}

/// Whether bytes are text: UTF-8 without a NUL.
pub fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// The text of a value that a directory gave as bytes, always the same for the same bytes.
///
/// GUIDs in their usual form (also where a tool wrote them as text, in braces or upper case); known binary attributes, and
/// bytes that are not UTF-8 or hold a NUL, as lower-case hex; everything else is the UTF-8 text itself.
/// `attribute` may carry options (`userCertificate;binary`); with `;binary` the value is always hex.
pub fn binary_text(attribute: &str, bytes: &[u8]) -> String {
    let base = attribute.split(';').next().unwrap_or_default();
    if GUIDS.iter().any(|name| name.eq_ignore_ascii_case(base)) {
        if let Some(text) = guid_text(bytes) {
            return text;
        }
        if let Some(guid) = as_text(bytes).and_then(|text| uuid::Uuid::try_parse(text.trim()).ok()) {
            return guid.hyphenated().to_string();
        }
    }
    match as_text(bytes) {
        Some(text) if !is_binary(attribute) => text.to_owned(),
        _ => hex(bytes),
    }
}

/// Splits `member;range=0-1499` into `member` and `0-1499` ([MS-ADTS] 3.1.1.3.1.3.3, range retrieval); `None` when the
/// attribute has no range option. The name of the option ignores case.
pub fn split_range(attribute: &str) -> Option<(&str, &str)> {
    let mut start = 0;
    for part in attribute.split(';') {
        if start > 0
            && let Some((name, range)) = part.split_once('=')
            && name.eq_ignore_ascii_case("range")
        {
            return Some((&attribute[..start - 1], range));
        }
        start += part.len() + 1;
    }
    None
}

/// Whether a range such as `0-*` holds every value. Any other range leaves values unread.
pub fn is_whole_range(range: &str) -> bool {
    range == "0-*"
}

/// Whether a reference only points to a naming context of the directory's own forest that holds no people:
/// DomainDnsZones, ForestDnsZones, Configuration.
///
/// The DN of the URL decides; only a URL without a DN is judged by the first label of its host. Whatever cannot be read
/// is not such a reference: it may point to people.
pub fn is_own_forest_reference(url: &str) -> bool {
    let Some(Reference { host, dn, .. }) = Reference::parse(url) else {
        return false;
    };
    if dn.trim().is_empty() {
        let label = host.split('.').next().unwrap_or_default();
        return ["DomainDnsZones", "ForestDnsZones"]
            .iter()
            .any(|zone| zone.eq_ignore_ascii_case(label));
    }
    let Some(names) = relative_names(&dn) else {
        return false;
    };
    let mut names = names.iter().map(|name| match name.as_slice() {
        [only] => format!("{}={}", only.attribute, only.value),
        _several => String::new(),
    });
    let first = names.next().unwrap_or_default();
    // The rest must be the forest itself, so that a unit of people that is named like a context is not skipped.
    OWN_FOREST.iter().any(|context| context.eq_ignore_ascii_case(&first))
        && names.all(|name| name.get(..3).is_some_and(|kind| kind.eq_ignore_ascii_case("dc=")))
}

/// A part of a directory that another server holds, as a server tells of it (RFC 4516).
struct Reference {
    host: String,
    /// As it is written; none where it is the usual one.
    port: Option<String>,
    dn: String,
}

impl Reference {
    /// `None` for what is no address of a directory, or cannot be read.
    fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        if !scheme.eq_ignore_ascii_case("ldap") && !scheme.eq_ignore_ascii_case("ldaps") {
            return None;
        }
        let (authority, dn) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(authority);
        Some(Self {
            host: host.to_owned(),
            port: port.map(str::to_owned),
            dn: percent_decode(dn.split('?').next().unwrap_or_default())?,
        })
    }
}

/// Host and port; the colons of `[::1]` are no port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The host of a reference, to name it in `harmless_references`; the whole text where it cannot be read.
pub fn host_of_reference(url: &str) -> String {
    let host = Reference::parse(url).map(|reference| reference.host);
    host.filter(|host| !host.is_empty())
        .unwrap_or_else(|| url.trim().to_owned())
}

/// Whether the configuration names this reference as harmless: by its host, with or without a port, or by a DN that is the
/// one it points to or lies above that. A name that is neither means nothing (the configuration is checked for it).
pub fn is_named_harmless(url: &str, names: &[String]) -> bool {
    let Some(Reference { host, port, dn }) = Reference::parse(url) else {
        return false;
    };
    names.iter().any(|name| match Dn::parse(name) {
        Some(part) => Dn::parse(&dn).is_some_and(|dn| dn.is_within(&part)),
        None => {
            let (named, at) = split_port(name.trim());
            !named.is_empty() && named.eq_ignore_ascii_case(&host) && at.is_none_or(|at| port.as_deref() == Some(at))
        }
    })
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes every write");
            text
        })
}

/// Undoes `%20` in an LDAP URL (RFC 4516); `None` when that is not possible.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: [u8; 16] = [
        0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    ];
    const GUID_TEXT: &str = "12345678-9abc-def0-0102-030405060708";

    #[test]
    fn a_guid_has_its_first_three_groups_turned_round() {
        assert_eq!(guid_text(&GUID).as_deref(), Some(GUID_TEXT));
        assert_eq!(guid_text(&GUID[..15]), None);
        assert_eq!(guid_text(&[0; 17]), None);
    }

    #[test]
    fn a_guid_is_one_text_whether_the_tool_gave_bytes_or_text() {
        assert_eq!(binary_text("objectguid", &GUID), GUID_TEXT);
        assert_eq!(
            binary_text("objectGUID", b"{12345678-9ABC-DEF0-0102-030405060708}"),
            GUID_TEXT
        );
        // Sixteen bytes that happen to be ASCII are still a GUID.
        assert_eq!(
            binary_text("objectGUID", b"ABCDEFGHIJKLMNOP"),
            "44434241-4645-4847-494a-4b4c4d4e4f50"
        );
    }

    #[test]
    fn text_stays_text_and_other_bytes_become_hex() {
        assert_eq!(binary_text("sn", "Özil".as_bytes()), "Özil");
        assert_eq!(binary_text("sn", &[0xff, 0x0a]), "ff0a");
        assert_eq!(binary_text("sn", b"a\0b"), "610062");
        assert_eq!(binary_text("objectSid", b"AB"), "4142");
        assert_eq!(binary_text("other;binary", b"AB"), "4142");
    }

    #[test]
    fn ranges_are_found_after_other_options_and_in_any_case() {
        assert_eq!(split_range("member;range=0-1499"), Some(("member", "0-1499")));
        assert_eq!(split_range("member;Range=0-*"), Some(("member", "0-*")));
        assert_eq!(split_range("cn;lang-nl;range=0-9"), Some(("cn;lang-nl", "0-9")));
        assert_eq!(split_range("member"), None);
        assert_eq!(split_range("range=0-1"), None);
        assert!(is_whole_range("0-*") && !is_whole_range("1500-*") && !is_whole_range("0-1499"));
    }

    #[test]
    fn a_reference_is_harmless_where_its_host_or_its_part_is_named() {
        let url = "ldap://Child.example.net:389/OU=A%20B,DC=child,DC=example,DC=net??sub";
        let harmless = |name: &str| is_named_harmless(url, &[name.to_owned()]);
        for name in [
            "child.example.net",
            "child.example.net:389",
            "dc=child,dc=example,dc=net",
            "ou=a b, dc=child, dc=example, dc=net",
        ] {
            assert!(harmless(name), "{name}");
        }
        for name in [
            "example.net",
            "child.example.net:636",
            "other.example.net",
            "OU=C,DC=child,DC=example,DC=net",
            "DC=hild,DC=example,DC=net",
            "",
        ] {
            assert!(!harmless(name), "{name}");
        }
        assert!(!is_named_harmless(
            "http://child.example.net/",
            &["child.example.net".to_owned()]
        ));
        assert!(!is_named_harmless(
            "ldap://child.example.net/%zz",
            &["child.example.net".to_owned()]
        ));
        assert_eq!(host_of_reference(url), "Child.example.net");
        assert_eq!(host_of_reference("nonsense"), "nonsense");
    }

    #[test]
    fn only_the_contexts_without_people_are_own_references() {
        for own in [
            "ldap://DomainDnsZones.example.net/DC=DomainDnsZones,DC=example,DC=net",
            "ldap://ForestDnsZones.example.net/dc=forestdnszones,dc=example,dc=net",
            "ldap://example.net/CN=Configuration,DC=example,DC=net",
            "ldaps://example.net:636/CN=Configuration,%20DC=example,DC=net??base",
            "ldap://DomainDnsZones.example.net",
            "LDAP://forestdnszones.example.net:389/",
        ] {
            assert!(is_own_forest_reference(own), "{own}");
        }
        for other in [
            "ldap://child.example.net/DC=child,DC=example,DC=net",
            "ldap://DomainDnsZones.example.net/DC=child,DC=example,DC=net",
            "ldap://example.net/OU=Configuration,DC=example,DC=net",
            "ldap://example.net/CN=Configuration,OU=People,DC=example,DC=net",
            "ldap://example.net/OU=People,CN=Configuration,DC=example,DC=net",
            "ldap://Configuration.example.net",
            "http://DomainDnsZones.example.net/DC=DomainDnsZones,DC=example,DC=net",
            "ldap://example.net/CN=Configuration%zz",
            "",
        ] {
            assert!(!is_own_forest_reference(other), "{other}");
        }
    }
}
