//! Exports with a row per contract: which row describes the person, and how the contracts stand. What is decided is decided
//! by what the rows say; their order in the file means nothing.

use super::advice::{self, Kind};
use super::condition::Condition;
use super::expression::Program;
use super::filters::Refusal;
use super::first_day::Starts;
use super::inputs::{Input, Records};
use super::number::Number;
use super::parse::{self, KnownSource};
use super::turning::{days, ends_of};
use super::value::Value;
use crate::config::PerContract;
use crate::core::model::identity::{FirstDay, Moment, Truth};
use crate::core::model::ids::SourceName;
use crate::core::model::record::{AttributeNames, SourceRecord, Standing};
use crate::core::reads::rows::{Row, RowMarks, RowState, Rows, mark, texts};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;

/// The rules of one source with a row per contract.
#[derive(Debug)]
pub struct ContractRule {
    current: Condition,
    /// Which of several current rows leads: each narrows down what the one before it left.
    main: Vec<Program>,
    /// `lifecycle.joiner.starts`, where it reads nothing but this source.
    starts: Option<Starts>,
}

/// A refusal and the option of `rows` that it is about.
pub type OptionRefusal = (String, Refusal);

impl ContractRule {
    /// Compiles the rules of a source. `starts` is `lifecycle.joiner.starts`. A row is looked at before people are put
    /// together: there is no other source yet.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn compile(per: &PerContract, starts: Option<&str>, source: &KnownSource) -> Result<Self, Vec<OptionRefusal>> {
        let alone = std::slice::from_ref(source);
        let mut refusals = Vec::new();
        let mut refuse = |option: String, refused: Vec<Refusal>| {
            refusals.extend(refused.into_iter().map(|refusal| (option.clone(), refusal)));
        };
        let current = match Condition::compile(&per.current, alone) {
            Ok(condition) => Some(condition),
            Err(refused) => {
                refuse("current".to_owned(), refused);
                None
            }
        };
        let texts = per.main.as_ref().map_or(&[][..], |main| main.as_slice());
        let mut main = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let option = if texts.len() == 1 {
                "main".to_owned()
            } else {
                format!("main[{at}]")
            };
            match compile_main(text, alone) {
                Ok(program) => main.push(program),
                Err(refused) => refuse(option, refused),
            }
        }
        match (current, refusals.is_empty()) {
            (Some(current), true) => Ok(Self {
                current,
                main,
                starts: starts.and_then(|text| Starts::compile(text, alone).ok()),
            }),
            _ => Err(refusals),
        }
    }

    /// What they read.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        let main = self.main.iter().flat_map(|program| &program.inputs);
        let starts = self.starts.iter().flat_map(Starts::inputs);
        self.current.inputs().iter().chain(main).chain(starts)
    }

    /// What in them can never be decided, by option.
    pub(super) fn advice(&self) -> impl Iterator<Item = (&'static str, Refusal)> {
        let current = self.current.advice().into_iter().map(|advice| ("current", advice));
        let main = self.main.iter().flat_map(advice::of_expression);
        current.chain(main.map(|advice| ("main", advice)))
    }

    /// Makes one record per key of a source's rows, which must be sorted by key.
    ///
    /// - Current rows describe the person: the one that leads by `rows.main`, else all of them together.
    /// - Else a row of which it is not known whether it is current: unknown is not ended.
    /// - Else the row that begins next: a known next contract is no leaver.
    /// - Else all rows have ended: the one that ended last, as [`Standing::AllRowsEnded`].
    pub fn group(
        &self,
        records: Vec<SourceRecord>,
        names: &AttributeNames,
        source: &SourceName,
        moment: Moment,
    ) -> Vec<SourceRecord> {
        let of = Looking {
            rule: self,
            names,
            source,
            moment,
        };
        let mut people = Vec::with_capacity(records.len());
        let mut rest = records.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut rows = vec![first];
            while let Some(row) = rest.next_if(|row| row.key == rows[0].key) {
                rows.push(row);
            }
            people.push(of.person(rows));
        }
        people
    }
}

fn compile_main(text: &str, sources: &[KnownSource]) -> Result<Program, Vec<Refusal>> {
    // Like a condition, with or without the braces.
    let program = if text.contains("{{") || text.contains("{%") {
        parse::field(text, sources)?
    } else {
        parse::field(&format!("{{{{ {text} }}}}"), sources)?
    };
    match advice::kind(&program.root) {
        Some(Kind::Text) => Err(vec![Refusal::new(
            "it gives text, and texts have no order",
            "give a number (| number), a date (| date) or a condition: the highest, the latest or the one that holds leads",
        )]),
        Some(Kind::Date | Kind::Number | Kind::Truth) | None => Ok(program),
    }
}

