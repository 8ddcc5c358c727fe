//! The lists that cards refer to, archiving reasons, and the small single answers.

use crate::core::model::card::LookupEntry;
use crate::core::model::field::LookupKind;
use serde::Deserialize;

/// Where a list is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListPlace {
    /// The path as the API description has it.
    pub(crate) route: &'static str,
    pub(crate) segments: Vec<String>,
    pub(crate) parameters: &'static [(&'static str, &'static str)],
}

/// Where a list is read and, where the API can, written. Branches and locations give only active entries without a
/// query, which is what new references may point to.
pub(crate) fn place(list: LookupKind) -> ListPlace {
    let simple = |route: &'static str, parameters| ListPlace {
        route,
        segments: vec![route.trim_start_matches('/').to_owned()],
        parameters,
    };
    match list {
        LookupKind::Branch => simple("/branches", &[("$fields", "id,name")]),
        LookupKind::Location => simple("/locations", &[("$fields", "id,name,branch")]),
        LookupKind::Department => simple("/departments", &[]),
        LookupKind::BudgetHolder => simple("/budgetholders", &[]),
        LookupKind::Language => simple("/languages", &[]),
        LookupKind::PersonExtraFieldA => simple("/personExtraFieldAEntries", &[]),
        LookupKind::PersonExtraFieldB => simple("/personExtraFieldBEntries", &[]),
        LookupKind::SearchList { tab, list } => ListPlace {
            route: "/persons/free_fields/{tab}/searchlists/{searchlist}",
            segments: [
                "persons",
                "free_fields",
                &tab.to_string(),
                "searchlists",
                &list.to_string(),
            ]
            .map(str::to_owned)
            .to_vec(),
            parameters: &[],
        },
    }
}

#[derive(Deserialize)]
struct WireEntry {
    id: Option<String>,
    name: Option<String>,
    #[serde(rename = "languageCode")]
    language_code: Option<String>,
    branch: Option<WireNamed>,
}

#[derive(Deserialize)]
struct WireNamed {
    id: Option<String>,
}

/// The entries of a list, sorted by id, without doubles. An entry without an id cannot be referred to and is left out.
pub(crate) fn entries(list: LookupKind, body: &[u8]) -> Result<Vec<LookupEntry>, String> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let wire: Vec<WireEntry> = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    let mut entries: Vec<LookupEntry> = wire.into_iter().filter_map(|entry| lookup_entry(list, entry)).collect();
    entries.sort();
    entries.dedup_by(|next, kept| next.id == kept.id);
    Ok(entries)
}

/// One entry: the answer of its creation.
pub(crate) fn entry(list: LookupKind, body: &[u8]) -> Result<LookupEntry, String> {
    let wire: WireEntry = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    lookup_entry(list, wire).ok_or_else(|| "the answer has no id".to_owned())
}

fn lookup_entry(list: LookupKind, wire: WireEntry) -> Option<LookupEntry> {
    let id = wire
        .id
        .map(|id| id.trim().to_ascii_lowercase())
        .filter(|id| !id.is_empty())?;
    let qualifier = match list {
        LookupKind::Location => wire
            .branch
            .and_then(|branch| branch.id)
            .map(|id| id.to_ascii_lowercase()),
        LookupKind::Language => wire.language_code,
        LookupKind::Branch
        | LookupKind::Department
        | LookupKind::BudgetHolder
        | LookupKind::PersonExtraFieldA
        | LookupKind::PersonExtraFieldB
        | LookupKind::SearchList { .. } => None,
    };
    Some(LookupEntry {
        id: id.into(),
        name: wire.name.unwrap_or_default().into(),
        qualifier: qualifier.map(Into::into),
    })
}

/// Archiving reasons and filters: `[{id, name}]`, or nothing for 204.
pub(crate) fn names(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    Ok(entries(LookupKind::Branch, body)?
        .into_iter()
        .map(|entry| (entry.id.into(), entry.name.into()))
        .collect())
}

/// `{"numberOfPersons": n}`.
pub(crate) fn count(body: &[u8]) -> Result<u64, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Count {
        number_of_persons: u64,
    }
    let count: Count = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    Ok(count.number_of_persons)
}

/// `{"version": "x.y.z"}`: of the API.
pub(crate) fn api_version(body: &[u8]) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    let version: Version = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    Ok(version.version)
}

/// A product version: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductVersion(pub u32, pub u32, pub u32);

impl std::fmt::Display for ProductVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}.{:03}", self.0, self.1, self.2)
    }
}

/// `{"major": n, "minor": n, "patch": n}`.
pub(crate) fn product_version(body: &[u8]) -> Result<ProductVersion, String> {
    #[derive(Deserialize)]
    struct Version {
        major: f64,
        minor: f64,
        patch: f64,
    }
    let version: Version = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    let whole = |number: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number that fits"
        )]
        let whole = (number.fract() == 0.0 && (0.0..4e9).contains(&number)).then_some(number as u32);
        whole.ok_or_else(|| "a version that is not a whole number".to_owned())
    };
    Ok(ProductVersion(
        whole(version.major)?,
        whole(version.minor)?,
        whole(version.patch)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_carry_what_tells_them_apart() {
        let locations = entries(
            LookupKind::Location,
            br#"[{"id":"B","name":"Room","branch":{"id":"B9","name":"Delft"}},{"id":"A","name":"Room","branch":null},{"name":"no id"}]"#,
        )
        .unwrap();
        assert_eq!(locations.len(), 2);
        assert_eq!((&*locations[0].id, locations[0].qualifier.as_deref()), ("a", None));
        assert_eq!(
            (&*locations[1].id, locations[1].qualifier.as_deref()),
            ("b", Some("b9"))
        );
        let languages = entries(
            LookupKind::Language,
            br#"[{"id":"l","name":"Dutch","languageCode":"nl"}]"#,
        )
        .unwrap();
        assert_eq!(languages[0].qualifier.as_deref(), Some("nl"));
        assert!(entries(LookupKind::Department, b"").unwrap().is_empty());
        assert!(entries(LookupKind::Department, b"{}").is_err());
    }

    #[test]
    fn places_are_those_of_the_description() {
        let list = place(LookupKind::SearchList { tab: 2, list: 5 });
        assert_eq!(list.segments, ["persons", "free_fields", "2", "searchlists", "5"]);
        assert_eq!(place(LookupKind::BudgetHolder).segments, ["budgetholders"]);
    }

    #[test]
    fn small_answers_are_read() {
        assert_eq!(count(br#"{"numberOfPersons":12}"#), Ok(12));
        assert!(count(br#"{"n":12}"#).is_err());
        assert_eq!(
            product_version(br#"{"major":16,"minor":6,"patch":7}"#),
            Ok(ProductVersion(16, 6, 7))
        );
        assert_eq!(ProductVersion(16, 6, 7).to_string(), "16.06.007");
        assert!(ProductVersion(16, 5, 99) < ProductVersion(16, 6, 7));
        assert_eq!(api_version(br#"{"version":"3.1.4"}"#).as_deref(), Ok("3.1.4"));
        assert_eq!(
            names(br#"[{"id":"R1","name":"Left"}]"#).unwrap(),
            [("r1".to_owned(), "Left".to_owned())]
        );
    }
}
