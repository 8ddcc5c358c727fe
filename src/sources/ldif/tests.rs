use super::entries::{Entries, parse};
use super::*;
use crate::core::model::field::CardField;
use crate::core::model::key::Normaliser;
use crate::core::model::record::Place;
use crate::core::reads::snapshot::Effect;
use crate::engine::Silent;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use std::fs;

fn key_spec() -> KeySpec {
    KeySpec {
        card_field: CardField::EmployeeNumber,
        normalise: vec![Normaliser::Trim],
        immutable: false,
    }
}

fn config(anchor: Option<&str>) -> LdifConfig {
    serde_json::from_value(serde_json::json!({
        "name": "ad", "path": "unused", "key": "employeeID", "role": "enrich", "anchor": anchor,
    }))
    .unwrap()
}

fn asked(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Parses with the key in `employeeID`.
fn entries_of(bytes: &[u8], names: &[&str]) -> Entries {
    let mut reader = TextReader::new(Declared::ByMark);
    reader.push(bytes);
    let wanted = wanted(&asked(names), &config(None));
    parse(&reader.finish(), &SourceName::new("ad"), &key_spec(), &wanted, |_| ())
}

fn entries(text: &str) -> Entries {
    entries_of(text.as_bytes(), &["sn"])
}

fn codes(entries: &Entries) -> Vec<&str> {
    entries.findings.iter().map(|finding| &*finding.code).collect()
}

/// The values of an attribute, per record.
fn values<'a>(entries: &'a Entries, name: &str) -> Vec<Vec<&'a str>> {
    let place = entries.attributes.position(name).unwrap();
    entries
        .records
        .iter()
        .map(|record| record.values[place].as_slice().iter().map(|value| &**value).collect())
        .collect()
}

fn rejected(entries: &Entries) -> Vec<(u64, Option<&str>)> {
    entries
        .rejections
        .iter()
        .map(|rejection| match rejection.place {
            Place::Line(line) => (line, rejection.key.as_ref().map(|key| key.as_str())),
            Place::Dn(_) => panic!("rejections of a file have lines"),
        })
        .collect()
}

/// Two good entries with the given text behind them.
fn with(rest: &str) -> Entries {
    entries(&format!(
        "dn: cn=a\nemployeeID: 1\nsn: A\n\ndn: cn=b\nemployeeID: 2\nsn: B\n\n{rest}"
    ))
}

#[test]
fn exports_of_ldapsearch_are_read_whole_in_all_four_forms() {
    for (form, text) in [
        ("", include_str!("../../../tests/fixtures/ldif/ldapsearch.ldif")),
        ("-L", include_str!("../../../tests/fixtures/ldif/ldapsearch-L.ldif")),
        ("-LL", include_str!("../../../tests/fixtures/ldif/ldapsearch-LL.ldif")),
        ("-LLL", include_str!("../../../tests/fixtures/ldif/ldapsearch-LLL.ldif")),
    ] {
        let entries = entries(text);
        assert_eq!(
            values(&entries, "EMPLOYEEID"),
            [["E100000"], ["E100001"], ["E100002"]],
            "{form}"
        );
        assert_eq!(
            entries.records[0].place,
            Place::Dn("uid=u000000,ou=people,dc=example,dc=test".into())
        );
        assert_eq!(
            entries.records[0].anchor.as_deref(),
            Some("008a05a6-c464-7159-c324-c9859b810e76")
        );
        assert!(
            entries.findings.is_empty() && entries.rejections.is_empty(),
            "{form}: {:?}",
            entries.findings
        );
        // Whatever is cut off is noticed where the form shows it.
        let half = entries_of(&text.as_bytes()[..text.find("dn: uid=u000002").unwrap()], &["sn"]);
        let expected: &[&str] = match form {
            "-LL" | "-LLL" => &["unfinished_paging"],
            "-L" | "" => &["unfinished_paging", "cut_off"],
            _ => unreachable!(),
        };
        assert_eq!(codes(&half), expected, "{form}");
    }
}

#[test]
fn exports_of_ldifde_say_that_every_entry_is_added() {
    let text = "dn: CN=Jan Boer,OU=People,DC=example,DC=net\r\nchangetype: add\r\nobjectClass: top\r\nobjectClass: user\r\n\
                sn:: QsO2ZXI=\r\nemployeeID: 1\r\nobjectGUID:: eFY0Erya8N4BAgMEBQYHCA==\r\n\r\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [text.as_bytes(), &utf16] {
        let entries = entries_of(bytes, &["sn", "objectclass"]);
        assert!(entries.findings.is_empty(), "{:?}", entries.findings);
        assert_eq!(values(&entries, "sn"), [["Böer"]]);
        assert_eq!(values(&entries, "objectClass"), [["top", "user"]]);
        assert_eq!(
            entries.records[0].anchor.as_deref(),
            Some("12345678-9abc-def0-0102-030405060708")
        );
    }
}

