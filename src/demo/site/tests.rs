//! The company has the disorder that it says.

use super::*;
use std::collections::BTreeSet;
use topdesk_sandbox::Seed;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 27).unwrap()
}

#[test]
fn a_company_of_5000_is_in_the_usual_state() {
    let site = Site::new(5000, today());
    let disorder = site.disorder;
    let (twins, generated, duplicates, integrations, recycled) = (12, 30, 40, 5, 300);
    assert_eq!(
        (
            disorder.twins,
            disorder.generated,
            disorder.duplicates,
            disorder.integrations,
            disorder.recycled_logins
        ),
        (twins, generated, duplicates, integrations, recycled)
    );
    let made: Vec<&SiteCard> = site
        .cards
        .iter()
        .filter(|card| !card.portal && card.number.is_none())
        .collect();
    // The people without portal keep their network login.
    let generated_cards = made.iter().filter(|card| card.network_login.is_none()).count();
    assert_eq!(generated_cards, generated as usize);
    let linked: BTreeSet<_> = site.operators.iter().filter_map(|operator| operator.card).collect();
    assert_eq!(linked.len(), 250 + integrations as usize);
    let mut holders: BTreeMap<u32, usize> = BTreeMap::new();
    for human in site
        .cards
        .iter()
        .filter(|card| !card.archived)
        .filter_map(|card| card.human)
    {
        *holders.entry(human).or_default() += 1;
    }
    let doubled = holders.values().filter(|cards| **cards > 1).count();
    assert_eq!(doubled, (duplicates + twins) as usize);
    let old: BTreeSet<_> = site
        .cards
        .iter()
        .filter(|card| card.human.is_none())
        .filter_map(|card| card.network_login.as_ref())
        .collect();
    let given_away = site.people.iter().filter(|person| old.contains(&person.login));
    assert_eq!(given_away.count(), recycled as usize);
    assert_eq!(site.numbers().len() - site.employed().len(), 20);
}

#[test]
fn the_sandbox_takes_the_seed_of_any_size_and_it_is_the_same_each_time() {
    for people in [60, 700] {
        let site = Site::new(people, today());
        let seed = site.seed();
        assert_eq!(seed, Site::new(people, today()).seed());
        let rows: usize = Seed::from_reader(seed.as_bytes())
            .unwrap()
            .arrays
            .iter()
            .map(|(_, rows)| rows.len())
            .sum();
        assert!(rows > people as usize, "{rows}");
        assert_eq!(site.truth().len(), site.cards.len(), "every card has an id of its own");
        let logins: BTreeSet<_> = site.cards.iter().filter_map(|card| card.login.as_ref()).collect();
        let with_login = site.cards.iter().filter(|card| card.login.is_some()).count();
        assert_eq!(logins.len(), with_login, "a login stands on one card");
        let operators: BTreeSet<_> = site.operators.iter().map(|operator| &operator.login).collect();
        assert_eq!(operators.len(), site.operators.len());
    }
}

#[test]
fn the_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    Site::new(60, today())
        .write(folder.path(), "http://127.0.0.1:8480", "secret")
        .unwrap();
    crate::app::environment::Environment::load(&folder.path().join("cardsync.yaml")).unwrap();
}
