//! Kept inputs: a folder beside the store with one compressed file per run, readable by its owner only.
//!
//! They are large (a company of 100,000 people has some 100 MB of them as text) and nobody looks into them with SQL, so they
//! are not in the database. Written and read as a stream: no copy of the whole is ever in memory. A file is a header, a line
//! end, and the input, both as JSON.

use super::fault::io;
use crate::core::input::PlanInput;
use crate::core::model::ids::{CardId, EnvironmentId, RunId};
use crate::core::model::key::Key;
use crate::engine::inputs::{KEPT_FOR, KeptHeader, KeptInput, MOST_KEPT};
use crate::engine::state::StoreError;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder's name beside the store.
const FOLDER: &str = "inputs";
/// The end of a kept input's name, after the run.
const END: &str = ".json.gz";
/// The end of a file that is being written.
const UNFINISHED: &str = ".new";
const BUFFER_BYTES: usize = 1 << 16;

/// The kept inputs of one environment.
#[derive(Clone, Debug)]
pub struct InputFolder {
    path: PathBuf,
}

impl InputFolder {
    /// Beside a store: several stores may stand in one folder.
    pub(super) fn beside(store: &Path, environment: &EnvironmentId) -> Self {
        let folder = store.parent().unwrap_or(Path::new("."));
        // A host's name; brackets and colons of an IPv6 address are fine in a file's name, a slash never is.
        let name = environment.as_str().replace('/', "_");
        Self {
            path: folder.join(FOLDER).join(name),
        }
    }

