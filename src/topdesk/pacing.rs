//! How fast requests may leave: so many in flight, so many per second, and slower when TOPdesk is busy.
//!
//! Additive increase, multiplicative decrease: 429 and 503 halve what may be in flight, writes that take far longer than
//! usual take a quarter away, a run of good answers gives one back. `Retry-After` makes everybody wait, not only the one
//! who was told. Reads and writes share one pacer.

use backon::ExponentialBuilder;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a read is tried again before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Tries after the first.
    pub retries: usize,
    /// First wait; doubled each time, with jitter.
    pub first_wait: Duration,
    /// Longest wait of our own choice.
    pub longest_wait: Duration,
    /// Longest `Retry-After` that is waited for; TOPdesk asking for more ends the read.
    pub longest_asked: Duration,
    /// After this no further try begins.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retries: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
            longest_asked: Duration::from_secs(120),
            total: Duration::from_secs(300),
        }
    }
}

impl Patience {
    /// The waits between tries.
    pub(super) fn waits(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.retries)
            .with_jitter()
            // Without a seed it would be the same chance for everybody, and a fleet would come back in step.
            .with_jitter_seed(uuid::Uuid::new_v4().as_u64_pair().0)
    }

    /// The wait before the next try: our own, or longer where TOPdesk asks for it; `None` ends it.
    pub(super) fn adjusted(&self, own: Option<Duration>, asked: Option<Duration>, spent: Duration) -> Option<Duration> {
        let own = own?;
        let wait = match asked {
            Some(asked) if asked > self.longest_asked => return None,
            Some(asked) => asked.max(own),
            None => own,
        };
        (spent + wait <= self.total).then_some(wait)
    }
}

/// How an answer bears on the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// TOPdesk answered; for a write, how long it took. Reads differ too much in size to be compared.
    Calm(Option<Duration>),
    /// 429 or 503, perhaps with a time to wait.
    Busy(Option<Duration>),
    /// No answer: says nothing about load.
    Silent,
}

/// Lets requests through.
pub(super) struct Pacer {
    rate: DefaultDirectRateLimiter,
    gate: Mutex<Gate>,
    freed: Notify,
}

struct Gate {
    in_flight: usize,
    /// How many may be in flight now, and at most.
    limit: usize,
    most: usize,
    /// Calm answers since the limit last changed.
    calm: usize,
    last_cut: Option<Instant>,
    latency: Latency,
    paused_until: Option<Instant>,
    /// Requests let through since the start.
    passed: u64,
    /// TOPdesk has refused the log-in: it would refuse every other request as well.
    locked_out: bool,
}

/// How long writes take: lately, and usually. Moving averages in seconds.
#[derive(Default)]
struct Latency {
    writes: u32,
    recent: f64,
    usual: f64,
}

impl Latency {
    /// Writes before the usual time is known.
    const FEWEST: u32 = 20;
    /// A rise below this is noise, whatever the factor.
    const NOISE: f64 = 0.25;

    /// Takes one more write; whether writes have become far slower than usual.
    fn rises(&mut self, took: Duration) -> bool {
        let took = took.as_secs_f64();
        self.writes = self.writes.saturating_add(1);
        if self.writes == 1 {
            (self.recent, self.usual) = (took, took);
        }
        self.recent += (took - self.recent) / 5.0;
        // Slowly, so that an environment which stays slow becomes the usual one.
        self.usual += (took - self.usual) / 100.0;
        self.writes >= Self::FEWEST && self.recent > 3.0 * self.usual && self.recent > self.usual + Self::NOISE
    }
}

/// The right to have one request in flight.
pub struct Pass<'a> {
    pacer: &'a Pacer,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.pacer.gate().in_flight -= 1;
        self.pacer.freed.notify_one();
    }
}

impl Gate {
    /// Lowers the limit, once a second at most: several signs of one burst are one sign.
    fn cut_to(&mut self, limit: usize) {
        let now = Instant::now();
        self.calm = 0;
        if self
            .last_cut
            .is_none_or(|cut| now.duration_since(cut) >= Duration::from_secs(1))
        {
            self.limit = limit.max(1);
            self.last_cut = Some(now);
        }
    }
}

