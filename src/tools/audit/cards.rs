//! What is found about person cards: generated ones, twins, keys that are missing, shared or badly written, and flags.

use super::finding::{Area, Finding, NotKnown, Severity, Subject, Words};
use super::people::Workforce;
use super::sources_are_whole;
use super::values::{Candidate, Ground};
use crate::core::model::field::CardField;
use crate::core::model::key::{Key, KeyReading, KeySpec, Normaliser};
use crate::core::reads::cards::{Likeness, LookAlikes};
use crate::tools::rekey::pairing::{Grade, NoPair, Row, Verdict};
use std::collections::{BTreeMap, BTreeSet};

const TWINS: Words = Words {
    code: "generated_twin",
    area: Area::Cards,
    severity: Severity::High,
    title: "Generated cards of people who have another card",
    why: "one person has two cards and the operator hangs on the generated one, for good: archive that one as a double and \
          the operator goes with it",
    cure: "keep the card with the operator: put the number on it and archive the other; cardsync offers both as one item",
    command: Some("plan"),
};

const GENERATED: Words = Words {
    code: "generated_card",
    area: Area::Cards,
    severity: Severity::Medium,
    title: "Cards that TOPdesk generated for operators",
    why: "they have no key, no portal and are no callers; an import that does not recognise them makes a second card, and a \
          clean-up that archives them archives the operators",
    cure: "write the number onto them, operators first",
    command: Some("rekey pair"),
};

const KEYLESS: Words = Words {
    code: "card_without_key",
    area: Area::Cards,
    severity: Severity::Medium,
    title: "Active cards without a key",
    why: "nothing that is stable says whose they are",
    cure: "pair them with the sources and write the number onto them; people whom no source knows stay without",
    command: Some("rekey pair"),
};

const SURELY_PAIRED: Words = Words {
    code: "card_with_a_sure_pair",
    area: Area::Cards,
    severity: Severity::Medium,
    title: "Active cards without a key, whose person is surely known",
    why: "nothing that is stable says whose they are; `rekey pair` lists each with its person and the evidence",
    cure: "write the numbers onto them",
    command: Some("rekey pair"),
};

const NOBODYS: Words = Words {
    code: "card_of_nobody",
    area: Area::Cards,
    severity: Severity::Low,
    title: "Active cards without a key whom nobody of the sources resembles",
    why: "former colleagues, people from outside and shared accounts; no import and no run will ever touch them",
    cure: "look at them in TOPdesk; archive those of people who have left",
    command: None,
};

const DOUBLE: Words = Words {
    code: "double_person",
    area: Area::Cards,
    severity: Severity::Medium,
    title: "Active cards with the same name and the same e-mail address or login",
    why: "one person twice, nearly always: imports find one card or the other, and what is archived as a double may have the \
          operator",
    cure: "keep the card with the operator, put the number on it and archive the other",
    command: Some("rekey pair"),
};

const SHARED_KEY: Words = Words {
    code: "duplicate_key",
    area: Area::Cards,
    severity: Severity::High,
    title: "Active cards that share their key with another active card",
    why: "nobody can say which one is the person's; cardsync changes neither",
    cure: "keep the one with the operator, move the key there, archive the others",
    command: Some("explain KEY"),
};

const ARCHIVED_ONLY: Words = Words {
    code: "several_archived_cards",
    area: Area::Cards,
    severity: Severity::Low,
    title: "Archived cards that share their key, with no active one",
    why: "when the person comes back nobody can say which card to wake",
    cure: "empty the key on all but one",
    command: Some("explain KEY"),
};

const ARCHIVED_TWIN: Words = Words {
    code: "archived_twin",
    area: Area::Cards,
    severity: Severity::Low,
    title: "Active cards whose key also stands on an archived card",
    why: "cardsync keeps to the active one; other imports may wake the archived one",
    cure: "empty the key on the archived card",
    command: None,
};

const NEAR_KEYS: Words = Words {
    code: "nearly_the_same_key",
    area: Area::Cards,
    severity: Severity::Medium,
    title: "Keys that differ from another one only by zeros, case or blanks",
    why: "a spreadsheet or a keyboard made two keys of one, and the person looks like two",
    cure: "correct the card, or let key.normalize ignore the difference",
    command: Some("plan --diff-config"),
};

