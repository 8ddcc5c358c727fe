//! What of a source is no person, and where nobody of it is: `skip`, `exclude`, `harmless_references`.

use super::is_blank;
use crate::config::Config;
use crate::config::problem::Fault;
use crate::config::source::At;
use crate::core::model::dn::Dn;

/// References that a human names as harmless.
pub fn references(config: &Config, faults: &mut Vec<Fault>) {
    for (n, source) in config.sources.iter().enumerate() {
        let names = source.common().harmless_references;
        for (i, name) in names.iter().enumerate() {
            let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
            if Dn::parse(name).is_none() && (is_blank(name) || !name.trim().chars().all(is_host)) {
                let path = format!("{}[{i}]", At(n).option("harmless_references"));
                let message = format!("'{name}' is neither a host nor a DN");
                let cure = "write e.g. child.example.net or DC=child,DC=example,DC=net, without ldap://";
                faults.push(Fault::new(path, message, cure));
            }
        }
    }
}

/// What is no person: `skip` and `exclude`.
pub fn no_people(config: &Config, faults: &mut Vec<Fault>) {
    for (n, source) in config.sources.iter().enumerate() {
        let common = source.common();
        if common.skip.is_some_and(is_blank) {
            let cure = "write a condition over one record, or take the option out";
            faults.push(Fault::new(At(n).option("skip"), "is blank", cure));
        }
        let bases: Vec<Dn> = common.bases.iter().filter_map(|base| Dn::parse(base)).collect();
        for (i, text) in common.exclude.iter().enumerate() {
            let path = format!("{}[{i}]", At(n).option("exclude"));
            let Some(unit) = Dn::parse(text) else {
                let message = format!("'{text}' is not the name of an entry");
                faults.push(Fault::new(path, message, "write it like OU=Service,DC=example,DC=net"));
                continue;
            };
            if bases.iter().any(|base| base.is_within(&unit)) {
                let message = format!("'{text}' takes a whole base out");
                faults.push(Fault::new(
                    path,
                    message,
                    "name units below base, or take that base out",
                ));
            } else if !bases.is_empty() && !bases.iter().any(|base| unit.is_within(base)) {
                let message = format!("'{text}' lies outside base, so that nothing of it is read anyway");
                faults.push(Fault::new(path, message, "correct the name, or take it out"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of these options of an LDAP source with the base OU=People,DC=x.
    fn told(options: &str) -> Vec<(String, String)> {
        let text = include_str!("../../../config/openldap.yaml");
        let mut config: Config = serde_yaml::from_str(text).expect("a sample");
        let source = format!(
            "{{ name: ad, type: ldap, url: 'ldaps://dc1', bind_dn: 'cn=x', password: {{ env: P }}, base: 'OU=People,DC=x', \
             key: id, role: authoritative, {options} }}"
        );
        config.sources = vec![serde_yaml::from_str(&source).expect("a source")];
        let mut faults = Vec::new();
        no_people(&config, &mut faults);
        references(&config, &mut faults);
        faults.into_iter().map(|fault| (fault.path, fault.message)).collect()
    }

    #[test]
    fn names_that_take_nothing_or_everything_out_are_refused() {
        assert_eq!(
            told("exclude: ['ou=rooms, ou=people, dc=X'], skip: \"ad.id == 'x'\""),
            []
        );
        for (options, path, words) in [
            (
                "exclude: ['Rooms']",
                "sources[0].exclude[0]",
                "not the name of an entry",
            ),
            (
                "exclude: ['OU=a,OU=People,DC=x', 'DC=x']",
                "sources[0].exclude[1]",
                "a whole base",
            ),
            ("exclude: ['OU=Rooms,DC=x']", "sources[0].exclude[0]", "outside base"),
            ("skip: ' '", "sources[0].skip", "blank"),
            (
                "harmless_references: ['ldap://dc2/']",
                "sources[0].harmless_references[0]",
                "neither a host nor a DN",
            ),
        ] {
            let found = told(options);
            assert!(
                matches!(found.as_slice(), [(at, message)] if at == path && message.contains(words)),
                "{options}: {found:?}"
            );
        }
        assert_eq!(
            told("harmless_references: ['child.example.net:389', 'DC=child,DC=x', '[::1]']"),
            []
        );
    }
}
