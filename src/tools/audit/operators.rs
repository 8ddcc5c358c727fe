//! What is found about operators: whose card is missing, archived or somebody else's, who has left, and what is no person.

use super::finding::{Area, Finding, NotKnown, Severity, Subject, Words};
use super::people::{Stands, Workforce};
use super::values::Ground;
use super::who::{Found, Marks};
use super::{not_whole, sources_are_whole};
use crate::core::model::card::{FilterProof, OperatorCard, OperatorKind};
use crate::core::model::field::CardField;
use crate::core::model::surroundings::OperatorDetails;
use crate::core::reads::cards::fold;
use crate::core::reads::clock::DOUBTED;
use crate::core::reads::snapshot::{Effect, Role};
use std::collections::{BTreeMap, BTreeSet};

const WITHOUT_PERSON: Words = Words {
    code: "operator_without_person",
    area: Area::Operators,
    severity: Severity::Medium,
    title: "Active operators without a linked person card",
    why: "no person card leads them, so nothing that happens to the person reaches the account; TOPdesk generates a card \
          for such an operator, which may be the second one of that person",
    cure: "find out who it is; for a person, look for the card that TOPdesk generates; for a program, create an API account",
    command: None,
};

const ON_ARCHIVED: Words = Words {
    code: "operator_on_archived_person",
    area: Area::Operators,
    severity: Severity::High,
    title: "Active operators whose person card is archived",
    why: "the person card leads now: the next change of the card can archive the operator, and until then an account is open \
          that nobody counts",
    cure: "for somebody who works here, unarchive the person card; for somebody who has left, archive the operator",
    command: Some("explain KEY"),
};

const PERSON_NOT_SEEN: Words = Words {
    code: "operator_person_not_seen",
    area: Area::Operators,
    severity: Severity::Medium,
    title: "Operators linked to a person card that was not among the cards read",
    why: "the card is hidden from the account or was deleted; what happens to it cannot be seen",
    cure: "open the operator in TOPdesk and look at the linked person; remove branch filters from the account",
    command: Some("check"),
};

const SHARED: Words = Words {
    code: "several_operators_on_one_person",
    area: Area::Operators,
    severity: Severity::Medium,
    title: "Person cards with more than one active operator",
    why: "archiving the person archives all of them",
    cure: "archive the operators that are not used, or create API accounts for programs",
    command: None,
};

const NUMBER_DIFFERS: Words = Words {
    code: "operator_number_differs",
    area: Area::Operators,
    severity: Severity::High,
    title: "Operators whose employee number is another one than that of their person card",
    why: "one of the two belongs to somebody else, and an operator can never be linked to another person",
    cure: "find out whose account it is before either is archived, and correct the wrong number",
    command: Some("explain KEY"),
};

const LOGIN_DIFFERS: Words = Words {
    code: "operator_login_differs",
    area: Area::Operators,
    severity: Severity::Low,
    title: "Operators whose login is another one than those of their person card",
    why: "an import that finds people by login will not find this person, or finds somebody else",
    cure: "correct the login on the side that is wrong; map the login of the card from the directory",
    command: Some("plan"),
};

const MAIL_DIFFERS: Words = Words {
    code: "operator_email_differs",
    area: Area::Operators,
    severity: Severity::Low,
    title: "Operators whose e-mail address is another one than that of their person card",
    why: "an import that finds people by address will not find this person",
    cure: "correct the address on the side that is wrong; map the address of the card from the directory",
    command: Some("plan"),
};

const LEFT: Words = Words {
    code: "operator_has_left",
    area: Area::Operators,
    severity: Severity::High,
    title: "Active operators whose person has left",
    why: "each is an open account and a licence; cardsync will ask before it archives one",
    cure: "archive them, or let cardsync do it: archives of operators wait for an approval",
    command: Some("plan"),
};

const ABSENT: Words = Words {
    code: "operator_not_in_sources",
    area: Area::Operators,
    severity: Severity::Medium,
    title: "Active operators with a number that no source has",
    why: "they may have left long ago, or be people whom the sources do not know; each is a licence",
    cure: "find out who they are; people from outside belong on guard.protect or into a source of their own",
    command: Some("explain KEY"),
};

