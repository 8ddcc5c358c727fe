//! Jinja texts into our own expressions. minijinja parses; what it would evaluate otherwise than RULES 4.3 says (it orders
//! blanks below everything) we evaluate ourselves.

use super::expression::{Comparison, Expr, Program, Test, label_of};
use super::filters::{Arguments, Refusal, build};
use super::inputs::{Input, Where};
use super::number::Number;
use super::text::did_you_mean;
use super::value::Value;
use crate::domain::ids::SourceName;
use minijinja::machinery::ast::{self, BinOpKind, CompareOpKind, UnaryOpKind};
use minijinja::machinery::{parse as parse_template, parse_expr};
use minijinja::value::ValueKind;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// A source that expressions may refer to.
#[derive(Clone, Debug)]
pub struct KnownSource {
    pub name: SourceName,
    /// Directories: attribute names ignore case, and entries have a distinguished name, `SOURCE.dn`.
    pub directory: bool,
}

/// Compiles the text of a field: one typed expression, or text with expressions in it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn field(text: &str, sources: &[KnownSource]) -> Result<Program, Vec<Refusal>> {
    let mut parser = Parser::new(sources);
    let root = match parser.template(text) {
        Parts::Expression(expr) => expr,
        Parts::Text(parts) => Expr::Text(parts),
    };
    parser.finish(text, root)
}

/// Compiles a condition: one expression, with or without the braces.
///
/// # Errors
/// Everything that is wrong with it.
pub fn condition(text: &str, sources: &[KnownSource]) -> Result<Program, Vec<Refusal>> {
    let mut parser = Parser::new(sources);
    let root = if text.contains("{{") || text.contains("{%") {
        match parser.template(text) {
            Parts::Expression(expr) => expr,
            Parts::Text(_) => {
                parser.refuse(
                    "a condition is one expression, not text with expressions in it",
                    "put 'and' or 'or' inside one pair of braces",
                );
                nothing()
            }
        }
    } else {
        match parse_expr(text.trim()) {
            Ok(expr) => parser.expr(&expr, false),
            Err(error) => {
                parser.syntax(&error);
                nothing()
            }
        }
    };
    parser.finish(text, root)
}

enum Parts {
    Expression(Expr),
    Text(Vec<Expr>),
}

/// Stands where something was refused; the program is then not made.
fn nothing() -> Expr {
    Expr::Constant(Value::Blank)
}

struct Parser<'s> {
    sources: &'s [KnownSource],
    inputs: Vec<Input>,
    refusals: Vec<Refusal>,
}

impl<'s> Parser<'s> {
    fn new(sources: &'s [KnownSource]) -> Self {
        Parser {
            sources,
            inputs: Vec::new(),
            refusals: Vec::new(),
        }
    }

    fn finish(self, text: &str, root: Expr) -> Result<Program, Vec<Refusal>> {
        if self.refusals.is_empty() {
            Ok(Program {
                text: text.to_owned(),
                root,
                inputs: self.inputs,
            })
        } else {
            Err(self.refusals)
        }
    }

    fn refuse(&mut self, message: impl Into<String>, cure: impl Into<String>) {
        let refusal = Refusal::new(message, cure);
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }

    fn syntax(&mut self, error: &minijinja::Error) {
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        self.refuse(
            format!("this is not a Jinja expression: {detail}"),
            "write e.g. {{ hr['Last name'] }}",
        );
    }

    fn template(&mut self, text: &str) -> Parts {
        let template = match parse_template(text.trim(), "expression", Default::default()) {
            Ok(ast::Stmt::Template(template)) => template,
            Ok(_) => return Parts::Text(Vec::new()),
            Err(error) => {
                self.syntax(&error);
                return Parts::Text(Vec::new());
            }
        };
        if let [ast::Stmt::EmitExpr(emit)] = template.children.as_slice() {
            return Parts::Expression(self.expr(&emit.expr, false));
        }
        let mut parts = Vec::with_capacity(template.children.len());
        for child in &template.children {
            match child {
                ast::Stmt::EmitRaw(raw) => parts.push(Expr::Constant(text_constant(raw.raw))),
                ast::Stmt::EmitExpr(emit) => parts.push(self.expr(&emit.expr, false)),
                _ => self.refuse(
                    "statements ({% ... %}) are not available",
                    "use an inline if: {{ a if condition else b }}",
                ),
            }
        }
        Parts::Text(parts)
    }

