//! The human of the story, who knows whose each card is: decides the lines of the list, and what waits.

use super::super::site::Site;
use super::look::is_card_of;
use crate::core::likeness::names::NamesAgree;
use crate::core::plan::ActionKind;
use crate::core::plan::view::ChangeView;
use crate::sheets::table::Separator;
use crate::tools::rekey::pairing::{Grade, NoPair, Pairing, Row, Verdict};
use crate::tools::rekey::sheet::{self, Line};
use anyhow::Context as _;
use std::collections::{BTreeMap, BTreeSet};

/// The list as it comes back.
pub struct List {
    pub bytes: Vec<u8>,
    pub lines: Vec<Line>,
    pub told: Vec<String>,
    pub decided: usize,
}

/// What the human writes into the line of a card.
enum Said {
    Approve,
    /// Approve, with this number.
    Number(u32),
    /// The same, though the card shows another name.
    NumberOfSomebodyElse(u32),
    Reject,
    Nothing,
}

/// Makes the list, decides its lines as in a spreadsheet, and reads it again.
///
/// # Errors
/// When the list cannot be read again.
pub fn decided(pairing: &Pairing, truth: &BTreeMap<String, Option<u32>>) -> anyhow::Result<List> {
    let mut given: BTreeSet<u32> = pairing
        .taken
        .keys()
        .filter_map(|key| key.as_str().parse().ok())
        .collect();
    let mut said: BTreeMap<&str, Said> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &pairing.rows {
        let owner = truth.get(row.card.as_str()).copied().flatten();
        let (decision, what) = match &row.verdict {
            Verdict::Pair(pair) if pair.grade == Grade::Sure => (Said::Approve, "1 sure, approved as they stand"),
            Verdict::None {
                why: NoPair::Twin | NoPair::Archived | NoPair::SpecialAccount,
                ..
            } => (Said::Nothing, "6 left open: a twin, an archived card, or a program"),
            Verdict::Pair(_) | Verdict::None { .. } => match owner {
                Some(owner) if !given.insert(owner) => (Said::Reject, "5 rejected: somebody's second card"),
                Some(owner) if proposes(&row.verdict, owner) => (Said::Approve, "2 likely or possible, and right"),
                Some(owner) => (number_of(owner, row, pairing), "3 with a number that HR wrote"),
                None => (Said::Reject, "4 rejected: of nobody who is in HR's export"),
            },
        };
        if let (Said::Approve, Some(owner)) = (&decision, owner) {
            given.insert(owner);
        }
        *counts.entry(what).or_default() += 1;
        said.insert(row.card.as_str(), decision);
    }
    let bytes = filled(&sheet::write(pairing, &BTreeMap::new(), Separator::default()), &said)?;
    let lines = sheet::read(&bytes, "").map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the list: {}", problems.join("; "))
    })?;
    let told = counts.iter().map(|(what, count)| format!("{count} {}", &what[2..]));
    Ok(List {
        bytes,
        lines,
        told: told.collect(),
        decided: said.values().filter(|one| !matches!(one, Said::Nothing)).count(),
    })
}

fn number_of(owner: u32, row: &Row, pairing: &Pairing) -> Said {
    let mut people = pairing.people.iter();
    let person = people.find(|(key, _)| key.as_str() == owner.to_string());
    match person.map(|(_, person)| row.shown.names.agree(&person.shown.names)) {
        Some(NamesAgree::Wholly | NamesAgree::InPart) => Said::Number(owner),
        Some(NamesAgree::No) | None => Said::NumberOfSomebodyElse(owner),
    }
}

fn proposes(verdict: &Verdict, owner: u32) -> bool {
    match verdict {
        Verdict::Pair(pair) => pair.key.as_str() == owner.to_string(),
        Verdict::None { .. } => false,
    }
}

/// The list with decisions, as a spreadsheet saves it.
fn filled(list: &str, said: &BTreeMap<&str, Said>) -> anyhow::Result<Vec<u8>> {
    let body = list.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(body.as_bytes());
    let header = reader.headers()?.clone();
    let column = |name: &str| {
        let at = header.iter().position(|cell| cell == name);
        at.with_context(|| format!("the list has no column {name}"))
    };
    let (card, number, decision) = (column("person_id")?, column("other_number")?, column("decision")?);
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(&header)?;
    for row in reader.records() {
        let mut cells: Vec<String> = row?.iter().map(str::to_owned).collect();
        match said.get(cells[card].trim_matches(['[', ']'])) {
            Some(Said::Approve) => cells[decision] = "approve".to_owned(),
            Some(Said::Number(right)) => {
                cells[number] = format!("[{right}]");
                cells[decision] = "approve".to_owned();
            }
            Some(Said::NumberOfSomebodyElse(right)) => {
                cells[number] = format!("[{right}]");
                cells[decision] = format!("approve {}", sheet::SOMEBODY_ELSE);
            }
            Some(Said::Reject) => cells[decision] = "reject".to_owned(),
            Some(Said::Nothing) | None => {}
        }
        writer.write_record(&cells)?;
    }
    Ok(writer.into_inner()?)
}

/// Whether an item that waits is right, for somebody who knows the people.
pub fn is_right(change: &ChangeView, site: &Site, truth: &BTreeMap<String, Option<u32>>) -> bool {
    let number: Option<u32> = change.key.as_ref().and_then(|key| key.as_str().parse().ok());
    let has_left = number
        .and_then(|number| site.person(number))
        .is_some_and(|person| person.has_left(site.today));
    let has_card = truth.values().any(|human| human.is_some() && *human == number);
    let card = change.person_id.as_ref().map_or("", |card| card.as_str());
    let is_theirs = change
        .key
        .as_ref()
        .is_some_and(|key| is_card_of(truth, card, key.as_str()));
    match change.action {
        ActionKind::Create => !has_card && !has_left,
        ActionKind::Archive => has_left,
        ActionKind::Adopt | ActionKind::Exchange | ActionKind::Merge => is_theirs,
        ActionKind::Unarchive => is_theirs && !has_left,
        ActionKind::Update | ActionKind::SetReferences | ActionKind::CreateEntry => true,
        ActionKind::Anonymize => false,
    }
}
