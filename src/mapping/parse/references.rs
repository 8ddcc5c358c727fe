//! References to sources: static, so that the program knows what it needs before it reads.

use super::{Parser, nothing};
use crate::mapping::expression::Expr;
use crate::mapping::filters::Filter;
use crate::mapping::inputs::{Input, Where};
use crate::mapping::parse::KnownSource;
use crate::mapping::text::did_you_mean;
use crate::mapping::value::Value;
use minijinja::machinery::ast;
use minijinja::value::ValueKind;

impl<'s> Parser<'s> {
    pub(super) fn item(&mut self, item: &ast::GetItem<'_>) -> Expr {
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
                    "use | sort | first, | last or | slice(0, 3) on values",
                );
                nothing()
            }
        }
    }

    pub(super) fn slice(&mut self, slice: &ast::Slice<'_>) -> Expr {
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
            filter: Filter::Slice {
                from: ends[0],
                to: ends[1],
            },
            input: Box::new(input),
            label,
        }
    }

    pub(super) fn name(&mut self, name: &str) -> Expr {
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

    pub(super) fn attribute(&mut self, source: &str, attribute: &str) -> Expr {
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

    pub(super) fn source(&self, name: &str) -> Option<&'s KnownSource> {
        self.sources.iter().find(|source| source.name.as_str() == name)
    }

    pub(super) fn unknown_source(&mut self, name: &str) {
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
}
