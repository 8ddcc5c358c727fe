//! YAML text as a tree in which every value knows its place. The only module that touches the YAML library for reading.
//!
//! Serde stops at the first fault and loses places inside untagged enums; a tree of our own lets [`super::shape`] report
//! everything at once. Error messages here never quote the file: a line may hold what somebody took for the place of a
//! password.

use super::problem::{Place, under};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::granit_parser::{Event, Parser};
use serde_yaml::{DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Spanned};
use std::collections::BTreeMap;
use std::fmt;

/// The largest file that is read, in bytes. A real one has a few thousand.
pub const MAX_BYTES: usize = 1 << 20;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub value: NodeValue,
}

/// What is written there.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// Nothing, or `null`.
    Nothing,
    Flag(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

impl Entry {
    /// Where a reader should look: at the value if it stands on the line of its key, else at the key.
    pub fn place(&self) -> Place {
        match self.node.value {
            NodeValue::Flag(_) | NodeValue::Number(_) | NodeValue::Text(_) => self.node.place,
            NodeValue::Nothing | NodeValue::List(_) | NodeValue::Map(_) => self.key_place,
        }
    }
}

/// A fault of the YAML itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlFault {
    pub place: Option<Place>,
    pub path: String,
    pub message: String,
    pub cure: String,
}

/// Reads the text. Keys that stand twice are faults and do not hide what else is wrong: the first one counts. Without a
/// tree there is at least one fault.
pub fn parse(text: &str) -> (Option<Node>, Vec<YamlFault>) {
    match read(text, DuplicateKeyPolicy::Error) {
        Ok(node) if node.value == NodeValue::Nothing => (None, vec![empty_file()]),
        Ok(node) => (Some(node), Vec::new()),
        Err(Error::DuplicateMappingKey { .. }) => {
            let faults = duplicate_keys(text);
            match read(text, DuplicateKeyPolicy::FirstWins) {
                Ok(node) => (Some(node), faults),
                Err(error) => (None, faults.into_iter().chain([yaml_fault(&error)]).collect()),
            }
        }
        Err(error) => (None, vec![yaml_fault(&error)]),
    }
}

fn read(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Node, Error> {
    // Far above any real file, far below what hurts: nesting, aliases that multiply, merge keys.
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_events: 200_000,
            max_nodes: 50_000,
            max_depth: 32,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_merge_keys: 200,
            max_documents: 2,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: duplicate_keys,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        // `no` and `y` are words, as in YAML 1.2.
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options)
}

fn empty_file() -> YamlFault {
    YamlFault {
        place: None,
        path: String::new(),
        message: "the file is empty".to_owned(),
        cure: "`cardsync config init FILE` writes a starter file".to_owned(),
    }
}

fn yaml_fault(error: &Error) -> YamlFault {
    let error = error.without_snippet();
    if matches!(error, Error::Eof { .. }) {
        return empty_file();
    }
    let place = error.location().map(|at| Place {
        line: at.line(),
        column: at.column(),
    });
    let message = match error {
        Error::MultipleDocuments { .. } => "there is more than one YAML document in the file".to_owned(),
        Error::UnknownAnchor { .. } => "an alias (*name) has no anchor (&name) above it".to_owned(),
        other => {
            let text = other.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            format!("the file is not readable as YAML: {}", text.trim())
        }
    };
    let cure = match error {
        Error::MultipleDocuments { .. } => "write one file per TOPdesk environment, without '---' in the middle",
        Error::UnknownAnchor { .. } => "text that begins with * must be in quotes",
        _ => "check indentation and quotes at this place and the lines above",
    };
    YamlFault {
        place,
        path: String::new(),
        message,
        cure: cure.to_owned(),
    }
}

/// An open list or map while the events pass.
enum Open {
    List {
        path: String,
        items: usize,
    },
    Map {
        path: String,
        keys: BTreeMap<String, Place>,
        key: Option<String>,
    },
}

impl Open {
    /// The path of the value that comes next; takes note that it came.
    fn next_path(&mut self) -> String {
        match self {
            Open::List { path, items } => {
                *items += 1;
                format!("{path}[{}]", *items - 1)
            }
            Open::Map { path, key, .. } => under(path, &key.take().unwrap_or_default()),
        }
    }
}

/// Every key that stands twice in one map, not only the first.
fn duplicate_keys(text: &str) -> Vec<YamlFault> {
    let mut faults = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        if let (
            Event::Scalar(name, ..),
            Some(Open::Map {
                path,
                keys,
                key: key @ None,
            }),
        ) = (&event, open.last_mut())
        {
            let place = Place {
                line: span.start.line() as u64,
                column: span.start.col() as u64 + 1,
            };
            if let Some(first) = keys.get(name.as_ref()) {
                faults.push(YamlFault {
                    place: Some(place),
                    path: under(path, name),
                    message: format!("stands here again, first on line {}", first.line),
                    cure: "keep one of the two".to_owned(),
                });
            } else {
                keys.insert(name.to_string(), place);
            }
            *key = Some(name.to_string());
            continue;
        }
        match event {
            Event::SequenceStart(..) => {
                let path = open.last_mut().map(Open::next_path).unwrap_or_default();
                open.push(Open::List { path, items: 0 });
            }
            Event::MappingStart(..) => {
                let path = open.last_mut().map(Open::next_path).unwrap_or_default();
                open.push(Open::Map {
                    path,
                    keys: BTreeMap::new(),
                    key: None,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
            }
            Event::Scalar(..) | Event::Alias(..) => {
                open.last_mut().map(Open::next_path);
            }
            _ => {}
        }
    }
    faults
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<NodeValue>::deserialize(deserializer)?;
        Ok(Node {
            place: place(&spanned),
            value: spanned.value,
        })
    }
}

