//! The rights of the API account, each of which can be taken away.

use std::fmt;

/// One right of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Use the REST API at all.
    RestApi,
    /// Read persons.
    ReadPersons,
    /// Create persons.
    CreatePersons,
    /// Write persons.
    WritePersons,
    /// Archive and unarchive persons.
    ArchivePersons,
    /// Read operators.
    ReadOperators,
    /// Create operators.
    CreateOperators,
    /// Write operators.
    WriteOperators,
    /// Archive and unarchive operators.
    ArchiveOperators,
    /// Write login data.
    LoginData,
    /// Write supporting files settings: create entries in drop-down lists.
    SupportingFilesSettings,
    /// Create branches.
    CreateBranches,
    /// Create locations.
    CreateLocations,
    /// Read operator groups.
    ReadOperatorGroups,
    /// Read permission groups.
    PermissionGroups,
    /// Write permission groups: link groups to operators, and write the login data of operators.
    WritePermissionGroups,
    /// Read the filters of operators.
    ReadFilters,
}

impl Right {
    /// All rights with their names.
    pub const ALL: [(Right, &'static str); 17] = [
        (Right::RestApi, "rest_api"),
        (Right::ReadPersons, "read_persons"),
        (Right::CreatePersons, "create_persons"),
        (Right::WritePersons, "write_persons"),
        (Right::ArchivePersons, "archive_persons"),
        (Right::ReadOperators, "read_operators"),
        (Right::CreateOperators, "create_operators"),
        (Right::WriteOperators, "write_operators"),
        (Right::ArchiveOperators, "archive_operators"),
        (Right::LoginData, "login_data"),
        (Right::SupportingFilesSettings, "supporting_files_settings"),
        (Right::CreateBranches, "create_branches"),
        (Right::CreateLocations, "create_locations"),
        (Right::ReadOperatorGroups, "read_operator_groups"),
        (Right::PermissionGroups, "permission_groups"),
        (Right::WritePermissionGroups, "write_permission_groups"),
        (Right::ReadFilters, "read_filters"),
    ];
}

/// What the account may do; everything, unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    missing: Vec<Right>,
}

impl Rights {
    /// True when the account has this right.
    pub fn has(&self, right: Right) -> bool {
        !self.missing.contains(&right)
    }

    /// Gives or takes one right by name.
    ///
    /// # Errors
    /// With the values that would have been right.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let names = || Right::ALL.map(|(_, name)| name).join(", ");
        let right = Right::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(right, _)| *right)
            .ok_or_else(|| format!("on or off, for one of {}", names()))?;
        let on = match value {
            "on" | "true" => true,
            "off" | "false" => false,
            _ => return Err("on or off".to_owned()),
        };
        self.missing.retain(|known| *known != right);
        if !on {
            self.missing.push(right);
        }
        Ok(())
    }

    /// Reads `full`, or a list such as `archive_operators=off,login_data=off`.
    pub fn parse(text: &str) -> Option<Rights> {
        let mut rights = Rights::default();
        if text == "full" {
            return Some(rights);
        }
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, "off"));
            rights.set(name.trim(), value.trim()).ok()?;
        }
        Some(rights)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.missing.is_empty() {
            return f.write_str("full");
        }
        let missing = Right::ALL.iter().filter(|(right, _)| !self.has(*right));
        let text: Vec<_> = missing.map(|(_, name)| format!("{name}=off")).collect();
        f.write_str(&text.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_can_be_taken_and_given_back() {
        for (right, name) in Right::ALL {
            let mut rights = Rights::default();
            assert!(rights.has(right));
            rights.set(name, "off").unwrap();
            assert!(!rights.has(right));
            assert_eq!(Rights::parse(&rights.to_string()), Some(rights.clone()));
            rights.set(name, "on").unwrap();
            assert_eq!(rights, Rights::default());
        }
        assert_eq!(Rights::parse("full"), Some(Rights::default()));
        assert_eq!(Rights::parse("nonsense"), None);
    }
}
