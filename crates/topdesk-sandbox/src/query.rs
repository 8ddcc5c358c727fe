//! The query language of list requests (FIQL): text to a tree. Pure; what fields exist is decided in `filter`.
//!
//! `==`, `!=`, `=gt=`, `=ge=`, `=lt=`, `=le=`, `=sw=`, `=in=(a,b)`, `=out=(a,b)`; `;` is and, `,` is or, and binds
//! first, parentheses group. Values with white space or reserved characters are quoted with `'` or `"`, with a backslash
//! before the quote and the backslash.

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All of these.
    All(Vec<Query>),
    /// Any of these.
    Any(Vec<Query>),
    /// One comparison.
    Test(Test),
}

impl Query {
    /// Whether it compares this field more than once.
    pub fn asks_twice(&self, field: &str) -> bool {
        fn count(query: &Query, field: &str) -> usize {
            match query {
                Query::All(parts) | Query::Any(parts) => parts.iter().map(|part| count(part, field)).sum(),
                Query::Test(test) => usize::from(test.field == field),
            }
        }
        count(self, field) > 1
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The field as written, with its dots.
    pub field: String,
    /// The comparison.
    pub operator: Operator,
    /// One value, or the list of `=in=` and `=out=`.
    pub values: Vec<Operand>,
}

/// A value in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// The text without quotes and escapes.
    pub text: String,
    /// True when it stood in quotes: then `null` is a word and not the null test.
    pub quoted: bool,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `=gt=`
    Greater,
    /// `=ge=`
    GreaterOrEqual,
    /// `=lt=`
    Less,
    /// `=le=`
    LessOrEqual,
    /// `=sw=`
    StartsWith,
    /// `=in=`
    In,
    /// `=out=`
    Out,
}

const OPERATORS: [(&str, Operator); 9] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("=gt=", Operator::Greater),
    ("=ge=", Operator::GreaterOrEqual),
    ("=lt=", Operator::Less),
    ("=le=", Operator::LessOrEqual),
    ("=sw=", Operator::StartsWith),
    ("=in=", Operator::In),
    ("=out=", Operator::Out),
];

/// A text that is not a query; says what was expected and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at position {at}")]
pub struct QueryError {
    /// What should have been there.
    pub expected: &'static str,
    /// Byte position in the query.
    pub at: usize,
}

/// How deep parentheses may nest, so that a hostile query cannot exhaust the stack.
const DEPTH: usize = 64;