const SAME_NAME: Words = Words {
    code: "same_name",
    area: Area::Cards,
    severity: Severity::Low,
    title: "Active cards with the same first name and surname",
    why: "namesakes, or one person twice: imports that find people by address make a second card when the address changes",
    cure: "look at each pair; of one person, keep the card with the operator and archive the other",
    command: Some("rekey pair"),
};

const FLAGS: Words = Words {
    code: "flags_differ",
    area: Area::Cards,
    severity: Severity::Low,
    title: "Active cards whose portal access or caller flag differs from the policy for new cards",
    why: "these people cannot log in to the self-service portal or register calls, or can and should not",
    cure: "decide which is right; map hasSspAccess or isCaller under `fields` where the sources know",
    command: Some("plan"),
};

const ANONYMIZED: Words = Words {
    code: "anonymized_card",
    area: Area::Cards,
    severity: Severity::Note,
    title: "Anonymized cards",
    why: "cardsync never looks at them",
    cure: "nothing to do",
    command: None,
};

/// Everything about cards.
pub(super) fn findings(ground: &Ground<'_>, workforce: &Workforce, not_known: &mut Vec<NotKnown>) -> Vec<Finding> {
    let subject = |at: usize| {
        let subject = Subject::of_card(ground.card(at), ground.spec.card_field);
        match ground.active_operator(at) {
            Some(operator) => subject.operator(&operator.id),
            None => subject,
        }
    };
    let with_mail = |at: usize| subject(at).value("e-mail", ground.card(at).fields.text(CardField::Email));
    let hidden = &ground.target.unknown_fields;
    let key_is_shown = !hidden.contains(&ground.spec.card_field);
    if !key_is_shown {
        not_known.push(NotKnown {
            what: "which cards have no key, and which of them TOPdesk generated".to_owned(),
            why: format!(
                "nearly no card shows {} any more, see the reads",
                ground.spec.card_field
            ),
        });
    }
    let without_key = || {
        ground
            .active_people()
            .filter(|at| key_is_shown && ground.key(*at).is_none())
    };
    let generated: Vec<usize> = without_key().filter(|at| ground.is_generated(*at)).collect();
    let keyless = without_key().filter(|at| !ground.is_generated(*at));
    let anonymized = (0..ground.index.cards.len())
        .filter(|at| ground.is_anonymized(*at))
        .count();
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(TWINS.of(twins(ground, &generated, &with_mail)));
    findings.extend(GENERATED.of(generated.iter().map(|at| with_mail(*at)).collect()));
    let (nobodys, keyless): (Vec<usize>, Vec<usize>) = keyless.partition(|at| is_nobodys(ground, workforce, *at));
    let with_pair = |at: usize| match ground.pair_of(at).map(|row| &row.verdict) {
        Some(Verdict::Pair(pair)) => with_mail(at).plain("rekey pair", pair.grade.word()),
        Some(Verdict::None { .. }) | None => with_mail(at),
    };
    let is_sure = |at: &usize| {
        ground
            .pair_of(*at)
            .and_then(Row::pair)
            .is_some_and(|pair| pair.grade == Grade::Sure)
    };
    let (sure, keyless): (Vec<usize>, Vec<usize>) = keyless.into_iter().partition(is_sure);
    if !sure.is_empty() {
        findings.push(SURELY_PAIRED.counted(sure.len() as u64, Vec::new()));
    }
    findings.extend(KEYLESS.of(keyless.into_iter().map(with_pair).collect()));
    findings.extend(NOBODYS.of(nobodys.into_iter().map(with_mail).collect()));
    findings.extend(shared_keys(ground, &with_mail));
    findings.extend(NEAR_KEYS.of(near_keys(ground, workforce, &subject)));
    let (doubles, namesakes) = same_names(ground, workforce, &with_mail);
    findings.extend(DOUBLE.of(doubles));
    findings.extend(SAME_NAME.of(namesakes));
    findings.extend(FLAGS.of(flags(ground, &subject)));
    if anonymized > 0 {
        findings.push(ANONYMIZED.counted(anonymized as u64, Vec::new()));
    }
    if !workforce.usable {
        not_known.push(NotKnown {
            what: "which keys differ from those of the sources only by zeros, case or blanks".to_owned(),
            why: "no source that decides who exists could be used, see the reads".to_owned(),
        });
    }
    findings
}

