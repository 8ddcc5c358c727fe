//! What a server's result codes mean in words, and what the administrator can do. Pure.
//!
//! Codes: RFC 4511 appendix A; sub codes of Active Directory's bind: the Windows error in hex after `data` (MS-ERREF 2.2).

use super::policy::{AccountState, account_state};
use crate::core::reads::snapshot::{Effect, Finding};
use ldap3::LdapResult;

/// Result codes that say 'ask another server', not 'your question is wrong'.
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
/// Name or password is wrong.
const INVALID_CREDENTIALS: u32 = 49;

/// The search that a server answered with a code other than 0.
pub(super) struct Search<'a> {
    pub server: &'a str,
    pub base: &'a str,
    pub bind_dn: &'a str,
    pub page_size: u32,
    /// Entries of this base that came before the code.
    pub entries: u64,
    /// Pages of this base that came whole.
    pub pages: u64,
}

/// Whether the same question may get a good answer from another server.
pub(super) fn another_server_may_help(code: u32) -> bool {
    matches!(code, BUSY | UNAVAILABLE)
}

/// Whether the bind failed for the account itself, so that every further try only brings its lock-out nearer.
pub(super) fn is_about_the_account(code: u32) -> bool {
    code == INVALID_CREDENTIALS
}

const LOCKED: (&str, &str) = ("the account is locked out", "unlock it, then find what locked it");
const EXPIRED: (&str, &str) = (
    "the password has expired",
    "set a new one, and let this account's password not expire",
);
const MUST_CHANGE: (&str, &str) = (
    "the password must be changed at the next logon",
    "set the password again without that flag",
);

/// Whether a name for the bind has one of the forms that servers know: DN, user principal name, DOMAIN\user.
pub(super) fn is_a_name(bind_dn: &str) -> bool {
    bind_dn.contains(['=', '@', '\\'])
}

/// The bind was refused.
pub(super) fn bind_refused(server: &str, bind_dn: &str, result: &LdapResult) -> Finding {
    let (code, what, cure): (_, String, String) = match result.rc {
        INVALID_CREDENTIALS => {
            let (what, cure) = match (sub_code(&result.text), account_state(&result.ctrls)) {
                (None, Some(AccountState::Locked)) => LOCKED,
                (None, Some(AccountState::PasswordExpired)) => EXPIRED,
                (None, Some(AccountState::MustChange)) => MUST_CHANGE,
                (Some("525"), _) => ("there is no such account", "correct bind_dn"),
                (Some("530"), _) => ("the account may not log on at this hour", "widen its logon hours"),
                (Some("531"), _) => (
                    "the account may not log on from this machine",
                    "widen its 'log on to' list",
                ),
                (Some("532"), _) => EXPIRED,
                (Some("533"), _) => ("the account is disabled", "enable it, or use another one"),
                (Some("701"), _) => ("the account has expired", "extend or clear its expiry date"),
                (Some("773"), _) => MUST_CHANGE,
                (Some("775"), _) => LOCKED,
                (Some("52e"), _) => ("name or password is wrong", "correct bind_dn or the password"),
                _ => (
                    "name or password is wrong",
                    "correct bind_dn or the password; many servers say the same of a locked or expired account",
                ),
            };
            let cure = match is_a_name(bind_dn) {
                true => cure.to_owned(),
                false => format!(
                    "write bind_dn as CN=...,OU=...,DC=..., or for Active Directory as user@domain or DOMAIN\\user: '{bind_dn}' is \
                     none of these; or {cure}"
                ),
            };
            ("bind_refused", what.to_owned(), cure)
        }
        8 => (
            "encryption_demanded",
            "the server accepts a simple bind only on a protected connection".to_owned(),
            "use ldaps:// or starttls: true".to_owned(),
        ),
        13 => (
            "encryption_demanded",
            "the server demands an encrypted connection".to_owned(),
            "use ldaps:// or starttls: true".to_owned(),
        ),
        34 => (
            "bind_dn_malformed",
            "the server cannot read bind_dn".to_owned(),
            "write it as CN=...,OU=...,DC=..., or for Active Directory as user@domain or DOMAIN\\user".to_owned(),
        ),
        48 => (
            "bind_refused",
            "the server accepts no password for this account".to_owned(),
            "use an account with a password".to_owned(),
        ),
        BUSY | UNAVAILABLE => (
            "server_busy",
            "the server is busy".to_owned(),
            "try later, or add a second server to url".to_owned(),
        ),
        53 => (
            "bind_refused",
            "the server is unwilling to accept the bind".to_owned(),
            "check bind_dn and the password; a bind without one of them is refused by many servers".to_owned(),
        ),
        other => (
            "bind_refused",
            format!("the bind ended with {}", name(other)),
            "ask the server's administrator; the server's log says more".to_owned(),
        ),
    };
    Finding::new(
        code,
        Effect::Reject,
        format!(
            "{server} refused the bind as '{bind_dn}' ({}): {what}{}",
            name(result.rc),
            said(result)
        ),
        cure,
    )
}

