//! What a hold says to people: the number, the limit and the way out.

use super::{Drift, HoldReason, PURGED, SentBefore};
use crate::core::model::field::CardField;
use crate::core::model::ids::{CardId, ItemId};
use crate::core::rules::policy::BudgetClass;
use crate::core::rules::window::Window;
use std::collections::BTreeSet;

/// The name of a mark by which people resemble each other; a full name is noted as the surname.
pub fn mark_name(field: CardField) -> String {
    if field == CardField::SurName {
        "full name".to_owned()
    } else {
        field.to_string()
    }
}

/// What two people have in common, in words.
pub fn shared_marks(agree: &BTreeSet<CardField>, anchor: bool) -> Vec<String> {
    let anchor = anchor.then(|| "directory id".to_owned());
    anchor
        .into_iter()
        .chain(agree.iter().map(|field| mark_name(*field)))
        .collect()
}

/// What happened to the card, and the way out: what was taken away on purpose cannot be repaired.
fn drift(card: &CardId, what: Drift) -> String {
    let (what, cure) = match what {
        Drift::CardMissing => (
            "is gone from TOPdesk or hidden from the account",
            "let the account see it again; if it was deleted, reject this item, or approve it to make a new card",
        ),
        Drift::KeyEmptied => ("has lost its key", "repair it in TOPdesk, or approve this item"),
        Drift::KeyUndone => (
            "has no number since an undo took it off",
            "approve the number for that card if it is theirs after all, or this item if they are to have a card of their own",
        ),
        Drift::KeyChanged => ("has another key now", "repair it in TOPdesk, or approve this item"),
        Drift::Forgotten => {
            return format!(
                "card {card} had this number until cardsync was asked to forget the person (`cardsync forget`); if it is \
                 theirs put the number back on it in TOPdesk, or approve that card; approve this item only for a second card"
            );
        }
        Drift::Anonymized => (
            "was anonymized",
            "reject this item and take the person out of the source, or approve it to make a new card",
        ),
    };
    // Of whoever was purged nobody says any more which card it was.
    if *card == CardId::new(PURGED) {
        return format!("the card of this person {what}; {cure}");
    }
    format!("card {card}, which is known as this person's, {what}; {cure}")
}

/// The work that a leaver leaves to nobody.
pub fn work_left(manager_of: Option<u64>, examples: &[Box<str>]) -> String {
    let Some(count) = manager_of else {
        return "whose manager this is could not be read".to_owned();
    };
    let more = if count > examples.len() as u64 {
        " and others"
    } else {
        ""
    };
    format!(
        "is still the manager on {count} active {}: {}{more}",
        if count == 1 { "card" } else { "cards" },
        examples.join(", ")
    )
}