/// One row and how it stands.
struct Judged {
    record: SourceRecord,
    state: RowState,
    /// Why that is not known.
    why: Option<String>,
    mark: u32,
}

/// What the rows of a source are looked at with.
struct Looking<'a> {
    rule: &'a ContractRule,
    names: &'a AttributeNames,
    source: &'a SourceName,
    moment: Moment,
}

impl Looking<'_> {
    fn row<'a>(&'a self, record: &'a SourceRecord) -> Records<'a> {
        Records::Row {
            source: self.source,
            names: self.names,
            place: &record.place,
            values: &record.values,
        }
    }

    /// One record for the rows of one person.
    fn person(&self, mut records: Vec<SourceRecord>) -> SourceRecord {
        // By what they say; a row that stands in the file twice is one row.
        records.sort_by(|a, b| (&a.values, &a.raw_key, &a.place).cmp(&(&b.values, &b.raw_key, &b.place)));
        records.dedup_by(|a, b| a.values == b.values);
        let rows: Vec<Judged> = records.into_iter().map(|record| self.judge(record)).collect();
        let (standing, leading) = self.leading(&rows);
        let marks = |wanted: fn(RowState) -> bool| {
            let wanted = rows.iter().filter(|row| wanted(row.state));
            wanted.map(|row| row.mark).collect()
        };
        // A row of which it is not known may go on: when it is gone tomorrow, it is missing.
        let live = marks(|state| !matches!(state, RowState::Ended(_)));
        let ended = marks(|state| matches!(state, RowState::Ended(_)));
        let begins = rows.iter().filter_map(|row| match row.state {
            RowState::Begins(day) => Some(day),
            RowState::Current | RowState::NotKnown | RowState::Ended(_) => None,
        });
        let ends: Option<Vec<NaiveDate>> = rows
            .iter()
            .map(|row| match row.state {
                RowState::Ended(day) => day,
                RowState::Current | RowState::NotKnown | RowState::Begins(_) => None,
            })
            .collect();
        let mut all: Vec<Row> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| Row {
                place: row.record.place.clone(),
                state: row.state,
                leads: leading.contains(&at),
            })
            .collect();
        all.sort_by(|a, b| a.place.cmp(&b.place));
        let summary = Rows {
            all,
            beside: leading[1..].iter().map(|at| rows[*at].record.clone()).collect(),
            marks: RowMarks::new(live, ended),
            next: (standing == Standing::NextRow).then(|| begins.min()).flatten(),
            ended: ends.and_then(|ends| ends.into_iter().max()),
            by_date: self.rule.current.reads_clock(),
            why: (standing == Standing::NotKnown)
                .then(|| rows[leading[0]].why.clone())
                .flatten(),
        };
        let mut record = rows[leading[0]].record.clone();
        record.standing = standing;
        record.rows = Some(Box::new(summary));
        record
    }

    /// The rows that describe the person, first the one whose values stand for all; by what they say.
    fn leading(&self, rows: &[Judged]) -> (Standing, Vec<usize>) {
        let those = |wanted: &dyn Fn(RowState) -> bool| -> Vec<usize> {
            let places = rows.iter().enumerate();
            places.filter(|(_, row)| wanted(row.state)).map(|(at, _)| at).collect()
        };
        let current = those(&|state| state == RowState::Current);
        if !current.is_empty() {
            return (Standing::Current, self.main_of(current, rows));
        }
        let not_known = those(&|state| state == RowState::NotKnown);
        if !not_known.is_empty() {
            return (Standing::NotKnown, not_known);
        }
        let day = |at: &usize| match rows[*at].state {
            RowState::Begins(day) | RowState::Ended(Some(day)) => Some(day),
            RowState::Current | RowState::NotKnown | RowState::Ended(None) => None,
        };
        let begins = those(&|state| matches!(state, RowState::Begins(_)));
        if let Some(first) = begins.iter().map(day).min() {
            let next = begins.into_iter().filter(|at| day(at) == first).collect();
            return (Standing::NextRow, self.main_of(next, rows));
        }
        let ended = those(&|_| true);
        let last = ended.iter().map(day).max().expect("a person has a row");
        let last = ended.into_iter().filter(|at| day(at) == last).collect();
        (Standing::AllRowsEnded, self.main_of(last, rows))
    }

    /// Those that `rows.main` puts first; where it cannot be told of one of them, all of them.
    fn main_of(&self, mut candidates: Vec<usize>, rows: &[Judged]) -> Vec<usize> {
        for program in &self.rule.main {
            if candidates.len() < 2 {
                break;
            }
            let ranks: Option<Vec<Option<Rank>>> = candidates
                .iter()
                .map(|at| rank(&program.evaluate(self.row(&rows[*at].record), self.moment)))
                .collect();
            let Some(ranks) = ranks else { break };
            let kinds: BTreeSet<u8> = ranks.iter().flatten().map(Rank::kind).collect();
            if kinds.len() > 1 {
                break;
            }
            let best = ranks.iter().max().copied().flatten();
            let ranked = candidates.into_iter().zip(ranks);
            candidates = ranked.filter(|(_, rank)| *rank == best).map(|(at, _)| at).collect();
        }
        candidates
    }

    fn judge(&self, record: SourceRecord) -> Judged {
        let current = &self.rule.current;
        let row = self.row(&record);
        let turns = current.program().turns(row, self.moment);
        let mark = self.mark(&record, &turns);
        let (state, why) = match current.holds(row, self.moment) {
            Truth::True => (RowState::Current, None),
            Truth::Unknown(why) => (RowState::NotKnown, Some(why)),
            // A date that is no evidence by itself does not end a row.
            Truth::False => match current.holds_of_row(row, self.moment) {
                Truth::Unknown(why) => (RowState::NotKnown, Some(why)),
                Truth::True | Truth::False => self.not_current(row, &days(&turns)),
            },
        };
        Judged {
            record,
            state,
            why,
            mark,
        }
    }

    /// A row that is not current today: it begins later, or it has ended, or its dates contradict each other.
    fn not_current(&self, row: Records<'_>, turns: &BTreeSet<NaiveDate>) -> (RowState, Option<String>) {
        let current = &self.rule.current;
        let today = self.moment.today();
        let holds = |moment: Moment| current.holds(row, moment) == Truth::True;
        let begins = turns
            .range(today..)
            .find(|day| holds(ends_of(**day, self.moment).1))
            .copied();
        if let Some(day) = begins {
            return (RowState::Begins(day), None);
        }
        let was = turns
            .range(..=today)
            .rev()
            .find(|day| holds(ends_of(**day, self.moment).0))
            .copied();
        if let Some(was) = was {
            let since = turns
                .range(was..=today)
                .find(|day| !holds(ends_of(**day, self.moment).1));
            return (RowState::Ended(Some(since.copied().unwrap_or(today))), None);
        }
        if let Some(starts) = &self.rule.starts
            && let FirstDay::On(day) = starts.day(row, self.moment)
            && day > today
        {
            return (RowState::Begins(day), None);
        }
        if current.reads_clock() && current.program().holds_apart_from_dates(row, self.moment) {
            let why =
                "the dates of the row contradict each other: it would never be current; correct them in the source";
            return (RowState::NotKnown, Some(why.to_owned()));
        }
        (RowState::Ended(None), None)
    }

    /// What stays the same of a row while its end is filled in or passes: its first day where the condition looks at one,
    /// else everything that the condition does not look at.
    fn mark(&self, record: &SourceRecord, turns: &[super::turning::Turn]) -> u32 {
        let key = record.key.as_str();
        let starts: Vec<String> = turns
            .iter()
            .filter(|turn| turn.rises)
            .map(|turn| turn.date.map_or_else(String::new, |date| date.to_string()))
            .collect();
        if !starts.is_empty() {
            return mark(key, starts.iter().map(String::as_str));
        }
        let looked_at = |name: &str| self.rule.current.inputs().iter().any(|input| input.is_called(name));
        let columns = self.names.iter().zip(&record.values);
        let stays = columns.filter(|(name, _)| !looked_at(name)).map(|(_, values)| values);
        mark(key, texts(stays))
    }
}

/// What makes a row lead: the highest number, the latest date, or yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Flag(bool),
    Number(Number),
    Day(NaiveDate),
    Time(DateTime<Utc>),
}

impl Rank {
    fn kind(&self) -> u8 {
        match self {
            Rank::Flag(_) => 0,
            Rank::Number(_) => 1,
            Rank::Day(_) => 2,
            Rank::Time(_) => 3,
        }
    }
}

/// `Some(None)`: blank, which leads nothing. `None`: not known.
fn rank(value: &Value<'_>) -> Option<Option<Rank>> {
    match value {
        Value::Bool(flag) => Some(Some(Rank::Flag(*flag))),
        Value::Number(number) => Some(Some(Rank::Number(*number))),
        Value::Date(day) => Some(Some(Rank::Day(*day))),
        Value::DateTime(time) => Some(Some(Rank::Time(*time))),
        Value::Blank | Value::NoDate => Some(None),
        Value::Absent(_) | Value::Fault(_) | Value::Text(_) | Value::List(_) | Value::Days(_) => None,
    }
}
