//! Evaluates expressions over records. Pure: the moment is an argument.

use super::compare::{all, any, compare, truth, within};
use super::dates::{Believe, doubt};
use super::expression::{Expr, Program, Test, label_of};
use super::filters::{Filter, LONGEST_TEXT, too_long};
use super::inputs::{Input, Records};
use super::text::clean_cow;
use super::value::Value;
use crate::core::model::identity::{Moment, Unknown};
use chrono::Duration;
use std::borrow::Cow;

impl Program {
    /// The value over these records at this moment.
    pub fn evaluate<'a>(&'a self, records: Records<'a>, moment: Moment) -> Value<'a> {
        self.evaluate_believing(Believe::AllRead, records, moment)
    }

    /// The value, where a date that is not believed is not known.
    pub fn evaluate_believing<'a>(&'a self, believe: Believe, records: Records<'a>, moment: Moment) -> Value<'a> {
        // Most expressions are a plain reference: nothing to walk.
        if let Expr::Input(at) = self.root
            && let Some(input) = self.inputs.get(at)
        {
            return input.read(records);
        }
        let scope = Scope::believing(believe, self, records, moment);
        match scope.evaluate(&self.root) {
            // Parts put together can begin or end with white space, or compose to other characters.
            Value::Text(text) => Value::text(clean_cow(text)),
            other => other,
        }
    }
}

impl Program {
    /// The value of a part of it.
    pub(super) fn part<'a>(&'a self, part: &'a Expr, records: Records<'a>, moment: Moment) -> Value<'a> {
        Scope::of(self, records, moment).evaluate(part)
    }
}

/// What an expression is evaluated over.
pub(super) struct Scope<'a> {
    inputs: &'a [Input],
    records: Records<'a>,
    moment: Moment,
    believe: Believe,
}

impl<'a> Scope<'a> {
    /// Of a program over these records at this moment.
    pub(super) fn of(program: &'a Program, records: Records<'a>, moment: Moment) -> Self {
        Self::believing(Believe::AllRead, program, records, moment)
    }

    /// The same, where a date that is not believed is not known.
    fn believing(believe: Believe, program: &'a Program, records: Records<'a>, moment: Moment) -> Self {
        Scope {
            inputs: &program.inputs,
            records,
            moment,
            believe,
        }
    }

    /// The moment.
    pub(super) fn moment(&self) -> Moment {
        self.moment
    }

    /// The value of a part of the program.
    pub(super) fn evaluate(&self, expr: &'a Expr) -> Value<'a> {
        let zone = self.moment.zone;
        match expr {
            Expr::Constant(value) => value.borrowed(),
            Expr::Input(at) => self.inputs[*at].read(self.records),
            Expr::Today => Value::Date(self.moment.today()),
            Expr::Now => Value::DateTime(self.moment.now),
            Expr::List(items) => Value::List(items.iter().map(|item| self.evaluate(item)).collect()),
            Expr::Text(parts) => self.text(parts),
            Expr::Add {
                left,
                right,
                subtract,
                label,
            } => self.add(self.evaluate(left), &self.evaluate(right), *subtract, label),
            Expr::All(parts) => all(parts.iter().map(|part| self.truth(part)), ""),
            Expr::Any(parts) => any(parts.iter().map(|part| self.truth(part)), ""),
            Expr::Not(inner) => match self.truth(inner) {
                Value::Bool(flag) => Value::Bool(!flag),
                other => other,
            },
            Expr::Compare {
                comparison,
                left,
                right,
                label,
            } => compare(*comparison, &self.evaluate(left), &self.evaluate(right), zone, label),
            Expr::Within {
                negated,
                needle,
                list,
                label,
            } => within(*negated, &self.evaluate(needle), &self.evaluate(list), zone, label),
            Expr::Choose { test, yes, no } => match self.truth(test) {
                Value::Bool(true) => self.evaluate(yes),
                Value::Bool(false) => self.evaluate(no),
                Value::Absent(absent) => Value::unknown(absent.why),
                other => other,
            },
            Expr::Default { value, other } => self.default(self.evaluate(value), other),
            Expr::Filter { filter, input, label } => self.filter(filter, self.evaluate(input), label),
            Expr::Test {
                test,
                negated,
                input,
                label,
            } => self.test(test, *negated, &self.evaluate(input), label),
        }
    }

    fn filter(&self, filter: &'a Filter, input: Value<'a>, label: &str) -> Value<'a> {
        let zone = self.moment.zone;
        if self.believe == Believe::AllRead || !filter.reads_dates() {
            return filter.apply(input, zone, label);
        }
        let read = filter.apply(input.clone(), zone, label);
        match doubt(filter, &input, &read, self.believe, self.moment) {
            Some(why) => Value::undecided(format!("{label} {why}")),
            None => read,
        }
    }

