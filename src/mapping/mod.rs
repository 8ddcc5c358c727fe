//! Field and condition expressions over source attributes.
//!
//! Expressions are Jinja. minijinja parses them; they are evaluated here, typed and in three values, because what is not
//! known or blank must never look like a reason to archive somebody (RULES 3.5, 4.3). Compiled once from the
//! configuration, then only read: no clock, no file, no state but a cache of places.

mod behind;
pub mod condition;
pub mod contracts;
pub mod fields;
pub mod first_day;
pub mod inputs;

mod advice;
mod agreement;
mod alone;
mod compare;
mod dates;
mod evaluate;
mod expression;
mod filters;
mod last_day;
mod number;
mod parse;
mod picks;
pub mod skip;
mod text;
mod turning;
mod value;

use crate::config::policy::key_spec;
use crate::config::{Config, SourceConfig};
use crate::core::memory::asked::Asked;
use crate::core::model::field::CardField;
use crate::core::model::identity::{
    Describe, Description, Desired, Evaluated, FirstDay, JoinedRecord, LastDay, Moment, Truth, Unknown,
};
use crate::core::model::ids::SourceName;
use crate::core::model::key::KeySpec;
use crate::core::model::record::{AttributeNames, SourceRecord};
use crate::core::reads::profile::Matched;
use chrono::{Duration, NaiveDate};
use condition::Condition;
use contracts::ContractRule;
use fields::CompiledRule;
use filters::Refusal;
use first_day::Starts;
use inputs::{Records, Where};
use last_day::LastDayRule;
use parse::KnownSource;
use skip::SkipRule;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Something in the configuration that cannot be an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    /// Where in the configuration: `fields.email`, `lifecycle.leaver.when`, `sources[0].rows.current`.
    pub path: String,
    pub message: String,
    pub cure: String,
}

impl fmt::Display for MappingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.path, self.message, self.cure)
    }
}

/// All expressions of a configuration, compiled.
#[derive(Debug)]
pub struct Mapping {
    key: KeySpec,
    include: Option<Condition>,
    leaver: Option<Condition>,
    starts: Option<Starts>,
    last_day: Option<LastDayRule>,
    contracts: BTreeMap<SourceName, ContractRule>,
    skips: BTreeMap<SourceName, SkipRule>,
    advice: Vec<MappingProblem>,
    rules: BTreeMap<CardField, CompiledRule>,
    references: BTreeMap<SourceName, BTreeSet<String>>,
}

impl Mapping {
    /// Compiles the expressions of a configuration.
    ///
    /// # Errors
    /// All problems at once.
    pub fn compile(config: &Config) -> Result<Mapping, Vec<MappingProblem>> {
        let sources: Vec<KnownSource> = config.sources.iter().map(known_source).collect();
        let mut problems = Problems::default();
        let key = problems.one(
            "key.card_field",
            key_spec(config).map_err(|fault| Refusal::new(fault.message, fault.cure)),
        );
        let include = config
            .include
            .as_deref()
            .and_then(|text| problems.condition("include", text, &sources));
        let leaver = config
            .lifecycle
            .leaver
            .as_ref()
            .and_then(|leaver| leaver.when.as_deref())
            .and_then(|when| problems.condition("lifecycle.leaver.when", when, &sources));
        let starts = config.lifecycle.joiner.as_ref().and_then(|joiner| {
            let compiled = Starts::compile(&joiner.starts, &sources);
            problems.all("lifecycle.joiner.starts", compiled)
        });
        let since = config.lifecycle.anonymize.as_ref().and_then(|it| it.since.as_deref());
        let last_day = since.and_then(|text| match LastDayRule::compile(text, &sources) {
            Ok(rule) => Some(rule),
            Err(refusals) => {
                for refusal in refusals {
                    problems.add(last_day::PATH, refusal);
                }
                None
            }
        });
        let mut contracts = BTreeMap::new();
        for (at, (source, known)) in config.sources.iter().zip(&sources).enumerate() {
            if let Some(per) = source.options().contracts() {
                let starts = config.lifecycle.joiner.as_ref().map(|joiner| joiner.starts.as_str());
                match ContractRule::compile(per, starts, known) {
                    Ok(rule) => {
                        contracts.insert(known.name.clone(), rule);
                    }
                    Err(refusals) => {
                        for (option, refusal) in refusals {
                            problems.add(&format!("sources[{at}].rows.{option}"), refusal);
                        }
                    }
                }
            }
        }
        let mut skips = BTreeMap::new();
        for (at, (source, known)) in config.sources.iter().zip(&sources).enumerate() {
            let rule = problems.all(&format!("sources[{at}].skip"), SkipRule::compile(source, known));
            skips.extend(rule.flatten().map(|rule| (known.name.clone(), rule)));
        }
        let mut rules = BTreeMap::new();
        for (name, rule) in &config.fields {
            let path = format!("fields.{name}");
            let Some(field) = CardField::from_name(name) else {
                problems.add(&path, unknown_field(name));
                continue;
            };
            match fields::compile(field, rule, &sources) {
                Ok(rule) => {
                    rules.insert(field, rule);
                }
                Err(refusals) => {
                    for (option, refusal) in refusals {
                        match option {
                            Some(option) => problems.add(&format!("{path}.{option}"), refusal),
                            None => problems.add(&path, refusal),
                        }
                    }
                }
            }
        }
        match (key, problems.list.is_empty()) {
            (Some(key), true) => {
                let mut mapping = Mapping {
                    key,
                    include,
                    leaver,
                    starts,
                    last_day,
                    contracts,
                    skips,
                    rules,
                    advice: Vec::new(),
                    references: BTreeMap::new(),
                };
                mapping.advice = mapping.collect_advice();
                let leaver = config.lifecycle.leaver.as_ref();
                let at_midnight =
                    leaver.is_some_and(|leaver| leaver.at.is_none() && leaver.after.chrono() < Duration::days(1));
                if at_midnight && mapping.leaver().is_some_and(Condition::counts_the_day_itself) {
                    mapping.advice.push(MappingProblem {
                        path: "lifecycle.leaver.when".to_owned(),
                        message:
                            "it holds from the first minute of the last working day, and little or nothing delays it"
                                .to_owned(),
                        cure: "write < today, or say at what hour that day: at: \"18:00\"".to_owned(),
                    });
                }
                mapping.references = mapping.collect_references();
                Ok(mapping)
            }
            _ => Err(problems.list),
        }
    }

