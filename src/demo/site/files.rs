//! The files of the company: HR's export, the directory, and a configuration over both.

use super::super::cards::{API_LOGIN, ARCHIVING_REASON};
use super::super::files::Flavour;
use super::super::person::Person;
use super::born;
use chrono::NaiveDate;
use std::fmt::Write;

const HR_HEADER: &str =
    "Personnel number;Last name;Prefix;First name;Birth date;Function;Department;Site;Start date;End date";

/// HR's export: semicolons, UTF-8, one row per person.
pub fn hr(people: &[Person]) -> String {
    let mut text = format!("{HR_HEADER}\n");
    let day = |day: NaiveDate| day.format("%d-%m-%Y").to_string();
    for person in people {
        let _infallible = writeln!(
            text,
            "{};{};{};{};{};{};{};{};{};{}",
            person.number,
            person.last_name,
            person.prefix,
            person.first_name,
            day(born(person.number)),
            person.function,
            person.department,
            person.site,
            day(person.hired),
            person.last_day.map_or_else(String::new, day),
        );
    }
    text
}

/// The directory as LDIF.
pub fn directory<'a>(people: impl Iterator<Item = &'a Person>, today: NaiveDate) -> String {
    let mut bytes = b"version: 1\n\n".to_vec();
    for person in people {
        Flavour::OpenLdap
            .entry(&mut bytes, person, None, today)
            .expect("memory takes every byte");
    }
    String::from_utf8(bytes).expect("LDIF is plain text")
}

/// A configuration over both.
pub fn configuration(url: &str) -> String {
    CONFIGURATION
        .replace("@URL@", url)
        .replace("@LOGIN@", API_LOGIN)
        .replace("@REASON@", ARCHIVING_REASON)
}

const CONFIGURATION: &str = r#"topdesk:
  url: @URL@
  username: @LOGIN@
  password: { file: password }
  archiving_reason: @REASON@
  requests_per_second: 1000

timezone: Europe/Amsterdam

sources:
  - name: hr
    type: csv
    path: hr.csv
    delimiter: ";"
    key: Personnel number
    role: authoritative
  - name: ad
    type: ldif
    path: people.ldif
    key: employeeID
    anchor: objectGUID
    role: enrich

key: { card_field: employeeNumber, normalize: [trim, uppercase], birth_date: optionalFields1.date1 }

fields:
  surName: "{{ hr['Last name'] }}"
  prefixes: "{{ hr.Prefix }}"
  firstName: "{{ hr['First name'] }}"
  jobTitle: { value: "{{ hr.Function }}", policy: seed }
  email: "{{ ad.mail | lower }}"
  networkLoginName: "{{ ad.sAMAccountName | lower }}"
  phoneNumber: { value: "{{ ad.telephoneNumber }}", policy: never_clear }
  optionalFields1.date1: { value: "{{ hr['Birth date'] | date('%d-%m-%Y') }}", policy: seed }
  branch: { value: "{{ hr.Site }}", missing: hold }
  department: { value: "{{ hr.Department }}", missing: create }

create: { hasSspAccess: true, isCaller: true }

lifecycle:
  leaver: { when: "{{ hr['End date'] | date('%d-%m-%Y') < today }}", after: 1d }

store: { sqlite: cardsync.db }
"#;
