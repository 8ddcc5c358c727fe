//! Who works there before and after the day, and what the company looks like.

use serde_json::{Value, json};

/// The columns of the export.
pub const HEADER: &str = "Nr;Last;First;Mail;Site;Dept;Mgr;Title;Login;End\n";

/// Who works there before.
pub const BEFORE: &[&str] = &[
    "100001;Visser;Jan;j.visser@example.org;Delft;Sales;;Head;jvisser;",
    "100002;Bakker;An;a.bakker@example.org;Delft;Sales;100001;Clerk;abakker;",
    "100003;Vries;Bo;b.vries@example.org;Leiden;Sales;100001;Clerk;bvries;",
    "100004;Smit;Cas;c.smit@example.org;Leiden;Support;100001;Clerk;csmit;",
    "100005;Mulder;Dee;d.mulder@example.org;Delft;Support;;Clerk;dmulder;2026-02-01",
    "100006;Bos;Ed;e.bos@example.org;Delft;Support;;Clerk;ebos;2026-02-01",
    "100007;Dekker;Fay;f.dekker@example.org;Delft;Support;;Clerk;fdekker;",
    "100008;Peters;Gus;g.peters@example.org;Delft;Support;100001;Clerk;gpeters;",
];

/// Who works there after: a marriage, a mover into a new department, two newcomers of whom one leads the other, one whose
/// card lacks its key, two leavers of whom one is an operator, two who come back, one of them an operator, and one who
/// loses title and manager.
pub const AFTER: &[&str] = &[
    "100001;Visser;Jan;j.visser@example.org;Delft;Sales;;Head;jvisser;",
    "100002;Groot;An;a.groot@example.org;Delft;Sales;100001;Clerk;abakker;",
    "100003;Vries;Bo;b.vries@example.org;Leiden;Projects;100009;Clerk;bvries;",
    "100004;Smit;Cas;c.smit@example.org;Leiden;Support;100001;Clerk;csmit;2026-03-01",
    "100005;Mulder;Dee;d.mulder@example.org;Delft;Support;;Lead;dmulder;",
    "100006;Bos;Ed;e.bos@example.org;Delft;Support;;Clerk;ebos;",
    "100007;Dekker;Fay;f.dekker@example.org;Delft;Support;;Clerk;fdekker;2026-03-01",
    "100008;Peters;Gus;g.peters@example.org;Delft;Support;;;gpeters;",
    "100009;Jong;Hal;h.jong@example.org;Delft;Projects;;Head;hjong;",
    "100010;Kok;Ina;i.kok@example.org;Delft;Projects;100009;Clerk;ikok;",
    "100011;Prins;Joy;j.prins@example.org;Leiden;Sales;100001;Clerk;jprins;",
];

/// What stands in TOPdesk before.
pub fn seed() -> Value {
    let person = |nr: &str, last: &str, first: &str, site: &str, dept: &str, title: &str, manager: &str| {
        let initial = first[..1].to_lowercase();
        let mut card = json!({
            "surName": last, "firstName": first, "employeeNumber": nr, "branch": site, "department": dept,
            "jobTitle": title, "email": format!("{initial}.{}@example.org", last.to_lowercase()),
            "tasLoginName": format!("{initial}{}", last.to_lowercase()), "hasSspAccess": true, "isCaller": true,
        });
        if !manager.is_empty() {
            card["manager"] = json!({ "name": manager });
        }
        card
    };
    let mut keyless = person("", "Prins", "Joy", "Leiden", "Sales", "Clerk", "");
    keyless.as_object_mut().unwrap().remove("employeeNumber");
    json!({
        "branches": ["Delft", "Leiden"],
        "departments": ["Sales", "Support"],
        "archivingReasons": ["Out of service"],
        "persons": [
            person("100001", "Visser", "Jan", "Delft", "Sales", "Head", ""),
            person("100002", "Bakker", "An", "Delft", "Sales", "Clerk", "Visser, Jan"),
            person("100003", "Vries", "Bo", "Leiden", "Sales", "Clerk", "Visser, Jan"),
            person("100004", "Smit", "Cas", "Leiden", "Support", "Clerk", "Visser, Jan"),
            person("100005", "Mulder", "Dee", "Delft", "Support", "Clerk", ""),
            person("100006", "Bos", "Ed", "Delft", "Support", "Clerk", ""),
            person("100007", "Dekker", "Fay", "Delft", "Support", "Clerk", ""),
            person("100008", "Peters", "Gus", "Delft", "Support", "Clerk", "Visser, Jan"),
            keyless,
        ],
        "operators": [
            { "surName": "Bos", "firstName": "Ed", "branch": "Delft", "loginName": "OPBOS",
              "linkedPerson": { "employeeNumber": "100006" } },
            { "surName": "Dekker", "firstName": "Fay", "branch": "Delft", "loginName": "OPDEKKER",
              "linkedPerson": { "employeeNumber": "100007" } },
        ],
    })
}

/// Persons, operators and departments, one line each, sorted.
pub type Picture = Vec<String>;

/// The picture of a sandbox's state.
pub fn picture(state: &Value) -> Picture {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Object(of) => of.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    let list = |name: &str, fields: &[&str]| -> Vec<String> {
        state[name]
            .as_array()
            .into_iter()
            .flatten()
            .map(|card| {
                // With plain-text departments there is another field.
                let of = |field: &str| match field {
                    "department" => text(&card[field]) + &text(&card["departmentFree"]),
                    other => text(&card[other]),
                };
                let values: Vec<String> = fields.iter().map(|field| of(field)).collect();
                format!("{name}: {}", values.join("|"))
            })
            .collect()
    };
    let person = [
        "employeeNumber",
        "surName",
        "firstName",
        "email",
        "tasLoginName",
        "branch",
        "department",
        "manager",
        "jobTitle",
        "archived",
    ];
    let mut lines = list("persons", &person);
    lines.extend(list("operators", &["loginName", "surName", "status"]));
    lines.extend(list("departments", &["name"]));
    lines.sort();
    lines
}
