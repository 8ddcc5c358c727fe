//! Pairs of cards and people as a table for a spreadsheet, and the decisions that come back in it. Pure.
//!
//! Whoever knows the people writes approve or reject, and may put another number in the place of the proposed one. Each line
//! carries a mark of the card and of the pair as they were shown: what has changed since is asked again, not written. Formed
//! and read as [`super::sheet`] is; numbers stand in brackets as well, so that a spreadsheet leaves their zeros.

use super::pair_words::{agreeing, remarks, why_not};
use super::sheet::{RowLines, SheetProblem, decoded, defused, delimiter, without_separator_line};
use crate::domain::card::OperatorLink;
use crate::domain::cards::{CardIndex, CardState};
use crate::domain::decision::Answer;
use crate::domain::ids::CardId;
use crate::domain::input::PlanInput;
use crate::domain::key::{Key, KeyReading};
use crate::domain::letters;
use crate::domain::rekey::pairing::{NoPair, Pairing, Row, Verdict};
use crate::domain::rekey::writing::{Chosen, ChosenBy};
use csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use std::collections::BTreeMap;

/// The columns, in order.
const COLUMNS: [&str; 15] = [
    "id",
    "grade",
    "operator",
    "person_id",
    "card_name",
    "card_email",
    "card_login",
    "number",
    "source_name",
    "source_email",
    "source_login",
    "agree",
    "why",
    "decision",
    "note",
];

/// What a line of an earlier list said, for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    pub answer: Option<Answer>,
    /// The number that somebody put in.
    pub number: Option<String>,
    pub note: String,
    /// Why the decision does not stand any more.
    pub remark: String,
}

/// One line of a list that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1, as a text editor counts.
    pub line: u64,
    pub card: CardId,
    card_mark: String,
    pair_mark: String,
    pub number: String,
    pub answer: Option<Answer>,
    pub note: String,
}

