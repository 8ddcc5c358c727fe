//! Whether a file has the shape of the JSON Schema: known options, required options, types, words, units.
//!
//! It never stops early. Where something is wrong it goes on with a stand-in, so that the checks of meaning can run over
//! everything else; the paths of the stand-ins are kept, and what the checks say about those is not told. A new option
//! needs no line here: the schema is made from the structs.

use super::problem::{Fault, Locations, under};
use super::suggest;
use super::tree::{Node, NodeValue};
use super::units::{Percent, Span};
use serde_json::{Map, Value};

/// A file after the check of its shape.
pub struct Shaped {
    /// The values, with stand-ins where the file is wrong: always readable as the structs.
    pub value: Value,
    pub faults: Vec<Fault>,
    pub locations: Locations,
    /// Paths where the value is a stand-in, or missing though something is written there.
    pub doubtful: Vec<String>,
}

/// Compares the tree with the schema.
pub fn shape(tree: &Node, schema: &Value) -> Shaped {
    let mut walk = Walk {
        root: schema,
        faults: Vec::new(),
        locations: Locations::default(),
        doubtful: Vec::new(),
    };
    let value = walk.node(tree, schema, "");
    Shaped {
        value,
        faults: walk.faults,
        locations: walk.locations,
        doubtful: walk.doubtful,
    }
}

/// The kinds of value, in the words of the messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Flag,
    Whole,
    Decimal,
    Text,
    List,
    Map,
}

impl Kind {
    fn of(value: &NodeValue) -> Kind {
        match value {
            NodeValue::Nothing => Kind::Nothing,
            NodeValue::Flag(_) => Kind::Flag,
            NodeValue::Number(number) if number.is_f64() => Kind::Decimal,
            NodeValue::Number(_) => Kind::Whole,
            NodeValue::Text(_) => Kind::Text,
            NodeValue::List(_) => Kind::List,
            NodeValue::Map(_) => Kind::Map,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Kind::Nothing => "nothing",
            Kind::Flag => "true or false",
            Kind::Whole => "a whole number",
            Kind::Decimal => "a number",
            Kind::Text => "text",
            Kind::List => "a list",
            Kind::Map => "a map of options",
        }
    }

    fn from_schema(word: &str) -> Option<Kind> {
        Some(match word {
            "null" => Kind::Nothing,
            "boolean" => Kind::Flag,
            "integer" => Kind::Whole,
            "number" => Kind::Decimal,
            "string" => Kind::Text,
            "array" => Kind::List,
            "object" => Kind::Map,
            _ => return None,
        })
    }
}

struct Walk<'s> {
    root: &'s Value,
    faults: Vec<Fault>,
    locations: Locations,
    doubtful: Vec<String>,
}

