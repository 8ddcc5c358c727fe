//! The marks by which a list that comes back says what it showed.

use super::super::rows::{Namesakes, RowMark, Shown, Verdict};
use super::Work;
use crate::core::model::card::OperatorLink;
use crate::core::plan::short_hash;
use serde::Serialize;

/// Letters of the hash of one person or card beside others.
const SHORT: usize = 4;

fn hash(content: &impl Serialize) -> String {
    short_hash(&serde_json::to_vec(content).expect("plain data always serialises"))
}

fn short(content: &impl Serialize) -> String {
    hash(content).chars().take(SHORT).collect()
}

impl Work<'_> {
    /// What a row rests on. How the pair stands among others (its grade, its rivals) is not part of the proposal: it gets
    /// better while other lines of the list are written, and a list that was cut off goes on.
    pub(super) fn mark(&self, at: usize, shown: &Shown, operator: &OperatorLink, verdict: &Verdict) -> RowMark {
        let stored = &self.index.cards[self.cards[at]];
        let mut others = match verdict {
            Verdict::Pair(pair) => {
                let Namesakes { people, cards, records } = &pair.namesakes;
                let people = people.iter().map(short);
                let cards = cards.iter().chain(&pair.twin).map(short);
                people.chain(cards).chain(records.iter().map(short)).collect()
            }
            Verdict::None { people, cards, .. } => {
                let people = people.iter().map(short);
                people.chain(cards.iter().map(short)).collect::<Vec<String>>()
            }
        };
        others.sort();
        others.dedup();
        let proposal = match verdict {
            Verdict::Pair(pair) => {
                let person = self.people.binary_search_by(|person| person.key.cmp(&pair.key));
                let marks = person.ok().map(|person| &self.people[person].marks);
                hash(&(&pair.key, &pair.raw_key, &pair.person.name, marks, &pair.exchange))
            }
            Verdict::None { .. } => String::new(),
        };
        RowMark {
            card: hash(&(&stored.id, &shown.name, &self.marks[at], operator)),
            proposal,
            others,
        }
    }
}
