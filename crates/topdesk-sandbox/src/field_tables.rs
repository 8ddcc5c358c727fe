//! The rows of the field table, kind by kind, with the limits that the API description states.
//!
//! The order of the first twenty fields is shared by all kinds (`fields::common`); kinds that lack one of them have a
//! hidden placeholder there.

use super::fields::{Field, Form, Kind};

const fn read(name: &'static str, form: Form) -> Field {
    Field {
        name,
        group: None,
        form,
        write: None,
        shown: true,
    }
}

const fn both(name: &'static str, form: Form) -> Field {
    Field {
        name,
        group: None,
        form,
        write: Some(name),
        shown: true,
    }
}

const fn renamed(name: &'static str, form: Form, write: &'static str) -> Field {
    Field {
        name,
        group: None,
        form,
        write: Some(write),
        shown: true,
    }
}

const fn hidden(name: &'static str, form: Form) -> Field {
    Field {
        name,
        group: None,
        form,
        write: None,
        shown: false,
    }
}

/// A number that this kind does not use.
const NONE: Field = hidden("", Form::Json);

/// The optional fields of one tab, searched in the given lists.
fn optional(group: &'static str, first_list: u8, fields: &mut Vec<Field>) {
    const BOOLEAN: [&str; 5] = ["boolean1", "boolean2", "boolean3", "boolean4", "boolean5"];
    const NUMBER: [&str; 5] = ["number1", "number2", "number3", "number4", "number5"];
    const DATE: [&str; 5] = ["date1", "date2", "date3", "date4", "date5"];
    const TEXT: [&str; 5] = ["text1", "text2", "text3", "text4", "text5"];
    const MEMO: [&str; 5] = ["memo1", "memo2", "memo3", "memo4", "memo5"];
    const SEARCH: [&str; 5] = [
        "searchlist1",
        "searchlist2",
        "searchlist3",
        "searchlist4",
        "searchlist5",
    ];
    let mut add = |name: &'static str, form: Form| {
        let write = if form == Form::Memo { None } else { Some(name) };
        fields.push(Field {
            name,
            group: Some(group),
            form,
            write,
            shown: true,
        });
    };
    BOOLEAN.into_iter().for_each(|name| add(name, Form::Flag));
    NUMBER.into_iter().for_each(|name| add(name, Form::Number));
    DATE.into_iter().for_each(|name| add(name, Form::Date));
    TEXT.into_iter().for_each(|name| add(name, Form::Text(100)));
    MEMO.into_iter().for_each(|name| add(name, Form::Memo));
    for (list, name) in (first_list..).zip(SEARCH) {
        add(name, Form::Link(Kind::Search(list)));
    }
}

/// Person card, version 2 (PersonV2Dto, UpdatePersonV2Dto).
pub fn person_card() -> Vec<Field> {
    let mut fields = vec![
        read("id", Form::Id),
        read("archived", Form::Flag),
        both("surName", Form::Text(50)),
        read("creator", Form::Link(Kind::Actor)),
        read("creationDate", Form::Date),
        read("modifier", Form::Link(Kind::Actor)),
        read("modificationDate", Form::Date),
        both("firstName", Form::Text(30)),
        both("prefixes", Form::Text(10)),
        both("branch", Form::Link(Kind::Branch)),
        both("location", Form::Link(Kind::Location)),
        both("tasLoginName", Form::Text(100)),
        both("employeeNumber", Form::Text(20)),
        both("department", Form::Link(Kind::Department)),
        hidden("departmentFree", Form::Text(60)),
        both("budgetHolder", Form::Link(Kind::BudgetHolder)),
        both("language", Form::Link(Kind::Language)),
        both("attention", Form::Link(Kind::Attention)),
        hidden("attentionComment", Form::Text(127)),
        hidden("archivingReason", Form::Link(Kind::ArchivingReason)),
        both("isCaller", Form::Flag),
        both("hasSspAccess", Form::Flag),
        both("isManager", Form::Flag),
        both("manager", Form::Link(Kind::Person)),
        both("showBranch", Form::Flag),
        both("showSubsidiaries", Form::Flag),
        both("authorizeAll", Form::Flag),
        both("authorizeDepartment", Form::Flag),
        both("authorizeBudgetHolder", Form::Flag),
        both("authorizeBranch", Form::Flag),
        both("authorizeSubsidiaryBranches", Form::Flag),
        renamed("showBudgetholder", Form::Flag, "showBudgetHolder"),
        both("showDepartment", Form::Flag),
        both("showAllBranches", Form::Flag),
        both("showObjectsOfBranch", Form::Flag),
        both("showObjectsOfSubsidiaries", Form::Flag),
        read("principalId", Form::Principal),
        read("dynamicName", Form::DynamicName),
        read("hasAttention", Form::HasAttention),
        both("firstInitials", Form::Text(10)),
        both("birthName", Form::Text(100)),
        both("title", Form::Text(35)),
        both("phoneNumber", Form::Text(25)),
        both("mobileNumber", Form::Text(25)),
        both("fax", Form::Text(25)),
        both("email", Form::Email(100)),
        both("jobTitle", Form::Text(100)),
        both("networkLoginName", Form::Text(100)),
        both("mainframeLoginName", Form::Text(100)),
        read("city", Form::Text(100)),
        both("personExtraFieldA", Form::Link(Kind::ExtraA)),
        both("personExtraFieldB", Form::Link(Kind::ExtraB)),
        hidden("gender", Form::Choice(&["UNDEFINED", "MALE", "FEMALE"])),
        hidden("clientReferenceNumber", Form::Text(30)),
    ];
    optional("optionalFields1", 0, &mut fields);
    optional("optionalFields2", 5, &mut fields);
    fields
}

