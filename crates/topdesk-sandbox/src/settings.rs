//! The switches of the sandbox: one for every behaviour of the real product that is not known for sure, and for the
//! settings that an application manager can change. Given as `name=value` on the command line or in the seed.

use serde_json::{Map, Value};

use super::rights::Rights;
use super::switches::SWITCHES;

/// The value of every switch.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each one is a switch of its own, named in SWITCHES"
)]
pub struct Settings {
    /// Product version.
    pub product_version: (u32, u32, u32),
    /// Form of the `next` link.
    pub next_link: NextLink,
    /// Archiving needs a reason.
    pub reason_mandatory: bool,
    /// Unarchiving a person wakes the operator.
    pub unarchive_restores_operator: bool,
    /// An archived person may be patched.
    pub patch_archived: bool,
    /// A person needs a branch.
    pub branch_mandatory: bool,
    /// Department is plain text.
    pub department_text: bool,
    /// The budget holder field exists.
    pub budget_holder: bool,
    /// Queries tell upper from lower case.
    pub query_case_exact: bool,
    /// Queries tell blanks at the end.
    pub query_blanks_significant: bool,
    /// A bare null is refused in a write.
    pub bare_null_refused: bool,
    /// A login of an archived card may be given to another.
    pub login_of_archived_free: bool,
    /// Archived departments and budget holders are listed.
    pub archived_entries_shown: bool,
    /// Names of the branches the account sees; empty: all.
    pub branch_filter: Vec<String>,
    /// Names of the operator groups the account sees; empty: all.
    pub operator_filter: Vec<String>,
    /// A query of operators that asks for both states is refused.
    pub operator_states_apart: bool,
    /// Operators show neither display name nor login.
    pub operator_names_null: bool,
    /// `mainframeLoginName` holds the mark of another program.
    pub mainframe_login_occupied: bool,
    /// A reason that is not there is refused by a code.
    pub reason_not_available: bool,
    /// Names of category filters.
    pub category_filter: Vec<String>,
    /// Persons version 2 exists.
    pub persons_v2: bool,
    /// What is not set is shown as null.
    pub unset_as_null: bool,
    /// Dates in answers have a colon in their offset.
    pub date_colon: bool,
    /// Sorting by id is allowed.
    pub sort_by_id: bool,
    /// Unknown names in `fields` are an error.
    pub unknown_fields_refused: bool,
    /// A manager must have the flag.
    pub manager_flag_needed: bool,
    /// A new branch clears the location.
    pub branch_change_clears_location: bool,
    /// A login needs a password.
    pub password_mandatory: bool,
    /// An administrator is archived with the person.
    pub admins_by_person: bool,
    /// Milliseconds added to every answer.
    pub latency_ms: u64,
    /// How far the clock in `Date` headers is ahead of the machine's; negative: behind.
    pub clock_minutes: i32,
    /// What the account may do.
    pub rights: Rights,
}

/// Form of the `next` link in a page of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextLink {
    /// With scheme and host.
    Absolute,
    /// From the root of the host.
    Path,
    /// Not there at all.
    Missing,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            product_version: (16, 8, 2),
            next_link: NextLink::Absolute,
            reason_mandatory: true,
            unarchive_restores_operator: true,
            patch_archived: false,
            branch_mandatory: true,
            department_text: false,
            budget_holder: true,
            query_case_exact: false,
            query_blanks_significant: false,
            bare_null_refused: false,
            login_of_archived_free: false,
            archived_entries_shown: false,
            branch_filter: Vec::new(),
            operator_filter: Vec::new(),
            operator_states_apart: false,
            operator_names_null: false,
            mainframe_login_occupied: false,
            reason_not_available: false,
            category_filter: Vec::new(),
            persons_v2: true,
            unset_as_null: false,
            date_colon: false,
            sort_by_id: true,
            unknown_fields_refused: false,
            manager_flag_needed: false,
            branch_change_clears_location: false,
            password_mandatory: false,
            admins_by_person: false,
            latency_ms: 0,
            clock_minutes: 0,
            rights: Rights::default(),
        }
    }
}

/// A switch that could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such switch.
    #[error("there is no sandbox setting '{name}'{}; `--list-settings` shows all of them", suggestion(.name))]
    UnknownName {
        /// The name that was given.
        name: String,
    },
    /// The switch does not take this value.
    #[error("sandbox setting '{name}' cannot be '{value}': it takes {takes}")]
    WrongValue {
        /// The switch.
        name: String,
        /// The value that was given.
        value: String,
        /// The values it takes.
        takes: String,
    },
    /// Not of the form `name=value`.
    #[error("'{0}' is not a sandbox setting: write name=value")]
    NoValue(String),
}

