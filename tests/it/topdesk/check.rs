use super::*;
use cardsync::topdesk::CheckLevel;

async fn probe(settings: &[(&str, &str)]) -> Vec<(String, CheckLevel)> {
    let desk = Desk::open(company(3, 1), settings).await;
    let lines = desk.reader().probe(&wants()).await;
    assert_eq!(
        desk.sandbox.stats()["writes"],
        json!([]),
        "a check sends nothing but GET"
    );
    lines.into_iter().map(|line| (line.topic, line.level)).collect()
}

fn level(lines: &[(String, CheckLevel)], topic: &str) -> CheckLevel {
    lines
        .iter()
        .find(|(known, _)| known == topic)
        .unwrap_or_else(|| panic!("no line '{topic}' in {lines:?}"))
        .1
}

#[tokio::test]
async fn a_good_environment_has_nothing_to_warn_of() {
    let lines = probe(&[]).await;
    for topic in [
        "person cards",
        "version",
        "account filters",
        "operators",
        "operator groups",
        "permission groups",
        "archiving reason",
        "list 'branch'",
    ] {
        assert_eq!(level(&lines, topic), CheckLevel::Ok, "{topic}");
    }
    assert_eq!(level(&lines, "right: operators"), CheckLevel::FirstWriteTells);
}

#[tokio::test]
async fn each_weakness_has_its_line() {
    for (setting, topic, expected) in [
        (("product_version", "16.06.006"), "version", CheckLevel::Warn),
        (("branch_filter", "Delft"), "account filters", CheckLevel::Warn),
        (("right.read_filters", "off"), "account filters", CheckLevel::Warn),
        (("right.read_operators", "off"), "operators", CheckLevel::Warn),
        (
            ("right.read_operator_groups", "off"),
            "operator groups",
            CheckLevel::Warn,
        ),
        (
            ("right.permission_groups", "off"),
            "permission groups",
            CheckLevel::Warn,
        ),
        (("right.read_persons", "off"), "person cards", CheckLevel::Fail),
        (("persons_v2", "missing"), "person cards", CheckLevel::Fail),
    ] {
        assert_eq!(level(&probe(&[setting]).await, topic), expected, "{setting:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_ends_the_check() {
    let desk = Desk::with_password(company(1, 0), &[], "wrong").await;
    let lines = desk.reader().probe(&wants()).await;
    let topics: Vec<&str> = lines.iter().map(|line| line.topic.as_str()).collect();
    assert_eq!(topics, ["way to topdesk", "person cards"]);
    assert_eq!(lines[1].level, CheckLevel::Fail);
    assert!(lines[1].cure.as_deref().unwrap().contains("password"));
}
