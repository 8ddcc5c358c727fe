//! Sources: names, authority, expectations, files and directories.

use super::is_blank;
use crate::config::address::{LdapTransport, ldap_server};
use crate::config::problem::Fault;
use crate::config::units::Span;
use crate::config::{
    Canaries, CanariesAtLeast, Config, CsvConfig, LdapConfig, OneOrMany, RowsConfig, SourceConfig, suggest,
};
use crate::domain::snapshot::Role;
use encoding_rs::Encoding;
use std::collections::{BTreeMap, BTreeSet};

/// Words that mean something in an expression and so cannot be the name of a source.
const RESERVED: &[&str] = &[
    "and",
    "as",
    "autoescape",
    "block",
    "break",
    "call",
    "caller",
    "context",
    "continue",
    "debug",
    "dict",
    "do",
    "elif",
    "else",
    "endautoescape",
    "endblock",
    "endcall",
    "endfilter",
    "endfor",
    "endif",
    "endmacro",
    "endraw",
    "endset",
    "endwith",
    "extends",
    "false",
    "False",
    "filter",
    "for",
    "from",
    "if",
    "import",
    "in",
    "include",
    "is",
    "loop",
    "macro",
    "namespace",
    "none",
    "None",
    "not",
    "now",
    "null",
    "or",
    "range",
    "raw",
    "recursive",
    "self",
    "set",
    "super",
    "today",
    "true",
    "True",
    "with",
    "without",
];

pub(super) fn at(n: usize, option: &str) -> String {
    format!("sources[{n}].{option}")
}

pub fn names(config: &Config, faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (n, source) in config.sources.iter().enumerate() {
        let name = source.common().name;
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let message = format!("'{name}' cannot be the first word of an expression");
            let cure = "use letters, digits and _ and begin with a letter, e.g. hr";
            faults.push(Fault::new(at(n, "name"), message, cure));
        } else if name == "topdesk" {
            let message = "'topdesk' is the name of the read of TOPdesk itself in reports and in the state".to_owned();
            faults.push(Fault::new(at(n, "name"), message, "choose another name, e.g. hr"));
        } else if RESERVED.contains(&name) {
            let message = format!("'{name}' has a meaning of its own in expressions");
            faults.push(Fault::new(
                at(n, "name"),
                message,
                format!("choose another name, e.g. {name}_source"),
            ));
        }
        if let Some(first) = seen.insert(name, n) {
            let message = format!("'{name}' is also the name of sources[{first}]");
            faults.push(Fault::new(
                at(n, "name"),
                message,
                "give every source a name of its own",
            ));
        }
        if is_blank(source.common().key) {
            faults.push(Fault::new(
                at(n, "key"),
                "is blank",
                "write the column or attribute that holds the key",
            ));
        }
        if source.common().anchor.is_some_and(is_blank) {
            faults.push(Fault::new(
                at(n, "anchor"),
                "is blank",
                "write an attribute, or take the option out",
            ));
        }
    }
}

pub fn authority(config: &Config, faults: &mut Vec<Fault>) {
    if config.sources.is_empty() {
        faults.push(Fault::new(
            "sources",
            "there is no source",
            "add at least one with 'role: authoritative'",
        ));
    } else if config.sources.iter().all(|source| source.common().role == Role::Enrich) {
        let cure = "give the source that lists everybody 'role: authoritative'";
        faults.push(Fault::new("sources", "no source decides who exists", cure));
    }
}

pub fn same_people(config: &Config, faults: &mut Vec<Fault>) {
    let common: Vec<_> = config.sources.iter().map(SourceConfig::common).collect();
    for (n, source) in common.iter().enumerate() {
        let Some(other) = source.same_people_as else { continue };
        let path = at(n, "same_people_as");
        if source.role == Role::Enrich {
            let cure = "take the option out: a source that enriches is joined on the key anyway";
            faults.push(Fault::new(path, "is for authoritative sources", cure));
            continue;
        }
        match common.iter().find(|known| known.name == other) {
            _ if other == source.name => {
                faults.push(Fault::new(
                    path,
                    "names the source itself",
                    "name the other authoritative source",
                ));
            }
            None => {
                let known: Vec<&str> = common
                    .iter()
                    .map(|known| known.name)
                    .filter(|name| *name != source.name)
                    .collect();
                let cure = if known.is_empty() {
                    "there is no other source; take the option out".to_owned()
                } else {
                    suggest::cure(other, &known)
                };
                faults.push(Fault::new(path, format!("there is no source '{other}'"), cure));
            }
            Some(known) if known.role == Role::Enrich => {
                let message = format!("'{other}' is not authoritative");
                faults.push(Fault::new(
                    path,
                    message,
                    "name another authoritative source, or take the option out",
                ));
            }
            Some(_) => {}
        }
    }
}

