//! Operator cards as the API gives them.

use super::card::card_id;
use crate::core::model::card::{OperatorCard, OperatorKind};
use crate::core::model::ids::{CardId, OperatorId};
use crate::core::model::surroundings::OperatorDetails;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The value of the parameter `fields`: nothing personal but login and e-mail, which the look-alike search needs.
pub(crate) const OPERATOR_FIELDS: &str =
    "id,status,accountType,apiAccount,loginName,email,loginPermission,linkedPerson";

/// The value of the parameter `fields` for [`details`].
pub(crate) const OPERATOR_DETAILS: &str = "id,firstName,surName,employeeNumber,hasApplicationPasswords";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDetails {
    id: Option<String>,
    first_name: Option<String>,
    sur_name: Option<String>,
    employee_number: Option<String>,
    has_application_passwords: Option<bool>,
}

/// A page of operators with what an audit asks for; an empty body (204) is an empty page.
pub(crate) fn details(body: &[u8]) -> Result<Vec<(OperatorId, OperatorDetails)>, String> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let wire: Vec<WireDetails> = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let operators = wire.into_iter().map(|wire| {
        let id = filled(wire.id).ok_or("an operator has no id")?;
        let details = OperatorDetails {
            first_name: filled(wire.first_name),
            sur_name: filled(wire.sur_name),
            employee_number: filled(wire.employee_number),
            application_passwords: wire.has_application_passwords,
        };
        Ok((OperatorId::new(id.trim().to_ascii_lowercase()), details))
    });
    operators.collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOperator {
    id: Option<String>,
    status: Option<String>,
    account_type: Option<String>,
    api_account: Option<bool>,
    login_name: Option<Box<str>>,
    email: Option<Box<str>>,
    login_permission: Option<bool>,
    linked_person: Option<WireLinked>,
}

#[derive(Deserialize)]
struct WireLinked {
    id: Option<String>,
}

/// A page of operators; an empty body (204) is an empty page.
pub(crate) fn operators(body: &[u8]) -> Result<Vec<OperatorCard>, String> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let wire: Vec<WireOperator> = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    wire.into_iter().map(operator_card).collect()
}

/// Which of the fields that tell what an operator is stand in an answer about one.
pub(crate) fn state_fields(body: &[u8]) -> BTreeSet<Box<str>> {
    let answer: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).unwrap_or_default();
    ["status", "accountType", "apiAccount", "loginPermission"]
        .into_iter()
        .filter(|name| answer.contains_key(*name))
        .map(Into::into)
        .collect()
}

/// One operator.
pub(crate) fn operator(body: &[u8]) -> Result<OperatorCard, String> {
    let wire: WireOperator = serde_json::from_slice(body).map_err(|error| super::describe(&error))?;
    operator_card(wire)
}

fn operator_card(wire: WireOperator) -> Result<OperatorCard, String> {
    let id = wire
        .id
        .filter(|id| !id.trim().is_empty())
        .ok_or("an operator has no id")?;
    let filled = |text: Option<Box<str>>| text.filter(|text| !text.trim().is_empty());
    let topdesk = wire
        .account_type
        .is_some_and(|kind| kind.eq_ignore_ascii_case("TOPdesk"));
    let kind = match (wire.api_account, topdesk) {
        (Some(true), _) => OperatorKind::ApiAccount,
        (_, true) => OperatorKind::TopdeskAccount,
        (_, false) => OperatorKind::Regular,
    };
    let linked: Option<CardId> = wire
        .linked_person
        .and_then(|person| person.id)
        .filter(|id| !id.trim().is_empty())
        .map(|id| card_id(&id));
    Ok(OperatorCard {
        id: OperatorId::new(id.trim().to_ascii_lowercase()),
        // Anything but the known word counts as active: an active operator is the one that must not be harmed.
        archived: wire.status.is_some_and(|status| status == "operatorArchived"),
        kind,
        linked_person: linked,
        login_name: filled(wire.login_name),
        email: filled(wire.email),
        login_permission: wire.login_permission,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_told_apart() {
        let cards = operators(
            br#"[{"id":"O1","status":"operator","accountType":"regular","apiAccount":false,"loginName":"a","email":" ",
                  "loginPermission":true,"linkedPerson":{"id":"P1","name":"n"}},
                 {"id":"O2","status":"operatorArchived","linkedPerson":null},
                 {"id":"O3","status":"operator","accountType":"TOPdesk"},
                 {"id":"O4","apiAccount":true,"accountType":"regular","linkedPerson":{}}]"#,
        )
        .unwrap();
        assert_eq!(cards[0].linked_person, Some(CardId::from("p1")));
        assert_eq!((cards[0].kind, cards[0].archived), (OperatorKind::Regular, false));
        assert_eq!(
            (cards[0].login_name.as_deref(), cards[0].email.as_deref()),
            (Some("a"), None)
        );
        assert!(cards[1].archived);
        assert_eq!(cards[2].kind, OperatorKind::TopdeskAccount);
        assert_eq!(
            (cards[3].kind, cards[3].linked_person.is_none()),
            (OperatorKind::ApiAccount, true)
        );
        let more = details(br#"[{"id":"O1","firstName":" ","surName":"n","hasApplicationPasswords":true}]"#).unwrap();
        let nameless = OperatorDetails {
            sur_name: Some("n".to_owned()),
            application_passwords: Some(true),
            ..OperatorDetails::default()
        };
        assert_eq!(more, [(OperatorId::from("o1"), nameless)]);
        assert!(details(b"").unwrap().is_empty() && details(b"[{}]").is_err());
        assert!(operators(b"").unwrap().is_empty());
        assert!(operators(b"[{}]").is_err());
        assert!(operator(br#"{"id":"O9"}"#).is_ok());
    }
}