    fn truth(&self, expr: &'a Expr) -> Value<'a> {
        match self.evaluate(expr) {
            decided @ (Value::Bool(_) | Value::Absent(_) | Value::Fault(_)) => decided,
            other => truth(&other, &label_of(expr, self.inputs)),
        }
    }

    /// Parts put together: unknown as soon as one is.
    fn text(&self, parts: &'a [Expr]) -> Value<'a> {
        let mut text = String::new();
        for part in parts {
            let value = self.evaluate(part);
            match value.to_text(self.moment.zone) {
                Some(piece) if text.len() + piece.len() > LONGEST_TEXT && !text.is_empty() => return too_long(),
                Some(piece) => text.push_str(&piece),
                None => {
                    return value.stopped().unwrap_or_else(|| {
                        Value::fault(format!(
                            "{} is {} where text is expected; take one with | sort | first or put them together with | sort | join(', ')",
                            label_of(part, self.inputs),
                            value.kind()
                        ))
                    });
                }
            }
        }
        Value::Text(Cow::Owned(text))
    }

    fn add(&self, left: Value<'a>, right: &Value<'a>, subtract: bool, label: &str) -> Value<'a> {
        if let Some(stopped) = left.stopped().or_else(|| right.stopped()) {
            return stopped;
        }
        let out_of_range = || Value::fault(format!("{label} is out of range"));
        match (&left, right) {
            (Value::NoDate, Value::Days(_)) => Value::NoDate,
            (Value::Date(_) | Value::DateTime(_), Value::Days(days)) => {
                let days = if subtract { days.checked_neg() } else { Some(*days) };
                let Some(span) = days.and_then(Duration::try_days) else {
                    return out_of_range();
                };
                match &left {
                    Value::Date(date) => date.checked_add_signed(span).map(Value::Date),
                    Value::DateTime(moment) => moment.checked_add_signed(span).map(Value::DateTime),
                    _ => None,
                }
                .unwrap_or_else(out_of_range)
            }
            (Value::Number(a), Value::Number(b)) => {
                let b = if subtract { b.negated() } else { *b };
                a.plus(b).map_or_else(out_of_range, Value::Number)
            }
            (Value::Text(_) | Value::Blank, Value::Text(_) | Value::Blank) if !subtract => {
                let zone = self.moment.zone;
                let pieces = [left.to_text(zone), right.to_text(zone)];
                if pieces.iter().flatten().map(|piece| piece.len()).sum::<usize>() > LONGEST_TEXT {
                    return too_long();
                }
                Value::Text(Cow::Owned(pieces.into_iter().flatten().collect()))
            }
            _ => Value::fault(format!(
                "{label} adds {} and {}; write days as days(3), texts with ~, and use | date or | int on text",
                left.kind(),
                right.kind()
            )),
        }
    }

    fn default(&self, value: Value<'a>, other: &'a Expr) -> Value<'a> {
        match value.settled() {
            Value::Absent(absent) if !absent.replaceable => Value::Absent(absent),
            Value::Absent(absent) => match self.evaluate(other) {
                // Nothing on either side: the first reason is the one to tell.
                Value::Absent(second) if second.replaceable => Value::Absent(absent),
                settled => settled,
            },
            blank @ (Value::Blank | Value::NoDate) => match self.evaluate(other) {
                // A record that is there says 'empty', and there is no other record: empty it is.
                Value::Absent(second) if second.replaceable => blank,
                settled => settled,
            },
            present => present,
        }
    }

    fn test(&self, test: &Test, negated: bool, value: &Value<'a>, label: &str) -> Value<'a> {
        let piece = match test {
            Test::Defined => {
                return match value {
                    Value::Fault(message) => Value::Fault(message.clone()),
                    // A complete snapshot without the record: not defined. But 'is not defined' stays unknown, so that
                    // the lack of a record is never evidence (RULES 4.3).
                    Value::Absent(absent)
                        if absent.replaceable && matches!(absent.why, Unknown::NoRecord(_)) && !negated =>
                    {
                        Value::Bool(false)
                    }
                    Value::Absent(absent) => Value::unknown(absent.why.clone()),
                    // A record without a value there: an entry of a directory has no blank attributes, a row has blank cells.
                    blank if blank.is_blank() => Value::Bool(negated),
                    _ => Value::Bool(!negated),
                };
            }
            Test::Blank => {
                let blank = value.is_blank() || *value == Value::NoDate;
                return value.stopped().unwrap_or(Value::Bool(blank != negated));
            }
            Test::Containing(piece) | Test::StartingWith(piece) | Test::EndingWith(piece) => piece,
        };
        match value {
            blank if blank.is_blank() && negated => Value::undecided(format!(
                "{label}: the value is blank; use 'is blank' to decide about blanks"
            )),
            blank if blank.is_blank() => Value::Bool(false),
            Value::Text(text) => {
                let holds = match test {
                    Test::StartingWith(_) => text.starts_with(&**piece),
                    Test::EndingWith(_) => text.ends_with(&**piece),
                    Test::Containing(_) | Test::Defined | Test::Blank => text.contains(&**piece),
                };
                Value::Bool(holds != negated)
            }
            other => other.stopped().unwrap_or_else(|| {
                Value::fault(format!("{label}: it is {}; take one with | sort | first", other.kind()))
            }),
        }
    }
}
