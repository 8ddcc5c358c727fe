//! Progress: bars with rate and remaining time on a terminal, plain log lines otherwise.

use crate::engine::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// A log line at most this often per stage.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// All bars of the process: one terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Standard error for log lines: the bars step aside for each, so that neither is torn.
pub(super) struct BesideBars;

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let shown = super::out::log_line(bytes);
        if on_terminal() {
            BARS.suspend(|| std::io::stderr().write_all(&shown))?;
        } else {
            std::io::stderr().write_all(&shown)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// Whole numbers: nobody reads decimals of a rate. What was there at once has none.
fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    if state.elapsed() >= Duration::from_secs(1) {
        let _unwritten = write!(text, "{:.0}/s", state.per_sec());
    }
}

/// Whether a person sits where bars and log lines appear.
pub(super) fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Bars, or lines.
pub(super) enum Shown {
    Bars {
        all: MultiProgress,
        stages: Mutex<BTreeMap<String, ProgressBar>>,
    },
    /// When each stage began, and when it last said something.
    Lines {
        stages: Mutex<BTreeMap<String, (Instant, Instant)>>,
    },
}

impl Shown {
    /// Bars when standard error is a terminal.
    pub(super) fn new() -> Self {
        if on_terminal() {
            Shown::Bars {
                all: BARS.clone(),
                stages: Mutex::default(),
            }
        } else {
            Shown::Lines {
                stages: Mutex::default(),
            }
        }
    }

    /// Takes the bars off the screen.
    pub(super) fn finish(&self) {
        match self {
            Shown::Bars { all, stages } => {
                // A bar that is only hidden is drawn again beside the next log line.
                let mut stages = stages.lock().expect("no panic while bars are held");
                for bar in std::mem::take(&mut *stages).into_values() {
                    bar.finish_and_clear();
                    all.remove(&bar);
                }
                let _not_drawn = all.clear();
            }
            Shown::Lines { .. } => {}
        }
    }
}

impl Progress for Shown {
    fn advance(&self, stage: &str, done: u64, total: Option<u64>) {
        match self {
            Shown::Bars { all, stages } => {
                let mut stages = stages.lock().expect("no panic while bars are held");
                let bar = stages.entry(stage.to_owned()).or_insert_with(|| {
                    let bar = all.add(ProgressBar::no_length());
                    bar.set_prefix(stage.to_owned());
                    bar
                });
                let known = "{prefix:12} {bar:30} {human_pos}/{human_len} {rate} {eta} left";
                let open = "{prefix:12} {spinner} {human_pos} {rate}";
                let template = if total.is_some() { known } else { open };
                let style = ProgressStyle::with_template(template).expect("the templates are valid");
                bar.set_style(style.with_key("rate", rate));
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_position(done);
                if total == Some(done) {
                    bar.finish();
                }
            }
            Shown::Lines { stages } => {
                let mut stages = stages.lock().expect("no panic while lines are held");
                let now = Instant::now();
                let first = !stages.contains_key(stage);
                let (began, last) = stages.entry(stage.to_owned()).or_insert((now, now));
                if first || now.duration_since(*last) < BETWEEN_LINES {
                    return;
                }
                *last = now;
                match total {
                    Some(total) => {
                        let left = time_left(now.duration_since(*began), done, total);
                        tracing::info!(stage, done, total, "{stage}: {done} of {total}, about {left} left");
                    }
                    None => tracing::info!(stage, done, "{stage}: {done}"),
                }
            }
        }
    }
}

/// How long the rest takes at the pace so far, in words.
fn time_left(so_far: Duration, done: u64, total: u64) -> String {
    let each = so_far.as_secs_f64() / done.max(1) as f64;
    let seconds = each * total.saturating_sub(done) as f64;
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min", (seconds / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_the_pace() {
        assert_eq!(time_left(Duration::from_secs(10), 100, 300), "20 s");
        assert_eq!(time_left(Duration::from_secs(60), 1_200, 20_000), "16 min");
        assert_eq!(time_left(Duration::from_secs(1), 0, 10), "10 s");
    }
}
