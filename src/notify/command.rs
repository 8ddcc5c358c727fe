//! A program that is told: one JSON object on its standard input, a time limit, and nothing of ours in its surroundings.
//!
//! It must not see our secrets (the environment is not handed on) and must not hold us up: what it writes is read and
//! forgotten, and when its time is over it is killed with everything it started.

use super::NotifyEvent;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a program may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What a program keeps of our environment: enough to find programs, time, language and the way out through a proxy.
const HANDED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// What is read of the output before the rest is thrown away.
const MOST_OUTPUT: u64 = 4096;
/// What is kept of it in an error, in characters.
const MOST_TOLD: usize = 200;
/// How long output is waited for once the program has ended: something it left behind may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Why somebody was not told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(
        "notify.command: '{program}' cannot be started: {why}; see that it exists and may be executed by this user"
    )]
    NotStarted { program: String, why: String },
    #[error("notify.command: '{program}' was not done after {seconds} s and was killed; it must hand over and end")]
    TimedOut { program: String, seconds: u64 },
    #[error("notify.command: '{program}' ended with {status}{said}")]
    Failed {
        program: String,
        status: ExitStatus,
        said: String,
    },
}

/// Tells a program (`argv`: the program, then its arguments) one event; an empty `argv` tells nobody.
///
/// # Errors
/// When the program cannot be started, ends with another status than 0, or takes longer than `limit`.
pub async fn send(argv: &[String], event: &NotifyEvent, limit: Duration) -> Result<(), NotifyError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Ok(());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(
            HANDED_ON
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| NotifyError::NotStarted {
            program: program.clone(),
            why: error.to_string(),
        })?;
    let group = child.id();
    let mut text = serde_json::to_vec(event).expect("an event has no map with keys that are not text");
    text.push(b'\n');
    let told = timeout(limit, converse(&mut child, &text)).await;
    match told {
        Ok(Ok((status, _))) if status.success() => Ok(()),
        Ok(Ok((status, said))) => Err(NotifyError::Failed {
            program: program.clone(),
            status,
            said,
        }),
        Ok(Err(error)) => {
            kill(group, &mut child).await;
            Err(NotifyError::NotStarted {
                program: program.clone(),
                why: error.to_string(),
            })
        }
        Err(_elapsed) => {
            kill(group, &mut child).await;
            Err(NotifyError::TimedOut {
                program: program.clone(),
                seconds: limit.as_secs(),
            })
        }
    }
}

/// Tells a program all events, one after the other. A failure is a warning in the log and nothing else.
pub async fn tell(argv: &[String], events: &[NotifyEvent], limit: Duration) {
    for event in events {
        if let Err(error) = send(argv, event, limit).await {
            tracing::warn!(
                run.id = event.run.as_str(),
                "run {}: nobody was told of {:?}: {error}",
                event.run,
                event.kind
            );
        }
    }
}

/// Writes the input, reads the output, waits for the end. Gives the first line that was said.
async fn converse(child: &mut Child, text: &[u8]) -> std::io::Result<(ExitStatus, String)> {
    let mut input = child.stdin.take().expect("standard input is a pipe");
    let output = child.stdout.take().expect("standard output is a pipe");
    let errors = child.stderr.take().expect("standard error is a pipe");
    let (output, errors) = (tokio::spawn(beginning(output)), tokio::spawn(beginning(errors)));
    // A program that does not read its input has closed the pipe: its exit status says whether that was meant.
    let _closed = input.write_all(text).await;
    drop(input);
    let status = child.wait().await?;
    if status.success() {
        output.abort();
        errors.abort();
        return Ok((status, String::new()));
    }
    let mut said = String::new();
    for reader in [errors, output] {
        let abort = reader.abort_handle();
        let bytes = timeout(LAST_WORDS, reader)
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default();
        abort.abort();
        if said.is_empty() {
            said = first_line(&bytes);
        }
    }
    Ok((
        status,
        if said.is_empty() {
            said
        } else {
            format!(" and said: {said}")
        },
    ))
}