    /// Every attribute that the expressions need, per source, as first written. Keys and anchors are not among them.
    pub fn references(&self) -> &BTreeMap<SourceName, BTreeSet<String>> {
        &self.references
    }

    /// Attributes of a source that say where people belong: what department, branch and location are made of.
    pub fn group_attributes(&self, source: &SourceName) -> BTreeSet<String> {
        let groups = [CardField::Department, CardField::Branch, CardField::Location];
        let rules = groups.iter().filter_map(|field| self.rules.get(field));
        let inputs = rules.flat_map(|rule| &rule.program().inputs);
        let of_source = inputs.filter(|input| input.source == *source && input.place == Where::Attribute);
        of_source.map(|input| input.attribute.to_string()).collect()
    }

    /// The rule of a field.
    pub fn rule(&self, field: CardField) -> Option<&CompiledRule> {
        self.rules.get(&field)
    }

    /// All rules, in the order of the fields.
    pub fn rules(&self) -> impl Iterator<Item = &CompiledRule> {
        self.rules.values()
    }

    /// The key, as the configuration has it.
    pub fn key(&self) -> &KeySpec {
        &self.key
    }

    /// Who is in scope; `None`: everybody.
    pub fn include(&self) -> Option<&Condition> {
        self.include.as_ref()
    }

    /// Evidence of leaving; `None`: only absence counts.
    pub fn leaver(&self) -> Option<&Condition> {
        self.leaver.as_ref()
    }

    /// The first working day; `None`: nobody waits for it.
    pub fn starts(&self) -> Option<&Starts> {
        self.starts.as_ref()
    }

    /// How many records of a source each condition picks out, by its place in the configuration: leavers, and people out of
    /// scope.
    pub fn matched(
        &self,
        source: &SourceName,
        names: &AttributeNames,
        records: &[SourceRecord],
        moment: Moment,
    ) -> BTreeMap<String, Matched> {
        let conditions = [
            ("lifecycle.leaver.when", self.leaver.as_ref(), true),
            ("include", self.include.as_ref(), false),
        ];
        let counts = conditions.into_iter().filter_map(|(path, condition, picked)| {
            let matched = condition?.matched(source, names, records, moment, picked);
            (matched != Matched::default()).then(|| (path.to_owned(), matched))
        });
        counts.collect()
    }

    /// Which row of a source is current and which leads, where the source has a row per contract.
    pub fn contract(&self, source: &SourceName) -> Option<&ContractRule> {
        self.contracts.get(source)
    }

    /// Which records of a source are no people; `None`: all are.
    pub fn skip(&self, source: &SourceName) -> Option<&SkipRule> {
        self.skips.get(source)
    }

    /// What compiles and can yet never be decided, such as text compared with a date: for `check` to warn about.
    pub fn advice(&self) -> &[MappingProblem] {
        &self.advice
    }

