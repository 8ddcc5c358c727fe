//! Warnings about expressions that compile but can never be decided: `hr['End date'] < today` compares text with a date,
//! is 'unknown' for everybody, and so nobody would ever leave.

use super::compare::undecidable;
use super::expression::{Comparison, Expr, Program, Test, label_of};
use super::filters::{Filter, Refusal, order_cure};
use super::inputs::Input;
use super::value::Value;

/// What is known of a value before there is a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Date,
    Number,
    Truth,
}

impl Kind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Date => "a date",
            Kind::Number => "a number",
            Kind::Truth => "true or false",
        }
    }
}

/// Everything in a condition that is never decided.
pub fn of_condition(program: &Program) -> Vec<Refusal> {
    let mut found = of_expression(program);
    found.extend(of_dates(program));
    if let Some(kind) = kind(&program.root).filter(|kind| *kind != Kind::Truth) {
        found.push(Refusal::new(
            format!("the condition gives {}, not true or false", kind.name()),
            "compare it with something",
        ));
    }
    found
}

/// Every format with which one text may mean two days: what depends on such a date waits for a human.
pub fn of_dates(program: &Program) -> Vec<Refusal> {
    let mut found = Vec::new();
    each(&program.root, &mut |expr| {
        if let Expr::Filter {
            filter: Filter::Date(reading),
            label,
            ..
        } = expr
        {
            let cure = "have the source write days in one form with years of four digits, e.g. 2026-03-12, and read that \
                        form alone; what such a date says is held until somebody approves it";
            let readings = reading.two_readings().into_iter();
            found.extend(readings.map(|why| Refusal::new(format!("{label}: {why}"), cure)));
        }
    });
    found
}

/// Everything in an expression that is never decided.
pub fn of_expression(program: &Program) -> Vec<Refusal> {
    let mut found = Vec::new();
    walk(&program.root, &program.inputs, &mut found);
    found
}

/// Whether a condition compares with `today` in such a way that the day itself counts: `End date <= today` holds from the
/// first minute of the last working day.
pub(super) fn counts_the_day_itself(expr: &Expr) -> bool {
    match expr {
        Expr::Compare {
            comparison,
            left,
            right,
            ..
        } => match comparison {
            Comparison::LessOrEqual => matches!(**right, Expr::Today),
            Comparison::GreaterOrEqual => matches!(**left, Expr::Today),
            Comparison::Equal | Comparison::Unequal | Comparison::Less | Comparison::Greater => false,
        },
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(counts_the_day_itself),
        Expr::Constant(_)
        | Expr::Input(_)
        | Expr::Today
        | Expr::Now
        | Expr::List(_)
        | Expr::Text(_)
        | Expr::Not(_)
        | Expr::Choose { .. }
        | Expr::Within { .. }
        | Expr::Default { .. }
        | Expr::Add { .. }
        | Expr::Filter { .. }
        | Expr::Test { .. } => false,
    }
}

fn walk(expr: &Expr, inputs: &[Input], found: &mut Vec<Refusal>) {
    match expr {
        Expr::Constant(_) | Expr::Input(_) | Expr::Today | Expr::Now => {}
        Expr::List(parts) | Expr::Text(parts) => parts.iter().for_each(|part| walk(part, inputs, found)),
        Expr::All(parts) | Expr::Any(parts) => {
            for part in parts {
                walk(part, inputs, found);
                truth_needed(part, inputs, found);
            }
        }
        Expr::Not(inner) => {
            walk(inner, inputs, found);
            truth_needed(inner, inputs, found);
        }
        Expr::Choose { test, yes, no } => {
            truth_needed(test, inputs, found);
            [test, yes, no].into_iter().for_each(|part| walk(part, inputs, found));
        }
        Expr::Compare {
            comparison,
            left,
            right,
            label,
        } => {
            walk(left, inputs, found);
            walk(right, inputs, found);
            if let (Some(left), Some(right)) = (kind(left), kind(right))
                && undecidable(*comparison, left, right)
            {
                found.push(Refusal::new(
                    format!(
                        "{label} is never decided: it compares {} with {}",
                        left.name(),
                        right.name()
                    ),
                    "use | date, | int or | number on both sides",
                ));
            }
        }
        Expr::Within { needle, list, .. } => {
            walk(needle, inputs, found);
            walk(list, inputs, found);
        }
        Expr::Default { value, other } => {
            walk(value, inputs, found);
            walk(other, inputs, found);
        }
        Expr::Add { left, right, .. } => {
            walk(left, inputs, found);
            walk(right, inputs, found);
        }
        Expr::Filter { filter, input, label } => {
            if let Filter::Unordered(wanted) = filter {
                found.push(Refusal::new(
                    format!(
                        "{label} | {wanted}: a directory gives the values of an attribute in no order, so where somebody has \
                         several none is taken and the field stays as it is"
                    ),
                    order_cure(label, wanted),
                ));
            }
            walk(input, inputs, found);
        }
        Expr::Test { test, input, label, .. } => {
            if matches!(test, Test::Defined) {
                let label = label.trim_end_matches(" is defined");
                found.push(Refusal::new(
                    format!("{label} is defined: true for whoever has a value there, not for everybody whose record was read"),
                    "nothing, if that is meant; where a record may be lacking, 'is not blank' is unknown and this is false",
                ));
            }
            walk(input, inputs, found);
        }
    }
}

