//! What a question showed beyond the item's id and the codes of its reasons, as marks: an approval covers that and no more
//! (RULES 8.4). Another card that may be the person's, another login of the operator, another group that would be left empty
//! make it another question. What is counted on the way (how many of a class, since when) does not.

use crate::core::input::PlanInput;
use crate::core::model::card::OperatorLink;
use crate::core::model::groups::{Group, OperatorGroups, Seen};
use crate::core::model::ids::OperatorId;
use crate::core::model::operator_names::OperatorNames;
use crate::core::plan::hold::HoldReason;
use crate::core::plan::{Change, short_hash};
use crate::core::reads::cards::fold;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Marks of what was shown. They name cards, operators, groups and sources; a login or an address is in them as a hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shown(BTreeSet<String>);

impl Shown {
    /// Of a reason. Empty where its code says all.
    pub fn of_reason(reason: &HoldReason) -> Shown {
        let mut shown = Shown::default();
        let code = reason.code();
        match reason {
            HoldReason::AdoptOrCreate { cards, agree } => {
                shown.each(&code, cards);
                shown.each(&code, agree.iter().map(|mark| mark.name()));
            }
            HoldReason::SecondCard {
                cards,
                agree,
                misplaced,
            } => {
                shown.each(&code, cards);
                shown.each(&code, agree.iter().map(|mark| mark.name()));
                shown.each(&code, misplaced.then_some("misplaced"));
            }
            HoldReason::SomebodyElsesCard { agree } => shown.each(&code, agree.iter().map(|mark| mark.name())),
            // Here it is what they have in common that speaks for the item: less of it is another question too.
            HoldReason::Twin { card, agree } | HoldReason::LeaverWithoutNumber { card, agree, .. } => {
                let marks: Vec<String> = agree.iter().map(|mark| mark.name()).collect();
                shown.each(&code, [format!("{card} {}", marks.join(","))]);
            }
            HoldReason::SamePerson { card, agree, anchor } => {
                let marks: Vec<String> = agree.iter().map(|mark| mark.name()).collect();
                shown.each(&code, [format!("{card} {} {anchor}", marks.join(","))]);
            }
            HoldReason::Drift { card, what } => shown.each(&code, [format!("{card} {what:?}")]),
            HoldReason::StillListed { what } => {
                // The source; the line that follows moves from export to export.
                let sources = what.split("; ").filter_map(|one| one.split_whitespace().next());
                shown.each(&code, sources);
            }
            HoldReason::ArchivedByHand { changed } => shown.each(&code, [changed]),
            HoldReason::PairedWith { item } | HoldReason::OtherHalf { item, .. } => shown.each(&code, [item]),
            HoldReason::OperatorWakeRefused { operator } => shown.each(&code, [operator]),
            HoldReason::OperatorStaysActive { operators } => shown.each(&code, operators),
            HoldReason::LastOperator { groups } => shown.each(&code, groups),
            HoldReason::WorkLeft {
                manager_of: Some(count),
                ..
            } => {
                // One card more or less is the same work; twice as many is not.
                let steps = std::iter::successors(Some(1_u64), |step| step.checked_mul(2));
                shown.each(&code, steps.take_while(|step| step <= count));
            }
            HoldReason::ArchivedCardRefused { operator, .. } => shown.each(&code, operator.then_some("operator")),
            HoldReason::WorkLeft { manager_of: None, .. }
            | HoldReason::OverBudget { .. }
            | HoldReason::FirstContact
            | HoldReason::ConfigChanged
            | HoldReason::DecisionChanged
            | HoldReason::InstallationChanged { .. }
            | HoldReason::Rehire
            | HoldReason::StrangeWrites { .. }
            | HoldReason::AnotherPerson
            | HoldReason::ExchangedNumbers
            | HoldReason::OddKey { .. }
            | HoldReason::DoubtfulDate { .. }
            | HoldReason::OperatorUnproven
            | HoldReason::EvidenceVanished
            | HoldReason::OneOf { .. }
            | HoldReason::Rejected { .. }
            | HoldReason::ApprovalEnded { .. }
            | HoldReason::ApprovalOutdated { .. }
            | HoldReason::Undone { .. }
            | HoldReason::ChangedSinceJudged { .. }
            | HoldReason::OperatorArchiveRefused
            | HoldReason::OperatorLoginRefused
            | HoldReason::DrivenBack { .. }
            | HoldReason::GroupsUnreadable { .. }
            | HoldReason::RefusedAgain { .. }
            | HoldReason::OperatorProtected
            | HoldReason::NeedsSource { .. }
            | HoldReason::DependsOn { .. }
            | HoldReason::NotAlone { .. }
            | HoldReason::Answered { .. }
            | HoldReason::TargetDegraded
            | HoldReason::ClockDoubted
            | HoldReason::InDoubt
            | HoldReason::HalfDone => {}
        }
        shown
    }