    /// Every field with its expression, what it read, and what came of it.
    pub fn explain(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Vec<Evaluated> {
        let rules = self.rules.values();
        let explained = rules.map(|rule| rule.explained(Records::Joined(joined), moment, &self.key));
        let mut explained: Vec<Evaluated> = explained.collect();
        let fields = explained.iter().map(|one| (one.field, one.desired.clone())).collect();
        for (field, source) in self.disagreements(joined, moment, &fields) {
            for one in explained.iter_mut().filter(|one| one.field == field) {
                one.desired = Desired::Unknown(Unknown::RowsDiffer(source.clone()));
            }
        }
        explained
    }

    fn collect_advice(&self) -> Vec<MappingProblem> {
        let mut problems = Problems::default();
        let conditions = [
            ("include", self.include.as_ref()),
            ("lifecycle.leaver.when", self.leaver.as_ref()),
        ];
        for (path, condition) in conditions {
            for advice in condition.map(Condition::advice).unwrap_or_default() {
                problems.add(path, advice);
            }
        }
        for (source, rule) in &self.skips {
            for advice in rule.condition().map(Condition::advice).unwrap_or_default() {
                problems.add(&format!("skip of source {source}"), advice);
            }
        }
        for (source, rule) in &self.contracts {
            for (option, advice) in rule.advice() {
                problems.add(&format!("rows.{option} of source {source}"), advice);
            }
        }
        for advice in self.starts.as_ref().map(Starts::advice).unwrap_or_default() {
            problems.add("lifecycle.joiner.starts", advice);
        }
        for advice in self.last_day.iter().flat_map(LastDayRule::advice) {
            problems.add(last_day::PATH, advice);
        }
        for rule in self.rules.values() {
            for advice in advice::of_expression(rule.program()) {
                problems.add(&format!("fields.{}", rule.field), advice);
            }
        }
        problems.list
    }

    fn collect_references(&self) -> BTreeMap<SourceName, BTreeSet<String>> {
        let conditions = [&self.include, &self.leaver].into_iter().flatten();
        let inputs = conditions
            .flat_map(Condition::inputs)
            .chain(self.contracts.values().flat_map(ContractRule::inputs))
            .chain(self.skips.values().flat_map(SkipRule::inputs))
            .chain(self.starts.iter().flat_map(Starts::inputs))
            .chain(self.last_day.iter().flat_map(LastDayRule::inputs))
            .chain(self.rules.values().flat_map(|rule| rule.program().inputs.iter()));
        let mut references: BTreeMap<SourceName, BTreeSet<String>> = BTreeMap::new();
        for input in inputs.filter(|input| input.place == Where::Attribute) {
            let names = references.entry(input.source.clone()).or_default();
            if !names.iter().any(|name| input.is_called(name)) {
                names.insert(input.attribute.to_string());
            }
        }
        references
    }
}

impl Describe for Mapping {
    fn scope(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        self.scope_agreed(joined, moment, self.scope_alone(joined, moment))
    }

    fn leaving(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Truth {
        Self::leaving_agreed(joined, |one| self.leaving_alone(one, moment))
    }

    fn leaving_beyond_doubt(&self, joined: &JoinedRecord<'_>, moment: Moment, first_day: Option<NaiveDate>) -> Truth {
        Self::leaving_agreed(joined, |one| self.leaving_beyond_doubt_alone(one, moment, first_day))
    }

    fn last_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> LastDay {
        self.last_day_agreed(joined, moment, self.last_day_alone(joined, moment))
    }

    fn leaves_by_date(&self) -> bool {
        self.leaver.as_ref().is_some_and(Condition::reads_clock)
    }

    fn first_day(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Option<FirstDay> {
        let first = self.first_day_alone(joined, moment)?;
        Some(self.first_day_agreed(joined, moment, first))
    }

    fn managers_by_dn(&self) -> bool {
        self.rules.values().any(CompiledRule::gives_manager_dn)
    }

    fn describe(&self, joined: &JoinedRecord<'_>, moment: Moment) -> Description {
        self.agreed(joined, moment, self.describe_alone(joined, moment))
    }

    fn behind(&self, asked: Asked, joined: &JoinedRecord<'_>) -> Vec<String> {
        behind::values(joined, &self.inputs_of(asked))
    }
}

#[derive(Default)]
struct Problems {
    list: Vec<MappingProblem>,
}

impl Problems {
    fn add(&mut self, path: &str, refusal: Refusal) {
        self.list.push(MappingProblem {
            path: path.to_owned(),
            message: refusal.message,
            cure: refusal.cure,
        });
    }

    fn one<T>(&mut self, path: &str, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.add(path, refusal)).ok()
    }

    fn condition(&mut self, path: &str, text: &str, sources: &[KnownSource]) -> Option<Condition> {
        self.all(path, Condition::compile(text, sources))
    }

    fn all<T>(&mut self, path: &str, result: Result<T, Vec<Refusal>>) -> Option<T> {
        match result {
            Ok(made) => Some(made),
            Err(refusals) => {
                for refusal in refusals {
                    self.add(path, refusal);
                }
                None
            }
        }
    }
}

fn known_source(source: &SourceConfig) -> KnownSource {
    KnownSource {
        name: SourceName::new(source.common().name),
        directory: source.options().is_directory(),
    }
}

fn unknown_field(name: &str) -> Refusal {
    let names: Vec<String> = CardField::all().map(CardField::name).collect();
    let cure = match text::did_you_mean(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "see `cardsync config schema` for the fields".to_owned(),
    };
    Refusal::new(format!("'{name}' is not a field of a person card"), cure)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