/// Reads a query.
///
/// # Errors
/// At the first place that does not fit the grammar.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let mut parser = Parser { text, at: 0 };
    let query = parser.any(0)?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.expected("';', ',' or the end"));
    }
    Ok(query)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> QueryError {
        QueryError { expected, at: self.at }
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, symbol: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut parts = vec![self.all(depth)?];
        while self.take(",") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Query::Any(parts)
        })
    }

    fn all(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut parts = vec![self.term(depth)?];
        while self.take(";") {
            parts.push(self.term(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Query::All(parts)
        })
    }

    fn term(&mut self, depth: usize) -> Result<Query, QueryError> {
        if self.take("(") {
            if depth >= DEPTH {
                return Err(self.expected("fewer parentheses"));
            }
            let inner = self.any(depth + 1)?;
            return if self.take(")") {
                Ok(inner)
            } else {
                Err(self.expected("')'"))
            };
        }
        self.skip_blanks();
        let length = self
            .rest()
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '-')))
            .unwrap_or(self.rest().len());
        if length == 0 {
            return Err(self.expected("a field"));
        }
        let field = self.rest()[..length].to_owned();
        self.at += length;
        self.skip_blanks();
        let Some((symbol, operator)) = OPERATORS.iter().find(|(symbol, _)| self.rest().starts_with(symbol)) else {
            return Err(self.expected("a comparison such as =="));
        };
        self.at += symbol.len();
        let values = match operator {
            Operator::In | Operator::Out => self.values()?,
            _ => vec![self.value()?],
        };
        Ok(Query::Test(Test {
            field,
            operator: *operator,
            values,
        }))
    }

    fn values(&mut self) -> Result<Vec<Operand>, QueryError> {
        if !self.take("(") {
            return Err(self.expected("'('"));
        }
        let mut values = vec![self.value()?];
        while self.take(",") {
            values.push(self.value()?);
        }
        if self.take(")") {
            Ok(values)
        } else {
            Err(self.expected("')'"))
        }
    }

    fn value(&mut self) -> Result<Operand, QueryError> {
        self.skip_blanks();
        match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => {
                self.at += 1;
                self.quoted(quote)
            }
            _ => {
                let reserved = |c: char| {
                    c.is_whitespace() || matches!(c, '\'' | '"' | '(' | ')' | ';' | ',' | '=' | '!' | '~' | '<' | '>')
                };
                let length = self.rest().find(reserved).unwrap_or(self.rest().len());
                if length == 0 {
                    return Err(self.expected("a value"));
                }
                let text = self.rest()[..length].to_owned();
                self.at += length;
                Ok(Operand { text, quoted: false })
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Operand, QueryError> {
        let mut text = String::new();
        let mut escaped = false;
        for (offset, c) in self.text[self.at..].char_indices() {
            if escaped {
                text.push(c);
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == quote {
                self.at += offset + 1;
                return Ok(Operand { text, quoted: true });
            } else {
                text.push(c);
            }
        }
        Err(self.expected("a closing quote"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(field: &str, operator: Operator, values: &[(&str, bool)]) -> Query {
        let values = values
            .iter()
            .map(|(text, quoted)| Operand {
                text: (*text).to_owned(),
                quoted: *quoted,
            })
            .collect();
        Query::Test(Test {
            field: field.to_owned(),
            operator,
            values,
        })
    }

    #[test]
    fn and_binds_before_or_and_parentheses_group() {
        let a = || test("a", Operator::Equal, &[("1", false)]);
        let b = || test("b", Operator::NotEqual, &[("2", false)]);
        let c = || test("c.d", Operator::GreaterOrEqual, &[("3", false)]);
        assert_eq!(
            parse("a==1;b!=2,c.d=ge=3"),
            Ok(Query::Any(vec![Query::All(vec![a(), b()]), c()]))
        );
        assert_eq!(
            parse("a==1;(b!=2,c.d=ge=3)"),
            Ok(Query::All(vec![a(), Query::Any(vec![b(), c()])]))
        );
        assert_eq!(parse(" ( a == 1 ) "), Ok(a()));
    }

    #[test]
    fn quotes_hold_reserved_characters_and_escapes() {
        assert_eq!(
            parse(r"surName=='d\'Arc; (\\x), y'"),
            Ok(test("surName", Operator::Equal, &[(r"d'Arc; (\x), y", true)]))
        );
        assert_eq!(parse(r#"a=="it's""#), Ok(test("a", Operator::Equal, &[("it's", true)])));
        assert_eq!(parse("a=='null'"), Ok(test("a", Operator::Equal, &[("null", true)])));
        assert_eq!(parse("a==''"), Ok(test("a", Operator::Equal, &[("", true)])));
    }

    #[test]
    fn lists_hold_several_values() {
        assert_eq!(
            parse("a=in=('1', 2)"),
            Ok(test("a", Operator::In, &[("1", true), ("2", false)]))
        );
        assert_eq!(parse("a=out=(1)"), Ok(test("a", Operator::Out, &[("1", false)])));
    }

    #[test]
    fn what_is_not_a_query_is_refused_with_its_place() {
        for (text, at) in [
            ("", 0),
            ("a", 1),
            ("a=1", 1),
            ("a==", 3),
            ("a==1)", 4),
            ("(a==1", 5),
            ("a=='x", 4),
            ("a=in=1", 5),
        ] {
            assert_eq!(parse(text).map_err(|error| error.at), Err(at), "{text}");
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
    }
}
