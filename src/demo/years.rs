//! Two years in the life of person cards as data: a generated card, a twin, somebody new before the first day, an operator
//! who leaves and comes back, one whose data is anonymized when its time is over.

use super::company::{Company, Export, GENERATED_ONLY, WITH_TWIN};
use super::shows::Show;
use super::story::{Day, Event, Step, Story};
use crate::domain::plan::ActionKind::{Adopt, Archive, Create, Merge, Unarchive, Update};

/// The story.
pub const STORY: Story = Story {
    title: "two years in the life of person cards",
    numbers: "The two years in numbers",
    people: 120,
    cards: Company::cards_in_step,
    least_records: 100,
    lifecycle: "",
    by_email: false,
    steps: YEARS,
    commands: &[],
};

/// A day without anything.
const QUIET: Day = Day {
    days_ago: 0,
    events: &[],
    export: Export::Whole,
    approve: &[],
    done: &[],
    held: &[],
};

/// Joins in the first summer.
const NEWCOMER: u32 = 120;
/// Leaves and stays away.
const CLERK: u32 = 40;
/// An operator who leaves and comes back to other work.
const RETURNS: u32 = 54;
/// An operator who leaves and stays away.
const STAYS_AWAY: u32 = 62;
/// An operator who leaves in the end.
const LAST: u32 = 81;

const YEARS: &[Step] = &[
    Step {
        title: "First contact: a generated card, and a twin",
        story: "Every operator of TOPdesk has a person card since 2026: where there was none, TOPdesk generated one, \
                without a personnel number. One operator here has only such a card. For another one nobody saw it: that \
                person also has a card of their own, with the number. The link between an operator and its card can \
                never be moved, so in both cases the card with the operator must be the one that stays.",
        days: &[
            Day {
                days_ago: 730,
                held: &[(Create, 1), (Adopt, 1), (Merge, 1)],
                ..QUIET
            },
            Day {
                days_ago: 729,
                approve: &["adopt", "merge"],
                done: &[(Adopt, 1), (Merge, 1)],
                ..QUIET
            },
        ],
        shows: &[
            Show::OneCardWithOperator(GENERATED_ONLY),
            Show::OneCardWithOperator(WITH_TWIN),
        ],
    },
    Step {
        title: "A joiner",
        story: "HR enters somebody who starts in sixteen days.",
        days: &[Day {
            days_ago: 700,
            events: &[Event::Hired {
                who: NEWCOMER,
                days_before: 16,
            }],
            done: &[(Create, 1)],
            ..QUIET
        }],
        shows: &[Show::Portal {
            who: NEWCOMER,
            open: true,
        }],
    },
    Step {
        title: "Three leave, two of them operators",
        story: "HR's export has their last day. Archiving a person card takes the operator along, so those two wait.",
        days: &[
            Day {
                days_ago: 640,
                events: &[Event::Left(CLERK), Event::Left(RETURNS), Event::Left(STAYS_AWAY)],
                done: &[(Archive, 1)],
                held: &[(Archive, 2)],
                ..QUIET
            },
            Day {
                days_ago: 639,
                approve: &["operators"],
                done: &[(Archive, 2)],
                ..QUIET
            },
        ],
        shows: &[Show::Operator {
            who: RETURNS,
            card: false,
            operator: false,
            may_log_in: true,
        }],
    },
    Step {
        title: "One of them comes back",
        story: "Seven months later, under the same number, to other work: no operator any more.",
        days: &[
            Day {
                days_ago: 430,
                events: &[Event::Returns {
                    who: RETURNS,
                    department: "Finance",
                    function: "Controller",
                }],
                held: &[(Unarchive, 1)],
                ..QUIET
            },
            Day {
                days_ago: 429,
                approve: &["unarchive"],
                done: &[(Unarchive, 1), (Update, 1)],
                ..QUIET
            },
        ],
        shows: &[],
    },
    Step {
        title: "The end of the data",
        story: "Somebody who left more than 400 days ago is anonymized in TOPdesk, as an application manager does it. cardsync \
                notices, and takes out of its own files what it kept of that person.",
        days: &[Day {
            days_ago: 230,
            events: &[Event::AccountRemoved(STAYS_AWAY), Event::Anonymized(STAYS_AWAY)],
            ..QUIET
        }],
        shows: &[Show::NothingKept(STAYS_AWAY)],
    },
    Step {
        title: "Today",
        story: "One more operator has left, with a last day in HR's export.",
        days: &[Day {
            days_ago: 0,
            events: &[Event::Left(LAST)],
            held: &[(Archive, 1)],
            ..QUIET
        }],
        shows: &[],
    },
];
