//! Which of several exports is read: a pattern such as `export-*.csv` means the newest complete file whose name it fits.
//!
//! Newest by the date in the names where all of them have one (`export-2026-11-30.csv`, `20261130_0600.csv`: the year first,
//! because other orders have two readings), else by modification time. One that is still being written gives way to the one
//! before it, and then nobody counts as absent.

use crate::core::reads::snapshot::{Effect, Finding, SourceRead};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use std::io;
use std::path::{Path, PathBuf};

/// How many files are tried before the newest is blamed.
const TRIED: usize = 3;

/// A date in a name that lies further ahead is none.
const AHEAD: Days = Days::new(2);

/// A file that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub path: PathBuf,
    /// The date in its name, where the names are what tells.
    pub dated: Option<NaiveDateTime>,
}

/// The files of a path, newest first, and what became of those that were tried.
pub struct Exports {
    files: std::vec::IntoIter<Export>,
    /// How many the pattern fits; `None` where the path names one file.
    fitting: Option<usize>,
    /// The newest, and why it was not taken.
    unfinished: Option<(Export, Result<SourceRead, Finding>)>,
}

/// Whether a path is a pattern: its last part has `*` or `?`.
pub fn is_pattern(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().contains(['*', '?']))
}

impl Exports {
    /// The files that a path names: itself, or all that fit it.
    ///
    /// # Errors
    /// A finding, where a pattern fits nothing or its folder cannot be read.
    pub async fn of(path: &Path, now: DateTime<Utc>) -> Result<Self, Finding> {
        if !is_pattern(path) {
            let only = Export {
                path: path.to_owned(),
                dated: None,
            };
            return Ok(Self {
                files: vec![only].into_iter(),
                fitting: None,
                unfinished: None,
            });
        }
        let found = fitting(path).await.map_err(|error| unreadable(path, &error))?;
        if found.is_empty() {
            return Err(Finding::new(
                "file_not_found",
                Effect::Reject,
                format!("no file is called {}", path.display()),
                "Check `path`, and whether the export ran.",
            ));
        }
        Ok(Self {
            fitting: Some(found.len()),
            files: newest_first(found, now).into_iter(),
            unfinished: None,
        })
    }

    /// The next file to try.
    pub fn take_next(&mut self) -> Option<Export> {
        self.files.next()
    }

    /// What the read of a file comes to: the read of the source, or nothing yet where an older file is to be tried.
    pub fn settle(&mut self, file: Export, read: Result<SourceRead, Finding>) -> Option<Result<SourceRead, Finding>> {
        let Some(fitting) = self.fitting else {
            return Some(read);
        };
        let finished = is_finished(&read);
        let tried = self.unfinished.is_some();
        if !finished && (self.files.len() == 0 || self.files.len() + TRIED <= fitting) {
            // None of them is complete: the newest is the one to mend.
            return Some(match self.unfinished.take() {
                Some((_, newest)) => newest,
                None => read,
            });
        }
        if !finished {
            if !tried {
                self.unfinished = Some((file, read));
            }
            return None;
        }
        Some(read.map(|mut read| {
            read.name_date = file.dated;
            read.findings.push(shown(&file, fitting));
            if let Some((newest, _)) = &self.unfinished {
                read.findings.push(passed_over(newest, &file));
            }
            read
        }))
    }
}

/// A file that is cut off, empty, changing or gone may be complete in a minute.
fn is_finished(read: &Result<SourceRead, Finding>) -> bool {
    match read {
        Ok(read) => !read.findings.iter().any(|finding| &*finding.code == "cut_off"),
        Err(finding) => !matches!(&*finding.code, "changed_while_read" | "no_header" | "file_not_found"),
    }
}

/// A file whose name fits, with its modification time.
type Found = (PathBuf, String, DateTime<Utc>);

async fn fitting(path: &Path) -> io::Result<Vec<Found>> {
    let pattern = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Programs that copy write to hidden names first.
        if !fits(&name, &pattern) || name.starts_with('.') && !pattern.starts_with('.') {
            continue;
        }
        // A link counts as what it leads to; what is gone by now is no file.
        let Ok(metadata) = tokio::fs::metadata(entry.path()).await else {
            continue;
        };
        if metadata.is_file() {
            found.push((folder.join(&name), name, metadata.modified()?.into()));
        }
    }
    Ok(found)
}