impl HoldReason {
    /// The number, the limit and the way out, in one line.
    pub fn explain(&self) -> String {
        let fixed = match self {
            HoldReason::OverBudget {
                class,
                count,
                limit,
                base,
                before,
                waiting,
            } => return over_budget(*class, (*count, *waiting), *limit, *base, before.as_ref()),
            HoldReason::AdoptOrCreate { cards, agree } => return adopt_or_create(cards, agree),
            HoldReason::SamePerson { card, agree, anchor } => {
                return format!(
                    "same person, new number? the record and card {card} have the same {}: approve to give the card the \
                     new number; reject if they are two people, then the new card and the archive wait for an approval each",
                    shared_marks(agree, *anchor).join(", ")
                );
            }
            HoldReason::SecondCard {
                cards,
                agree,
                misplaced,
            } => return second_card(cards, agree, *misplaced),
            HoldReason::SomebodyElsesCard { agree } => {
                return format!(
                    "the number on the wrong card? somebody else of the sources, who has no card, has the same {} as this \
                     card: put each number on its own card in TOPdesk; approve only if the card is this person's",
                    shared_marks(agree, false).join(", ")
                );
            }
            HoldReason::Drift { card, what } => return drift(card, *what),
            HoldReason::DoubtfulDate { what } => {
                return format!(
                    "is that date right? {what}: correct it in the source; approve if the person has left all the same"
                );
            }
            HoldReason::StillListed { what } => {
                return format!(
                    "missing, and {what}: absence alone does not archive an operator's card; take them out there, or \
                     approve if the person has left"
                );
            }
            HoldReason::ArchivedByHand { changed } => {
                let what = if *changed {
                    "cardsync had archived the card, and somebody else changed it after that"
                } else {
                    "somebody else (a person or a program) archived the card"
                };
                return format!(
                    "{what}, and this person works here: wake it after all? approve to make it active; reject if it is to stay \
                     archived"
                );
            }
            HoldReason::LeaverWithoutNumber { card, agree, number } => {
                let bears = match number {
                    None => ", which has no number,".to_owned(),
                    Some(number) => format!(" with number {number}, which nobody of the sources has,"),
                };
                let same = match shared_marks(agree, false).join(", ") {
                    marks if marks.is_empty() => "had this person's before".to_owned(),
                    marks => format!("has the same {marks}"),
                };
                return format!(
                    "has left, and card {card}{bears} {same}: approve to give it the number and archive it; reject if it \
                     is somebody else's"
                );
            }
            HoldReason::WorkLeft { manager_of, examples } => {
                let left = work_left(*manager_of, examples);
                return format!("{left}; see that somebody else has the work, or approve");
            }
            HoldReason::NeedsSource { source } => {
                return format!(
                    "needs source {source}, which could not be used in this run; it passes once the source is read again"
                );
            }
            HoldReason::OddKey { source } => {
                return format!(
                    "not a number like the others? no other key of {source} and no card has one that is written like it: \
                     approve if it is this person's number; reject it where it is none, and correct the source"
                );
            }
            HoldReason::StrangeWrites { cards, examples, item } => return strange_writes(*cards, examples, item),
            HoldReason::DependsOn { item } => return format!("waits for item {item}, which is held"),
            HoldReason::NotAlone { item } => {
                return format!(
                    "needs item {item} of another person first, which --only leaves out; run without --only"
                );
            }
            HoldReason::PairedWith { item } => {
                return format!(
                    "looks like the other half of item {item}: the same person under a new number? decide that item \
                     first, or approve this one"
                );
            }
            HoldReason::OtherHalf { item, card } => {
                let state = match card {
                    Some(card) => format!("is done (card {card})"),
                    None => "is not judged in this run".to_owned(),
                };
                return format!(
                    "looks like the other half of item {item}, which {state}: the same person under a new number? approve this \
                     one if it is right all the same, or reject it"
                );
            }
            HoldReason::OneOf { items } => {
                let others: Vec<&str> = items.iter().map(ItemId::as_str).collect();
                return format!(
                    "only one of this and {} can be: approve the one that is right, and take back or reject what is approved \
                     beside it (cardsync unapprove ID)",
                    others.join(", ")
                );
            }
            HoldReason::Answered { item } => {
                return format!("item {item}, which excludes this one, is approved: it ends once that is done");
            }
            HoldReason::Rejected { by, note, again } => {
                let note = note.as_ref().map_or(String::new(), |note| format!(": {note}"));
                let cure = if *again {
                    "that is more than 30 days ago and it still stands there: reject it again, or approve it"
                } else {
                    "approve to lift"
                };
                return format!("rejected by {by}{note}; {cure}");
            }
            HoldReason::ApprovalEnded { by, changed_at, shown } => {
                let at = || changed_at.format("%Y-%m-%d %H:%M UTC").to_string();
                return format!(
                    "{by} approved it, and somebody else changed the card after that ({}): look at the card, and approve it again \
                     if it is still right",
                    shown.clone().unwrap_or_else(at)
                );
            }
            HoldReason::ApprovalOutdated { by, what } => {
                return format!(
                    "approved by {by}, and since then {what}: look again, and approve it again if it is still right"
                );
            }
            HoldReason::OperatorStaysActive { operators } => {
                let names: Vec<&str> = operators.iter().map(|operator| operator.as_str()).collect();
                return format!(
                    "operator {} is active behind an archived person card and may be able to log in: archive it in TOPdesk by \
                     hand, approve to let cardsync archive it, bring the card back if the person works here, or reject if it \
                     is to stay so",
                    names.join(", ")
                );
            }
            HoldReason::InstallationChanged { what } => {
                return format!(
                    "{what}; what this does to the operator may be something else than what was known before: look at it \
                     again, then approve"
                );
            }
            HoldReason::RefusedAgain { what } => {
                return format!(
                    "TOPdesk has refused this in two runs, so it is not sent again by itself, and what else the person needs \
                     goes on without it: {what}; it passes with another value, or approve to try once more"
                );
            }
            HoldReason::ChangedSinceJudged { what } => {
                return format!("right before the write {what}; nothing was written; approve if it is still right");
            }
            HoldReason::Twin { card, agree } => {
                let marks: Vec<String> = agree.iter().map(|field| mark_name(*field)).collect();
                return format!(
                    "card {card} has no key and an operator, and looks like the person of the card with the key (same {}): \
                     approve if it is one person; the number then moves to {card} and the other card is archived, with \
                     the calls and assets that hang on it",
                    marks.join(", ")
                );
            }
            HoldReason::DrivenBack { what } => {
                return format!(
                    "it could not be finished and was driven to its safe end: {what}; approve to try again once that is mended"
                );
            }
            HoldReason::OperatorWakeRefused { operator } => {
                return format!(
                    "the card is active again and operator {operator} stays archived: TOPdesk refused to wake it, the \
                     account has no right on operators; unarchive it in TOPdesk, or approve once topdesk.operator_account \
                     or the right is there"
                );
            }
            HoldReason::ArchivedCardRefused { what, operator: false } => {
                return format!("TOPdesk does not let an archived card be changed ({what}): it is unarchived for that");
            }
            HoldReason::ArchivedCardRefused { what, operator: true } => {
                return format!(
                    "TOPdesk does not let an archived card be changed ({what}), and an operator is linked to it, which \
                     unarchiving the card could wake: anonymize the card in TOPdesk, which takes the operator along, or \
                     write by: topdesk"
                );
            }
            HoldReason::HalfDone => {
                "an earlier run was cut off half-way in a change of this person; the next run drives it to its safe end \
                 before anything else"
            }
            HoldReason::LastOperator { groups } => {
                return format!(
                    "takes the last active operator of {} along: nobody would be left there to handle its tickets; put \
                     somebody else in, or approve",
                    quoted(groups)
                );
            }
            HoldReason::GroupsUnreadable { why } => {
                return format!(
                    "whether it takes the last active operator of a group along could not be read ({why}); give the \
                     account read on operators and operator groups, or approve once you have looked"
                );
            }
            HoldReason::Undone { by, at } => {
                return format!(
                    "undone by {by} on {}; the sync leaves it so until it is approved or the sources say otherwise",
                    at.format("%Y-%m-%d")
                );
            }
            HoldReason::FirstContact => {
                "stood there at first contact with this environment; approve it once you have checked it"
            }
            HoldReason::ConfigChanged => {
                "came with a changed configuration; approve it once you have checked that this is meant"
            }
            HoldReason::DecisionChanged => {
                "came with a new version of cardsync that decides otherwise; approve it once you have checked it"
            }
            HoldReason::AnotherPerson => {
                "same number, another person? On the card neither surname, first name, directory id, e-mail nor login agrees, or \
                 name and account are those of somebody else in the sources: approve only if the card is this person's, else \
                 put the number right where it is wrong (`cardsync rekey pair` lists exchanged numbers)"
            }
            HoldReason::ExchangedNumbers => {
                "two cards with each other's number: what stands on each (name, and login or e-mail) is wholly the other's of \
                 the sources; approve to give each card its own number, both at once. If the numbers are right and the cards \
                 were renamed by mistake, put the names right in TOPdesk instead"
            }
            HoldReason::OperatorUnproven => {
                "whether an operator is linked could not be proven: the account has filters, or they cannot be read; \
                 take the filters off, state `account_filters: none`, or approve the item"
            }
            HoldReason::Rehire => {
                "came back after cardsync had archived the card, and lifecycle.rehire says hold; approve to unarchive"
            }
            HoldReason::EvidenceVanished => {
                "left or was out of scope at an earlier look, and so were many others who are not any more: was a word or an \
                 organisational unit renamed that lifecycle.leaver.when or include names? then correct it there; approve \
                 only who is really back"
            }
            HoldReason::TargetDegraded => {
                "the read of TOPdesk was not good enough for this, see there; it passes once the read is whole"
            }
            HoldReason::InDoubt => {
                "a creation with this key was sent and its answer lost; a full read at least 10 minutes later settles it"
            }
            HoldReason::ClockDoubted => {
                "depends on the time, and the clock is doubted in this run; it passes once the clock is right"
            }
            HoldReason::OperatorArchiveRefused => {
                "TOPdesk refused to archive the linked operator with the card: the account has no such right, which is \
                 the safe set-up; archive the operator in TOPdesk, or let an account with that right do it"
            }
            HoldReason::OperatorLoginRefused => {
                "TOPdesk refused to change the log-in of the linked operator: the account needs write on operators, \
                 permission groups and login data; change it in TOPdesk, or let an account with these rights do it"
            }
            HoldReason::OperatorProtected => {
                "TOPdesk does not archive this operator through the API: an administrator, or cardsync's own account; \
                 archive it in TOPdesk by hand, or take the account from the person there and approve"
            }
        };
        fixed.to_owned()
    }
}