const UNKNOWN: Words = Words {
    code: "operator_not_known",
    area: Area::Operators,
    severity: Severity::Medium,
    title: "Active operators without a number whom no source knows by name, login or e-mail address",
    why: "nobody knows whether they work here; no source will ever say that they have left, and each is a licence",
    cure: "find out who they are; archive who has left, and put people from outside on guard.protect or into a source of their own",
    command: None,
};

const INTEGRATION: Words = Words {
    code: "operator_looks_like_a_program",
    area: Area::Operators,
    severity: Severity::High,
    title: "Operator accounts that look like those of programs",
    why: "converting such accounts ended with July 2026, so they have person cards now: archive the card in a clean-up and \
          the interface stops",
    cure: "create an API account for each program and move it there; until then, put the card on guard.protect.cards",
    command: Some("config show"),
};

const BEHIND_API: Words = Words {
    code: "person_behind_api_account",
    area: Area::Operators,
    severity: Severity::Medium,
    title: "Person cards behind API accounts and TOPdesk's own accounts",
    why: "cardsync never touches them, but other imports do, and the account goes with the card",
    cure: "leave such cards out of every import and clean-up",
    command: None,
};

/// Words of which a login or name of a program is made; the long ones also inside of others.
const WHOLE_WORDS: [&str; 16] = [
    "api",
    "svc",
    "service",
    "sync",
    "script",
    "batch",
    "bot",
    "robot",
    "scheduler",
    "noreply",
    "prtg",
    "sccm",
    "intune",
    "export",
    "system",
    "systeem",
];
const PARTS_OF_WORDS: [&str; 10] = [
    "monitor",
    "interface",
    "integrat",
    "koppeling",
    "webservice",
    "nagios",
    "zabbix",
    "import",
    "powerbi",
    "solarwinds",
];

/// Everything about operators.
pub(super) fn findings(ground: &Ground<'_>, workforce: &Workforce, not_known: &mut Vec<NotKnown>) -> Vec<Finding> {
    if let Some(unread) = ground
        .target
        .findings
        .iter()
        .find(|finding| &*finding.code == "operators_unreadable")
    {
        not_known.push(NotKnown {
            what: "everything about operators, and which cards TOPdesk generated".to_owned(),
            why: unread.message.clone(),
        });
        return Vec::new();
    }
    if ground.target.filters != FilterProof::None {
        not_known.push(NotKnown {
            what: "operators and cards that the account's filters may hide".to_owned(),
            why: "it is not proven that the account sees everything".to_owned(),
        });
    }
    let mut found: BTreeMap<&str, Vec<Subject>> = BTreeMap::new();
    let marks = Marks::of(workforce);
    for operator in &ground.target.operators {
        one(ground, workforce, &marks, operator, &mut found);
    }
    for at in 0..ground.index.cards.len() {
        let active = ground
            .operators(at)
            .iter()
            .filter(|operator| !operator.archived && operator.kind == OperatorKind::Regular)
            .count();
        if active > 1 {
            let subject = Subject::of_card(ground.card(at), ground.spec.card_field);
            let subject = subject.plain("active operators", active.to_string());
            found.entry(SHARED.code).or_default().push(subject);
        }
    }
    leavers(ground, workforce, &marks, &mut found, not_known);
    [
        WITHOUT_PERSON,
        ON_ARCHIVED,
        PERSON_NOT_SEEN,
        SHARED,
        NUMBER_DIFFERS,
        LOGIN_DIFFERS,
        MAIL_DIFFERS,
        LEFT,
        ABSENT,
        UNKNOWN,
        INTEGRATION,
        BEHIND_API,
    ]
    .iter()
    .filter_map(|words| words.of(found.remove(words.code).unwrap_or_default()))
    .collect()
}

/// Whether nothing else speaks against the read of the cards than that linked ones were not among them.
fn only_linked_cards_are_missing(ground: &Ground<'_>) -> bool {
    let mut doubts = ground
        .target
        .findings
        .iter()
        .filter(|finding| finding.effect > Effect::Note);
    doubts.all(|finding| &*finding.code == "linked_card_unseen")
}

