//! TOPdesk's query language (FIQL) and the encoding of query strings.
//!
//! Values are always quoted and escaped, and the whole expression is percent-encoded: `+`, `&`, `#` and `%` would
//! change its meaning on the way, and an unquoted `null` is the null test.

use chrono::{DateTime, SecondsFormat, Utc};

/// Most values of one `=in=(...)`.
const BATCH_VALUES: usize = 100;
/// Most bytes of one encoded expression: with the address it stays well under the 8 KB that servers accept.
const BATCH_BYTES: usize = 4000;

/// Every operator, archived ones included. Without a query the list holds only active ones; the description names
/// `archived` as a filter for operators and `,` as or, so this says 'both' with nothing but documented parts.
pub(super) const ALL_OPERATORS: &str = "archived==true,archived==false";

/// The two halves of it, as most clients ask: for an environment that refuses the whole.
pub(super) const ACTIVE_OPERATORS: &str = "archived==false";
pub(super) const ARCHIVED_OPERATORS: &str = "archived==true";

/// A value in single quotes.
pub(super) fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('\'');
    for c in value.chars() {
        if matches!(c, '\'' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

/// `field=='value'`.
pub(super) fn equals(field: &str, value: &str) -> String {
    format!("{field}=={}", quote(value))
}

/// `field=ge='TIME'`, to the millisecond as TOPdesk gives times.
pub(super) fn not_before(field: &str, time: DateTime<Utc>) -> String {
    let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("{field}=ge={}", quote(&time))
}

/// `field=in=('a','b')`, as many expressions as the limits ask for, each value in exactly one of them.
pub(super) fn any_of(field: &str, values: &[String]) -> Vec<String> {
    let mut expressions = Vec::new();
    let mut batch: Vec<String> = Vec::new();
    let mut bytes = 0;
    let mut close = |batch: &mut Vec<String>| {
        if !batch.is_empty() {
            expressions.push(format!("{field}=in=({})", batch.join(",")));
            batch.clear();
        }
    };
    for value in values {
        let quoted = quote(value);
        let length = encode(&quoted).len() + 1;
        if batch.len() == BATCH_VALUES || bytes + length > BATCH_BYTES {
            close(&mut batch);
            bytes = 0;
        }
        bytes += length;
        batch.push(quoted);
    }
    close(&mut batch);
    expressions
}

/// Percent-encodes everything but unreserved characters, so that no server or proxy can read it in two ways.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// `a=1&b=2`, encoded.
pub(super) fn query_string(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_quoted_and_escaped() {
        assert_eq!(quote("0012"), "'0012'");
        assert_eq!(quote("null"), "'null'");
        assert_eq!(quote(r"d'Arc \ (a;b,c)"), r"'d\'Arc \\ (a;b,c)'");
        assert_eq!(equals("linkedPerson.id", "ab"), "linkedPerson.id=='ab'");
    }

    #[test]
    fn the_expression_is_encoded_whole() {
        assert_eq!(
            query_string(&[("query", "a=='x+y&z#1% é'"), ("$fields", "id,name")]),
            "query=a%3D%3D%27x%2By%26z%231%25%20%C3%A9%27&%24fields=id%2Cname"
        );
    }

    #[test]
    fn batches_keep_within_count_and_length() {
        let keys: Vec<String> = (0..250).map(|n| format!("{n:06}")).collect();
        let batches = any_of("employeeNumber", &keys);
        assert_eq!(batches.len(), 3);
        assert!(batches[0].starts_with("employeeNumber=in=('000000','000001',"));
        assert!(batches[2].ends_with("'000249')"));
        assert!(any_of("employeeNumber", &[]).is_empty());
        let long: Vec<String> = (0..20).map(|n| format!("{n}{}", "é".repeat(99))).collect();
        assert!(
            any_of("x", &long)
                .iter()
                .all(|batch| encode(batch).len() < BATCH_BYTES + 100)
        );
    }

    proptest! {
        /// Reading the quoted text back by the language's own rules gives the value, whatever it holds.
        #[test]
        fn quoting_can_be_undone(value in ".*") {
            let quoted = quote(&value);
            let inner = &quoted[1..quoted.len() - 1];
            let mut back = String::new();
            let mut escaped = false;
            for c in inner.chars() {
                if !escaped && c == '\\' {
                    escaped = true;
                } else {
                    prop_assert!(escaped || c != '\'');
                    back.push(c);
                    escaped = false;
                }
            }
            prop_assert_eq!(back, value);
        }

        #[test]
        fn encoding_can_be_undone(value in ".*") {
            let url = url::Url::parse(&format!("http://h/?q={}", encode(&value))).unwrap();
            prop_assert_eq!(url.query_pairs().next().map(|(_, v)| v.into_owned()), Some(value));
        }
    }
}
