//! The header row: which columns there are, which of the asked-for ones, and what is wrong with it.

use super::beginning::spelled;
use super::cells;
use crate::core::model::letters::{as_seen, is_hidden, is_odd_blank, named};
use crate::core::model::record::AttributeNames;
use crate::core::reads::snapshot::{Effect, Finding};
use csv::StringRecord;
use std::collections::{BTreeMap, BTreeSet};

/// How alike two names must be to be worth suggesting (Jaro-Winkler). High, because the first row of a file without a
/// header holds people, and those must not be shown.
const ALIKE: f64 = 0.85;

/// The columns of a file and where the asked-for ones are.
#[derive(Debug)]
pub struct Header {
    /// As they stand in the file.
    pub names: Vec<String>,
    /// How many of them there are without those at the end that are blank.
    pub named: usize,
    /// The asked-for columns that exist, in the order of `columns`.
    pub attributes: AttributeNames,
    /// Their places in a row.
    pub columns: Vec<usize>,
    /// The place of the key, where it exists.
    pub key: Option<usize>,
    /// Asked for and not there.
    pub missing: BTreeSet<String>,
    /// One per missing column, and one or two for doubled names.
    pub findings: Vec<Finding>,
}

/// A header within a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// The very same.
    Same,
    /// With other columns, or in another order.
    Other,
}

impl Header {
    /// Looks at the header row. `asked` contains the key.
    pub fn new(row: &StringRecord, asked: &BTreeSet<String>, key: &str, delimiter: u8) -> Self {
        let no_words = BTreeSet::new();
        let names: Vec<String> = row
            .iter()
            .map(|name| cells::value(name, &no_words).into_owned())
            .collect();
        let place = |name: &str| names.iter().position(|known| known == name);
        let (found, missing): (Vec<String>, Vec<String>) =
            asked.iter().cloned().partition(|name| place(name).is_some());
        let columns = found.iter().filter_map(|name| place(name)).collect();
        let mut findings: Vec<Finding> = Vec::new();
        let other = (found.is_empty() && names.len() == 1).then(|| other_delimiter(&names[0], delimiter, asked));
        if let Some(other) = other.flatten() {
            findings.push(wrong_delimiter(delimiter, other));
        } else {
            findings.extend(missing.iter().map(|name| missing_column(name, &names, name == key)));
            // Without any known name the first row may be a person, and doubled cells are not names.
            if !found.is_empty() {
                findings.extend(doubled(&names, asked));
            }
        }
        Self {
            key: place(key),
            attributes: AttributeNames::new(found, false),
            columns,
            missing: missing.into_iter().collect(),
            findings,
            named: names
                .iter()
                .rposition(|name| !name.trim().is_empty())
                .map_or(1, |last| last + 1),
            names,
        }
    }

    /// Whether a row is a header again: it has the key column's name and another one that is asked for.
    pub fn repeated(&self, cells: &StringRecord) -> Option<Repeated> {
        let key = self.names.get(self.key?)?.trim();
        let has = |name: &str| cells.iter().any(|cell| cell.trim().eq_ignore_ascii_case(name));
        let in_place = cells
            .get(self.key?)
            .is_some_and(|cell| cell.trim().eq_ignore_ascii_case(key));
        let mut asked = self.columns.iter().filter(|column| Some(**column) != self.key);
        if !(in_place || has(key) && asked.any(|column| has(self.names[*column].trim()))) {
            return None;
        }
        let cell = |place: usize| cells.get(place).unwrap_or_default().trim();
        let places = 0..cells.len().max(self.names.len());
        let same =
            |place: usize| cell(place).eq_ignore_ascii_case(self.names.get(place).map_or("", |name| name.trim()));
        Some(if places.into_iter().all(same) {
            Repeated::Same
        } else {
            Repeated::Other
        })
    }
}