/// The list.
pub fn write(pairing: &Pairing, carried: &BTreeMap<CardId, Carried>) -> String {
    let mut writer = WriterBuilder::new()
        .delimiter(b';')
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let mut row = |cells: &[String]| {
        let safe: Vec<String> = cells.iter().map(|cell| defused(cell)).collect();
        writer.write_record(&safe).expect("memory takes every row");
    };
    row(&COLUMNS.map(str::to_owned));
    let nothing = Carried::default();
    for one in &pairing.rows {
        row(&cells(pairing, one, carried.get(&one.card).unwrap_or(&nothing)));
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    format!("\u{feff}{}", String::from_utf8(bytes).expect("text in, text out"))
}

fn cells(pairing: &Pairing, row: &Row, carried: &Carried) -> [String; 15] {
    let operator = match &row.operator {
        OperatorLink::Active { .. } => "active",
        OperatorLink::Archived { .. } => "archived",
        OperatorLink::Unproven => "not known",
        OperatorLink::ProvenNone => "",
    };
    let (pair_mark, grade, number, person, agree, mut why) = match &row.verdict {
        Verdict::Pair(pair) => (
            pair.mark.clone(),
            pair.grade.word().to_owned(),
            pair.raw_key.to_write(),
            pair.person.clone(),
            agreeing(pair),
            remarks(pair),
        ),
        Verdict::None { why, people, cards } => {
            let mut told = vec![why_not(*why).to_owned()];
            let named = people.iter().map(|key| match pairing.free.get(key) {
                Some(person) => format!("{} {}", key, person.shown.name),
                None => key.to_string(),
            });
            told.extend((!people.is_empty()).then(|| named.collect::<Vec<_>>().join(" or ")));
            let cards: Vec<&str> = cards.iter().map(CardId::as_str).collect();
            told.extend((!cards.is_empty()).then(|| format!("card {}", cards.join(", "))));
            (
                String::new(),
                "none".to_owned(),
                String::new(),
                Default::default(),
                String::new(),
                told,
            )
        }
    };
    if !carried.remark.is_empty() {
        why.insert(0, carried.remark.clone());
    }
    let number = carried.number.clone().unwrap_or(number);
    let decision = match carried.answer {
        Some(Answer::Approve) => "approve",
        Some(Answer::Reject) => "reject",
        None => "",
    };
    [
        format!("[{}-{pair_mark}]", row.mark),
        grade,
        operator.to_owned(),
        format!("[{}]", row.card),
        row.shown.name.clone(),
        row.shown.email.clone(),
        row.shown.login.clone(),
        if number.is_empty() {
            number
        } else {
            format!("[{number}]")
        },
        person.name,
        person.email,
        person.login,
        agree,
        why.join(" | "),
        decision.to_owned(),
        carried.note.clone(),
    ]
}

/// The lines of a list, without a look at what they say of whom.
///
/// # Errors
/// Every line that is no line of such a list.
pub fn read(bytes: &[u8]) -> Result<Vec<Line>, Vec<SheetProblem>> {
    let text = decoded(bytes);
    let (skipped, body) = without_separator_line(&text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(body))
        .has_headers(false)
        .flexible(true)
        .from_reader(body.as_bytes());
    let mut rows = reader.records().map(|row| row.expect("text in memory can be read"));
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| {
        let named = |cell: &str| cell.trim().trim_start_matches('\'').eq_ignore_ascii_case(name);
        header.iter().position(named)
    };
    let wanted = ["id", "person_id", "number", "decision"].map(column);
    let [Some(id), Some(card), Some(number), Some(decision)] = wanted else {
        return Err(vec![SheetProblem {
            line: 1,
            message:
                "this is no list of pairs: it needs the columns id, person_id, number and decision; make one with \
                      `cardsync rekey pair --csv FILE` and leave its first line as it is"
                    .to_owned(),
        }]);
    };
    let columns = Columns {
        id,
        card,
        number,
        decision,
        note: column("note"),
    };
    let (mut lines, mut problems): (Vec<Line>, Vec<SheetProblem>) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<CardId, u64> = BTreeMap::new();
    let mut at_line = RowLines::new(body, skipped);
    for row in rows {
        let at = at_line.of(&row);
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match columns.line(&row, at) {
            Ok(line) => {
                if let Some(before) = seen.insert(line.card.clone(), at) {
                    let message = format!(
                        "card {} is in line {before} already; keep one of the two lines",
                        line.card
                    );
                    problems.push(SheetProblem { line: at, message });
                }
                lines.push(line);
            }
            Err(message) => problems.push(SheetProblem { line: at, message }),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

struct Columns {
    id: usize,
    card: usize,
    number: usize,
    decision: usize,
    note: Option<usize>,
}

impl Columns {
    fn line(&self, row: &StringRecord, line: u64) -> Result<Line, String> {
        let cell = |at: usize| row.get(at).unwrap_or_default().trim().trim_start_matches('\'').trim();
        let bare = |at: usize| cell(at).trim_start_matches('[').trim_end_matches(']').trim();
        let answer = match cell(self.decision).to_lowercase().as_str() {
            "" => None,
            "approve" | "approved" => Some(Answer::Approve),
            "reject" | "rejected" => Some(Answer::Reject),
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(format!(
                    "'{shown}' is no decision; write approve or reject, or leave the cell empty"
                ));
            }
        };
        let Some((card_mark, pair_mark)) = bare(self.id).split_once('-') else {
            return Err(
                "the column 'id' was changed; put back what stood there, or take the line from a new list".to_owned(),
            );
        };
        if bare(self.card).is_empty() {
            return Err("the column 'person_id' is empty; put back what stood there".to_owned());
        }
        Ok(Line {
            line,
            card: CardId::from(bare(self.card).to_lowercase()),
            card_mark: card_mark.to_owned(),
            pair_mark: pair_mark.to_owned(),
            number: bare(self.number).to_owned(),
            answer,
            note: self.note.map(cell).unwrap_or_default().to_owned(),
        })
    }
}

/// What the lines of a list come to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Approved, and as it was shown.
    pub chosen: Vec<(Chosen, String)>,
    pub rejected: u64,
    /// Approved, and the card has the number already.
    pub written: u64,
    /// Lines without a decision.
    pub open: u64,
    /// Lines that do not hold, with the cure.
    pub problems: Vec<SheetProblem>,
}

/// Looks at each line beside how things are now. Pure.
pub fn resolve(lines: &[Line], pairing: &Pairing, input: &PlanInput) -> Resolved {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let rows: BTreeMap<&CardId, &Row> = pairing.rows.iter().map(|row| (&row.card, row)).collect();
    let mut resolved = Resolved::default();
    let mut used: BTreeMap<Key, u64> = BTreeMap::new();
    for line in lines {
        match line.answer {
            None => resolved.open += 1,
            Some(Answer::Reject) => resolved.rejected += 1,
            Some(Answer::Approve) => {
                let mut look = Look {
                    line,
                    pairing,
                    input,
                    index: &index,
                    used: &mut used,
                };
                match look.at(rows.get(&line.card).copied()) {
                    Ok(Some(chosen)) => resolved.chosen.push((chosen, line.note.clone())),
                    Ok(None) => resolved.written += 1,
                    Err(message) => resolved.problems.push(SheetProblem {
                        line: line.line,
                        message,
                    }),
                }
            }
        }
    }
    resolved
}

struct Look<'a> {
    line: &'a Line,
    pairing: &'a Pairing,
    input: &'a PlanInput,
    index: &'a CardIndex<'a>,
    used: &'a mut BTreeMap<Key, u64>,
}

/// How to go on where a line is of another day.
const AGAIN: &str = "make a new list with `cardsync rekey pair --from OLD --csv NEW`, which keeps the other decisions";

impl Look<'_> {
    /// What an approved line stands for; nothing where it is done.
    fn at(&mut self, row: Option<&Row>) -> Result<Option<Chosen>, String> {
        let line = self.line;
        let key = self.key()?;
        if let Some(before) = self.used.insert(key.clone(), line.line) {
            return Err(format!(
                "number {key} is given to the card in line {before} as well; a person has one card: keep one of the two"
            ));
        }
        let Some(at) = self.index.position(&line.card) else {
            return Err(format!(
                "card {} is not in TOPdesk any more; take the line out",
                line.card
            ));
        };
        match self.index.state(at) {
            CardState::Keyed(known) if *known == key => return Ok(None),
            CardState::Anonymized => return Err("the card was anonymized; take the line out".to_owned()),
            CardState::Keyed(_) | CardState::Keyless => {}
        }
        let Some(row) = row else {
            return Err(format!(
                "the card has a number already, or is archived, and is not part of this; {AGAIN}"
            ));
        };
        if row.mark != line.card_mark {
            return Err(format!(
                "the card or its operator has changed since the list was made; {AGAIN}"
            ));
        }
        if let Verdict::None { why, .. } = &row.verdict
            && matches!(why, NoPair::SpecialAccount | NoPair::Protected | NoPair::Archived)
        {
            return Err(format!("{}; take the line out", why_not(*why)));
        }
        let by = match row.pair() {
            Some(pair) if pair.key == key && pair.mark == line.pair_mark => ChosenBy::Grade,
            Some(pair) if pair.key == key => {
                return Err(format!(
                    "the person of {key} has changed since the list was made; {AGAIN}"
                ));
            }
            Some(_) | None => ChosenBy::Human,
        };
        self.is_free(&key)?;
        Ok(Some(Chosen {
            card: line.card.clone(),
            key,
            by,
        }))
    }

    fn key(&self) -> Result<Key, String> {
        let spec = &self.input.policy.key;
        match spec.read(&self.line.number) {
            KeyReading::Key(key) => Ok(key),
            KeyReading::None => Err("approve needs a number in the column 'number': write the person's".to_owned()),
            KeyReading::Anonymized => {
                Err("the number has an asterisk, which is no number; write the person's".to_owned())
            }
            KeyReading::TooLong { chars, limit, .. } => Err(format!(
                "the number has {chars} characters, {} takes {limit}; write the person's",
                spec.card_field
            )),
            KeyReading::Hidden { letter, .. } => Err(format!(
                "the number holds {}, which is no part of a number; type it anew",
                letters::named(letter)
            )),
        }
    }

    /// Whether the person is there and has no card with the number.
    fn is_free(&self, key: &Key) -> Result<(), String> {
        if let Some(person) = self.pairing.free.get(key) {
            return if person.in_scope {
                Ok(())
            } else {
                Err(format!(
                    "{key} is out of scope by `include`; change the line or the configuration"
                ))
            };
        }
        if let Some(card) = self.pairing.taken.get(key) {
            return Err(format!(
                "{key} has card {card} already; a person has one card: take the line out, or the number off that card"
            ));
        }
        if self.pairing.in_conflict.contains(key) {
            return Err(format!(
                "several records or several cards have {key}: correct that first, `cardsync plan` names them"
            ));
        }
        let bare = |text: &str| text.trim_start_matches('0').to_owned();
        let (free, taken) = (self.pairing.free.keys(), self.pairing.taken.keys());
        let meant: Vec<&Key> = free
            .chain(taken)
            .filter(|known| bare(known.as_str()) == bare(key.as_str()))
            .collect();
        Err(match meant.as_slice() {
            [meant] => {
                format!("nobody of the sources has {key}; {meant} was meant? A spreadsheet takes leading zeros off")
            }
            _ => format!("nobody of the sources has {key}; write the number as the source has it"),
        })
    }
}