impl Pacer {
    /// So many in flight and so many per second at most; 0 counts as 1.
    pub(super) fn new(concurrency: usize, per_second: u32) -> Self {
        let most = concurrency.max(1);
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        Self {
            rate: RateLimiter::direct(Quota::per_second(per_second)),
            gate: Mutex::new(Gate {
                in_flight: 0,
                limit: most,
                most,
                calm: 0,
                last_cut: None,
                latency: Latency::default(),
                paused_until: None,
                passed: 0,
                locked_out: false,
            }),
            freed: Notify::new(),
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        // Nothing in here panics half-way: a poisoned lock still holds whole numbers.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may leave.
    pub(super) async fn enter(&self) -> Pass<'_> {
        loop {
            let pause = {
                let mut gate = self.gate();
                let pause = gate.paused_until.filter(|until| *until > Instant::now());
                if pause.is_none() && gate.in_flight < gate.limit {
                    gate.in_flight += 1;
                    gate.passed += 1;
                    break;
                }
                pause
            };
            match pause {
                Some(until) => tokio::time::sleep_until(until).await,
                // `notify_one` keeps one wake-up for a waiter that comes after it, so none is lost in between.
                None => self.freed.notified().await,
            }
        }
        let pass = Pass { pacer: self };
        self.rate.until_ready().await;
        pass
    }

    /// Learns from an answer.
    pub(super) fn learn(&self, load: Load) {
        let mut gate = self.gate();
        match load {
            Load::Silent => {}
            Load::Calm(took) => {
                if took.is_some_and(|took| gate.latency.rises(took)) {
                    let less = gate.limit - (gate.limit / 4).max(1);
                    gate.cut_to(less);
                    return;
                }
                gate.calm += 1;
                if gate.limit < gate.most && gate.calm >= 4 * gate.limit {
                    gate.limit += 1;
                    gate.calm = 0;
                    drop(gate);
                    self.freed.notify_one();
                }
            }
            Load::Busy(asked) => {
                let half = gate.limit / 2;
                gate.cut_to(half);
                if let Some(asked) = asked {
                    let until = Instant::now() + asked;
                    gate.paused_until = Some(gate.paused_until.map_or(until, |known| known.max(until)));
                }
            }
        }
    }

    /// TOPdesk has refused the log-in: nothing more is to be sent with this account in this run.
    pub(super) fn lock_out(&self) {
        self.gate().locked_out = true;
    }

    /// Whether it has.
    pub(super) fn is_locked_out(&self) -> bool {
        self.gate().locked_out
    }

    /// Requests let through since the start.
    pub(super) fn passed(&self) -> u64 {
        self.gate().passed
    }

    /// How many may be in flight now.
    pub(super) fn limit(&self) -> usize {
        self.gate().limit
    }

    /// How many may be in flight at most.
    pub(super) fn most(&self) -> usize {
        self.gate().most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_halves_what_is_in_flight_and_calm_gives_it_back() {
        let pacer = Pacer::new(8, 1000);
        pacer.learn(Load::Busy(None));
        pacer.learn(Load::Busy(None));
        assert_eq!(pacer.limit(), 4, "one burst is one sign");
        tokio::time::advance(Duration::from_secs(2)).await;
        pacer.learn(Load::Busy(None));
        assert_eq!(pacer.limit(), 2);
        for _ in 0..8 {
            pacer.learn(Load::Calm(None));
        }
        assert_eq!(pacer.limit(), 3);
        for _ in 0..500 {
            pacer.learn(Load::Calm(None));
        }
        assert_eq!(pacer.limit(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_limit_is_in_flight_and_a_pause_holds_everybody() {
        let pacer = Pacer::new(2, 1000);
        let first = pacer.enter().await;
        let _second = pacer.enter().await;
        let third = tokio::time::timeout(Duration::from_secs(1), pacer.enter()).await;
        assert!(third.is_err());
        drop(first);
        let third = tokio::time::timeout(Duration::from_secs(1), pacer.enter()).await;
        drop(third.expect("a place is free"));
        pacer.learn(Load::Busy(Some(Duration::from_secs(30))));
        let start = Instant::now();
        drop(_second);
        let _pass = pacer.enter().await;
        assert!(start.elapsed() >= Duration::from_secs(30));
        assert_eq!(pacer.passed(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn writes_that_become_slow_take_some_of_the_pace_away() {
        let pacer = Pacer::new(8, 1000);
        let write = |milliseconds| pacer.learn(Load::Calm(Some(Duration::from_millis(milliseconds))));
        for _ in 0..40 {
            write(50);
        }
        // One slow write is an accident, several are a sign.
        write(900);
        assert_eq!(pacer.limit(), 8);
        for _ in 0..4 {
            write(900);
        }
        assert_eq!(pacer.limit(), 6, "once a second at most");
        tokio::time::advance(Duration::from_secs(2)).await;
        write(900);
        assert_eq!(pacer.limit(), 5);
        for _ in 0..500 {
            write(900);
        }
        assert_eq!(pacer.limit(), 8, "what stays slow becomes usual");
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_limit() {
        let patience = Patience::default();
        let seconds = Duration::from_secs;
        let spent = Duration::ZERO;
        assert_eq!(patience.adjusted(Some(seconds(1)), None, spent), Some(seconds(1)));
        assert_eq!(
            patience.adjusted(Some(seconds(1)), Some(seconds(30)), spent),
            Some(seconds(30))
        );
        assert_eq!(
            patience.adjusted(Some(seconds(3)), Some(seconds(1)), spent),
            Some(seconds(3))
        );
        assert_eq!(patience.adjusted(Some(seconds(1)), Some(seconds(3600)), spent), None);
        assert_eq!(patience.adjusted(None, Some(seconds(1)), spent), None);
        assert_eq!(patience.adjusted(Some(seconds(1)), None, seconds(300)), None);
    }
}