fn missing_column(name: &str, names: &[String], is_key: bool) -> Finding {
    let what = if is_key { "the key column" } else { "column" };
    let near = nearest(name, names);
    let (message, cure) = match near {
        Some(near) if as_seen(near).trim() == as_seen(name).trim() => match unseen(near).or_else(|| unseen(name)) {
            Some(letter) => {
                let place = names.iter().position(|known| known == near).map_or(0, |at| at + 1);
                let whose = if unseen(near).is_some() { "has" } else { "has not, and the configuration has," };
                (
                    format!("{what} '{}' is not in the header; column {place} looks the same and {whose} {}, which nobody sees", as_seen(name), named(letter)),
                    format!("Write \"{}\", in double quotes, in the configuration, or take the character out of the header.", escaped(near)),
                )
            }
            None => (
                format!("{what} '{name}' is not in the header, but '{near}' is: blanks differ"),
                format!("Write '{near}' in the configuration, or take the blanks out of the header."),
            ),
        },
        Some(near) => (
            format!("{what} '{name}' is not in the header; did you mean '{near}'?"),
            format!("Write the name as it stands in the header, e.g. '{near}', or have the column exported again."),
        ),
        None => (
            format!("{what} '{name}' is not in the header, which has {} columns", names.len()),
            "Have the column exported, or write its name as it stands in the first row of the file; a file without a header \
             row cannot be read."
                .to_owned(),
        ),
    };
    Finding::new("attribute_missing", Effect::Reject, message, cure)
}

fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    let seen = as_seen(name);
    if let Some(same) = names.iter().find(|known| as_seen(known).trim() == seen.trim()) {
        return Some(same);
    }
    let folded = name.trim().to_lowercase();
    let best = names
        .iter()
        .map(|known| (strsim::jaro_winkler(&folded, &known.trim().to_lowercase()), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))?;
    Some(best.1)
}

/// A character that makes a name another one without being seen.
fn unseen(name: &str) -> Option<char> {
    name.chars().find(|letter| is_hidden(*letter) || is_odd_blank(*letter))
}

/// As YAML has it in double quotes.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        match u32::from(letter) {
            number if is_hidden(letter) || is_odd_blank(letter) => match number {
                0..=0xffff => text.push_str(&format!("\\u{number:04X}")),
                _wide => text.push_str(&format!("\\U{number:08X}")),
            },
            _seen if matches!(letter, '"' | '\\') => text.extend(['\\', letter]),
            _seen => text.push(letter),
        }
    }
    text
}

/// Names that stand several times: which of them an expression means is not known; of those that nobody asks for it does
/// not matter.
fn doubled(names: &[String], asked: &BTreeSet<String>) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        // Nobody can ask for a column without a name, so those may be many: exports often end rows with delimiters.
        if !name.trim().is_empty() {
            places.entry(name).or_default().push((index + 1).to_string());
        }
    }
    places.retain(|_, places| places.len() > 1);
    let (used, unused): (Vec<_>, Vec<_>) = places.iter().partition(|(name, _)| asked.contains(**name));
    let told = |doubled: &[(&&str, &Vec<String>)]| {
        let each = doubled
            .iter()
            .map(|(name, places)| format!("'{name}' (columns {})", places.join(", ")));
        each.collect::<Vec<_>>().join("; ")
    };
    let mut findings = Vec::new();
    if !used.is_empty() {
        findings.push(Finding::new(
            "duplicate_header",
            Effect::Reject,
            format!("the header has the same name more than once: {}", told(&used)),
            "Give each column a name of its own in the export.",
        ));
    }
    if !unused.is_empty() {
        findings.push(Finding::new(
            "duplicate_header_unused",
            Effect::Note,
            format!(
                "the header has the same name more than once, which nothing uses: {}",
                told(&unused)
            ),
            "nothing, as long as nothing uses them",
        ));
    }
    findings
}

/// The delimiter by which the only cell of a header falls into names that are asked for.
fn other_delimiter(cell: &str, delimiter: u8, asked: &BTreeSet<String>) -> Option<u8> {
    let names = |by: u8| {
        let mut cells = cell.split(char::from(by)).map(|name| name.trim().trim_matches('"'));
        cells.any(|name| asked.contains(name))
    };
    let mut others = [b';', b'\t', b',', b'|']
        .into_iter()
        .filter(|other| *other != delimiter);
    others.find(|other| cell.contains(char::from(*other)) && names(*other))
}

