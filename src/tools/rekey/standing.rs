//! How a person and a card stand to each other: the grade of a pair, or why it is none (RULES 1.6).
//!
//! ```text
//!           what agrees                                                     what speaks against it allows no more than
//! sure      a witness of the person, and the whole name, or first name      likely    a date of birth on one side only; the
//!           and account; or account, whole name and time: the card is not             person leaves, or nobody knows whether;
//!           older than the person                                                     not everything could be read
//!                                                                           possible  another address and mobile number, other
//! likely    account and full name; or a witness of the person and                     prefixes, another number or date, a
//!           the first name                                                            namesake; a card older than the person,
//! possible  account, or full name, or a part of the name with seat or                 where only the seat agrees
//!           person                                                          nothing   another date of birth
//! ```

use super::rows::{Grade, NoPair};
use crate::core::likeness::marks::{Agreement, Contradiction, Mark};
use crate::core::likeness::names::Names;

/// A grade, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Not(NoPair),
    As(Grade),
}

impl Standing {
    /// `None`: they have nothing to do with each other.
    pub fn of(agreement: &Agreement) -> Option<Standing> {
        let (account, full) = (agreement.of_account(), agreement.full_name());
        if agreement.names_differ() {
            return account.then_some(Standing::Not(NoPair::HandedOn));
        }
        if agreement.differ.contains(&Mark::BirthDate) {
            return (account || full).then_some(Standing::Not(NoPair::DateDiffers));
        }
        let grade = by_what_agrees(agreement)?;
        let allowed = agreement.against.iter().map(|against| at_most(*against, agreement));
        // The better a grade, the smaller it is.
        Some(Standing::As(allowed.fold(grade, Ord::max)))
    }
}

fn by_what_agrees(agreement: &Agreement) -> Option<Grade> {
    let (account, full, person) = (agreement.of_account(), agreement.full_name(), agreement.of_person());
    let first = agreement.first_name == Names::Same;
    let in_part = first || agreement.surname == Names::Same || full;
    if person && (full || first && account) || account && agreement.whole_name() && agreement.made_for_them {
        Some(Grade::Sure)
    } else if full && account || person && first {
        Some(Grade::Likely)
    } else if account || full || in_part && (person || agreement.of_seat()) {
        Some(Grade::Possible)
    } else {
        None
    }
}

fn at_most(against: Contradiction, agreement: &Agreement) -> Grade {
    match against {
        Contradiction::OtherAddressAndMobile
        | Contradiction::OtherPrefixes
        | Contradiction::OtherNumber
        | Contradiction::OtherDate
        | Contradiction::Namesake => Grade::Possible,
        // Who came back has a later first day and the card of before: the person is witnessed all the same.
        Contradiction::OlderThanThePerson if agreement.of_person() => Grade::Sure,
        Contradiction::OlderThanThePerson => Grade::Possible,
        Contradiction::BirthDateOnOneSide
        | Contradiction::Leaves
        | Contradiction::MayLeave
        | Contradiction::NotAllRead => Grade::Likely,
    }
}
