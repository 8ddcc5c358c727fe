//! What the lines of a list come to now.
//!
//! ```text
//! no decision                  open
//! reject                       remembered; named where the number stands on the card already
//! approve                      the proposed number, if nothing of the line has changed and nobody else resembles it now
//! approve/reject + number      the other number: names must agree, in part within a budget, or the word `somebody-else`
//! ```

use super::cells::moved_cell;
use super::read::{Exchanged, Line};
use super::table::grade_letter;
use super::{ListProblem, SOMEBODY_ELSE};
use crate::core::input::PlanInput;
use crate::core::likeness::names::NamesAgree;
use crate::core::memory::decision::Answer;
use crate::core::memory::rejected_pairs::of_pair;
use crate::core::model::ids::CardId;
use crate::core::model::key::{Key, KeyReading};
use crate::core::model::letters;
use crate::core::reads::cards::{CardIndex, CardState};
use crate::tools::rekey::pairing::{NoPair, Pairing, Row, Verdict};
use crate::tools::rekey::words::why_not;
use crate::tools::rekey::writing::{Chosen, ChosenBy};
use std::collections::BTreeMap;

/// How many lines may give another number on a name that agrees only in part, however short the list.
const OTHER_NUMBERS: u64 = 5;
/// The same, of a hundred decided lines.
const OTHER_NUMBERS_PERCENT: u64 = 2;

/// How far a list may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Lines that give another number than the proposed one, or one where none was proposed, on a name that does not agree
    /// wholly. Without it 5, or 2 % of the decided lines where that is more.
    pub other_numbers: Option<u64>,
}

/// A line that says no to a number that stands on the card already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnTheCard {
    /// Where it stands in the lists.
    pub place: String,
    pub card: CardId,
    pub key: Key,
}

/// What somebody said no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidNo {
    pub card: CardId,
    /// Without one: the card is nobody's of the sources.
    pub key: Option<Key>,
    pub note: String,
}

/// What the lines of a list come to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Approved, and as it was shown; each with its note.
    pub chosen: Vec<(Chosen, String)>,
    /// To be remembered.
    pub said_no: Vec<SaidNo>,
    /// Lines that say no, those of earlier times among them.
    pub rejected: u64,
    /// Approved, and the card has the number already.
    pub written: u64,
    /// Lines without a decision.
    pub open: u64,
    /// Rejected, and the number stands on the card.
    pub on_the_card: Vec<OnTheCard>,
    /// Lines that do not hold, with the cure.
    pub problems: Vec<ListProblem>,
}

/// Looks at each line beside how things are now. Pure.
pub fn resolve(lines: &[Line], pairing: &Pairing, input: &PlanInput, limits: Limits) -> Resolved {
    let index = CardIndex::build(&input.target, &input.policy.key);
    let rows: BTreeMap<&CardId, &Row> = pairing.rows.iter().map(|row| (&row.card, row)).collect();
    let mut resolved = Resolved::default();
    let mut used: BTreeMap<Key, String> = BTreeMap::new();
    let mut by_part: Vec<&Line> = Vec::new();
    let (lines, disagreements) = one_line_each(lines);
    resolved.problems.extend(disagreements);
    let decided = lines.iter().filter(|line| line.answer.is_some()).count() as u64;
    for line in lines {
        let mut look = Look {
            line,
            row: rows.get(&line.card).copied(),
            pairing,
            input,
            index: &index,
            used: &mut used,
            by_part: &mut by_part,
        };
        if let Err(message) = look.at(&mut resolved) {
            resolved.problems.push(line.problem(message));
        }
    }
    let limit = limits
        .other_numbers
        .unwrap_or_else(|| OTHER_NUMBERS.max((decided * OTHER_NUMBERS_PERCENT).div_ceil(100)));
    let count = by_part.len() as u64;
    if count > limit
        && let Some(first) = by_part.first()
    {
        let places: Vec<String> = by_part.iter().take(20).map(|line| line.place()).collect();
        resolved.problems.push(ListProblem {
            line: 0,
            ..first.problem(format!(
                "{count} lines give a number whose person's name agrees with the card only in part, or not at all; {limit} may do so \
                 at once. Was a column moved? Look at {}{}; if each is right: --other-numbers {count}",
                places.join(", "),
                if by_part.len() > places.len() { " and the others" } else { "" }
            ))
        });
    }
    resolved
}

