//! Which records of a source are no people: `skip` says it by an expression, `exclude` by where an entry stands.

use super::condition::Condition;
use super::filters::Refusal;
use super::inputs::{Input, Records};
use super::parse::KnownSource;
use crate::config::SourceConfig;
use crate::core::model::dn::Dn;
use crate::core::model::identity::{Moment, Truth};
use crate::core::model::record::{Place, RawRecord};
use crate::core::plan::short_hash;
use crate::core::reads::skipped::Skipped;
use crate::core::reads::snapshot::SourceRead;

/// The options of one source, compiled.
#[derive(Debug)]
pub struct SkipRule {
    condition: Option<Condition>,
    /// Each as written, and as it is compared.
    excluded: Vec<(String, Dn)>,
    mark: Box<str>,
}

impl SkipRule {
    /// The rule of a source; `None` where it has neither option. A name in `exclude` that is none is refused elsewhere.
    ///
    /// # Errors
    /// Everything that is wrong with the expression. It may not ask the date: who is a person does not change overnight.
    pub(super) fn compile(source: &SourceConfig, known: &KnownSource) -> Result<Option<Self>, Vec<Refusal>> {
        let common = source.common();
        // A record is looked at before people are put together: there is no other source yet.
        let condition = common
            .skip
            .map(|text| Condition::compile(text, std::slice::from_ref(known)))
            .transpose()?;
        if condition.as_ref().is_some_and(Condition::reads_clock) {
            return Err(vec![Refusal::new(
                "asks the date, and what is no person does not become one by waiting",
                "say who has left in lifecycle.leaver.when, and who starts later in lifecycle.joiner.starts",
            )]);
        }
        let excluded: Vec<(String, Dn)> = common
            .exclude
            .iter()
            .filter_map(|text| Some((text.clone(), Dn::parse(text)?)))
            .collect();
        if condition.is_none() && excluded.is_empty() {
            return Ok(None);
        }
        let mut text = common.skip.unwrap_or_default().trim().as_bytes().to_vec();
        let mut names: Vec<String> = excluded.iter().map(|(_, dn)| dn.to_string()).collect();
        names.sort();
        for name in names {
            text.push(0);
            text.extend_from_slice(name.as_bytes());
        }
        Ok(Some(SkipRule {
            condition,
            excluded,
            mark: short_hash(&text).into(),
        }))
    }

