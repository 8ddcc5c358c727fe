//! The field table: for every kind of card its fields, their form, their limits and the name they have on write.
//!
//! Everything else (reading, writing, querying, seeding, dumping) is driven by this table, so that a field exists in one
//! place. Facts come from the API description (PersonV2Dto, UpdatePersonV2Dto, OperatorDto, CreateOperatorDto,
//! ExtendedBranchDto, ExtendedLocationDto). Must not know values, rules or HTTP.

use std::sync::LazyLock;

/// A kind of card or list entry; each has one table in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Person cards.
    Person,
    /// Operator cards.
    Operator,
    /// Branches.
    Branch,
    /// Locations (rooms), each in a branch.
    Location,
    /// Departments, when the field is a drop-down list.
    Department,
    /// Budget holders.
    BudgetHolder,
    /// Languages.
    Language,
    /// Reasons for archiving.
    ArchivingReason,
    /// Entries of the person's extra field A.
    ExtraA,
    /// Entries of the person's extra field B.
    ExtraB,
    /// Optional search list: 0 to 4 are the lists of tab 1, 5 to 9 those of tab 2.
    Search(u8),
    /// Operator groups.
    OperatorGroup,
    /// Permission groups.
    PermissionGroup,
    /// Attention marks that cards can carry.
    Attention,
    /// Whoever created or modified a card.
    Actor,
    /// Branch filters of operators.
    BranchFilter,
    /// Operator filters of operators.
    OperatorFilter,
    /// Category filters of operators.
    CategoryFilter,
}

impl Kind {
    /// All kinds, in the order of [`Kind::index`] and of the arrays in a dump.
    pub fn all() -> impl Iterator<Item = Kind> {
        let first = [
            Kind::Person,
            Kind::Operator,
            Kind::Branch,
            Kind::Location,
            Kind::Department,
            Kind::BudgetHolder,
            Kind::Language,
            Kind::ArchivingReason,
            Kind::ExtraA,
            Kind::ExtraB,
        ];
        let last = [
            Kind::OperatorGroup,
            Kind::PermissionGroup,
            Kind::Attention,
            Kind::Actor,
            Kind::BranchFilter,
            Kind::OperatorFilter,
            Kind::CategoryFilter,
        ];
        first.into_iter().chain((0..10).map(Kind::Search)).chain(last)
    }

    /// Place of this kind's table in the world.
    pub fn index(self) -> usize {
        match self {
            Kind::Person => 0,
            Kind::Operator => 1,
            Kind::Branch => 2,
            Kind::Location => 3,
            Kind::Department => 4,
            Kind::BudgetHolder => 5,
            Kind::Language => 6,
            Kind::ArchivingReason => 7,
            Kind::ExtraA => 8,
            Kind::ExtraB => 9,
            Kind::Search(n) => 10 + usize::from(n),
            Kind::OperatorGroup => 20,
            Kind::PermissionGroup => 21,
            Kind::Attention => 22,
            Kind::Actor => 23,
            Kind::BranchFilter => 24,
            Kind::OperatorFilter => 25,
            Kind::CategoryFilter => 26,
        }
    }

