//! One TOPdesk has one cardsync (RULES 5): on one machine a name holds whatever store is used.
//!
//! The lock beside a store keeps two runs on one store apart; two stores (a second configuration, a run by hand that made a
//! state folder of its own) it does not. So a run takes a name after the TOPdesk host, and a daemon keeps another one for as
//! long as it lives, also between its runs, together with one after its store.
//!
//! The names are those of abstract UNIX sockets (unix(7)): they need no folder and no rights, root, a service's user and
//! ordinary users see the same ones, also with a private /tmp and a read-only file system, and the kernel frees them when the
//! process ends, however it ends. They belong to a network namespace: containers with a network of their own do not see each
//! other, and neither do two machines. There, and on systems other than Linux, which have no such names, the questions that
//! a run asks of TOPdesk itself are what is left.

use crate::engine::state::{OtherStore, StoreError};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// A name of a socket has at most 107 bytes; longer hosts are hashed.
const LONGEST_HOST: usize = 60;

/// Names that are held while this lives.
#[must_use]
#[derive(Debug)]
pub struct Held {
    _names: Vec<UnixListener>,
}

/// What is claimed.
#[derive(Clone, Copy)]
enum Claim {
    /// One run works.
    Run,
    /// A daemon serves.
    Serve,
}

impl Claim {
    fn name(self, host: &str) -> String {
        let what = match self {
            Claim::Run => "run",
            Claim::Serve => "serve",
        };
        let host = host.trim_end_matches('.').to_lowercase();
        if host.len() <= LONGEST_HOST {
            format!("cardsync/{what}/{host}")
        } else {
            format!("cardsync/{what}/{}", hex(&host))
        }
    }
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(16)
        .fold(String::new(), |mut hex, byte| {
            let _cannot_fail = write!(hex, "{byte:02x}");
            hex
        })
}

/// What a store is known by on this machine, whether or not it is there yet: its folder and its name.
fn name_of(store: &Path) -> String {
    let store = super::file::resolved(store);
    let folder = store
        .parent()
        .and_then(|folder| std::fs::metadata(folder).ok())
        .map_or_else(String::new, |it| format!("{}:{}", it.dev(), it.ino()));
    let name = store.file_name().unwrap_or_default().to_string_lossy();
    hex(&format!("{folder}/{name}"))
}

/// Takes the place of the one run that works on this TOPdesk on this machine.
///
/// # Errors
/// [`StoreError::OtherStore`] when another one has it.
pub async fn only_run(host: &str) -> Result<Held, StoreError> {
    let name = Claim::Run.name(host);
    match bind(&name) {
        Ok(held) => Ok(Held {
            _names: held.into_iter().collect(),
        }),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(refused(host, &name, false).await),
        Err(error) => Err(no_names(host, &error)),
    }
}