pub fn expectations(config: &Config, faults: &mut Vec<Fault>) {
    for (n, source) in config.sources.iter().enumerate() {
        let expect = source.common().expect;
        if expect.max_age == Some(Span::seconds(0)) {
            let cure = "write a time such as 26h, or take the option out";
            faults.push(Fault::new(
                at(n, "expect.max_age"),
                "is zero: every file would be too old",
                cure,
            ));
        }
        for (i, group) in expect.groups.iter().flatten().enumerate() {
            if is_blank(group) || group == source.common().key {
                let cure = "name an attribute whose values many people share, such as a department";
                faults.push(Fault::new(
                    format!("{}[{i}]", at(n, "expect.groups")),
                    "is no group: it is blank, or the key",
                    cure,
                ));
            }
        }
        let path = at(n, "expect.canaries");
        match &expect.canaries {
            None => {}
            Some(Canaries::Keys(keys)) => {
                canary_keys(&path, keys, faults);
                if keys.len() == 1 {
                    let message = "a bare list asks for all but one of its keys, here for none";
                    let cure = format!("write {{ keys: [\"{}\"], at_least: 1 }} or more keys", keys[0]);
                    faults.push(Fault::new(path, message, cure));
                }
            }
            Some(Canaries::AtLeast(CanariesAtLeast { keys, at_least })) => {
                canary_keys(&format!("{path}.keys"), keys, faults);
                if !keys.is_empty() && !(1..=keys.len()).contains(at_least) {
                    let message = format!("{at_least} is not between 1 and the number of keys, {}", keys.len());
                    faults.push(Fault::new(format!("{path}.at_least"), message, ""));
                }
            }
        }
    }
}

fn canary_keys(path: &str, keys: &[String], faults: &mut Vec<Fault>) {
    if keys.is_empty() {
        let cure = "list keys of people who are certainly there, or take the option out";
        faults.push(Fault::new(path, "has no keys", cure));
    }
    let mut seen = BTreeSet::new();
    for (n, key) in keys.iter().enumerate() {
        if is_blank(key) {
            faults.push(Fault::new(format!("{path}[{n}]"), "is blank", "write a key"));
        } else if !seen.insert(key) {
            faults.push(Fault::new(
                format!("{path}[{n}]"),
                "stands twice in the list",
                "keep one",
            ));
        }
    }
}

pub fn files(config: &Config, faults: &mut Vec<Fault>) {
    for (n, source) in config.sources.iter().enumerate() {
        let path = match source {
            SourceConfig::Csv(csv) => {
                csv_format(n, csv, faults);
                &csv.path
            }
            SourceConfig::Ldif(ldif) => &ldif.path,
            SourceConfig::Ldap(_) => continue,
        };
        if is_blank(&path.to_string_lossy()) {
            faults.push(Fault::new(at(n, "path"), "is blank", "write the path of the file"));
        }
        let folder = path.parent().map(|folder| folder.to_string_lossy().into_owned());
        if folder.is_some_and(|folder| folder.contains(['*', '?'])) {
            let cure = "write the folder as it is called; only the name of the file may be a pattern";
            faults.push(Fault::new(at(n, "path"), "has * or ? in the name of a folder", cure));
        }
    }
}

fn csv_format(n: usize, csv: &CsvConfig, faults: &mut Vec<Fault>) {
    let one_character = csv.delimiter.len() == 1 && csv.delimiter.is_ascii();
    if csv.delimiter != "tab" && (!one_character || matches!(csv.delimiter.as_str(), "\"" | "\n" | "\r" | "\0")) {
        let message = format!("'{}' is not one plain character", csv.delimiter.escape_default());
        faults.push(Fault::new(
            at(n, "delimiter"),
            message,
            "write e.g. \",\" or \";\" or tab",
        ));
    }
    match Encoding::for_label(csv.encoding.as_bytes()) {
        Some(encoding) if encoding != encoding_rs::REPLACEMENT => {}
        _ => {
            const COMMON: [&str; 6] = [
                "utf-8",
                "utf-16le",
                "utf-16be",
                "windows-1252",
                "iso-8859-1",
                "iso-8859-15",
            ];
            let message = format!("'{}' is not a known encoding", csv.encoding);
            let cure = match suggest::nearest(&csv.encoding, COMMON) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => "utf-8 and windows-1252 are the usual ones".to_owned(),
            };
            faults.push(Fault::new(at(n, "encoding"), message, cure));
        }
    }
    for word in &csv.blank {
        if is_blank(word) || word.trim() != word {
            let message = format!("'{}' is blank or has blanks around it", word.escape_debug());
            let cure = "write the word alone, in quotes; empty cells are blank anyway";
            faults.push(Fault::new(at(n, "blank"), message, cure));
        }
    }
    match &csv.rows {
        RowsConfig::Per(per) if is_blank(&per.current) => {
            let cure = "write the condition that makes a row the current contract";
            faults.push(Fault::new(at(n, "rows.current"), "is blank", cure));
        }
        RowsConfig::Per(per) => {
            let main = per.main.as_ref().map_or(&[][..], |main| main.as_slice());
            if per.main.is_some() && (main.is_empty() || main.iter().any(|text| is_blank(text))) {
                let cure =
                    "write what makes one of several current rows lead, e.g. \"{{ hr.FTE | number }}\", or take it out";
                faults.push(Fault::new(at(n, "rows.main"), "is blank", cure));
            }
        }
        RowsConfig::OnePerPerson => {}
    }
}