    /// Name of this kind's array in a seed and in a dump.
    pub fn array(self) -> &'static str {
        const SEARCH: [&str; 10] = [
            "searchlist1_1",
            "searchlist1_2",
            "searchlist1_3",
            "searchlist1_4",
            "searchlist1_5",
            "searchlist2_1",
            "searchlist2_2",
            "searchlist2_3",
            "searchlist2_4",
            "searchlist2_5",
        ];
        match self {
            Kind::Person => "persons",
            Kind::Operator => "operators",
            Kind::Branch => "branches",
            Kind::Location => "locations",
            Kind::Department => "departments",
            Kind::BudgetHolder => "budgetHolders",
            Kind::Language => "languages",
            Kind::ArchivingReason => "archivingReasons",
            Kind::ExtraA => "personExtraFieldAEntries",
            Kind::ExtraB => "personExtraFieldBEntries",
            Kind::Search(n) => SEARCH[usize::from(n)],
            Kind::OperatorGroup => "operatorGroups",
            Kind::PermissionGroup => "permissionGroups",
            Kind::Attention => "attentions",
            Kind::Actor => "actors",
            Kind::BranchFilter => "branchFilters",
            Kind::OperatorFilter => "operatorFilters",
            Kind::CategoryFilter => "categoryFilters",
        }
    }

    /// The kind whose seed array has this name.
    pub fn from_array(name: &str) -> Option<Kind> {
        let name = if name == "budgetholders" { "budgetHolders" } else { name };
        Kind::all().find(|kind| kind.array() == name)
    }

    /// What one of these is called in a message.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Operator => "operator",
            Kind::Branch => "branch",
            Kind::Location => "location",
            Kind::Department => "department",
            Kind::BudgetHolder => "budget holder",
            Kind::Language => "language",
            Kind::ArchivingReason => "archiving reason",
            Kind::ExtraA => "person extra field A entry",
            Kind::ExtraB => "person extra field B entry",
            Kind::Search(_) => "search list entry",
            Kind::OperatorGroup => "operator group",
            Kind::PermissionGroup => "permission group",
            Kind::Attention => "attention",
            Kind::Actor => "person or operator",
            Kind::BranchFilter => "branch filter",
            Kind::OperatorFilter => "operator filter",
            Kind::CategoryFilter => "category filter",
        }
    }

    /// The fields of this kind.
    pub fn schema(self) -> &'static Schema {
        match self {
            Kind::Person => &PERSON,
            Kind::Operator => &OPERATOR,
            Kind::Branch => &BRANCH,
            Kind::Location => &LOCATION,
            Kind::Language => &LANGUAGE,
            Kind::OperatorGroup => &GROUP,
            Kind::BranchFilter | Kind::OperatorFilter | Kind::CategoryFilter => &FILTER,
            _ => &ENTRY,
        }
    }
}

/// The form of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The card's id.
    Id,
    /// An id derived from the card's id.
    Principal,
    /// Made from the name parts; never written.
    DynamicName,
    /// `person` or `personArchived`, and so on; made from the archived flag.
    Status(&'static str),
    /// True when the card carries an attention mark.
    HasAttention,
    /// Text with its limit in UTF-16 units, as the product's own platform counts.
    Text(usize),
    /// Text that must look like an e-mail address.
    Email(usize),
    /// Text without a limit that the API refuses to write.
    Memo,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Yes or no; unset is no.
    Flag,
    /// A number.
    Number,
    /// An instant.
    Date,
    /// A reference to another card or entry.
    Link(Kind),
    /// Kept as it came: parts of a card that have no rules here.
    Json,
}

/// One field of a kind of card.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name on read, within its group.
    pub name: &'static str,
    /// The object that holds the field, such as `optionalFields1`.
    pub group: Option<&'static str>,
    /// The form of its value.
    pub form: Form,
    /// Name on write; `None` where the API does not write it.
    pub write: Option<&'static str>,
    /// False for fields that can be asked for in a query and seeded, but are in no answer.
    pub shown: bool,
}

/// The fields of one kind, addressed by number.
#[derive(Debug)]
pub struct Schema {
    /// The fields; a field's number is its place here.
    pub fields: Vec<Field>,
}

/// A field's number in its schema.
pub type FieldNo = u8;

impl Schema {
    fn new(fields: Vec<Field>) -> Self {
        assert!(fields.len() <= 128, "flags are kept in 128 bits");
        Schema { fields }
    }

    /// The field with this number.
    pub fn field(&self, number: FieldNo) -> &Field {
        &self.fields[usize::from(number)]
    }

    /// The field read under this name, at the top or in a group.
    pub fn find(&self, group: Option<&str>, name: &str) -> Option<FieldNo> {
        self.position(|field| field.group == group && field.name == name)
    }

    /// The field written under this name, at the top or in a group.
    pub fn find_written(&self, group: Option<&str>, name: &str) -> Option<FieldNo> {
        self.position(|field| field.group == group && field.write == Some(name))
    }

