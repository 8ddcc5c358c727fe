//! The configuration in the words of the core: what decides a plan, without secrets and addresses.

use super::load::Loaded;
use super::problem::Fault;
use super::suggest;
use super::{BudgetConfig, Canaries, Config, FieldRule, RehireConfig, SspAccess};
use crate::core::model::field::{CardField, FieldKind};
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, KeyReading, KeySpec};
use crate::core::reads::snapshot::{Expectations, Role};
use crate::core::rules::anonymize::AnonymizeBy;
use crate::core::rules::policy::{
    Budget, Budgets, DECISION_VERSION, FieldPolicy, FieldRules, Joiners, MissingEntry, Policy, Protected, WorkLeft,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::collections::{BTreeMap, BTreeSet};

/// The key as configured.
///
/// # Errors
/// Where it is no text field of a person card.
pub fn key_spec(config: &Config) -> Result<KeySpec, Fault> {
    let name = &config.key.card_field;
    let is_text = |field: CardField| matches!(field.kind(), FieldKind::Text { .. });
    let fault = |message: String, cure: String| Err(Fault::new("key.card_field", message, cure));
    const USUAL: &str = "employeeNumber is the usual key";
    match CardField::from_name(name) {
        Some(card_field) if is_text(card_field) => Ok(KeySpec {
            card_field,
            normalise: config.key.normalize.clone(),
            immutable: config.key.immutable,
        }),
        Some(_) => fault(format!("'{name}' is not a text field"), USUAL.to_owned()),
        None => {
            let texts = CardField::all().filter(|field| is_text(*field)).map(CardField::name);
            let texts: Vec<String> = texts.collect();
            let meant = suggest::nearest(name, texts.iter().map(String::as_str));
            let cure = meant.map_or_else(|| USUAL.to_owned(), |meant| format!("did you mean '{meant}'?"));
            fault(format!("'{name}' is not a field of a person card"), cure)
        }
    }
}

/// The zone of 'today', dates and hours.
///
/// # Errors
/// Where there is no such zone.
pub fn zone(config: &Config) -> Result<Tz, Fault> {
    config.timezone.parse().map_err(|_| {
        let cure = match suggest::nearest(&config.timezone, TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None => "write an IANA name such as Europe/Amsterdam".to_owned(),
        };
        Fault::new(
            "timezone",
            format!("'{}' is not a known time zone", config.timezone),
            cure,
        )
    })
}

/// Everything configured that decides a plan.
pub fn policy(loaded: &Loaded) -> Policy {
    let config = &loaded.config;
    let key = loaded.key.clone();
    let guard = config.guard.with_defaults();
    let silent = Budgets::default();
    let budget = |written: Option<BudgetConfig>, default: Budget| {
        written.map_or(default, |b| Budget {
            max: b.max,
            percent: b.percent.map(|percent| percent.0),
            per_week: b.per_week,
        })
    };
    let RehireConfig {
        person: rehire,
        operator: rehire_operator,
    } = config.lifecycle.rehire;
    let protect = &config.guard.protect;
    Policy {
        config_hash: loaded.config_hash.clone(),
        decision_version: DECISION_VERSION,
        fields: fields(config),
        has_ssp_access: config.create.has_ssp_access,
        is_caller: config.create.is_caller,
        same_people: same_people(config),
        expectations: config
            .sources
            .iter()
            .map(|source| {
                let common = source.common();
                let expect = common.expect;
                let canaries = keys(&key, canary_keys(expect.canaries.as_ref()));
                let at_least = match &expect.canaries {
                    None => 0,
                    Some(Canaries::Keys(keys)) => keys.len().saturating_sub(1).max(1),
                    Some(Canaries::AtLeast(canaries)) => canaries.at_least,
                };
                let expectations = Expectations {
                    min_records: expect.min_records.max(1),
                    max_drop_percent: expect.max_drop.0,
                    max_age: expect.max_age.map(super::units::Span::chrono),
                    canaries_at_least: at_least.min(canaries.len()),
                    canaries,
                    groups: expect.groups.as_ref().map(|groups| groups.iter().cloned().collect()),
                    max_group_drop_percent: expect.max_group_drop.0,
                };
                (SourceName::new(common.name), expectations)
            })
            .collect(),
        target_expectations: Expectations {
            min_records: config.topdesk.expect.min_records.max(1),
            max_drop_percent: config.topdesk.expect.max_drop.0,
            max_group_drop_percent: config.topdesk.expect.max_group_drop.0,
            ..Expectations::default()
        },
        leaver_after: config
            .lifecycle
            .leaver
            .as_ref()
            .map_or(chrono::Duration::days(1), |leaver| leaver.after.chrono()),
        leaver_gap_days: config.lifecycle.leaver.as_ref().map_or(0, |leaver| {
            u32::try_from(leaver.gap.chrono().num_days()).unwrap_or(u32::MAX)
        }),
        leaver_at: config
            .lifecycle
            .leaver
            .as_ref()
            .and_then(|leaver| leaver.at)
            .map(|at| at.0),
        work_left: config
            .lifecycle
            .leaver
            .as_ref()
            .map_or(WorkLeft::Off, |leaver| leaver.work_left),
        joiners: config.lifecycle.joiner.as_ref().map(|joiner| Joiners {
            days_before: u32::try_from(joiner.before.chrono().num_days()).unwrap_or(u32::MAX),
            access_on_the_day: joiner.ssp_access == SspAccess::OnTheDay,
        }),
        missing_reads: config.lifecycle.missing.reads,
        missing_for: config.lifecycle.missing.for_.chrono(),
        rehire,
        rehire_operator,
        disarm: config.lifecycle.leaver.as_ref().is_some_and(|leaver| leaver.disarm),
        manager_flag: config.topdesk.manager_flag,
        archived_logins_reserved: config.topdesk.archived_logins_reserved,
        budgets: Budgets {
            archive: budget(guard.archive, silent.archive),
            unarchive: budget(guard.unarchive, silent.unarchive),
            create: budget(guard.create, silent.create),
            names: budget(guard.names, silent.names),
            blanked_fields: budget(guard.blanked_fields, silent.blanked_fields),
            changed_fields: budget(guard.changed_fields, silent.changed_fields),
            changed_logins: budget(guard.changed_logins, silent.changed_logins),
            lookups: budget(guard.lookups, silent.lookups),
            adopt: budget(guard.adopt, silent.adopt),
            keys: budget(guard.keys, silent.keys),
            // Each needs an approval, whatever guard.anonymize says.
            anonymize: silent.anonymize,
            operators: budget(guard.operators, silent.operators),
            operators_woken: budget(guard.operators_woken, silent.operators_woken),
        },
        protected: Protected {
            keys: keys(&key, &protect.keys).into_iter().collect(),
            cards: protect.cards.iter().map(|id| id.to_lowercase().into()).collect(),
        },
        anonymize: super::anonymize::rule(config, &key),
        birth_date: config.key.birth_date.as_deref().and_then(CardField::from_name),
        key,
    }
}

fn fields(config: &Config) -> BTreeMap<CardField, FieldRules> {
    let rules = config.fields.iter().filter_map(|(name, rule)| {
        let (policy, missing) = match rule {
            FieldRule::Expression(_) => (None, MissingEntry::default()),
            FieldRule::Full(options) => (options.policy, options.missing),
        };
        CardField::from_name(name).map(|field| {
            // TOPdesk demands a branch: one that is blank in the source is never taken off a card unasked.
            let usual = if field == CardField::Branch {
                FieldPolicy::NeverClear
            } else {
                FieldPolicy::default()
            };
            let policy = policy.unwrap_or(usual);
            (field, FieldRules { policy, missing })
        })
    });
    rules.collect()
}

fn canary_keys(canaries: Option<&Canaries>) -> &[String] {
    match canaries {
        None => &[],
        Some(Canaries::Keys(keys)) => keys,
        Some(Canaries::AtLeast(canaries)) => &canaries.keys,
    }
}

fn keys(spec: &KeySpec, raw: &[String]) -> Vec<Key> {
    raw.iter()
        .filter_map(|raw| match spec.read(raw) {
            KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
            KeyReading::None | KeyReading::Anonymized => None,
        })
        .collect()
}

/// Groups of authoritative sources that describe the same people: `same_people_as` is mutual and passes on.
fn same_people(config: &Config) -> Vec<BTreeSet<SourceName>> {
    let mut groups: Vec<BTreeSet<SourceName>> = Vec::new();
    for source in &config.sources {
        let common = source.common();
        let (Role::Authoritative, Some(other)) = (common.role, common.same_people_as) else {
            continue;
        };
        let mut group = BTreeSet::from([SourceName::new(common.name), SourceName::new(other)]);
        groups.retain(|known| {
            let apart = known.is_disjoint(&group);
            if !apart {
                group.extend(known.iter().cloned());
            }
            apart
        });
        groups.push(group);
    }
    groups
}

/// The card fields that a plan needs: what is mapped, the key, what people are recognised by, and the manager flag.
pub fn wanted_fields(policy: &Policy) -> BTreeSet<CardField> {
    let mut fields: BTreeSet<CardField> = policy.fields.keys().copied().collect();
    fields.extend([
        policy.key.card_field,
        CardField::SurName,
        CardField::FirstName,
        CardField::Email,
        CardField::TasLoginName,
        CardField::NetworkLoginName,
    ]);
    if policy.joiners.is_some_and(|joiners| joiners.access_on_the_day) {
        fields.insert(CardField::HasSspAccess);
    }
    if policy.work_left != WorkLeft::Off {
        fields.insert(CardField::Manager);
    }
    if policy.manager_flag {
        fields.insert(CardField::IsManager);
    }
    // A location belongs to one branch: neither is changed without a look at the other.
    if fields.contains(&CardField::Location) {
        fields.insert(CardField::Branch);
    } else if fields.contains(&CardField::Branch) {
        fields.insert(CardField::Location);
    }
    if let Some(anonymize) = policy.anonymize.as_ref().filter(|it| it.by == AnonymizeBy::Api) {
        // What is overwritten must be seen.
        fields.extend(anonymize.touches(&policy.key));
    }
    fields
}
