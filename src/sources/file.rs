//! A file on disk as a source: opened, hashed, and proven not to have changed while it was read.
//!
//! It knows nothing of what the bytes mean.

use crate::config::Expect;
use crate::core::model::ids::Generation;
use crate::core::reads::snapshot::{Effect, Finding};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::fs::Metadata;
use std::io::{self, ErrorKind, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes handed over at a time.
const CHUNK: usize = 1 << 20;

/// What is known of a file that was read to its end.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// Hash over modification time and content: the same file touched again is a new generation.
    pub generation: Generation,
    pub modified_at: DateTime<Utc>,
    /// Hash of the content alone.
    pub content: Box<str>,
}

/// The marks by which a change of the file shows. Access and status-change times are left out: a backup touches them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Marks {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Reads a file from start to end and hands over its bytes in order.
///
/// The content is read twice and hashed both times, because a writer may leave size and a coarse modification time as
/// they were.
///
/// # Errors
/// A finding whose effect is `Reject`, when the file cannot be read or changed meanwhile: nothing of it is worth a look.
pub async fn read(path: &Path, mut take: impl FnMut(&[u8]) + Send) -> Result<FileFacts, Finding> {
    let failed = |error: io::Error| unreadable(path, &error);
    let before = tokio::fs::metadata(path).await.map_err(failed)?;
    // Looked at before opening: opening a pipe would wait for its writer.
    if !before.is_file() {
        let what = if before.is_dir() {
            "a folder"
        } else {
            "not a regular file"
        };
        return Err(Finding::new(
            "not_a_file",
            Effect::Reject,
            format!("{} is {what}", path.display()),
            "Set `path` to the exported file itself.",
        ));
    }
    let marks = Marks::of(&before);
    let mut file = File::open(path).await.map_err(failed)?;
    let opened = Marks::of(&file.metadata().await.map_err(failed)?);
    let first = digest(&mut file, marks.size, &mut take).await.map_err(failed)?;
    file.seek(SeekFrom::Start(0)).await.map_err(failed)?;
    let second = digest(&mut file, marks.size, &mut |_| ()).await.map_err(failed)?;
    let after = Marks::of(&file.metadata().await.map_err(failed)?);
    // The path may by now name another file: a new export was moved into its place.
    let named = tokio::fs::metadata(path).await.map(|metadata| Marks::of(&metadata));

    let same = opened == marks
        && after == marks
        && named.is_ok_and(|named| named == marks)
        && first.bytes == marks.size
        && first.hash == second.hash;
    if !same {
        return Err(changed_while_read(path));
    }
    let modified_at = DateTime::from_timestamp(marks.modified.0, u32::try_from(marks.modified.1).unwrap_or(0))
        .unwrap_or(DateTime::UNIX_EPOCH);
    Ok(FileFacts {
        generation: generation(marks.modified, &first.hash),
        modified_at,
        content: hex(&first.hash),
    })
}

/// One pass over the content.
struct Pass {
    hash: [u8; 32],
    bytes: u64,
}

/// Reads no further than one byte past `size`: a file may grow as fast as it is read.
async fn digest(file: &mut File, size: u64, take: &mut (impl FnMut(&[u8]) + Send)) -> io::Result<Pass> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let mut chunk = Vec::with_capacity(CHUNK);
    file.set_max_buf_size(CHUNK);
    while bytes <= size {
        chunk.clear();
        // Filled to the brim, so that a byte order mark is never split.
        let room = (size + 1 - bytes).min(CHUNK as u64);
        (&mut *file).take(room).read_to_end(&mut chunk).await?;
        if chunk.is_empty() {
            break;
        }
        hasher.update(&chunk);
        bytes += chunk.len() as u64;
        take(&chunk);
    }
    Ok(Pass {
        hash: hasher.finalize().into(),
        bytes,
    })
}

