//! Writes a company of any size in which there is nothing to do, for `scripts/bench`: an HR export, a directory for
//! OpenLDAP, TOPdesk as a seed of the sandbox, and a configuration over each source.

use super::cards::{ARCHIVING_REASON, Card, write_seed};
use super::files::{BASE, Flavour, WIDE_HEADER, wide_row};
use super::person::{FIRST_NUMBER, Person};
use anyhow::Context as _;
use chrono::{NaiveDate, Utc};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// One person in so many answers calls in TOPdesk.
const OPERATOR_EVERY: u32 = 50;
/// The reading account of the directory.
const READER: &str = "cn=reader,DC=noorderlicht,DC=example";
/// The password of both accounts: it guards invented people on this machine.
const PASSWORD: &str = "bench";

/// Writes hr.csv, people.ldif, seed.json, csv.yaml, ldap.yaml and a password file into the folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, people: u32, sandbox: &str, ldap: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let today = Utc::now().date_naive();
    let company = (0..people).map(move |index| person(index, today));

    let mut hr = create(folder, "hr.csv")?;
    writeln!(hr, "{WIDE_HEADER}")?;
    for person in company.clone() {
        writeln!(hr, "{}", wide_row(&person))?;
    }
    hr.flush()?;

    let mut directory = create(folder, "people.ldif")?;
    directory.write_all(top().as_bytes())?;
    for one in company.clone() {
        let manager = one.manager.map(|number| person(number - FIRST_NUMBER, today));
        Flavour::OpenLdap.entry(&mut directory, &one, manager.as_ref(), today)?;
    }
    directory.flush()?;

    write_seed(create(folder, "seed.json")?, company.map(Card::in_step))?;
    fs::write(folder.join("password"), PASSWORD)?;
    fs::write(
        folder.join("csv.yaml"),
        configuration(sandbox, "csv", CSV_SOURCE, CSV_FIELDS),
    )?;
    let source = LDAP_SOURCE
        .replace("URL", ldap)
        .replace("READER", READER)
        .replace("BASE", BASE);
    fs::write(
        folder.join("ldap.yaml"),
        configuration(sandbox, "ldap", &source, LDAP_FIELDS),
    )?;
    Ok(())
}

fn create(folder: &Path, name: &str) -> anyhow::Result<BufWriter<File>> {
    let path = folder.join(name);
    Ok(BufWriter::new(
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))?,
    ))
}

fn person(index: u32, today: NaiveDate) -> Person {
    let mut person = Person::new(index, today);
    person.operator = index % OPERATOR_EVERY == 7;
    person
}

/// What stands above the people in the directory.
fn top() -> String {
    format!(
        "dn: {BASE}\nobjectClass: domain\ndc: noorderlicht\n\n\
         dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n\
         userPassword: {PASSWORD}\n\n\
         dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
    )
}

const CSV_SOURCE: &str = r#"  - name: hr
    type: csv
    path: hr.csv
    delimiter: ";"
    key: Personnel number
    role: authoritative
"#;

const CSV_FIELDS: &str = r#"  surName: "{{ hr['Last name'] }}"
  firstName: "{{ hr['First name'] }}"
  prefixes: "{{ hr.Prefix }}"
  jobTitle: "{{ hr.Function }}"
  email: "{{ hr.Mail | lower }}"
  tasLoginName: "{{ hr.Login | lower }}"
  phoneNumber: "{{ hr.Phone }}"
  branch: { value: "{{ hr.Site }}", missing: hold }
  department: { value: "{{ hr.Department }}", missing: create }
  manager: { key: "{{ hr['Manager number'] }}" }

lifecycle:
  leaver: { when: "{{ hr['End date'] | date('%d-%m-%Y') < today }}", after: 1d }
"#;

const LDAP_SOURCE: &str = r#"  - name: ad
    type: ldap
    url: URL
    bind_dn: READER
    password: { file: password }
    base: ou=people,BASE
    filter: (objectClass=inetOrgPerson)
    page_size: 1000
    key: employeeID
    anchor: objectGUID
    role: authoritative
"#;

const LDAP_FIELDS: &str = r#"  surName: "{{ ad.sn }}"
  firstName: "{{ ad.givenName }}"
  jobTitle: "{{ ad.title }}"
  email: "{{ ad.mail | lower }}"
  tasLoginName: "{{ ad.sAMAccountName | lower }}"
  phoneNumber: "{{ ad.telephoneNumber }}"
  branch: { value: "{{ ad.l }}", missing: hold }
  department: { value: "{{ ad.department }}", missing: create }
  manager: { dn: "{{ ad.manager }}" }

lifecycle:
  leaver: { when: "{{ ad.userAccountControl | ad_disabled }}", after: 1d }
"#;

fn configuration(sandbox: &str, name: &str, source: &str, fields: &str) -> String {
    format!(
        "topdesk:\n  url: {sandbox}\n  username: api-cardsync\n  password: {{ file: password }}\n  \
         archiving_reason: {ARCHIVING_REASON}\n  requests_per_second: 1000\n\n\
         timezone: Europe/Amsterdam\n\n\
         sources:\n{source}\n\
         key: {{ card_field: employeeNumber, normalize: [trim] }}\n\n\
         fields:\n{fields}\n\
         create: {{ hasSspAccess: true, isCaller: true }}\n\n\
         store: {{ sqlite: {name}.db }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_configurations_are_valid_and_the_files_hold_everybody() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 200, "http://127.0.0.1:8480", "ldap://127.0.0.1:3890").unwrap();
        for name in ["csv.yaml", "ldap.yaml"] {
            crate::app::environment::Environment::load(&folder.path().join(name)).unwrap();
        }
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("hr.csv").lines().count(), 201);
        assert_eq!(text("people.ldif").matches("employeeID: ").count(), 200);
        assert_eq!(text("seed.json").matches("linkedPerson").count(), 4);
    }
}
