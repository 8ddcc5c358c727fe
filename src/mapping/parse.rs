//! Jinja texts into our own expressions. minijinja parses; what it would evaluate otherwise than RULES 4.3 says (it orders
//! blanks below everything) we evaluate ourselves.

mod bounds;
mod calls;
mod operators;
mod references;

use super::expression::{Expr, Program, label_of};
use super::filters::Refusal;
use super::inputs::Input;
use super::number::Number;
use super::value::Value;
use crate::core::model::ids::SourceName;
use minijinja::machinery::ast::{self, UnaryOpKind};
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
    if let Some(refusal) = bounds::refusal(text) {
        return Err(vec![refusal]);
    }
    let mut parser = Parser::new(sources);
    let root = match parser.template(text, Parser::expr) {
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
    if let Some(refusal) = bounds::refusal(text) {
        return Err(vec![refusal]);
    }
    let mut parser = Parser::new(sources);
    let root = if text.contains("{{") || text.contains("{%") {
        match parser.template(text, Parser::answer) {
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
            Ok(expr) => parser.answer(&expr, false),
            Err(error) => {
                parser.syntax(&error);
                nothing()
            }
        }
    };
    for input in &mut parser.inputs {
        input.rare_is_blank = true;
    }
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

    /// `whole` compiles what is exactly one expression.
    fn template(&mut self, text: &str, whole: fn(&mut Self, &ast::Expr<'_>, bool) -> Expr) -> Parts {
        let template = match parse_template(text.trim(), "expression", Default::default()) {
            Ok(ast::Stmt::Template(template)) => template,
            Ok(_) => return Parts::Text(Vec::new()),
            Err(error) => {
                self.syntax(&error);
                return Parts::Text(Vec::new());
            }
        };
        if let [ast::Stmt::EmitExpr(emit)] = template.children.as_slice() {
            return Parts::Expression(whole(self, &emit.expr, false));
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

    /// Compiles a piece of which only true and false matter.
    ///
    /// There `a if test else b` is `(test and a) or (not test and b)`: where a blank makes the test neither true nor its
    /// negation, `else` must not be taken for the truth.
    fn answer(&mut self, expr: &ast::Expr<'_>, negate: bool) -> Expr {
        let ast::Expr::IfExpr(choice) = expr else {
            return self.expr(expr, negate);
        };
        let yes = vec![
            self.answer(&choice.test_expr, false),
            self.answer(&choice.true_expr, negate),
        ];
        let no = vec![
            self.answer(&choice.test_expr, true),
            choice
                .false_expr
                .as_ref()
                .map_or_else(nothing, |no| self.answer(no, negate)),
        ];
        Expr::Any(vec![Expr::All(yes), Expr::All(no)])
    }

    /// Compiles a piece; `negate`: the piece stands under `not`.
    fn expr(&mut self, expr: &ast::Expr<'_>, negate: bool) -> Expr {
        match expr {
            ast::Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Not => self.answer(&unary.expr, !negate),
                UnaryOpKind::Neg => self.negative(expr, negate),
            },
            ast::Expr::BinOp(binary) => self.binary(binary, negate),
            ast::Expr::Compare(chain) => self.chain(chain, negate),
            ast::Expr::IfExpr(choice) => Expr::Choose {
                test: Box::new(self.answer(&choice.test_expr, false)),
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
