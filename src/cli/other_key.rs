//! `--key FIELD[=EXPRESSION]`: what another key would do, on commands that only read.

use crate::app::environment::{Connected, Environment};
use crate::config::FieldRule;
use crate::core::model::field::{CardField, FieldKind};
use crate::core::model::key::KeySpec;
use crate::engine::gather::ReadParts;
use crate::engine::{Clock, Progress};
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::counted;
use crate::sources::AnySource;
use crate::tools::rekey::both_keys::BothKeys;
use crate::tools::rekey::other_key::spec_of;
use crate::topdesk::ReadClient;
use anyhow::bail;
use serde_json::{Value, json};
use std::path::Path;

/// Another key, and the environment in which it can be looked at.
pub(super) struct WithOtherKey {
    pub(super) environment: Environment,
    pub(super) key: KeySpec,
    /// The field is in the configuration only for this look: it is compared with nothing.
    only_as_key: bool,
}

/// Loads the environment with another key. The value that a person has under it comes from `fields:`, or from the expression.
pub(super) fn load(config: &Path, asked: &str) -> anyhow::Result<WithOtherKey> {
    let (name, expression) = match asked.split_once('=') {
        Some((name, expression)) => (name.trim(), Some(expression.trim())),
        None => (asked.trim(), None),
    };
    let mut environment = super::session::environment(config)?;
    let configured = environment.key().clone();
    let Some(field) = CardField::from_name(name) else {
        bail!(
            "'{name}' is not a field of a person card; write e.g. --key email, --key tasLoginName or --key employeeNumber"
        );
    };
    if !matches!(field.kind(), FieldKind::Text { .. }) {
        bail!("{name} is not a text field: it cannot hold a key; write e.g. --key email");
    }
    if field == configured.card_field {
        bail!("{name} is the configured key already; leave --key out, or name another field");
    }
    let mapped = environment.config().fields.contains_key(name);
    match (mapped, expression) {
        (_, Some("")) => bail!("there is no expression after '{name}='; write e.g. --key \"{name}={{{{ ad.mail }}}}\""),
        (_, Some(expression)) => {
            let mut loaded = environment.loaded;
            let rule = FieldRule::Expression(expression.to_owned());
            loaded.config.fields.insert(name.to_owned(), rule);
            environment = Environment::from_loaded(loaded).map_err(|problems| anyhow::anyhow!("{problems}"))?;
        }
        (true, None) => {}
        (false, None) => bail!(
            "{name} is not among the fields of the configuration, so it is not known what people have in it; \
             write \"{name}={{{{ source.attribute }}}}\" in its place, or map it under fields"
        ),
    }
    Ok(WithOtherKey {
        environment,
        key: spec_of(field, &configured),
        only_as_key: !mapped,
    })
}

impl WithOtherKey {
    /// The reading parts, with the other field read and yet not planned where it is no field of the configuration.
    pub(super) fn read_parts<'a>(
        &'a self,
        connected: &'a Connected,
        clock: &'a dyn Clock,
        progress: &'a dyn Progress,
    ) -> ReadParts<'a, AnySource, ReadClient> {
        let mut parts = self.environment.read_parts(connected, clock, progress);
        if self.only_as_key {
            parts.policy.fields.remove(&self.key.card_field);
        }
        parts
    }

    /// That it is a what-if, on top of everything that is shown of it.
    pub(super) fn banner(&self, paint: Paint) -> String {
        let name = self.key.card_field.name();
        let expression = match &self.environment.config().fields[&name] {
            FieldRule::Expression(expression) => expression.clone(),
            FieldRule::Full(options) => options.value.clone().unwrap_or_default(),
        };
        let title = format!("What if {name} were the key? A what-if: nothing of it is ever done or remembered.");
        format!(
            "{}\n  a person's {name} is {expression}; the configured key is {}\n\n",
            paint.warn(&title),
            self.environment.key().card_field
        )
    }

    /// For programs.
    pub(super) fn document(&self, both: &BothKeys) -> Value {
        json!({
            "key": self.key.card_field.name(),
            "configured_key": both.configured.input.policy.key.card_field.name(),
            "people_without": both.translation.without.len(),
            "values_shared": both.translation.shared.len(),
            "difference": both.difference,
        })
    }
}

/// How the two plans go apart, in a few lines.
pub(super) fn beside(both: &BothKeys, paint: Paint) -> String {
    let other = both.other.input.policy.key.card_field;
    let configured = both.configured.input.policy.key.card_field;
    let plans = &both.difference.plans;
    let mut text = format!("\n{}\n", paint.strong(&format!("Beside the plan under {configured}")));
    line!(
        text,
        "  {} alike; {} only under {other}, {} only under {configured}, {} different",
        counted(plans.same, "item"),
        plans.removed.len(),
        plans.added.len(),
        plans.changed.len()
    );
    let (without, shared) = (both.translation.without.len(), both.translation.shared.len());
    if without > 0 {
        line!(
            text,
            "  people of the sources without {other}: {without}; under it nobody knows who they are"
        );
    }
    if shared > 0 {
        line!(text, "  values of {other} that several people share: {shared}");
    }
    line!(
        text,
        "  every difference: cardsync rekey verify --old {other}, or --json"
    );
    text
}