/// Looks at an expression and at all of its parts.
fn each(expr: &Expr, look: &mut dyn FnMut(&Expr)) {
    look(expr);
    match expr {
        Expr::Constant(_) | Expr::Input(_) | Expr::Today | Expr::Now => {}
        Expr::List(parts) | Expr::Text(parts) | Expr::All(parts) | Expr::Any(parts) => {
            parts.iter().for_each(|part| each(part, look));
        }
        Expr::Choose { test, yes, no } => [test, yes, no].into_iter().for_each(|part| each(part, look)),
        Expr::Compare { left, right, .. } | Expr::Add { left, right, .. } => {
            each(left, look);
            each(right, look);
        }
        Expr::Within { needle, list, .. } => {
            each(needle, look);
            each(list, look);
        }
        Expr::Default { value, other } => {
            each(value, look);
            each(other, look);
        }
        Expr::Not(inner) | Expr::Filter { input: inner, .. } | Expr::Test { input: inner, .. } => each(inner, look),
    }
}

fn truth_needed(expr: &Expr, inputs: &[Input], found: &mut Vec<Refusal>) {
    if let Some(kind) = kind(expr).filter(|kind| *kind != Kind::Truth) {
        found.push(Refusal::new(
            format!("{} is {}, not true or false", label_of(expr, inputs), kind.name()),
            "compare it with something",
        ));
    }
}

/// What an expression gives, where that is known before there is a record.
pub(super) fn kind(expr: &Expr) -> Option<Kind> {
    match expr {
        Expr::Constant(Value::Text(_)) | Expr::Input(_) | Expr::Text(_) => Some(Kind::Text),
        Expr::Constant(Value::Number(_)) => Some(Kind::Number),
        Expr::Constant(Value::Bool(_)) => Some(Kind::Truth),
        Expr::Constant(_) | Expr::List(_) => None,
        Expr::Today | Expr::Now => Some(Kind::Date),
        Expr::Add { left, .. } => kind(left),
        Expr::All(_) | Expr::Any(_) | Expr::Not(_) | Expr::Compare { .. } | Expr::Within { .. } | Expr::Test { .. } => {
            Some(Kind::Truth)
        }
        Expr::Choose { yes, no, .. } => kind(yes).filter(|yes| kind(no) == Some(*yes)),
        Expr::Default { value, other } => kind(value).filter(|value| kind(other) == Some(*value)),
        Expr::Filter { filter, input, .. } => match filter {
            Filter::Date(_)
            | Filter::AddDays(_)
            | Filter::Filetime
            | Filter::GeneralizedTime
            | Filter::ExcelDate(_) => Some(Kind::Date),
            Filter::Int | Filter::Number | Filter::Length => Some(Kind::Number),
            Filter::Bit(_) | Filter::AdDisabled => Some(Kind::Truth),
            Filter::First | Filter::Last | Filter::Sort | Filter::Matching(_) | Filter::Unordered(_) => kind(input),
            Filter::Trim
            | Filter::Lower
            | Filter::Upper
            | Filter::Title
            | Filter::Replace { .. }
            | Filter::Regex(_)
            | Filter::RegexReplace { .. }
            | Filter::Split(_)
            | Filter::Join(_)
            | Filter::Pad { .. }
            | Filter::Slice { .. }
            | Filter::String
            | Filter::Format(_)
            | Filter::Rdn
            | Filter::PrimarySmtp
            | Filter::Ou => Some(Kind::Text),
        },
    }
}
