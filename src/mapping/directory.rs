//! Distinguished names (RFC 4514) taken apart: the first name of an entry, the organisational units above it.

/// One `attribute=value` of a distinguished name, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    pub attribute: String,
    pub value: String,
}

/// The relative names from the entry up to the root, each by its first assertion. `None`: not a distinguished name.
pub fn relative_names(dn: &str) -> Option<Vec<Assertion>> {
    split_unescaped(dn, &[',', ';'])
        .into_iter()
        .map(|relative| {
            let first = split_unescaped(relative, &['+']).into_iter().next()?;
            let (attribute, value) = first.split_once('=')?;
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
        })
        .collect()
}

/// The values of the organisational units, innermost first.
pub fn organisational_units(dn: &str) -> Option<Vec<String>> {
    let names = relative_names(dn)?;
    Some(
        names
            .into_iter()
            .filter(|name| name.attribute.eq_ignore_ascii_case("ou"))
            .map(|name| name.value)
            .collect(),
    )
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

/// Removes escapes: `\,` and `\2C`, the latter as bytes of UTF-8. Blanks at the ends count only when escaped.
fn unescape(value: &str) -> Option<String> {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    // "abc\ " ends in an escaped blank.
    let escaped_end = trimmed.ends_with('\\') && trimmed.len() < value.len();
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
        let hex = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        if let [high, low, ..] = *rest
            && let (Some(high), Some(low)) = (hex(high), hex(low))
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

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(relative_names(dn).unwrap()[0].value, value, "{dn}");
        }
        for wrong in ["Jan Jansen", "", "CN=a,b", "=x", "CN=a\\"] {
            assert_eq!(relative_names(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn units_come_innermost_first() {
        assert_eq!(
            organisational_units("CN=a,OU=Leavers,ou=People,DC=x").unwrap(),
            ["Leavers", "People"]
        );
        assert!(organisational_units("CN=a,DC=x").unwrap().is_empty());
    }
}
