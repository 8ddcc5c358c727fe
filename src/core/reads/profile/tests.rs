//! What two reads say about each other.

use super::*;

fn groups(counts: &[(&str, u64)]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let counts = counts.iter().map(|(value, count)| ((*value).to_owned(), *count));
    BTreeMap::from([("Department".to_owned(), counts.collect())])
}

#[test]
fn the_container_of_an_entry_is_what_follows_its_own_name() {
    assert_eq!(container(r"CN=Visser\, Jan,OU=Sales,DC=x"), Some("OU=Sales,DC=x"));
    assert_eq!(container(r"CN=a\\,OU=b"), Some("OU=b"));
    assert_eq!(container("DC=x"), None);
}

#[test]
fn a_group_that_lost_people_who_are_elsewhere_has_moved() {
    let before = Profile {
        records: 100,
        groups: groups(&[("Sales", 20), ("Care", 80)]),
        ..Profile::default()
    };
    let renamed = Profile {
        records: 99,
        groups: groups(&[("Trade", 19), ("Care", 80)]),
        ..Profile::default()
    };
    let lost = Profile {
        records: 92,
        groups: groups(&[("Sales", 9), ("Care", 83)]),
        ..Profile::default()
    };
    let told = |now: &Profile| {
        let shrunk = now.shrunk_since(&before, 50.0);
        let told = shrunk.into_iter().map(|group| (group.value, group.count, group.moved));
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(&renamed), [("Sales".to_owned(), 0, true)]);
    assert_eq!(told(&lost), [("Sales".to_owned(), 9, false)]);
    assert_eq!(told(&before), []);
}

#[test]
fn small_groups_and_what_is_no_group_are_not_kept() {
    let many: Vec<String> = (0..=MOST_GROUPS).map(|number| format!("v{number}")).collect();
    let many: Vec<(&str, u64)> = many.iter().map(|value| (value.as_str(), 9)).collect();
    let kept = |counts: &[(&str, u64)]| {
        let profile = Profile {
            groups: groups(counts),
            ..Profile::default()
        };
        profile.kept().groups
    };
    assert_eq!(kept(&many), BTreeMap::new());
    assert_eq!(kept(&[("Board", 4), ("Sales", 5)]), groups(&[("Sales", 5)]));
}

#[test]
fn an_attribute_is_empty_when_less_than_half_of_it_is_left() {
    let profile = |records, filled| Profile {
        records,
        filled: BTreeMap::from([("mail".to_owned(), filled)]),
        ..Profile::default()
    };
    let before = profile(100, 80);
    assert_eq!(profile(100, 40).emptied_since(&before, 50.0), []);
    assert_eq!(
        profile(50, 20).emptied_since(&before, 50.0),
        [],
        "fewer people, as full"
    );
    let told = profile(100, 39).emptied_since(&before, 50.0);
    assert_eq!((told[0].filled, told[0].filled_before), (39, 80));
    assert_eq!(
        profile(40, 0).emptied_since(&profile(40, 4), 50.0),
        [],
        "too few to tell"
    );
    assert_eq!(
        profile(100, 0).emptied_since(&profile(100, 9), 50.0),
        [],
        "ordinarily empty"
    );
}

#[test]
fn of_an_attribute_that_most_people_have_a_part_is_enough() {
    let profile = |filled| Profile {
        records: 200,
        filled: BTreeMap::from([("phone".to_owned(), filled)]),
        ..Profile::default()
    };
    let told = |filled, before| !profile(filled).emptied_since(&profile(before), 10.0).is_empty();
    assert!(!told(180, 200), "10 % are accepted");
    assert!(told(179, 200));
    assert!(!told(60, 90), "fewer than half had it: half of it must be gone");
    assert!(told(44, 90));
}

fn unit(name: &str, people: u64, with_phone: u64) -> Profile {
    Profile {
        records: 2000,
        groups: BTreeMap::from([("dn".to_owned(), BTreeMap::from([(name.to_owned(), people)]))]),
        in_groups: InGroups {
            attributes: vec!["phone".to_owned()],
            counts: BTreeMap::from([("dn".to_owned(), BTreeMap::from([(name.to_owned(), vec![with_phone])]))]),
        },
        ..Profile::default()
    }
}

#[test]
fn what_one_unit_lost_shows_though_it_is_little_of_the_whole() {
    let told = |now: &Profile, before: &Profile| {
        let emptied = now.emptied_in_groups(before).into_iter();
        emptied.map(|it| (it.group.unwrap().1, it.filled)).collect::<Vec<_>>()
    };
    let before = unit("OU=Board", 30, 29);
    assert_eq!(told(&unit("OU=Board", 30, 0), &before), [("OU=Board".to_owned(), 0)]);
    assert_eq!(told(&unit("OU=Board", 30, 15), &before), []);
    assert_eq!(
        told(&unit("OU=Board", 3, 3), &before),
        [],
        "the people are gone, not their numbers"
    );
    assert_eq!(
        told(&unit("OU=Board", 5, 2), &unit("OU=Board", 5, 5)),
        [],
        "too few to tell"
    );
    assert_eq!(told(&unit("OU=Rooms", 30, 0), &before), [], "another unit");
}

#[test]
fn a_word_that_picks_nobody_out_any_more_is_told_while_the_people_are_there() {
    let profile = |records, left, all| Profile {
        records,
        matched: BTreeMap::from([(
            "lifecycle.leaver.when".to_owned(),
            Matched {
                text: "hr.Status == 'Left' or hr.Gone == 'yes'".to_owned(),
                all,
                by: BTreeMap::from([("hr.Status == 'Left'".to_owned(), left)]),
            },
        )]),
        ..Profile::default()
    };
    let told = |now: &Profile, before: &Profile| {
        let vanished = now.vanished_since(before).into_iter();
        vanished.map(|it| (it.comparison, it.count)).collect::<Vec<_>>()
    };
    let before = profile(1000, 40, 50);
    assert_eq!(
        told(&profile(1000, 0, 10), &before),
        [(Some("hr.Status == 'Left'".to_owned()), 0)]
    );
    assert_eq!(
        told(&profile(1000, 30, 20), &before),
        [(None, 20)],
        "the condition as a whole"
    );
    assert_eq!(told(&profile(1000, 20, 25), &before), [], "half of them");
    assert_eq!(told(&profile(960, 0, 10), &before), [], "they are gone themselves");
    assert_eq!(
        told(&profile(1000, 0, 0), &profile(1000, 3, 3)),
        [],
        "a few come and go"
    );
}

#[test]
fn a_replica_is_compared_with_itself_alone() {
    let profile = |marks: &[(&str, &str)]| Profile {
        update_marks: marks.iter().map(|(r, m)| ((*r).to_owned(), (*m).to_owned())).collect(),
        ..Profile::default()
    };
    let before = profile(&[("dc1", "00500")]);
    assert_eq!(profile(&[("dc1", "00500")]).behind(&before), Vec::<String>::new());
    assert_eq!(profile(&[("dc2", "00100")]).behind(&before), Vec::<String>::new());
    assert_eq!(profile(&[("dc1", "00499")]).behind(&before), ["dc1"]);
}