/// Operator card (OperatorDto, CreateOperatorDto). The description's write side says `firstInitials`, the read side
/// `initials`; the write name here is the description's.
pub fn operator_card() -> Vec<Field> {
    let mut fields = vec![
        read("id", Form::Id),
        hidden("archived", Form::Flag),
        both("surName", Form::Text(50)),
        read("creator", Form::Link(Kind::Actor)),
        read("creationDate", Form::Date),
        read("modifier", Form::Link(Kind::Actor)),
        read("modificationDate", Form::Date),
        both("firstName", Form::Text(30)),
        both("prefixes", Form::Text(10)),
        both("branch", Form::Link(Kind::Branch)),
        both("location", Form::Link(Kind::Location)),
        both("loginName", Form::Text(100)),
        both("employeeNumber", Form::Text(20)),
        both("department", Form::Link(Kind::Department)),
        hidden("departmentFree", Form::Text(60)),
        both("budgetHolder", Form::Link(Kind::BudgetHolder)),
        both("language", Form::Link(Kind::Language)),
        both("attention", Form::Link(Kind::Attention)),
        renamed("comments", Form::Text(127), "comments"),
        hidden("archivingReason", Form::Link(Kind::ArchivingReason)),
        both("linkedPerson", Form::Link(Kind::Person)),
        read("accountType", Form::Choice(&["regular", "TOPdesk"])),
        both("apiAccount", Form::Flag),
        both("loginPermission", Form::Flag),
        read("hasApplicationPasswords", Form::Flag),
        both("accessRoles", Form::Json),
        hidden("administrator", Form::Flag),
        read("principalId", Form::Principal),
        read("status", Form::Status("operator")),
        read("dynamicName", Form::DynamicName),
        read("hasAttention", Form::HasAttention),
        renamed("initials", Form::Text(10), "firstInitials"),
        both("birthName", Form::Text(100)),
        both("title", Form::Text(35)),
        both("gender", Form::Choice(&["UNDEFINED", "MALE", "FEMALE"])),
        both("telephone", Form::Text(25)),
        both("mobileNumber", Form::Text(25)),
        both("faxNumber", Form::Text(25)),
        both("email", Form::Email(100)),
        both("exchangeAccount", Form::Text(100)),
        both("jobTitle", Form::Text(100)),
        both("hourlyRate", Form::Number),
        both("networkLoginName", Form::Text(100)),
        both("mainframeLoginName", Form::Text(100)),
    ];
    for task in TASKS {
        fields.push(both(task, Form::Flag));
    }
    for group in ["optionalFields1", "optionalFields2"] {
        fields.push(both(group, Form::Json));
    }
    fields
}