/// One line per card, of all copies of a list, and where two people's copies disagree.
fn one_line_each(lines: &[Line]) -> (Vec<&Line>, Vec<ListProblem>) {
    let mut of_card: BTreeMap<&CardId, &Line> = BTreeMap::new();
    let mut order: Vec<&CardId> = Vec::new();
    let mut problems = Vec::new();
    for line in lines {
        let Some(before) = of_card.get(&line.card).copied() else {
            of_card.insert(&line.card, line);
            order.push(&line.card);
            continue;
        };
        let says = |line: &Line| (line.answer, line.other_number.clone(), line.somebody_else);
        if before.answer.is_none() {
            of_card.insert(&line.card, line);
        } else if line.answer.is_some() && says(line) != says(before) {
            problems.push(line.problem(format!(
                "{} says otherwise of card {}; agree on one, and take the other line out",
                before.place(),
                line.card
            )));
        }
    }
    (order.into_iter().map(|card| of_card[card]).collect(), problems)
}

struct Look<'a, 'l> {
    line: &'l Line,
    row: Option<&'a Row>,
    pairing: &'a Pairing,
    input: &'a PlanInput,
    index: &'a CardIndex<'a>,
    used: &'a mut BTreeMap<Key, String>,
    by_part: &'a mut Vec<&'l Line>,
}

/// How to go on where a line is of another day.
const AGAIN: &str = "make a new list with `cardsync rekey pair --from OLD --csv NEW`, which keeps the other decisions";

/// How to go on where cells are not those of their line.
const MOVED: &str = "was a column sorted or moved alone? Take the list as it was sent, and sort whole rows";

/// How to go on where an earlier run was cut off in a change of the card.
const HALF_WAY: &str = "a change of this card is half-way since an earlier run; `cardsync rekey write` or `cardsync run` finishes it, or \
                        `cardsync holds` says what to put right in TOPdesk";

impl Look<'_, '_> {
    fn at(&mut self, resolved: &mut Resolved) -> Result<(), String> {
        self.shows_its_row()?;
        let line = self.line;
        match line.answer {
            None => resolved.open += 1,
            Some(_) if self.input.half_done.iter().any(|half| half.cards.contains(&line.card)) => {
                return Err(HALF_WAY.to_owned());
            }
            Some(Answer::Reject) if line.other_number.is_empty() => {
                resolved.rejected += 1;
                self.reject(resolved)?;
            }
            Some(answer) => {
                let chosen = self.approve()?;
                if chosen.is_empty() {
                    resolved.written += 1;
                }
                resolved
                    .chosen
                    .extend(chosen.into_iter().map(|one| (one, line.note.clone())));
                // The right number beside a no says two things.
                if answer == Answer::Reject && !line.number.is_empty() {
                    self.reject(resolved)?;
                }
            }
        }
        Ok(())
    }

    /// The row, where it still is what the line showed.
    fn same_row(&self) -> Option<&Row> {
        let mark = &self.line.mark;
        self.row
            .filter(|row| row.mark.card == mark.card && row.mark.proposal == mark.proposal)
    }

    /// Whether names and number of a line are those that were sent with its mark; also asked of lines without a decision
    /// (RULES 8.5).
    fn shows_its_row(&self) -> Result<(), String> {
        let Some(row) = self.same_row() else { return Ok(()) };
        let Some(column) = moved_cell(self.line, row) else {
            return Ok(());
        };
        if column == "number" {
            return Err(format!(
                "the column 'number' does not show the number that was proposed here, which is fixed; {MOVED}. Another number \
                 belongs into the column 'other_number'"
            ));
        }
        Err(format!("the column '{column}' is not that of this line; {MOVED}"))
    }