    /// Of the linked operators: what they are called, and their groups where these were read.
    pub fn of_operators(
        link: &OperatorLink,
        names: &OperatorNames,
        groups: &BTreeMap<OperatorId, OperatorGroups>,
    ) -> Shown {
        let mut shown = Shown::default();
        let (OperatorLink::Active { operators } | OperatorLink::Archived { operators }) = link else {
            return shown;
        };
        for operator in operators {
            let name = names.name(operator).map(fold).unwrap_or_default();
            shown.each("operator", [format!("{operator} {}", short_hash(name.as_bytes()))]);
            let read = groups.get(operator);
            let lists = [
                ("operator_group", read.map(|read| &read.operator_groups)),
                ("permission_group", read.map(|read| &read.permission_groups)),
            ];
            for (kind, list) in lists {
                match list {
                    Some(Seen::Known(list)) => {
                        let of_operator = |group: &Group| format!("{operator} {}", group.id);
                        shown.each(kind, list.iter().map(of_operator));
                    }
                    Some(Seen::Unreadable(_)) | None => shown.each(kind, [Self::unread(operator)]),
                }
            }
        }
        shown
    }

    /// Of a change as it is now: its linked operators and its doubts.
    pub fn of_change(change: &Change, input: &PlanInput) -> Shown {
        let names = OperatorNames::of_links([&change.operator], &input.target.operators);
        let mut shown = Self::of_operators(&change.operator, &names, &input.groups.of(&change.operator));
        change
            .doubts
            .iter()
            .map(Self::of_reason)
            .for_each(|of| shown.extend(of));
        shown
    }

    /// Whether it says nothing beyond the codes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn unread(operator: &OperatorId) -> String {
        format!("{operator} not read")
    }

    fn each<T: Display>(&mut self, kind: &str, what: impl IntoIterator<Item = T>) {
        self.0.extend(what.into_iter().map(|what| format!("{kind}: {what}")));
    }

    /// Takes in what else was shown.
    pub fn extend(&mut self, other: Shown) {
        self.0.extend(other.0);
    }

    /// Whether all of the other was shown.
    pub fn covers(&self, other: &Shown) -> bool {
        other.0.is_subset(&self.0)
    }

    /// What of the linked operators, as they are now, was not shown, in words without personal data. Groups that could not be
    /// read then or now are no difference: that has a reason of its own.
    pub fn other_operators(&self, now: &Shown) -> Option<&'static str> {
        let is_new = |mark: &&String| !self.0.contains(*mark) && !mark.ends_with(" not read");
        let was_unread = |mark: &str| {
            let place = mark.rsplit_once(' ').map_or(mark, |(place, _)| place);
            self.0.contains(&format!("{place} not read"))
        };
        let mut found = now.0.iter().filter(is_new);
        if found.clone().any(|mark| mark.starts_with("operator: ")) {
            return Some("the linked operator has another login or e-mail address");
        }
        found
            .any(|mark| !was_unread(mark))
            .then_some("the linked operator is in a group more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::field::CardField;

    fn resembles(cards: &[&str], agree: &[CardField]) -> Shown {
        Shown::of_reason(&HoldReason::AdoptOrCreate {
            cards: cards.iter().map(|card| (*card).into()).collect(),
            agree: agree.iter().copied().collect(),
        })
    }

    #[test]
    fn an_approval_covers_what_was_shown_and_less_of_it() {
        let shown = resembles(&["c-1", "c-2"], &[CardField::SurName, CardField::Email]);
        assert!(shown.covers(&resembles(&["c-2"], &[CardField::SurName])));
        assert!(!shown.covers(&resembles(&["c-2", "c-3"], &[CardField::SurName])));
        assert!(!shown.covers(&resembles(&["c-2"], &[CardField::TasLoginName])));
        let work = |count| {
            Shown::of_reason(&HoldReason::WorkLeft {
                manager_of: Some(count),
                examples: Vec::new(),
            })
        };
        assert!(work(3).covers(&work(2)) && work(2).covers(&work(3)) && !work(3).covers(&work(4)));
        let leaver = |agree: &[CardField]| {
            Shown::of_reason(&HoldReason::LeaverWithoutNumber {
                card: "c-1".into(),
                agree: agree.iter().copied().collect(),
                number: None,
            })
        };
        let both = [CardField::SurName, CardField::Email];
        assert!(!leaver(&both).covers(&leaver(&both[..1])), "what speaks for it is less");
    }

    #[test]
    fn operators_are_compared_by_name_and_by_groups_that_were_read() {
        let link = OperatorLink::Active {
            operators: vec!["o-1".into()],
        };
        let named = |name: &str| OperatorNames::of_pairs([("o-1".into(), name)]);
        let in_groups = |ids: &[&str]| {
            let known = ids.iter().map(|id| Group {
                id: (*id).into(),
                name: (*id).into(),
            });
            let groups = OperatorGroups {
                operator_groups: Seen::Known(known.collect()),
                permission_groups: Seen::Unreadable("no right".to_owned()),
            };
            BTreeMap::from([(OperatorId::from("o-1"), groups)])
        };
        let shown = |name: &str, ids: &[&str]| Shown::of_operators(&link, &named(name), &in_groups(ids));
        let then = shown("esmit", &["g-1", "g-2"]);
        assert_eq!(
            then.other_operators(&shown("ESmit", &["g-2"])),
            None,
            "a group less, and the case"
        );
        assert!(then.other_operators(&shown("boss", &["g-1"])).is_some());
        assert!(then.other_operators(&shown("esmit", &["g-3"])).is_some());
        let unread = Shown::of_operators(&link, &named("esmit"), &BTreeMap::new());
        assert_eq!(
            unread.other_operators(&then),
            None,
            "that the groups were not read was shown"
        );
        assert_eq!(then.other_operators(&unread), None, "and has a reason of its own now");
    }
}
