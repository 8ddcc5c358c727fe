//! Puts the parts of one environment together from its configuration. Secrets, certificate files and connections are made
//! anew for every run.

use super::reading::{reading_rules, with_whole_paths};
use crate::config::load::Loaded;
use crate::config::policy::{policy, wanted_fields};
use crate::config::problem::{ConfigProblems, Fault};
use crate::config::{AccountFilters, Config, MissingEntry};
use crate::core::model::field::{CardField, FieldKind, LookupKind};
use crate::core::model::ids::{EnvironmentId, RunId, SourceName};
use crate::core::model::key::KeySpec;
use crate::engine::apply::OperatorAccount;
use crate::engine::former::Former;
use crate::engine::gather::{ReadParts, SourcePart};
use crate::engine::inputs::KeptHeader;
use crate::engine::records::Retention;
use crate::engine::stopping::unless_stopped;
use crate::engine::target::{TargetError, TargetReader, TargetWants};
use crate::engine::{Clock, Progress};
use crate::mapping::{Mapping, MappingProblem};
use crate::schedule::Schedule;
use crate::sources::AnySource;
use crate::store::machine;
use crate::tools::replay::OtherConfig;
use crate::topdesk::{ReadClient, TopdeskClient, WriteClient};
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two questions whether the maintenance is over.
const MAINTENANCE_PAUSE: Duration = Duration::from_secs(15);

/// One environment, ready to be read.
pub struct Environment {
    pub loaded: Loaded,
    pub id: EnvironmentId,
    pub mapping: Mapping,
    pub sources: Vec<SourcePart<AnySource>>,
}

/// The connections of one run.
pub struct Connected {
    pub(super) client: TopdeskClient,
    pub reader: ReadClient,
}

impl From<TopdeskClient> for Connected {
    fn from(client: TopdeskClient) -> Self {
        let reader = client.reader();
        Self { client, reader }
    }
}

impl Environment {
    /// Loads a configuration file and compiles its expressions. All problems at once.
    pub fn load(path: &Path) -> Result<Self, ConfigProblems> {
        Self::from_loaded(crate::config::load::load_with(path, &expression_faults)?)
    }