/// Says for as long as it lives that the daemon of this store serves this TOPdesk.
///
/// # Errors
/// [`StoreError::OtherStore`] when another daemon does.
pub async fn serve(host: &str, store: &Path) -> Result<Held, StoreError> {
    let name = Claim::Serve.name(host);
    let taken = |error: std::io::Error| no_names(host, &error);
    match bind(&name) {
        Ok(held) => {
            // A folder that is not there yet has no name that lasts.
            super::file::make_folder(store)?;
            let of_store = bind(&format!("{name}/{}", name_of(store)));
            let names = held.into_iter().chain(of_store.map_err(taken)?);
            Ok(Held {
                _names: names.collect(),
            })
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(refused(host, &name, true).await),
        Err(error) => Err(taken(error)),
    }
}

/// Whether this TOPdesk may be worked on with this store: not where a daemon serves it with another one, and not where a run
/// works just now and the store would be made anew.
///
/// # Errors
/// [`StoreError::OtherStore`] where it may not.
pub async fn not_another(host: &str, store: &Path) -> Result<(), StoreError> {
    let serves = Claim::Serve.name(host);
    let ours = format!("{serves}/{}", name_of(store));
    if holder(&serves).await.is_some() && holder(&ours).await.is_none() {
        return Err(refused(host, &serves, true).await);
    }
    let runs = Claim::Run.name(host);
    if super::file::existing(&super::file::resolved(store))?.is_none() && holder(&runs).await.is_some() {
        return Err(refused(host, &runs, false).await);
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn bind(name: &str) -> std::io::Result<Option<UnixListener>> {
    use std::os::linux::net::SocketAddrExt;
    let name = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    UnixListener::bind_addr(&name).map(Some)
}

/// Other systems have no such names.
#[cfg(not(target_os = "linux"))]
fn bind(_: &str) -> std::io::Result<Option<UnixListener>> {
    Ok(None)
}

/// Who holds a name; `None` when nobody does.
#[cfg(not(target_os = "linux"))]
async fn holder(_: &str) -> Option<String> {
    None
}

/// Who holds a name; `None` when nobody does.
#[cfg(target_os = "linux")]
async fn holder(name: &str) -> Option<String> {
    match tokio::net::UnixStream::connect(format!("\0{name}")).await {
        Ok(stream) => {
            let peer = stream.peer_cred().ok();
            let pid = peer.as_ref().and_then(|peer| peer.pid());
            let uid = peer.map(|peer| peer.uid());
            let user = uid.and_then(|uid| {
                nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid))
                    .ok()
                    .flatten()
            });
            let user = user.map(|user| user.name).or_else(|| uid.map(|uid| uid.to_string()));
            Some(match (pid.filter(|pid| *pid > 0), user) {
                (Some(pid), Some(user)) => format!("process {pid} of user {user}"),
                (None, Some(user)) => format!("a process of user {user}"),
                (Some(_), None) | (None, None) => "a process".to_owned(),
            })
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => None,
        // Such as too many who asked and went: the name is there.
        Err(_) => Some("a process".to_owned()),
    }
}

async fn refused(host: &str, name: &str, serves: bool) -> StoreError {
    let by = holder(name)
        .await
        .unwrap_or_else(|| "a process that has just ended".to_owned());
    let host = host.to_owned();
    StoreError::OtherStore(if serves {
        OtherStore::Serves { host, by }
    } else {
        OtherStore::Works { host, by }
    })
}

fn no_names(host: &str, error: &std::io::Error) -> StoreError {
    StoreError::OtherStore(OtherStore::Unknown {
        host: host.to_owned(),
        why: error.to_string(),
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn host() -> String {
        format!("{}.example.org", uuid::Uuid::new_v4().simple())
    }

    #[tokio::test]
    async fn one_run_at_a_time_whatever_the_store_and_the_spelling_of_the_host() {
        let host = host();
        let first = only_run(&host).await.unwrap();
        let refused = only_run(&format!("{}.", host.to_uppercase())).await.unwrap_err();
        let said = refused.to_string();
        assert!(
            said.contains(&format!("process {} of user", std::process::id())),
            "{said}"
        );
        drop(first);
        let long = format!("{}.example.org", "a".repeat(200));
        let _held = (only_run(&host).await.unwrap(), only_run(&long).await.unwrap());
        assert!(only_run(&long).await.is_err());
    }

    #[tokio::test]
    async fn a_daemon_lets_only_its_own_store_work() {
        let (host, folder) = (host(), tempfile::tempdir().unwrap());
        let (own, other) = (folder.path().join("own.db"), folder.path().join("other.db"));
        assert!(not_another(&host, &other).await.is_ok());
        let serving = serve(&host, &own).await.unwrap();
        assert!(not_another(&host, &own).await.is_ok());
        assert!(not_another(&host, &folder.path().join("./own.db")).await.is_ok());
        let refused = not_another(&host, &other).await.unwrap_err();
        assert!(refused.to_string().contains("serves"), "{refused}");
        assert!(serve(&host, &other).await.is_err());
        drop(serving);
        assert!(serve(&host, &other).await.is_ok());
    }

    #[tokio::test]
    async fn a_store_is_not_made_while_a_run_with_another_one_works() {
        let (host, folder) = (host(), tempfile::tempdir().unwrap());
        let (new, known) = (folder.path().join("new.db"), folder.path().join("known.db"));
        std::fs::write(&known, "something").unwrap();
        let _run = only_run(&host).await.unwrap();
        assert!(not_another(&host, &known).await.is_ok(), "its own lock is asked then");
        assert!(not_another(&host, &new).await.is_err());
    }
}
