//! Why an attribute that was asked for came with no entry: nobody has it, or the server does not know it.
//!
//! Both leave the attribute's values unknown (RULES 3.5). A name that the server does not know is a mistake in the
//! configuration and rejects the read; one that it knows is only worth saying.

use crate::core::reads::snapshot::{Effect, Finding};

/// How alike two names must be to suggest one for the other (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.85;

/// The names in the `attributeTypes` of a subschema, each type's first name first (RFC 4512 4.1.2).
pub(super) struct Schema {
    types: Vec<Vec<String>>,
    classes: Vec<Vec<String>>,
}

impl Schema {
    /// Takes the names out of the descriptions. A description without a name is skipped: nobody can ask for it by name.
    pub fn parse<'a>(types: impl IntoIterator<Item = &'a str>, classes: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            types: all_names(types),
            classes: all_names(classes),
        }
    }

    /// Whether nothing was found, so that nothing can be said.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// The type that has this name, without options such as `;lang-nl`.
    fn find(&self, name: &str) -> Option<&[String]> {
        let name = name.split(';').next().unwrap_or_default();
        self.types
            .iter()
            .find(|names| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .map(Vec::as_slice)
    }

    /// Whether this is the name of an attribute.
    pub fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The known name that is most like this one.
    fn most_alike(&self, name: &str) -> Option<&str> {
        most_alike(name, &self.types)
    }
}

fn all_names<'a>(descriptions: impl IntoIterator<Item = &'a str>) -> Vec<Vec<String>> {
    let names = descriptions.into_iter().map(names);
    names.filter(|names| !names.is_empty()).collect()
}

fn most_alike<'a>(name: &str, known: &'a [Vec<String>]) -> Option<&'a str> {
    let wanted = name.to_ascii_lowercase();
    known
        .iter()
        .flatten()
        .map(|known| {
            (
                strsim::jaro_winkler(&wanted, &known.to_ascii_lowercase()),
                known.as_str(),
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        // Of equally alike names the first, whatever order the server has today.
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, known)| known)
}

/// Why a filter that nothing matches may do so: it tests what the server does not know, which is never true
/// (RFC 4511 4.5.1.7). `None` where the server knows everything in it.
pub(super) fn judge_filter(filter: &str, server: &str, schema: &Schema) -> Option<Finding> {
    tests(filter).into_iter().find_map(|(attribute, value)| {
        let is_class = attribute.eq_ignore_ascii_case("objectClass") && !schema.classes.is_empty();
        let (what, name, alike) = if schema.find(attribute).is_none() {
            ("attribute", attribute, schema.most_alike(attribute))
        } else if is_class && value.starts_with(char::is_alphabetic) && !has(&schema.classes, value) {
            ("object class", value, most_alike(value, &schema.classes))
        } else {
            return None;
        };
        let cure = match alike {
            Some(known) => format!("did you mean '{known}'? correct it in filter"),
            None => "correct the name in filter".to_owned(),
        };
        Some(Finding::new(
            "filter_unknown_name",
            Effect::Reject,
            format!("{server} gives no entry for the filter {filter}: it has no {what} '{name}'"),
            cure,
        ))
    })
}

fn has(known: &[Vec<String>], name: &str) -> bool {
    known.iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
}

/// What a filter tests: attributes without options and matching rules, and what they are compared with.
pub(super) fn tests(filter: &str) -> Vec<(&str, &str)> {
    // Brackets in values are escaped (RFC 4515 3), so every '(' opens a filter.
    let parts = filter.split('(').skip(1);
    parts
        .filter_map(|part| {
            let end = part.find(['=', '~', '<', '>', ':', ';'])?;
            let name = part[..end].trim();
            let value = part.split_once('=').map_or("", |(_, value)| value);
            let value = value.split(')').next().unwrap_or_default().trim();
            (!name.is_empty()).then_some((name, value))
        })
        .collect()
}