    /// Compiles a piece; `negate`: the piece stands under `not`.
    fn expr(&mut self, expr: &ast::Expr<'_>, negate: bool) -> Expr {
        match expr {
            ast::Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Not => self.expr(&unary.expr, !negate),
                UnaryOpKind::Neg => self.negative(expr, negate),
            },
            ast::Expr::BinOp(binary) => self.binary(binary, negate),
            ast::Expr::Compare(chain) => self.chain(chain, negate),
            ast::Expr::IfExpr(choice) => Expr::Choose {
                test: Box::new(self.expr(&choice.test_expr, false)),
                yes: Box::new(self.expr(&choice.true_expr, negate)),
                no: Box::new(
                    choice
                        .false_expr
                        .as_ref()
                        .map_or_else(nothing, |no| self.expr(no, negate)),
                ),
            },
            ast::Expr::Test(test) => self.test(test, negate),
            ast::Expr::Const(constant) => match self.constant(&constant.value) {
                Some(Value::Bool(flag)) => Expr::Constant(Value::Bool(flag != negate)),
                Some(value) => negated_if(negate, Expr::Constant(value)),
                None => {
                    self.refuse(
                        "a constant is neither text, number nor true or false",
                        "write it as text",
                    );
                    nothing()
                }
            },
            other => {
                let plain = self.value(other);
                negated_if(negate, plain)
            }
        }
    }

    /// Pieces to which `not` means nothing.
    fn value(&mut self, expr: &ast::Expr<'_>) -> Expr {
        match expr {
            ast::Expr::Var(var) => self.name(var.id),
            ast::Expr::GetAttr(attribute) => match &attribute.expr {
                ast::Expr::Var(source) => self.attribute(source.id, attribute.name),
                _ => {
                    self.refuse(
                        format!("'.{}' is not an attribute of a source", attribute.name),
                        "write SOURCE.attribute or SOURCE['attribute']",
                    );
                    nothing()
                }
            },
            ast::Expr::GetItem(item) => self.item(item),
            ast::Expr::Slice(slice) => self.slice(slice),
            ast::Expr::Filter(filter) => self.filter(filter),
            ast::Expr::List(list) => Expr::List(list.items.iter().map(|item| self.expr(item, false)).collect()),
            ast::Expr::Tuple(tuple) => Expr::List(tuple.items.iter().map(|item| self.expr(item, false)).collect()),
            ast::Expr::Call(call) => self.call(call),
            ast::Expr::Map(_) => {
                self.refuse("a {...} map is not a value here", "use an inline if, or | replace");
                nothing()
            }
            ast::Expr::Const(_)
            | ast::Expr::UnaryOp(_)
            | ast::Expr::BinOp(_)
            | ast::Expr::Compare(_)
            | ast::Expr::IfExpr(_)
            | ast::Expr::Test(_) => self.expr(expr, false),
        }
    }

    fn negative(&mut self, expr: &ast::Expr<'_>, negate: bool) -> Expr {
        match expr.as_const().as_ref().and_then(|value| self.constant(value)) {
            Some(value @ Value::Number(_)) => negated_if(negate, Expr::Constant(value)),
            _ => {
                self.refuse(
                    "a minus stands before something that is not a number",
                    "subtract from 0",
                );
                nothing()
            }
        }
    }

    fn binary(&mut self, binary: &ast::BinOp<'_>, negate: bool) -> Expr {
        let comparison = match binary.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                let parts = vec![self.expr(&binary.left, negate), self.expr(&binary.right, negate)];
                let all = matches!(binary.op, BinOpKind::ScAnd) != negate;
                return if all { Expr::All(parts) } else { Expr::Any(parts) };
            }
            BinOpKind::In => return self.within(&binary.left, &binary.right, negate),
            BinOpKind::Concat => {
                let parts = vec![self.expr(&binary.left, false), self.expr(&binary.right, false)];
                return negated_if(negate, Expr::Text(parts));
            }
            BinOpKind::Add | BinOpKind::Sub => {
                let left = self.expr(&binary.left, false);
                let right = self.expr(&binary.right, false);
                let subtract = matches!(binary.op, BinOpKind::Sub);
                let sign = if subtract { '-' } else { '+' };
                let label = format!("{} {sign} {}", self.label(&left), self.label(&right));
                let sum = Expr::Add {
                    left: Box::new(left),
                    right: Box::new(right),
                    subtract,
                    label: label.into(),
                };
                return negated_if(negate, sum);
            }
            BinOpKind::Mul | BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Rem | BinOpKind::Pow => {
                self.refuse("only + and - are available", "calculate in the source");
                return nothing();
            }
            BinOpKind::Eq => Comparison::Equal,
            BinOpKind::Ne => Comparison::Unequal,
            BinOpKind::Lt => Comparison::Less,
            BinOpKind::Lte => Comparison::LessOrEqual,
            BinOpKind::Gt => Comparison::Greater,
            BinOpKind::Gte => Comparison::GreaterOrEqual,
        };
        self.compare(comparison, &binary.left, &binary.right, negate)
    }

    fn chain(&mut self, chain: &ast::Compare<'_>, negate: bool) -> Expr {
        let mut parts = Vec::with_capacity(chain.ops.len());
        let mut left = &chain.expr;
        for step in &chain.ops {
            let comparison = match step.op {
                CompareOpKind::Eq => Some(Comparison::Equal),
                CompareOpKind::Ne => Some(Comparison::Unequal),
                CompareOpKind::Lt => Some(Comparison::Less),
                CompareOpKind::Lte => Some(Comparison::LessOrEqual),
                CompareOpKind::Gt => Some(Comparison::Greater),
                CompareOpKind::Gte => Some(Comparison::GreaterOrEqual),
                CompareOpKind::In | CompareOpKind::NotIn => None,
            };
            parts.push(match comparison {
                Some(comparison) => self.compare(comparison, left, &step.expr, negate),
                None => self.within(left, &step.expr, matches!(step.op, CompareOpKind::NotIn) != negate),
            });
            left = &step.expr;
        }
        if negate { Expr::Any(parts) } else { Expr::All(parts) }
    }

    fn compare(&mut self, comparison: Comparison, left: &ast::Expr<'_>, right: &ast::Expr<'_>, negate: bool) -> Expr {
        let comparison = if negate { comparison.negated() } else { comparison };
        let left = self.operand(left);
        let right = self.operand(right);
        let label: Box<str> = format!("{} {} {}", self.label(&left), comparison.sign(), self.label(&right)).into();
        let negated = match comparison {
            Comparison::Equal => Some(false),
            Comparison::Unequal => Some(true),
            _ => None,
        };
        // '' or none written out asks whether the other side is blank.
        if let Some(negated) = negated {
            let tested = match (is_blank_constant(&left), is_blank_constant(&right)) {
                (_, true) => Some(left),
                (true, false) => Some(right),
                (false, false) => {
                    return Expr::Compare {
                        comparison,
                        left: Box::new(left),
                        right: Box::new(right),
                        label,
                    };
                }
            };
            if let Some(input) = tested {
                return Expr::Test {
                    test: Test::Blank,
                    negated,
                    input: Box::new(input),
                    label,
                };
            }
            return nothing();
        }
        Expr::Compare {
            comparison,
            left: Box::new(left),
            right: Box::new(right),
            label,
        }
    }

    fn within(&mut self, needle: &ast::Expr<'_>, list: &ast::Expr<'_>, negated: bool) -> Expr {
        let needle = self.operand(needle);
        let list = self.operand(list);
        let sign = if negated { "not in" } else { "in" };
        let label = format!("{} {sign} {}", self.label(&needle), self.label(&list)).into();
        Expr::Within {
            negated,
            needle: Box::new(needle),
            list: Box::new(list),
            label,
        }
    }

    /// A side of a comparison: constants are trimmed, as the texts of records are.
    fn operand(&mut self, expr: &ast::Expr<'_>) -> Expr {
        trimmed(self.expr(expr, false))
    }

    fn test(&mut self, test: &ast::Test<'_>, negate: bool) -> Expr {
        const NAMES: [&str; 7] = [
            "blank",
            "containing",
            "defined",
            "empty",
            "endingwith",
            "none",
            "startingwith",
        ];
        let input = self.expr(&test.expr, false);
        let text = match test.args.as_slice() {
            [ast::CallArg::Pos(argument)] => match argument.as_const().as_ref().and_then(|v| self.constant(v)) {
                Some(Value::Text(text)) if !text.is_empty() => Some(Box::<str>::from(text.as_ref())),
                _ => None,
            },
            _ => None,
        };
        let kind = match (test.name, text, test.args.len()) {
            ("defined", None, 0) => Test::Defined,
            ("none" | "blank" | "empty", None, 0) => Test::Blank,
            ("containing", Some(text), 1) => Test::Containing(text),
            ("startingwith", Some(text), 1) => Test::StartingWith(text),
            ("endingwith", Some(text), 1) => Test::EndingWith(text),
            (name @ ("containing" | "startingwith" | "endingwith"), _, _) => {
                self.refuse(
                    format!("'is {name}' needs one text"),
                    format!("write is {name}('text')"),
                );
                return nothing();
            }
            (name, _, _) => {
                let cure = match did_you_mean(name, NAMES).filter(|near| *near != name) {
                    Some(near) => format!("did you mean 'is {near}'?"),
                    None => format!("tests are: {}", NAMES.join(", ")),
                };
                self.refuse(format!("there is no test 'is {name}' like this"), cure);
                return nothing();
            }
        };
        if matches!(kind, Test::Defined) && !matches!(input, Expr::Input(_)) {
            self.refuse(
                "'is defined' asks about an attribute",
                "write SOURCE.attribute is defined",
            );
        }
        let label = format!("{} is {}", self.label(&input), test.name).into();
        Expr::Test {
            test: kind,
            negated: negate,
            input: Box::new(input),
            label,
        }
    }

    fn filter(&mut self, filter: &ast::Filter<'_>) -> Expr {
        let Some(subject) = &filter.expr else {
            self.refuse(
                format!("| {} has nothing to work on", filter.name),
                "put a value before it",
            );
            return nothing();
        };
        if filter.name == "default" || filter.name == "d" {
            let value = Box::new(self.expr(subject, false));
            return match filter.args.as_slice() {
                [ast::CallArg::Pos(other)] => Expr::Default {
                    value,
                    other: Box::new(self.expr(other, false)),
                },
                _ => {
                    self.refuse(
                        "| default needs one argument",
                        "write | default('text') or | default(SOURCE.attribute)",
                    );
                    nothing()
                }
            };
        }
        let input = match subject {
            // `ad | ad_disabled` reads the one attribute that says so.
            ast::Expr::Var(var) if filter.name == "ad_disabled" && self.source(var.id).is_some() => {
                self.attribute(var.id, "userAccountControl")
            }
            subject => self.expr(subject, false),
        };
        let arguments = self.arguments(filter);
        let label = self.label(&input).into();
        match arguments.and_then(|arguments| build(filter.name, &arguments)) {
            Ok(filter) => Expr::Filter {
                filter,
                input: Box::new(input),
                label,
            },
            Err(refusal) => {
                self.refuse(refusal.message, refusal.cure);
                nothing()
            }
        }
    }

    fn arguments(&self, filter: &ast::Filter<'_>) -> Result<Arguments, Refusal> {
        let mut arguments = Arguments::default();
        let constant = |expr: &ast::Expr<'_>| {
            expr.as_const().and_then(|value| self.constant(&value)).ok_or_else(|| {
                Refusal::new(
                    format!("| {} has an argument that is not a constant", filter.name),
                    "only | default takes attributes as argument",
                )
            })
        };
        for argument in &filter.args {
            match argument {
                ast::CallArg::Pos(expr) => arguments.positional.push(constant(expr)?),
                ast::CallArg::Kwarg(name, expr) => arguments.named.push(((*name).to_owned(), constant(expr)?)),
                ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                    return Err(Refusal::new(
                        format!("| {} has * or ** before an argument", filter.name),
                        "write the arguments out",
                    ));
                }
            }
        }
        Ok(arguments)
    }

    fn call(&mut self, call: &ast::Call<'_>) -> Expr {
        match (&call.expr, call.args.as_slice()) {
            (ast::Expr::Var(name), [ast::CallArg::Pos(argument)]) if name.id == "days" => {
                let days = argument.as_const().as_ref().and_then(|value| self.constant(value));
                match days {
                    Some(Value::Number(number)) if number.to_i64().is_some() => {
                        Expr::Constant(Value::Days(number.to_i64().unwrap_or_default()))
                    }
                    _ => {
                        self.refuse("days(...) needs a whole number", "write e.g. today + days(14)");
                        nothing()
                    }
                }
            }
            (ast::Expr::GetAttr(method), _) => {
                self.refuse(
                    format!("'.{}(...)' cannot be called", method.name),
                    format!("write it as a filter: | {}", method.name),
                );
                nothing()
            }
            _ => {
                self.refuse(
                    "the only function is days(...)",
                    "write functions as filters: value | filter",
                );
                nothing()
            }
        }
    }

    fn item(&mut self, item: &ast::GetItem<'_>) -> Expr {
        match (&item.expr, item.subscript_expr.as_const()) {
            (ast::Expr::Var(source), Some(name)) if name.kind() == ValueKind::String => {
                self.attribute(source.id, name.as_str().unwrap_or_default())
            }
            (ast::Expr::Var(source), Some(name)) if name.kind() == ValueKind::Number => {
                self.refuse(
                    format!("{}[{name}] is not an attribute: columns have names", source.id),
                    format!("write {}['{name}'] if that is the column's name", source.id),
                );
                nothing()
            }
            (ast::Expr::Var(_), _) => {
                self.refuse(
                    "a computed subscript is not possible: references are static",
                    "write SOURCE['attribute']; use an inline if to choose between two",
                );
                nothing()
            }
            _ => {
                self.refuse(
                    "[...] picks attributes of sources only",
                    "use | first, | last or | slice(0, 3) on values",
                );
                nothing()
            }
        }
    }

    fn slice(&mut self, slice: &ast::Slice<'_>) -> Expr {
        let input = self.expr(&slice.expr, false);
        let mut ends = [None, None];
        for (end, expr) in ends.iter_mut().zip([&slice.start, &slice.stop]) {
            if let Some(expr) = expr {
                match expr.as_const().as_ref().and_then(|value| self.constant(value)) {
                    Some(Value::Number(number)) => *end = number.to_i64(),
                    _ => self.refuse("a slice needs whole numbers", "write e.g. hr.Name[:3]"),
                }
            }
        }
        if slice.step.is_some() {
            self.refuse("a slice has no step", "write e.g. hr.Name[:3]");
        }
        let label = self.label(&input).into();
        Expr::Filter {
            filter: super::filters::Filter::Slice {
                from: ends[0],
                to: ends[1],
            },
            input: Box::new(input),
            label,
        }
    }

    fn name(&mut self, name: &str) -> Expr {
        match name {
            _ if self.source(name).is_some() => {
                self.refuse(
                    format!("'{name}' is a source, not a value"),
                    format!("write {name}.attribute or {name}['attribute']"),
                );
                nothing()
            }
            "today" => Expr::Today,
            "now" => Expr::Now,
            _ => {
                self.unknown_source(name);
                nothing()
            }
        }
    }

    fn attribute(&mut self, source: &str, attribute: &str) -> Expr {
        let Some(known) = self.source(source) else {
            self.unknown_source(source);
            return nothing();
        };
        if attribute.trim().is_empty() {
            self.refuse(format!("{source}[''] names no attribute"), "write the attribute's name");
            return nothing();
        }
        let directory = known.directory;
        let name = known.name.clone();
        let place = if directory && attribute.eq_ignore_ascii_case("dn") {
            Where::EntryName
        } else {
            Where::Attribute
        };
        let same = |input: &Input| input.source == name && input.is_called(attribute);
        let at = self.inputs.iter().position(same).unwrap_or_else(|| {
            self.inputs.push(Input::new(&name, attribute, place, directory));
            self.inputs.len() - 1
        });
        Expr::Input(at)
    }

    fn source(&self, name: &str) -> Option<&'s KnownSource> {
        self.sources.iter().find(|source| source.name.as_str() == name)
    }

    fn unknown_source(&mut self, name: &str) {
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        let known = names.iter().copied().chain(["today", "now"]);
        let cure = match did_you_mean(name, known) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!(
                "sources are: {}; attributes are written SOURCE.attribute",
                names.join(", ")
            ),
        };
        self.refuse(format!("'{name}' is not a source"), cure);
    }

    fn label(&self, expr: &Expr) -> String {
        label_of(expr, &self.inputs)
    }

    fn constant(&self, value: &minijinja::Value) -> Option<Value<'static>> {
        match value.kind() {
            ValueKind::Undefined | ValueKind::None => Some(Value::Blank),
            ValueKind::Bool => Some(Value::Bool(value.is_true())),
            ValueKind::Number => Number::parse(&value.to_string()).map(Value::Number),
            ValueKind::String => value.as_str().map(text_constant),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter().ok()?;
                let items: Option<Vec<_>> = items.map(|item| self.constant(&item)).collect();
                items.map(Value::List)
            }
            _ => None,
        }
    }
}

fn text_constant(text: &str) -> Value<'static> {
    Value::Text(Cow::Owned(text.nfc().collect()))
}

fn negated_if(negate: bool, expr: Expr) -> Expr {
    if negate { Expr::Not(Box::new(expr)) } else { expr }
}

fn is_blank_constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Constant(value) if value.is_blank())
}

fn trimmed(expr: Expr) -> Expr {
    match expr {
        Expr::Constant(Value::Text(text)) => Expr::Constant(Value::Text(Cow::Owned(text.trim().to_owned()))),
        Expr::List(items) => Expr::List(items.into_iter().map(trimmed).collect()),
        other => other,
    }
}