    /// Keeps one more, takes the forgotten out of all of them, and lets go of what is too many or too old.
    pub(super) fn keep(&self, kept: KeptInput, forgotten: &BTreeSet<CardId>) -> Result<(), StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|error| io(&self.path, "cannot be made", &error))?;
        let now = kept.header.kept_at;
        // First what is there: people go also when there is no room for one more.
        let newly: BTreeSet<CardId> = forgotten.union(&kept.header.anonymized).cloned().collect();
        self.clean(&newly)?;
        self.write(&kept.without(forgotten, &BTreeSet::new()))?;
        self.let_go(now)
    }

    /// Takes people out of every input that may still have them, and lets go of what is too old.
    pub(super) fn tidy(&self, forgotten: &BTreeSet<CardId>, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.let_go(now)?;
        self.clean(forgotten)
    }

    /// Takes people out of every input that may still have them.
    fn clean(&self, forgotten: &BTreeSet<CardId>) -> Result<(), StoreError> {
        for header in self.list()? {
            let gone = |card: &CardId| header.forgotten.contains(card) || header.anonymized.contains(card);
            if !forgotten.iter().all(gone) {
                self.take_out(&header.run, forgotten, &BTreeSet::new())?;
            }
        }
        Ok(())
    }

    /// Takes the people of these cards and keys out of every input.
    pub(super) fn forget(&self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> Result<(), StoreError> {
        for header in self.list()? {
            self.take_out(&header.run, cards, keys)?;
        }
        Ok(())
    }

    fn take_out(&self, run: &RunId, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> Result<(), StoreError> {
        let cleaned = match self.read(run) {
            Ok(Some(kept)) => self.write(&kept.without(cards, keys)),
            Ok(None) => return Ok(()),
            Err(unreadable) => Err(unreadable),
        };
        // What cannot be read, or not be written without them, cannot be kept either.
        cleaned.or_else(|_failed| self.remove(&self.file(run)))
    }

    /// How many inputs have something of the people of these cards and keys. One that cannot be read may have.
    pub(super) fn about(&self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> Result<u64, StoreError> {
        let mut found = 0;
        for header in self.list()? {
            let has = |kept: Option<KeptInput>| kept.is_some_and(|kept| kept.input.remembers(cards, keys));
            found += u64::from(self.read(&header.run).map_or(true, has));
        }
        Ok(found)
    }

    /// What is kept, newest first.
    pub fn list(&self) -> Result<Vec<KeptHeader>, StoreError> {
        let mut headers: Vec<KeptHeader> = self
            .files()?
            .iter()
            .filter_map(|file| open(file).ok().and_then(|mut reader| header(&mut reader).ok()))
            .collect();
        headers.sort_by(|a, b| (b.kept_at, &b.run).cmp(&(a.kept_at, &a.run)));
        Ok(headers)
    }

    /// The files that do not read, and why.
    pub(super) fn unreadable(&self) -> Result<Vec<(PathBuf, String)>, StoreError> {
        let runs = self.files()?.into_iter().filter_map(|file| {
            let name = file.file_name()?.to_str()?;
            Some(RunId::new(name.strip_suffix(END)?))
        });
        let faults = runs.filter_map(|run| {
            let what = match self.read(&run).err()? {
                StoreError::Io { what, .. } | StoreError::Corrupt { what, .. } => what,
                other => other.to_string(),
            };
            Some((self.file(&run), what))
        });
        Ok(faults.collect())
    }

    /// The input of a run, if it is still kept.
    pub fn read(&self, run: &RunId) -> Result<Option<KeptInput>, StoreError> {
        let file = self.file(run);
        // Only a file of the folder itself: a run id is typed by people.
        if !self.files()?.contains(&file) {
            return Ok(None);
        }
        let mut reader = open(&file).map_err(|error| io(&file, "cannot be read", &error))?;
        let header = header(&mut reader).map_err(|error| unreadable(&file, &error))?;
        let input = PlanInput::deserialize(&mut reader).map_err(|error| {
            let known = env!("CARGO_PKG_VERSION");
            if header.version == known {
                unreadable(&file, &error)
            } else {
                let what = format!(
                    "was kept by cardsync {} and cannot be read by {known} ({error}); it lasts a week at most",
                    header.version
                );
                StoreError::Io {
                    path: file.clone(),
                    what,
                }
            }
        })?;
        Ok(Some(KeptInput {
            header,
            input: Arc::new(input),
        }))
    }

    fn file(&self, run: &RunId) -> PathBuf {
        self.path.join(format!("{run}{END}"))
    }

    /// The files of kept inputs; none where there is no folder.
    fn files(&self) -> Result<Vec<PathBuf>, StoreError> {
        Ok(self.entries()?.into_iter().filter(|file| ends(file, END)).collect())
    }

    fn entries(&self) -> Result<Vec<PathBuf>, StoreError> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(&self.path, "cannot be read", &error)),
        };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        files.sort();
        Ok(files)
    }

    fn write(&self, kept: &KeptInput) -> Result<(), StoreError> {
        let file = self.file(&kept.header.run);
        let unfinished = self.path.join(format!("{}{UNFINISHED}", kept.header.run));
        let written = write_file(&unfinished, kept).and_then(|()| std::fs::rename(&unfinished, &file));
        written.map_err(|error| {
            // Half a file helps nobody, and may be what filled the disk.
            let _gone_or_not = std::fs::remove_file(&unfinished);
            match error.kind() {
                std::io::ErrorKind::StorageFull => StoreError::DiskFull { path: file.clone() },
                _other => io(&file, "cannot be written", &error),
            }
        })
    }

    /// Removes what is too many or too old, what was left unfinished, and what cannot be read.
    fn let_go(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let kept: BTreeSet<PathBuf> = self
            .list()?
            .iter()
            .take(MOST_KEPT)
            .filter(|header| header.kept_at > now - KEPT_FOR)
            .map(|header| self.file(&header.run))
            .collect();
        for file in self.entries()?.iter().filter(|file| !kept.contains(*file)) {
            self.remove(file)?;
        }
        Ok(())
    }

    fn remove(&self, file: &Path) -> Result<(), StoreError> {
        std::fs::remove_file(file).map_err(|error| io(file, "cannot be removed", &error))
    }
}

fn ends(file: &Path, end: &str) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with(end))
}

fn write_file(path: &Path, kept: &KeptInput) -> std::io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // The fastest level: half a second more for a third less is no good bargain here.
    let packed = GzEncoder::new(file, Compression::fast());
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, packed);
    serde_json::to_writer(&mut writer, &kept.header)?;
    writer.write_all(b"\n")?;
    serde_json::to_writer(&mut writer, &*kept.input)?;
    let packed = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    packed.finish()?.sync_all()
}

type Reading = serde_json::Deserializer<serde_json::de::IoRead<BufReader<GzDecoder<BufReader<File>>>>>;

fn open(path: &Path) -> std::io::Result<Reading> {
    let file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    let unpacked = BufReader::with_capacity(BUFFER_BYTES, GzDecoder::new(file));
    Ok(serde_json::Deserializer::from_reader(unpacked))
}

fn header(reader: &mut Reading) -> Result<KeptHeader, serde_json::Error> {
    KeptHeader::deserialize(reader)
}

fn unreadable(path: &Path, error: &serde_json::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        what: format!("is damaged ({error}); it can be removed"),
    }
}
