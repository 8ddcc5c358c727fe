//! What refers to other changes of the same plan: managers whose card is made or marked in it, and logins that another
//! card must give up first.

use super::{Draft, Planner};
use crate::domain::cards::{CardMatch, fold};
use crate::domain::field::{CardField, FieldValue, PendingRef, Reference};
use crate::domain::ids::ItemId;
use crate::domain::key::Key;
use crate::domain::plan::{Action, ActionKind, FieldChange, SkipReason};
use crate::domain::references::card_reference;
use std::collections::{BTreeMap, BTreeSet};

/// Adds the second pass to the drafts.
pub(super) fn resolve(planner: &mut Planner<'_>) -> Vec<Draft> {
    managers(planner);
    logins(planner);
    std::mem::take(&mut planner.drafts)
}

/// The mark of a reference to a draft, before ids are known.
fn draft_mark(number: usize) -> ItemId {
    ItemId::new(format!("draft-{number}"))
}

/// Puts the ids of drafts where their marks stand.
pub(super) fn fill_pending(action: &mut Action, ids: &BTreeMap<usize, ItemId>) {
    let (Action::Create { fields }
    | Action::Update { fields }
    | Action::Adopt { fields }
    | Action::Anonymize { fields }
    | Action::SetReferences { fields }) = action
    else {
        return;
    };
    for change in fields {
        if let Some(FieldValue::Reference(Reference::Pending(pending))) = &mut change.to
            && let Some(number) = pending
                .item
                .as_str()
                .strip_prefix("draft-")
                .and_then(|text| text.parse().ok())
        {
            let number: usize = number;
            pending.item = ids
                .get(&number)
                .expect("a draft is identified after those it depends on")
                .clone();
        }
    }
}

fn managers(planner: &mut Planner<'_>) {
    let creates: BTreeMap<Key, usize> = planner
        .drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.action.kind() == ActionKind::Create)
        .filter_map(|(number, draft)| draft.key.clone().map(|key| (key, number)))
        .collect();
    let mut flags: BTreeMap<usize, usize> = BTreeMap::new();
    for wish in std::mem::take(&mut planner.manager_wishes) {
        let (to, after) = match (creates.get(&wish.manager), planner.index.matching(&wish.manager)) {
            (Some(create), _) => {
                mark_new_manager(planner, *create);
                let pending = PendingRef {
                    item: draft_mark(*create),
                    label: wish.manager.as_str().into(),
                };
                (Reference::Pending(pending), *create)
            }
            (None, CardMatch::One { card, .. }) => match flag_change(planner, &wish.manager, card, &mut flags) {
                Some(flag) => (card_reference(&planner.index.cards[card].id, &wish.manager), flag),
                None => {
                    let detail = "the manager's card is not marked as a manager's, and cardsync may not change it; the field stays as it is";
                    planner.skip(SkipReason::ManagerUnknown, Some(&wish.key), wish.card, detail);
                    continue;
                }
            },
            (None, _) => {
                let detail = format!(
                    "no card has the manager's key {}; the field stays as it is",
                    wish.manager
                );
                planner.skip(SkipReason::ManagerUnknown, Some(&wish.key), wish.card, detail);
                continue;
            }
        };
        let change = FieldChange {
            field: CardField::Manager,
            from: wish.from,
            to: Some(FieldValue::Reference(to)),
        };
        // A new card's own creation comes first: apply finds the card by it.
        let mut order = Vec::new();
        if wish.card.is_none() {
            order.extend(wish.draft);
        }
        if !order.contains(&after) {
            order.push(after);
        }
        add_reference(planner, &wish.key, wish.card, change, order, wish.draft);
    }
}

/// A change of the second pass; a second one for the same person joins the first.
fn add_reference(
    planner: &mut Planner<'_>,
    key: &Key,
    card: Option<usize>,
    change: FieldChange,
    after: Vec<usize>,
    own: Option<usize>,
) {
    let doubts = own.map(|own| planner.drafts[own].doubts.clone()).unwrap_or_default();
    let operator = match (card, own) {
        (Some(card), _) => planner.index.operator(card),
        (None, Some(own)) => planner.drafts[own].operator.clone(),
        (None, None) => crate::domain::card::OperatorLink::ProvenNone,
    };
    let mut order = after;
    // What the person's own change needs (an unarchive), this needs too.
    if let (Some(own), Some(_)) = (own, card) {
        for other in planner.drafts[own].after.clone() {
            if !order.contains(&other) {
                order.push(other);
            }
        }
    }
    let existing = planner.drafts.iter().position(|draft| {
        draft.action.kind() == ActionKind::SetReferences && draft.key.as_ref() == Some(key) && draft.card == card
    });
    match existing {
        Some(number) => {
            let draft = &mut planner.drafts[number];
            if let Action::SetReferences { fields } = &mut draft.action {
                fields.push(change);
                fields.sort_by_key(|change| change.field);
            }
            for other in order {
                if !draft.after.contains(&other) {
                    draft.after.push(other);
                }
            }
        }
        None => {
            planner.draft(Draft {
                action: Action::SetReferences { fields: vec![change] },
                key: Some(key.clone()),
                raw_key: None,
                card,
                operator,
                evidence: Vec::new(),
                doubts,
                why: vec!["needs an earlier change of this plan".to_owned()],
                anchors: Vec::new(),
                after: order,
            });
        }
    }
}

