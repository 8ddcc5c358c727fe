//! The examples of docs/expressions.md, evaluated: the document cannot say what is not so.

use crate::core::model::identity::Truth;
use crate::mapping::condition::Condition;
use crate::mapping::filters::NAMES;
use crate::mapping::inputs::Records;
use crate::mapping::testing::{TestSource, evaluate, known, moment, with_joined};
use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../../../docs/expressions.md");

/// A fenced block of examples.
#[derive(Debug, Default)]
struct Block {
    conditions: bool,
    /// Attributes with their values, by source; `None`: no record, or rejected.
    attributes: BTreeMap<String, Vec<(String, Vec<String>)>>,
    without: Vec<String>,
    rejected: Vec<String>,
    /// Expression and what it gives.
    examples: Vec<(String, String)>,
}

impl Block {
    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
        } else if let Some(source) = line.strip_suffix(" has no record") {
            self.without.push(source.to_owned());
        } else if let Some(source) = line.strip_suffix(" was rejected") {
            self.rejected.push(source.to_owned());
        } else if let Some((expression, result)) = line.split_once(" -> ") {
            self.examples.push((expression.to_owned(), result.to_owned()));
        } else {
            let (name, value) = line
                .split_once(" = ")
                .unwrap_or_else(|| panic!("not an example: {line}"));
            let (source, attribute) = match name.split_once("['") {
                Some((source, attribute)) => (source, attribute.trim_end_matches("']")),
                None => name.split_once('.').expect("SOURCE.attribute"),
            };
            let values = match serde_json::from_str(value).unwrap_or_else(|wrong| panic!("{line}: {wrong}")) {
                serde_json::Value::String(text) => vec![text],
                list => serde_json::from_value(list).expect("a text or a list of texts"),
            };
            let attributes = self.attributes.entry(source.to_owned()).or_default();
            attributes.push((attribute.to_owned(), values));
        }
    }

    fn sources(&self) -> Vec<TestSource> {
        let with = self.attributes.iter().map(|(name, attributes)| {
            let values: Vec<Vec<&str>> = attributes
                .iter()
                .map(|(_, values)| values.iter().map(String::as_str).collect())
                .collect();
            let attributes: Vec<(&str, &[&str])> = attributes
                .iter()
                .zip(&values)
                .map(|((name, _), values)| (name.as_str(), values.as_slice()))
                .collect();
            TestSource::with(name, &attributes)
        });
        let without = self.without.iter().map(|name| TestSource::without(name));
        let rejected = self.rejected.iter().map(|name| TestSource::rejected(name));
        let mut sources: Vec<TestSource> = with.chain(without).chain(rejected).collect();
        if !sources.iter().any(|source| source.name.as_str() == "ad") {
            sources.push(TestSource::with("ad", &[]));
        }
        sources
    }
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in DOCUMENT.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                open = Some(Block {
                    conditions: kind == "jinja condition",
                    ..Block::default()
                });
                assert!(kind.starts_with("jinja"), "a block that no test reads: {kind}");
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.line(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

fn truth(text: &str, sources: &[TestSource]) -> &'static str {
    let condition = Condition::compile(text, &known(sources)).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    let answer = with_joined(sources, |joined| condition.holds(Records::Joined(joined), moment()));
    match answer {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown(_) => "unknown",
    }
}

#[test]
fn every_example_gives_what_the_document_says() {
    let mut count = 0;
    for block in blocks() {
        let sources = block.sources();
        for (expression, expected) in &block.examples {
            let given = if block.conditions {
                truth(expression, &sources).to_owned()
            } else {
                evaluate(expression, &sources)
            };
            assert_eq!(&given, expected, "{expression}");
            count += 1;
        }
    }
    assert!(count > 90, "{count} examples");
}

#[test]
fn every_filter_has_an_example() {
    let examples: Vec<String> = blocks()
        .into_iter()
        .flat_map(|block| block.examples)
        .map(|(expression, _)| expression)
        .collect();
    for name in NAMES {
        let written = format!("| {name}");
        assert!(examples.iter().any(|example| example.contains(&written)), "{name}");
    }
}
