//! What refers to other changes of the same plan: managers whose card is made or marked in it, and logins that another
//! card must give up first.

use super::{Draft, Planner};
use crate::core::model::card::OperatorLink;
use crate::core::model::field::{CardField, FieldValue, PendingRef, Reference};
use crate::core::model::ids::ItemId;
use crate::core::model::key::Key;
use crate::core::model::references::card_reference;
use crate::core::plan::{Action, ActionKind, FieldChange, HoldReason, SkipReason};
use crate::core::reads::cards::{CardMatch, fold};
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
    | Action::Exchange { fields, .. }
    | Action::Merge { fields, .. }
    | Action::Anonymize { fields, .. }
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
    let mut creates: BTreeMap<Key, usize> = BTreeMap::new();
    let mut wakes: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, draft) in planner.drafts.iter().enumerate() {
        match (draft.action.kind(), &draft.key, draft.card) {
            (ActionKind::Create, Some(key), _) => {
                creates.insert(key.clone(), number);
            }
            (ActionKind::Unarchive, _, Some(card)) => {
                wakes.insert(card, number);
            }
            (_, _, _) => {}
        }
    }
    let mut flags: BTreeMap<usize, usize> = BTreeMap::new();
    for wish in std::mem::take(&mut planner.manager_wishes) {
        let (to, after) = match reach_manager(planner, &wish.manager, &creates, &wakes, &mut flags) {
            Ok(found) => found,
            Err(why) => {
                let detail = format!("{why}; the field stays as it is");
                planner.skip(SkipReason::ManagerUnknown, Some(&wish.key), wish.card, detail);
                continue;
            }
        };
        let to = FieldValue::Reference(to);
        if wish.from.as_ref() == Some(&to) {
            continue;
        }
        // A new card's own creation comes first: apply finds the card by it.
        let mut order = Vec::new();
        if wish.card.is_none() {
            order.extend(wish.draft);
        }
        order.push(after);
        order.extend(wish.after);
        let mut doubts = wish.doubts;
        if let Some(own) = wish.draft.filter(|_| !doubts.is_empty()) {
            // Both halves or none, as with logins; one approval is for both.
            order.push(own);
            doubts.clear();
        }
        let change = FieldChange {
            field: CardField::Manager,
            from: wish.from,
            to: Some(to),
        };
        let place = Place {
            key: &wish.key,
            card: wish.card,
            own: wish.draft,
        };
        add_reference(planner, place, change, order, doubts);
    }
}

/// A manager's card, and the change of this plan that must be done before others can refer to it.
fn reach_manager(
    planner: &mut Planner<'_>,
    manager: &Key,
    creates: &BTreeMap<Key, usize>,
    wakes: &BTreeMap<usize, usize>,
    flags: &mut BTreeMap<usize, usize>,
) -> Result<(Reference, usize), String> {
    if let Some(create) = creates.get(manager) {
        mark_new_manager(planner, *create);
        let pending = PendingRef {
            item: draft_mark(*create),
            label: manager.as_str().into(),
        };
        return Ok((Reference::Pending(pending), *create));
    }
    let CardMatch::One { card, .. } = planner.index.matching(manager) else {
        return Err(format!("no card has the manager's key {manager}"));
    };
    let stored = &planner.index.cards[card];
    let reference = card_reference(&stored.id, manager);
    let wake = wakes.get(&card).copied();
    if stored.archived && wake.is_none() {
        return Err(format!("the manager's card ({manager}) is archived"));
    }
    let flagged = stored.fields.get(CardField::IsManager) == Some(&FieldValue::Flag(true));
    match wake {
        Some(wake) if flagged || !planner.input.policy.manager_flag => return Ok((reference, wake)),
        Some(_) | None => {}
    }
    match flag_change(planner, manager, card, wake, flags) {
        Some(flag) => Ok((reference, flag)),
        None => Err("the manager's card is not marked as a manager's, and cardsync may not change it".to_owned()),
    }
}

/// Whose second change it is, and the draft with the first, if there is one.
struct Place<'p> {
    key: &'p Key,
    card: Option<usize>,
    own: Option<usize>,
}

/// A change of the second pass; gives its number. A manager and a login are changes of their own: what one of them waits
/// for does not hold the other.
fn add_reference(
    planner: &mut Planner<'_>,
    place: Place<'_>,
    change: FieldChange,
    order: Vec<usize>,
    doubts: Vec<HoldReason>,
) -> usize {
    let operator = match (place.card, place.own) {
        (Some(card), _) => planner.index.operator(card),
        (None, Some(own)) => planner.drafts[own].operator.clone(),
        (None, None) => OperatorLink::ProvenNone,
    };
    let mut after = Vec::new();
    for other in order {
        if !after.contains(&other) {
            after.push(other);
        }
    }
    planner.drafts.push(Draft {
        why: vec!["needs an earlier change of this plan".to_owned()],
        after,
        doubts,
        ..Draft::new(
            Action::SetReferences { fields: vec![change] },
            Some(place.key.clone()),
            place.card,
            operator,
        )
    });
    planner.drafts.len() - 1
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
    wake: Option<usize>,
    flags: &mut BTreeMap<usize, usize>,
) -> Option<usize> {
    if let Some(number) = flags.get(&card) {
        return Some(*number);
    }
    // Only who stays, without a conflict or doubt, is ours and may be updated.
    let mapped = planner.input.policy.fields.contains_key(&CardField::IsManager);
    if mapped || !planner.stays[card] {
        return None;
    }
    let from = planner.index.cards[card].fields.get(CardField::IsManager).cloned();
    let change = FieldChange {
        field: CardField::IsManager,
        from,
        to: Some(FieldValue::Flag(true)),
    };
    let operator = planner.index.operator(card);
    let number = planner.draft(Draft {
        why: vec!["others have this person as their manager, which needs the manager flag".to_owned()],
        after: wake.into_iter().collect(),
        ..Draft::new(
            Action::Update { fields: vec![change] },
            Some(manager.clone()),
            Some(card),
            operator,
        )
    });
    flags.insert(card, number);
    Some(number)
}

