//! The year of the sample company as data: what happens, on which day cardsync looks, what a human approves, and what
//! must come out of it.

use super::company::{Company, Export};
use super::story::{Day, Event, Step, Story};
use crate::core::plan::ActionKind::{Adopt, Archive, Create, CreateEntry, Update};

/// One year of 300 people, beside an import that recognises them by e-mail address.
pub const STORY: Story = Story {
    title: "one year of a company",
    numbers: "The year in numbers",
    people: 300,
    cards: Company::cards_before,
    least_records: 200,
    leaver: "",
    lifecycle: "",
    by_email: true,
    steps: YEAR,
    commands: &[],
};

/// The year.
const YEAR: &[Step] = &[
    Step {
        title: "First contact",
        story: "TOPdesk was kept by hand for years. Most cards are right. Some people have none; five operators have only \
                the card that TOPdesk generated for them, without a personnel number; some cards say what was true years \
                ago; six belong to people who have left.",
        days: &[
            Day {
                days_ago: 364,
                events: &[],
                export: Export::Whole,
                approve: &[],
                done: &[(Create, 4)],
                held: &[(Create, 5), (Update, 33), (Adopt, 5), (Archive, 6)],
            },
            Day {
                days_ago: 363,
                events: &[],
                export: Export::Whole,
                approve: &["adopt", "update", "archive"],
                done: &[(Update, 33), (Adopt, 5), (Archive, 6)],
                held: &[],
            },
        ],
        shows: &[],
    },
    Step {
        title: "Joiners and movers",
        story: "Eight people start work and twelve move to other work or another site; some of them to a department that \
                TOPdesk does not know yet. For one newcomer HR types the number of a colleague. Another one has the name, \
                and so gets the mail address, of somebody who left years ago.",
        days: &[
            Day {
                days_ago: 250,
                events: &[
                    Event::Joins(300),
                    Event::Joins(301),
                    Event::Joins(302),
                    Event::Joins(303),
                    Event::Joins(304),
                    Event::JoinsWithNumberOf {
                        who: 305,
                        colleague: 251,
                    },
                    Event::JoinsAsNamesake(306),
                    Event::Joins(307),
                    Event::Moves {
                        who: 21,
                        department: "Data Office",
                        function: "Head of data",
                        manager: 0,
                    },
                    Event::Moves {
                        who: 22,
                        department: "Data Office",
                        function: "Data analyst",
                        manager: 21,
                    },
                    Event::Moves {
                        who: 29,
                        department: "Data Office",
                        function: "Data analyst",
                        manager: 21,
                    },
                    Event::Moves {
                        who: 41,
                        department: "Sales",
                        function: "Account manager",
                        manager: 1,
                    },
                    Event::Moves {
                        who: 44,
                        department: "Transport",
                        function: "Planner",
                        manager: 4,
                    },
                    Event::Moves {
                        who: 48,
                        department: "Finance",
                        function: "Controller",
                        manager: 7,
                    },
                    Event::MovesTo { who: 49, site: "Delft" },
                    Event::MovesTo {
                        who: 51,
                        site: "Utrecht",
                    },
                    Event::MovesTo {
                        who: 53,
                        site: "Groningen",
                    },
                    Event::MovesTo {
                        who: 57,
                        site: "Leuven",
                    },
                    Event::MovesTo {
                        who: 89,
                        site: "Leuven",
                    },
                    Event::MovesTo {
                        who: 289,
                        site: "Delft",
                    },
                ],
                export: Export::Whole,
                approve: &[],
                done: &[(CreateEntry, 1), (Create, 6), (Update, 12)],
                held: &[(Create, 1)],
            },
            Day {
                days_ago: 249,
                events: &[],
                export: Export::Whole,
                approve: &["create"],
                done: &[(Create, 1)],
                held: &[],
            },
        ],
        shows: &[],
    },
    Step {
        title: "A marriage",
        story: "An agent of the service desk marries: new surname, new mail address, new login, all on one day. HR has \
                also corrected the number that it typed wrong.",
        days: &[Day {
            days_ago: 180,
            events: &[
                Event::Marries {
                    who: 235,
                    prefix: "van",
                    last_name: "Rossum",
                },
                Event::NumberCorrected(305),
            ],
            export: Export::Whole,
            approve: &[],
            done: &[(Create, 1), (Update, 1)],
            held: &[],
        }],
        shows: &[],
    },
    Step {
        title: "A new mail domain",
        story: "The site in Gent gets a mail domain of its own. Nobody there changes work, name or number. So many new \
                addresses on one day wait until somebody has looked.",
        days: &[
            Day {
                days_ago: 120,
                events: &[Event::NewMailDomain {
                    site: "Gent",
                    domain: "noorderlicht-gent.example",
                }],
                export: Export::Whole,
                approve: &[],
                done: &[],
                held: &[(Update, 45)],
            },
            Day {
                days_ago: 119,
                events: &[],
                export: Export::Whole,
                approve: &["changed_logins"],
                done: &[(Update, 45)],
                held: &[],
            },
        ],
        shows: &[],
    },
    Step {
        title: "Leavers, one of them an operator",
        story: "Five people have left; HR's export has their last day. One of them answered calls as an operator. The \
                row of a sixth has simply gone from the export.",
        days: &[
            Day {
                days_ago: 12,
                events: &[
                    Event::Left(33),
                    Event::Left(35),
                    Event::Left(42),
                    Event::Left(55),
                    Event::Left(290),
                    Event::RowRemoved(52),
                ],
                export: Export::Whole,
                approve: &[],
                done: &[(Archive, 4)],
                held: &[(Archive, 1)],
            },
            Day {
                days_ago: 11,
                events: &[],
                export: Export::Whole,
                approve: &["operators"],
                done: &[(Archive, 1)],
                held: &[],
            },
        ],
        shows: &[],
    },
    Step {
        title: "A bad export",
        story: "The job that writes HR's export stops half-way. The file looks like any other, but a third of its rows \
                is not there. Nobody has left.",
        days: &[Day {
            days_ago: 1,
            events: &[],
            export: Export::CutOff,
            approve: &[],
            done: &[],
            held: &[],
        }],
        shows: &[],
    },
    Step {
        title: "The repaired export, today",
        story: "HR's export is whole again. One more operator has left meanwhile, with a last day in HR's export.",
        days: &[Day {
            days_ago: 0,
            events: &[Event::Left(162)],
            export: Export::Whole,
            approve: &[],
            done: &[(Archive, 1)],
            held: &[(Archive, 1)],
        }],
        shows: &[],
    },
];
