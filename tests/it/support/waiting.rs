//! Waiting for events. No test says how long something may take: a busy machine takes what it takes.

use std::process::{Child, Output};
use std::time::{Duration, Instant};

/// The last resort against hanging, and nothing else.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// A delay of the look-alike that nobody sits out: who ends within [`PATIENCE`] has not waited for it.
pub const FOR_EVER_MS: u64 = 1_200_000;

const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// Looks until it holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks until it holds, and lets others work meanwhile.
pub async fn until_then(what: &str, holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Waits for the end of a process.
pub async fn end(mut child: Child) -> Output {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    child.wait_with_output().unwrap()
}
