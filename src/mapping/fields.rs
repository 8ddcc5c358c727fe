//! Fields: their rules from the configuration, and values fitted to what the field takes.

use super::condition::values_read;
use super::expression::Program;
use super::filters::Refusal;
use super::inputs::Records;
use super::number::Number;
use super::parse::{self, KnownSource};
use super::text::{cut, one_line};
use super::value::Value;
use crate::config::{FieldOptions, FieldPolicy, FieldRule, MissingEntry, TooLong};
use crate::core::model::field::{CardField, FieldKind, FieldValue};
use crate::core::model::identity::{Desired, Evaluated, FieldProblem, JoinedRecord, Moment, Unknown, Wanted};
use crate::core::model::ids::SourceName;
use crate::core::model::key::{Key, KeyReading, KeySpec, RawKey};
use crate::core::model::letters;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The longest name a list entry can have (persons v2, drop-down names).
const MAX_ENTRY_CHARS: usize = 100;

/// What the expression of a field gives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gives {
    /// The value of the field; of a manager: the key.
    Value,
    /// The distinguished name of a manager, of an entry of one of these directories.
    ManagerDn(Box<[SourceName]>),
}

/// A compiled field.
#[derive(Debug)]
pub struct CompiledRule {
    pub field: CardField,
    /// Who rules the field.
    pub policy: FieldPolicy,
    /// What to do when the list has no such entry.
    pub missing: MissingEntry,
    /// What to do with text longer than the field takes.
    pub too_long: TooLong,
    gives: Gives,
    kind: FieldKind,
    program: Program,
}