/// One wish for a login name, in a create, update or adopt.
struct LoginWish {
    draft: usize,
    key: Key,
    card: Option<usize>,
    login: String,
    /// Another choice beside a creation: it never waits for a login, it goes without.
    adopt: bool,
}

/// Login names are unique in TOPdesk. One that another card holds is left out, or set once that card has given it up.
fn logins(planner: &mut Planner<'_>) {
    let wishes = login_wishes(planner);
    if wishes.is_empty() {
        return;
    }
    let holders = login_holders(planner);
    // A creation and the adoptions offered instead are one person's: only one of them happens.
    let mut wanted_by: BTreeMap<&str, BTreeSet<&Key>> = BTreeMap::new();
    for wish in &wishes {
        wanted_by.entry(&wish.login).or_default().insert(&wish.key);
    }
    // Updates that take a login off their card.
    let frees: BTreeMap<usize, usize> = planner
        .drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.action.kind() == ActionKind::Update)
        .filter(|(_, draft)| {
            let fields = draft.action.fields();
            fields.iter().any(|change| change.field == CardField::TasLoginName)
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
    // The wish that must be fulfilled before this one, as long as a login is passed on.
    let next_of = |wish: &LoginWish| {
        holder_of(wish)
            .and_then(|holder| frees.get(&holder))
            .and_then(|free| by_draft.get(free).copied())
    };
    let stuck_itself = |wish: &LoginWish| {
        let held = holder_of(wish).is_some_and(|holder| wish.adopt || !frees.contains_key(&holder));
        held || wanted_by[wish.login.as_str()].len() > 1
    };
    // A wish is blocked when nobody gives the login up, when two want it, when it waits for a blocked one, or when wishes
    // wait for each other in a circle. Walked once per wish: what was found is kept.
    let mut verdicts: BTreeMap<usize, bool> = BTreeMap::new();
    let mut holders_first: Vec<&LoginWish> = Vec::new();
    for wish in &wishes {
        let mut chain: Vec<&LoginWish> = Vec::new();
        let mut on_chain = BTreeSet::new();
        let mut at = wish;
        let mut stuck = loop {
            if let Some(known) = verdicts.get(&at.draft) {
                break *known;
            }
            if !on_chain.insert(at.draft) {
                break true;
            }
            chain.push(at);
            if stuck_itself(at) {
                break true;
            }
            match next_of(at) {
                Some(next) => at = next,
                None => break false,
            }
        };
        for link in chain.into_iter().rev() {
            stuck |= stuck_itself(link);
            verdicts.insert(link.draft, stuck);
            holders_first.push(link);
        }
    }
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    for wish in holders_first {
        if verdicts[&wish.draft] {
            take_login_out(planner, wish.draft);
            planner.skip(
                SkipReason::LoginHeld,
                Some(&wish.key),
                wish.card,
                "the login name is held or wanted by another card; it is set once it is free",
            );
            continue;
        }
        let Some(holder) = holder_of(wish) else { continue };
        let free = frees[&holder];
        let change = take_login_out(planner, wish.draft).expect("the wish came from this draft");
        let own = &planner.drafts[wish.draft];
        let doubted = !own.doubts.is_empty();
        // What the person's own change needs (an unarchive), this needs too; a new card needs its creation first.
        let mut order: Vec<usize> = wish.card.is_none().then_some(wish.draft).into_iter().collect();
        order.push(moved.get(&free).copied().unwrap_or(free));
        order.extend(&own.after);
        if doubted {
            // Both halves or none: what one writes could make the doubt about the other look settled.
            order.push(wish.draft);
        }
        let place = Place {
            key: &wish.key,
            card: wish.card,
            own: Some(wish.draft),
        };
        let number = add_reference(planner, place, change, order, Vec::new());
        moved.insert(wish.draft, number);
    }
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
    let drafts = planner.drafts.iter().enumerate();
    // A merge moves the login between its own two cards and waits for nobody.
    drafts
        .filter(|(_, draft)| draft.action.kind() != ActionKind::Merge)
        .filter_map(|(number, draft)| {
            let login = super::text_of(draft.action.fields(), CardField::TasLoginName)?;
            Some(LoginWish {
                draft: number,
                key: draft.key.clone()?,
                card: draft.card,
                login: fold(login),
                adopt: draft.action.kind() == ActionKind::Adopt,
            })
        })
        .collect()
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
