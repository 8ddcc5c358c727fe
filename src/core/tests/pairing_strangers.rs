//! Who counts although nobody can be paired with them, numbers on somebody else's card, and what somebody has said no to.

use super::pairing::{Company, More};
use super::world::key;
use crate::core::guard::{Judged, judge};
use crate::core::memory::decision::{Answer, Decision};
use crate::core::memory::rejected_pairs::{decision, pair_id};
use crate::core::model::card::OperatorKind;
use crate::core::model::field::CardField;
use crate::core::model::ids::CardId;
use crate::core::plan::{ActionKind, HoldReason};
use crate::core::planner::plan;
use crate::tools::audit::{Audit, Surroundings, audit};
use crate::tools::rekey::pairing::{Grade, NoPair, Pair, Pairing, Verdict, Which};
use crate::tools::rekey::writing::{Chosen, ChosenBy, adoptions};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

impl Company {
    /// What a run would do.
    pub fn judged(&self) -> Judged {
        let input = self.world.input();
        judge(plan(&input, &More { world: self }), &input)
    }

    /// What an audit says of it.
    pub fn audit(&self) -> Audit {
        let describe = More { world: self };
        audit(
            &self.world.input(),
            &describe,
            &BTreeMap::new(),
            Surroundings::default(),
        )
    }
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 3, 1).expect("a day")
}

/// One person and one card, who belong together surely: account, whole name and time.
fn one() -> Company {
    let mut company = Company::new();
    company.person("E1", "Eva", "Smit", "esmit");
    company.starts("E1", day(2024));
    company.card("c1", "Eva", "Smit", "esmit");
    company.made("c1", day(2024));
    company
}

fn pair_of<'p>(pairing: &'p Pairing, card: &str) -> Option<&'p Pair> {
    pairing.rows.iter().find(|row| row.card == CardId::from(card))?.pair()
}

fn grade(company: &Company) -> Option<Grade> {
    pair_of(&company.pair_of(Which::Keyless), "c1").map(|pair| pair.grade)
}

#[test]
fn whoever_cannot_be_paired_is_a_namesake_all_the_same() {
    assert_eq!(grade(&one()), Some(Grade::Sure));
    // Two records with one number.
    let mut company = one();
    company.person("E2", "Eva", "Smit", "evasmit");
    company.person("E2", "Eva", "Smit", "evasmit");
    assert_eq!(grade(&company), Some(Grade::Possible), "in conflict");
    // A record without a number.
    let mut company = one();
    company.person("", "Eva", "Smit", "evasmit");
    let pairing = company.pair_of(Which::Keyless);
    let pair = pair_of(&pairing, "c1").expect("a pair");
    assert_eq!(pair.grade, Grade::Possible, "without a number");
    assert_eq!(pair.namesakes.records.len(), 1, "and it is named: {:?}", pair.namesakes);
    // Somebody whose number two active cards have.
    let mut company = one();
    company.person("E3", "Eva", "Smit", "evasmit");
    for card in ["d1", "d2"] {
        company.card(card, "Other", card, card);
        company.world.set_text(card, CardField::EmployeeNumber, "E3");
    }
    assert_eq!(grade(&company), Some(Grade::Possible), "with two cards");
    // A namesake whose number stands on somebody else's card has no card that explains them.
    let mut company = one();
    company.person("E4", "Eva", "Smit", "evasmit");
    company.person("E5", "Jan", "Kok", "jkok");
    company.card("k", "Jan", "Kok", "jkok");
    company.world.set_text("k", CardField::EmployeeNumber, "E4");
    assert_eq!(
        grade(&company),
        Some(Grade::Possible),
        "with a number on a strange card"
    );
}

#[test]
fn what_was_not_read_is_not_nobody() {
    let mut company = one();
    company.world.hr().degrade();
    assert_eq!(grade(&company), Some(Grade::Likely));
}