/// Compiles the rule of a field. Refusals come with the option they concern, if not the whole field.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(
    field: CardField,
    rule: &FieldRule,
    sources: &[KnownSource],
) -> Result<CompiledRule, Vec<(Option<&'static str>, Refusal)>> {
    let options = match rule {
        FieldRule::Expression(text) => FieldOptions {
            value: Some(text.clone()),
            ..FieldOptions::default()
        },
        FieldRule::Full(options) => options.clone(),
    };
    let FieldOptions {
        value,
        key,
        dn,
        policy,
        missing,
        too_long,
    } = options;
    let mut refusals = Vec::new();
    let kind = field.kind();
    let manager = kind == FieldKind::Manager;
    if !manager && (key.is_some() || dn.is_some()) {
        refusals.push((
            None,
            Refusal::new(
                "'key' and 'dn' are for the manager only",
                "write the expression as 'value'",
            ),
        ));
    }
    if let FieldKind::Lookup(list) = kind
        && missing == MissingEntry::Create
        && !list.can_create()
    {
        refusals.push((
            Some("missing"),
            Refusal::new(format!("a {list} cannot be created"), "write 'hold' or 'skip'"),
        ));
    }
    let is_dn = dn.is_some();
    let given: Vec<(&'static str, String)> = [("value", value), ("key", key), ("dn", dn)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect();
    let [(option, text)] = given.as_slice() else {
        let cure = if manager {
            "write exactly one of 'key' and 'dn'"
        } else {
            "write exactly one 'value'"
        };
        refusals.push((None, Refusal::new("it is not clear where the value comes from", cure)));
        return Err(refusals);
    };
    let option = matches!(rule, FieldRule::Full(_)).then_some(*option);
    let program = match parse::field(text, sources) {
        Ok(program) => program,
        Err(wrong) => {
            refusals.extend(wrong.into_iter().map(|refusal| (option, refusal)));
            return Err(refusals);
        }
    };
    let gives = if is_dn {
        match dn_sources(&program, sources) {
            Ok(sources) => Gives::ManagerDn(sources),
            Err(refusal) => {
                refusals.push((option, refusal));
                Gives::Value
            }
        }
    } else {
        Gives::Value
    };
    if refusals.is_empty() {
        Ok(CompiledRule {
            field,
            policy: policy.unwrap_or_default(),
            missing,
            too_long,
            gives,
            kind,
            program,
        })
    } else {
        Err(refusals)
    }
}

/// A manager's DN is looked up among the DNs of the sources it came from: they must have DNs.
fn dn_sources(program: &Program, sources: &[KnownSource]) -> Result<Box<[SourceName]>, Refusal> {
    let mut names: Vec<SourceName> = program.inputs.iter().map(|input| input.source.clone()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(Refusal::new(
            "'dn' must come from a directory",
            "refer to an attribute of one, e.g. {{ ad.manager }}",
        ));
    }
    let is_directory = |name: &SourceName| sources.iter().any(|source| source.name == *name && source.directory);
    match names.iter().find(|name| !is_directory(name)) {
        Some(name) => Err(Refusal::new(
            format!("source {name} is a file of rows: its entries have no distinguished names"),
            "use 'key' with the manager's number",
        )),
        None => Ok(names.into()),
    }
}

impl CompiledRule {
    /// Whether it names a manager by DN.
    pub fn gives_manager_dn(&self) -> bool {
        matches!(self.gives, Gives::ManagerDn(_))
    }

    /// The expression as the configuration has it.
    pub fn expression(&self) -> &str {
        &self.program.text
    }

    /// What it reads.
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// What everybody gets, where the expression reads nothing; `None` where it depends on the person.
    pub fn constant(&self, moment: Moment, key: &KeySpec) -> Option<Desired> {
        if !self.program.inputs.is_empty() {
            return None;
        }
        let (nobody, unsaid) = (Key::stored(""), RawKey("".into()));
        let joined = JoinedRecord {
            key: &nobody,
            raw_key: &unsaid,
            parts: BTreeMap::new(),
        };
        Some(self.desired(Records::Joined(&joined), moment, key).0)
    }

    /// What the field should hold, and what is wrong.
    pub fn desired(&self, records: Records<'_>, moment: Moment, key: &KeySpec) -> (Desired, Option<FieldProblem>) {
        let value = self.program.evaluate(records, moment);
        self.resolve(value, moment, key)
    }

    /// The same with everything that `explain` shows.
    pub fn explained(&self, records: Records<'_>, moment: Moment, key: &KeySpec) -> Evaluated {
        let value = self.program.evaluate(records, moment);
        Evaluated {
            field: self.field,
            expression: self.program.text.clone(),
            inputs: values_read(&self.program, records),
            raw: value.shown(moment.zone),
            desired: self.resolve(value, moment, key).0,
        }
    }

    fn resolve(&self, value: Value<'_>, moment: Moment, key: &KeySpec) -> (Desired, Option<FieldProblem>) {
        let fitted = match value {
            Value::Absent(absent) => {
                let problem = match &absent.why {
                    Unknown::Unusable(message) => Some(FieldProblem {
                        field: self.field,
                        message: message.clone(),
                        holds_person: false,
                    }),
                    _other => None,
                };
                return (Desired::Unknown(absent.why), problem);
            }
            Value::Fault(message) => Err(Misfit::holds(format!("cannot be made: {message}"))),
            Value::Blank | Value::NoDate => self.blank(),
            present => self.fit(present, moment, key),
        };
        match fitted {
            Ok(desired) => (desired, None),
            Err(misfit) => {
                let message = format!("{} {}", self.field, misfit.what);
                let problem = FieldProblem {
                    field: self.field,
                    message: message.clone(),
                    holds_person: misfit.holds_person,
                };
                (Desired::Unknown(Unknown::Expression(message)), Some(problem))
            }
        }
    }

    fn blank(&self) -> Result<Desired, Misfit> {
        match (self.field, self.kind) {
            (CardField::SurName, _) => Err(Misfit::holds(
                "cannot be empty; correct the source or give a | default(...)",
            )),
            (_, FieldKind::Flag) => Err(Misfit::skips(
                "is blank where true or false is needed; give a | default('false')",
            )),
            _ => Ok(Desired::Clear),
        }
    }

    fn fit(&self, value: Value<'_>, moment: Moment, key: &KeySpec) -> Result<Desired, Misfit> {
        if let Value::List(_) = value {
            return Err(Misfit::holds(
                "has several values where one is expected; take one with | sort | first or put them together with | sort | join(', ')",
            ));
        }
        let wanted = match (self.kind, value) {
            (FieldKind::Flag, Value::Bool(flag)) => Wanted::Value(FieldValue::Flag(flag)),
            (FieldKind::Flag, value) => Wanted::Value(FieldValue::Flag(read_flag(&value)?)),
            (FieldKind::Number, value) => Wanted::Value(FieldValue::Number(read_number(&value)?)),
            (FieldKind::Date, Value::Date(date)) => Wanted::Value(FieldValue::Date(date)),
            (FieldKind::Date, Value::DateTime(time)) => {
                Wanted::Value(FieldValue::Date(time.with_timezone(&moment.zone).date_naive()))
            }
            (FieldKind::Date, _) => return Err(Misfit::holds("is not a date; use | date, e.g. | date('%d-%m-%Y')")),
            (FieldKind::Text { max_chars }, value) => return self.text(&line_of(value, moment)?, max_chars),
            (FieldKind::Lookup(_), value) => {
                let name = line_of(value, moment)?;
                match self.missing {
                    MissingEntry::Create => Wanted::Entry(self.fitting(&name, MAX_ENTRY_CHARS)?.into()),
                    MissingEntry::Hold | MissingEntry::Skip => Wanted::Entry(name.into()),
                }
            }
            (FieldKind::Manager, value) => return self.manager(&line_of(value, moment)?, key),
        };
        Ok(Desired::Set(wanted))
    }

    fn text(&self, text: &str, max_chars: usize) -> Result<Desired, Misfit> {
        let text = self.fitting(text, max_chars)?;
        if self.field == CardField::Email && (!text.contains('@') || text.contains(char::is_whitespace)) {
            return Err(Misfit::skips(
                "is not an e-mail address: it has no @ or it has a blank; correct the source",
            ));
        }
        Ok(match FieldValue::text(text) {
            Some(value) => Desired::Set(Wanted::Value(value)),
            None => self.blank()?,
        })
    }

    fn fitting<'t>(&self, text: &'t str, max_chars: usize) -> Result<&'t str, Misfit> {
        // As many bytes are at least as many characters.
        if text.len() <= max_chars {
            return Ok(text);
        }
        let chars = text.chars().count();
        if chars <= max_chars {
            return Ok(text);
        }
        let message = format!(
            "would be {chars} characters long and takes {max_chars}; shorten it in the source or write too_long: truncate"
        );
        match self.too_long {
            TooLong::Truncate => Ok(cut(text, max_chars)),
            TooLong::Skip => Err(Misfit::skips(message)),
            TooLong::Reject => Err(Misfit::holds(message)),
        }
    }

    fn manager(&self, text: &str, key: &KeySpec) -> Result<Desired, Misfit> {
        if let Gives::ManagerDn(sources) = &self.gives {
            return Ok(Desired::Set(Wanted::ManagerDn {
                sources: sources.clone(),
                dn: text.into(),
            }));
        }
        match key.read(text) {
            KeyReading::Key(key) => Ok(Desired::Set(Wanted::ManagerKey(key))),
            KeyReading::None => Ok(Desired::Clear),
            KeyReading::Anonymized => Err(Misfit::skips(
                "is named by a key with asterisks, the mark of anonymized cards; correct the source",
            )),
            KeyReading::TooLong { chars, limit, .. } => Err(Misfit::skips(format!(
                "is named by a key of {chars} characters, a key has at most {limit}; correct the source"
            ))),
            KeyReading::Hidden { letter, .. } => Err(Misfit::skips(format!(
                "is named by a key that holds {}, which is no part of a key; correct the source",
                letters::named(letter)
            ))),
        }
    }
}