/// A card that is made in this plan gets the manager flag with it, where the environment needs it.
fn mark_new_manager(planner: &mut Planner<'_>, create: usize) {
    if !planner.input.policy.manager_flag {
        return;
    }
    if let Action::Create { fields } = &mut planner.drafts[create].action
        && !fields.iter().any(|change| change.field == CardField::IsManager)
    {
        fields.push(FieldChange {
            field: CardField::IsManager,
            from: None,
            to: Some(FieldValue::Flag(true)),
        });
        fields.sort_by_key(|change| change.field);
    }
}

/// The change that marks an existing card as a manager's: a change of its own, only on cards that may be updated.
fn flag_change(
    planner: &mut Planner<'_>,
    manager: &Key,
    card: usize,
    flags: &mut BTreeMap<usize, usize>,
) -> Option<usize> {
    if let Some(number) = flags.get(&card) {
        return Some(*number);
    }
    let id = &planner.index.cards[card].id;
    let ours = planner.learned.contains_key(id) || planner.input.ledger.contains_key(id);
    let allowed = ours && !planner.index.is_special(card) && !planner.is_protected(Some(manager), Some(card));
    let mapped = planner.input.policy.fields.contains_key(&CardField::IsManager);
    if !allowed || mapped || planner.index.cards[card].archived {
        return None;
    }
    let from = planner.index.cards[card].fields.get(CardField::IsManager).cloned();
    let change = FieldChange {
        field: CardField::IsManager,
        from,
        to: Some(FieldValue::Flag(true)),
    };
    let number = planner.draft(Draft {
        action: Action::Update { fields: vec![change] },
        key: Some(manager.clone()),
        raw_key: None,
        card: Some(card),
        operator: planner.index.operator(card),
        evidence: Vec::new(),
        doubts: Vec::new(),
        why: vec!["others have this person as their manager, which needs the manager flag".to_owned()],
        anchors: Vec::new(),
        after: Vec::new(),
    });
    flags.insert(card, number);
    Some(number)
}

/// One wish for a login name, in a create, update or adopt.
struct LoginWish {
    draft: usize,
    card: Option<usize>,
    login: String,
}

/// Login names are unique in TOPdesk. One that another card holds is left out, or set once that card has given it up.
fn logins(planner: &mut Planner<'_>) {
    let holders = login_holders(planner);
    let wishes = login_wishes(planner);
    let mut wanted_by: BTreeMap<&str, usize> = BTreeMap::new();
    for wish in &wishes {
        *wanted_by.entry(&wish.login).or_default() += 1;
    }
    // Drafts that take a login off their card.
    let frees: BTreeMap<usize, usize> = planner
        .drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| {
            draft
                .action
                .fields()
                .iter()
                .any(|change| change.field == CardField::TasLoginName)
        })
        .filter_map(|(number, draft)| draft.card.map(|card| (card, number)))
        .collect();
    let by_draft: BTreeMap<usize, &LoginWish> = wishes.iter().map(|wish| (wish.draft, wish)).collect();
    let holder_of = |wish: &LoginWish| {
        holders
            .get(&wish.login)
            .copied()
            .filter(|holder| Some(*holder) != wish.card)
    };
    // A wish is blocked when nobody gives the login up, when two want it, or when wishes wait for each other in a circle.
    let mut blocked: BTreeSet<usize> = BTreeSet::new();
    for wish in &wishes {
        let mut seen = BTreeSet::new();
        let mut at = wish;
        let stuck = loop {
            if wanted_by[at.login.as_str()] > 1 || !seen.insert(at.draft) {
                break true;
            }
            let Some(holder) = holder_of(at) else { break false };
            match frees.get(&holder) {
                None => break true,
                Some(free) => match by_draft.get(free) {
                    Some(next) => at = next,
                    None => break false, // the holder's login is emptied
                },
            }
        };
        if stuck {
            blocked.insert(wish.draft);
        }
    }
    // Holders first, so that a chain of logins is set in order.
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    let mut open: Vec<&LoginWish> = wishes.iter().collect();
    while !open.is_empty() {
        let before = open.len();
        open.retain(|wish| {
            if blocked.contains(&wish.draft) {
                take_login_out(planner, wish.draft);
                let key = planner.drafts[wish.draft].key.clone();
                planner.skip(
                    SkipReason::LoginHeld,
                    key.as_ref(),
                    wish.card,
                    "the login name is held or wanted by another card; it is set once it is free",
                );
                return false;
            }
            let Some(holder) = holder_of(wish) else { return false };
            let free = frees[&holder];
            let holder_moves = by_draft.get(&free).is_some_and(|next| holder_of(next).is_some());
            if holder_moves && !moved.contains_key(&free) {
                return true;
            }
            let after = moved.get(&free).copied().unwrap_or(free);
            let change = take_login_out(planner, wish.draft).expect("the wish came from this draft");
            let key = planner.drafts[wish.draft].key.clone().expect("people have keys");
            let mut order = vec![after];
            if wish.card.is_none() {
                order.insert(0, wish.draft);
            }
            add_reference(planner, &key, wish.card, change, order, Some(wish.draft));
            let number = planner.drafts.iter().position(|draft| {
                draft.action.kind() == ActionKind::SetReferences
                    && draft.key.as_ref() == Some(&key)
                    && draft.card == wish.card
            });
            moved.insert(wish.draft, number.expect("it was just added"));
            false
        });
        assert!(open.len() < before, "blocked circles were taken out before");
    }
    drop_empty(planner);
}