/// The quoted words after `NAME`: `NAME 'mail'` or `NAME ( 'mail' 'rfc822Mailbox' )`.
fn names(description: &str) -> Vec<String> {
    let Some((_, rest)) = description.split_once("NAME") else {
        return Vec::new();
    };
    let rest = rest.trim_start();
    let list = match rest.strip_prefix('(') {
        Some(list) => list.split(')').next().unwrap_or_default(),
        None => {
            let end = rest.match_indices('\'').nth(1).map_or(rest.len(), |(at, _)| at + 1);
            &rest[..end]
        }
    };
    list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What to say of one attribute that no entry carried. `schema` is `None` when the server does not show it.
pub(super) fn judge(attribute: &str, server: &str, schema: Option<&Schema>) -> Finding {
    let Some(schema) = schema else {
        return Finding::new(
            "attribute_empty_everywhere",
            Effect::Note,
            format!("no entry of {server} has a value for '{attribute}', and the server's schema cannot be read"),
            "check the spelling, and that the account may read it; until then the values count as unknown; an attribute that is \
             there and that nobody has at times goes under `rare`",
        );
    };
    match schema.find(attribute) {
        Some([first, ..]) if !first.eq_ignore_ascii_case(attribute.split(';').next().unwrap_or_default()) => {
            Finding::new(
                "attribute_other_name",
                Effect::Reject,
                format!("{server} calls the attribute '{attribute}' by its first name '{first}'"),
                format!("write {first} instead of {attribute}"),
            )
        }
        Some(_) => Finding::new(
            "attribute_empty_everywhere",
            Effect::Note,
            format!("{server} knows '{attribute}', but no entry has a value for it"),
            "check that the account may read it; conditions take it for empty, and fields that need it stay as they are",
        ),
        None => {
            let hint = match schema.most_alike(attribute) {
                Some(known) => format!("did you mean '{known}'?"),
                None => "correct the name, or take it out of the mapping".to_owned(),
            };
            Finding::new(
                "attribute_unknown",
                Effect::Reject,
                format!("{server} has no attribute '{attribute}'"),
                hint,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::parse(
            [
                "( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'RFC2256: last (family) name(s)' SUP name )",
                "( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY caseIgnoreIA5Match )",
                "( 1.2.840.113556.1.4.35 NAME 'employeeID' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )",
                "( 2.16.840.1.113730.3.1.3 NAME 'employeeNumber' DESC 'RFC2798: NAME of a number' )",
                "( 1.2.3.4 DESC 'nameless' )",
                "( 2.5.4.0 NAME 'objectClass' SYNTAX 1.3.6.1.4.1.1466.115.121.1.38 )",
            ],
            [
                "( 2.5.6.6 NAME 'person' SUP top )",
                "( 2.16.840.1.113730.3.2.2 NAME 'inetOrgPerson' )",
            ],
        )
    }

    #[test]
    fn names_are_read_from_descriptions() {
        let schema = schema();
        assert_eq!(schema.types.len(), 5);
        assert_eq!(schema.find("SURNAME").unwrap(), ["sn", "surname"]);
        assert_eq!(schema.find("employeeid;lang-nl").unwrap(), ["employeeID"]);
        assert!(schema.find("1.3.6.1.4.1.1466.115.121.1.15").is_none());
        assert!(Schema::parse([], []).is_empty());
    }

    #[test]
    fn an_unknown_attribute_rejects_and_suggests() {
        let finding = judge("emploeeID", "ldaps://dc1", Some(&schema()));
        assert_eq!((&*finding.code, finding.effect), ("attribute_unknown", Effect::Reject));
        assert_eq!(finding.cure, "did you mean 'employeeID'?");
        assert!(finding.message.contains("emploeeID") && finding.message.contains("ldaps://dc1"));
        let unlike = judge("zzz", "ldaps://dc1", Some(&schema()));
        assert!(unlike.cure.contains("correct the name"), "{}", unlike.cure);
    }

    #[test]
    fn a_known_attribute_that_nobody_has_is_a_note() {
        let finding = judge("EMPLOYEENUMBER", "ldaps://dc1", Some(&schema()));
        assert_eq!(
            (&*finding.code, finding.effect),
            ("attribute_empty_everywhere", Effect::Note)
        );
        let blind = judge("whatever", "ldaps://dc1", None);
        assert_eq!(
            (&*blind.code, blind.effect),
            ("attribute_empty_everywhere", Effect::Note)
        );
    }

    #[test]
    fn a_filter_that_tests_what_nobody_knows_is_told() {
        let judged = |filter: &str| judge_filter(filter, "ldaps://dc1", &schema());
        for fine in [
            "(objectClass=person)",
            "(&(objectClass=*)(employeeID=1)(!(SURNAME=x)))",
            "(objectClass=2.5.6.6)",
            "(mail;lang-nl=x)",
        ] {
            assert_eq!(judged(fine), None, "{fine}");
        }
        let attribute = judged("(&(objectClass=person)(emploeeID=*))").unwrap();
        assert!(
            attribute.message.contains("no attribute 'emploeeID'"),
            "{}",
            attribute.message
        );
        assert!(attribute.cure.contains("'employeeID'"), "{}", attribute.cure);
        let class = judged("(objectclass=inetOrgPersn)").unwrap();
        assert!(
            class.message.contains("no object class 'inetOrgPersn'"),
            "{}",
            class.message
        );
        assert!(class.cure.contains("'inetOrgPerson'"), "{}", class.cure);
    }

    #[test]
    fn a_second_name_is_corrected_to_the_first() {
        let finding = judge("surname", "ldaps://dc1", Some(&schema()));
        assert_eq!(
            (&*finding.code, finding.effect),
            ("attribute_other_name", Effect::Reject)
        );
        assert_eq!(finding.cure, "write sn instead of surname");
    }
}