pub fn directories(config: &Config, faults: &mut Vec<Fault>) {
    for (n, source) in config.sources.iter().enumerate() {
        match source {
            SourceConfig::Ldap(ldap) => {
                servers(n, ldap, faults);
                search(n, ldap, faults);
            }
            SourceConfig::Csv(_) | SourceConfig::Ldif(_) => {}
        }
    }
}

fn servers(n: usize, ldap: &LdapConfig, faults: &mut Vec<Fault>) {
    let urls = ldap.url.as_slice();
    if urls.is_empty() {
        faults.push(Fault::new(
            at(n, "url"),
            "is an empty list",
            "write at least one ldaps:// address",
        ));
    }
    let mut transports = Vec::new();
    for (i, text) in urls.iter().enumerate() {
        match ldap_server(text, ldap) {
            Ok((_, transport)) => transports.push(transport),
            Err(error) => {
                let path = match &ldap.url {
                    OneOrMany::One(_) => at(n, "url"),
                    OneOrMany::Many(_) => format!("{}[{i}]", at(n, "url")),
                };
                faults.push(Fault::new(path, error.message, error.cure));
            }
        }
    }
    let all_tls = !transports.is_empty() && transports.iter().all(|t| *t == LdapTransport::Tls);
    if all_tls && transports.len() == urls.len() && ldap.starttls == Some(true) {
        let cure = "ldaps:// is encrypted already; take the option out, or write ldap://";
        faults.push(Fault::new(at(n, "starttls"), "has no use with ldaps://", cure));
    }
    if ldap.plaintext.is_some() && ldap.starttls == Some(true) {
        let cure = "take out 'plaintext' to be encrypted, or 'starttls' to be not";
        faults.push(Fault::new(at(n, "plaintext"), "contradicts 'starttls: true'", cure));
    } else if ldap.plaintext.is_some() && all_tls && transports.len() == urls.len() {
        faults.push(Fault::new(
            at(n, "plaintext"),
            "has no use with ldaps://",
            "take the option out",
        ));
    }
    for (option, time) in [
        ("connect_timeout", ldap.connect_timeout),
        ("page_timeout", ldap.page_timeout),
        ("total_timeout", ldap.total_timeout),
    ] {
        if time == Span::seconds(0) {
            faults.push(Fault::new(
                at(n, option),
                "is zero: every read would fail",
                "write a time such as 60s",
            ));
        }
    }
}

fn search(n: usize, ldap: &LdapConfig, faults: &mut Vec<Fault>) {
    if is_blank(&ldap.bind_dn) {
        let message =
            "is blank: cardsync never binds anonymously, because what an anonymous reader sees can shrink unnoticed";
        let cure = "write the DN, user principal name or DOMAIN\\user of an account that may read these people and nothing else";
        faults.push(Fault::new(at(n, "bind_dn"), message, cure));
    }
    if ldap.ca_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        faults.push(Fault::new(
            at(n, "ca_file"),
            "is blank",
            "write a path, or take the option out",
        ));
    }
    if ldap.base.as_slice().is_empty() || ldap.base.as_slice().iter().any(|base| is_blank(base)) {
        faults.push(Fault::new(
            at(n, "base"),
            "is blank",
            "write a DN such as OU=People,DC=example,DC=net",
        ));
    }
    if let Some(message) = filter_fault(&ldap.filter) {
        faults.push(Fault::new(
            at(n, "filter"),
            message,
            "write it as (&(objectClass=person)(mail=*))",
        ));
    }
    if !(1..=5000).contains(&ldap.page_size) {
        let message = format!("{} is not between 1 and 5000", ldap.page_size);
        faults.push(Fault::new(at(n, "page_size"), message, "500 is a good number"));
    }
}

/// What is wrong with the brackets of a filter. Literal brackets are written `\28` and `\29` there, so counting is enough.
fn filter_fault(filter: &str) -> Option<String> {
    let filter = filter.trim();
    if !filter.starts_with('(') {
        return Some("does not begin with (".to_owned());
    }
    let mut depth = 0i64;
    for (at, c) in filter.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 || (depth == 0 && at + 1 < filter.len()) {
            return Some(format!(
                "goes on after its last bracket, at character {}",
                filter[..=at].chars().count() + 1
            ));
        }
    }
    (depth > 0).then(|| format!("has {depth} open bracket(s) too many"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_filters_balance() {
        for good in ["(a=b)", "(&(a=b)(!(c=d)))", " (cn=M\\28x\\29) ", "(cn=é)"] {
            assert_eq!(filter_fault(good), None, "{good}");
        }
        for bad in ["", "a=b", "(a=b", "(a=b))", "(a=b)(c=d)", ")(", "(&(a=b)(c=d)"] {
            assert!(filter_fault(bad).is_some(), "{bad}");
        }
    }
}
