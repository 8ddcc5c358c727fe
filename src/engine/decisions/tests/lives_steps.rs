//! What happens in a life: the source, the desk, decisions and lists, undo, and time.

use super::lives::Life;
use super::*;
use crate::core::guard::Judged;
use crate::core::memory::pin::{Pin, Pinned, with_new};
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::plan::EvidenceCode;
use crate::core::plan::hold::HoldReason;
use crate::core::tests::world::row;
use crate::present::sheet;
use crate::sheets::table::Separator;
use chrono_tz::Tz;

impl Life {
    pub(super) fn step(&mut self) {
        match self.chance.below(100) {
            0..34 => self.run(true),
            34..42 => self.run(false),
            42..58 => self.source(),
            58..64 => self.by_hand(),
            64..76 => self.decide(Answer::Approve),
            76..82 => self.decide(Answer::Reject),
            82..87 => self.list(),
            87..91 => self.take_back(),
            91..94 => self.undo(),
            _rest => {
                let days = [1, 1, 3, 8, 31][self.chance.below(5)];
                self.world.now += Duration::days(days);
                self.tell(format!("{days} days pass"));
            }
        }
        self.world.now += Duration::minutes(5);
    }

    /// What the source says changes.
    fn source(&mut self) {
        let key = self.someone();
        let ends = ["2026-02-01", "2026-02-15", "2026-02-20"];
        let what = self.chance.below(14);
        let text = match what {
            0 if self.has_row(&key) => {
                self.world.hr().remove(&key);
                "is gone".to_owned()
            }
            1 if !self.has_row(&key) => {
                self.world.hr().rows.push(row(&key));
                "is back".to_owned()
            }
            2..5 if self.has_row(&key) => {
                let end = ends[self.chance.below(3)];
                self.world.hr().set(&key, "end", end);
                format!("leaves on {end}")
            }
            5..7 if self.has_row(&key) => {
                self.world.hr().set(&key, "end", "");
                "stays".to_owned()
            }
            7 => {
                let new = format!("N{}", 1 + self.chance.below(6));
                if self.has_row(&new) {
                    self.world.hr().remove(&new);
                } else {
                    self.world.hr().rows.push(row(&new));
                }
                format!("{new} comes or goes instead of")
            }
            8..10 if self.has_row(&key) => {
                // The same human under a new number: the old one ends, or is taken back.
                let new = format!("M{}", &key[1..]);
                if self.has_row(&new) {
                    self.world.hr().remove(&new);
                } else {
                    let name = ["sur", "first", "email"][self.chance.below(3)];
                    let renamed = self.chance.percent(20).then_some((name, "other"));
                    let mut comes = row(&key).with("key", &new).with("login", &new.to_lowercase());
                    if let Some((field, value)) = renamed {
                        comes = comes.with(field, value);
                    }
                    self.world.hr().rows.push(comes);
                    self.world.hr().set(&key, "end", ends[0]);
                }
                format!("{new} comes or goes, and {key} leaves")
            }
            10.. => {
                // Somebody leaves whose card may be one without a number, or their record goes.
                let left = format!("N{}", 1 + self.chance.below(3));
                if self.has_row(&left) {
                    self.world.hr().remove(&left);
                } else {
                    self.world.hr().rows.push(row(&left).with("end", ends[0]));
                }
                format!("{left} has left, or is gone, instead of")
            }
            _nothing => return,
        };
        self.world.hr().generation += 1;
        self.tell(format!("hr: {key} {text}"));
    }

    /// Somebody works in TOPdesk.
    fn by_hand(&mut self) {
        let key = self.someone();
        let id = format!("c-{key}");
        let now = self.world.now;
        let archive = self.chance.percent(40);
        let card = self.world.card_mut(&id);
        card.modifier = Some("desk".into());
        card.modified_at = Some(now);
        if archive {
            card.archived = !card.archived;
        } else {
            self.world
                .set_text(&id, CardField::PhoneNumber, &now.timestamp().to_string());
        }
        self.edited.insert(id.as_str().into(), now);
        self.tell(format!("desk: {id}, archive {archive}"));
    }

    pub(super) fn waiting(&self) -> Waiting {
        let now = self.world.now;
        Waiting {
            items: self.waiting.clone(),
            decided: self
                .world
                .decisions
                .values()
                .filter(|it| it.in_force(now))
                .cloned()
                .collect(),
            snapshots: Vec::new(),
            ..Waiting::default()
        }
    }

