//! Expressions after parsing: our own tree, with attributes as numbers and filters ready to run.

use super::filters::Filter;
use super::inputs::Input;
use super::value::Value;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison that holds exactly where this one does not, both sides being known.
    pub fn negated(self) -> Self {
        match self {
            Comparison::Equal => Comparison::Unequal,
            Comparison::Unequal => Comparison::Equal,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
        }
    }

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::Unequal => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

/// What `is ...` asks.
#[derive(Clone, Debug)]
pub enum Test {
    /// Is there a record that has the attribute?
    Defined,
    /// Is it blank?
    Blank,
    Containing(Box<str>),
    StartingWith(Box<str>),
    EndingWith(Box<str>),
}

/// An expression. `not` is pushed down to the comparisons when it is built: `not (a == 'x')` is `a != 'x'`, so that it is
/// not true where `a` is blank either.
#[derive(Clone, Debug)]
pub enum Expr {
    Constant(Value<'static>),
    /// Place in the program's inputs.
    Input(usize),
    Today,
    Now,
    List(Vec<Expr>),
    /// Parts put together as text.
    Text(Vec<Expr>),
    Add {
        left: Box<Expr>,
        right: Box<Expr>,
        subtract: bool,
        label: Box<str>,
    },
    /// `and`
    All(Vec<Expr>),
    /// `or`
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Compare {
        comparison: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
        label: Box<str>,
    },
    /// `in` and `not in`
    Within {
        negated: bool,
        needle: Box<Expr>,
        list: Box<Expr>,
        label: Box<str>,
    },
    Choose {
        test: Box<Expr>,
        yes: Box<Expr>,
        no: Box<Expr>,
    },
    Default {
        value: Box<Expr>,
        other: Box<Expr>,
    },
    Filter {
        filter: Filter,
        input: Box<Expr>,
        label: Box<str>,
    },
    Test {
        test: Test,
        negated: bool,
        input: Box<Expr>,
        label: Box<str>,
    },
}

impl Expr {
    /// Shows it and every part of it.
    pub fn visit<'e>(&'e self, seen: &mut impl FnMut(&'e Expr)) {
        seen(self);
        match self {
            Expr::Today | Expr::Now | Expr::Constant(_) | Expr::Input(_) => {}
            Expr::List(parts) | Expr::Text(parts) | Expr::All(parts) | Expr::Any(parts) => {
                parts.iter().for_each(|part| part.visit(seen));
            }
            Expr::Not(inner) => inner.visit(seen),
            Expr::Add { left, right, .. } | Expr::Compare { left, right, .. } => {
                left.visit(seen);
                right.visit(seen);
            }
            Expr::Within { needle, list, .. } => {
                needle.visit(seen);
                list.visit(seen);
            }
            Expr::Choose { test, yes, no } => {
                test.visit(seen);
                yes.visit(seen);
                no.visit(seen);
            }
            Expr::Default { value, other } => {
                value.visit(seen);
                other.visit(seen);
            }
            Expr::Filter { input, .. } | Expr::Test { input, .. } => input.visit(seen),
        }
    }

    /// Whether the answer can change with nothing but time.
    pub fn reads_clock(&self) -> bool {
        let mut clock = false;
        self.visit(&mut |part| clock |= matches!(part, Expr::Today | Expr::Now));
        clock
    }
}

/// A compiled expression with what it reads.
#[derive(Debug)]
pub struct Program {
    /// As the configuration has it.
    pub text: String,
    pub root: Expr,
    pub inputs: Vec<Input>,
}

/// What an expression is about, in a few words for messages: the attribute where there is one, or a constant of the
/// configuration. Never a value of a record.
pub fn label_of(expr: &Expr, inputs: &[Input]) -> String {
    match expr {
        Expr::Input(at) => inputs
            .get(*at)
            .map_or_else(|| "the attribute".to_owned(), |input| input.label.to_string()),
        Expr::Constant(Value::Text(text)) => format!("'{text}'"),
        Expr::Constant(Value::Number(number)) => number.to_string(),
        Expr::Constant(_) => "the constant".to_owned(),
        Expr::Today => "today".to_owned(),
        Expr::Now => "now".to_owned(),
        Expr::Default { value, .. } => label_of(value, inputs),
        Expr::Not(inner) => label_of(inner, inputs),
        Expr::Choose { yes, .. } => label_of(yes, inputs),
        Expr::List(parts) | Expr::Text(parts) | Expr::All(parts) | Expr::Any(parts) => parts
            .iter()
            .find(|part| !matches!(part, Expr::Constant(_)))
            .map_or_else(|| "the text".to_owned(), |part| label_of(part, inputs)),
        Expr::Filter { label, .. }
        | Expr::Add { label, .. }
        | Expr::Compare { label, .. }
        | Expr::Within { label, .. }
        | Expr::Test { label, .. } => label.to_string(),
    }
}
