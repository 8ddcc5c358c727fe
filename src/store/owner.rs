//! Run as root, the command line becomes the owner of the state folder before it opens the store: otherwise files of
//! root would lock out the service that runs every day.

use nix::unistd::{Gid, Uid, User, geteuid, initgroups, setgid, setgroups, setuid};
use std::ffi::CString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Whom the process became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOwner {
    pub uid: u32,
    pub gid: u32,
    /// The user's name, where the system knows one.
    pub name: Option<String>,
}

/// The process could not become the owner of the folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot become user {uid}, who owns {}: {why}; run this as that user instead, e.g. with `sudo -u` or `runuser -u`", .folder.display())]
pub struct OwnerError {
    pub folder: PathBuf,
    pub uid: u32,
    pub why: String,
}

/// Gives up root for the owner of `folder`, for good. Does nothing (`None`) when not root, when root owns the folder and
/// when there is no folder yet. Must be called before anything is opened or started, and after the caller has noted who
/// asked (an approval names the real user).
pub fn become_owner_of(folder: &Path) -> Result<Option<NewOwner>, OwnerError> {
    let metadata = match std::fs::metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(OwnerError {
                folder: folder.to_owned(),
                uid: 0,
                why: error.to_string(),
            });
        }
    };
    let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    if !geteuid().is_root() || uid.is_root() {
        return Ok(None);
    }
    let failed = |why: String| OwnerError {
        folder: folder.to_owned(),
        uid: uid.as_raw(),
        why,
    };
    let user = User::from_uid(uid).map_err(|error| failed(error.to_string()))?;
    // The groups first: without root they can no longer be changed.
    let primary = user.as_ref().map_or(gid, |user| user.gid);
    let groups = match &user {
        Some(user) => {
            let name = CString::new(user.name.as_str()).map_err(|error| failed(error.to_string()))?;
            initgroups(&name, primary)
        }
        None => setgroups(&[primary]),
    };
    groups
        .and_then(|()| setgid(primary))
        .and_then(|()| setuid(uid))
        .map_err(|error| failed(error.to_string()))?;
    // A process that can take root back has not given it up.
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(failed("root could be taken back".to_owned()));
    }
    Ok(Some(NewOwner {
        uid: uid.as_raw(),
        gid: primary.as_raw(),
        name: user.map(|user| user.name),
    }))
}