/// The operator with its card, where it has one.
fn subject(ground: &Ground<'_>, operator: &OperatorCard, card: Option<usize>) -> Subject {
    let subject = match card {
        Some(at) => Subject::of_card(ground.card(at), ground.spec.card_field),
        None => {
            let details = ground.details.get(&operator.id);
            Subject::default().value("name", details.and_then(OperatorDetails::name))
        }
    };
    let login = operator.login_name.as_deref();
    subject.operator(&operator.id).value("login of the operator", login)
}

fn one(
    ground: &Ground<'_>,
    workforce: &Workforce,
    marks: &Marks<'_>,
    operator: &OperatorCard,
    found: &mut BTreeMap<&'static str, Vec<Subject>>,
) {
    let card = operator.linked_person.as_ref().and_then(|id| ground.index.position(id));
    let mut add = |words: &Words, subject: Subject| found.entry(words.code).or_default().push(subject);
    if operator.archived {
        return;
    }
    match operator.kind {
        OperatorKind::Regular => {}
        OperatorKind::ApiAccount | OperatorKind::TopdeskAccount => {
            if card.is_some() {
                let kind = match operator.kind {
                    OperatorKind::ApiAccount => "API account",
                    OperatorKind::TopdeskAccount | OperatorKind::Regular => "TOPdesk's own account",
                };
                add(&BEHIND_API, subject(ground, operator, card).plain("account", kind));
            }
            return;
        }
    }
    let signs = signs_of_a_program(operator, ground.details.get(&operator.id));
    // Somebody whom the sources name is no program, whatever their name is.
    let named = card.is_some_and(|at| match ground.key(at) {
        Some(key) => workforce.names(key),
        None => marks.find(ground, at).is_some(),
    });
    if !signs.is_empty() && !named {
        add(
            &INTEGRATION,
            subject(ground, operator, card).plain("signs", signs.join(", ")),
        );
    }
    let Some(at) = card else {
        match &operator.linked_person {
            None => add(&WITHOUT_PERSON, subject(ground, operator, None)),
            Some(id) if only_linked_cards_are_missing(ground) => {
                let mut subject = subject(ground, operator, None);
                subject.card = Some(id.clone());
                add(&PERSON_NOT_SEEN, subject);
            }
            Some(_) => {}
        }
        return;
    };
    if ground.is_anonymized(at) {
        return;
    }
    let stored = ground.card(at);
    if stored.archived {
        add(&ON_ARCHIVED, subject(ground, operator, card));
    }
    let text = |field| stored.fields.text(field);
    let differ = |a: &str, b: &str| fold(a) != fold(b);
    let number = ground
        .details
        .get(&operator.id)
        .and_then(|details| details.employee_number.as_deref());
    if let (Some(number), Some(of_card)) = (number, text(CardField::EmployeeNumber))
        && !of_card.contains('*')
        && differ(number, of_card)
    {
        let subject = subject(ground, operator, card)
            .value("number of the operator", Some(number))
            .value("number of the card", Some(of_card));
        add(&NUMBER_DIFFERS, subject);
    }
    let logins: Vec<&str> = [CardField::TasLoginName, CardField::NetworkLoginName]
        .into_iter()
        .filter_map(text)
        .collect::<BTreeSet<&str>>()
        .into_iter()
        .collect();
    if let Some(login) = operator.login_name.as_deref()
        && !logins.is_empty()
        && logins.iter().all(|of_card| differ(login, of_card))
    {
        add(
            &LOGIN_DIFFERS,
            subject(ground, operator, card).value("login of the card", Some(logins.join(", "))),
        );
    }
    if let (Some(mail), Some(of_card)) = (operator.email.as_deref(), text(CardField::Email))
        && differ(mail, of_card)
    {
        let subject = subject(ground, operator, card)
            .value("address of the operator", Some(mail))
            .value("address of the card", Some(of_card));
        add(&MAIL_DIFFERS, subject);
    }
}

