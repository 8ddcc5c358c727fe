//! Distinguished names (RFC 4514): taken apart, and compared as what they mean.
//!
//! Servers and tools write one name in many ways: `CN=Visser\, Jan`, `cn=Visser\2C Jan`, `CN="Visser, Jan"`. Two names are
//! the same when they are after undoing escapes, hex pairs and quotation marks, whatever the case, the number of blanks
//! (caseIgnoreMatch, RFC 4517 4.2.11) and the order of the parts of a multi-valued name (`a+b`, `b+a`).

use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// One `attribute=value` of a distinguished name, unescaped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assertion {
    pub attribute: String,
    pub value: String,
}

/// A distinguished name in the one form that all spellings of it share. Not for showing: case and order are lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dn {
    /// Relative names from the entry up to the root, each in its plain form. Never empty.
    parts: Vec<String>,
}

impl Dn {
    /// Reads a name; `None` when it is none. The empty name, the root of all, is none either.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = relative_names(text)?.into_iter().map(|name| plain(&name)).collect();
        Some(Self { parts })
    }

    /// Whether this is the other one, or an entry somewhere below it.
    pub fn is_within(&self, other: &Dn) -> bool {
        self.parts.ends_with(&other.parts)
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join(","))
    }
}

/// A text to find a name by that all spellings of it share. What is no distinguished name goes by its folded text.
pub fn same_for_all_spellings(text: &str) -> String {
    match Dn::parse(text) {
        Some(dn) => dn.to_string(),
        None => fold(text),
    }
}

/// Whether two texts are distinguished names that mean the same entry.
pub fn are_one_name(left: &str, right: &str) -> bool {
    // Nearly every text that is compared is none: no work for them.
    left.contains('=') && right.contains('=') && Dn::parse(left).is_some_and(|left| Some(left) == Dn::parse(right))
}

/// The relative names from the entry up to the root, each with all its assertions as written. `None`: not a
/// distinguished name.
pub fn relative_names(dn: &str) -> Option<Vec<Vec<Assertion>>> {
    split_unescaped(dn, &[',', ';'])
        .into_iter()
        .map(|relative| split_unescaped(relative, &['+']).into_iter().map(assertion).collect())
        .collect()
}

/// The values of the organisational units, innermost first.
pub fn organisational_units(dn: &str) -> Option<Vec<String>> {
    let names = relative_names(dn)?.into_iter().flatten();
    Some(
        names
            .filter(|name| name.attribute.eq_ignore_ascii_case("ou"))
            .map(|name| name.value)
            .collect(),
    )
}

/// Where an entry is: its name without the first part, as it is written.
pub fn container(dn: &str) -> Option<&str> {
    let first = split_unescaped(dn, &[',', ';']).into_iter().next()?;
    dn.get(first.len() + 1..)
}

fn assertion(text: &str) -> Option<Assertion> {
    let (attribute, value) = text.split_once('=')?;
    let attribute = attribute.trim();
    let named = !attribute.is_empty()
        && attribute
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    named.then_some(())?;
    Some(Assertion {
        attribute: attribute.to_owned(),
        value: unescape(value)?,
    })
}

