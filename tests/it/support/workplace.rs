//! A place to work in: a sandbox in this process, a folder with configuration, sources and state, and the real program
//! run as a process in it.

use super::hostile_ldap::{Hostile, Script, Step};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use topdesk_sandbox::{RunningSandbox, Sandbox, SandboxOptions, Seed};

/// Login of the sandbox's API account.
pub const USERNAME: &str = "api-cardsync";
/// Its password.
pub const PASSWORD: &str = "correct-horse-battery";

/// How a process ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON: {error}\n{self:?}"))
    }

    /// Fails unless it ended with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(
            self.code, code,
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// See the module.
pub struct Workplace {
    pub folder: TempDir,
    pub sandbox: RunningSandbox,
    /// A directory that answers by a script; started when it is first asked for.
    directory: OnceLock<Hostile>,
    // Runs the sandbox and the directory for as long as the place is there.
    runtime: Runtime,
}

impl Workplace {
    /// A sandbox with this seed, and a folder with the password file.
    pub fn open(seed: Value) -> Workplace {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let sandbox = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let options = SandboxOptions {
                listener,
                seed: Seed::from_value(seed).unwrap_or_else(|error| panic!("{error}")),
                username: USERNAME.into(),
                password: PASSWORD.into(),
                settings: Vec::new(),
            };
            Sandbox::start(options)
                .await
                .unwrap_or_else(|error| panic!("{error:#}"))
        });
        let place = Workplace {
            folder: tempfile::tempdir().expect("a folder"),
            sandbox,
            directory: OnceLock::new(),
            runtime,
        };
        place.write("password", PASSWORD);
        place
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the folder, as a new file: what was open stays as it was.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        if path.exists() {
            fs::remove_file(&path).expect("a file that can be replaced");
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.write_all(content.as_ref()).expect("a file that can be written");
    }

    /// Writes the configuration, with the sandbox's address in place of `@URL@` and the directory's in that of `@LDAP@`.
    pub fn configure(&self, config: &str) {
        let mut config = config.replace("@URL@", &self.sandbox.url());
        if config.contains("@LDAP@") {
            config = config.replace("@LDAP@", &self.directory().url());
        }
        self.write("cardsync.yaml", config);
    }

    /// The directory; at first it gives nobody.
    pub fn directory(&self) -> &Hostile {
        let nobody = || Script::searches(vec![vec![Step::Page(b"")]]);
        self.directory
            .get_or_init(|| self.runtime.block_on(Hostile::start(nobody())))
    }

    /// Where the directory is, if there is one.
    pub fn directory_url(&self) -> Option<String> {
        self.directory.get().map(Hostile::url)
    }

    /// The program with the folder's configuration, ready to be changed and started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("CARDSYNC_CONFIG", self.path("cardsync.yaml"))
            .args(arguments);
        command
    }

    /// Runs the program with the folder's configuration.
    pub fn cardsync(&self, arguments: &[&str]) -> Ran {
        finish(&mut self.command(arguments))
    }

    /// The id of each item that waits in a class or as an action, or of everything: `all`.
    pub fn each_of(&self, class: &str) -> Vec<String> {
        let holds = self.cardsync(&["holds", "--json"]).json();
        let in_class = |item: &&Value| {
            let codes = item["reasons"].as_array().into_iter().flatten();
            let exceeded = format!("over_budget:{class}");
            class == "all"
                || item["class"] == class
                || item["action"] == class
                || codes.into_iter().any(|reason| reason["code"] == exceeded.as_str())
        };
        let items = holds.as_array().expect("an array of what waits").iter();
        let ids: Vec<String> = items
            .filter(in_class)
            .map(|item| text(&item["id"]).to_owned())
            .collect();
        assert!(!ids.is_empty(), "nothing waits in {class}: {holds:#}");
        ids
    }

    /// Approves each item that waits in these classes, one by one as a human must.
    pub fn approve_each(&self, classes: &[&str], more: &[&str]) -> Ran {
        let ids: Vec<String> = classes.iter().flat_map(|class| self.each_of(class)).collect();
        let mut arguments = vec!["approve"];
        arguments.extend(ids.iter().map(String::as_str));
        arguments.extend(more);
        self.cardsync(&arguments)
    }

    /// Requests so far that were not reads: method and path.
    pub fn writes(&self) -> Vec<String> {
        let stats = self.sandbox.stats();
        let writes = stats["writes"].as_array().expect("the sandbox lists writes");
        writes
            .iter()
            .map(|write| format!("{} {}", text(&write["method"]), text(&write["path"])))
            .collect()
    }
}

/// The program, with nothing of this process's surroundings but the way to other programs.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardsync"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Ran {
    Ran::from(command.output().expect("the program can be started"))
}

/// A JSON text, or nothing.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
