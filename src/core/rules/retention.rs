//! When somebody whose card cardsync archived is to be anonymized, and what keeps them from it.
//!
//! The clock starts at our own archive, or at the last day that a source gives for somebody whom it still lists as a
//! leaver. What is not known is waited for, never guessed.

use crate::core::memory::ledger::OurArchive;
use crate::core::model::card::OperatorLink;
use crate::core::model::identity::LastDay;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// However long ago the last day was: a card has stood in the archive for this long, so that a mistake is noticed before.
const LEAST_ARCHIVED: Duration = Duration::days(30);

/// What started the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStart {
    /// Our archive of the card, as the journal has it.
    Archived,
    /// The last day that `lifecycle.anonymize.since` gives.
    LastDay,
    /// The last change of a card that a human archived: it was archived then, or before.
    ChangedLast,
}

/// The clock of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionClock {
    pub started: ClockStart,
    /// The day it started, in the configured zone.
    pub since: NaiveDate,
    /// From then on.
    pub due: DateTime<Utc>,
}

/// Starts the clock. `last_day` is what a source says that still lists the person; `None`: no source has them.
///
/// # Errors
/// Why no date is known.
pub fn retention_clock(
    archive: &OurArchive,
    last_day: Option<&LastDay>,
    after: Duration,
    zone: Tz,
) -> Result<RetentionClock, String> {
    let floor = archive.at + after.min(LEAST_ARCHIVED);
    match last_day {
        None | Some(LastDay::NotMapped) => Ok(RetentionClock {
            started: ClockStart::Archived,
            since: archive.at.with_timezone(&zone).date_naive(),
            due: archive.at + after,
        }),
        Some(LastDay::On(date)) => {
            // The last day itself still counts as one of work.
            let next = date.succ_opt().and_then(|next| midnight(next, zone));
            let end = next.ok_or_else(|| format!("the last day {date} is out of range"))?;
            let due = end.checked_add_signed(after).ok_or("the day is out of range")?;
            Ok(RetentionClock {
                started: ClockStart::LastDay,
                since: *date,
                due: due.max(floor),
            })
        }
        Some(LastDay::NotKnown(why)) => Err(why.clone()),
    }
}

/// The clock of a card that a human archived: when is not known, but not after the card was changed last.
pub fn by_hand_clock(changed: Option<DateTime<Utc>>, after: Duration, zone: Tz) -> Result<RetentionClock, String> {
    let changed = changed.ok_or("somebody else archived the card, and when is not known")?;
    Ok(RetentionClock {
        started: ClockStart::ChangedLast,
        since: changed.with_timezone(&zone).date_naive(),
        due: changed.checked_add_signed(after).ok_or("the day is out of range")?,
    })
}

/// The beginning of a day; where a clock change skips midnight, the first moment after it.
fn midnight(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    (0..4).find_map(|hour| {
        let time = day.and_hms_opt(hour, 0, 0)?;
        let local = time.and_local_timezone(zone).earliest()?;
        Some(local.to_utc())
    })
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionState {
    /// The time is over, and nothing keeps them.
    Due,
    /// The time is over, or is not known, and something keeps them: see why.
    Waits,
    /// On the legal-hold list: never, whatever the time.
    LegalHold,
    /// The time is not over.
    Later,
}

impl RetentionState {
    /// The word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            RetentionState::Due => "due",
            RetentionState::Waits => "waits",
            RetentionState::LegalHold => "legal_hold",
            RetentionState::Later => "later",
        }
    }
}

/// Somebody whose card is archived: by cardsync, or by a human after cardsync had known it as theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    pub state: RetentionState,
    /// The day from which on they are due, in the configured zone; `None` where no date is known.
    pub due: Option<NaiveDate>,
    pub since: Option<NaiveDate>,
    pub started: Option<ClockStart>,
    pub key: Key,
    pub card: CardId,
    pub operator: OperatorLink,
    /// What keeps them, and the way out; no personal data.
    pub why: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::Europe::Amsterdam;

    fn archive(at: &str) -> OurArchive {
        OurArchive {
            at: at.parse().expect("a time"),
            run: "run".into(),
            modified_at: None,
            modifier: None,
            took_operators: Vec::new(),
            put_back: false,
            asked_for: false,
        }
    }

    fn due(archive: &OurArchive, last_day: Option<&LastDay>, days: i64) -> String {
        let clock = retention_clock(archive, last_day, Duration::days(days), ZONE).expect("a date");
        clock.due.to_rfc3339()
    }

    #[test]
    fn the_archive_counts_where_no_source_has_the_person() {
        let archive = archive("2025-01-01T23:30:00Z");
        assert_eq!(due(&archive, None, 400), "2026-02-05T23:30:00+00:00");
        let clock = retention_clock(&archive, None, Duration::days(400), ZONE).expect("a date");
        assert_eq!(clock.since.to_string(), "2025-01-02");
    }

    #[test]
    fn the_last_day_counts_from_its_end_and_a_mistake_is_noticed_before() {
        let archive = archive("2025-01-05T08:00:00Z");
        let on = |day: &str| LastDay::On(day.parse().expect("a day"));
        assert_eq!(due(&archive, Some(&on("2025-01-01")), 400), "2026-02-05T23:00:00+00:00");
        // An end date of years ago, or a slip of the pen: thirty days in the archive all the same.
        assert_eq!(due(&archive, Some(&on("2015-01-01")), 400), "2025-02-04T08:00:00+00:00");
        assert_eq!(due(&archive, Some(&on("2015-01-01")), 7), "2025-01-12T08:00:00+00:00");
        let far = LastDay::On(NaiveDate::MAX);
        assert!(retention_clock(&archive, Some(&far), Duration::days(400), ZONE).is_err());
    }

    #[test]
    fn of_a_card_archived_by_hand_the_last_change_counts() {
        let changed = Some("2025-01-01T23:30:00Z".parse().expect("a time"));
        let clock = by_hand_clock(changed, Duration::days(400), ZONE).expect("a date");
        assert_eq!(clock.since.to_string(), "2025-01-02");
        assert_eq!(clock.due.to_rfc3339(), "2026-02-05T23:30:00+00:00");
        assert!(by_hand_clock(None, Duration::days(400), ZONE).is_err());
    }

    #[test]
    fn an_unknown_day_is_never_guessed() {
        let unknown = LastDay::NotKnown("it is blank".to_owned());
        let clock = retention_clock(
            &archive("2015-01-01T08:00:00Z"),
            Some(&unknown),
            Duration::days(7),
            ZONE,
        );
        assert_eq!(clock, Err("it is blank".to_owned()));
    }
}
