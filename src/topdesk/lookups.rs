//! The lists that cards refer to, archiving reasons, and how the environment keeps departments.

use super::client::{Http, JSON};
use super::errors::Failure;
use super::wire::list::{entries, names, place};
use crate::core::model::card::{DepartmentMode, LookupEntry, Lookups, PersonCard};
use crate::core::model::field::{CardField, FieldValue, LookupKind, Reference};
use crate::core::reads::snapshot::{Effect, Finding, LIST_UNREADABLE};
use crate::engine::target::TargetError;
use std::collections::BTreeSet;

/// One list.
pub(super) async fn read(http: &Http, list: LookupKind) -> Result<Vec<LookupEntry>, Failure> {
    let place = place(list);
    let segments: Vec<&str> = place.segments.iter().map(String::as_str).collect();
    let answer = http
        .get(place.route, http.address().at(&segments, place.parameters), JSON)
        .await?;
    let status = answer.status;
    entries(list, &answer.body).map_err(|why| Failure::Unreadable { status, why })
}

/// All wanted lists. A list that may not be read is a finding; fields that need it are unknown then.
pub(super) async fn read_all(
    http: &Http,
    wanted: &BTreeSet<LookupKind>,
    findings: &mut Vec<Finding>,
) -> Result<Lookups, TargetError> {
    let mut lookups = Lookups::default();
    let reads = wanted
        .iter()
        .map(|list| async move { (*list, read(http, *list).await) });
    for (list, result) in futures::future::join_all(reads).await {
        match result {
            Ok(entries) => {
                lookups.lists.insert(list, entries);
            }
            Err(failure) if matches!(failure.status(), Some(400 | 403 | 404)) => findings.push(Finding::new(
                LIST_UNREADABLE,
                Effect::Note,
                format!("the list '{list}' could not be read: {}", failure.tell()),
                "give the API account the right to read it, or take the field out of 'fields'",
            )),
            Err(failure) => return Err(failure.of_read(&format!("read the list '{list}'"))),
        }
    }
    Ok(lookups)
}

/// The id of the archiving reason with this name, ignoring case, or a finding with the names there are.
pub(super) async fn archiving_reason(http: &Http, name: &str) -> Result<Result<Box<str>, Finding>, TargetError> {
    match archiving_reasons(http).await {
        Ok(reasons) => Ok(find_reason(&reasons, name)),
        Err(failure) if matches!(failure.status(), Some(403 | 404)) => Ok(Err(Finding::new(
            "archiving_reasons_unreadable",
            Effect::Note,
            format!("the archiving reasons could not be read: {}", failure.tell()),
            "give the API account the right to use the REST API, or take topdesk.archiving_reason out if none is mandatory",
        ))),
        Err(failure) => Err(failure.of_read("read the archiving reasons")),
    }
}

/// The archiving reasons that there are: id and name.
pub(super) async fn archiving_reasons(http: &Http) -> Result<Vec<(String, String)>, Failure> {
    let url = http.address().at(&["archiving-reasons"], &[]);
    let answer = http.get("/archiving-reasons", url, JSON).await?;
    let status = answer.status;
    names(&answer.body).map_err(|why| Failure::Unreadable { status, why })
}

/// Their names in quotes.
pub(super) fn listed(reasons: &[(String, String)]) -> String {
    let names: Vec<String> = reasons.iter().map(|(_, name)| format!("'{}'", name.trim())).collect();
    names.join(", ")
}

fn find_reason(reasons: &[(String, String)], wanted: &str) -> Result<Box<str>, Finding> {
    let plain = |text: &str| text.trim().to_lowercase();
    if let Some((id, _)) = reasons.iter().find(|(_, name)| plain(name) == plain(wanted)) {
        return Ok(id.as_str().into());
    }
    let there = if reasons.is_empty() {
        "none at all".to_owned()
    } else {
        listed(reasons)
    };
    Err(Finding::new(
        "archiving_reason_missing",
        Effect::Note,
        format!("TOPdesk has no archiving reason '{wanted}'; it has {there}"),
        "correct topdesk.archiving_reason",
    ))
}

/// How departments are kept, as the cards show it: an entry of a list has an id, plain text has only a name.
pub(super) fn department_mode(cards: &[PersonCard], findings: &mut Vec<Finding>) -> DepartmentMode {
    let (mut entries, mut texts) = (0_u64, 0_u64);
    for card in cards {
        match card.fields.get(CardField::Department) {
            Some(FieldValue::Reference(Reference::FreeText(_))) => texts += 1,
            Some(_) => entries += 1,
            None => {}
        }
    }
    if entries > 0 && texts > 0 {
        findings.push(Finding::new(
            "departments_mixed",
            Effect::Note,
            format!("{entries} cards have a department from the list and {texts} one in plain text"),
            "nothing to do; the kind that most cards have is taken for the setting of the environment",
        ));
    }
    if texts > entries {
        DepartmentMode::PlainText
    } else {
        DepartmentMode::DropDown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::card::CardFields;
    use crate::core::model::ids::CardId;

    #[test]
    fn reasons_are_found_ignoring_case_and_the_others_are_named() {
        let reasons = [
            ("r1".to_owned(), "Left ".to_owned()),
            ("r2".to_owned(), "Out of Service".to_owned()),
        ];
        assert_eq!(find_reason(&reasons, "out of service").as_deref(), Ok("r2"));
        let missing = find_reason(&reasons, "Gone").unwrap_err();
        assert!(
            missing.message.contains("'Left', 'Out of Service'"),
            "{}",
            missing.message
        );
        assert!(find_reason(&[], "Gone").unwrap_err().message.contains("none at all"));
    }

    #[test]
    fn cards_show_how_departments_are_kept() {
        let card = |id: &str, department: Option<Reference>| PersonCard {
            id: CardId::from(id),
            archived: false,
            fields: department
                .map(|it| (CardField::Department, FieldValue::Reference(it)))
                .into_iter()
                .collect::<CardFields>(),
            creator: None,
            modifier: None,
            created_at: None,
            modified_at: None,
        };
        let entry = || Reference::Entry {
            id: "d".into(),
            name: "n".into(),
        };
        let text = || Reference::FreeText("n".into());
        let mut findings = Vec::new();
        assert_eq!(
            department_mode(&[card("a", None)], &mut findings),
            DepartmentMode::DropDown
        );
        assert_eq!(
            department_mode(&[card("a", Some(text()))], &mut findings),
            DepartmentMode::PlainText
        );
        assert_eq!(
            department_mode(&[card("a", Some(entry()))], &mut findings),
            DepartmentMode::DropDown
        );
        assert!(findings.is_empty());
        let mixed = [
            card("a", Some(entry())),
            card("b", Some(entry())),
            card("c", Some(text())),
        ];
        assert_eq!(department_mode(&mixed, &mut findings), DepartmentMode::DropDown);
        assert_eq!(&*findings[0].code, "departments_mixed");
    }
}