/// A present value that the field does not take.
struct Misfit {
    /// What is wrong and the cure, as a sentence that the field's name begins.
    what: String,
    holds_person: bool,
}

impl Misfit {
    fn holds(what: impl Into<String>) -> Self {
        Misfit {
            what: what.into(),
            holds_person: true,
        }
    }

    fn skips(what: impl Into<String>) -> Self {
        Misfit {
            what: what.into(),
            holds_person: false,
        }
    }
}

fn line_of(value: Value<'_>, moment: Moment) -> Result<String, Misfit> {
    let text = match value {
        Value::Text(text) => text,
        other => match other.to_text(moment.zone) {
            Some(text) => Cow::Owned(text.into_owned()),
            None => return Err(Misfit::holds(format!("is {} where text is expected", other.kind()))),
        },
    };
    Ok(one_line(text).into_owned())
}

fn read_flag(value: &Value<'_>) -> Result<bool, Misfit> {
    let text = match value {
        Value::Text(text) => text.trim().to_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    match text.as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(Misfit::holds(
            "is neither true, yes, 1 nor false, no, 0; compare it with something, e.g. {{ hr.Portal == 'J' }}",
        )),
    }
}

fn read_number(value: &Value<'_>) -> Result<Box<str>, Misfit> {
    let number = match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => Number::parse(text),
        _ => None,
    };
    match number {
        Some(number) => Ok(number.to_string().into()),
        None => Err(Misfit::holds(
            "is not a number such as 12 or 12.5; correct the source or use | regex",
        )),
    }
}