fn hex(hash: &[u8]) -> Box<str> {
    hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn generation(modified: (i64, i64), content: &[u8; 32]) -> Generation {
    let mut hasher = Sha256::new();
    hasher.update(modified.0.to_be_bytes());
    hasher.update(modified.1.to_be_bytes());
    hasher.update(content);
    Generation::new(format!("{:x}", hasher.finalize()))
}

/// Advice for a file source that takes a file of any age: when the export stops, yesterday's truth stays.
pub fn no_age_limit(expect: &Expect) -> Option<Finding> {
    expect.max_age.is_none().then(|| {
        Finding::new(
            "no_max_age",
            Effect::Note,
            "a file of any age is accepted: an export that stopped is not noticed",
            "Set `expect: { max_age: 26h }`, a little more than the time between two exports.",
        )
    })
}

fn changed_while_read(path: &Path) -> Finding {
    Finding::new(
        "changed_while_read",
        Effect::Reject,
        format!("{} changed while it was read", path.display()),
        "Nothing to do if the export was just running: the next run reads it again. Else let the export write to another name \
         and rename the file when it is complete.",
    )
}

fn unreadable(path: &Path, error: &io::Error) -> Finding {
    let path = path.display();
    let (code, message, cure) = match error.kind() {
        ErrorKind::NotFound => (
            "file_not_found",
            format!("{path} does not exist"),
            "Check `path`, and whether the export ran.".to_owned(),
        ),
        ErrorKind::PermissionDenied => (
            "file_unreadable",
            format!("{path} may not be read"),
            "Give the user that cardsync runs as the right to read the file and to enter its folders.".to_owned(),
        ),
        _ => (
            "file_unreadable",
            format!("{path} cannot be read: {error}"),
            "Check the disk or the network share that holds the file.".to_owned(),
        ),
    };
    Finding::new(code, Effect::Reject, message, cure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    fn code(result: Result<FileFacts, Finding>) -> String {
        result.expect_err("must be refused").code.into()
    }

    #[tokio::test]
    async fn what_is_not_a_readable_file_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            code(read(&folder.path().join("no.csv"), |_| ()).await),
            "file_not_found"
        );
        assert_eq!(code(read(folder.path(), |_| ()).await), "not_a_file");
        assert_eq!(code(read(Path::new("/dev/null"), |_| ()).await), "not_a_file");
    }

    #[tokio::test]
    async fn the_generation_is_time_and_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let write = |text: &str, time: SystemTime| {
            fs::write(&path, text).unwrap();
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        write("one", at);
        let mut seen = Vec::new();
        let first = read(&path, |bytes| seen.extend_from_slice(bytes)).await.unwrap();
        assert_eq!(seen, b"one");
        assert_eq!(first.modified_at.timestamp(), 1_700_000_000);
        assert_eq!(read(&path, |_| ()).await.unwrap().generation, first.generation);
        write("two", at);
        let other = read(&path, |_| ()).await.unwrap().generation;
        assert_ne!(other, first.generation);
        write("two", at + Duration::from_secs(1));
        assert_ne!(read(&path, |_| ()).await.unwrap().generation, other);
    }

    #[tokio::test]
    async fn every_way_to_change_meanwhile_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let appended = |path: &Path| fs::write(path, "old and more").unwrap();
        let rewritten = |path: &Path| {
            // Same size, same time: only the content tells.
            let file = fs::File::options().write(true).open(path).unwrap();
            std::io::Write::write_all(&mut &file, b"new").unwrap();
            file.set_modified(at).unwrap();
        };
        let replaced = |path: &Path| {
            let next = path.with_extension("next");
            fs::write(&next, "old").unwrap();
            fs::rename(next, path).unwrap();
        };
        let removed = |path: &Path| fs::remove_file(path).unwrap();
        for (name, change) in [
            ("appended", &appended as &(dyn Fn(&Path) + Sync)),
            ("rewritten", &rewritten),
            ("replaced", &replaced),
            ("removed", &removed),
        ] {
            fs::write(&path, "old").unwrap();
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(at)
                .unwrap();
            assert_eq!(
                code(read(&path, |_| change(&path)).await),
                "changed_while_read",
                "{name}"
            );
        }
    }
}
