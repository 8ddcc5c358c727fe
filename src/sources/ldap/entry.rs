//! One answer of a search as the record that the program keeps. Pure: bytes in, record out.
//!
//! The entry is taken apart here and not by ldap3's own `SearchEntry::construct`, which panics on a malformed entry and
//! cannot tell binary attributes from text that happens to look like them.

use crate::core::model::record::{Place, RawRecord, Values};
use crate::sources::directory::{binary_text, is_binary, is_whole_range, split_range};
use ldap3::asn1::{PL, StructureTag};
use std::collections::BTreeSet;

/// The name under which an entry's own distinguished name can be asked for. No server has an attribute of this name.
const DN: &str = "dn";

/// Ids that directories give every entry and never change, best first. `entryUUID` is operational: it comes only by name.
const ANCHORS: [&str; 2] = ["objectGUID", "entryUUID"];

/// Asks for no attribute at all (RFC 4511 4.5.1.8).
const NO_ATTRIBUTES: &str = "1.1";

/// Which attributes are kept, and in which order.
pub(super) struct Columns {
    names: Vec<String>,
    key: usize,
    anchors: Vec<String>,
}

impl Columns {
    /// The asked-for attributes and the key; the anchor besides. Names that differ only in case are one.
    pub fn new(asked: &BTreeSet<String>, key: &str, anchor: Option<&str>) -> Self {
        let mut names: Vec<String> = Vec::with_capacity(asked.len() + 1);
        let mut place_of = |name: &str| match names.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            Some(place) => place,
            None => {
                names.push(name.to_owned());
                names.len() - 1
            }
        };
        for name in asked {
            place_of(name);
        }
        let key = place_of(key);
        let anchors = match anchor {
            Some(name) => vec![name.to_owned()],
            None => ANCHORS.map(str::to_owned).to_vec(),
        };
        Self { names, key, anchors }
    }

    /// What is asked of the server, so that nothing else crosses the network.
    pub fn request(&self) -> Vec<String> {
        let mut request: Vec<String> = self.names.iter().filter(|name| !is_dn(name)).cloned().collect();
        for anchor in &self.anchors {
            if !request.iter().any(|name| name.eq_ignore_ascii_case(anchor)) {
                request.push(anchor.clone());
            }
        }
        if request.is_empty() {
            request.push(NO_ATTRIBUTES.to_owned());
        }
        request
    }

    /// The names in the order of the values.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of the key.
    pub fn key(&self) -> usize {
        self.key
    }

    /// Whether the column at this place is the attribute of this name.
    pub fn is(&self, place: usize, name: &str) -> bool {
        self.names[place].eq_ignore_ascii_case(name)
    }

    /// The column of an attribute as the server names it: `userCertificate;binary` also stands for `userCertificate`.
    fn position(&self, attribute: &str) -> Option<usize> {
        let place = |name: &str| self.names.iter().position(|known| known.eq_ignore_ascii_case(name));
        place(attribute).or_else(|| {
            let (name, option) = attribute.split_once(';')?;
            if option.eq_ignore_ascii_case("binary") {
                place(name)
            } else {
                None
            }
        })
    }
}

fn is_dn(name: &str) -> bool {
    name.eq_ignore_ascii_case(DN)
}

/// An entry, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Converted {
    pub record: RawRecord,
    /// Columns of which the server sent only a part of the values.
    pub cut_off: Vec<usize>,
    /// Columns with bytes that are no text, written as hex, though the attribute is not known to hold bytes.
    pub hexed: Vec<usize>,
}

/// An entry that does not have the form RFC 4511 4.5.2 demands. It has no content: that may be personal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// An entry as it came: its name, and each attribute with its values.
pub(super) type Parts = (String, Vec<(String, Vec<Vec<u8>>)>);

/// Takes an entry apart.
pub(super) fn parts(entry: StructureTag) -> Result<Parts, Malformed> {
    let mut parts = constructed(entry)?.into_iter();
    let dn = text(parts.next().ok_or(Malformed)?)?;
    let attributes = constructed(parts.next().ok_or(Malformed)?)?
        .into_iter()
        .map(|attribute| {
            let mut parts = constructed(attribute)?.into_iter();
            let name = text(parts.next().ok_or(Malformed)?)?;
            let values = constructed(parts.next().ok_or(Malformed)?)?
                .into_iter()
                .map(primitive)
                .collect::<Result<_, _>>()?;
            Ok((name, values))
        })
        .collect::<Result<_, Malformed>>()?;
    Ok((dn, attributes))
}

