use super::*;

/// `cargo test --release --test it topdesk::size -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement for release builds"]
async fn measure_a_read_of_100_000_persons() {
    let desk = Desk::open(company(100_000, 10_000), &[]).await;
    for _ in 0..2 {
        let began = std::time::Instant::now();
        let snapshot = desk.read().await.unwrap();
        println!(
            "{} cards, {} operators: {:?}",
            snapshot.cards.len(),
            snapshot.operators.len(),
            began.elapsed()
        );
        assert_eq!(snapshot.findings, []);
        assert_eq!(snapshot.cards.len(), 100_000);
        assert_eq!(snapshot.operators.len(), 10_001);
    }
    let (persons, operators) = (
        desk.sandbox.requests("GET /persons"),
        desk.sandbox.requests("GET /operators"),
    );
    println!("in two reads: {persons} requests for persons, {operators} for operators");
    assert_eq!(persons, 2 * 20);
    assert!(operators <= 2 * (101 + 4));
}