/// The search, or a page of it, ended with a code other than 0. What was read before is not the whole.
pub(super) fn search_refused(search: &Search<'_>, result: &LdapResult) -> Finding {
    let Search {
        server,
        base,
        bind_dn,
        page_size,
        entries,
        pages,
    } = *search;
    let (code, what, cure): (_, String, String) = match result.rc {
        1 => (
            "operations_error",
            "the server could not do the search".to_owned(),
            "Active Directory says this when the bind was not complete: check bind_dn".to_owned(),
        ),
        3 => (
            "time_limit",
            "the server's time limit stopped the search".to_owned(),
            "narrow the base, index the attributes of the filter, or raise the server's limit (OpenLDAP: time in limits; Active Directory: MaxQueryDuration)".to_owned(),
        ),
        4 => (
            "size_limit",
            format!("the server's size limit stopped the search after {entries} entries"),
            format!(
                "raise the limit for this account (OpenLDAP: limits dn.exact=\"{bind_dn}\" size.soft=unlimited size.hard=unlimited size.prtotal=unlimited), or split base into several"
            ),
        ),
        10 => (
            "referral",
            format!("the server does not hold this base and refers to {}", targets(&result.refs)),
            "use the address of the server that holds it, or correct base".to_owned(),
        ),
        11 if result.text.contains("not allowed") => (
            "admin_limit",
            "the server does not let this account read in pages".to_owned(),
            format!("allow it (OpenLDAP: limits dn.exact=\"{bind_dn}\" size.prtotal=unlimited); without pages a large read cannot be proven whole"),
        ),
        11 if pages == 0 && entries == 0 && result.text.to_ascii_lowercase().contains("page") => (
            "admin_limit",
            format!("page_size {page_size} is above the server's largest page"),
            format!("lower page_size, e.g. to {}, or raise the limit (OpenLDAP: size.pr)", smaller(page_size)),
        ),
        11 if pages == 0 && entries == 0 => (
            "admin_limit",
            format!("an administrative limit of the server refused the search: there are more candidates for the filter than it looks at, or page_size {page_size} is above its largest page"),
            format!("raise the limit for this account or index the attributes of the filter (OpenLDAP: size.unchecked), narrow base; or lower page_size, e.g. to {}", smaller(page_size)),
        ),
        11 => (
            "admin_limit",
            format!("an administrative limit of the server stopped the search after {entries} entries"),
            "raise the limit for this account (OpenLDAP: size.prtotal, size.unchecked; Active Directory: LDAP query policy), or split base into several".to_owned(),
        ),
        12 => (
            "paging_refused",
            "the server does not offer paged results".to_owned(),
            "enable them: without pages a large read cannot be proven whole".to_owned(),
        ),
        13 => (
            "encryption_demanded",
            "the server demands an encrypted connection".to_owned(),
            "use ldaps:// or starttls: true".to_owned(),
        ),
        32 => (
            "no_such_base",
            match result.matched.as_str() {
                "" => "the server has no such base".to_owned(),
                matched => format!(
                    "the server has no such base; what exists of it is '{}'",
                    one_line(matched)
                ),
            },
            "correct base; some servers also hide what the account may not see: check its rights".to_owned(),
        ),
        34 => (
            "base_malformed",
            "the server cannot read the base as a DN".to_owned(),
            "write it like OU=People,DC=example,DC=net".to_owned(),
        ),
        50 => (
            "no_right_to_search",
            format!("'{bind_dn}' may not search there"),
            "give the account the right to read this base".to_owned(),
        ),
        BUSY => (
            "server_busy",
            format!("the server is busy and stopped after {entries} entries"),
            "try later, or add a second server to url".to_owned(),
        ),
        UNAVAILABLE => (
            "server_unavailable",
            format!("the server is shutting down or offline and stopped after {entries} entries"),
            "try later, or add a second server to url".to_owned(),
        ),
        53 => (
            "unwilling",
            format!("the server is unwilling to go on after {entries} entries"),
            "the server's own text says why; often a lost page cookie, a limit, or a filter on an attribute without index".to_owned(),
        ),
        other => (
            "result_code",
            format!("the search ended with {} after {entries} entries", name(other)),
            "the read is not whole and cannot be used; the server's log says more".to_owned(),
        ),
    };
    Finding::new(
        code,
        Effect::Reject,
        format!("{server}, base '{base}': {what} ({}){}", name(result.rc), said(result)),
        cure,
    )
}

