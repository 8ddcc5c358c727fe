//! Worlds in which people are hard to tell apart: few names, logins and addresses that are handed on, twins who share a date of
//! birth and a telephone, marriages, second cards. A wrong pair is never a sure one.

use super::pairing::{Company, Extra, born, phone};
use super::world::key;
use crate::core::model::card::OperatorKind;
use crate::core::model::field::{CardField, FieldValue};
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::tools::rekey::pairing::{Grade, Pairing};
use crate::tools::rekey::writing::{Chosen, ChosenBy, adoptions};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

/// One human. Who they are is their place in the list.
#[derive(Clone, Debug)]
struct Human {
    first: &'static str,
    sur: &'static str,
    /// The twin of the one before: same surname, date of birth and telephone.
    twin: bool,
    employed: bool,
    /// Surname since a marriage, in the sources only.
    married: Option<&'static str>,
    /// Has a new address and login.
    new_account: bool,
    cards: u8,
    operator: bool,
    on_card: (bool, bool),
    in_sources: (bool, bool),
}

fn human() -> impl Strategy<Value = Human> {
    let names = (
        select(vec!["Jan", "Jo", "Johan", "Eva", "An"]),
        select(vec!["Smit", "Visser", "van den Berg"]),
        prop::option::weighted(0.2, select(vec!["Kok", "Smit-Kok", "Visser"])),
    );
    let facts = (
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.2),
        select(vec![0_u8, 1, 1, 1, 2]),
        prop::bool::weighted(0.3),
    );
    (names, facts, any::<(bool, bool)>(), any::<(bool, bool)>()).prop_map(
        |((first, sur, married), (twin, employed, new_account, cards, operator), on_card, in_sources)| Human {
            first,
            sur,
            twin,
            employed,
            married,
            new_account,
            cards,
            operator,
            on_card,
            in_sources,
        },
    )
}

/// Logins are made from names: whoever comes after somebody who left gets theirs.
fn login(first: &str, sur: &str) -> String {
    let last = sur.rsplit(' ').next().unwrap_or_default().to_lowercase();
    format!("{}{last}", first.chars().next().unwrap_or('x').to_ascii_lowercase())
}

struct Built {
    company: Company,
    /// Whose each card is.
    truth: BTreeMap<CardId, Key>,
}

fn built(mut people: Vec<Human>) -> Built {
    for number in 1..people.len() {
        // Two at a time: brothers and sisters of one day never have one first name.
        people[number].twin &= !people[number - 1].twin;
        if people[number].twin {
            let (before, after) = people.split_at_mut(number);
            let elder = &before[number - 1];
            after[0].sur = elder.sur;
            if after[0].first == elder.first {
                after[0].first = if elder.first == "Jan" { "Johan" } else { "Jan" };
            }
        }
    }
    let mut company = Company::new();
    let mut truth = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut family = 0;
    for (number, human) in people.iter().enumerate() {
        if !human.twin {
            family = u32::try_from(number).expect("few people");
        }
        let name = format!("E{number}");
        let mut now = login(human.first, human.married.unwrap_or(human.sur));
        if human.new_account {
            now = format!("{now}x");
        }
        if human.employed {
            // Those who are here have a login each; what somebody left behind is free again.
            while !used.insert(now.clone()) {
                now.push('2');
            }
            company.person(&name, human.first, human.married.unwrap_or(human.sur), &now);
            let extra = Extra {
                phone: phone(family).filter(|_| human.in_sources.0),
                born: born(family).filter(|_| human.in_sources.1),
                ..Extra::default()
            };
            company.extra(&name, extra);
        }
        for card in 0..human.cards {
            let id = format!("c-{number}-{card}");
            let old = if human.new_account || human.married.is_some() || !human.employed {
                login(human.first, human.sur)
            } else {
                now.clone()
            };
            company.card(&id, human.first, human.sur, &old);
            company
                .world
                .set(&id, CardField::PhoneNumber, phone(family).filter(|_| human.on_card.0));
            let date = CardField::OptionalDate(1, 1);
            company.world.set(&id, date, born(family).filter(|_| human.on_card.1));
            if human.operator && card == 0 {
                company
                    .world
                    .operator(&format!("o-{number}"), &id, false, OperatorKind::Regular);
            }
            truth.insert(CardId::from(id), key(&name));
        }
    }
    Built { company, truth }
}

fn pairs(pairing: &Pairing) -> impl Iterator<Item = (&CardId, Grade, &Key)> {
    let rows = pairing.rows.iter();
    rows.filter_map(|row| row.pair().map(|pair| (&row.card, pair.grade, &pair.key)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_wrong_pair_is_never_a_sure_one(people in prop::collection::vec(human(), 1..14)) {
        let Built { company, truth } = built(people);
        let pairing = company.pair();
        for (card, grade, key) in pairs(&pairing) {
            prop_assert!(grade != Grade::Sure || truth[card] == *key, "{card} is {}'s and not {key}'s", truth[card]);
        }
        let keys: Vec<&Key> = pairs(&pairing).map(|(_, _, key)| key).collect();
        prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "nobody gets two cards");
        prop_assert_eq!(pairing.rows.len(), truth.len(), "every card has its row");
        prop_assert_eq!(&company.pair().rows, &pairing.rows);
    }
}

/// The worlds must have what they are for.
#[test]
fn the_worlds_hold_right_pairs_wrong_ones_and_doubt() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut sure, mut wrong, mut none) = (0, 0, 0);
    for _ in 0..40 {
        let people = prop::collection::vec(human(), 14)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let Built { company, truth } = built(people);
        let pairing = company.pair();
        none += pairing.rows.iter().filter(|row| row.pair().is_none()).count();
        for (card, grade, key) in pairs(&pairing) {
            sure += usize::from(grade == Grade::Sure);
            wrong += usize::from(truth[card] != *key);
        }
    }
    assert!(
        sure > 20 && wrong > 5 && none > 50,
        "{sure} sure, {wrong} wrong, {none} none"
    );
}

#[test]
fn what_is_written_is_the_key_as_the_source_has_it_and_nothing_else() {
    let mut company = Company::new();
    company.person(" e1 ", "Eva", "Smit", "esmit");
    company.card("c1", "Eva", "Smit", "esmit");
    company.world.hr().rows[0].values.insert("job", "Nurse".to_owned());
    let input = company.world.input();
    let pairing = company.pair();
    let pair = pairing.rows[0].pair().expect("a pair");
    assert_eq!(pair.grade, Grade::Likely);
    let chosen = Chosen {
        card: "c1".into(),
        key: pair.key.clone(),
        by: ChosenBy::Grade,
    };
    let plan = adoptions(&input, &pairing, &[chosen]);
    assert_eq!(plan.changes.len(), 1);
    let fields = plan.changes[0].action.fields();
    assert_eq!(fields.len(), 1, "{fields:?}");
    assert_eq!(fields[0].field, CardField::EmployeeNumber);
    assert_eq!(fields[0].to, FieldValue::text("e1"));
    let judged = crate::core::guard::judge(plan, &input);
    assert!(judged.approved.changes().is_empty(), "each needs an approval");
}
