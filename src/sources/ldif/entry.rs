//! One entry of an LDIF file: its lines become the values of the asked-for attributes.

use super::lines::Content;
use crate::core::model::record::Values;
use crate::sources::directory::{as_text, binary_text, is_binary, is_whole_range, split_range};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What stands after the colon of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written<'a> {
    Plain(&'a str),
    Base64(&'a str),
    /// `:<`, an address to fetch the value from.
    Url,
}

/// Takes `attribute: value` apart; `None` for a line that is not of that form.
fn split(line: &str) -> Option<(&str, Written<'_>)> {
    let (name, rest) = line.split_once(':')?;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let written = match rest.as_bytes().first() {
        Some(b':') => Written::Base64(rest[1..].trim()),
        Some(b'<') => Written::Url,
        _ => Written::Plain(rest.trim_start_matches(' ')),
    };
    Some((name, written))
}

/// The attribute name of a line, where it has one.
pub fn name_of(line: &str) -> Option<&str> {
    split(line).map(|(name, _)| name)
}

/// The plain value of a line of this name.
pub fn plain<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    match split(line)? {
        (own, Written::Plain(value)) if own.eq_ignore_ascii_case(name) => Some(value),
        _ => None,
    }
}

impl<'a> Written<'a> {
    fn bytes(self) -> Result<Cow<'a, [u8]>, &'static str> {
        match self {
            Written::Plain(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Written::Base64(text) => STANDARD.decode(text).map(Cow::Owned).map_err(|_| "is not valid base64"),
            Written::Url => Err("is an address, not a value"),
        }
    }
}

/// Which attributes are kept.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Each once, ignoring case.
    pub names: Vec<String>,
    /// The place of the key in `names`.
    pub key: usize,
    /// The anchor the configuration names; else objectGUID or entryUUID.
    pub anchor: Option<String>,
    /// References that the configuration names as harmless.
    pub harmless: Vec<String>,
}

/// An entry as it was read, or as far as it could be.
#[derive(Debug, Default)]
pub struct Entry {
    /// The line of its `dn`.
    pub line: u64,
    pub dn: String,
    /// In the order of the wanted names.
    pub values: Vec<Values>,
    pub anchor: Option<Box<str>>,
    /// Wanted attributes with a value that had to be written as hex though the attribute is not known to be binary.
    pub hexed: Vec<usize>,
    /// Why the entry cannot be used.
    pub unusable: Option<String>,
    /// What it says of the whole file.
    pub signs: Vec<Sign>,
}

/// Something in an entry that makes the whole file doubtful or tells its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `changetype: add`: how ldifde exports entries.
    Added,
    /// Any other change, or a control.
    Change { line: u64 },
    /// A value that stands in another file or on a server.
    Url { line: u64, attribute: String },
    /// A part of the values of an attribute.
    Range { line: u64, attribute: String },
}

/// Reads an entry; the first line is its `dn`. `seen` hears every attribute name.
pub fn read(lines: &[Content<'_>], wanted: &Wanted, mut seen: impl FnMut(&str)) -> Entry {
    let mut reader = EntryReader {
        wanted,
        values: vec![Vec::new(); wanted.names.len()],
        tagged: BTreeSet::new(),
        anchors: [const { Vec::new() }; 2],
        entry: Entry {
            line: lines.first().map_or(0, |line| line.number),
            ..Entry::default()
        },
    };
    for line in lines {
        reader.line(line, &mut seen);
    }
    reader.finish()
}

struct EntryReader<'a> {
    wanted: &'a Wanted,
    values: Vec<Vec<String>>,
    /// Wanted attributes that the entry has with an option such as `;lang-nl`.
    tagged: BTreeSet<usize>,
    /// In order of preference.
    anchors: [Vec<String>; 2],
    entry: Entry,
}