    /// Stands for the options: another mark, other options.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    pub(super) fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    pub(super) fn inputs(&self) -> &[Input] {
        self.condition.as_ref().map_or(&[], Condition::inputs)
    }

    /// Takes the records out that are no people. What cannot be decided stays in: unknown never skips.
    pub fn take_out(&self, read: &mut SourceRead, moment: Moment) -> Skipped {
        let source = read.source.clone();
        let mut used = vec![false; self.excluded.len()];
        let (mut undecided, mut why_undecided) = (0, None);
        let mut skipped = Skipped::take_out(read, |names, record| {
            if let Some(at) = self.excluded_by(record) {
                used[at] = true;
                return true;
            }
            let row = Records::Row {
                source: &source,
                names,
                place: &record.place,
                values: &record.values,
            };
            match self.condition.as_ref().map(|condition| condition.holds(row, moment)) {
                Some(Truth::True) => true,
                Some(Truth::Unknown(why)) => {
                    undecided += 1;
                    why_undecided.get_or_insert(why);
                    false
                }
                Some(Truth::False) | None => false,
            }
        });
        skipped.rule = self.mark.clone();
        skipped.undecided = undecided;
        skipped.why_undecided = why_undecided;
        let names = self.excluded.iter().zip(used);
        skipped.idle = names
            .filter(|(_, used)| !used)
            .map(|((name, _), _)| name.clone())
            .collect();
        skipped
    }

    fn excluded_by(&self, record: &RawRecord) -> Option<usize> {
        if self.excluded.is_empty() {
            return None;
        }
        let Place::Dn(dn) = &record.place else { return None };
        let dn = Dn::parse(dn)?;
        self.excluded.iter().position(|(_, unit)| dn.is_within(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::ids::Generation;
    use crate::core::model::key::{KeySpec, Normaliser};
    use crate::core::model::record::{AttributeNames, Values};
    use crate::core::reads::snapshot::Role;
    use crate::mapping::testing::moment;
    use std::collections::{BTreeMap, BTreeSet};

    fn compiled(options: &str) -> Result<Option<SkipRule>, Vec<Refusal>> {
        let text = format!("{{ name: ad, type: ldif, path: x, key: id, role: authoritative, {options} }}");
        let source: SourceConfig = serde_yaml::from_str(&text).expect("a source");
        let known = KnownSource {
            name: "ad".into(),
            directory: true,
        };
        SkipRule::compile(&source, &known)
    }

    /// A read of entries with a DN and the value of `kind`.
    fn read(entries: &[(&str, &str)]) -> SourceRead {
        let records = entries.iter().map(|(dn, kind)| RawRecord {
            place: Place::Dn((*dn).into()),
            values: [Values::One((*kind).into())].into(),
            anchor: None,
        });
        SourceRead {
            source: "ad".into(),
            role: Role::Authoritative,
            read_at: moment().now,
            generation: Generation::new("1"),
            key_attribute: "id".to_owned(),
            attributes: AttributeNames::new(["kind".to_owned()], true),
            missing_attributes: BTreeSet::new(),
            known_attributes: BTreeSet::new(),
            records: records.collect(),
            rejections: Vec::new(),
            findings: Vec::new(),
            modified_at: None,
            name_date: None,
            content: None,
            update_marks: BTreeMap::new(),
            server_time: None,
        }
    }

    /// The entries that stay, and what stands aside.
    fn taken(options: &str, entries: &[(&str, &str)]) -> (Vec<String>, Skipped) {
        let rule = compiled(options).unwrap().expect("a rule");
        let mut read = read(entries);
        let skipped = rule.take_out(&mut read, moment());
        let left = read.records.iter().map(|record| record.place.to_string());
        (left.collect(), skipped)
    }

    #[test]
    fn what_is_true_of_a_record_takes_it_out_and_what_is_unknown_does_not() {
        let entries = [("CN=a,DC=x", "room"), ("CN=b,DC=x", "staff"), ("CN=c,DC=x", "")];
        let (left, skipped) = taken("skip: \"ad.kind != 'staff'\"", &entries);
        assert_eq!(left, ["CN=b,DC=x", "CN=c,DC=x"]);
        assert_eq!((skipped.count(), skipped.undecided), (1, 1));
        assert!(skipped.why_undecided.is_some_and(|why| why.contains("blank")));
        let (left, skipped) = taken("skip: \"ad.nowhere == 'x'\"", &entries);
        assert_eq!(
            (left.len(), skipped.undecided),
            (3, 3),
            "an attribute that is not there skips nobody"
        );
    }

    #[test]
    fn units_and_entries_are_excluded_however_their_names_are_written() {
        let entries = [
            (r"CN=Copier\, 2nd floor,OU=Rooms,DC=x", ""),
            ("CN=a,OU=Night,OU=Service Accounts,DC=x", ""),
            ("CN=b,OU=People,DC=x", ""),
            ("CN=c,OU=More Service Accounts,DC=x", ""),
        ];
        let options =
            r#"exclude: ['cn="copier, 2nd floor",ou=rooms,dc=x', 'OU=service\20accounts, DC=X', 'OU=Gone,DC=x']"#;
        let (left, skipped) = taken(options, &entries);
        assert_eq!(left, ["CN=b,OU=People,DC=x", "CN=c,OU=More Service Accounts,DC=x"]);
        assert_eq!(skipped.idle, ["OU=Gone,DC=x"]);
    }

    #[test]
    fn the_keys_of_what_is_skipped_are_kept_and_nothing_else() {
        let rule = compiled("exclude: ['DC=x']").unwrap().unwrap();
        let mut read = read(&[("CN=a,DC=x", " e1 "), ("CN=b,DC=x", ""), ("CN=c,DC=x", "***")]);
        let spec = KeySpec {
            card_field: crate::core::model::field::CardField::EmployeeNumber,
            normalise: vec![Normaliser::Trim, Normaliser::Uppercase],
            immutable: false,
        };
        read.key_attribute = "kind".to_owned();
        let skipped = rule.take_out(&mut read, moment());
        let keyed = crate::core::reads::quality::key_records(read, &spec).with_skipped(skipped, &spec);
        let keys: Vec<&str> = keyed.skipped_keys.iter().map(|key| key.as_str()).collect();
        assert_eq!(keys, ["E1"]);
        assert!(keyed.records.is_empty() && keyed.keyless.is_empty());
    }

    #[test]
    fn the_date_is_not_asked_and_other_sources_are_not_there() {
        let refused = |options: &str| compiled(options).unwrap_err().remove(0);
        assert!(refused("skip: \"ad.kind | date < today\"").message.contains("the date"));
        assert!(refused("skip: \"hr.kind == 'x'\"").message.contains("hr"));
        assert!(compiled("anchor: x").unwrap().is_none());
    }

    #[test]
    fn other_options_are_another_rule_and_other_spellings_are_not() {
        let mark = |options: &str| compiled(options).unwrap().unwrap().mark().to_owned();
        assert_eq!(
            mark("exclude: ['OU=a,DC=x', 'OU=b,DC=x']"),
            mark("exclude: ['ou=b, dc=x', 'ou=A,dc=x']")
        );
        assert_ne!(mark("exclude: ['OU=a,DC=x']"), mark("exclude: ['OU=b,DC=x']"));
        assert_ne!(mark("skip: \"ad.kind == 'a'\""), mark("skip: \"ad.kind == 'b'\""));
    }
}