/// The references as hosts and bases, at most three.
pub(super) fn targets(references: &[String]) -> String {
    let mut text = references
        .iter()
        .take(3)
        .map(|r| one_line(r))
        .collect::<Vec<_>>()
        .join(", ");
    if text.is_empty() {
        text.push_str("a server that it does not name");
    }
    if references.len() > 3 {
        text.push_str(&format!(" and {} more", references.len() - 3));
    }
    text
}

/// `code 4 sizeLimitExceeded`.
pub(super) fn name(code: u32) -> String {
    let word = match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        16 => "noSuchAttribute",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        80 => "other",
        _ => return format!("code {code}"),
    };
    format!("code {code} {word}")
}

/// What the server itself says, in quotes, on one line and not too long.
pub(super) fn said(result: &LdapResult) -> String {
    match one_line(&result.text) {
        text if text.is_empty() => String::new(),
        text => format!("; the server says '{text}'"),
    }
}

fn one_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned();
    match clean.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &clean[..end]),
        None => clean,
    }
}

/// A page size that common server limits allow.
fn smaller(page_size: u32) -> u32 {
    match page_size {
        0..=100 => 10,
        101..=500 => 100,
        _ => 500,
    }
}

/// `52e` of `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v2580`.
fn sub_code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("data ")?;
    let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    (end > 0).then_some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, matched: &str, text: &str) -> LdapResult {
        LdapResult {
            rc,
            matched: matched.to_owned(),
            text: text.to_owned(),
            refs: Vec::new(),
            ctrls: Vec::new(),
        }
    }

    fn search(entries: u64, pages: u64) -> Search<'static> {
        Search {
            server: "ldaps://dc1.example.net",
            base: "OU=People,DC=example,DC=net",
            bind_dn: "CN=svc,DC=example,DC=net",
            page_size: 1000,
            entries,
            pages,
        }
    }

    #[test]
    fn sub_codes_of_active_directory_are_explained() {
        let text = |code| {
            format!("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v2580")
        };
        for (code, word) in [
            ("525", "no such account"),
            ("52e", "name or password is wrong"),
            ("530", "hour"),
            ("531", "machine"),
            ("532", "password has expired"),
            ("533", "disabled"),
            ("701", "account has expired"),
            ("773", "must be changed"),
            ("775", "locked out"),
            ("999", "name or password is wrong"),
        ] {
            let finding = bind_refused("ldaps://dc1", "svc@example.net", &result(49, "", &text(code)));
            assert!(finding.message.contains(word), "{code}: {}", finding.message);
            assert!(finding.message.contains("ldaps://dc1") && finding.message.contains("svc@example.net"));
            assert_eq!(finding.effect, Effect::Reject);
        }
        let plain = bind_refused("ldaps://dc1", "cn=svc", &result(49, "", ""));
        assert!(
            plain.message.ends_with("name or password is wrong"),
            "{}",
            plain.message
        );
        assert!(plain.cure.contains("locked or expired"), "{}", plain.cure);
        let bare = bind_refused("ldaps://dc1", "reader", &result(49, "", &text("52e")));
        assert!(bare.cure.contains("'reader' is none of these"), "{}", bare.cure);
    }

    #[test]
    fn limits_name_the_limit_and_the_cure() {
        let size = search_refused(&search(500, 1), &result(4, "", ""));
        assert_eq!(&*size.code, "size_limit");
        assert!(size.message.contains("after 500 entries"), "{}", size.message);
        assert!(size.cure.contains("CN=svc,DC=example,DC=net"), "{}", size.cure);

        let page = search_refused(&search(0, 0), &result(11, "", ""));
        assert!(page.message.contains("page_size 1000"), "{}", page.message);
        assert!(page.cure.contains("500"), "{}", page.cure);
        assert!(page.cure.contains("size.unchecked"), "{}", page.cure);
        let too_large = search_refused(&search(0, 0), &result(11, "", "illegal pagedResults page size"));
        assert!(too_large.cure.contains("size.pr)"), "{}", too_large.cure);
        let forbidden = search_refused(&search(0, 0), &result(11, "", "pagedResults control not allowed"));
        assert!(forbidden.cure.contains("size.prtotal"), "{}", forbidden.cure);
        let later = search_refused(&search(3000, 3), &result(11, "", ""));
        assert!(later.message.contains("after 3000 entries"), "{}", later.message);

        let time = search_refused(&search(10, 0), &result(3, "", ""));
        assert!(time.cure.contains("MaxQueryDuration"), "{}", time.cure);
    }

    #[test]
    fn a_wrong_base_says_what_of_it_exists() {
        let finding = search_refused(&search(0, 0), &result(32, "DC=example,DC=net", ""));
        assert!(
            finding.message.contains("OU=People,DC=example,DC=net"),
            "{}",
            finding.message
        );
        assert!(
            finding.message.contains("exists of it is 'DC=example,DC=net'"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn every_code_but_0_rejects_on_one_line() {
        for code in (1..130).chain([4096]) {
            let finding = search_refused(&search(1, 1), &result(code, "", "line one\r\nline two\u{0}"));
            assert_eq!(finding.effect, Effect::Reject, "{code}");
            assert!(!finding.message.contains(char::is_control), "{}", finding.message);
            assert!(finding.message.contains(&code.to_string()), "{}", finding.message);
            assert!(!finding.cure.is_empty());
            let finding = bind_refused("s", "b", &result(code, "", "x\ny"));
            assert_eq!(finding.effect, Effect::Reject, "{code}");
            assert!(!finding.message.contains(char::is_control), "{}", finding.message);
        }
    }

    #[test]
    fn only_busy_servers_are_left_for_another_and_only_a_bad_login_ends_all_tries() {
        let again: Vec<u32> = (0..130).filter(|code| another_server_may_help(*code)).collect();
        assert_eq!(again, [51, 52]);
        assert!(is_about_the_account(49) && !is_about_the_account(53));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(300);
        let said = said(&result(53, "", &text));
        assert!(said.ends_with("...'") && said.chars().count() < 200, "{said}");
    }
}