/// One relative name in the form that all its spellings share: assertions in order, separators escaped again so that
/// `a=b\+c=d` is not `a=b+c=d`.
fn plain(name: &[Assertion]) -> String {
    let mut parts: Vec<String> = name
        .iter()
        .map(|Assertion { attribute, value }| {
            let attribute = attribute.to_ascii_lowercase();
            let attribute = attribute.strip_prefix("oid.").unwrap_or(&attribute);
            let mut text = format!("{attribute}=");
            for c in fold(value).chars() {
                if matches!(c, ',' | '+' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
            text
        })
        .collect();
    parts.sort();
    parts.join("+")
}

/// Without case, in one Unicode form, blanks at the ends gone and runs of blanks as one (RFC 4518 2.6.1).
fn fold(value: &str) -> String {
    if value.is_ascii() && !value.contains("  ") {
        return value.trim().to_ascii_lowercase();
    }
    let folded: String = value.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Splits at separators that neither a backslash nor quotation marks protect.
fn split_unescaped<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && separators.contains(&c) => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Removes escapes: `\,` and `\2C`, the latter as bytes of UTF-8; reads `#04024869`. Blanks at the ends count only when
/// escaped.
fn unescape(value: &str) -> Option<String> {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    if let Some(digits) = trimmed.strip_prefix('#') {
        return hex_value(digits);
    }
    // "abc\ " ends in an escaped blank, "abc\\ " in an escaped backslash.
    let backslashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    let escaped_end = backslashes % 2 == 1 && trimmed.len() < value.len();
    let value = if escaped_end { &value[..=trimmed.len()] } else { trimmed };
    let value = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        if let [high, low, ..] = *rest
            && let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low))
        {
            bytes.push(high * 16 + low);
            rest = &rest[2..];
        } else {
            let (&literal, after) = rest.split_first()?;
            bytes.push(literal);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A value as the hex of its BER encoding (RFC 4514 2.4): tag, length, then text. What is no text stays as it is written.
fn hex_value(digits: &str) -> Option<String> {
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(hex_digit(high)? * 16 + hex_digit(low)?),
            _ => None,
        })
        .collect::<Option<_>>()?;
    // OctetString, UTF8String, PrintableString, IA5String with a short length: what names are made of.
    if let [4 | 12 | 19 | 22, length, text @ ..] = bytes.as_slice()
        && usize::from(*length) == text.len()
        && let Ok(text) = std::str::from_utf8(text)
    {
        return Some(text.to_owned());
    }
    Some(format!("#{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap_or_else(|| panic!("'{text}' is a name"))
    }

    #[test]
    fn all_spellings_of_a_name_are_one() {
        let spellings = [
            r"CN=Visser\, Jan,OU=People,DC=example,DC=net",
            r"cn=visser\2c jan,ou=people,dc=example,dc=net",
            r#"CN="Visser, Jan",OU=People,DC=example,DC=net"#,
            r"CN = Visser\, Jan , OU=People , DC=example;DC=net",
            r"CN=Visser\,\20Jan,OU=People,DC=example,DC=net",
            r"OID.CN=Visser\,  Jan,OU=People,DC=example,DC=net",
            r"CN=#0C0B5669737365722C204A616E,OU=People,DC=example,DC=net",
        ];
        for spelling in spellings {
            assert!(are_one_name(spellings[0], spelling), "{spelling} is {}", dn(spelling));
        }
        assert!(are_one_name(r"cn=J\C3\B6rg,dc=x", "CN=JÖRG,DC=X"));
        assert!(are_one_name("cn=Jo\u{308}rg,dc=x", "CN=Jörg,DC=X"), "composed or not");
        assert!(are_one_name("uid=jv+cn=Jan,dc=x", "CN=jan + UID=JV,DC=x"));
        assert!(are_one_name(r"cn=a\\ ,dc=x", r"cn=a\5c,dc=x"));
    }

    #[test]
    fn other_entries_are_other_names() {
        for (one, other) in [
            ("cn=a,dc=x", "cn=a,dc=y"),
            ("cn=a,dc=x", "cn=a,ou=b,dc=x"),
            (r"cn=a\,ou=b,dc=x", "cn=a,ou=b,dc=x"),
            (r"cn=a\+uid=b,dc=x", "cn=a+uid=b,dc=x"),
            ("cn=a,dc=x", "uid=a,dc=x"),
            ("cn=a b,dc=x", "cn=ab,dc=x"),
            ("Jan Visser", "Jan Visser"),
            ("a=b", "c"),
        ] {
            assert!(!are_one_name(one, other), "{one} and {other}");
        }
        assert_eq!(same_for_all_spellings(" Jan  VISSER"), "jan visser");
    }

    #[test]
    fn an_entry_is_within_its_containers() {
        let entry = dn(r"CN=Visser\, Jan,OU=People,DC=x");
        assert!(entry.is_within(&dn("ou=people,dc=x")) && entry.is_within(&entry) && entry.is_within(&dn("DC=X")));
        assert!(!entry.is_within(&dn("ou=eople,dc=x")) && !dn("dc=x").is_within(&entry));
        assert_eq!(container(r"CN=Visser\, Jan,OU=Sales,DC=x"), Some("OU=Sales,DC=x"));
        assert_eq!(container(r#"CN="Visser, Jan",OU=Sales"#), Some("OU=Sales"));
        assert_eq!(container(r"CN=a\\,OU=b"), Some("OU=b"));
        assert_eq!(container("DC=x"), None);
    }

    #[test]
    fn the_first_name_is_unescaped() {
        let cases = [
            ("CN=Jan Jansen,OU=Sales,DC=example,DC=net", "Jan Jansen"),
            ("CN=Jansen\\, Jan,OU=Sales", "Jansen, Jan"),
            ("CN=Jansen\\2C Jan,OU=Sales", "Jansen, Jan"),
            ("cn=J\\C3\\B6rg,ou=x", "J\u{f6}rg"),
            ("uid=jj+cn=Jan , dc=x", "jj"),
            ("CN=\"Jansen, Jan\",OU=x", "Jansen, Jan"),
            ("CN= a\\ ,OU=x", "a "),
        ];
        for (dn, value) in cases {
            assert_eq!(relative_names(dn).unwrap()[0][0].value, value, "{dn}");
        }
        for wrong in ["Jan Jansen", "", "CN=a,b", "=x", "CN=a\\", "CN=#1"] {
            assert_eq!(relative_names(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn units_come_innermost_first_wherever_they_stand_in_a_name() {
        assert_eq!(
            organisational_units("CN=a,OU=Leavers,ou=People,DC=x").unwrap(),
            ["Leavers", "People"]
        );
        assert_eq!(organisational_units("CN=a,L=Delft+OU=Sales,DC=x").unwrap(), ["Sales"]);
        assert!(organisational_units("CN=a,DC=x").unwrap().is_empty());
    }

    /// One value in one of the ways that tools write it.
    fn written(value: &str, how: u8) -> String {
        let special = |c: char| matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#' | ' ');
        match how % 4 {
            0 => value.chars().fold(String::new(), |mut text, c| {
                if special(c) {
                    text.push('\\');
                }
                text.push(c);
                text
            }),
            1 => value.bytes().map(|byte| format!("\\{byte:02X}")).collect(),
            2 => value.bytes().map(|byte| format!("\\{byte:02x}")).collect(),
            _quoted => {
                let inner = value.chars().fold(String::new(), |mut text, c| {
                    if matches!(c, '"' | '\\') {
                        text.push('\\');
                    }
                    text.push(c);
                    text
                });
                format!("\"{inner}\"")
            }
        }
    }

    proptest! {
        #[test]
        fn a_name_is_the_same_however_it_is_written(
            values in prop::collection::vec("[a-zA-Zéß0-9,+\"\\\\;=# ]{0,5}[a-z]", 1..4),
            hows in prop::collection::vec(any::<u8>(), 8),
            swap in any::<bool>(),
        ) {
            let spelled = |turn: usize, swap: bool| {
                let parts: Vec<String> = values.iter().enumerate().map(|(at, value)| {
                    let value = written(value, hows[at + turn]);
                    if swap { format!("l=Gent+CN={value}") } else { format!("cn={value} + L=gent") }
                }).collect();
                parts.join(if swap { "," } else { " , " })
            };
            let (one, other) = (spelled(0, swap), spelled(4, !swap));
            prop_assert!(are_one_name(&one, &other), "{} and {}", one, other);
        }

        #[test]
        fn names_with_other_values_are_other_names(a in "[a-z,+=\\\\]{1,6}", b in "[a-z,+=\\\\]{1,6}", how in any::<u8>()) {
            let one = format!("cn={},dc=x", written(&a, how));
            let other = format!("cn={},dc=x", written(&b, how / 4));
            prop_assert_eq!(are_one_name(&one, &other), a == b);
        }

        #[test]
        fn anything_at_all_is_read_without_a_panic(text in ".{0,40}") {
            same_for_all_spellings(&text);
            container(&text);
        }
    }
}