fn login_holders(planner: &Planner<'_>) -> BTreeMap<String, usize> {
    let reserved = planner.input.policy.archived_logins_reserved;
    let held = planner
        .index
        .cards
        .iter()
        .enumerate()
        .filter(|(_, card)| reserved || !card.archived);
    held.filter_map(|(number, card)| {
        card.fields
            .text(CardField::TasLoginName)
            .map(|login| (fold(login), number))
    })
    .collect()
}

fn login_wishes(planner: &Planner<'_>) -> Vec<LoginWish> {
    let mut wishes: Vec<LoginWish> = Vec::new();
    for (number, draft) in planner.drafts.iter().enumerate() {
        let wanted = super::text_of(draft.action.fields(), CardField::TasLoginName);
        let alternative = matches!(draft.action, Action::Adopt { .. });
        // An adoption is the other choice of a create: both want the login, only one happens.
        let twin = alternative && wishes.iter().any(|wish| planner.drafts[wish.draft].key == draft.key);
        if let (Some(login), false) = (wanted, twin) {
            wishes.push(LoginWish {
                draft: number,
                card: draft.card,
                login: fold(login),
            });
        }
    }
    wishes
}

fn take_login_out(planner: &mut Planner<'_>, draft: usize) -> Option<FieldChange> {
    let (Action::Create { fields } | Action::Update { fields } | Action::Adopt { fields }) =
        &mut planner.drafts[draft].action
    else {
        return None;
    };
    let at = fields
        .iter()
        .position(|change| change.field == CardField::TasLoginName)?;
    Some(fields.remove(at))
}

/// Updates that lost their only field are not changes any more; the numbers of the others move up.
fn drop_empty(planner: &mut Planner<'_>) {
    let empty: Vec<bool> = planner
        .drafts
        .iter()
        .map(|draft| matches!(&draft.action, Action::Update { fields } if fields.is_empty()))
        .collect();
    if !empty.contains(&true) {
        return;
    }
    let mut numbers = BTreeMap::new();
    let mut next = 0;
    for (old, gone) in empty.iter().enumerate() {
        if !gone {
            numbers.insert(old, next);
            next += 1;
        }
    }
    let mut drafts = std::mem::take(&mut planner.drafts);
    let mut keep = empty.iter().map(|gone| !gone);
    drafts.retain(|_| keep.next().unwrap_or(true));
    for draft in &mut drafts {
        draft.after = draft.after.iter().filter_map(|old| numbers.get(old).copied()).collect();
        for doubt in &mut draft.doubts {
            if let crate::domain::plan::HoldReason::PairedWith { item } = doubt
                && let Some(new) = item.as_str().parse::<usize>().ok().and_then(|old| numbers.get(&old))
            {
                *item = new.to_string().into();
            }
        }
        let (Action::Create { fields }
        | Action::Update { fields }
        | Action::Adopt { fields }
        | Action::SetReferences { fields }
        | Action::Anonymize { fields }) = &mut draft.action
        else {
            continue;
        };
        for change in fields {
            if let Some(FieldValue::Reference(Reference::Pending(pending))) = &mut change.to
                && let Some(old) = pending
                    .item
                    .as_str()
                    .strip_prefix("draft-")
                    .and_then(|text| text.parse::<usize>().ok())
            {
                pending.item = draft_mark(numbers[&old]);
            }
        }
    }
    planner.drafts = drafts;
}
