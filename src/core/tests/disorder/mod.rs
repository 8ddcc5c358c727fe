//! Companies in disorder whose truth is known: what the grades of pairs are worth.
//!
//! `scripts/disorder` plays a hundred companies of 3,000 people and prints the table; the suite plays a few small ones.

mod company;

pub(super) use self::company::Disorder;
use self::company::Kind;
use crate::tools::rekey::pairing::{Grade, Which};
use std::collections::BTreeMap;

/// What came of the cards of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// By grade: right and wrong.
    right: [u64; 3],
    wrong: [u64; 3],
    /// Cards whose person is in the sources and that got no pair.
    missed: u64,
    /// Cards of nobody, rightly without a pair.
    nobodys: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        for at in 0..3 {
            self.right[at] += other.right[at];
            self.wrong[at] += other.wrong[at];
        }
        self.missed += other.missed;
        self.nobodys += other.nobodys;
    }

    /// Of a hundred cards whose person is in the sources, how many got them at this grade or better.
    fn recall(&self, grade: Grade) -> u64 {
        let found: u64 = self.right[..=grade as usize].iter().sum();
        let findable = self.right.iter().sum::<u64>() + self.missed;
        (found * 100).checked_div(findable).unwrap_or(0)
    }
}

fn play(seed: u64, people: u32, table: &mut BTreeMap<Kind, Counts>) {
    let disorder = Disorder::new(seed, people);
    let pairing = disorder.company.pair_of(Which::Unclaimed);
    let pairs: BTreeMap<_, _> = pairing
        .rows
        .iter()
        .filter_map(|row| row.pair().map(|pair| (&row.card, pair)))
        .collect();
    // The second card of an exchange is on the line of the first.
    let exchanged: BTreeMap<_, _> = pairs
        .values()
        .filter_map(|pair| {
            pair.exchange
                .as_ref()
                .map(|other| (&other.card, (&other.key, pair.grade)))
        })
        .collect();
    for (card, (owner, kind)) in &disorder.truth {
        if disorder.company.world.cards[card].archived {
            continue;
        }
        let counts = table.entry(*kind).or_default();
        if let Some((key, grade)) = exchanged.get(card) {
            let right = owner.as_ref() == Some(*key);
            assert!(
                right,
                "seed {seed}: {kind:?}: card {card} is {owner:?}'s and not {key}'s: exchanged"
            );
            counts.right[*grade as usize] += 1;
            continue;
        }
        match (pairs.get(card), owner) {
            (Some(pair), owner) if owner.as_ref() == Some(&pair.key) => counts.right[pair.grade as usize] += 1,
            (Some(pair), owner) => {
                counts.wrong[pair.grade as usize] += 1;
                assert!(
                    pair.grade != Grade::Sure,
                    "seed {seed}, {:?}: {kind:?}: card {card} is {owner:?}'s and not {}'s: {:?}",
                    disorder.habits,
                    pair.key,
                    pair.agreement
                );
            }
            (None, Some(_)) => counts.missed += 1,
            (None, None) => counts.nobodys += 1,
        }
    }
}

/// Whoever has to work off the audit of such a company has less than one row per card, on the whole and at each company.
#[test]
fn an_audit_of_a_company_in_disorder_has_less_than_one_row_per_card() {
    let companies = number("CARDSYNC_DISORDER_AUDITS", 12);
    let people = u32::try_from(number("CARDSYNC_DISORDER_PEOPLE", 500)).expect("a number of people");
    for seed in 1..=companies {
        let company = Disorder::new(seed, people).company;
        let cards = company.world.cards.len();
        let audit = company.audit();
        // As in the table: a finding that concerns nobody has a row of its own.
        let rows: usize = audit.findings.iter().map(|finding| finding.subjects.len().max(1)).sum();
        println!(
            "seed {seed}: {rows} rows for {cards} cards, {:.2} per card",
            rows as f64 / cards as f64
        );
        for finding in &audit.findings {
            println!("    {:<32}{:>7}", finding.code, finding.subjects.len().max(1));
        }
        assert!(rows < cards, "seed {seed}: {rows} rows for {cards} cards");
    }
}

#[expect(clippy::disallowed_methods, reason = "the script says how many companies to play")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A wrong pair is never sure, and most people are found.
#[test]
fn of_companies_in_disorder_no_sure_pair_is_wrong_and_most_people_are_found() {
    let companies = number("CARDSYNC_DISORDER_COMPANIES", 6);
    let people = u32::try_from(number("CARDSYNC_DISORDER_PEOPLE", 500)).expect("a number of people");
    let mut table = BTreeMap::new();
    for seed in 1..=companies {
        play(seed, people, &mut table);
    }
    let mut all = Counts::default();
    println!(
        "{:<24}{:>16}{:>16}{:>16}{:>8}{:>10}{:>22}",
        "kind", "sure", "likely", "possible", "none", "nobody's", "found sure / likely %"
    );
    let line = |name: &str, counts: &Counts| {
        let of = |at: usize| format!("{} + {} wrong", counts.right[at], counts.wrong[at]);
        println!(
            "{name:<24}{:>16}{:>16}{:>16}{:>8}{:>10}{:>22}",
            of(0),
            of(1),
            of(2),
            counts.missed,
            counts.nobodys,
            format!("{} / {}", counts.recall(Grade::Sure), counts.recall(Grade::Likely))
        );
    };
    for (kind, counts) in &table {
        line(&format!("{kind:?}"), counts);
        all.add(counts);
    }
    line("all", &all);
    assert!(
        all.recall(Grade::Sure) >= 30 && all.recall(Grade::Likely) >= 60,
        "{all:?}"
    );
    for kind in [Kind::Swapped, Kind::OtherSpelling] {
        assert!(
            table[&kind].recall(Grade::Possible) > 80,
            "{kind:?}: {:?}",
            table[&kind]
        );
    }
}