impl<'s> Walk<'s> {
    /// Follows references.
    fn resolve(&self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        while let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            schema = &self.root["$defs"][name];
        }
        schema
    }

    /// Every form a value may have: one, or several for `anyOf` and `oneOf`.
    fn forms(&self, schema: &'s Value) -> Vec<&'s Value> {
        let schema = self.resolve(schema);
        match schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
            Some(forms) => forms.iter().flat_map(|form| self.forms(form)).collect(),
            None => vec![schema],
        }
    }

    fn kinds(form: &Value) -> Vec<Kind> {
        match &form["type"] {
            Value::String(word) => Kind::from_schema(word).into_iter().collect(),
            Value::Array(words) => words.iter().filter_map(|w| Kind::from_schema(w.as_str()?)).collect(),
            _ => Vec::new(),
        }
    }

    /// Notes a fault and gives the stand-in.
    fn wrong(&mut self, path: &str, schema: &'s Value, message: impl Into<String>, cure: impl Into<String>) -> Value {
        self.faults.push(Fault::new(path, message, cure));
        self.doubtful.push(path.to_owned());
        self.stand_in(schema)
    }

    /// A value of the right shape.
    fn stand_in(&self, schema: &'s Value) -> Value {
        if !schema["default"].is_null() {
            return schema["default"].clone();
        }
        let forms = self.forms(schema);
        let Some(form) = forms.iter().find(|form| !Self::kinds(form).contains(&Kind::Nothing)) else {
            return Value::Null;
        };
        if let Some(word) = words(form).first() {
            return Value::from(*word);
        }
        match Self::kinds(form).first() {
            Some(Kind::Flag) => Value::from(false),
            Some(Kind::Whole | Kind::Decimal) => Value::from(0),
            Some(Kind::Text) => match form["format"].as_str() {
                Some("span") => Value::from("1d"),
                Some("percent") => Value::from("1%"),
                _ => Value::from(""),
            },
            Some(Kind::List) => Value::Array(Vec::new()),
            Some(Kind::Map) => {
                let required = required(form).filter_map(|key| form["properties"].get(key).map(|s| (key, s)));
                Value::Object(required.map(|(key, s)| (key.to_owned(), self.stand_in(s))).collect())
            }
            Some(Kind::Nothing) | None => Value::Null,
        }
    }

    fn node(&mut self, node: &Node, schema: &'s Value, path: &str) -> Value {
        let forms = self.forms(schema);
        let kind = Kind::of(&node.value);
        let fits = |wanted: Kind| wanted == kind || (wanted == Kind::Decimal && kind == Kind::Whole);
        let candidates: Vec<&Value> = forms
            .iter()
            .copied()
            .filter(|form| Self::kinds(form).into_iter().any(fits))
            .collect();
        match &node.value {
            _ if candidates.is_empty() => self.wrong_kind(kind, schema, &forms, path),
            NodeValue::Nothing => Value::Null,
            NodeValue::Flag(flag) => Value::from(*flag),
            NodeValue::Number(number) => {
                let limit = match candidates[0]["format"].as_str() {
                    Some("uint32") => u64::from(u32::MAX),
                    _ => i64::MAX as u64,
                };
                match (kind, number.as_u64()) {
                    (Kind::Whole, Some(n)) if n <= limit => Value::Number(number.clone()),
                    (Kind::Whole, _) => {
                        let cure = match number.as_u64() {
                            Some(_) => format!("write at most {limit}"),
                            None => "write a whole number, 0 or more".to_owned(),
                        };
                        self.wrong(path, schema, "is out of range", cure)
                    }
                    _ => Value::Number(number.clone()),
                }
            }
            NodeValue::Text(text) => self.text(text, &candidates, schema, path),
            NodeValue::List(items) => {
                let inner = &candidates[0]["items"];
                let items = items.iter().enumerate().map(|(n, item)| {
                    let path = format!("{path}[{n}]");
                    self.locations.insert(&path, item.place);
                    self.node(item, inner, &path)
                });
                Value::Array(items.collect())
            }
            NodeValue::Map(_) => self.map(node, &candidates, schema, path),
        }
    }

    fn wrong_kind(&mut self, kind: Kind, schema: &'s Value, forms: &[&'s Value], path: &str) -> Value {
        let mut wanted: Vec<Kind> = Vec::new();
        for kind in forms.iter().flat_map(|form| Self::kinds(form)) {
            if !wanted.contains(&kind) && kind != Kind::Nothing {
                wanted.push(kind);
            }
        }
        let expected: Vec<&str> = wanted.iter().map(|kind| kind.words()).collect();
        let expected = expected.join(" or ");
        let cure = if let Some(cure) = self.resolve(schema)["x-cure"].as_str() {
            cure.to_owned()
        } else if wanted.contains(&Kind::Text) && matches!(kind, Kind::Flag | Kind::Whole | Kind::Decimal) {
            "put it in quotes".to_owned()
        } else if wanted.contains(&Kind::Text) && kind == Kind::Nothing && path.ends_with(']') {
            "in YAML a NULL without quotes is nothing: write \"NULL\" where the word is meant".to_owned()
        } else if wanted == [Kind::Flag] && kind == Kind::Text {
            "write true or false, without quotes".to_owned()
        } else {
            let words: Vec<&str> = forms.iter().flat_map(|form| words(form)).collect();
            if words.is_empty() {
                String::new()
            } else {
                format!("known here: {}", words.join(", "))
            }
        };
        let message = if kind == Kind::Nothing {
            format!("is empty where {expected} is expected")
        } else {
            format!("is {} where {expected} is expected", kind.words())
        };
        self.wrong(path, schema, message, cure)
    }

    fn text(&mut self, text: &str, candidates: &[&'s Value], schema: &'s Value, path: &str) -> Value {
        let words: Vec<&str> = candidates.iter().flat_map(|form| words(form)).collect();
        if !words.is_empty() {
            if words.contains(&text) {
                return Value::from(text);
            }
            return self.wrong(
                path,
                schema,
                format!("'{text}' is not known"),
                suggest::cure(text, &words),
            );
        }
        let unit = match candidates[0]["format"].as_str() {
            Some("span") => text.parse::<Span>().err(),
            Some("percent") => text.parse::<Percent>().err(),
            _ => None,
        };
        match unit {
            Some(message) => self.wrong(path, schema, message, ""),
            None => Value::from(text),
        }
    }

    /// The form of a map: by its tag where the forms have one, else the one that knows the most of its keys.
    fn form_of_map(&mut self, node: &Node, candidates: &[&'s Value], path: &str) -> Option<&'s Value> {
        let NodeValue::Map(entries) = &node.value else {
            return None;
        };
        if candidates.len() == 1 {
            return Some(candidates[0]);
        }
        let tag = candidates[0]["properties"]
            .as_object()
            .and_then(|options| options.iter().find(|(_, s)| s["const"].is_string()))
            .map(|(key, _)| key.as_str());
        let Some(tag) = tag else {
            let known = |form: &Value| {
                entries
                    .iter()
                    .filter(|e| form["properties"].get(&e.key).is_some())
                    .count()
            };
            let best = candidates.iter().rev().max_by_key(|form| known(form));
            return best.copied();
        };
        let words: Vec<&str> = candidates
            .iter()
            .filter_map(|form| form["properties"][tag]["const"].as_str())
            .collect();
        let tag_path = under(path, tag);
        let Some(entry) = entries.iter().find(|entry| entry.key == tag) else {
            self.faults.push(Fault::new(
                tag_path,
                "is missing",
                format!("known here: {}", words.join(", ")),
            ));
            return None;
        };
        self.locations.insert(&tag_path, entry.place());
        let chosen = match &entry.node.value {
            NodeValue::Text(text) => candidates
                .iter()
                .find(|form| form["properties"][tag]["const"] == **text),
            _ => None,
        };
        if chosen.is_none() {
            let fault = match &entry.node.value {
                NodeValue::Text(text) => {
                    Fault::new(tag_path, format!("'{text}' is not known"), suggest::cure(text, &words))
                }
                _ => Fault::new(tag_path, "is not a word", format!("known here: {}", words.join(", "))),
            };
            self.faults.push(fault);
        }
        chosen.copied()
    }

    fn map(&mut self, node: &Node, candidates: &[&'s Value], schema: &'s Value, path: &str) -> Value {
        let NodeValue::Map(entries) = &node.value else {
            return Value::Null;
        };
        let Some(form) = self.form_of_map(node, candidates, path) else {
            self.doubtful.push(path.to_owned());
            return self.stand_in(schema);
        };
        let names: Vec<&str> = match form["propertyNames"]["enum"].as_array() {
            Some(names) => names.iter().filter_map(Value::as_str).collect(),
            None => form["properties"]
                .as_object()
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .collect(),
        };
        let mut values = Map::new();
        let mut meant = Vec::new();
        for entry in entries {
            let path = under(path, &entry.key);
            self.locations.insert(&path, entry.place());
            let inner = form["properties"].get(&entry.key).or_else(|| {
                let listed = form["propertyNames"].is_null() || names.contains(&entry.key.as_str());
                form.get("additionalProperties")
                    .filter(|inner| inner.is_object() && listed)
            });
            match inner {
                // An option with nothing after it is an option that is not written.
                Some(_) if entry.node.value == NodeValue::Nothing && !required(form).any(|key| key == entry.key) => {}
                Some(inner) => {
                    values.insert(entry.key.clone(), self.node(&entry.node, inner, &path));
                }
                None => {
                    self.locations.insert(&path, entry.key_place);
                    meant.extend(self.unknown_key(&entry.key, form, &names, schema, &path));
                }
            }
        }
        for key in required(form).filter(|key| entries.iter().all(|entry| entry.key != *key)) {
            let path = under(path, key);
            let inner = &form["properties"][key];
            let value = if meant.contains(&key) {
                // It is there, mistyped, and that has been said.
                self.doubtful.push(path);
                self.stand_in(inner)
            } else {
                let cure = self.how_to_add(key, inner);
                self.wrong(&path, inner, "is missing", cure)
            };
            values.insert(key.to_owned(), value);
        }
        Value::Object(values)
    }

    /// Notes an unknown key and gives the option that was meant, if that can be guessed.
    fn unknown_key<'n>(
        &mut self,
        key: &str,
        form: &'s Value,
        names: &[&'n str],
        schema: &'s Value,
        path: &str,
    ) -> Option<&'n str> {
        let inside = form["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .find_map(|(name, inner)| {
                let has = |form: &&Value| form["properties"].get(key).is_some();
                self.forms(inner)
                    .iter()
                    .any(has)
                    .then(|| format!("did you mean '{name}.{key}'?"))
            });
        let meant = suggest::nearest(key, names.iter().copied());
        let cure = match (meant, inside) {
            (Some(meant), _) => format!("did you mean '{meant}'?"),
            (None, Some(inside)) => inside,
            (None, None) => match self.resolve(schema)["x-cure"].as_str() {
                Some(cure) => cure.to_owned(),
                None => suggest::all(names),
            },
        };
        self.faults.push(Fault::new(path, "unknown key", cure));
        self.doubtful.push(path.to_owned());
        meant
    }

    /// What a missing option is for, in the first sentence of its explanation.
    fn how_to_add(&self, key: &str, schema: &'s Value) -> String {
        let about = schema["description"].as_str().unwrap_or_default();
        let about = about
            .split(". ")
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .replace('\n', " ");
        let words: Vec<&str> = self.forms(schema).into_iter().flat_map(words).collect();
        match (about.is_empty(), words.is_empty()) {
            (true, true) => format!("add '{key}'"),
            (false, true) => format!("add '{key}': {about}"),
            (true, false) => format!("add '{key}': {}", words.join(" or ")),
            (false, false) => format!("add '{key}': {about} ({})", words.join(" or ")),
        }
    }
}

/// The words a text may be; empty for free text.
fn words(form: &Value) -> Vec<&str> {
    let listed = form["enum"].as_array().into_iter().flatten();
    listed.chain(form.get("const")).filter_map(Value::as_str).collect()
}

fn required(form: &Value) -> impl Iterator<Item = &str> {
    form["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