/// What the lines of an earlier list say in a new one: decisions that still hold stay; of the others the note stays, and the
/// new list says why they do not. Also gives the lines whose card is not in the new list.
pub fn carry(lines: &[Line], pairing: &Pairing, input: &PlanInput) -> (BTreeMap<CardId, Carried>, Vec<SheetProblem>) {
    let problems: BTreeMap<u64, String> = resolve(lines, pairing, input)
        .problems
        .into_iter()
        .map(|problem| (problem.line, problem.message))
        .collect();
    let rows: BTreeMap<&CardId, &Row> = pairing.rows.iter().map(|row| (&row.card, row)).collect();
    let mut carried = BTreeMap::new();
    let mut gone = Vec::new();
    for line in lines {
        let said = line.answer.is_some() || !line.note.is_empty();
        let problem = problems.get(&line.line);
        let Some(row) = rows.get(&line.card).filter(|_| said) else {
            if let Some(message) = problem {
                gone.push(SheetProblem {
                    line: line.line,
                    message: message.clone(),
                });
            }
            continue;
        };
        let proposed = row.pair().map(|pair| pair.raw_key.to_write());
        let by_hand = !line.number.is_empty() && proposed.as_deref() != Some(line.number.as_str());
        let one = Carried {
            answer: line.answer.filter(|_| problem.is_none()),
            number: (by_hand && line.answer == Some(Answer::Approve) && problem.is_none()).then(|| line.number.clone()),
            note: line.note.clone(),
            remark: problem.map_or_else(String::new, |message| {
                format!(
                    "line {} of the old list said approve {}: {message}",
                    line.line, line.number
                )
            }),
        };
        carried.insert(line.card.clone(), one);
    }
    (carried, gone)
}