#[test]
fn options_make_other_attributes_and_bytes_become_text() {
    let text = "dn: cn=a\nemployeeID: 1\nsn;lang-nl: Een\nsn: One\nuserCertificate;binary:: AQI=\nphoto:: /w==\nempty:\nblank:: \n\n";
    let plain = entries_of(
        text.as_bytes(),
        &["sn", "userCertificate", "photo", "empty", "blank", "dn"],
    );
    assert_eq!(values(&plain, "sn"), [["One"]]);
    assert_eq!(values(&plain, "photo"), [["ff"]]);
    assert_eq!(
        (values(&plain, "empty"), values(&plain, "blank")),
        (vec![vec![""]], vec![vec![""]])
    );
    assert_eq!(values(&plain, "dn"), [["cn=a"]]);
    assert_eq!(plain.missing, asked(&["userCertificate"]));
    let tagged = entries_of(text.as_bytes(), &["SN;lang-NL", "usercertificate;binary"]);
    assert_eq!(values(&tagged, "sn;lang-nl"), [["Een"]]);
    assert_eq!(values(&tagged, "userCertificate;binary"), [["0102"]]);
}

#[test]
fn an_attribute_that_no_entry_has_is_missing_not_empty() {
    let entries = entries_of(
        b"dn: cn=a\nemployeeID: 1\nsn: A\n\ndn: cn=b\nemployeeID: 2\n\n",
        &["mobile", "sn", "employeID"],
    );
    assert_eq!(entries.missing, asked(&["employeID", "mobile"]));
    assert_eq!(entries.attributes.position("mobile"), None);
    assert_eq!(values(&entries, "sn"), [vec!["A"], vec![]]);
    assert!(entries.findings.iter().all(|finding| finding.effect == Effect::Note));
    assert!(
        entries.findings[0].message.ends_with("did you mean 'employeeid'?"),
        "{:?}",
        entries.findings
    );
    let keyless = entries_of(b"dn: cn=a\nsn: A\n\n", &["sn"]);
    assert_eq!(
        (codes(&keyless), keyless.findings[0].effect),
        (vec!["attribute_missing"], Effect::Reject)
    );
    assert_eq!(codes(&entries_of(b"version: 1\n\n", &["sn"])), ["no_entries"]);
}

#[test]
fn entries_that_cannot_be_read_are_rejected_with_line_and_key() {
    let found = with(
        "employeeID: 3\nsn: C\n\ndn: cn=d\nemployeeID: 4\nsn:: ???\n\ndn: cn=e\nemployeeID: 5\nno colon\n\n\
         dn:\nemployeeID: 6\n\ndn: cn=g\nemployeeID: 7\nother:: ???\n",
    );
    assert_eq!(found.records.len(), 3);
    assert_eq!(
        rejected(&found),
        [(9, None), (12, Some("4")), (16, Some("5")), (20, Some("6"))]
    );
    assert!(
        found.rejections[1]
            .message
            .starts_with("line 14: sn is not valid base64")
    );
    let bytes = entries_of(
        b"dn: cn=a\nemployeeID: 1\nsn: \xff\n\ndn: cn=b\nsn: B\nemployeeID: 2\n",
        &["sn"],
    );
    assert_eq!((rejected(&bytes), bytes.records.len()), (vec![(1, Some("1"))], 1));
}

#[test]
fn bytes_in_an_attribute_that_is_text_elsewhere_reject_their_entry() {
    let found = with("dn: cn=c\nemployeeID: 3\nsn:: /w==\n");
    assert_eq!((found.records.len(), rejected(&found)), (2, vec![(9, Some("3"))]));
}

#[test]
fn entries_without_a_blank_line_between_them_are_still_two() {
    assert_eq!(
        entries("dn: cn=a\nemployeeID: 1\nsn: A\ndn: cn=b\nemployeeID: 2\n")
            .records
            .len(),
        2
    );
}