impl EntryReader<'_> {
    fn line(&mut self, line: &Content<'_>, seen: &mut impl FnMut(&str)) {
        let number = line.number;
        let Some((name, written)) = split(&line.text) else {
            self.unusable(format!(
                "line {number} is not of the form 'attribute: value'; export the entry again"
            ));
            return;
        };
        if written == Written::Url {
            self.entry.signs.push(Sign::Url {
                line: number,
                attribute: name.to_owned(),
            });
            self.unusable(format!(
                "line {number}: the value of {name} is an address, which is not followed"
            ));
            return;
        }
        if name.eq_ignore_ascii_case("dn") {
            self.dn(line, written);
            return;
        }
        if name.eq_ignore_ascii_case("changetype") || name.eq_ignore_ascii_case("control") {
            let added = matches!(written, Written::Plain(kind) if kind.trim().eq_ignore_ascii_case("add"));
            if added && name.eq_ignore_ascii_case("changetype") {
                self.entry.signs.push(Sign::Added);
            } else {
                self.entry.signs.push(Sign::Change { line: number });
                self.unusable(format!(
                    "line {number} makes this a change record, not an entry; export the directory itself"
                ));
            }
            return;
        }
        let mut attribute = name;
        if let Some((base, range)) = split_range(name) {
            attribute = base;
            if !is_whole_range(range) {
                self.entry.signs.push(Sign::Range {
                    line: number,
                    attribute: name.to_owned(),
                });
            }
        }
        seen(attribute);
        self.value(attribute, written, line);
    }

    fn dn(&mut self, line: &Content<'_>, written: Written<'_>) {
        let dn = written.bytes().ok().filter(|_| !line.malformed);
        match dn.as_deref().and_then(as_text) {
            Some(dn) if !dn.trim().is_empty() => self.entry.dn = dn.to_owned(),
            _ => self.unusable(format!(
                "line {}: the dn is empty or cannot be decoded; export the entry again",
                line.number
            )),
        }
    }

    fn value(&mut self, attribute: &str, written: Written<'_>, line: &Content<'_>) {
        let place_of = |wanted: &str| {
            let mut names = self.wanted.names.iter();
            names.position(|name| name.eq_ignore_ascii_case(wanted))
        };
        let place = place_of(attribute);
        if place.is_none() {
            let base = attribute.split_once(';').and_then(|(base, _)| place_of(base));
            self.tagged.extend(base);
        }
        let anchor = match &self.wanted.anchor {
            Some(name) => name.eq_ignore_ascii_case(attribute).then_some(0),
            None => ["objectGUID", "entryUUID"]
                .iter()
                .position(|name| name.eq_ignore_ascii_case(attribute)),
        };
        if place.is_none() && anchor.is_none() {
            return;
        }
        let bytes = match written.bytes() {
            Ok(bytes) if !line.malformed => bytes,
            Ok(_) => return self.unreadable(attribute, line.number, "holds bytes that are not UTF-8"),
            Err(why) => return self.unreadable(attribute, line.number, why),
        };
        let text = binary_text(attribute, &bytes);
        if let Some(anchor) = anchor {
            self.anchors[anchor].push(text.clone());
        }
        if let Some(place) = place {
            if as_text(&bytes).is_none() && !is_binary(attribute) {
                self.entry.hexed.push(place);
            }
            self.values[place].push(text);
        }
    }

    fn unreadable(&mut self, attribute: &str, line: u64, why: &str) {
        self.unusable(format!(
            "line {line}: {attribute} {why}; correct the value in the directory and export again"
        ));
    }

    /// The first reason is the one to show.
    fn unusable(&mut self, why: String) {
        self.entry.unusable.get_or_insert(why);
    }

    fn finish(mut self) -> Entry {
        if let Some(place) = self
            .wanted
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case("dn"))
        {
            self.values[place] = vec![self.entry.dn.clone()];
        }
        self.entry.values = self.values.into_iter().map(Values::from_vec).collect();
        // What has only values for a language is not empty.
        for place in self.tagged {
            if self.entry.values[place] == Values::None {
                self.entry.values[place] = Values::Tagged;
            }
        }
        // An attribute with several values marks nobody.
        self.entry.anchor = self
            .anchors
            .into_iter()
            .find_map(|values| match <[String; 1]>::try_from(values) {
                Ok([value]) => Some(value.into_boxed_str()),
                Err(_) => None,
            });
        self.entry
    }
}