/// Where a value is written, for aliases and merge keys the place of the anchor: that is what has to be edited.
fn place<T>(spanned: &Spanned<T>) -> Place {
    Place {
        line: spanned.defined.line().max(1),
        column: spanned.defined.column().max(1),
    }
}

impl<'de> Deserialize<'de> for NodeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = NodeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true or false, a list or a map")
    }

    fn visit_unit<E: de::Error>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Nothing)
    }

    fn visit_none<E: de::Error>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeValue, D::Error> {
        NodeValue::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<NodeValue, E> {
        Ok(NodeValue::Flag(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<NodeValue, E> {
        Ok(Number::from_f64(number).map_or(NodeValue::Nothing, NodeValue::Number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<NodeValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Node>()? {
            items.push(item);
        }
        Ok(NodeValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<NodeValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let node = access.next_value::<Node>()?;
            entries.push(Entry {
                key_place: place(&key),
                key: key.value,
                node,
            });
        }
        Ok(NodeValue::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Node {
        let (node, faults) = parse(text);
        assert_eq!(faults, []);
        node.unwrap()
    }

    fn first_fault(text: &str) -> YamlFault {
        let (node, mut faults) = parse(text);
        assert_eq!(node, None);
        faults.remove(0)
    }

    fn entry<'a>(node: &'a Node, key: &str) -> &'a Entry {
        let NodeValue::Map(entries) = &node.value else {
            panic!("a map")
        };
        entries.iter().find(|entry| entry.key == key).unwrap()
    }

    #[test]
    fn every_value_knows_its_place() {
        let node = whole("a: 1\nb:\n  - x\n  - { c: true, d: '007' }\ne:\n");
        assert_eq!(entry(&node, "a").place(), Place { line: 1, column: 4 });
        assert_eq!(entry(&node, "b").place(), Place { line: 2, column: 1 });
        let NodeValue::List(items) = &entry(&node, "b").node.value else {
            panic!("a list")
        };
        assert_eq!(items[0].place, Place { line: 3, column: 5 });
        let d = entry(&items[1], "d");
        assert_eq!(
            (d.key_place, d.place()),
            (Place { line: 4, column: 16 }, Place { line: 4, column: 19 })
        );
        assert_eq!(d.node.value, NodeValue::Text("007".to_owned()));
        assert_eq!(entry(&node, "e").node.value, NodeValue::Nothing);
    }

    #[test]
    fn all_double_keys_are_found_and_the_tree_is_still_read() {
        let (node, faults) = parse("a: 1\nb:\n  - c: 1\n    d: [x, y]\n    c: 2\na: 3\n");
        let told: Vec<_> = faults
            .iter()
            .map(|f| (f.place.unwrap().line, f.path.as_str()))
            .collect();
        assert_eq!(told, [(5, "b[0].c"), (6, "a")]);
        assert_eq!(entry(&node.unwrap(), "a").node.value, NodeValue::Number(1.into()));
    }

    #[test]
    fn anchors_aliases_and_merges_work_and_point_to_what_must_be_edited() {
        let node = whole("a: &x { p: 5 }\nb: *x\nc:\n  <<: *x\n  q: 6\n");
        assert_eq!(entry(&entry(&node, "b").node, "p").node.place.line, 1);
        let c = &entry(&node, "c").node;
        assert_eq!(entry(c, "p").node.value, NodeValue::Number(5.into()));
        assert_eq!(entry(c, "q").node.value, NodeValue::Number(6.into()));
    }

    #[test]
    fn hostile_input_is_refused() {
        let deep = "[".repeat(5_000);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let row = vec![format!("*a{}", n - 1); 10].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{row}]\n"));
        }
        let wide: String = (0..60_000).map(|n| format!("k{n}: 1\n")).collect();
        for text in [deep, bomb, wide] {
            let fault = first_fault(&text);
            assert!(fault.message.contains("not readable"), "{}", fault.message);
        }
    }

    #[test]
    fn a_broken_file_is_never_quoted() {
        let fault = first_fault("topdesk:\n  password: hunter2\n  url: 'x\n");
        assert!(fault.place.is_some());
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        let fault = first_fault("password: !secret hunter2\n");
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
    }

    #[test]
    fn an_empty_file_and_two_documents_have_words_of_their_own() {
        assert_eq!(first_fault("# nothing\n").message, "the file is empty");
        assert!(first_fault("a: 1\n---\nb: 1\n").message.contains("more than one"));
    }
}
