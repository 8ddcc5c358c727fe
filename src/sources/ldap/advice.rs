//! What `check` should warn about before anything is read. Pure: the configuration alone.

use super::address::{Encryption, Server};
use super::answer::is_a_name;
use super::schema::tests;
use crate::config::LdapConfig;
use crate::core::model::dn::Dn;
use crate::core::reads::snapshot::{Effect, Finding};

/// Active Directory gives at most so many entries per page, and OpenLDAP refuses larger pages than its limit.
const USUAL_LARGEST_PAGE: u32 = 1000;

/// First RDNs of accounts that may do everything.
const ALMIGHTY: [&str; 6] = [
    "cn=admin",
    "cn=manager",
    "cn=root",
    "cn=administrator",
    "cn=directory manager",
    "administrator@",
];

/// Every warning, in a stable order.
pub(super) fn advice(config: &LdapConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut warn = |code: &str, message: String, cure: &str| {
        findings.push(Finding::new(code, Effect::Note, message, cure));
    };
    let name = &config.name;

    if tests(&config.filter)
        .iter()
        .any(|(tested, _)| tested.eq_ignore_ascii_case(&config.key))
    {
        warn(
            "filter_tests_key",
            format!(
                "source '{name}': the filter tests the key '{}', so people who lost their key look gone instead of keyless",
                config.key
            ),
            "take the test of the key out of the filter: keyless people are the warning sign of a half-filled directory",
        );
    }
    let bind_dn = config.bind_dn.trim().to_ascii_lowercase();
    if !is_a_name(&bind_dn) {
        warn(
            "bind_dn_form",
            format!(
                "source '{name}': bind_dn '{}' is neither a DN nor user@domain nor DOMAIN\\user",
                config.bind_dn
            ),
            "write it in one of these forms; most servers refuse any other name",
        );
    } else if ALMIGHTY.iter().any(|start| bind_dn.starts_with(start)) || bind_dn.ends_with("\\administrator") {
        warn(
            "almighty_bind",
            format!(
                "source '{name}': '{}' looks like an account that may change everything",
                config.bind_dn
            ),
            "use an account that may read these people and nothing else",
        );
    }
    for server in config
        .url
        .as_slice()
        .iter()
        .filter_map(|url| Server::parse(url, config).ok())
    {
        if server.encryption == Encryption::Plaintext && !server.is_loopback() {
            warn(
                "plaintext",
                format!("source '{name}': the password and all data travel unencrypted to {server}"),
                "use ldaps:// or starttls: true and take 'plaintext: allowed' out",
            );
        }
    }
    if config.page_size == 0 || config.page_size > USUAL_LARGEST_PAGE {
        warn(
            "page_size",
            format!(
                "source '{name}': page_size {} is not what servers usually allow",
                config.page_size
            ),
            "use 100 to 1000: Active Directory cuts pages at 1000, OpenLDAP refuses pages above its limit",
        );
    }
    for (lower, upper) in nested(config.base.as_slice()) {
        warn(
            "bases_overlap",
            format!(
                "source '{name}': the base '{lower}' lies below '{upper}', so that its people come twice and the read is rejected"
            ),
            "leave out the lower base",
        );
    }
    findings
}

/// Pairs of bases of which the first lies below the second or equals it.
fn nested(bases: &[String]) -> Vec<(&str, &str)> {
    let names: Vec<(&str, Dn)> = bases
        .iter()
        .filter_map(|base| Some((base.as_str(), Dn::parse(base)?)))
        .collect();
    let mut found = Vec::new();
    for (i, (lower, lower_dn)) in names.iter().enumerate() {
        for (j, (upper, upper_dn)) in names.iter().enumerate() {
            let equal_seen = lower_dn == upper_dn && i < j;
            if i != j && lower_dn.is_within(upper_dn) && !equal_seen {
                found.push((*lower, *upper));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OneOrMany, Plaintext};
    use crate::sources::ldap::tests::config;

    fn codes(config: &LdapConfig) -> Vec<String> {
        advice(config).into_iter().map(|finding| finding.code.into()).collect()
    }

    #[test]
    fn a_sound_configuration_gives_no_advice() {
        assert!(codes(&config()).is_empty());
    }

    #[test]
    fn a_filter_that_tests_the_key_is_warned_about_and_one_that_does_not_is_not() {
        let mut config = config();
        for tests in [
            "(employeeID=*)",
            "(&(objectClass=user)(!(employeeid=0)))",
            "(employeeID;lang-nl>=1)",
            "(employeeID:caseExactMatch:=x)",
            "( employeeID =1)",
        ] {
            config.filter = tests.into();
            assert_eq!(codes(&config), ["filter_tests_key"], "{tests}");
        }
        for other in [
            "(employeeIDs=*)",
            "(cn=employeeID)",
            "(cn=\\28employeeID=x\\29)",
            "(objectClass=*)",
        ] {
            config.filter = other.into();
            assert!(codes(&config).is_empty(), "{other}");
        }
    }

    #[test]
    fn names_without_a_form_and_almighty_accounts_are_warned_about() {
        let mut config = config();
        config.bind_dn = "reader".into();
        assert_eq!(codes(&config), ["bind_dn_form"]);
        for account in [
            "cn=admin,dc=x",
            "EXAMPLE\\Administrator",
            "Administrator@example.net",
            "cn=Directory Manager",
        ] {
            config.bind_dn = account.into();
            assert_eq!(codes(&config), ["almighty_bind"], "{account}");
        }
    }

    #[test]
    fn unencrypted_travel_large_pages_and_nested_bases_are_warned_about() {
        let mut config = config();
        config.url = OneOrMany::Many(vec!["ldap://dc1.example.net".into(), "ldap://127.0.0.1".into()]);
        config.plaintext = Some(Plaintext::Allowed);
        assert_eq!(codes(&config), ["plaintext"]);
        config.plaintext = None;
        config.page_size = 5000;
        assert_eq!(codes(&config), ["page_size"]);
        config.page_size = 500;
        config.base = OneOrMany::Many(vec!["ou=a, DC=x".into(), "dc=x".into(), "ou=b,dc=y".into()]);
        assert_eq!(codes(&config), ["bases_overlap"]);
        config.base = OneOrMany::Many(vec!["dc=x".into(), "dc=x".into()]);
        assert_eq!(codes(&config), ["bases_overlap"]);
    }
}
