//! The list of what needs a human, from run to run (RULES 8.6, 8.7). A run that could not judge leaves it as it is; new is
//! what never waited before, or was gone by a run that could judge. Pure.

use super::state::KeptHold;
use crate::core::guard::Judged;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::model::key::Key;
use crate::core::plan::concern::{Concern, ConcernCode};
use crate::core::plan::{Plan, SkipReason};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A concern and since when it has been on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptConcern {
    #[serde(flatten)]
    pub concern: Concern,
    pub since: DateTime<Utc>,
    /// The last run that saw it; earlier than the last run where that one could not judge.
    pub seen_at: DateTime<Utc>,
}

/// The list after a run, and what is different from the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attention {
    pub now: Vec<KeptConcern>,
    pub new: Vec<Concern>,
    pub solved: Vec<Concern>,
}

impl Attention {
    /// Of whom nothing is kept any more, nothing is listed.
    pub(super) fn without(mut self, forgotten: &[CardId]) -> Self {
        let stays = |kept: &KeptConcern| {
            let card = kept.concern.person_id.as_ref();
            card.is_none_or(|card| !forgotten.contains(card))
        };
        self.now.retain(stays);
        self
    }
}

/// Of whom a run could judge what needs a human.
pub(super) struct Judgeable<'a> {
    pub everybody: bool,
    /// Whether somebody may be missing from a read that cannot say who is.
    pub missing: &'a dyn Fn(&Key) -> bool,
}

impl Judgeable<'_> {
    /// Whether a concern that was not found any more is over. What a read or the clock was like, every run sees.
    fn is_over(&self, concern: &Concern) -> bool {
        let missing = concern.key.as_ref().is_some_and(|key| (self.missing)(key));
        concern.is_about_the_run() || self.everybody && !missing
    }
}

/// The list after a run that looked at everybody.
pub(super) fn list_after(
    earlier: Vec<KeptConcern>,
    judged: &Judged,
    judgeable: &Judgeable<'_>,
    now: DateTime<Utc>,
) -> Attention {
    let found: BTreeSet<&ItemId> = judged.concerns.iter().map(|concern| &concern.id).collect();
    let known: BTreeSet<ItemId> = earlier.iter().map(|kept| kept.concern.id.clone()).collect();
    let since = |id: &ItemId| {
        let kept = earlier.iter().find(|kept| kept.concern.id == *id);
        kept.map_or(now, |kept| kept.since)
    };
    let mut list: Vec<KeptConcern> = judged
        .concerns
        .iter()
        .map(|concern| KeptConcern {
            since: since(&concern.id),
            concern: concern.clone(),
            seen_at: now,
        })
        .collect();
    let new = judged.concerns.iter().filter(|concern| !known.contains(&concern.id));
    let new = new.cloned().collect();
    let gone = earlier.into_iter().filter(|kept| !found.contains(&kept.concern.id));
    let (over, open): (Vec<KeptConcern>, Vec<KeptConcern>) = gone.partition(|kept| judgeable.is_over(&kept.concern));
    // Where the same person or read is asked about in other words, nothing is solved.
    let is_solved = |gone: &Concern| !judged.concerns.iter().any(|now| now.follows(gone));
    let over = over.into_iter().map(|kept| kept.concern);
    let solved = over.filter(is_solved).collect();
    list.extend(open);
    Attention { now: list, new, solved }
}

/// The list after a run that looked at some only, or beside the sync: what it left half-way, and what of that is over by it.
/// `None` where that is as before.
pub(super) fn list_after_some(earlier: Vec<KeptConcern>, judged: &Judged, now: DateTime<Utc>) -> Option<Attention> {
    let is_half = |concern: &Concern| concern.code == ConcernCode::HalfWay;
    let (before, rest): (Vec<KeptConcern>, Vec<KeptConcern>) =
        earlier.into_iter().partition(|kept| is_half(&kept.concern));
    let found: Vec<&Concern> = judged.concerns.iter().filter(|concern| is_half(concern)).collect();
    if before.is_empty() && found.is_empty() {
        return None;
    }
    let known = |id: &ItemId| before.iter().find(|kept| kept.concern.id == *id);
    let kept = found.iter().map(|concern| KeptConcern {
        since: known(&concern.id).map_or(now, |kept| kept.since),
        concern: (*concern).clone(),
        seen_at: now,
    });
    let new = found.iter().filter(|concern| known(&concern.id).is_none());
    let over = before
        .iter()
        .filter(|kept| !found.iter().any(|now| now.id == kept.concern.id));
    Some(Attention {
        now: kept.chain(rest).collect(),
        new: new.map(|concern| (*concern).clone()).collect(),
        solved: over.map(|kept| kept.concern.clone()).collect(),
    })
}