    /// True when some field lives in this group.
    pub fn has_group(&self, group: &str) -> bool {
        self.fields.iter().any(|field| field.group == Some(group))
    }

    /// All field numbers with their fields.
    pub fn numbered(&self) -> impl Iterator<Item = (FieldNo, &Field)> {
        (0u8..).zip(self.fields.iter())
    }

    fn position(&self, test: impl Fn(&Field) -> bool) -> Option<FieldNo> {
        self.fields
            .iter()
            .position(test)
            .and_then(|place| u8::try_from(place).ok())
    }
}

/// Numbers that are the same in every schema, so that shared rules need no look-up.
pub mod common {
    /// The card's id.
    pub const ID: u8 = 0;
    /// Archived or not.
    pub const ARCHIVED: u8 = 1;
    /// The name of an entry; the surname of a person or operator; the group name of an operator group.
    pub const NAME: u8 = 2;
    /// Who created the card.
    pub const CREATOR: u8 = 3;
    /// When the card was created.
    pub const CREATION_DATE: u8 = 4;
    /// Who modified the card last.
    pub const MODIFIER: u8 = 5;
    /// When the card was modified last.
    pub const MODIFICATION_DATE: u8 = 6;
    /// First name of a person or operator.
    pub const FIRST_NAME: u8 = 7;
    /// Name prefixes of a person or operator.
    pub const PREFIXES: u8 = 8;
    /// Branch of a person, operator, location or group.
    pub const BRANCH: u8 = 9;
    /// Location of a person or operator.
    pub const LOCATION: u8 = 10;
    /// Login of a person (`tasLoginName`) or operator (`loginName`).
    pub const LOGIN: u8 = 11;
    /// Employee number of a person or operator.
    pub const EMPLOYEE_NUMBER: u8 = 12;
    /// Department of a person or operator, when it is a drop-down list.
    pub const DEPARTMENT: u8 = 13;
    /// Department of a person or operator, when it is plain text.
    pub const DEPARTMENT_TEXT: u8 = 14;
    /// Budget holder of a person or operator.
    pub const BUDGET_HOLDER: u8 = 15;
    /// Attention mark of a person or operator.
    pub const ATTENTION: u8 = 17;
    /// Remark on the attention mark.
    pub const ATTENTION_COMMENT: u8 = 18;
    /// Why the card was archived.
    pub const REASON: u8 = 19;
}

/// Numbers of the fields that rules about persons use.
pub mod person {
    /// May act as a caller.
    pub const IS_CALLER: u8 = 20;
    /// Has access to the self-service portal.
    pub const HAS_SSP_ACCESS: u8 = 21;
    /// Is a manager.
    pub const IS_MANAGER: u8 = 22;
    /// The person's manager.
    pub const MANAGER: u8 = 23;
    /// Sees requests of the same branch.
    pub const SHOW_BRANCH: u8 = 24;
    /// Sees requests of subsidiary branches.
    pub const SHOW_SUBSIDIARIES: u8 = 25;
    /// Authorizes requests: all of them.
    pub const AUTHORIZE_ALL: u8 = 26;
    /// Authorizes requests of the same department.
    pub const AUTHORIZE_DEPARTMENT: u8 = 27;
    /// Authorizes requests with the same budget holder.
    pub const AUTHORIZE_BUDGET_HOLDER: u8 = 28;
    /// Authorizes requests of the same branch.
    pub const AUTHORIZE_BRANCH: u8 = 29;
    /// Authorizes requests of subsidiary branches.
    pub const AUTHORIZE_SUBSIDIARY_BRANCHES: u8 = 30;
    /// Sees requests with the same budget holder.
    pub const SHOW_BUDGET_HOLDER: u8 = 31;
}

/// Numbers of the fields that rules about operators use.
pub mod operator {
    /// The operator's person card; set once.
    pub const LINKED_PERSON: u8 = 20;
    /// An account for programs.
    pub const API_ACCOUNT: u8 = 22;
    /// May log in.
    pub const LOGIN_PERMISSION: u8 = 23;
    /// Has application passwords.
    pub const HAS_APPLICATION_PASSWORDS: u8 = 24;
    /// Links to permission groups.
    pub const ACCESS_ROLES: u8 = 25;
    /// An administrator: cannot be archived by the API. Not in any answer.
    pub const ADMINISTRATOR: u8 = 26;
}

