//! Operators and tests of expressions. `not` is pushed down to the comparisons here.

use super::{Parser, negated_if, nothing};
use crate::mapping::expression::{Comparison, Expr, Test};
use crate::mapping::text::did_you_mean;
use crate::mapping::value::Value;
use minijinja::machinery::ast::{self, BinOpKind, CompareOpKind};
use std::borrow::Cow;

impl Parser<'_> {
    pub(super) fn binary(&mut self, binary: &ast::BinOp<'_>, negate: bool) -> Expr {
        let comparison = match binary.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                let parts = vec![self.answer(&binary.left, negate), self.answer(&binary.right, negate)];
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

    pub(super) fn chain(&mut self, chain: &ast::Compare<'_>, negate: bool) -> Expr {
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

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: &ast::Expr<'_>,
        right: &ast::Expr<'_>,
        negate: bool,
    ) -> Expr {
        let comparison = if negate { comparison.negated() } else { comparison };
        let left = self.operand(left);
        let right = self.operand(right);
        let label: Box<str> = format!("{} {} {}", self.label(&left), comparison.sign(), self.label(&right)).into();
        // '' or none written out asks whether the other side is blank.
        let by_equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if by_equality && (is_blank_constant(&left) || is_blank_constant(&right)) {
            let input = if is_blank_constant(&right) { left } else { right };
            return Expr::Test {
                test: Test::Blank,
                negated: comparison == Comparison::Unequal,
                input: Box::new(input),
                label,
            };
        }
        Expr::Compare {
            comparison,
            left: Box::new(left),
            right: Box::new(right),
            label,
        }
    }

    pub(super) fn within(&mut self, needle: &ast::Expr<'_>, list: &ast::Expr<'_>, negated: bool) -> Expr {
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
    pub(super) fn operand(&mut self, expr: &ast::Expr<'_>) -> Expr {
        let operand = trimmed(self.expr(expr, false));
        // `(a == 'x') == false` would be true where `a` is blank; `not (a == 'x')` is not.
        if holds_answer(&operand) {
            self.refuse(
                "the answer of a comparison is compared again",
                "put answers together with 'and', 'or' and 'not'",
            );
        }
        operand
    }

    pub(super) fn test(&mut self, test: &ast::Test<'_>, negate: bool) -> Expr {
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
}

fn holds_answer(operand: &Expr) -> bool {
    match operand {
        Expr::List(items) => items.iter().any(holds_answer),
        Expr::Compare { .. } | Expr::Within { .. } | Expr::Test { .. } => true,
        Expr::All(_) | Expr::Any(_) | Expr::Not(_) => true,
        _ => false,
    }
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