fn wrong_delimiter(delimiter: u8, likely: u8) -> Finding {
    Finding::new(
        "wrong_delimiter",
        Effect::Reject,
        format!(
            "the header is one single column when split at {}; it looks split by {}",
            spelled(delimiter),
            spelled(likely)
        ),
        format!("Set `delimiter: {}`.", spelled(likely)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str], asked: &[&str]) -> Header {
        let asked = asked.iter().map(|name| (*name).to_owned()).collect();
        Header::new(&StringRecord::from(names.to_vec()), &asked, "Nr", b';')
    }

    fn only(header: &Header) -> (&str, &str) {
        assert_eq!(header.findings.len(), 1, "{:?}", header.findings);
        (&header.findings[0].code, &header.findings[0].message)
    }

    #[test]
    fn asked_columns_are_found_by_their_exact_name() {
        let header = header(&["Name", "Nr", "Site"], &["Nr", "Site"]);
        assert_eq!((header.key, header.columns), (Some(1), vec![1, 2]));
        assert!(header.findings.is_empty() && header.missing.is_empty());
    }

    #[test]
    fn a_missing_column_names_the_nearest() {
        let near = header(&["Nr", "Last name"], &["Nr", "Lastname"]);
        assert_eq!(
            only(&near),
            (
                "attribute_missing",
                "column 'Lastname' is not in the header; did you mean 'Last name'?"
            )
        );
        assert_eq!(near.missing, BTreeSet::from(["Lastname".to_owned()]));
        assert_eq!(near.attributes.position("Lastname"), None);
        let blank = header(&[" Nr ", "Name"], &["Nr", "Name"]);
        assert!(
            only(&blank).1.contains("' Nr ' is: blanks differ"),
            "{:?}",
            blank.findings
        );
        let none = header(&["Nr", "Jansen"], &["Nr", "Site"]);
        assert_eq!(only(&none).1, "column 'Site' is not in the header, which has 2 columns");
    }

    #[test]
    fn doubled_names_are_refused_with_their_places_where_they_are_used() {
        let doubled = header(&["Nr", "Name", "", "Name", ""], &["Nr", "Name"]);
        assert_eq!(
            only(&doubled),
            (
                "duplicate_header",
                "the header has the same name more than once: 'Name' (columns 2, 4)"
            )
        );
        let unused = header(&["Nr", "Name", "Note", "Note"], &["Nr", "Name"]);
        assert_eq!(only(&unused).0, "duplicate_header_unused");
        assert_eq!(unused.findings[0].effect, Effect::Note);
    }

    #[test]
    fn what_nobody_sees_in_a_name_is_named() {
        let told = |found: &str, wanted: &str| {
            let header = header(&["Nr", found], &["Nr", wanted]);
            (only(&header).1.to_owned(), header.findings[0].cure.clone())
        };
        let (message, cure) = told("Last\u{a0}name", "Last name");
        assert_eq!(
            message,
            "column 'Last name' is not in the header; column 2 looks the same and has U+00A0 (no-break space), which nobody sees"
        );
        assert!(
            cure.starts_with("Write \"Last\\u00A0name\", in double quotes"),
            "{cure}"
        );
        for found in [
            "\u{feff}Last name",
            "Last name\u{200b}",
            "Last\u{200b} name",
            "Last name\u{a0}",
        ] {
            assert!(told(found, "Last name").0.contains("has U+"), "{found:?}");
        }
        let (message, cure) = told("Last name", "Last\u{a0}name");
        assert!(
            message.contains("has not, and the configuration has, U+00A0"),
            "{message}"
        );
        assert!(cure.starts_with("Write \"Last name\""), "{cure}");
    }

    #[test]
    fn a_header_again_is_the_same_or_another() {
        let header = header(&["Nr", "Name", "Site", ""], &["Nr", "Name"]);
        let again = |cells: &[&str]| header.repeated(&StringRecord::from(cells.to_vec()));
        assert_eq!(again(&["Nr", "Name", "Site", ""]), Some(Repeated::Same));
        assert_eq!(again(&[" nr", "NAME", "Site"]), Some(Repeated::Same));
        assert_eq!(again(&["Nr", "Name"]), Some(Repeated::Other));
        assert_eq!(again(&["Name", "Nr", "Site", ""]), Some(Repeated::Other));
        assert_eq!(again(&["Nr", "Name", "Site", "Mail", "Phone"]), Some(Repeated::Other));
        assert_eq!(again(&["7", "Nr", "Delft", ""]), None);
        assert_eq!(again(&["7", "Name", "Delft", ""]), None);
    }

    #[test]
    fn people_in_the_place_of_a_header_are_not_shown() {
        let people = header(&["100012", "Jansen", "Jansen"], &["Nr", "Name"]);
        assert!(
            people
                .findings
                .iter()
                .all(|finding| !finding.message.contains("Jansen")),
            "{:?}",
            people.findings
        );
    }

    #[test]
    fn a_wrong_delimiter_is_said_once() {
        let wrong = header(&["Nr,Name,Site"], &["Nr", "Name", "Site"]);
        assert_eq!(only(&wrong).0, "wrong_delimiter");
        assert_eq!(wrong.findings[0].cure, "Set `delimiter: \",\"`.");
    }
}
