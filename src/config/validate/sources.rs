//! Sources: names, authority, expectations. What one kind alone has is checked with its options.

use super::is_blank;
use crate::config::problem::Fault;
use crate::config::source::At;
use crate::config::units::Span;
use crate::config::{Canaries, CanariesAtLeast, Config, SourceConfig, suggest};
use crate::core::reads::snapshot::Role;
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

pub fn names(config: &Config, faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (n, source) in config.sources.iter().enumerate() {
        let name = source.common().name;
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let message = format!("'{name}' cannot be the first word of an expression");
            let cure = "use letters, digits and _ and begin with a letter, e.g. hr";
            faults.push(Fault::new(At(n).option("name"), message, cure));
        } else if name == "topdesk" {
            let message = "'topdesk' is the name of the read of TOPdesk itself in reports and in the state".to_owned();
            faults.push(Fault::new(
                At(n).option("name"),
                message,
                "choose another name, e.g. hr",
            ));
        } else if RESERVED.contains(&name) {
            let message = format!("'{name}' has a meaning of its own in expressions");
            faults.push(Fault::new(
                At(n).option("name"),
                message,
                format!("choose another name, e.g. {name}_source"),
            ));
        }
        if let Some(first) = seen.insert(name, n) {
            let message = format!("'{name}' is also the name of sources[{first}]");
            faults.push(Fault::new(
                At(n).option("name"),
                message,
                "give every source a name of its own",
            ));
        }
        if is_blank(source.common().key) {
            faults.push(Fault::new(
                At(n).option("key"),
                "is blank",
                "write the column or attribute that holds the key",
            ));
        }
        if source.common().anchor.is_some_and(is_blank) {
            faults.push(Fault::new(
                At(n).option("anchor"),
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
        let path = At(n).option("same_people_as");
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
                At(n).option("expect.max_age"),
                "is zero: every file would be too old",
                cure,
            ));
        }
        for (i, group) in expect.groups.iter().flatten().enumerate() {
            if is_blank(group) || group == source.common().key {
                let cure = "name an attribute whose values many people share, such as a department";
                faults.push(Fault::new(
                    format!("{}[{i}]", At(n).option("expect.groups")),
                    "is no group: it is blank, or the key",
                    cure,
                ));
            }
        }
        let path = At(n).option("expect.canaries");
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

/// What each kind of source says of the options that it alone has.
pub fn of_each_kind(config: &Config, faults: &mut Vec<Fault>) {
    for (n, source) in config.sources.iter().enumerate() {
        source.options().check(&At(n), faults);
    }
}