/// The tasks an operator or an operator group can have.
const TASKS: [&str; 23] = [
    "installer",
    "firstLineCallOperator",
    "secondLineCallOperator",
    "problemManager",
    "problemOperator",
    "changeCoordinator",
    "changeActivitiesOperator",
    "requestForChangeOperator",
    "extensiveChangeOperator",
    "simpleChangeOperator",
    "scenarioManager",
    "planningActivityManager",
    "projectCoordinator",
    "projectActiviesOperator",
    "stockManager",
    "reservationsOperator",
    "serviceOperator",
    "externalHelpDeskParty",
    "contractManager",
    "operationsOperator",
    "operationsManager",
    "knowledgeBaseManager",
    "accountManager",
];

/// The shared start of everything that is not a person or an operator.
fn head(name: &'static str, limit: usize) -> Vec<Field> {
    let mut fields = vec![
        read("id", Form::Id),
        hidden("archived", Form::Flag),
        both(name, Form::Text(limit)),
        hidden("creator", Form::Link(Kind::Actor)),
        hidden("creationDate", Form::Date),
        hidden("modifier", Form::Link(Kind::Actor)),
        hidden("modificationDate", Form::Date),
    ];
    fields.resize(20, NONE);
    fields
}

/// Branch (ExtendedBranchDto).
pub fn branch() -> Vec<Field> {
    let mut fields = head("name", 60);
    fields[3..7].iter_mut().for_each(|field| field.shown = true);
    fields.extend([
        both("clientReferenceNumber", Form::Text(30)),
        both("timeZone", Form::Text(50)),
        both("phone", Form::Text(25)),
        both(
            "branchType",
            Form::Choice(&["independentBranch", "headBranch", "hasAHeadBranch"]),
        ),
        both("headBranch", Form::Link(Kind::Branch)),
        read("status", Form::Status("branch")),
        both("specification", Form::Text(70)),
        both("fax", Form::Text(25)),
        both("email", Form::Email(100)),
        both("website", Form::Text(100)),
        both("membershipNumber", Form::Text(60)),
        both("vatNumber", Form::Text(25)),
        both("additionalInfo", Form::Text(4000)),
        both("notes", Form::Text(4000)),
        both("address", Form::Json),
        both("postalAddress", Form::Json),
        both("extraA", Form::Json),
        both("extraB", Form::Json),
        both("optionalFields1", Form::Json),
        both("optionalFields2", Form::Json),
    ]);
    fields
}

/// Location (ExtendedLocationDto).
pub fn location() -> Vec<Field> {
    let mut fields = head("name", 100);
    fields[3..7].iter_mut().for_each(|field| field.shown = true);
    fields[usize::from(super::fields::common::BRANCH)] = both("branch", Form::Link(Kind::Branch));
    fields.extend([
        both("roomNumber", Form::Text(100)),
        read("status", Form::Status("location")),
        both("specification", Form::Text(100)),
        both("capacity", Form::Number),
        both(
            "roomSetup",
            Form::Choice(&["standardLocation", "divisibleLocation", "isASubLocation"]),
        ),
        both("budgetHolder", Form::Link(Kind::BudgetHolder)),
        both("notes", Form::Text(4000)),
        both("type", Form::Json),
        both("functionalUse", Form::Json),
        both("optionalFields1", Form::Json),
        both("optionalFields2", Form::Json),
    ]);
    fields
}

/// Language (LanguageDto).
pub fn language() -> Vec<Field> {
    let mut fields = head("name", 100);
    fields.push(read("languageCode", Form::Text(20)));
    fields
}

/// Operator group (OperatorGroupDto).
pub fn group() -> Vec<Field> {
    let mut fields = head("groupName", 30);
    fields[3..7].iter_mut().for_each(|field| field.shown = true);
    fields[usize::from(super::fields::common::BRANCH)] = both("branch", Form::Link(Kind::Branch));
    fields.push(read("status", Form::Status("operatorGroup")));
    for task in TASKS {
        fields.push(both(task, Form::Flag));
    }
    fields
}

/// Filter of an operator (FilterDto).
pub fn filter() -> Vec<Field> {
    let mut fields = head("name", 100);
    fields.push(read("applicable", Form::Text(100)));
    fields
}

/// Entry of a drop-down list (SearchlistWithExternalLinkDto).
pub fn entry() -> Vec<Field> {
    let mut fields = head("name", 100);
    fields.push(both("externalLinks", Form::Json));
    fields
}