#[test]
fn change_records_addresses_ranges_and_doubled_entries_reject_the_file() {
    for (rest, code, line) in [
        (
            "dn: cn=c\nchangetype: modify\nreplace: sn\nsn: X\n-\n",
            "change_record",
            "line 10",
        ),
        ("dn: cn=c\nchangetype: delete\n", "change_record", "line 10"),
        (
            "dn: cn=c\ncontrol: 1.2.3 true\nchangetype: add\nsn: X\n",
            "change_record",
            "line 10",
        ),
        ("dn: cn=c\nchangetype: add\nsn: X\n", "change_record", "1 of 3"),
        ("dn: cn=c\njpegPhoto:< file:///tmp/x\n", "external_url", "line 10"),
        ("dn: cn=c\nmember;range=0-1499: cn=a\n", "unread_range", "line 10"),
        ("dn: CN = A\nsn: X\n", "duplicate_dn", "line 1 stands again in line 9"),
        ("version: 2\n", "ldif_version", "line 9"),
        ("dn: cn=c\nsn: X", "cut_off", "line 10"),
    ] {
        let entries = with(rest);
        assert_eq!(codes(&entries), [code], "{rest}");
        assert_eq!(entries.findings[0].effect, Effect::Reject);
        assert!(
            entries.findings[0].message.contains(line),
            "{}",
            entries.findings[0].message
        );
    }
    assert!(codes(&with("dn: cn=c\nmember;range=0-*: cn=a\n")).is_empty());
}

#[test]
fn results_references_and_counts_say_whether_the_export_is_whole() {
    for (rest, code) in [
        (
            "# search result\nsearch: 2\nresult: 4 Size limit exceeded\n",
            "size_limit",
        ),
        ("search: 2\nresult: 11 Administrative limit exceeded\n", "admin_limit"),
        (
            "search: 2\nresult: 32 No such object\nmatchedDN: dc=x\n",
            "no_such_object",
        ),
        ("search: 2\nresult: what\n", "result_code"),
        (
            "# search reference\nref: ldap://child.example.net/DC=child,DC=exa\n mple,DC=net\n",
            "reference",
        ),
        (
            "# refldap://child.example.net/DC=child,DC=exa\n mple,DC=net??sub\n",
            "reference",
        ),
        ("# numResponses: 4\n# numEntries: 3\n", "cut_off"),
        ("# pagedresults: cookie=abc\n", "unfinished_paging"),
    ] {
        let entries = with(rest);
        assert_eq!(codes(&entries), [code], "{rest}");
        assert_eq!(entries.findings[0].effect, Effect::Reject);
        assert_eq!((entries.records.len(), entries.rejections.len()), (2, 0), "{rest}");
    }
    let whole = with(
        "# search reference\nref: ldap://DomainDnsZones.example.net/DC=DomainDnsZones,DC=example,DC=net\n\n\
         # refldap://ForestDnsZones.example.net/DC=ForestDnsZones,DC=example,DC=net\n\n\
         # search result\nsearch: 2\nresult: 0 Success\npagedresults: cookie=\n\n# numResponses: 5\n# numEntries: 2\n",
    );
    assert!(
        whole.findings.is_empty() && whole.rejections.is_empty(),
        "{:?}",
        whole.findings
    );
    assert!(with("# size limit\n").findings.is_empty());
    let limit = with("search: 2\nresult: 4 Size limit exceeded\n");
    assert!(
        limit.findings[0]
            .message
            .contains("result 4 (Size limit exceeded) after 2 entries")
    );
}

#[test]
fn the_anchor_is_the_configured_attribute_or_the_one_the_entry_has() {
    let text =
        "dn: cn=a\nemployeeID: 1\nobjectGUID:: eFY0Erya8N4BAgMEBQYHCA==\nentryUUID: u-1\nuid: x\nuid: y\nmyId: m\n\n";
    let anchor = |name: Option<&str>| {
        let mut reader = TextReader::new(Declared::ByMark);
        reader.push(text.as_bytes());
        let wanted = wanted(&asked(&[]), &config(name));
        let entries = parse(&reader.finish(), &SourceName::new("ad"), &key_spec(), &wanted, |_| ());
        entries.records[0].anchor.clone()
    };
    assert_eq!(anchor(None).as_deref(), Some("12345678-9abc-def0-0102-030405060708"));
    assert_eq!(anchor(Some("ENTRYuuid")).as_deref(), Some("u-1"));
    assert_eq!(anchor(Some("myid")).as_deref(), Some("m"));
    assert_eq!((anchor(Some("uid")), anchor(Some("none"))), (None, None));
}