/// Numbers that stand on each other's card are one pair with two sides, of whatever the two have in common.
#[test]
fn exchanged_numbers_are_one_item() {
    let mut company = Company::new();
    for (number, first, login, bears) in [("E1", "Eva", "esmit", "E2"), ("E2", "Jan", "jsmit", "E1")] {
        // Brother and sister: the surname agrees, and neither number is asked about by names that both differ.
        company.person(number, first, "Smit", login);
        let card = format!("c{number}");
        company.card(&card, first, "Smit", login);
        company.world.set_text(&card, CardField::EmployeeNumber, bears);
    }
    company.world.operator("o", "cE2", false, OperatorKind::Regular);
    let pairing = company.pair_of(Which::Keyless);
    let rows: Vec<&str> = pairing.rows.iter().map(|row| row.card.as_str()).collect();
    assert_eq!(rows, ["cE1"], "one line puts both right");
    let pair = pair_of(&pairing, "cE1").expect("a pair");
    let other = pair.exchange.as_ref().expect("an exchange");
    assert_eq!(
        (&pair.key, other.card.as_str(), &other.key),
        (&key("E1"), "cE2", &key("E2"))
    );
    assert!(pair.grade != Grade::Sure, "a human decides");
    let misplaced: Vec<_> = pairing
        .misplaced
        .iter()
        .map(|it| (it.card.as_str(), it.bears.as_str()))
        .collect();
    assert_eq!(misplaced, [("cE1", "E2"), ("cE2", "E1")]);
    // A run asks too, although only one name differs: the same question, by the same id as the list.
    let judged = company.judged();
    let of_cards: Vec<_> = judged
        .plan
        .changes
        .iter()
        .map(|change| (change.action.kind(), change.cards()))
        .collect();
    let (one, two) = (CardId::from("cE1"), CardId::from("cE2"));
    assert_eq!(of_cards, [(ActionKind::Exchange, vec![&one, &two])]);
    let asked = &judged.plan.changes[0];
    assert!(judged.held[&asked.id].contains(&HoldReason::ExchangedNumbers));
    let line = [Chosen {
        card: one.clone(),
        key: key("E1"),
        by: ChosenBy::Grade,
    }];
    let by_list = adoptions(&company.world.input(), &pairing, &line);
    let ids: Vec<_> = by_list.changes.iter().map(|change| &change.id).collect();
    assert_eq!(ids, [&asked.id]);
    // A brother whose card is right is not asked about.
    company.world.set_text("cE1", CardField::EmployeeNumber, "E1");
    company.world.set_text("cE2", CardField::EmployeeNumber, "E2");
    assert!(company.pair_of(Which::Keyless).misplaced.is_empty());
}

/// A number that stands on a stranger's card while the person's own card has none: the list says what comes first.
#[test]
fn whose_number_stands_on_a_strangers_card_is_told_what_the_next_list_is_for() {
    let mut company = Company::new();
    company.person("E1", "Eva", "Smit", "esmit");
    company.person("E2", "Jan", "Bakker", "jbakker");
    company.card("cE1", "Eva", "Smit", "esmit");
    company.card("cE2", "Jan", "Bakker", "jbakker");
    company.world.set_text("cE1", CardField::EmployeeNumber, "E2");
    let pairing = company.pair_of(Which::Keyless);
    assert_eq!(pair_of(&pairing, "cE1").map(|pair| &pair.key), Some(&key("E1")));
    let row = pairing.rows.iter().find(|row| row.card.as_str() == "cE2");
    let Some(Verdict::None { why, cards, .. }) = row.map(|row| &row.verdict) else {
        panic!("no pair: {row:?}")
    };
    assert_eq!(
        (why, cards.as_slice()),
        (&NoPair::NumberElsewhere, &[CardId::from("cE1")][..])
    );
    // Once that is done the number is free.
    company.world.set_text("cE1", CardField::EmployeeNumber, "E1");
    let pairing = company.pair_of(Which::Keyless);
    assert_eq!(pair_of(&pairing, "cE2").map(|pair| &pair.key), Some(&key("E2")));
}

/// Where nothing else says the last day, the condition of leaving does.
#[test]
fn the_last_day_is_shown_by_the_condition_of_leaving_too() {
    let mut company = one();
    let shown = |company: &Company| pair_of(&company.pair_of(Which::Keyless), "c1").map(|pair| pair.person.until);
    assert_eq!(shown(&company), Some(None));
    let today = company.world.now.date_naive();
    for days in [-40, -1, 20] {
        let end = today + chrono::Duration::days(days);
        company.world.hr().set("E1", "end", &end.to_string());
        assert_eq!(shown(&company), Some(Some(end)), "{days}");
    }
}

#[test]
fn a_no_stands_for_the_card_and_the_number_until_the_opposite() {
    let mut company = one();
    let said = |answer: Answer, hour: i64| {
        let like = Decision {
            item: "".into(),
            answer,
            waives: BTreeSet::new(),
            by: "anna".to_owned(),
            at: chrono::DateTime::from_timestamp(hour * 3600, 0).expect("a time"),
            until: None,
            note: None,
            about: Default::default(),
        };
        decision(&CardId::from("c1"), Some(&key("E1")), answer, &like)
    };
    let id = pair_id(&CardId::from("c1"), Some(&key("E1")));
    company.world.decisions.insert(id.clone(), said(Answer::Reject, 1));
    let rejected = |company: &Company| company.pair_of(Which::Keyless).rows[0].rejected.clone();
    assert_eq!(rejected(&company).map(|it| it.by), Some("anna".to_owned()));
    // Whatever else changes, and in the items of a run too.
    company.world.set_text("c1", CardField::Email, "another@example.net");
    assert!(rejected(&company).is_some());
    let judged = company.judged();
    let adopts = judged
        .plan
        .changes
        .iter()
        .filter(|change| change.card == Some(CardId::from("c1")));
    let is_no = |reason: &HoldReason| matches!(reason, HoldReason::Rejected { .. });
    let held: Vec<bool> = adopts.map(|change| judged.held[&change.id].iter().any(is_no)).collect();
    assert_eq!(held, [true]);
    company.world.decisions.insert(id, said(Answer::Approve, 2));
    assert!(rejected(&company).is_none());
}
