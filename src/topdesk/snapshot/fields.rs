//! What becomes of every field of a person and an operator. A field that is not named here is not asked for and not
//! written, so that nothing personal gets through by being new.

use crate::core::model::field::LookupKind;

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Written as it is: ids, flags, moments, words of the product, job titles.
    Keep,
    /// A name or a part of one.
    Name,
    /// A login.
    Login,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// An employee number.
    Number,
    /// Text that people wrote.
    Text,
    /// A reference to a person card.
    Person,
    /// Who made or changed the card.
    Maker,
    /// A reference to an entry of a list.
    Entry(LookupKind),
    /// An attention mark with a comment.
    Attention,
    /// One of the two optional tabs.
    Tab(u8),
}

use Treatment::{Attention, Email, Entry, Keep, Login, Maker, Name, Number, Person, Phone, Tab, Text};

/// Fields of a person, version 2 (PersonV2Dto).
pub(super) const PERSON: &[(&str, Treatment)] = &[
    ("id", Keep),
    ("archived", Keep),
    ("surName", Name),
    ("firstName", Name),
    ("firstInitials", Name),
    ("prefixes", Name),
    ("birthName", Name),
    ("title", Name),
    ("creator", Maker),
    ("creationDate", Keep),
    ("modifier", Maker),
    ("modificationDate", Keep),
    ("branch", Entry(LookupKind::Branch)),
    ("location", Entry(LookupKind::Location)),
    ("department", Entry(LookupKind::Department)),
    ("budgetHolder", Entry(LookupKind::BudgetHolder)),
    ("language", Entry(LookupKind::Language)),
    ("personExtraFieldA", Entry(LookupKind::PersonExtraFieldA)),
    ("personExtraFieldB", Entry(LookupKind::PersonExtraFieldB)),
    ("manager", Person),
    ("employeeNumber", Number),
    ("tasLoginName", Login),
    ("networkLoginName", Login),
    ("mainframeLoginName", Login),
    ("email", Email),
    ("phoneNumber", Phone),
    ("mobileNumber", Phone),
    ("fax", Phone),
    ("jobTitle", Keep),
    ("attention", Attention),
    ("isCaller", Keep),
    ("hasSspAccess", Keep),
    ("isManager", Keep),
    ("showBranch", Keep),
    ("showSubsidiaries", Keep),
    ("showBudgetholder", Keep),
    ("showDepartment", Keep),
    ("showAllBranches", Keep),
    ("showObjectsOfBranch", Keep),
    ("showObjectsOfSubsidiaries", Keep),
    ("authorizeAll", Keep),
    ("authorizeDepartment", Keep),
    ("authorizeBudgetHolder", Keep),
    ("authorizeBranch", Keep),
    ("authorizeSubsidiaryBranches", Keep),
    ("optionalFields1", Tab(1)),
    ("optionalFields2", Tab(2)),
];

/// Fields of an operator (OperatorDto).
pub(super) const OPERATOR: &[(&str, Treatment)] = &[
    ("id", Keep),
    ("status", Keep),
    ("accountType", Keep),
    ("apiAccount", Keep),
    ("hasApplicationPasswords", Keep),
    ("loginPermission", Keep),
    ("surName", Name),
    ("firstName", Name),
    ("initials", Name),
    ("prefixes", Name),
    ("birthName", Name),
    ("title", Name),
    ("creator", Maker),
    ("creationDate", Keep),
    ("modifier", Maker),
    ("modificationDate", Keep),
    ("branch", Entry(LookupKind::Branch)),
    ("location", Entry(LookupKind::Location)),
    ("department", Entry(LookupKind::Department)),
    ("budgetHolder", Entry(LookupKind::BudgetHolder)),
    ("language", Entry(LookupKind::Language)),
    ("linkedPerson", Person),
    ("employeeNumber", Number),
    ("loginName", Login),
    ("networkLoginName", Login),
    ("mainframeLoginName", Login),
    ("exchangeAccount", Login),
    ("email", Email),
    ("telephone", Phone),
    ("mobileNumber", Phone),
    ("faxNumber", Phone),
    ("jobTitle", Keep),
    ("attention", Attention),
    ("comments", Text),
    ("installer", Keep),
    ("firstLineCallOperator", Keep),
    ("secondLineCallOperator", Keep),
    ("problemManager", Keep),
    ("problemOperator", Keep),
    ("changeCoordinator", Keep),
    ("changeActivitiesOperator", Keep),
    ("requestForChangeOperator", Keep),
    ("extensiveChangeOperator", Keep),
    ("simpleChangeOperator", Keep),
    ("scenarioManager", Keep),
    ("planningActivityManager", Keep),
    ("projectCoordinator", Keep),
    ("projectActiviesOperator", Keep),
    ("stockManager", Keep),
    ("reservationsOperator", Keep),
    ("serviceOperator", Keep),
    ("externalHelpDeskParty", Keep),
    ("contractManager", Keep),
    ("operationsOperator", Keep),
    ("operationsManager", Keep),
    ("knowledgeBaseManager", Keep),
    ("accountManager", Keep),
];

/// Fields of an operator group (OperatorGroupDto) that are asked for and kept.
pub(super) const GROUP: &[&str] = &["id", "groupName", "status"];

/// The value of the parameter `fields` for these fields.
pub(super) fn names(fields: &[(&str, Treatment)]) -> String {
    fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

/// What becomes of a field of an optional tab; `None` where it is dropped. Moments and numbers there may be birthdays and
/// personnel numbers: they are replaced.
pub(super) fn in_tab(tab: u8, name: &str) -> Option<InTab> {
    let (kind, number) = name.split_at(name.len() - name.chars().rev().take_while(char::is_ascii_digit).count());
    let list = number.parse::<u8>().ok().filter(|n| (1..=5).contains(n))?;
    match kind {
        "boolean" => Some(InTab::Keep),
        "number" => Some(InTab::Number),
        "date" => Some(InTab::Date),
        "text" | "memo" => Some(InTab::Text),
        "searchlist" => Some(InTab::Entry(LookupKind::SearchList { tab, list })),
        _other => None,
    }
}

/// What becomes of a value in an optional tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTab {
    Keep,
    Number,
    Date,
    Text,
    Entry(LookupKind),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_fields_are_told_by_their_names() {
        assert_eq!(in_tab(1, "text5"), Some(InTab::Text));
        assert_eq!(
            in_tab(2, "searchlist3"),
            Some(InTab::Entry(LookupKind::SearchList { tab: 2, list: 3 }))
        );
        assert_eq!(in_tab(1, "date1"), Some(InTab::Date));
        assert_eq!(in_tab(1, "text6"), None);
        assert_eq!(in_tab(1, "secret1"), None);
        assert_eq!(in_tab(1, "text"), None);
    }
}
