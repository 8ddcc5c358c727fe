//! Operators themselves: their log-in, their archive, their groups, and the rights that each takes.

use super::*;
use crate::core::model::groups::{Group, Seen};
use crate::engine::Silent;
use crate::engine::target::TargetWants;

#[tokio::test]
async fn an_operator_is_disarmed_archived_and_brought_back() {
    let (sandbox, client) = sandbox(&[]).await;
    let person = by_key(&client, "1").await;
    let operator = client.reader().read_operators_of(&person).await.unwrap().remove(0);
    assert_eq!(operator.login_permission, Some(true));
    let id = operator.id;
    let written = |written| match written {
        Ok(Written::Operator(operator)) => *operator,
        other => panic!("expected an operator, got {other:?}"),
    };
    let disarm = Step::SetLoginPermission {
        operator: id.clone(),
        allowed: false,
    };
    assert_eq!(written(send(&client, &disarm).await).login_permission, Some(false));
    let sleep = Step::ArchiveOperator {
        operator: id.clone(),
        reason: reason(&client).await,
    };
    assert!(written(send(&client, &sleep).await).archived);
    assert_eq!(send(&client, &sleep).await, Err(WriteError::AlreadyThere));
    let now = client.reader().read_operator(&id).await.unwrap().unwrap();
    assert_eq!(sleep.shows_in(&now), Some(true));
    let card = client
        .reader()
        .read_card(&person, &BTreeSet::new())
        .await
        .unwrap()
        .unwrap();
    assert!(!card.archived, "the person of an operator that is archived stays");
    let Err(WriteError::NotDone(error)) = send(&client, &disarm).await else {
        panic!("archived operators cannot be changed");
    };
    assert_eq!((error.concerns, error.status), (Concerns::Record, Some(400)));
    let archive = Step::ArchiveCard {
        card: person.clone(),
        reason: reason(&client).await,
    };
    assert!(card_of(send(&client, &archive).await).archived);
    let wake = Step::UnarchiveOperator { operator: id.clone() };
    assert!(!written(send(&client, &wake).await).archived);
    assert_eq!(send(&client, &wake).await, Err(WriteError::AlreadyThere));
    let card = client
        .reader()
        .read_card(&person, &BTreeSet::new())
        .await
        .unwrap()
        .unwrap();
    assert!(!card.archived, "the person comes back with the operator");
    assert_eq!(
        sandbox.stats()["persons_woken_by_operator"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        client
            .reader()
            .read_operator(&"3f2504e0-4f89-41d3-9a0c-0305e82c3301".into())
            .await,
        Ok(None)
    );
}

#[tokio::test]
async fn rights_that_writes_to_operators_need_are_told() {
    let (sandbox, client) = sandbox(&[]).await;
    let person = by_key(&client, "1").await;
    let operator = client.reader().read_operators_of(&person).await.unwrap().remove(0).id;
    let reason = reason(&client).await;
    let disarm = Step::SetLoginPermission {
        operator: operator.clone(),
        allowed: false,
    };
    let sleep = |operator| Step::ArchiveOperator {
        operator,
        reason: reason.clone(),
    };
    for (right, step, concerns, named) in [
        (
            "write_operators",
            &disarm,
            Concerns::OperatorLoginRight,
            "write on operators",
        ),
        ("login_data", &disarm, Concerns::OperatorLoginRight, "login data"),
        (
            "write_permission_groups",
            &disarm,
            Concerns::OperatorLoginRight,
            "permission groups",
        ),
        (
            "archive_operators",
            &sleep(operator.clone()),
            Concerns::OperatorRight,
            "may not archive operators",
        ),
    ] {
        sandbox.set(&format!("right.{right}"), "off").unwrap();
        let Err(WriteError::NotDone(error)) = send(&client, step).await else {
            panic!("{right}");
        };
        assert_eq!((error.concerns, error.status), (concerns, Some(403)), "{right}");
        assert!(error.cure.contains(named), "{right}: {}", error.cure);
        assert!(error.what.contains(operator.as_str()), "{right}: {}", error.what);
        sandbox.set(&format!("right.{right}"), "on").unwrap();
    }
    let own = client
        .reader()
        .read_all(&TargetWants::default(), &Silent)
        .await
        .unwrap();
    let account = own
        .operators
        .iter()
        .find(|operator| operator.linked_person.is_none())
        .unwrap();
    let Err(WriteError::NotDone(error)) = send(&client, &sleep(account.id.clone())).await else {
        panic!("nobody archives the account itself");
    };
    assert_eq!((error.concerns, error.status), (Concerns::OperatorProtected, Some(400)));
}

#[tokio::test]
async fn groups_of_an_operator_and_members_of_a_group_are_read() {
    let (sandbox, client) = sandbox(&[]).await;
    let reader = client.reader();
    let person = by_key(&client, "1").await;
    let operator = reader.read_operators_of(&person).await.unwrap().remove(0).id;
    let read = reader.read_groups_of(&operator).await.unwrap();
    let names = |seen: &Seen<Vec<Group>>| match seen {
        Seen::Known(groups) => {
            let mut names: Vec<String> = groups.iter().map(|group| group.name.to_string()).collect();
            names.sort();
            names.join(", ")
        }
        Seen::Unreadable(why) => format!("unreadable: {why}"),
    };
    assert_eq!(names(&read.operator_groups), "Desk, Network");
    assert_eq!(names(&read.permission_groups), "Desk staff");
    let Seen::Known(groups) = &read.operator_groups else {
        unreachable!()
    };
    let members = reader.read_members_of(&groups[0].id).await.unwrap();
    assert_eq!(members, Seen::Known([operator.clone()].into()));
    sandbox.set("right.permission_groups", "off").unwrap();
    sandbox.set("right.read_operator_groups", "off").unwrap();
    let read = reader.read_groups_of(&operator).await.unwrap();
    assert_eq!(
        names(&read.operator_groups),
        "Desk, Network",
        "read on operators is enough"
    );
    assert!(names(&read.permission_groups).contains("No permission to retrieve permissiongroups"));
    assert!(matches!(
        reader.read_members_of(&groups[0].id).await,
        Ok(Seen::Unreadable(_))
    ));
}