/// What writes that this store does not know of mean, and the way out.
pub(crate) fn strange_writes(cards: u64, examples: &[CardId], item: &ItemId) -> String {
    let shown: Vec<&str> = examples.iter().map(CardId::as_str).collect();
    let (which, bear) = if cards == 1 {
        ("card", "bears")
    } else {
        ("cards", "bear")
    };
    format!(
        "another cardsync writes here, or this store is old: {cards} {which} {bear} the signature of cardsync's account \
         for a write that this store does not know of ({}{}); stop the other one or put the newest store back, then \
         cardsync approve {item}",
        shown.join(", "),
        if (shown.len() as u64) < cards { ", ..." } else { "" }
    )
}

fn quoted(groups: &[Box<str>]) -> String {
    let names: Vec<String> = groups.iter().map(|name| format!("'{name}'")).collect();
    let noun = if names.len() == 1 { "group" } else { "groups" };
    format!("{noun} {}", names.join(", "))
}

/// `waiting`: how many of them wait anyway, where the others fit and pass.
fn over_budget(
    class: BudgetClass,
    (count, waiting): (u64, u64),
    limit: u64,
    base: u64,
    before: Option<&SentBefore>,
) -> String {
    let name = class.to_string();
    let option = name.split(':').next().unwrap_or_default();
    if limit == 0 {
        let what = match class {
            BudgetClass::Operators => "takes an operator along, or takes its login or e-mail",
            BudgetClass::OperatorsWoken => "would wake an operator",
            BudgetClass::Adopt => "writes a key onto a card",
            BudgetClass::Keys => "changes a key",
            BudgetClass::Anonymize => "anonymizes a person, which is final and cannot be undone",
            BudgetClass::Archive
            | BudgetClass::Unarchive
            | BudgetClass::Create
            | BudgetClass::Names
            | BudgetClass::Blanked(_)
            | BudgetClass::Changed(_)
            | BudgetClass::Lookups => "has a limit of 0",
        };
        return format!("{what}: each needs an approval ({count} in class {option}, limit 0)");
    }
    let share = |items: u64| {
        if base > 0 {
            format!(" ({:.1} % of {base})", items as f64 * 100.0 / base as f64)
        } else {
            String::new()
        }
    };
    let (sent, until, raise) = match before {
        None => (String::new(), String::new(), ""),
        Some(SentBefore { items, window, room }) => (
            format!(", and {items} sent in the last {window}"),
            room.as_ref().map_or(String::new(), |room| format!(" until {room}")),
            match window {
                Window::Day => "",
                Window::Week => ".per_week",
            },
        ),
    };
    let share = share(count + before.map_or(0, |before| before.items));
    let numbers = format!("{count} in class {name}{sent}{share}, limit {limit}");
    let out = way_out(class);
    if waiting > 0 {
        let these = if waiting == 1 {
            "this one waits anyway and holds".to_owned()
        } else {
            format!("these {waiting} wait anyway and hold")
        };
        return format!(
            "{these} nobody else up; all together they would be {numbers}: an approval lifts that as well; {out}approve \
             the items, or raise guard.{option}{raise}"
        );
    }
    format!("{numbers}: the class is held whole{until}; {out}approve the items, or raise guard.{option}{raise}")
}

