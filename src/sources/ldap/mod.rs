//! The LDAP source: OpenLDAP, Active Directory and their kind, read whole into one snapshot.
//!
//! ```text
//! config -> address, tls -> connect -> paging -> gather -> SourceRead
//!                          (one server)  entry -> RawRecord
//! ```
//!
//! Servers are tried in order. A server that fails is given up with all it has sent, and the read starts again at the
//! next one: a snapshot never mixes servers. What the read cannot vouch for is a finding; nothing is judged here.
//!
//! The password is read anew for every run and stands in no message.

mod address;
mod advice;
mod answer;
mod connect;
mod entry;
mod gather;
mod handshake;
mod paging;
mod policy;
mod probe;
mod read;
mod rootdse;
mod schema;
mod tls;

pub use address::Encryption;
pub use probe::{BaseReport, ProbeReport};

use crate::config::LdapConfig;
use crate::core::model::key::KeySpec;
use crate::core::reads::snapshot::{Effect, Finding, SourceRead};
use crate::engine::{Progress, Silent, Source};
use address::Server;
use connect::Access;
use entry::Columns;
use std::collections::BTreeSet;
use std::future::Future;
use tokio::sync::{mpsc, oneshot};

/// A directory server, or several with the same content.
#[derive(Clone, Debug)]
pub struct LdapSource {
    config: LdapConfig,
    key: KeySpec,
}

impl LdapSource {
    /// Nothing is read or connected yet. The key is only used to say whose entry a rejection is.
    pub fn new(config: LdapConfig, key: KeySpec) -> Self {
        Self { config, key }
    }

    /// Tries every server and, on the first that works, the first page of every base. Changes nothing.
    ///
    /// # Errors
    ///
    /// When no server can be used, with the reason for each of them; or when the configuration itself is wrong.
    pub async fn probe(&self) -> Result<ProbeReport, Finding> {
        let config = self.config.clone();
        apart(&Silent, &self.config.name, move |_| async move {
            probe::probe(&config).await
        })
        .await
    }
}

impl Source for LdapSource {
    async fn read(&self, attributes: &BTreeSet<String>, progress: &dyn Progress) -> Result<SourceRead, Finding> {
        let (config, key) = (self.config.clone(), self.key.clone());
        let columns = Columns::new(attributes, &config.key, config.anchor.as_deref());
        apart(progress, &self.config.name, move |tell| async move {
            let limit = config.total_timeout.duration();
            let read = read_first_good(&config, &key, &columns, &tell);
            tokio::time::timeout(limit, read).await.unwrap_or_else(|_| {
                Err(Finding::new(
                    "total_timeout",
                    Effect::Reject,
                    format!(
                        "the read of {} took longer than {}",
                        addresses(&config),
                        config.total_timeout
                    ),
                    "raise total_timeout, narrow base or filter, or look at the server's load",
                ))
            })
        })
        .await
    }

    /// Binds to every server of a list. Empty where there is only one, which every read tries.
    async fn try_servers(&self) -> Result<Vec<(String, Option<Finding>)>, Finding> {
        if self.config.url.as_slice().len() < 2 {
            return Ok(Vec::new());
        }
        let config = self.config.clone();
        apart(&Silent, &self.config.name, move |_| async move {
            probe::try_servers(&config).await
        })
        .await
    }

    fn advice(&self) -> Vec<Finding> {
        advice::advice(&self.config)
    }
}

/// Why a server could not be used.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another server may do better.
    Server(Finding),
    /// The account is refused: every further try brings its lock-out nearer.
    Account(Finding),
}

/// Tries the servers in order; the read is of one server alone.
async fn read_first_good(
    config: &LdapConfig,
    key: &KeySpec,
    columns: &Columns,
    tell: &dyn Fn(u64, Option<u64>),
) -> Result<SourceRead, Finding> {
    let (servers, access) = prepare(config)?;
    let mut failed = Vec::new();
    for server in &servers {
        match read::read_server(server, config, key, &access, columns, tell).await {
            Ok(mut read) => {
                read.findings.extend(failed.into_iter().map(passed_over));
                return Ok(read);
            }
            Err(Failure::Server(finding)) => failed.push(finding),
            Err(Failure::Account(finding)) => {
                failed.push(finding);
                break;
            }
        }
    }
    Err(all_failed(failed))
}