    fn reject(&self, resolved: &mut Resolved) -> Result<(), String> {
        let line = self.line;
        let key = if line.number.is_empty() {
            None
        } else {
            Some(self.key(&line.number)?)
        };
        let no = SaidNo {
            card: line.card.clone(),
            key: key.clone(),
            note: line.note.clone(),
        };
        let on_card = self.index.position(&line.card).map(|at| self.index.state(at));
        if let (Some(CardState::Keyed(known)), Some(key)) = (on_card, &key)
            && known == key
        {
            resolved.on_the_card.push(OnTheCard {
                place: line.place(),
                card: line.card.clone(),
                key: key.clone(),
            });
        }
        if of_pair(&self.input.decisions, &line.card, key.as_ref()).is_some() {
            return Ok(());
        }
        if matches!(on_card, Some(CardState::Keyed(known)) if Some(known) == key.as_ref()) {
            resolved.said_no.push(no);
            return Ok(());
        }
        match (self.row, self.same_row()) {
            // There is nothing left to say no to.
            (None, _) => Ok(()),
            (Some(_), Some(_)) => {
                resolved.said_no.push(no);
                Ok(())
            }
            (Some(_), None) => Err(self.what_changed()),
        }
    }

    fn what_changed(&self) -> String {
        match self.row {
            Some(row) if row.mark.card != self.line.mark.card => {
                format!("the card or its operator has changed since the list was made; {AGAIN}")
            }
            Some(_) => {
                format!("the person that was proposed for this card has changed since the list was made; {AGAIN}")
            }
            None => format!("the card has a number already, or is archived, and is not part of this; {AGAIN}"),
        }
    }

    /// What an approved line stands for; nothing where it is done.
    fn approve(&mut self) -> Result<Vec<Chosen>, String> {
        let line = self.line;
        let by_hand = !line.other_number.is_empty();
        if !by_hand && line.number.is_empty() {
            return Err(
                "nobody was proposed here: approve needs the person's number in the column 'other_number'".to_owned(),
            );
        }
        let key = self.key(if by_hand { &line.other_number } else { &line.number })?;
        self.use_up(&key)?;
        let Some(at) = self.index.position(&line.card) else {
            return Err(format!(
                "card {} is not in TOPdesk any more; take the line out",
                line.card
            ));
        };
        match self.index.state(at) {
            CardState::Keyed(known) if *known == key => return self.other_side_is_done().map(|()| Vec::new()),
            CardState::Anonymized => return Err("the card was anonymized; take the line out".to_owned()),
            CardState::Keyed(_) | CardState::Keyless => {}
        }
        let Some(row) = self.row else {
            return Err(self.what_changed());
        };
        self.not_rejected_since(row)?;
        if row.mark.card != line.mark.card {
            return Err(self.what_changed());
        }
        if let Verdict::None { why, .. } = &row.verdict
            && matches!(why, NoPair::SpecialAccount | NoPair::Protected | NoPair::Archived)
        {
            return Err(format!("{}; take the line out", why_not(*why)));
        }
        let chosen = |card: &CardId, key: &Key, by: ChosenBy| Chosen {
            card: card.clone(),
            key: key.clone(),
            by,
        };
        if by_hand {
            self.is_free(&key)?;
            self.names_allow(row, &key)?;
            return Ok(vec![chosen(&line.card, &key, ChosenBy::Human)]);
        }
        let pair = row
            .pair()
            .filter(|pair| pair.key == key && row.mark.proposal == line.mark.proposal);
        let Some(pair) = pair else {
            return Err(self.what_changed());
        };
        self.no_worse(row)?;
        let both = chosen(&line.card, &key, ChosenBy::Grade);
        match &pair.exchange {
            Some(other) => self.use_up(&other.key)?,
            None => self.is_free(&key)?,
        }
        Ok(vec![both])
    }