fn second_card(cards: &[CardId], agree: &BTreeSet<CardField>, misplaced: bool) -> String {
    let shown: Vec<&str> = cards.iter().map(CardId::as_str).collect();
    let (which, has) = if cards.len() == 1 {
        ("card", "has")
    } else {
        ("cards", "have")
    };
    let cure = if misplaced {
        "it bears the number of somebody else: put each number on its own card in TOPdesk; approve only to make a second card"
    } else {
        "a second employment of one person, or a new number? Then reject, and settle it in the source or in TOPdesk; approve \
         only if they are two people, or are to have two cards"
    };
    format!(
        "{which} {} {has} another number and the same {}: {cure}",
        shown.join(", "),
        shared_marks(agree, false).join(", ")
    )
}

/// What to look at before a class over its limit is approved.
fn way_out(class: BudgetClass) -> &'static str {
    match class {
        BudgetClass::Blanked(_) => {
            "values that the source's account may no longer read look empty too: see in the source whether they are, and \
             whether the account has lost a right; where they really are empty, "
        }
        BudgetClass::Changed(_) => {
            "see in the source whether so many really changed, or another server, export or order of values answers now; \
             where they did, "
        }
        BudgetClass::Archive
        | BudgetClass::Unarchive
        | BudgetClass::Create
        | BudgetClass::Names
        | BudgetClass::Lookups
        | BudgetClass::Adopt
        | BudgetClass::Keys
        | BudgetClass::Anonymize
        | BudgetClass::Operators
        | BudgetClass::OperatorsWoken => "",
    }
}

fn adopt_or_create(cards: &[CardId], agree: &BTreeSet<CardField>) -> String {
    let marks: Vec<String> = agree.iter().map(|field| mark_name(*field)).collect();
    let cards: Vec<&str> = cards.iter().map(CardId::as_str).collect();
    let same = if marks.is_empty() {
        "known as this person's".to_owned()
    } else {
        format!("same {}", marks.join(", "))
    };
    format!(
        "resembles card {} ({same}): approve the card if it is this person's, or the new card if it is somebody else's",
        cards.join(", ")
    )
}