/// Checks what can be checked without a connection and reads what is read anew for every run.
fn prepare(config: &LdapConfig) -> Result<(Vec<Server>, Access), Finding> {
    if ldap3::parse_filter(&config.filter).is_err() {
        return Err(filter_malformed(&config.filter));
    }
    let servers = config
        .url
        .as_slice()
        .iter()
        .map(|url| Server::parse(url, config))
        .collect::<Result<Vec<_>, _>>()?;
    if servers.is_empty() || config.base.as_slice().is_empty() {
        return Err(Finding::new(
            "nothing_to_read",
            Effect::Reject,
            format!("source '{}' names no server or no base", config.name),
            "give url and base at least one entry each",
        ));
    }
    let access = Access::read(config, &servers)?;
    Ok((servers, access))
}

fn filter_malformed(filter: &str) -> Finding {
    Finding::new(
        "filter_malformed",
        Effect::Reject,
        format!("'{filter}' is not an LDAP filter"),
        "write it like (&(objectClass=person)(mail=*)): every test in brackets, ( ) * \\ in values as \\28 \\29 \\2a \\5c",
    )
}

/// A server that failed while another one was read.
fn passed_over(finding: Finding) -> Finding {
    Finding {
        effect: Effect::Note,
        message: format!("{}; another server was read instead", finding.message),
        ..finding
    }
}

/// No server could be used: each with its reason.
fn all_failed(mut failed: Vec<Finding>) -> Finding {
    if failed.len() == 1 {
        return failed.remove(0);
    }
    let messages: Vec<String> = failed.iter().map(|finding| finding.message.clone()).collect();
    let mut cures: Vec<String> = Vec::new();
    for finding in failed {
        if !cures.contains(&finding.cure) {
            cures.push(finding.cure);
        }
    }
    Finding::new(
        "no_server",
        Effect::Reject,
        format!("none of the servers could be read: {}", messages.join("; ")),
        cures.join("; "),
    )
}

fn addresses(config: &LdapConfig) -> String {
    config.url.as_slice().join(", ")
}

/// Tells the caller's side how far the read is.
type Tell = Box<dyn Fn(u64, Option<u64>)>;

/// Runs the work on a thread with a runtime of its own. Decoding a directory is one long stream: on a current-thread
/// runtime it is a quarter faster than on one that moves tasks between threads, and it keeps no worker of the caller busy.
/// The work ends when the caller's future is dropped.
async fn apart<T, W, F>(progress: &dyn Progress, stage: &str, work: W) -> Result<T, Finding>
where
    T: Send + 'static,
    W: FnOnce(Tell) -> F + Send + 'static,
    F: Future<Output = Result<T, Finding>>,
{
    let (tell, mut told) = mpsc::unbounded_channel();
    let (mut done, mut outcome) = oneshot::channel();
    let failed = |what: String| {
        Finding::new(
            "ldap_worker",
            Effect::Reject,
            format!("source '{stage}': {what}"),
            "see the lines before this one; if it happens again, report it with the server's product and version",
        )
    };
    std::thread::Builder::new()
        .name("ldap".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(e) => {
                    // The caller may be gone; then nobody needs to know.
                    drop(done.send(Err(Finding::new(
                        "ldap_worker",
                        Effect::Reject,
                        format!("no runtime for the directory read: {e}"),
                        "this machine is out of file handles or memory",
                    ))));
                    return;
                }
            };
            // Nobody listens any more once the caller is gone; the work itself then ends, too.
            let tell: Tell = Box::new(move |so_far, total| tell.send((so_far, total)).unwrap_or_default());
            let result = runtime.block_on(async {
                tokio::select! {
                    result = work(tell) => Some(result),
                    () = done.closed() => None,
                }
            });
            // A name server that does not answer must not hold the thread.
            runtime.shutdown_background();
            if let Some(result) = result {
                drop(done.send(result));
            }
        })
        .map_err(|e| failed(format!("no thread for the directory read: {e}")))?;
    loop {
        tokio::select! {
            biased;
            Some((so_far, total)) = told.recv() => progress.advance(stage, so_far, total),
            result = &mut outcome => {
                return result.unwrap_or_else(|_| Err(failed("the directory read broke off inside cardsync".to_owned())));
            }
        }
    }
}

#[cfg(test)]
mod tests;