/// The beginning of a stream; the rest is read and thrown away, so that the program never waits for us.
async fn beginning(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = (&mut stream).take(MOST_OUTPUT).read_to_end(&mut bytes).await;
    if read.is_ok() {
        let _rest = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    bytes
}

/// The first line with something in it, without control characters.
fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(MOST_TOLD).collect()
}

/// Kills the program and all that it started, and takes leave of it.
async fn kill(group: Option<u32>, child: &mut Child) {
    if let Some(group) = group.and_then(|id| i32::try_from(id).ok()) {
        // An error means that it has just ended by itself.
        let _gone = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _status = timeout(LAST_WORDS, child.wait()).await;
}

#[cfg(test)]
mod tests {
    use super::super::tests::event;
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn the_program_gets_one_json_object_on_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told");
        let mut argv = shell("cat > \"$1\"");
        argv.extend(["sh".to_owned(), path.display().to_string()]);
        run(send(&argv, &event(), TIME_LIMIT)).unwrap();
        let told = std::fs::read_to_string(path).unwrap();
        assert_eq!(told.lines().count(), 1);
        assert_eq!(serde_json::from_str::<NotifyEvent>(&told).unwrap(), event());
    }

    #[test]
    fn a_failure_tells_the_status_and_the_first_line_only() {
        let script = "echo out; printf '\\nno \\033[1mroute\\nJane Doe\\n' >&2; exit 3";
        let error = run(send(&shell(script), &event(), TIME_LIMIT)).unwrap_err().to_string();
        assert_eq!(
            error,
            "notify.command: '/bin/sh' ended with exit status: 3 and said: no [1mroute"
        );
        let error = run(send(&shell("exit 1"), &event(), TIME_LIMIT))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "notify.command: '/bin/sh' ended with exit status: 1");
    }

    #[test]
    fn a_program_that_reads_nothing_and_writes_much_is_no_problem() {
        let mut big = event();
        big.message = "x".repeat(1_000_000);
        run(send(
            &shell("exec <&-; head -c 3000000 /dev/zero; exit 0"),
            &big,
            TIME_LIMIT,
        ))
        .unwrap();
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let mut argv = shell("sleep 600 & echo $! > \"$1\"; wait");
        argv.extend(["sh".to_owned(), pid.display().to_string()]);
        let error = run(send(&argv, &event(), Duration::from_secs(1))).unwrap_err();
        assert!(matches!(error, NotifyError::TimedOut { seconds: 1, .. }), "{error}");
        let child: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        // It is gone, or a zombie that init has not collected yet; on a busy machine the signal takes its time to arrive.
        let killed = Instant::now();
        loop {
            let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            if state.is_empty() || state.contains(") Z ") {
                break;
            }
            assert!(killed.elapsed() < Duration::from_secs(120), "{state}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_a_program_leaves_behind_does_not_hold_us_up() {
        let start = Instant::now();
        run(send(&shell("sleep 1200 & exit 0"), &event(), TIME_LIMIT)).unwrap();
        assert!(run(send(&shell("sleep 1200 & exit 1"), &event(), TIME_LIMIT)).is_err());
        assert!(start.elapsed() < Duration::from_secs(600));
    }

    #[test]
    fn our_secrets_are_not_handed_on() {
        // Cargo sets this one for every test; it stands for a password in the environment.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        run(send(
            &shell("test -z \"$CARGO_MANIFEST_DIR\" && test -n \"$PATH\""),
            &event(),
            TIME_LIMIT,
        ))
        .unwrap();
    }

    #[test]
    fn a_missing_program_is_told_and_no_program_is_nobody() {
        let error = run(send(&["/no/such/program".to_owned()], &event(), TIME_LIMIT))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("notify.command: '/no/such/program' cannot be started: "),
            "{error}"
        );
        run(send(&[], &event(), TIME_LIMIT)).unwrap();
        run(tell(&["/no/such/program".to_owned()], &[event()], TIME_LIMIT));
    }
}
