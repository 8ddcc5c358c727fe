//! What is wrong with a configuration, said so that somebody can repair it: file, line, column, option, fault, cure.
//!
//! A [`Fault`] knows the option only; a [`ConfigProblem`] knows the place in the file as well.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A place in the file, both numbers from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One thing that is wrong, by the path of the option, e.g. `sources[1].expect.max_drop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Empty when the file as a whole is meant.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do; empty when the message says it.
    pub cure: String,
}

impl Fault {
    /// A fault of one option.
    pub fn new(path: impl Into<String>, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            cure: cure.into(),
        }
    }
}

/// A fault with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    pub file: PathBuf,
    /// Unknown when the file could not be read at all.
    pub place: Option<Place>,
    pub path: String,
    pub message: String,
    pub cure: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.cure.is_empty() {
            write!(f, "; {}", self.cure)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with one file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblems {
    file: PathBuf,
    problems: Vec<ConfigProblem>,
}

impl ConfigProblems {
    /// Sorts the problems by place and drops doubles.
    pub fn new(file: &Path, mut problems: Vec<ConfigProblem>) -> Self {
        problems.sort_by(|a, b| (a.place, &a.path, &a.message).cmp(&(b.place, &b.path, &b.message)));
        problems.dedup();
        Self {
            file: file.to_owned(),
            problems,
        }
    }

    /// The problems in order.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigProblem> {
        self.problems.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        match self.problems.len() {
            1 => write!(f, "1 problem in {}", self.file.display()),
            n => write!(f, "{n} problems in {}", self.file.display()),
        }
    }
}

impl std::error::Error for ConfigProblems {}

/// Where every option of a file stands.
#[derive(Clone, Debug, Default)]
pub struct Locations {
    places: BTreeMap<String, Place>,
}

impl Locations {
    /// Remembers the place of an option.
    pub(super) fn insert(&mut self, path: &str, place: Place) {
        self.places.insert(path.to_owned(), place);
    }

    /// The place of an option; where it is not written, the place of the nearest option around it.
    pub fn find(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return *place;
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = &path[..at],
                None => return Place { line: 1, column: 1 },
            }
        }
    }
}

/// The path of an option inside another.
pub fn under(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_is_not_written_is_found_at_the_one_around_it() {
        let mut locations = Locations::default();
        locations.insert("sources[0]", Place { line: 3, column: 5 });
        locations.insert("fields.optionalFields1.text2", Place { line: 9, column: 3 });
        let at = |path: &str| locations.find(path).line;
        assert_eq!(at("sources[0].expect.max_drop"), 3);
        assert_eq!(at("sources[0]"), 3);
        assert_eq!(at("fields.optionalFields1.text2.value"), 9);
        assert_eq!(at("guard"), 1);
    }
}
