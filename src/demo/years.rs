//! Two years in the life of person cards as data: a generated card, a twin, somebody new before the first day, an operator
//! who leaves and comes back, one whose data is anonymized when its time is over.

use super::company::{Company, Export, GENERATED_ONLY, WITH_TWIN};
use super::shows::Show;
use super::story::{Day, Event, Step, Story};
use crate::core::plan::ActionKind::{Adopt, Archive, Create, Merge, Unarchive, Update};

/// The story.
pub const STORY: Story = Story {
    title: "two years in the life of person cards",
    numbers: "The two years in numbers",
    people: 120,
    cards: Company::cards_in_step,
    least_records: 100,
    leaver: ", disarm: true",
    lifecycle:
        "  joiner: { starts: \"{{ hr['Start date'] | date('%d-%m-%Y') }}\", before: 14d, ssp_access: on_the_day }
  rehire: { person: unarchive, operator: keep_archived }
  anonymize: { by: topdesk, after: 400d, approval: always }
",
    by_email: false,
    steps: YEARS,
    commands: &[
        "cardsync anonymize list                who is to be anonymized in TOPdesk, and since when",
        "cardsync anonymize certificates        what was anonymized, without a name",
    ],
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
        story: "Every operator of TOPdesk needs a person card: where there was none, TOPdesk generated one, without a \
                personnel number. One operator here has only such a card. For another one nobody saw it: that \
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
        title: "Somebody new, two weeks before the first day",
        story: "HR enters somebody who starts in sixteen days. The card is made fourteen days before, so that calls and \
                equipment can be prepared; the self-service portal opens on the first day.",
        days: &[
            Day {
                days_ago: 700,
                events: &[Event::Hired {
                    who: NEWCOMER,
                    days_before: 16,
                }],
                ..QUIET
            },
            Day {
                days_ago: 698,
                done: &[(Create, 1)],
                ..QUIET
            },
        ],
        shows: &[Show::Portal {
            who: NEWCOMER,
            open: false,
        }],
    },
    Step {
        title: "The first day",
        story: "Nobody did anything.",
        days: &[Day {
            days_ago: 684,
            done: &[(Update, 1)],
            ..QUIET
        }],
        shows: &[Show::Portal {
            who: NEWCOMER,
            open: true,
        }],
    },
    Step {
        title: "Three leave, two of them operators",
        story: "HR's export has their last day. Archiving a person card takes the operator along, so those two wait. Before \
                an approved archive the operator loses the permission to log in: whoever wakes that operator later, by \
                hand or by accident, opens no door.",
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
        shows: &[
            Show::Operator {
                who: RETURNS,
                card: false,
                operator: false,
                may_log_in: false,
            },
            Show::Operator {
                who: STAYS_AWAY,
                card: false,
                operator: false,
                may_log_in: false,
            },
        ],
    },
    Step {
        title: "One of them comes back",
        story: "Seven months later, under the same number, to other work in another department. The card that cardsync \
                archived is made active again. TOPdesk wakes the operator with it; the company has said that nobody \
                becomes an operator that way, so cardsync puts the operator back at once.",
        days: &[Day {
            days_ago: 430,
            events: &[Event::Returns {
                who: RETURNS,
                department: "Finance",
                function: "Controller",
            }],
            done: &[(Unarchive, 1), (Update, 1)],
            ..QUIET
        }],
        shows: &[Show::Operator {
            who: RETURNS,
            card: true,
            operator: false,
            may_log_in: false,
        }],
    },
    Step {
        title: "A marriage",
        story: "An operator marries: new surname, new address, new login.",
        days: &[Day {
            days_ago: 300,
            events: &[Event::Marries {
                who: GENERATED_ONLY,
                prefix: "van",
                last_name: "Rossum",
            }],
            done: &[(Update, 1)],
            ..QUIET
        }],
        shows: &[Show::OneCardWithOperator(GENERATED_ONLY)],
    },
    Step {
        title: "The term is over",
        story: "Two people left more than 400 days ago and are in no export any more. The company keeps the data of leavers \
                for 400 days and lets TOPdesk itself anonymize, because that takes the operator along. When the time is \
                over, cardsync makes sure of three complete reads that nobody has them any more. It sends nothing: it lists \
                who is due.",
        days: &[
            Day {
                days_ago: 230,
                events: &[Event::AccountRemoved(CLERK), Event::AccountRemoved(STAYS_AWAY)],
                ..QUIET
            },
            Day { days_ago: 229, ..QUIET },
            Day { days_ago: 227, ..QUIET },
        ],
        shows: &[Show::Due(&[CLERK, STAYS_AWAY])],
    },
    Step {
        title: "The end of the data",
        story: "The application manager anonymizes one of them in TOPdesk. cardsync notices, and takes what it kept of that \
                person out of its own files: journal, ledger, and the exports that it had read. A certificate without a \
                name stays.",
        days: &[Day {
            days_ago: 220,
            events: &[Event::Anonymized(STAYS_AWAY)],
            ..QUIET
        }],
        shows: &[
            Show::NothingKept(STAYS_AWAY),
            Show::Certificate(STAYS_AWAY),
            Show::Due(&[CLERK]),
        ],
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