fn suggestion(name: &str) -> String {
    SWITCHES
        .iter()
        .map(|switch| (strsim::jaro_winkler(switch.name, name), switch.name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, near)| format!(", did you mean '{near}'?"))
        .unwrap_or_default()
}

impl Settings {
    /// Sets one switch from `name=value` and gives the two.
    ///
    /// # Errors
    /// When the name or the value is not known.
    pub fn set_text(&mut self, text: &str) -> Result<(String, String), SettingError> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| SettingError::NoValue(text.to_owned()))?;
        let (name, value) = (name.trim(), value.trim());
        self.set(name, value)?;
        Ok((name.to_owned(), value.to_owned()))
    }

    /// Sets one switch.
    ///
    /// # Errors
    /// When the name or the value is not known.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let wrong = |takes: String| SettingError::WrongValue {
            name: name.to_owned(),
            value: value.to_owned(),
            takes,
        };
        if let Some(right) = name.strip_prefix("right.") {
            return self.rights.set(right, value).map_err(wrong);
        }
        let Some(switch) = SWITCHES.iter().find(|switch| switch.name == name) else {
            return Err(SettingError::UnknownName { name: name.to_owned() });
        };
        let wrong = || wrong(switch.values.join(" or "));
        let list = || {
            value
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let other = match switch.values {
            [_, free] if free.starts_with('<') => None,
            values => Some(values.iter().position(|known| *known == value).ok_or_else(wrong)?),
        };
        let second = other == Some(1);
        match name {
            "product_version" => self.product_version = version(value).ok_or_else(wrong)?,
            "next_link" => {
                self.next_link = match other {
                    Some(0) => NextLink::Absolute,
                    Some(1) => NextLink::Path,
                    _ => NextLink::Missing,
                }
            }
            "reason_mandatory" => self.reason_mandatory = !second,
            "unarchive_restores_operator" => self.unarchive_restores_operator = !second,
            "patch_archived" => self.patch_archived = second,
            "branch_mandatory" => self.branch_mandatory = !second,
            "department_mode" => self.department_text = second,
            "budget_holder_field" => self.budget_holder = !second,
            "query_case" => self.query_case_exact = second,
            "query_trailing_blanks" => self.query_blanks_significant = second,
            "bare_null" => self.bare_null_refused = second,
            "login_of_archived" => self.login_of_archived_free = second,
            "archived_entries" => self.archived_entries_shown = second,
            "branch_filter" => self.branch_filter = list(),
            "operator_filter" => self.operator_filter = list(),
            "operator_states" => self.operator_states_apart = second,
            "operator_names" => self.operator_names_null = second,
            "mainframe_login" => self.mainframe_login_occupied = second,
            "reason_words" => self.reason_not_available = second,
            "category_filter" => self.category_filter = list(),
            "persons_v2" => self.persons_v2 = !second,
            "unset_values" => self.unset_as_null = second,
            "date_offset" => self.date_colon = second,
            "sort_by_id" => self.sort_by_id = !second,
            "unknown_fields" => self.unknown_fields_refused = second,
            "manager_flag" => self.manager_flag_needed = second,
            "branch_change" => self.branch_change_clears_location = second,
            "password_mandatory" => self.password_mandatory = second,
            "admins_by_person" => self.admins_by_person = second,
            "clock_minutes" => self.clock_minutes = value.parse().map_err(|_| wrong())?,
            "latency_ms" => self.latency_ms = value.parse().map_err(|_| wrong())?,
            "rights" => self.rights = Rights::parse(value).ok_or_else(wrong)?,
            _ => return Err(SettingError::UnknownName { name: name.to_owned() }),
        }
        Ok(())
    }

    /// Sets every switch of a seed's `settings` object. Values are text, numbers, booleans (for on/off and yes/no) or
    /// lists of text.
    ///
    /// # Errors
    /// At the first name or value that is not known.
    pub fn set_all(&mut self, settings: &Map<String, Value>) -> Result<(), SettingError> {
        for (name, value) in settings {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(on) => {
                    let values = SWITCHES
                        .iter()
                        .find(|switch| switch.name == name)
                        .map_or(&["on"][..], |s| s.values);
                    let yes = if values.contains(&"yes") { "yes" } else { "on" };
                    let no = if values.contains(&"yes") { "no" } else { "off" };
                    (if *on { yes } else { no }).to_owned()
                }
                Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                other => other.to_string(),
            };
            self.set(name, &text)?;
        }
        Ok(())
    }

    /// True when archiving and unarchiving a person concerns the linked operator.
    pub fn person_leads(&self) -> bool {
        self.product_version >= (16, 6, 7)
    }

    /// Every switch with its value, in the form that [`Settings::set_all`] takes.
    pub fn to_json(&self) -> Map<String, Value> {
        let (major, minor, patch) = self.product_version;
        let pick = |name: &str, second: bool| {
            let switch = SWITCHES
                .iter()
                .find(|switch| switch.name == name)
                .expect("every name here is in SWITCHES");
            Value::from(switch.values[usize::from(second)])
        };
        let mut map = Map::new();
        map.insert(
            "product_version".into(),
            format!("{major}.{minor:02}.{patch:03}").into(),
        );
        map.insert(
            "next_link".into(),
            match self.next_link {
                NextLink::Absolute => "absolute",
                NextLink::Path => "path",
                NextLink::Missing => "missing",
            }
            .into(),
        );
        for (name, second) in [
            ("reason_mandatory", !self.reason_mandatory),
            ("unarchive_restores_operator", !self.unarchive_restores_operator),
            ("patch_archived", self.patch_archived),
            ("branch_mandatory", !self.branch_mandatory),
            ("department_mode", self.department_text),
            ("budget_holder_field", !self.budget_holder),
            ("query_case", self.query_case_exact),
            ("query_trailing_blanks", self.query_blanks_significant),
            ("bare_null", self.bare_null_refused),
            ("login_of_archived", self.login_of_archived_free),
            ("archived_entries", self.archived_entries_shown),
            ("operator_states", self.operator_states_apart),
            ("operator_names", self.operator_names_null),
            ("mainframe_login", self.mainframe_login_occupied),
            ("reason_words", self.reason_not_available),
            ("persons_v2", !self.persons_v2),
            ("unset_values", self.unset_as_null),
            ("date_offset", self.date_colon),
            ("sort_by_id", !self.sort_by_id),
            ("unknown_fields", self.unknown_fields_refused),
            ("manager_flag", self.manager_flag_needed),
            ("branch_change", self.branch_change_clears_location),
            ("password_mandatory", self.password_mandatory),
            ("admins_by_person", self.admins_by_person),
        ] {
            map.insert(name.into(), pick(name, second));
        }
        for (name, list) in [
            ("branch_filter", &self.branch_filter),
            ("operator_filter", &self.operator_filter),
            ("category_filter", &self.category_filter),
        ] {
            map.insert(name.into(), list.join(",").into());
        }
        map.insert("latency_ms".into(), self.latency_ms.into());
        map.insert("clock_minutes".into(), self.clock_minutes.into());
        map.insert("rights".into(), self.rights.to_string().into());
        map
    }
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let found = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_switch_can_be_set_and_is_dumped_again() {
        for switch in SWITCHES {
            for value in switch.values.iter().filter(|value| !value.starts_with('<')) {
                let mut settings = Settings::default();
                settings.set(switch.name, value).unwrap();
                assert_eq!(
                    settings.to_json()[switch.name].to_string().trim_matches('"'),
                    *value,
                    "{}",
                    switch.name
                );
            }
            let default = Settings::default().to_json()[switch.name].to_string();
            assert_eq!(
                default.trim_matches('"'),
                switch.values[0],
                "the default of {} is listed first",
                switch.name
            );
        }
    }

    #[test]
    fn a_dump_sets_the_same_switches_again() {
        let mut settings = Settings::default();
        for text in [
            "product_version=16.06.006",
            "branch_filter=Delft,Leiden",
            "latency_ms=50",
            "right.archive_operators=off",
        ] {
            settings.set_text(text).unwrap();
        }
        let mut again = Settings::default();
        again.set_all(&settings.to_json()).unwrap();
        assert_eq!(again.to_json(), settings.to_json());
        assert!(!again.person_leads());
        assert_eq!(again.branch_filter, ["Delft", "Leiden"]);
    }

    #[test]
    fn wrong_names_and_values_are_refused_with_the_way_out() {
        let mut settings = Settings::default();
        let wrong = settings.set_text("next_links=path").unwrap_err().to_string();
        assert!(wrong.contains("did you mean 'next_link'?"), "{wrong}");
        let wrong = settings.set_text("next_link=relative").unwrap_err().to_string();
        assert!(wrong.contains("absolute or path or missing"), "{wrong}");
        assert!(settings.set_text("latency_ms=slow").is_err());
        assert!(settings.set_text("right.fly=off").is_err());
        assert!(settings.set_text("nonsense").is_err());
    }
}
