//! What the directory of a scenario answers: the rows of a file, whole or not.
//!
//! The first column of the file is the entry's DN, the others are attributes named in the first row. `whole`: all rows.
//! `zero`: success and nobody. `size_limit`, `time_limit`, `cut`: half of the rows, then that. `reference`: all rows, and a
//! part that another server has. `range`: all rows, of the last one not all values of `mail`.

use crate::support::hostile_ldap::{Script, Step};
use ldap3_proto::proto::LdapResultCode;

pub fn script(how: &str, rows: &str) -> Script {
    let mut entries = entries(rows);
    let half = entries.len() / 2;
    match how {
        "whole" => entries.push(Step::Page(b"")),
        "zero" => entries = vec![Step::Page(b"")],
        "size_limit" | "time_limit" => {
            entries.truncate(half);
            let code = if how == "size_limit" {
                LdapResultCode::SizeLimitExceeded
            } else {
                LdapResultCode::TimeLimitExceeded
            };
            entries.push(Step::Done(code, ""));
        }
        "cut" => {
            entries.truncate(half);
            entries.push(Step::Cut);
        }
        "reference" => {
            entries.push(Step::Reference(vec![
                "ldap://child.example.net/DC=child,DC=example,DC=net",
            ]));
            entries.push(Step::Page(b""));
        }
        "range" => {
            if let Some(Step::Row(_, attributes)) = entries.last_mut() {
                for (name, _) in attributes.iter_mut().filter(|(name, _)| name == "mail") {
                    name.push_str(";range=0-0");
                }
            }
            entries.push(Step::Page(b""));
        }
        unknown => panic!("the directory cannot answer '{unknown}'"),
    }
    Script::searches(vec![entries])
}

fn entries(rows: &str) -> Vec<Step> {
    let mut lines = rows
        .lines()
        .map(|line| line.split(';').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().expect("a row of names");
    let entry = |values: Vec<String>| {
        let mut pairs = names.iter().cloned().zip(values).filter(|(_, value)| !value.is_empty());
        let (_, dn) = pairs.next().expect("a DN");
        Step::Row(dn, pairs.collect())
    };
    lines.map(entry).collect()
}