/// Whom a plan could not decide about: nothing of what waits about them is over by it.
pub(super) struct Unjudged<'a> {
    everybody: bool,
    /// What the plan has is judged, also where it waits no longer.
    planned: BTreeSet<&'a ItemId>,
    cards: BTreeSet<&'a CardId>,
    keys: BTreeSet<&'a Key>,
}

impl<'a> Unjudged<'a> {
    pub(super) fn of(plan: &'a Plan, could_judge: bool) -> Self {
        let open = plan.skipped.iter().filter(|skip| match skip.reason {
            SkipReason::LeavingUnknown
            | SkipReason::ScopeUnknown
            | SkipReason::StartUnknown
            | SkipReason::AbsenceUnknown
            | SkipReason::Shielded
            | SkipReason::SecondSource
            | SkipReason::TargetDegraded => true,
            _decided => false,
        });
        let of_conflicts = plan.conflicts.iter();
        let cards = open.clone().filter_map(|skip| skip.card.as_ref());
        let keys = open.filter_map(|skip| skip.key.as_ref());
        let rejected = plan.rejections.iter().filter_map(|rejection| rejection.key.as_ref());
        Self {
            everybody: !could_judge,
            planned: plan.changes.iter().map(|change| &change.id).collect(),
            cards: cards.chain(of_conflicts.clone().flat_map(|it| &it.cards)).collect(),
            keys: keys.chain(of_conflicts.map(|it| &it.key)).chain(rejected).collect(),
        }
    }

    /// Whether what waited is left as it is.
    pub(super) fn includes(&self, kept: &KeptHold) -> bool {
        let change = &kept.item.change;
        let card = change.person_id.as_ref().is_some_and(|card| self.cards.contains(card));
        let key = change.key.as_ref().is_some_and(|key| self.keys.contains(key));
        kept.undoes.is_none() && !self.planned.contains(&change.id) && (self.everybody || card || key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::judge;
    use crate::core::model::card::OperatorLink;
    use crate::core::plan::concern::{Addressee, ConcernCode};
    use crate::core::planner::plan;
    use crate::core::tests::world::World;
    use chrono::TimeZone;

    fn at(hours: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(hours * 3600, 0).single().expect("a valid time")
    }

    fn concern(id: &str) -> Concern {
        Concern {
            id: id.into(),
            code: ConcernCode::DuplicateKey,
            addressee: Addressee::Hr,
            key: None,
            person_id: None,
            name: None,
            operator: OperatorLink::ProvenNone,
            places: Vec::new(),
            what: String::new(),
            cure: String::new(),
            acceptance: None,
            rejected_by: None,
        }
    }

    fn judged(ids: &[&str]) -> Judged {
        let world = World::of(1);
        let input = world.input();
        let mut judged = judge(plan(&input, &world.mapping), &input);
        judged.concerns = ids.iter().map(|id| concern(id)).collect();
        judged
    }

    fn after(earlier: Vec<KeptConcern>, found: &[&str], everybody: bool, now: DateTime<Utc>) -> Attention {
        let nobody = |_: &Key| false;
        let judgeable = Judgeable {
            everybody,
            missing: &nobody,
        };
        list_after(earlier, &judged(found), &judgeable, now)
    }

    fn ids<'a>(concerns: impl Iterator<Item = &'a Concern>) -> Vec<String> {
        concerns.map(|concern| concern.id.to_string()).collect()
    }

    #[test]
    fn new_is_told_once_and_solved_once_and_the_age_stays() {
        let first = after(Vec::new(), &["a", "b"], true, at(1));
        assert_eq!(ids(first.new.iter()), ["a", "b"]);
        let second = after(first.now, &["b", "c"], true, at(2));
        assert_eq!(
            (ids(second.new.iter()), ids(second.solved.iter())),
            (vec!["c".into()], vec!["a".into()])
        );
        let since: Vec<DateTime<Utc>> = second.now.iter().map(|kept| kept.since).collect();
        assert_eq!(since, [at(1), at(2)]);
        let third = after(second.now, &["b", "c"], true, at(3));
        assert!(third.new.is_empty() && third.solved.is_empty());
    }

    #[test]
    fn a_run_that_could_not_judge_solves_nothing_and_makes_nothing_new_again() {
        let first = after(Vec::new(), &["a"], true, at(1));
        let blind = after(first.now, &["read"], false, at(2));
        assert!(blind.solved.is_empty());
        let seen: Vec<(String, DateTime<Utc>)> = blind
            .now
            .iter()
            .map(|kept| (kept.concern.id.to_string(), kept.seen_at))
            .collect();
        assert_eq!(seen, [("read".into(), at(2)), ("a".into(), at(1))]);
        let after = after(blind.now, &["a"], true, at(3));
        assert!(after.new.is_empty(), "it waited all the time");
        assert_eq!(ids(after.solved.iter()), ["read"]);
        assert_eq!(after.now[0].since, at(1));
    }
}