/// Numbers of the fields that others show of a branch or a location.
pub mod place {
    /// A branch's client reference number.
    pub const CLIENT_REFERENCE: u8 = 20;
    /// A branch's time zone.
    pub const TIME_ZONE: u8 = 21;
    /// A branch's telephone number.
    pub const PHONE: u8 = 22;
    /// `independentBranch`, `headBranch` or `hasAHeadBranch`.
    pub const BRANCH_TYPE: u8 = 23;
    /// The head branch of a branch.
    pub const HEAD_BRANCH: u8 = 24;
    /// A location's room number.
    pub const ROOM_NUMBER: u8 = 20;
}

/// Number of a language's code.
pub const LANGUAGE_CODE: FieldNo = 20;

use super::field_tables::{branch, entry, filter, group, language, location, operator_card, person_card};

static PERSON: LazyLock<Schema> = LazyLock::new(|| Schema::new(person_card()));
static OPERATOR: LazyLock<Schema> = LazyLock::new(|| Schema::new(operator_card()));
static BRANCH: LazyLock<Schema> = LazyLock::new(|| Schema::new(branch()));
static LOCATION: LazyLock<Schema> = LazyLock::new(|| Schema::new(location()));
static LANGUAGE: LazyLock<Schema> = LazyLock::new(|| Schema::new(language()));
static GROUP: LazyLock<Schema> = LazyLock::new(|| Schema::new(group()));
static FILTER: LazyLock<Schema> = LazyLock::new(|| Schema::new(filter()));
static ENTRY: LazyLock<Schema> = LazyLock::new(|| Schema::new(entry()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_own_table_and_array() {
        for (place, kind) in {
            let mut kinds: Vec<_> = Kind::all().collect();
            kinds.sort_by_key(|kind| kind.index());
            kinds.into_iter().enumerate()
        } {
            assert_eq!(kind.index(), place);
            assert_eq!(Kind::from_array(kind.array()), Some(kind));
        }
    }

    #[test]
    fn numbers_name_the_fields_they_say() {
        let person = Kind::Person.schema();
        let operator = Kind::Operator.schema();
        for (schema, number, name) in [
            (person, common::ARCHIVED, "archived"),
            (person, common::NAME, "surName"),
            (person, common::CREATOR, "creator"),
            (person, common::MODIFICATION_DATE, "modificationDate"),
            (person, common::LOGIN, "tasLoginName"),
            (person, common::EMPLOYEE_NUMBER, "employeeNumber"),
            (person, common::LOCATION, "location"),
            (person, common::ATTENTION, "attention"),
            (person, common::REASON, "archivingReason"),
            (person, self::person::IS_CALLER, "isCaller"),
            (person, self::person::MANAGER, "manager"),
            (
                person,
                self::person::AUTHORIZE_SUBSIDIARY_BRANCHES,
                "authorizeSubsidiaryBranches",
            ),
            (person, self::person::SHOW_BUDGET_HOLDER, "showBudgetholder"),
            (operator, common::LOGIN, "loginName"),
            (operator, self::operator::LINKED_PERSON, "linkedPerson"),
            (operator, self::operator::API_ACCOUNT, "apiAccount"),
            (operator, self::operator::ADMINISTRATOR, "administrator"),
            (Kind::Branch.schema(), common::NAME, "name"),
            (Kind::Branch.schema(), place::HEAD_BRANCH, "headBranch"),
            (Kind::Branch.schema(), place::PHONE, "phone"),
            (Kind::Location.schema(), common::BRANCH, "branch"),
            (Kind::Location.schema(), place::ROOM_NUMBER, "roomNumber"),
            (Kind::Language.schema(), LANGUAGE_CODE, "languageCode"),
            (Kind::OperatorGroup.schema(), common::NAME, "groupName"),
        ] {
            assert_eq!(schema.field(number).name, name);
        }
    }
}