/// Generated cards, each with the card without an operator that looks like the same person's.
fn twins(ground: &Ground<'_>, generated: &[usize], subject: &dyn Fn(usize) -> Subject) -> Vec<Subject> {
    let mut alike = LookAlikes::default();
    for at in ground.active_people().filter(|at| ground.operators(*at).is_empty()) {
        alike.add(at, &Likeness::of_card(ground.card(at)));
    }
    let mut found = Vec::new();
    for at in generated {
        let others = alike.find(&Likeness::of_card(ground.card(*at)));
        // A name alone says something only where one other card has it, and no address speaks against it.
        let mail = Candidate::Field(CardField::Email);
        let own = ground.value(*at, mail);
        let contradicted =
            |other: usize| own.is_some() && ground.value(other, mail).is_some_and(|mail| Some(mail) != own);
        let is_one = |other: usize, marks: &BTreeSet<CardField>| {
            let by_name_alone = marks.iter().all(|mark| mark.is_name());
            !by_name_alone || (others.len() == 1 && !contradicted(other))
        };
        for (other, marks) in others.iter().filter(|(other, marks)| is_one(**other, marks)) {
            let marks: Vec<&str> = marks.iter().map(mark_words).collect();
            found.push(
                subject(*at)
                    .plain("other card", ground.card(*other).id.as_str())
                    .plain("agree on", marks.join(", ")),
            );
        }
    }
    found
}

fn mark_words(mark: &CardField) -> &'static str {
    match mark {
        CardField::Email => "e-mail",
        field if field.is_login() => "login",
        _name => "name",
    }
}