    /// A number goes to one card.
    fn use_up(&mut self, key: &Key) -> Result<(), String> {
        match self.used.insert(key.clone(), self.line.place()) {
            Some(before) => Err(format!(
                "number {key} is given to the card in {before} as well; a person has one card: keep one of the two"
            )),
            None => Ok(()),
        }
    }

    /// Who has looked at this very pair since the list was made, and said no.
    fn not_rejected_since(&self, row: &Row) -> Result<(), String> {
        match &row.rejected {
            Some(rejected) if format!("{:x}", rejected.at.timestamp_millis()) != self.line.mark.rejected => {
                Err(format!(
                    "{} rejected this on {}, after the list was made: agree on one; to approve it all the same, {AGAIN}",
                    rejected.by,
                    rejected.at.date_naive()
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether nobody else resembles the card or the person now who was not shown.
    fn no_worse(&self, row: &Row) -> Result<(), String> {
        let mark = &self.line.mark;
        let more = row.mark.others.iter().any(|other| !mark.others.contains(other));
        if more || grade_letter(&row.verdict) > mark.grade {
            return Err(format!(
                "more speaks against this pair than the list showed (somebody else resembles it now, or something differs); {AGAIN}"
            ));
        }
        Ok(())
    }

    /// Whether the other card of an exchange has its number too, where this one does.
    fn other_side_is_done(&self) -> Result<(), String> {
        let Some(Exchanged { card, number, .. }) = &self.line.exchange else {
            return Ok(());
        };
        let key = self.key(number)?;
        match self.index.position(card) {
            Some(at) if *self.index.state(at) != CardState::Keyed(key) => Err(format!(
                "this card has its number, and the other one ({card}) does not have its own; {AGAIN}"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the names say that the number may be this card's.
    fn names_allow(&mut self, row: &Row, key: &Key) -> Result<(), String> {
        let person = self.pairing.people.get(key);
        let agree = person.map_or(NamesAgree::No, |person| row.shown.names.agree(&person.shown.names));
        if agree == NamesAgree::No && !self.line.somebody_else {
            return Err(format!(
                "{key} is of somebody whose name is not the one on the card; if it is theirs all the same, write 'approve \
                 {SOMEBODY_ELSE}' into the column 'decision'"
            ));
        }
        if agree != NamesAgree::Wholly {
            self.by_part.push(self.line);
        }
        Ok(())
    }

    fn key(&self, number: &str) -> Result<Key, String> {
        let spec = &self.input.policy.key;
        match spec.read(number) {
            KeyReading::Key(key) => Ok(key),
            KeyReading::None => {
                Err("approve needs a number: write the person's into the column 'other_number'".to_owned())
            }
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
        if let Some(person) = self.pairing.free(key) {
            return if person.in_scope {
                Ok(())
            } else {
                Err(format!(
                    "{key} is out of scope by `include`; change the line or the configuration"
                ))
            };
        }
        if let Some(card) = self.pairing.taken.get(key) {
            let shows_another = self.pairing.misplaced.iter().any(|misplaced| misplaced.card == *card);
            let how = if shows_another {
                ", which shows somebody else: put that card right first"
            } else {
                ""
            };
            return Err(format!(
                "{key} stands on card {card} already{how}; a person has one card: take the line out, or the number off that card"
            ));
        }
        if self.pairing.in_conflict.contains(key) {
            return Err(format!(
                "several records or several cards have {key}: correct that first, `cardsync plan` names them"
            ));
        }
        let bare = |text: &str| text.trim_start_matches('0').to_owned();
        let known = self.pairing.people.keys();
        let meant: Vec<&Key> = known
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