/// What speaks for a program behind an account: words of which names of programs are made, or nothing of a person.
fn signs_of_a_program(operator: &OperatorCard, details: Option<&OperatorDetails>) -> Vec<String> {
    let nothing = OperatorDetails::default();
    let details_known = details.is_some();
    let details = details.unwrap_or(&nothing);
    let texts = [
        operator.login_name.as_deref(),
        details.first_name.as_deref(),
        details.sur_name.as_deref(),
    ];
    let mut signs = Vec::new();
    for text in texts.into_iter().flatten() {
        for word in fold(text).split(|letter: char| !letter.is_alphanumeric()) {
            let known = WHOLE_WORDS
                .iter()
                .find(|known| word == **known)
                .or_else(|| PARTS_OF_WORDS.iter().find(|part| word.contains(**part)));
            let sign = known.map(|known| format!("'{known}' in its name or login"));
            signs.extend(sign.filter(|sign| !signs.contains(sign)));
        }
    }
    let no_mail = operator.email.is_none();
    let no_name = details_known && details.first_name.is_none();
    if signs.is_empty() && !(no_mail && no_name) {
        return Vec::new();
    }
    let more = [
        (no_mail, "no e-mail address"),
        (no_name, "no first name"),
        (
            details.application_passwords == Some(true),
            "has an application password",
        ),
    ];
    signs.extend(more.into_iter().filter(|(is, _)| *is).map(|(_, sign)| sign.to_owned()));
    signs
}

/// Active operators of people who are gone.
fn leavers(
    ground: &Ground<'_>,
    workforce: &Workforce,
    marks: &Marks<'_>,
    found: &mut BTreeMap<&'static str, Vec<Subject>>,
    not_known: &mut Vec<NotKnown>,
) {
    let what = "which active operators have left";
    let mut unknown = |why: String| {
        not_known.push(NotKnown {
            what: what.to_owned(),
            why,
        });
    };
    if !workforce.usable {
        unknown("no source that decides who exists could be used, see the reads".to_owned());
        return;
    }
    if !ground.input.clock.is_trusted() {
        unknown(DOUBTED.to_owned());
        return;
    }
    let whole = sources_are_whole(ground.input);
    if !whole {
        unknown(not_whole(ground.input));
    }
    for snapshot in &ground.input.snapshots {
        let summary = &snapshot.summary;
        let nobodys = summary.keyless + summary.unreadable;
        if summary.role == Some(Role::Authoritative) && nobodys > 0 {
            unknown(format!(
                "{nobodys} records of {} have no usable key and may be theirs",
                summary.name
            ));
        }
    }
    let mut unclear = 0;
    for at in ground.active_people() {
        let Some(operator) = ground.active_operator(at) else {
            continue;
        };
        let subject = || subject(ground, operator, Some(at));
        let (person, by) = match ground.key(at) {
            Some(key) => {
                if whole && !workforce.names(key) {
                    found.entry(ABSENT.code).or_default().push(subject());
                }
                (workforce.find(key), "key".to_owned())
            }
            None => match marks.find(ground, at) {
                Some(Found::One(person, by)) => (Some(person), format!("{by}: look before you believe it")),
                Some(Found::Several) => {
                    unclear += 1;
                    (None, String::new())
                }
                None => {
                    let is_program = !signs_of_a_program(operator, ground.details.get(&operator.id)).is_empty();
                    if whole && !is_program {
                        found.entry(UNKNOWN.code).or_default().push(subject());
                    }
                    (None, String::new())
                }
            },
        };
        match person.map(|person| &person.stands) {
            Some(Stands::Left(detail)) => {
                let subject = subject().plain("recognised by", by).plain("evidence", detail.as_str());
                found.entry(LEFT.code).or_default().push(subject);
            }
            Some(Stands::NotKnown) => unclear += 1,
            Some(Stands::Works | Stands::OutOfScope) | None => {}
        }
    }
    if unclear > 0 {
        unknown(format!("for {unclear} of them the sources give neither yes nor no"));
    }
}
