//! Writes people as the files that a company has: an HR export and a directory. Person by person, so that a company of
//! any size can be written.

use super::person::{DOMAIN, Person};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use std::io::{self, Write};

/// The header of the HR export.
const HR_HEADER: &str = "Personnel number;Last name;Prefix;First name;Function;Department;Site;Manager number;Start date;\
                         End date";

/// The header of an HR export that also has what elsewhere is in the directory.
pub const WIDE_HEADER: &str = "Personnel number;Last name;Prefix;First name;Function;Department;Site;Manager number;\
                               Start date;End date;Mail;Login;Phone";

/// Writes HR's export: semicolons, windows-1252, one row per person.
pub fn hr_export<'a>(mut out: impl Write, people: impl Iterator<Item = &'a Person>) -> io::Result<()> {
    writeln!(out, "{HR_HEADER}")?;
    for person in people {
        let row = format!("{}\n", hr_row(person));
        let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(&row);
        debug_assert!(!lost, "every invented name is in windows-1252");
        out.write_all(&bytes)?;
    }
    out.flush()
}

fn hr_row(person: &Person) -> String {
    format!(
        "{};{};{};{};{};{};{};{};{};{}",
        person.written_number(),
        person.last_name,
        person.prefix,
        person.first_name,
        person.function,
        person.department,
        person.site,
        person.manager.map_or_else(String::new, |manager| manager.to_string()),
        date(Some(person.hired)),
        date(person.last_day),
    )
}

/// One row of the wide export, in UTF-8.
pub fn wide_row(person: &Person) -> String {
    format!("{};{};{};{}", hr_row(person), person.mail, person.login, person.phone)
}

fn date(day: Option<NaiveDate>) -> String {
    day.map_or_else(String::new, |day| day.format("%d-%m-%Y").to_string())
}

/// How a directory names things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// As `ldifde` exports Active Directory.
    ActiveDirectory,
    /// As `slapadd` loads OpenLDAP, where a name is no part of the DN.
    OpenLdap,
}

/// The base of the directory.
pub const BASE: &str = "DC=noorderlicht,DC=example";

impl Flavour {
    /// The name of a person's entry.
    pub fn dn(self, person: &Person) -> String {
        match self {
            Flavour::ActiveDirectory => format!("CN={},OU=People,{BASE}", person.full_name()),
            Flavour::OpenLdap => format!("uid={},ou=people,{BASE}", person.login),
        }
    }

    /// Writes one entry of a directory as LDIF. A closed account is one whose owner has left before `today`.
    pub fn entry(
        self,
        mut out: impl Write,
        person: &Person,
        manager: Option<&Person>,
        today: NaiveDate,
    ) -> io::Result<()> {
        let name = person.full_name();
        line(&mut out, "dn", &self.dn(person))?;
        match self {
            Flavour::ActiveDirectory => {
                for class in ["top", "person", "organizationalPerson", "user"] {
                    line(&mut out, "objectClass", class)?;
                }
                line(&mut out, "userPrincipalName", &format!("{}@{DOMAIN}", person.login))?;
                let surname = format!("{} {}", person.prefix, person.last_name);
                line(&mut out, "sn", surname.trim())?;
            }
            Flavour::OpenLdap => {
                for class in ["inetOrgPerson", "adLikeUser"] {
                    line(&mut out, "objectClass", class)?;
                }
                line(&mut out, "uid", &person.login)?;
                line(&mut out, "sn", person.last_name)?;
            }
        }
        line(&mut out, "cn", &name)?;
        line(&mut out, "givenName", person.first_name)?;
        line(&mut out, "sAMAccountName", &person.login)?;
        line(&mut out, "mail", &person.mail)?;
        line(&mut out, "telephoneNumber", &person.phone)?;
        line(&mut out, "title", person.function)?;
        line(&mut out, "department", person.department)?;
        line(&mut out, "l", person.site)?;
        line(&mut out, "employeeID", &person.number.to_string())?;
        let account = if person.has_left(today) { "514" } else { "512" };
        line(&mut out, "userAccountControl", account)?;
        if let Some(manager) = manager {
            line(&mut out, "manager", &self.dn(manager))?;
        }
        writeln!(out, "objectGUID:: {}", STANDARD.encode(person.guid()))?;
        writeln!(out)
    }
}

/// One attribute; what is not plain ASCII is in base64.
fn line(out: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    let plain = value.is_ascii() && !value.starts_with([' ', ':', '<']) && !value.ends_with(' ');
    if plain {
        writeln!(out, "{name}: {value}")
    } else {
        writeln!(out, "{name}:: {}", STANDARD.encode(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(index: u32) -> Person {
        Person::new(index, NaiveDate::from_ymd_opt(2026, 3, 1).unwrap())
    }

    #[test]
    fn an_export_is_windows_1252_with_a_row_for_everybody() {
        let people: Vec<Person> = (0..300).map(person).collect();
        let mut bytes = Vec::new();
        hr_export(&mut bytes, people.iter()).unwrap();
        assert!(
            std::str::from_utf8(&bytes).is_err(),
            "no other encoding than the declared one"
        );
        let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
        assert_eq!(text.lines().count(), 301);
        let columns = HR_HEADER.split(';').count();
        assert!(text.lines().all(|line| line.split(';').count() == columns));
        assert_eq!(WIDE_HEADER.split(';').count(), wide_row(&people[0]).split(';').count());
    }

    #[test]
    fn a_closed_account_and_a_manager_stand_in_the_directory() {
        let mut leaver = person(40);
        leaver.last_day = NaiveDate::from_ymd_opt(2026, 2, 1);
        let mut bytes = Vec::new();
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        Flavour::ActiveDirectory
            .entry(&mut bytes, &leaver, Some(&person(0)), today)
            .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("userAccountControl: 514\n"), "{text}");
        assert!(text.contains("manager: CN=Sanne de Wit,"), "{text}");
        assert!(text.contains("employeeID: 100041\n"), "{text}");
    }
}
