//! Filters and functions of expressions.

use super::{Parser, nothing};
use crate::mapping::expression::Expr;
use crate::mapping::filters::{Arguments, Filter, Refusal, build};
use crate::mapping::value::Value;
use minijinja::machinery::ast;

impl Parser<'_> {
    pub(super) fn filter(&mut self, filter: &ast::Filter<'_>) -> Expr {
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
            Ok(filter) => {
                let input = self.in_known_order(&filter, input);
                Expr::Filter {
                    filter,
                    input: Box::new(input),
                    label,
                }
            }
            Err(refusal) => {
                self.refuse(refusal.message, refusal.cure);
                nothing()
            }
        }
    }

    /// Puts a stop before a filter whose result depends on the order of values that have none.
    fn in_known_order(&self, filter: &Filter, input: Expr) -> Expr {
        if !filter.takes_by_order() || !self.has_no_order(&input) {
            return input;
        }
        let label = self.label(&input).into();
        Expr::Filter {
            filter: Filter::Unordered(filter.name()),
            input: Box::new(input),
            label,
        }
    }

    /// Whether several values of this would come in any order: those of an attribute of a directory do.
    fn has_no_order(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Input(at) => self.inputs[*at].is_a_set(),
            Expr::Filter { filter, input, .. } => !filter.gives_order() && self.has_no_order(input),
            Expr::Default { value, other } => self.has_no_order(value) || self.has_no_order(other),
            Expr::Choose { yes, no, .. } => self.has_no_order(yes) || self.has_no_order(no),
            Expr::Constant(_)
            | Expr::Today
            | Expr::Now
            | Expr::List(_)
            | Expr::Text(_)
            | Expr::Add { .. }
            | Expr::All(_)
            | Expr::Any(_)
            | Expr::Not(_)
            | Expr::Compare { .. }
            | Expr::Within { .. }
            | Expr::Test { .. } => false,
        }
    }

    pub(super) fn arguments(&self, filter: &ast::Filter<'_>) -> Result<Arguments, Refusal> {
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

    pub(super) fn call(&mut self, call: &ast::Call<'_>) -> Expr {
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
}
