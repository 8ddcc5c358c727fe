//! The list of switches: names, values and what they decide. `settings` holds their values.

/// One switch: what `--list-settings` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Name on the command line and in the seed.
    pub name: &'static str,
    /// The values it takes, the default first; a value in angle brackets stands for a free one.
    pub values: &'static [&'static str],
    /// What it decides.
    pub about: &'static str,
}

/// All switches, in the order they are listed.
pub const SWITCHES: &[Switch] = &[
    Switch {
        name: "product_version",
        values: &["16.08.002", "<major.minor.patch>"],
        about: "version of the product; from 16.06.007 a person takes the linked operator along",
    },
    Switch {
        name: "next_link",
        values: &["absolute", "path", "missing"],
        about: "form of `next` in a page of persons",
    },
    Switch {
        name: "reason_mandatory",
        values: &["on", "off"],
        about: "archiving needs a reason",
    },
    Switch {
        name: "unarchive_restores_operator",
        values: &["yes", "no"],
        about: "unarchiving a person wakes the linked operator",
    },
    Switch {
        name: "patch_archived",
        values: &["refused", "accepted"],
        about: "changing an archived person card",
    },
    Switch {
        name: "branch_mandatory",
        values: &["yes", "no"],
        about: "a person needs a branch",
    },
    Switch {
        name: "department_mode",
        values: &["dropdown", "text"],
        about: "department: list or plain text",
    },
    Switch {
        name: "budget_holder_field",
        values: &["enabled", "disabled"],
        about: "the budget holder field",
    },
    Switch {
        name: "query_case",
        values: &["ignored", "exact"],
        about: "upper and lower case in queries",
    },
    Switch {
        name: "query_trailing_blanks",
        values: &["ignored", "significant"],
        about: "blanks at the end in queries",
    },
    Switch {
        name: "bare_null",
        values: &["clears", "refused"],
        about: "a bare null in a write",
    },
    Switch {
        name: "login_of_archived",
        values: &["reserved", "free"],
        about: "whether an archived card keeps its login from others",
    },
    Switch {
        name: "archived_entries",
        values: &["hidden", "shown"],
        about: "archived departments and budget holders in their lists",
    },
    Switch {
        name: "branch_filter",
        values: &["", "<branch,branch>"],
        about: "branches that the account sees; empty sees all",
    },
    Switch {
        name: "operator_filter",
        values: &["", "<group,group>"],
        about: "operator groups whose members the account sees; empty sees all",
    },
    Switch {
        name: "operator_states",
        values: &["together", "one_by_one"],
        about: "whether one query of operators may ask for active and archived ones",
    },
    Switch {
        name: "operator_names",
        values: &["shown", "null"],
        about: "dynamicName and loginName of operators in answers",
    },
    Switch {
        name: "mainframe_login",
        values: &["own", "occupied"],
        about: "mainframeLoginName of persons without one: empty, or the mark of another program",
    },
    Switch {
        name: "reason_words",
        values: &["not_found", "not_available"],
        about: "how an archiving reason that is not there is refused",
    },
    Switch {
        name: "category_filter",
        values: &["", "<category,category>"],
        about: "category filters of the account; they hide nothing here",
    },
    Switch {
        name: "persons_v2",
        values: &["available", "missing"],
        about: "missing: 406 as an old product answers",
    },
    Switch {
        name: "unset_values",
        values: &["missing", "null"],
        about: "how an answer shows what is not set",
    },
    Switch {
        name: "date_offset",
        values: &["compact", "colon"],
        about: "offset of dates in answers: +0000 or +00:00",
    },
    Switch {
        name: "sort_by_id",
        values: &["allowed", "refused"],
        about: "`sort=id` on persons",
    },
    Switch {
        name: "unknown_fields",
        values: &["ignored", "refused"],
        about: "unknown names in `fields`",
    },
    Switch {
        name: "manager_flag",
        values: &["not_needed", "needed"],
        about: "whether a manager's card must have isManager",
    },
    Switch {
        name: "branch_change",
        values: &["checked", "clears_location"],
        about: "a new branch without a new location: checked against the old location, or clears it",
    },
    Switch {
        name: "password_mandatory",
        values: &["off", "on"],
        about: "a person with a login needs a password, which version 2 cannot set",
    },
    Switch {
        name: "admins_by_person",
        values: &["refused", "archived"],
        about: "archiving an administrator through the person card",
    },
    Switch {
        name: "clock_minutes",
        values: &["0", "<minutes>"],
        about: "how far the clock in answers is ahead of the machine's",
    },
    Switch {
        name: "latency_ms",
        values: &["0", "<milliseconds>"],
        about: "added to every answer of the API",
    },
    Switch {
        name: "rights",
        values: &["full", "<right=off,right=off>"],
        about: "rights of the account; each can be switched with right.NAME=on|off",
    },
];
