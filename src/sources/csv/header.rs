//! The header row: which columns there are, which of the asked-for ones, and what is wrong with it.

use crate::domain::record::AttributeNames;
use crate::domain::snapshot::{Effect, Finding};
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
    /// The asked-for columns that exist, in the order of `columns`.
    pub attributes: AttributeNames,
    /// Their places in a row.
    pub columns: Vec<usize>,
    /// The place of the key, where it exists.
    pub key: Option<usize>,
    /// Asked for and not there.
    pub missing: BTreeSet<String>,
    /// One per missing column, and one for doubled names.
    pub findings: Vec<Finding>,
}

impl Header {
    /// Looks at the header row. `asked` contains the key.
    pub fn new(row: &StringRecord, asked: &BTreeSet<String>, key: &str, delimiter: u8) -> Self {
        let names: Vec<String> = row.iter().map(str::to_owned).collect();
        let place = |name: &str| names.iter().position(|known| known == name);
        let (found, missing): (Vec<String>, Vec<String>) =
            asked.iter().cloned().partition(|name| place(name).is_some());
        let columns = found.iter().filter_map(|name| place(name)).collect();
        let mut findings: Vec<Finding> = Vec::new();
        if found.is_empty() && names.len() == 1 && other_delimiter(&names[0], delimiter).is_some() {
            findings.extend(other_delimiter(&names[0], delimiter).map(|other| wrong_delimiter(delimiter, other)));
        } else {
            findings.extend(missing.iter().map(|name| missing_column(name, &names, name == key)));
            // Without any known name the first row may be a person, and doubled cells are not names.
            if !found.is_empty() {
                findings.extend(doubled(&names));
            }
        }
        Self {
            key: place(key),
            attributes: AttributeNames::new(found, false),
            columns,
            missing: missing.into_iter().collect(),
            findings,
            names,
        }
    }
}

fn missing_column(name: &str, names: &[String], is_key: bool) -> Finding {
    let what = if is_key { "the key column" } else { "column" };
    let near = nearest(name, names);
    let (message, cure) = match near {
        Some(near) if near.trim() == name.trim() => (
            format!("{what} '{name}' is not in the header, but '{near}' is: blanks differ"),
            format!("Write '{near}' in the configuration, or take the blanks out of the header."),
        ),
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
    if let Some(same) = names.iter().find(|known| known.trim() == name.trim()) {
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

fn doubled(names: &[String]) -> Option<Finding> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        // Nobody can ask for a column without a name, so those may be many: exports often end rows with delimiters.
        if !name.trim().is_empty() {
            places.entry(name).or_default().push((index + 1).to_string());
        }
    }
    let doubled: Vec<String> = places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| format!("'{name}' (columns {})", places.join(", ")))
        .collect();
    (!doubled.is_empty()).then(|| {
        Finding::new(
            "duplicate_header",
            Effect::Reject,
            format!("the header has the same name more than once: {}", doubled.join("; ")),
            "Give each column a name of its own in the export.",
        )
    })
}

/// The delimiter that the only cell of a header is full of.
fn other_delimiter(cell: &str, delimiter: u8) -> Option<u8> {
    [b';', b'\t', b',', b'|']
        .into_iter()
        .filter(|other| *other != delimiter)
        .find(|other| cell.bytes().any(|byte| byte == *other))
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

fn spelled(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "tab".to_owned(),
        other => format!("\"{}\"", char::from(other)),
    }
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
    fn doubled_names_are_refused_with_their_places() {
        let doubled = header(&["Nr", "Name", "", "Name", ""], &["Nr"]);
        assert_eq!(
            only(&doubled),
            (
                "duplicate_header",
                "the header has the same name more than once: 'Name' (columns 2, 4)"
            )
        );
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