fn newest_first(found: Vec<Found>, now: DateTime<Utc>) -> Vec<Export> {
    let latest = now.naive_utc().checked_add_days(AHEAD).unwrap_or(NaiveDateTime::MAX);
    let date = |name: &str| date_in(name).filter(|date| *date <= latest);
    let by_name = found.iter().all(|(_, name, _)| date(name).is_some());
    let mut files: Vec<(Option<NaiveDateTime>, DateTime<Utc>, String, PathBuf)> = found
        .into_iter()
        .map(|(path, name, modified)| (date(&name).filter(|_| by_name), modified, name, path))
        .collect();
    files.sort();
    files.reverse();
    files
        .into_iter()
        .map(|(dated, _, _, path)| Export { path, dated })
        .collect()
}

/// Whether a name fits a pattern: `*` is any text, `?` any one character.
fn fits(name: &str, pattern: &str) -> bool {
    let (name, pattern): (Vec<char>, Vec<char>) = (name.chars().collect(), pattern.chars().collect());
    // Which parts of the name the pattern so far can have used up.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for letter in pattern {
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            next[at] = match letter {
                '*' => reached[at] || at > 0 && next[at - 1],
                '?' => at > 0 && reached[at - 1],
                other => at > 0 && reached[at - 1] && name[at - 1] == other,
            };
        }
        reached = next;
    }
    reached[name.len()]
}

/// The date in a name, and the time where it follows.
fn date_in(name: &str) -> Option<NaiveDateTime> {
    let letters: Vec<char> = name.chars().collect();
    let starts = (0..letters.len()).filter(|at| *at == 0 || !letters[at - 1].is_ascii_digit());
    starts.into_iter().find_map(|at| date_at(&letters[at..]))
}

fn date_at(letters: &[char]) -> Option<NaiveDateTime> {
    let mut rest = letters;
    let year = number(&mut rest, 4)?;
    skip_one(&mut rest, "-_.");
    let month = number(&mut rest, 2)?;
    skip_one(&mut rest, "-_.");
    let day = number(&mut rest, 2)?;
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| (1990..2200).contains(&year))?;
    let ends = |rest: &[char]| !rest.first().is_some_and(char::is_ascii_digit);
    let mut with_time = rest;
    skip_one(&mut with_time, "-_.T ");
    let time = time_at(&mut with_time).filter(|_| ends(with_time));
    match time {
        Some(time) => Some(date.and_time(time)),
        None => ends(rest).then(|| date.and_time(NaiveTime::MIN)),
    }
}

fn time_at(rest: &mut &[char]) -> Option<NaiveTime> {
    let hour = number(rest, 2)?;
    skip_one(rest, "-_.:h");
    let minute = number(rest, 2)?;
    let mut further = *rest;
    skip_one(&mut further, "-_.:");
    let second = number(&mut further, 2);
    if second.is_some() {
        *rest = further;
    }
    NaiveTime::from_hms_opt(hour, minute, second.unwrap_or(0))
}

fn number(rest: &mut &[char], digits: usize) -> Option<u32> {
    let (own, others) = rest.split_at_checked(digits)?;
    let own: String = own.iter().collect();
    if !own.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    *rest = others;
    own.parse().ok()
}

fn skip_one(rest: &mut &[char], any: &str) {
    if let [first, others @ ..] = *rest
        && any.contains(*first)
    {
        *rest = others;
    }
}

fn name_of(file: &Export) -> String {
    let name = file.path.file_name().unwrap_or(file.path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn shown(file: &Export, fitting: usize) -> Finding {
    let by = match file.dated {
        Some(_) => "by the date in its name",
        None => "by its modification time",
    };
    Finding::new(
        "file_read",
        Effect::Note,
        format!(
            "read {}, the newest complete one of {fitting} files that fit `path`, {by}",
            name_of(file)
        ),
        "nothing, if this is the right one",
    )
}

fn passed_over(newest: &Export, read: &Export) -> Finding {
    Finding::new(
        "newest_unfinished",
        Effect::NoAbsence,
        format!(
            "{} is newer and not complete; {} was read in its place, and nobody counts as absent from it",
            name_of(newest),
            name_of(read)
        ),
        "nothing, if the export is just running: the next run reads it; else see why it was cut off",
    )
}

fn unreadable(path: &Path, error: &io::Error) -> Finding {
    Finding::new(
        "file_unreadable",
        Effect::Reject,
        format!("the folder of {} cannot be read: {error}", path.display()),
        "Check `path`, and give the user that cardsync runs as the right to read the folder.",
    )
}

#[cfg(test)]
mod tests;
