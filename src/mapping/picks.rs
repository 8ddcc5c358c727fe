//! What a condition picks out among the records of one source, as a whole and comparison by comparison: counted with every
//! read, so that a word that the source no longer uses shows (RULES 4.7).

use super::expression::{Comparison, Expr, Program, Test, label_of};
use super::filters::Filter;
use super::inputs::Records;
use super::value::Value;
use crate::core::model::identity::Moment;
use crate::core::model::ids::SourceName;
use crate::core::model::record::{AttributeNames, SourceRecord};
use crate::core::reads::profile::Matched;

/// One comparison of a condition, turned so that it is true for what it names: `hr.Type != 'External'` is counted as
/// `hr.Type == 'External'`.
#[derive(Debug)]
pub(super) struct Pick {
    label: String,
    expr: Expr,
    /// The only source that it reads.
    source: SourceName,
}

/// The comparisons of a condition that read one source each.
pub(super) fn of(program: &Program) -> Vec<Pick> {
    let mut found = Vec::new();
    collect(&program.root, program, &mut found);
    found
}

fn collect(expr: &Expr, program: &Program, found: &mut Vec<Pick>) {
    let mut add = |label: String, expr: Expr| {
        if let Some(source) = only_source(&expr, program) {
            found.push(Pick { label, expr, source });
        }
    };
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| collect(part, program, found)),
        Expr::Not(inner) => collect(inner, program, found),
        Expr::Choose { test, yes, no } => [test, yes, no]
            .into_iter()
            .for_each(|part| collect(part, program, found)),
        Expr::Compare {
            comparison: Comparison::Equal | Comparison::Unequal,
            left,
            right,
            ..
        } => {
            let (label, equal) = equal(left, right, program);
            add(label, equal);
        }
        Expr::Compare { label, .. } => add(label.to_string(), expr.clone()),
        Expr::Within { needle, list, .. } => {
            let words: Vec<Expr> = match &**list {
                Expr::List(items) => items.clone(),
                Expr::Constant(Value::List(items)) => items.iter().cloned().map(Expr::Constant).collect(),
                _other => Vec::new(),
            };
            if words.is_empty() {
                let inputs = &program.inputs;
                let label = format!("{} in {}", label_of(needle, inputs), label_of(list, inputs));
                let within = Expr::Within {
                    negated: false,
                    needle: needle.clone(),
                    list: list.clone(),
                    label: label.as_str().into(),
                };
                add(label, within);
            }
            for word in &words {
                let (label, equal) = equal(needle, word, program);
                add(label, equal);
            }
        }
        Expr::Test { test, input, label, .. } => {
            let label = match test {
                Test::Containing(word) | Test::StartingWith(word) | Test::EndingWith(word) => {
                    format!("{label}('{word}')")
                }
                Test::Defined | Test::Blank => label.to_string(),
            };
            let test = Expr::Test {
                test: test.clone(),
                negated: false,
                input: input.clone(),
                label: label.as_str().into(),
            };
            add(label, test);
        }
        Expr::Filter {
            filter: filter @ (Filter::Bit(_) | Filter::AdDisabled),
            label,
            ..
        } => add(format!("{label} | {}", filter.name()), expr.clone()),
        Expr::Constant(_)
        | Expr::Input(_)
        | Expr::Today
        | Expr::Now
        | Expr::List(_)
        | Expr::Text(_)
        | Expr::Add { .. }
        | Expr::Default { .. }
        | Expr::Filter { .. } => {}
    }
}

fn equal(left: &Expr, right: &Expr, program: &Program) -> (String, Expr) {
    let inputs = &program.inputs;
    let label = format!("{} == {}", label_of(left, inputs), label_of(right, inputs));
    let equal = Expr::Compare {
        comparison: Comparison::Equal,
        left: Box::new(left.clone()),
        right: Box::new(right.clone()),
        label: label.as_str().into(),
    };
    (label, equal)
}

fn only_source(expr: &Expr, program: &Program) -> Option<SourceName> {
    let mut sources = Vec::new();
    expr.visit(&mut |part| {
        if let Expr::Input(at) = part {
            sources.push(&program.inputs[*at].source);
        }
    });
    let (first, others) = sources.split_first()?;
    others.iter().all(|other| other == first).then(|| (*first).clone())
}

/// Counts over the people of one source; the first record of each counts. `picked` is the answer of the whole condition
/// that is counted: true for leavers, false for `include`.
pub(super) fn count(
    program: &Program,
    picks: &[Pick],
    source: &SourceName,
    names: &AttributeNames,
    records: &[SourceRecord],
    moment: Moment,
    picked: bool,
) -> Matched {
    let picks: Vec<&Pick> = picks.iter().filter(|pick| pick.source == *source).collect();
    let whole = program.inputs.iter().all(|input| input.source == *source) && !program.inputs.is_empty();
    let mut counts = vec![0_u64; picks.len()];
    if picks.is_empty() && !whole {
        return Matched::default();
    }
    let mut matched = Matched {
        text: program.text.clone(),
        ..Matched::default()
    };
    for record in records.chunk_by(|a, b| a.key == b.key).filter_map(<[_]>::first) {
        let records = Records::Row {
            source,
            names,
            place: &record.place,
            values: &record.values,
        };
        matched.all += u64::from(whole && program.evaluate(records, moment) == Value::Bool(picked));
        for (count, pick) in counts.iter_mut().zip(&picks) {
            *count += u64::from(program.part(&pick.expr, records, moment) == Value::Bool(true));
        }
    }
    for (pick, count) in picks.iter().zip(counts) {
        let most = matched.by.entry(pick.label.clone()).or_default();
        *most = count.max(*most);
    }
    matched
}