    /// From a configuration that was loaded before.
    pub fn from_loaded(loaded: Loaded) -> Result<Self, ConfigProblems> {
        let mapping = Mapping::compile(&loaded.config).map_err(|problems| loaded.problems(as_faults(problems)))?;
        let sources = loaded
            .config
            .sources
            .iter()
            .map(|source| {
                let common = source.common();
                SourcePart {
                    name: SourceName::new(common.name),
                    role: common.role,
                    source: AnySource::from_config(source, &loaded.key),
                }
            })
            .collect();
        let id = crate::config::address::environment(&loaded.config);
        Ok(Self {
            loaded,
            id,
            mapping,
            sources,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// The key that decides who is who.
    pub fn key(&self) -> &KeySpec {
        &self.loaded.key
    }

    /// The zone of 'today', dates and hours.
    pub fn zone(&self) -> Tz {
        self.loaded.zone
    }

    /// Refuses a key that changes in life, for everything that leads to a write.
    ///
    /// # Errors
    /// With the key and what to use in its place.
    pub fn refuse_changing_key(&self) -> anyhow::Result<()> {
        match crate::config::validate::key_refusal(self.config()) {
            Some(why) => anyhow::bail!("{why}"),
            None => Ok(()),
        }
    }

    /// Reads the password and prepares the connections; nothing is sent.
    pub fn connect(&self) -> Result<Connected, TargetError> {
        Ok(TopdeskClient::connect(&self.config().topdesk, self.zone())?.into())
    }

    /// The second account, for approved items that touch an operator; its password is read when it is first needed.
    pub(super) fn operator_account(&self) -> Option<OperatorAccount<'_, WriteClient>> {
        let account = self.config().topdesk.operator_account.as_ref()?;
        Some(OperatorAccount::new(move || {
            let mut topdesk = self.config().topdesk.clone();
            topdesk.username.clone_from(&account.username);
            topdesk.password = account.password.clone();
            Ok(TopdeskClient::connect(&topdesk, self.zone())?.writer())
        }))
    }

    /// Waits while TOPdesk says that it is in maintenance, for `topdesk.patience` at most. Nothing has been written yet.
    pub async fn wait_for_maintenance(&self, connected: &Connected, stop: &CancellationToken) {
        let patience = self.config().topdesk.patience.duration();
        let began = Instant::now();
        while began.elapsed() < patience {
            let Some(Err(error)) = unless_stopped(stop, connected.reader.read_entries(LookupKind::Branch)).await else {
                return;
            };
            if !matches!(error.status, Some(502..=504 | 520..=524)) {
                return;
            }
            let left = patience.saturating_sub(began.elapsed());
            tracing::warn!(
                "TOPdesk is in maintenance: {}; waiting up to {} s more",
                error.what,
                left.as_secs()
            );
            let pause = error.retry_after.unwrap_or(MAINTENANCE_PAUSE).min(left);
            if unless_stopped(stop, tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// What a full read of TOPdesk asks for.
    pub fn wants(&self) -> TargetWants {
        let fields = wanted_fields(&policy(&self.loaded));
        let mapped: BTreeSet<CardField> = self.mapping.rules().map(|rule| rule.field).collect();
        let lookups = fields
            .iter()
            .filter(|field| self.config().fields.contains_key(&field.name()))
            .filter_map(|field: &CardField| match field.kind() {
                FieldKind::Lookup(kind) => Some(kind),
                FieldKind::Text { .. } | FieldKind::Flag | FieldKind::Number | FieldKind::Date | FieldKind::Manager => {
                    None
                }
            })
            .collect();
        TargetWants {
            fields,
            mapped,
            makes_entries: self.mapping.rules().any(|rule| rule.missing == MissingEntry::Create),
            lookups,
            archiving_reason: self.config().topdesk.archiving_reason.clone(),
            filters_stated_none: self.config().topdesk.account_filters == Some(AccountFilters::None),
        }
    }

    /// The reading parts of a run.
    pub fn read_parts<'a>(
        &'a self,
        connected: &'a Connected,
        clock: &'a dyn Clock,
        progress: &'a dyn Progress,
    ) -> ReadParts<'a, AnySource, ReadClient> {
        ReadParts {
            environment: self.id.clone(),
            policy: policy(&self.loaded),
            config: crate::config::show(&with_whole_paths(self.config())),
            rules: reading_rules(self.config()),
            former: kept_before,
            zone: self.zone(),
            mapping: &self.mapping,
            sources: &self.sources,
            reader: &connected.reader,
            wants: self.wants(),
            protect_query: self.config().guard.protect.query.clone(),
            clock,
            progress,
        }
    }

    /// This configuration as one that is compared with another.
    pub fn into_former(self) -> Former {
        Former {
            policy: policy(&self.loaded),
            rules: reading_rules(self.config()),
            mapping: self.mapping,
        }
    }

    /// This configuration for a plan that is made again from what an earlier run read.
    pub fn for_replay(&self) -> OtherConfig<'_> {
        OtherConfig {
            policy: policy(&self.loaded),
            mapping: &self.mapping,
            sources: self.sources.iter().map(|part| (part.name.clone(), part.role)).collect(),
        }
    }

    /// Where the state of this environment is kept.
    pub fn store_path(&self) -> Option<PathBuf> {
        self.config().store.sqlite.clone().or_else(crate::store::default_path)
    }

    /// The same, where this state may be worked with: not where another cardsync on this machine serves this TOPdesk with a
    /// state of its own, and not where nobody named a state and the service has one.
    ///
    /// # Errors
    /// Where it may not, and where there is no place for a state at all.
    pub async fn own_store_path(&self) -> anyhow::Result<PathBuf> {
        let path = self
            .store_path()
            .context("there is no place for the state: set store.sqlite in the configuration")?;
        if self.config().store.sqlite.is_none() {
            crate::store::not_beside_the_service(&path, &self.host()).await?;
        }
        machine::not_another(&self.authority(), &path).await?;
        Ok(path)
    }

    /// Which TOPdesk it is, to the port: one of them has one cardsync.
    pub fn authority(&self) -> String {
        crate::config::address::authority(self.config())
    }

    /// How long what is kept.
    pub fn retention(&self) -> Retention {
        let kept = &self.config().store.retention;
        Retention {
            journal: kept.journal.chrono(),
            values: kept.values.chrono(),
            reports: kept.reports.chrono(),
        }
    }

    /// The host of the environment, to which a store is bound.
    pub fn host(&self) -> String {
        self.id.as_str().to_owned()
    }

    /// The next runs, as local times; `None` without a schedule.
    pub fn upcoming(&self, now: DateTime<Utc>, count: usize) -> Option<Result<Vec<String>, String>> {
        let zone = self.zone();
        let schedule = Schedule::parse(&self.config().schedule.as_ref()?.cron, zone);
        let local = |due: DateTime<Utc>| due.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z").to_string();
        let times = schedule.map(|schedule| schedule.upcoming(now, count).into_iter().map(local).collect());
        Some(times.map_err(|error| error.to_string()))
    }

    /// What to say of the application password's expiry: from 30 days before, and after it.
    pub fn password_warning(&self, today: NaiveDate) -> Option<String> {
        let expires = self.config().topdesk.password_expires?;
        let days = (expires - today).num_days();
        let when = match days {
            31.. => return None,
            2..=30 => format!("expires in {days} days, on {expires}"),
            1 => format!("expires tomorrow, {expires}"),
            0 => format!("expires today, {expires}"),
            _past => format!("expired on {expires}"),
        };
        Some(format!(
            "the application password of {} {when}",
            self.config().topdesk.username
        ))
    }

    /// Whether the key is a login or an e-mail address: then logs carry a keyed hash of it, never the key.
    pub fn key_is_personal(&self) -> bool {
        let field = self.key().card_field;
        field.is_login() || field == CardField::Email || field.is_name()
    }
}

/// A configuration as the store keeps it, made ready again.
fn kept_before(text: &str) -> Option<Former> {
    let loaded = crate::config::load::from_text(Path::new("configuration of the last full run"), text);
    match loaded.and_then(Environment::from_loaded) {
        Ok(environment) => Some(environment.into_former()),
        Err(problems) => {
            tracing::warn!(
                "the configuration of the last full run cannot be read any more, so that the plan is not compared with it: \
                 {problems}"
            );
            None
        }
    }
}

/// The expressions of a configuration that was kept with a run's input.
pub fn kept_mapping(kept: &KeptHeader) -> Result<Mapping, ConfigProblems> {
    // The file is long gone or changed: messages name the run instead.
    let name = PathBuf::from(format!("configuration of run {}", kept.run));
    let loaded = crate::config::load::from_text(&name, &kept.config)?;
    Mapping::compile(&loaded.config).map_err(|problems| loaded.problems(as_faults(problems)))
}

/// What is wrong with the expressions of a configuration.
fn expression_faults(config: &Config) -> Vec<Fault> {
    Mapping::compile(config).err().map(as_faults).unwrap_or_default()
}

fn as_faults(problems: Vec<MappingProblem>) -> Vec<Fault> {
    let fault = |problem: MappingProblem| Fault::new(&problem.path, problem.message, problem.cure);
    problems.into_iter().map(fault).collect()
}

/// A fresh run id: sortable by time, and unique.
pub fn new_run_id(now: DateTime<Utc>) -> RunId {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    RunId::new(format!("{}-{}", now.format("%Y%m%d-%H%M%S"), &unique[..6]))
}

/// A clock that starts at another moment and goes on from there: a rehearsal of another day.
pub struct AsOf {
    start: DateTime<Utc>,
    began: std::time::Instant,
}

impl AsOf {
    /// It is `start` now.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self {
            start,
            began: std::time::Instant::now(),
        }
    }
}

impl Clock for AsOf {
    fn now(&self) -> DateTime<Utc> {
        self.start + chrono::Duration::from_std(self.began.elapsed()).unwrap_or_default()
    }

    fn is_rehearsal(&self) -> bool {
        true
    }
}