    pub(super) fn said(&self) -> Said<'static> {
        Said {
            by: "tester",
            note: None,
            until: None,
            now: self.world.now,
        }
    }

    /// Answers one item, a class, an action or everything.
    fn decide(&mut self, answer: Answer) {
        if self.waiting.is_empty() {
            return;
        }
        let kept = &self.waiting[self.chance.below(self.waiting.len())];
        let word = match self.chance.below(10) {
            0..6 => kept.item.change.id.to_string(),
            6 => class_of(&kept.item),
            7..9 => kept.item.change.action.to_string(),
            _plan => kept.plan.to_string(),
        };
        let waiting = self.waiting();
        let decided = decide(&waiting, std::slice::from_ref(&word), answer, self.said());
        self.tell(format!("{answer:?} {word}: {decided:?}"));
        let by_itself = self.waiting.iter().any(|kept| kept.item.change.id.as_str() == word);
        self.take_in(decided, by_itself);
    }

    /// A list goes out and comes back: sorted as a whole, or with one column sorted alone.
    fn list(&mut self) {
        let waiting = self.waiting();
        let text = sheet::write(&waiting, Tz::UTC, Separator::default());
        let mut rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .delimiter(b';')
            .has_headers(false)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes())
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
            .collect();
        if rows.len() < 3 {
            return;
        }
        let header = rows[0].clone();
        let at = |name: &str| header.iter().position(|cell| cell == name).expect("a column");
        let decision = at("decision");
        for row in &mut rows[1..] {
            row[decision] = ["approve", "reject", "", ""][self.chance.below(4)].to_owned();
        }
        let body = &mut rows[1..];
        let turn = 1 + self.chance.below(body.len() - 1);
        let column = at(["id", "key", "person_id", "action", "name"][self.chance.below(5)]);
        let alone = self.chance.percent(30);
        let before: Vec<String> = body.iter().map(|row| row[column].clone()).collect();
        if alone {
            for (at, row) in body.iter_mut().enumerate() {
                row[column] = before[(at + turn) % before.len()].clone();
            }
        } else {
            body.rotate_left(turn);
        }
        let told_apart = alone && body.iter().zip(&before).any(|(row, before)| row[column] != *before);
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).expect("memory takes every row");
        }
        let bytes = writer.into_inner().expect("memory takes every row");
        match sheet::read(&bytes, &waiting) {
            Ok(_) if told_apart => panic!("a list with '{}' sorted alone was taken", header[column]),
            Ok(lines) => {
                let decided = decide_sheet(&waiting, &lines, self.said());
                self.tell(format!("a list: {decided:?}"));
                self.take_in(decided, true);
            }
            Err(problems) => {
                let none = rows[1..].iter().all(|row| row[decision].is_empty());
                // No list overrules what somebody has rejected.
                let id = at("id");
                let is_rejected = |row: &Vec<String>| {
                    let rejected = waiting.decided.iter().filter(|it| it.answer == Answer::Reject);
                    row[decision] == "approve" && rejected.clone().any(|it| row[id].contains(it.item.as_str()))
                };
                let overrules = rows[1..].iter().any(is_rejected);
                assert!(alone || none || overrules, "a whole list is refused: {problems:?}");
                self.tell(format!("a list refused: {}", problems[0]));
            }
        }
    }

    /// Somebody takes an archive of ours back, and the sync leaves it so.
    fn undo(&mut self) {
        let archived = self
            .world
            .ledger
            .values()
            .filter(|entry| entry.archived_by_us.is_some());
        let Some(card) = archived.map(|entry| entry.card.clone()).next() else {
            return;
        };
        let now = self.world.now;
        let codes = [EvidenceCode::LeaverCondition].into();
        let pin = Pin {
            card: card.clone(),
            what: Pinned::Archive { evidence: codes },
            by: "ann".to_owned(),
            at: now,
            run: format!("undo-{now}").as_str().into(),
        };
        self.world.pins = with_new(&self.world.pins, &[pin]);
        let stored = self.world.card_mut(card.as_str());
        stored.archived = false;
        stored.modifier = Some("own".into());
        stored.modified_at = Some(now);
        self.world.entry(card.as_str()).archived_by_us = None;
        for operator in self.world.operators.values_mut() {
            if operator.linked_person.as_ref() == Some(&card) {
                operator.archived = false;
            }
        }
        self.tell(format!("undo of the archive of {card}"));
        self.count("undo");
    }

    /// Half of a pair stays held until somebody has named it, while the other half is in the source or has a card.
    pub(super) fn halves(&mut self, judged: &Judged, good: bool) {
        for approved in judged.approved.changes() {
            let change = approved.change();
            let (ActionKind::Archive, Some(card)) = (change.action.kind(), &change.card) else {
                continue;
            };
            let Some(other) = self.halves.get(card) else { continue };
            let has_card = self
                .world
                .cards
                .values()
                .any(|card| card.fields.text(CardField::EmployeeNumber) == Some(other.as_str()) && !card.archived);
            if has_card || self.has_row(other) {
                let answered = self.questions[&change.id].answered.as_ref();
                let is_named = answered.is_some_and(|it| it.answer == Answer::Approve && it.by_itself);
                assert!(
                    is_named,
                    "half of a pair passed: {change:#?}\n{}",
                    self.story.join("\n")
                );
                self.count("half of a pair, by its own yes");
            }
        }
        if !good {
            return;
        }
        let archives: BTreeMap<&ItemId, &CardId> = judged
            .plan
            .changes
            .iter()
            .filter(|change| change.action.kind() == ActionKind::Archive)
            .filter_map(|change| Some((&change.id, change.card.as_ref()?)))
            .collect();
        let wanted: BTreeSet<&CardId> = archives.values().copied().collect();
        self.halves.retain(|card, _| wanted.contains(card));
        for change in &judged.plan.changes {
            for doubt in &change.doubts {
                if let (ActionKind::Create, HoldReason::PairedWith { item }) = (change.action.kind(), doubt)
                    && let Some(card) = archives.get(item)
                {
                    let key = change.key.as_ref().expect("a create has a key");
                    self.halves.insert((*card).clone(), key.to_string());
                }
            }
        }
    }
}
