//! The meaning of a configuration: what the types cannot say. Every check looks at everything it can and reports all it
//! finds. Pure but for one thing: nothing here opens a file, resolves a name or reads a secret; that is `check`'s work.
//!
//! The syntax of expressions is checked where they are compiled.

mod anonymize;
mod fields;
mod limits;
mod no_people;
mod sources;
mod target;

pub(super) use self::target::place_of_secret;

use super::Config;
use super::problem::Fault;
use crate::core::model::field::CardField;

/// One check: what it looks at, and which parts of the file must be right for its answer to mean something.
struct Check {
    name: &'static str,
    needs: &'static [&'static str],
    run: fn(&Config, &mut Vec<Fault>),
}

const fn check(name: &'static str, needs: &'static [&'static str], run: fn(&Config, &mut Vec<Fault>)) -> Check {
    Check { name, needs, run }
}

/// All checks. The order does not matter: problems are told by line.
const CHECKS: &[Check] = &[
    check("topdesk address and account", &[], target::topdesk),
    check("pacing", &[], target::pacing),
    check("time zone", &[], target::timezone),
    check("secrets have a place", &[], target::secrets),
    check("store and notify", &[], target::surroundings),
    check("source names", &[], sources::names),
    check("somebody decides who exists", &["sources"], sources::authority),
    check("sources of the same people", &["sources"], sources::same_people),
    check("expectations", &[], sources::expectations),
    check("what is no person", &[], no_people::no_people),
    check("references", &[], no_people::references),
    check("what each kind of source has", &[], sources::of_each_kind),
    check("key", &[], fields::key),
    check("date of birth", &["key"], fields::birth_date),
    check("key field is not mapped", &["key"], fields::key_is_not_mapped),
    check("surname is mapped", &["fields", "key"], fields::surname_is_mapped),
    check("field options", &[], fields::options),
    check("conditions", &[], limits::conditions),
    check("lifecycle", &[], limits::lifecycle),
    check("anonymization", &["key"], anonymize::anonymize),
    check("budgets", &[], limits::budgets),
    check("protected people", &[], limits::protect),
    check("schedule", &[], limits::schedule),
    check("retention", &[], limits::retention),
];

/// Everything that is wrong with the meaning. `doubtful` are paths whose values are stand-ins: what a check says about
/// those, or concludes from them, is left out. `more` are checks of others; they rest on the names of the sources.
pub fn faults(config: &Config, doubtful: &[String], more: &dyn Fn(&Config) -> Vec<Fault>) -> Vec<Fault> {
    let mut all = Vec::new();
    let source_unsure = |path: &String| touches("sources", path) && (!path.contains('.') || path.ends_with(".name"));
    if !doubtful.iter().any(source_unsure) {
        all.extend(more(config));
    }
    for Check { name, needs, run } in CHECKS {
        if needs.iter().any(|part| doubtful.iter().any(|path| touches(part, path))) {
            continue;
        }
        let before = all.len();
        run(config, &mut all);
        debug_assert!(
            all[before..].iter().all(|fault| !fault.path.is_empty()),
            "the check '{name}' names an option with every fault"
        );
    }
    all.retain(|fault| !doubtful.iter().any(|path| touches(path, &fault.path)));
    all
}

/// Whether one path is the other or contains it.
fn touches(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    long.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']) || short.is_empty())
}

/// Why everything that writes (`run`, `apply`, the daemon) refuses the key; `None` when it is a key to rely on (RULES 1.2).
/// Not a fault of the file: `plan`, `audit`, `explain` and `rekey` accept every field, to show the harm.
pub fn key_refusal(config: &Config) -> Option<String> {
    let name = &config.key.card_field;
    let field = CardField::from_name(name)?;
    const CURE: &str = "use employeeNumber as key.card_field; `plan` accepts this key, to look";
    if field == CardField::Email || field.is_name() {
        return Some(format!(
            "the key '{name}' changes in life: a marriage or a new mail domain would make one person look like two; {CURE}"
        ));
    }
    if field.is_login() && !config.key.immutable {
        return Some(format!(
            "the key '{name}' is a login, and logins change and are used again; {CURE}, or state with `key: {{ immutable: true }}` \
             that logins here never change and are never used again"
        ));
    }
    None
}

pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