#[tokio::test]
async fn a_file_is_read_into_facts() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(None);
    config.path = folder.path().join("ad.ldif");
    fs::write(
        &config.path,
        "version: 1\ndn: cn=a\nemployeeid: 1\nMail: a@example.net\n\nsn: lost\n",
    )
    .unwrap();
    let source = Ldif::new(config.clone(), key_spec());
    let read = source.read(&asked(&["mail"]), &Silent).await.unwrap();
    assert_eq!(
        (read.records.len(), read.rejections.len(), read.key_attribute.as_str()),
        (1, 1, "employeeID")
    );
    assert_eq!(
        (read.attributes.position("EMPLOYEEID"), read.attributes.position("mail")),
        (Some(0), Some(1))
    );
    assert!(read.findings.is_empty() && read.modified_at.is_some());
    fs::write(&config.path, b"dn: cn=a\nsn: \xeb\n\ndn: cn=b\nsn: \xe9\n").unwrap();
    let refused = source.read(&asked(&["sn"]), &Silent).await.unwrap_err();
    assert_eq!(&*refused.code, "encoding_contradicted");
    fs::remove_file(&config.path).unwrap();
    assert_eq!(
        &*source.read(&asked(&[]), &Silent).await.unwrap_err().code,
        "file_not_found"
    );
}

/// Folds a line every few characters.
fn fold(line: &str, width: usize, end: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let pieces: Vec<String> = letters.chunks(width).map(|piece| piece.iter().collect()).collect();
    pieces.join(&format!("{end} ")) + end
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Good,
    NoDn,
    BadBase64,
    NoColon,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Good), 1 => Just(Fate::NoDn), 1 => Just(Fate::BadBase64), 1 => Just(Fate::NoColon)]
}

#[tokio::test]
async fn a_pattern_means_the_newest_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in [("ad-20261129.ldif", 1), ("ad-20261130.ldif", 2)] {
        let text = format!("dn: cn=a,dc=x\nemployeeID: {key}\nsn: A\n");
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut pattern = config(None);
    pattern.path = folder.path().join("ad-*.ldif");
    let read = Ldif::new(pattern, key_spec())
        .read(&asked(&["sn"]), &Silent)
        .await
        .unwrap();
    assert_eq!(&*read.records[0].values[0].as_slice()[0], "2");
    assert!(
        read.findings
            .iter()
            .any(|found| found.message.starts_with("read ad-20261130.ldif"))
    );
}

proptest! {
    /// Every entry is a record or a rejection in its own line, however it is folded and encoded.
    #[test]
    fn no_entry_is_dropped(
        people in proptest::collection::vec((proptest::collection::vec("[ -~éü]{0,12}", 0..3), fate()), 1..12),
        width in 2_usize..20, crlf: bool, comments: bool,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let (mut text, mut good, mut bad) = (String::new(), Vec::new(), Vec::new());
        for (nr, (names, fate)) in people.iter().enumerate() {
            if comments {
                text += &fold(&format!("# person {nr}, people, example: net"), width, end);
            }
            let line = 1 + text.matches('\n').count() as u64;
            if *fate != Fate::NoDn {
                text += &fold(&format!("dn: cn=p{nr},dc=example"), width, end);
            }
            text += &fold(&format!("employeeID: {nr}"), width, end);
            for name in names {
                let plain = name.is_ascii() && !name.starts_with([' ', ':', '<']);
                let written = if plain { format!("sn: {name}") } else { format!("sn:: {}", STANDARD.encode(name)) };
                text += &fold(&written, width, end);
            }
            match fate {
                Fate::Good => good.push((nr.to_string(), names.clone())),
                Fate::NoDn => {}
                Fate::BadBase64 => text += &fold("sn:: *", width, end),
                Fate::NoColon => text += &fold("nothing", width, end),
            }
            if *fate != Fate::Good {
                bad.push(line);
            }
            text += end;
        }
        let entries = entries(&text);
        let none = Vec::new();
        if entries.attributes.position("employeeID").is_some() {
            let read: Vec<String> = values(&entries, "employeeID").into_iter().map(|id| id[0].to_owned()).collect();
            prop_assert_eq!(&read, &good.iter().map(|(nr, _)| nr.clone()).collect::<Vec<_>>());
        } else {
            prop_assert!(good.is_empty());
        }
        let read = if entries.missing.contains("sn") { vec![none; good.len()] } else { values(&entries, "sn") };
        prop_assert_eq!(read, good.iter().map(|(_, names)| names.iter().map(String::as_str).collect()).collect::<Vec<Vec<_>>>());
        prop_assert_eq!(rejected(&entries).iter().map(|(line, _)| *line).collect::<Vec<_>>(), bad);
    }

    /// Any bytes give an answer.
    #[test]
    fn any_bytes_are_answered(text in proptest::collection::vec(prop_oneof![
        Just("\n"), Just("\r\n"), Just(" "), Just(":"), Just("dn: "), Just("sn"), Just("::"), Just(":<"), Just("#"), Just("é"), Just("version: 1"),
        Just("result: "), Just("ref: "), Just("changetype: add"), Just(";range=")
    ], 0..40)) {
        let entries = entries(&text.concat());
        prop_assert!(entries.records.iter().all(|record| record.values.len() == entries.attributes.len()));
    }
}