fn shared_keys(ground: &Ground<'_>, subject: &dyn Fn(usize) -> Subject) -> Vec<Finding> {
    let mut by_key: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    for at in 0..ground.index.cards.len() {
        if let Some(key) = ground.key(at) {
            by_key.entry(key).or_default().push(at);
        }
    }
    let (mut two_active, mut archived_only, mut twins) = (Vec::new(), Vec::new(), Vec::new());
    for cards in by_key.values().filter(|cards| cards.len() > 1) {
        let (archived, active): (Vec<usize>, Vec<usize>) = cards.iter().partition(|at| ground.card(**at).archived);
        let others = |cards: &[usize], but: usize| {
            let ids = cards
                .iter()
                .filter(|at| **at != but)
                .map(|at| ground.card(*at).id.as_str());
            ids.collect::<Vec<_>>().join(", ")
        };
        match active.as_slice() {
            [] => archived_only.extend(
                archived
                    .iter()
                    .map(|at| subject(*at).plain("other card", others(&archived, *at))),
            ),
            [one] => twins.push(subject(*one).plain("archived card", others(&archived, *one))),
            several => two_active.extend(
                several
                    .iter()
                    .map(|at| subject(*at).plain("other card", others(several, *at))),
            ),
        }
    }
    [
        SHARED_KEY.of(two_active),
        ARCHIVED_ONLY.of(archived_only),
        ARCHIVED_TWIN.of(twins),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Keys of active cards whose difference from another card's key, or from one of the sources, is only in how it is written.
fn near_keys(ground: &Ground<'_>, workforce: &Workforce, subject: &dyn Fn(usize) -> Subject) -> Vec<Subject> {
    let loose = KeySpec {
        normalise: vec![Normaliser::Trim, Normaliser::Uppercase, Normaliser::StripLeadingZeros],
        ..ground.spec.clone()
    };
    let loosely = |text: &str| match loose.read(text) {
        KeyReading::Key(key) | KeyReading::TooLong { key, .. } | KeyReading::Hidden { key, .. } => Some(key),
        KeyReading::None | KeyReading::Anonymized => None,
    };
    let mut on_cards: BTreeMap<Key, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for at in ground.active_people() {
        let raw = ground.card(at).fields.text(ground.spec.card_field);
        if let Some((raw, key)) = raw.and_then(|raw| Some((raw, loosely(raw)?))) {
            on_cards.entry(key).or_default().entry(raw).or_default().push(at);
        }
    }
    let mut in_sources: BTreeMap<Key, &Key> = BTreeMap::new();
    for person in workforce.people() {
        if let Some(key) = loosely(person.key.as_str()) {
            in_sources.insert(key, &person.key);
        }
    }
    let mut found = Vec::new();
    for (key, written) in &on_cards {
        let source = in_sources.get(key);
        for (raw, cards) in written {
            let others: Vec<&str> = written.keys().filter(|other| *other != raw).copied().collect();
            for at in cards {
                let own = ground.key(*at);
                let theirs = source.filter(|theirs| own.is_some_and(|own| own != **theirs));
                if others.is_empty() && theirs.is_none() {
                    continue;
                }
                let quoted = |texts: &[&str]| {
                    let texts: Vec<String> = texts.iter().map(|text| format!("'{text}'")).collect();
                    texts.join(", ")
                };
                let on_others = (!others.is_empty()).then(|| quoted(&others));
                found.push(
                    subject(*at)
                        .value("written", Some(quoted(&[raw])))
                        .value("on another card", on_others)
                        .value("in the sources", theirs.map(|theirs| quoted(&[theirs.as_str()]))),
                );
            }
        }
    }
    found
}

/// Other cards of the same name that are named beside each.
const MOST_NAMESAKES: usize = 3;

/// Whether a card without a key resembles nobody of the sources, as far as all of them could be read.
fn is_nobodys(ground: &Ground<'_>, workforce: &Workforce, at: usize) -> bool {
    let nobody = |row: &Row| {
        matches!(
            row.verdict,
            Verdict::None {
                why: NoPair::Nobody,
                ..
            }
        )
    };
    workforce.usable && sources_are_whole(ground.input) && ground.pair_of(at).is_some_and(nobody)
}

/// Cards with one name: those that share an address or a login as well, which are one person; and mere namesakes, unless the
/// sources tell their people apart.
fn same_names(
    ground: &Ground<'_>,
    workforce: &Workforce,
    subject: &dyn Fn(usize) -> Subject,
) -> (Vec<Subject>, Vec<Subject>) {
    let by_name = ground.by_value(Candidate::FullName, ground.active_people());
    let accounts = [CardField::Email, CardField::TasLoginName, CardField::NetworkLoginName].map(Candidate::Field);
    let share = |one: usize, other: usize| {
        let same = |candidate: &Candidate| {
            let value = ground.value(one, *candidate);
            value.is_some() && value == ground.value(other, *candidate)
        };
        accounts.iter().any(same)
    };
    let (mut doubles, mut found) = (Vec::new(), Vec::new());
    for cards in by_name.values().filter(|cards| cards.len() > 1) {
        for at in cards {
            let of_one = cards.iter().filter(|other| *other != at && share(*at, **other));
            let ids: Vec<&str> = of_one.map(|other| ground.card(*other).id.as_str()).collect();
            if !ids.is_empty() {
                let named = ids[..ids.len().min(MOST_NAMESAKES)].join(", ");
                doubles.push(subject(*at).plain("other card", named));
            }
        }
        let keys: BTreeSet<&Key> = cards.iter().filter_map(|at| ground.key(*at)).collect();
        if keys.len() == cards.len() && keys.iter().all(|key| workforce.find(key).is_some()) {
            continue;
        }
        for at in cards {
            let others = cards.iter().filter(|other| *other != at);
            let ids: Vec<&str> = others.map(|other| ground.card(*other).id.as_str()).collect();
            let named = ids[..ids.len().min(MOST_NAMESAKES)].join(", ");
            let more = ids.len().saturating_sub(MOST_NAMESAKES);
            let more = if more == 0 {
                String::new()
            } else {
                format!(" and {more} more")
            };
            found.push(subject(*at).plain("other card", named + &more));
        }
    }
    (doubles, found)
}

fn flags(ground: &Ground<'_>, subject: &dyn Fn(usize) -> Subject) -> Vec<Subject> {
    let policy = &ground.input.policy;
    let wanted = [
        (CardField::HasSspAccess, "hasSspAccess", policy.has_ssp_access),
        (CardField::IsCaller, "isCaller", policy.is_caller),
    ];
    let mut found = Vec::new();
    for at in ground.active_people().filter(|at| !ground.is_generated(*at)) {
        // A field that is mapped is compared by every plan.
        let differing = wanted.iter().filter(|(field, _, wanted)| {
            let shown = !ground.target.unknown_fields.contains(field);
            shown && !policy.fields.contains_key(field) && ground.flag(at, *field).is_some_and(|flag| flag != *wanted)
        });
        let differing: Vec<(&'static str, bool)> = differing.map(|(_, name, wanted)| (*name, *wanted)).collect();
        if differing.is_empty() {
            continue;
        }
        let subject = differing.iter().fold(subject(at), |subject, (name, wanted)| {
            subject.plain(name, format!("{}, policy {wanted}", !wanted))
        });
        found.push(subject);
    }
    found
}
