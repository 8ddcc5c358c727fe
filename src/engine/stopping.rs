//! Being told to stop: the write in flight is finished, reads and waits are given up.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the answer of a write that has left may still take after a stop was asked for.
pub const WRITE_GRACE: Duration = Duration::from_secs(5);

/// And how long a read that tells more about such a write.
pub const READ_GRACE: Duration = Duration::from_secs(1);

/// The outcome of work that may be given up, or `None` when a stop was asked for first.
pub async fn unless_stopped<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = stop.cancelled() => None,
    }
}

/// The outcome of work that should not be given up half-way: after a stop was asked for it gets this long.
pub async fn with_grace<T>(stop: &CancellationToken, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    match unless_stopped(stop, &mut work).await {
        Some(done) => Some(done),
        None => tokio::time::timeout(grace, work).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn work_that_is_done_is_done_also_when_a_stop_was_asked_for() {
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(unless_stopped(&stop, async { 7 }).await, Some(7));
        assert_eq!(with_grace(&stop, WRITE_GRACE, async { 7 }).await, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_gives_up_reads_at_once_and_writes_after_the_grace() {
        let stop = CancellationToken::new();
        stop.cancel();
        let start = tokio::time::Instant::now();
        assert_eq!(unless_stopped(&stop, pending::<()>()).await, None);
        assert!(start.elapsed() < Duration::from_secs(1));
        assert_eq!(with_grace(&stop, WRITE_GRACE, pending::<()>()).await, None);
        assert!(start.elapsed() >= WRITE_GRACE && start.elapsed() < 2 * WRITE_GRACE);
    }
}
