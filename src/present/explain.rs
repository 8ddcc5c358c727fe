//! An explanation as a tired administrator reads it at five past nine: what happens first, then why, then what was.

use crate::core::memory::ledger::{LedgerEntry, Origin};
use crate::core::model::card::{OperatorKind, OperatorLink};
use crate::core::model::record::Standing;
use crate::core::plan::ActionKind;
use crate::core::reads::snapshot::Verdict;
use crate::core::rules::evidence::Grade;
use crate::engine::decision_log::LoggedDecision;
use crate::engine::explain::{
    CardPart, ConditionPart, Explanation, Fate, FieldPart, ItemPart, JournalEntry, Relation, STARTS, SourcePart,
    WantedPart,
};
use crate::present::decisions::decision_words;
use crate::present::explain_words::{
    active_behind, group_words, normaliser_words, nothing_words, quoted, read, row_words, values,
};
use crate::present::lines::Paint;
use crate::present::lines::line;
use crate::present::words::{conflict_words, name_of, operator_words, other_card_words, role_words, skip_words};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// An explanation to be shown.
pub(crate) struct ExplainText<'a> {
    pub explanation: &'a Explanation,
    pub zone: Tz,
    pub paint: Paint,
}

impl ExplainText<'_> {
    /// All of it.
    pub(crate) fn whole(&self) -> String {
        let mut text = String::new();
        self.head(&mut text);
        self.section(&mut text, "What happens", self.happens());
        self.section(&mut text, "In the sources", self.sources());
        self.section(&mut text, "Card", self.cards());
        self.section(&mut text, "Fields", self.fields());
        self.section(&mut text, "Conditions", self.conditions());
        self.section(&mut text, "Remembered", self.ledger());
        self.section(&mut text, "Written before", self.journal());
        self.section(&mut text, "Decisions", self.decisions());
        text
    }

    fn when(&self, moment: DateTime<Utc>) -> String {
        moment.with_timezone(&self.zone).format("%Y-%m-%d %H:%M %Z").to_string()
    }

    fn section(&self, text: &mut String, title: &str, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        line!(text, "\n{}", self.paint.strong(title));
        for line in lines {
            line!(text, "  {line}");
        }
    }

    fn head(&self, text: &mut String) {
        let Explanation {
            subject,
            at,
            run,
            plan_id,
            ..
        } = self.explanation;
        let key = subject.key.as_ref().map_or("no key", |key| key.as_str());
        let name = subject.name.as_deref().unwrap_or("(no card with a name)");
        line!(text, "{}", self.paint.strong(&format!("{key} {name}")));
        let at = self.when(*at);
        match run {
            Some(run) => line!(text, "as run {run} saw it at {at}, plan {plan_id}"),
            None => line!(text, "as a run would see it at {at}, plan {plan_id}"),
        };
    }

    fn happens(&self) -> Vec<String> {
        let explanation = self.explanation;
        let mut lines = Vec::new();
        for conflict in &explanation.conflicts {
            lines.push(format!("{} {}", self.paint.bad("conflict:"), conflict_words(conflict)));
            let records = conflict.records.iter().map(ToString::to_string);
            let cards = conflict.cards.iter().map(|card| format!("card {card}"));
            lines.push(format!("    {}", records.chain(cards).collect::<Vec<_>>().join("; ")));
        }
        for rejection in &explanation.rejections {
            let place = format!("{} {}", rejection.source, rejection.place);
            lines.push(format!(
                "{} {place}: {}",
                self.paint.warn("record rejected:"),
                rejection.message
            ));
        }
        for item in &explanation.items {
            self.item(&mut lines, item);
        }
        for skip in &explanation.skipped {
            lines.push(skip_words(skip));
        }
        for card in explanation.cards.iter().filter(|card| card.archived) {
            let told = explanation
                .items
                .iter()
                .any(|item| item.change.person_id.as_ref() == Some(&card.person_id));
            for operator in card.operators.iter().filter(|operator| !operator.archived && !told) {
                lines.push(self.paint.bad(&active_behind(operator, &card.person_id)));
            }
        }
        if lines.is_empty() {
            lines.push(nothing_words(explanation));
        }
        lines
    }

    fn item(&self, lines: &mut Vec<String>, item: &ItemPart) {
        let change = &item.change;
        let verdict = match (change.holds.is_empty(), &item.approved_by) {
            (true, None) => self.paint.good("allowed"),
            (true, Some(by)) => self.paint.good(&format!("allowed, approved by {by}")),
            (false, _) => self.paint.warn("held"),
        };
        let card = change
            .person_id
            .as_ref()
            .map_or(String::new(), |card| format!(" of card {card}"));
        let since = item
            .since
            .map_or(String::new(), |since| format!(", waits since {}", self.when(since)));
        lines.push(format!(
            "{}{card}: {verdict}  [{}]{since}",
            name_of(change.action),
            change.id
        ));
        let (kept, names) = (&change.operators_kept_archived, &change.operator_names);
        if let Some(what) = operator_words(&change.operator, change.action, kept, names) {
            lines.push(format!("    {} {what}", self.paint.bad("operator")));
        }
        lines.extend(values(&change.fields, change.action));
        lines.extend(other_card_words(change).map(|other| format!("    {other}")));
        for evidence in &change.evidence {
            let source = evidence
                .source
                .as_ref()
                .map_or(String::new(), |source| format!(" ({source})"));
            let grade = match evidence.grade {
                Grade::Strong => "evidence",
                Grade::Weak => "weak evidence",
            };
            lines.push(format!("    {grade}: {}{source}", evidence.detail));
        }
        let told = |why: &&String| change.evidence.iter().all(|evidence| evidence.detail != **why);
        lines.extend(change.why.iter().filter(told).map(|why| format!("    why: {why}")));
        lines.extend(
            change
                .holds
                .iter()
                .map(|hold| format!("    {} {}", self.paint.warn("held:"), hold.message)),
        );
    }

    fn sources(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for source in &self.explanation.sources {
            let SourcePart {
                source: name,
                role,
                read_at: _,
                verdict,
                records,
                skipped,
            } = source;
            let role = role_words(*role);
            let read = match verdict {
                Verdict::Complete => String::new(),
                Verdict::Degraded { .. } => format!(", {}", self.paint.warn("the read is not complete")),
                Verdict::Rejected => format!(", {}", self.paint.bad("the read was rejected")),
            };
            if *skipped {
                let what = "a record with this key is skipped: it is no person by `skip` or `exclude`";
                lines.push(format!("{name} ({role}{read}): {what}"));
            }
            match records.as_slice() {
                [] if *skipped => {}
                [] => lines.push(format!("{name} ({role}{read}): no record")),
                [_] => {}
                several => lines.push(format!("{name} ({role}{read}): {} records", several.len())),
            }
            for record in records {
                let ended = match record.standing {
                    Standing::Current => "",
                    Standing::NotKnown => ", no row is known to be current",
                    Standing::NextRow => ", a row begins later",
                    Standing::AllRowsEnded => ", every row has ended",
                };
                lines.push(format!(
                    "{name} {} ({role}{read}{ended}), key \"{}\"",
                    record.place, record.key
                ));
                // One row that is current is what everybody has.
                let told = record.rows.len() > 1 || record.standing != Standing::Current;
                lines.extend(
                    record
                        .rows
                        .iter()
                        .filter(|_| told)
                        .map(|row| format!("    {}", row_words(row))),
                );
                if let Some(anchor) = &record.anchor {
                    lines.push(format!("    directory id {anchor}"));
                }
                for (attribute, values) in &record.attributes {
                    lines.push(format!("    {attribute}: {}", quoted(values)));
                }
            }
        }
        lines
    }

    fn cards(&self) -> Vec<String> {
        let explanation = self.explanation;
        let matching = &explanation.matching;
        let mut lines = Vec::new();
        let steps: Vec<&str> = matching.normalise.iter().map(|step| normaliser_words(*step)).collect();
        let compared = if steps.is_empty() {
            String::new()
        } else {
            format!(", compared after {}", steps.join(", "))
        };
        if let Some(key) = &matching.key {
            let found = match matching.cards_with_key.as_slice() {
                [] => "no card has it".to_owned(),
                [card] => format!("card {card} has it"),
                cards => format!("{} cards have it", cards.len()),
            };
            lines.push(format!("key {key} in {}{compared}: {found}", matching.card_field));
        }
        for card in &explanation.cards {
            self.card(&mut lines, card);
        }
        lines
    }

    fn card(&self, lines: &mut Vec<String>, card: &CardPart) {
        let relation = match card.relation {
            Relation::Own => "card",
            Relation::SameKey => "also with this key: card",
            Relation::Known => "known as this person's: card",
            Relation::Resembles => "resembles this person: card",
        };
        let state = match (card.read, card.anonymized, card.archived) {
            (false, _, _) => "not in the read",
            (true, true, _) => "anonymized",
            (true, false, true) => "archived",
            (true, false, false) => "active",
        };
        let mut marks = vec![state.to_owned()];
        marks.extend(card.special.then(|| "special account, never touched".to_owned()));
        marks.extend(card.protected.then(|| "protected".to_owned()));
        lines.push(format!("{relation} {}: {}", card.person_id, marks.join(", ")));
        if let Some(raw) = &card.raw_key {
            let key = card.key.as_ref().map_or("no key", |key| key.as_str());
            lines.push(format!("    key field \"{raw}\", compared as {key}"));
        } else if card.read {
            lines.push("    the key field is empty".to_owned());
        }
        if let Some(at) = card.modified_at {
            let by = card.modifier.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            lines.push(format!("    last changed {}{by}", self.when(at)));
        }
        match (&card.operator, card.operators.is_empty()) {
            (OperatorLink::ProvenNone, _) => lines.push("    no operator is linked".to_owned()),
            (OperatorLink::Unproven, _) => {
                lines.push(
                    "    whether an operator is linked is not known: the account may not see everything".to_owned(),
                );
            }
            (OperatorLink::Active { .. } | OperatorLink::Archived { .. }, _) => {}
        }
        for operator in &card.operators {
            let state = if operator.archived { "archived" } else { "active" };
            let kind = match operator.kind {
                OperatorKind::Regular => "",
                OperatorKind::TopdeskAccount => ", TOPdesk account",
                OperatorKind::ApiAccount => ", API account",
            };
            let login = operator
                .login_name
                .as_ref()
                .map_or(String::new(), |login| format!(", login \"{login}\""));
            lines.push(format!(
                "    {} {}: {state}{kind}{login}",
                self.paint.warn("operator"),
                operator.id
            ));
            if let Some(groups) = card.groups.get(&operator.id) {
                lines.push(format!(
                    "        operator groups: {}",
                    group_words(&groups.operator_groups)
                ));
                lines.push(format!(
                    "        permission groups: {}",
                    group_words(&groups.permission_groups)
                ));
            }
        }
    }

    fn fields(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for part in &self.explanation.fields {
            let FieldPart {
                field,
                expression,
                inputs,
                result,
                wanted,
                on_card,
                happens,
            } = part;
            let card = on_card
                .as_ref()
                .map_or("(empty)".to_owned(), |value| format!("\"{value}\""));
            let wants = match wanted {
                WantedPart::Value(value) => format!("\"{value}\""),
                WantedPart::Empty => "(empty)".to_owned(),
                WantedPart::NotKnown(_) => "not known".to_owned(),
            };
            let line = match happens {
                Fate::Same => format!("{field}: {card}, the same"),
                Fate::Written { item, held: false } => format!("{field}: {card} -> {wants}  [{item}]"),
                Fate::Written { item, held: true } => format!("{field}: {card} -> {wants}, held  [{item}]"),
                Fate::Stays { why } => format!("{field}: {card} stays; wanted {wants}: {why}"),
                Fate::HoldsPerson { why } => format!("{field}: {card} stays, and the person waits: {why}"),
            };
            lines.push(line);
            let result = match (result, wanted) {
                // Said already where fitting it to the field changed nothing.
                (Some(result), WantedPart::Value(value)) if result == value => String::new(),
                (Some(result), WantedPart::Value(_) | WantedPart::Empty | WantedPart::NotKnown(_)) => {
                    format!(" = \"{result}\"")
                }
                (None, _) => String::new(),
            };
            lines.push(format!("    {expression}{result}{}", read(inputs)));
        }
        lines
    }

    fn conditions(&self) -> Vec<String> {
        let line = |part: &ConditionPart| {
            let answer = match (part.answer, &part.value) {
                (Some(true), _) => "yes".to_owned(),
                (Some(false), _) => "no".to_owned(),
                (None, Some(value)) => value.clone(),
                (None, None) => {
                    let asked = if part.option == STARTS {
                        "not known"
                    } else {
                        "neither yes nor no"
                    };
                    format!("{asked}: {}", part.why.as_deref().unwrap_or_default())
                }
            };
            let expression = format!("    {}{}", part.expression, read(&part.inputs));
            [format!("{}: {answer}", part.option), expression]
        };
        self.explanation.conditions.iter().flat_map(line).collect()
    }

    fn ledger(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in &self.explanation.ledger {
            let LedgerEntry {
                card,
                former_keys,
                origin,
                since,
                sightings,
                leaving_since,
                archived_by_us,
                anonymized,
                access_later,
                ..
            } = entry;
            let how = match origin {
                Origin::Created => "made by cardsync",
                Origin::Adopted => "adopted",
                Origin::Matched => "found by its key",
            };
            lines.push(format!("card {card}: {how}, ours since {}", self.when(*since)));
            if !former_keys.is_empty() {
                let keys: Vec<&str> = former_keys.iter().map(|key| key.as_str()).collect();
                lines.push(format!("    keys before: {}", keys.join(", ")));
            }
            for (source, sighting) in sightings {
                lines.push(match &sighting.absent {
                    // The ledger notes the time once a day at most: it would tell less than it seems to.
                    None => format!("    {source} had the person at the last look"),
                    Some(absent) => format!(
                        "    {source}: {} in {} counted reads since {}",
                        // Rows that have ended may still be there.
                        if sighting.worked {
                            "no current contract row"
                        } else {
                            "absent"
                        },
                        absent.reads,
                        self.when(absent.since)
                    ),
                });
            }
            if let Some(since) = leaving_since {
                lines.push(format!("    evidence of leaving since {}", self.when(*since)));
            }
            if let Some(archive) = archived_by_us {
                let operators = archive.took_operators.len();
                let took = if operators > 0 {
                    format!(", {operators} operator(s) with it")
                } else {
                    String::new()
                };
                lines.push(format!(
                    "    archived by run {} on {}{took}",
                    archive.run,
                    self.when(archive.at)
                ));
            }
            if *access_later {
                lines.push("    has no access to the self-service portal until the first working day".to_owned());
            }
            if *anonymized {
                lines.push("    was seen anonymized".to_owned());
            }
        }
        lines
    }

    fn journal(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in &self.explanation.journal {
            let JournalEntry {
                run,
                action,
                step,
                item,
                sent_at,
                fields,
                why,
                approved_by,
                outcome,
                message,
                settled,
                settled_by,
                ..
            } = entry;
            let outcome = outcome.as_deref().unwrap_or("cut off").replace('_', " ");
            let by = approved_by
                .as_ref()
                .map_or(String::new(), |by| format!(", approved by {by}"));
            let later = match (settled, settled_by) {
                (Some(settled), Some(run)) => format!(", found to be {} by run {run}", settled.replace('_', " ")),
                (Some(_) | None, _) => String::new(),
            };
            // One change may write to a card and to its operators.
            let action = match step.as_str() {
                "archive_operator" | "unarchive_operator" | "set_login_permission" => format!("{action}: {step}"),
                _of_the_card => action.clone(),
            };
            let action = action.replace('_', " ");
            lines.push(format!(
                "{} run {run}: {action}, {outcome}{later}{by}  [{item}]",
                self.when(*sent_at)
            ));
            let kind = ActionKind::IN_ORDER
                .into_iter()
                .find(|kind| kind.name() == entry.action);
            lines.extend(values(fields, kind.unwrap_or(ActionKind::Update)));
            lines.extend(why.iter().map(|why| format!("    why: {why}")));
            lines.extend(message.iter().map(|message| format!("    {message}")));
        }
        lines
    }

    fn decisions(&self) -> Vec<String> {
        let mut later = BTreeSet::new();
        let line = |logged: &LoggedDecision| {
            let replaced = !later.insert(logged.decision.item.clone());
            decision_words(logged, replaced, &|moment| self.when(moment))
        };
        self.explanation.decisions.iter().map(line).collect()
    }
}