/// Takes an entry apart and keeps only the columns.
pub(super) fn convert(entry: StructureTag, columns: &Columns) -> Result<Converted, Malformed> {
    let (dn, attributes) = parts(entry)?;
    let mut values: Vec<Values> = vec![Values::None; columns.names.len()];
    let mut anchors: Vec<Option<Box<str>>> = vec![None; columns.anchors.len()];
    let (mut cut_off, mut hexed, mut tagged) = (Vec::new(), Vec::new(), Vec::new());
    for (name, bytes) in attributes {
        let (name, whole) = match split_range(&name) {
            Some((base, range)) => (base, is_whole_range(range)),
            None => (name.as_str(), true),
        };
        if let Some(place) = columns.anchors.iter().position(|a| a.eq_ignore_ascii_case(name)) {
            // An anchor with several values marks nobody.
            if let [only] = bytes.as_slice() {
                anchors[place] = Some(binary_text(name, only).into());
            }
        }
        let Some(place) = columns.position(name) else {
            let base = name.split_once(';').and_then(|(base, _)| columns.position(base));
            tagged.extend(base.filter(|_| !bytes.is_empty()));
            continue;
        };
        if !whole {
            cut_off.push(place);
        }
        let binary = is_binary(name);
        let texts = bytes
            .into_iter()
            .map(|value| match plain(value) {
                Ok(text) if !binary => text,
                Ok(text) => binary_text(name, text.as_bytes()),
                Err(value) => {
                    if !binary {
                        hexed.push(place);
                    }
                    binary_text(name, &value)
                }
            })
            .collect();
        values[place] = add(std::mem::take(&mut values[place]), texts);
    }
    // What has only values for a language is not empty.
    for place in tagged {
        if values[place] == Values::None {
            values[place] = Values::Tagged;
        }
    }
    if let Some(place) = columns.names.iter().position(|name| is_dn(name)) {
        values[place] = Values::One(dn.as_str().into());
    }
    Ok(Converted {
        record: RawRecord {
            place: Place::Dn(dn.into()),
            values: values.into(),
            anchor: anchors.into_iter().flatten().next(),
        },
        cut_off,
        hexed,
    })
}

/// Text without a NUL, taken over without a copy; the bytes when they are not text.
fn plain(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(text.into_bytes()),
        Ok(text) => Ok(text),
        Err(e) => Err(e.into_bytes()),
    }
}

/// Values that came in two parts: Active Directory sends an empty `member` beside `member;range=0-1499`.
fn add(have: Values, mut more: Vec<String>) -> Values {
    if have == Values::None {
        return Values::from_vec(more);
    }
    let mut all: Vec<String> = have.as_slice().iter().map(|value| value.to_string()).collect();
    all.append(&mut more);
    Values::from_vec(all)
}

