//! The world of the tests: sources, cards, operators and memory, put together by builders.

use super::describe::{FIELDS, FakeMapping};
pub use super::source::{Row, TestSource, row};
use crate::core::guard::{Judged, judge};
use crate::core::input::{FormerPlan, PlanInput};
use crate::core::memory::decision::{Contact, Decision, SeenConfig, SetAside};
use crate::core::memory::ledger::{Absence, KnownWrites, LastLook, LedgerEntry, Origin, OurArchive, Sighting};
use crate::core::model::card::{
    DepartmentMode, FilterProof, LookupEntry, Lookups, OperatorCard, OperatorKind, PersonCard, TargetSnapshot,
};
use crate::core::model::field::{CardField, FieldValue, LookupKind};
use crate::core::model::groups::{Group, GroupsRead, OperatorGroups, Seen};
use crate::core::model::identity::Moment;
use crate::core::model::ids::{CardId, ItemId, OperatorId, SourceName};
use crate::core::model::key::{Key, KeySpec, Normaliser};
use crate::core::plan::safe_end::HalfDone;
use crate::core::plan::{Change, Plan, SkipReason};
use crate::core::planner::plan;
use crate::core::reads::clock::ClockJudgement;
use crate::core::reads::quality::judge_target;
use crate::core::reads::snapshot::{Expectations, Finding, Role, SnapshotHistory, Verdict};
use crate::core::rules::lists::hold_the_people;
use crate::core::rules::policy::{
    Budgets, DECISION_VERSION, FieldPolicy, FieldRules, MissingEntry, Policy, Protected, RehireOperator, RehirePerson,
    WorkLeft,
};
use crate::core::rules::window::{BudgetUsed, Spent};
use chrono::{DateTime, Duration, TimeZone, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub struct World {
    pub policy: Policy,
    pub mapping: FakeMapping,
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub sources: Vec<TestSource>,
    pub cards: BTreeMap<CardId, PersonCard>,
    pub operators: BTreeMap<OperatorId, OperatorCard>,
    pub ledger: BTreeMap<CardId, LedgerEntry>,
    pub decisions: BTreeMap<ItemId, Decision>,
    pub contact: Contact,
    /// What the configuration before would have planned.
    pub former: Option<FormerPlan>,
    /// What the runs of this world sent.
    pub spent: Vec<Spent>,
    pub set_aside: BTreeMap<ItemId, SetAside>,
    /// Operator groups by name, with their members.
    pub groups: BTreeMap<String, BTreeSet<OperatorId>>,
    pub in_doubt: BTreeSet<Key>,
    pub purged_keys: BTreeSet<Key>,
    pub forgotten_cards: BTreeMap<Key, CardId>,
    pub pins: Vec<crate::core::memory::pin::Pin>,
    pub half_done: BTreeSet<HalfDone>,
    pub writes: KnownWrites,
    pub filters: FilterProof,
    pub lookups: Lookups,
    pub own_cards: BTreeSet<CardId>,
    pub target_findings: Vec<Finding>,
    pub confirmed_gone: BTreeSet<CardId>,
    pub target_history: SnapshotHistory,
    pub clock: ClockJudgement,
}

pub fn key(text: &str) -> Key {
    Key::stored(text)
}

pub fn entry(id: &str, name: &str) -> LookupEntry {
    LookupEntry {
        id: id.into(),
        name: name.into(),
        qualifier: None,
    }
}

fn policy() -> Policy {
    let rules = |field| FieldRules {
        policy: FieldPolicy::Enforce,
        missing: match field {
            CardField::Department => MissingEntry::Create,
            _ => MissingEntry::Hold,
        },
    };
    Policy {
        config_hash: "config-1".to_owned(),
        decision_version: DECISION_VERSION,
        key: KeySpec {
            card_field: CardField::EmployeeNumber,
            normalise: vec![Normaliser::Trim, Normaliser::Uppercase],
            immutable: false,
        },
        birth_date: None,
        fields: FIELDS.iter().map(|(_, field)| (*field, rules(*field))).collect(),
        has_ssp_access: true,
        is_caller: true,
        same_people: Vec::new(),
        expectations: BTreeMap::new(),
        target_expectations: Expectations {
            min_records: 0,
            ..Expectations::default()
        },
        leaver_after: Duration::hours(24),
        leaver_gap_days: 0,
        leaver_at: None,
        work_left: WorkLeft::Off,
        joiners: None,
        missing_reads: 3,
        missing_for: Duration::hours(48),
        rehire: RehirePerson::Unarchive,
        rehire_operator: RehireOperator::Hold,
        disarm: false,
        manager_flag: false,
        archived_logins_reserved: true,
        budgets: Budgets::default(),
        protected: Protected::default(),
        anonymize: None,
    }
}

impl World {
    /// One authoritative source `hr`, nobody in it, a configuration that has been seen before.
    pub fn new() -> Self {
        let policy = policy();
        let seen = SeenConfig {
            config_hash: policy.config_hash.clone(),
            decision_version: policy.decision_version,
            config: None,
        };
        let branches = vec![entry("b1", "Utrecht"), entry("b2", "Delft")];
        let lists = BTreeMap::from([
            (LookupKind::Branch, branches),
            (LookupKind::Department, vec![entry("d1", "Sales")]),
        ]);
        World {
            policy,
            mapping: FakeMapping::default(),
            zone: chrono_tz::Europe::Amsterdam,
            now: Utc
                .with_ymd_and_hms(2026, 3, 2, 9, 0, 0)
                .single()
                .expect("a valid time"),
            sources: vec![TestSource::new("hr", Role::Authoritative)],
            cards: BTreeMap::new(),
            operators: BTreeMap::new(),
            ledger: BTreeMap::new(),
            decisions: BTreeMap::new(),
            contact: Contact {
                seen: Some(seen),
                ..Contact::default()
            },
            former: None,
            spent: Vec::new(),
            set_aside: BTreeMap::new(),
            groups: BTreeMap::new(),
            in_doubt: BTreeSet::new(),
            purged_keys: BTreeSet::new(),
            forgotten_cards: BTreeMap::new(),
            pins: Vec::new(),
            half_done: BTreeSet::new(),
            writes: KnownWrites::default(),
            filters: FilterProof::None,
            lookups: Lookups {
                lists,
                department_mode: DepartmentMode::DropDown,
            },
            own_cards: BTreeSet::new(),
            target_findings: Vec::new(),
            confirmed_gone: BTreeSet::new(),
            target_history: SnapshotHistory::default(),
            clock: ClockJudgement::default(),
        }
    }

    /// So many people who are in `hr`, have a card that is ours, and need nothing: `E001` with card `c-E001`, and so on.
    pub fn of(people: u32) -> Self {
        let mut world = World::new();
        for number in 1..=people {
            world.staff(&format!("E{number:03}"));
        }
        world
    }

    pub fn source(&mut self, name: &str) -> &mut TestSource {
        let found = self.sources.iter_mut().find(|source| source.name.as_str() == name);
        found.unwrap_or_else(|| panic!("no source {name}"))
    }

    pub fn hr(&mut self) -> &mut TestSource {
        self.source("hr")
    }

    /// Somebody of `hr` with a card of ours that agrees.
    pub fn staff(&mut self, key: &str) {
        self.hr().rows.push(row(key));
        let id = format!("c-{key}");
        self.card(&id, &row(key));
        self.ours(&id);
    }

    /// An active card with what a row says.
    pub fn card(&mut self, id: &str, row: &Row) {
        let mut card = PersonCard {
            id: id.into(),
            archived: false,
            fields: [
                (CardField::HasSspAccess, FieldValue::Flag(true)),
                (CardField::IsCaller, FieldValue::Flag(true)),
            ]
            .into_iter()
            .collect(),
            creator: None,
            modifier: None,
            created_at: None,
            modified_at: Some(self.now - Duration::days(90)),
        };
        let texts = FIELDS
            .iter()
            .filter(|(_, field)| !matches!(field, CardField::Branch | CardField::Department | CardField::Manager));
        for (attribute, field) in texts.chain(&[("key", CardField::EmployeeNumber)]) {
            let value = row.values.get(attribute).and_then(|text| FieldValue::text(text));
            card.fields.set(*field, value);
        }
        self.cards.insert(id.into(), card);
    }

    pub fn set(&mut self, card: &str, field: CardField, value: Option<FieldValue>) {
        self.card_mut(card).fields.set(field, value);
    }

    pub fn set_text(&mut self, card: &str, field: CardField, text: &str) {
        self.set(card, field, FieldValue::text(text));
    }

    pub fn card_mut(&mut self, id: &str) -> &mut PersonCard {
        self.cards
            .get_mut(&CardId::from(id))
            .unwrap_or_else(|| panic!("no card {id}"))
    }

    /// The ledger knows the card, under the key it has now, seen in `hr` a month ago.
    pub fn ours(&mut self, id: &str) -> &mut LedgerEntry {
        let id = CardId::from(id);
        let raw = self.cards[&id]
            .fields
            .text(CardField::EmployeeNumber)
            .expect("a card with a key");
        let mut entry = LedgerEntry::new(
            id.clone(),
            Key::stored(&raw.trim().to_uppercase()),
            Origin::Matched,
            self.now - Duration::days(30),
        );
        let sighting = Sighting::new(self.now - Duration::hours(1));
        entry.sightings.insert("hr".into(), sighting);
        self.ledger.insert(id.clone(), entry);
        self.entry(id.as_str())
    }

    pub fn entry(&mut self, id: &str) -> &mut LedgerEntry {
        self.ledger
            .get_mut(&CardId::from(id))
            .unwrap_or_else(|| panic!("no ledger entry {id}"))
    }

    /// The source has missed the person in so many reads, since so many hours.
    pub fn absent(&mut self, card: &str, source: &str, reads: u32, hours: i64) {
        let since = self.now - Duration::hours(hours);
        let sighting = self.entry(card).sightings.get_mut(&SourceName::from(source));
        sighting.expect("the source had the person").absent = Some(Absence {
            since,
            reads,
            generation: "0".into(),
        });
    }

    /// An archive of ours that nobody touched since.
    pub fn archived_by_us(&mut self, card: &str) {
        let at = self.now - Duration::days(10);
        let stored = self.card_mut(card);
        stored.archived = true;
        stored.modified_at = Some(at);
        self.entry(card).last_look = LastLook::Archived;
        self.entry(card).archived_by_us = Some(Box::new(OurArchive {
            at,
            run: "run".into(),
            modified_at: Some(at),
            modifier: None,
            took_operators: Vec::new(),
            put_back: false,
            asked_for: false,
        }));
    }

    pub fn operator(&mut self, id: &str, card: &str, archived: bool, kind: OperatorKind) {
        let operator = OperatorCard {
            id: id.into(),
            archived,
            kind,
            linked_person: Some(card.into()),
            login_name: None,
            email: None,
            login_permission: Some(true),
        };
        self.operators.insert(id.into(), operator);
    }

    /// The groups as TOPdesk gives them: every operator can be read, most are in none.
    fn groups(&self) -> GroupsRead {
        let group = |name: &String| Group {
            id: name.as_str().into(),
            name: name.as_str().into(),
        };
        let of_one = |operator: &OperatorId| {
            let of = self.groups.iter().filter(|(_, members)| members.contains(operator));
            let groups = of.map(|(name, _)| group(name)).collect();
            OperatorGroups {
                operator_groups: Seen::Known(groups),
                permission_groups: Seen::Known(Vec::new()),
            }
        };
        GroupsRead {
            of_operators: self.operators.keys().map(|id| (id.clone(), of_one(id))).collect(),
            members: self
                .groups
                .iter()
                .map(|(name, members)| (name.as_str().into(), Seen::Known(members.clone())))
                .collect(),
        }
    }

    pub fn input(&self) -> PlanInput {
        let count = self.cards.len() as u64;
        let mut target = TargetSnapshot {
            read_at: self.now,
            verdict: Verdict::Complete,
            findings: self.target_findings.clone(),
            cards: self.cards.values().cloned().collect(),
            operators: self.operators.values().cloned().collect(),
            filters: self.filters.clone(),
            lookups: self.lookups.clone(),
            counts: (count, count),
            archiving_reason: Some("reason".into()),
            own_account: Some("own".into()),
            own_cards: self.own_cards.clone(),
            confirmed_gone: self.confirmed_gone.clone(),
            server_time: None,
            unknown_fields: BTreeSet::new(),
            acceptance: None,
            installation: Default::default(),
            accepted: None,
        };
        let asked: BTreeSet<CardField> = self.policy.fields.keys().copied().collect();
        judge_target(
            &mut target,
            &asked,
            self.ledger.keys(),
            &self.policy.target_expectations,
            &self.target_history,
        );
        let mut input = PlanInput {
            clock: self.clock.clone(),
            environment: "example.topdesk.net".into(),
            policy: self.policy.clone(),
            moment: Moment {
                now: self.now,
                zone: self.zone,
            },
            snapshots: self
                .sources
                .iter()
                .map(|source| source.snapshot(&self.policy, self.now))
                .collect(),
            target,
            ledger: self.ledger.clone(),
            decisions: self.decisions.clone(),
            contact: self.contact.clone(),
            budget_used: BudgetUsed::new(self.spent.clone()),
            set_aside: self.set_aside.clone(),
            groups: self.groups(),
            former: self.former.clone(),
            in_doubt: self.in_doubt.clone(),
            purged_keys: self.purged_keys.clone(),
            forgotten_cards: self.forgotten_cards.clone(),
            pins: self.pins.clone(),
            half_done: self.half_done.clone(),
            writes: self.writes.clone(),
        };
        hold_the_people(&mut input);
        input
    }

    pub fn plan(&self) -> Plan {
        plan(&self.input(), &self.mapping)
    }

    pub fn judged(&self) -> Judged {
        let input = self.input();
        judge(plan(&input, &self.mapping), &input)
    }
}

/// `archive c-E001`, `create E002`: what a plan does, without ids.
pub fn names(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(name).collect()
}

pub fn name(change: &Change) -> String {
    let what = match (&change.card, &change.key) {
        (Some(card), _) => card.to_string(),
        (None, Some(key)) => key.to_string(),
        (None, None) => String::new(),
    };
    format!("{} {what}", change.action.kind())
}

/// What may be sent.
pub fn allowed(judged: &Judged) -> Vec<String> {
    judged
        .approved
        .changes()
        .iter()
        .map(|change| name(change.change()))
        .collect()
}

/// The reasons for which an action on a card, or a create of a key, is held; none when it passes.
pub fn holds(judged: &Judged, named: &str) -> Vec<String> {
    let found: Vec<&Change> = judged
        .plan
        .changes
        .iter()
        .filter(|change| name(change) == named)
        .collect();
    assert!(
        !found.is_empty(),
        "{named} is not in the plan: {:?}",
        names(&judged.plan)
    );
    found
        .iter()
        .flat_map(|change| judged.held.get(&change.id).into_iter().flatten())
        .map(|reason| reason.code())
        .collect()
}

pub fn change<'a>(plan: &'a Plan, named: &str) -> &'a Change {
    let found = plan.changes.iter().find(|change| name(change) == named);
    found.unwrap_or_else(|| panic!("{named} is not in the plan: {:?}", names(plan)))
}

/// Why nothing happens, as pairs of reason and card or key.
pub fn skips(plan: &Plan) -> Vec<(SkipReason, String)> {
    let what = |card: &Option<CardId>, key: &Option<Key>| match (card, key) {
        (Some(card), _) => card.to_string(),
        (None, Some(key)) => key.to_string(),
        (None, None) => String::new(),
    };
    plan.skipped
        .iter()
        .map(|skip| (skip.reason, what(&skip.card, &skip.key)))
        .collect()
}

/// The text that a change writes into a field.
pub fn text_of(change: &Change, field: CardField) -> Option<String> {
    let found = change.action.fields().iter().find(|change| change.field == field)?;
    match &found.to {
        Some(FieldValue::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}