/// The addresses of a search reference (RFC 4511 4.5.3). Bytes that are not text are shown as such, not lost.
pub(super) fn references(reference: StructureTag) -> Vec<String> {
    let Ok(parts) = constructed(reference) else {
        return Vec::new();
    };
    parts
        .into_iter()
        .filter_map(|part| primitive(part).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

fn constructed(tag: StructureTag) -> Result<Vec<StructureTag>, Malformed> {
    match tag.payload {
        PL::C(parts) => Ok(parts),
        PL::P(_) => Err(Malformed),
    }
}

fn primitive(tag: StructureTag) -> Result<Vec<u8>, Malformed> {
    match tag.payload {
        PL::P(bytes) => Ok(bytes),
        PL::C(_) => Err(Malformed),
    }
}

fn text(tag: StructureTag) -> Result<String, Malformed> {
    String::from_utf8(primitive(tag)?).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::asn1::TagClass;

    const GUID: [u8; 16] = [
        0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    ];
    const GUID_TEXT: &str = "12345678-9abc-def0-0102-030405060708";

    fn primitive_tag(bytes: &[u8]) -> StructureTag {
        StructureTag {
            class: TagClass::Universal,
            id: 4,
            payload: PL::P(bytes.to_vec()),
        }
    }

    fn constructed_tag(id: u64, parts: Vec<StructureTag>) -> StructureTag {
        StructureTag {
            class: TagClass::Universal,
            id,
            payload: PL::C(parts),
        }
    }

    fn entry(dn: &str, attributes: &[(&str, &[&[u8]])]) -> StructureTag {
        let attributes = attributes
            .iter()
            .map(|(name, values)| {
                let values = values.iter().map(|value| primitive_tag(value)).collect();
                constructed_tag(16, vec![primitive_tag(name.as_bytes()), constructed_tag(17, values)])
            })
            .collect();
        constructed_tag(4, vec![primitive_tag(dn.as_bytes()), constructed_tag(16, attributes)])
    }

    fn columns(asked: &[&str], anchor: Option<&str>) -> Columns {
        Columns::new(
            &asked.iter().map(|name| (*name).to_owned()).collect(),
            "employeeID",
            anchor,
        )
    }

    fn converted(asked: &[&str], attributes: &[(&str, &[&[u8]])]) -> Converted {
        convert(entry("CN=x,DC=example", attributes), &columns(asked, None)).unwrap()
    }

    fn one(text: &str) -> Values {
        Values::One(text.into())
    }

    #[test]
    fn only_what_is_asked_for_is_requested_and_names_of_one_case_or_another_are_one() {
        assert_eq!(
            columns(&["dn", "mail", "Mail", "EMPLOYEEID"], None).request(),
            ["EMPLOYEEID", "Mail", "objectGUID", "entryUUID"]
        );
        assert_eq!(
            columns(&["objectguid"], Some("objectGUID")).request(),
            ["objectguid", "employeeID"]
        );
        // An empty list would ask for everything.
        let nothing = Columns {
            names: vec!["dn".into()],
            key: 0,
            anchors: Vec::new(),
        };
        assert_eq!(nothing.request(), ["1.1"]);
    }

    #[test]
    fn values_stand_in_the_order_of_the_columns_whatever_the_case_of_their_names() {
        let found = converted(
            &["mail", "sn", "title"],
            &[
                ("SN", &["Jönsson".as_bytes()]),
                ("employeeid", &[b"E1"]),
                ("Mail", &[b"a@x", b"b@x"]),
                ("l", &[b"Gent"]),
            ],
        );
        let mails = Values::Many(["a@x", "b@x"].map(Box::from).into());
        assert_eq!(*found.record.values, [mails, one("Jönsson"), Values::None, one("E1")]);
        assert_eq!(found.record.place, Place::Dn("CN=x,DC=example".into()));
        assert!(found.cut_off.is_empty());
    }

    #[test]
    fn the_dn_itself_can_be_asked_for() {
        let found = converted(&["dn"], &[]);
        assert_eq!(found.record.values[0], one("CN=x,DC=example"));
    }

    #[test]
    fn object_guid_comes_before_entry_uuid_and_a_configured_anchor_before_both() {
        let attributes: &[(&str, &[&[u8]])] = &[
            ("entryUUID", &[b"6e4e0f2a-0000-103e-8000-000000000000"]),
            ("objectGUID", &[&GUID]),
            ("uid", &[b"u1"]),
        ];
        assert_eq!(converted(&[], attributes).record.anchor.as_deref(), Some(GUID_TEXT));
        assert_eq!(
            converted(&[], &attributes[..1]).record.anchor.as_deref(),
            Some("6e4e0f2a-0000-103e-8000-000000000000")
        );
        assert_eq!(converted(&[], &attributes[2..]).record.anchor, None);
        let own = convert(entry("CN=x", attributes), &columns(&[], Some("UID"))).unwrap();
        assert_eq!(own.record.anchor.as_deref(), Some("u1"));
        let several = convert(entry("CN=x", &[("uid", &[b"a", b"b"])]), &columns(&[], Some("uid"))).unwrap();
        assert_eq!(several.record.anchor, None);
    }

    #[test]
    fn binary_values_become_text() {
        let found = converted(
            &["objectGUID", "userCertificate"],
            &[("objectGUID", &[&GUID]), ("userCertificate;binary", &[&[0x30, 0x82]])],
        );
        assert_eq!(found.record.values[0], one(GUID_TEXT));
        assert_eq!(found.record.values[1], one("3082"));
        assert!(found.hexed.is_empty());
        // A name in an old encoding is no text; whether it is a damaged name the whole read decides.
        let damaged = converted(&["sn", "cn"], &[("sn", &[&[b'B', 0xf6, b'r']]), ("cn", &[b"a\0b"])]);
        assert_eq!(*damaged.record.values, [one("610062"), one("42f672"), Values::None]);
        assert_eq!(damaged.hexed, [1, 0]);
    }

    #[test]
    fn a_part_of_the_values_is_reported_and_a_whole_range_is_not() {
        let part = converted(&["member"], &[("member", &[]), ("member;range=0-1", &[b"a", b"b"])]);
        assert_eq!(part.cut_off, [0]);
        assert_eq!(part.record.values[0].as_slice().len(), 2);
        let whole = converted(&["member"], &[("member;range=0-*", &[b"a"])]);
        assert!(whole.cut_off.is_empty());
        assert_eq!(whole.record.values[0], one("a"));
        let unasked = converted(&["mail"], &[("member;range=0-1", &[b"a"])]);
        assert!(unasked.cut_off.is_empty());
    }

    #[test]
    fn values_in_another_language_are_another_attribute() {
        let found = converted(&["cn"], &[("cn;lang-nl", &[b"Naam"]), ("cn", &[b"Name"])]);
        assert_eq!(found.record.values[0], one("Name"));
    }

    #[test]
    fn malformed_entries_are_errors_and_not_panics() {
        let columns = columns(&[], None);
        for broken in [
            primitive_tag(b"x"),
            constructed_tag(4, vec![]),
            constructed_tag(4, vec![primitive_tag(b"CN=x")]),
            constructed_tag(4, vec![primitive_tag(b"CN=x"), primitive_tag(b"y")]),
            constructed_tag(4, vec![primitive_tag(&[0xff]), constructed_tag(16, vec![])]),
            constructed_tag(
                4,
                vec![
                    primitive_tag(b"CN=x"),
                    constructed_tag(16, vec![constructed_tag(16, vec![primitive_tag(b"a")])]),
                ],
            ),
        ] {
            assert_eq!(convert(broken, &columns), Err(Malformed));
        }
    }

    #[test]
    fn references_are_read_without_trust() {
        let reference = constructed_tag(19, vec![primitive_tag(b"ldap://a/DC=a"), primitive_tag(&[b'x', 0xff])]);
        assert_eq!(references(reference), ["ldap://a/DC=a", "x\u{fffd}"]);
        assert!(references(primitive_tag(b"x")).is_empty());
    }
}
