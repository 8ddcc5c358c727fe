//! What operators are called where a human decides: nobody knows a colleague by the id of a card. Personal, so for screens
//! and lists only, never for logs (RULES 12).

use crate::core::model::card::{OperatorCard, OperatorLink};
use crate::core::model::ids::OperatorId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The login of each operator, or the e-mail address where there is no login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorNames(BTreeMap<OperatorId, Box<str>>);

impl OperatorNames {
    /// Of the operators of these links; `cards` are sorted by id.
    pub fn of_links<'a>(links: impl IntoIterator<Item = &'a OperatorLink>, cards: &[OperatorCard]) -> Self {
        let linked = links.into_iter().flat_map(operators);
        let names = linked.filter_map(|id| {
            let at = cards.binary_search_by(|card| card.id.cmp(id)).ok()?;
            Some((id.clone(), name(&cards[at])?))
        });
        Self(names.collect())
    }

    /// Of operators as they were read for a write.
    pub fn of_cards<'a>(cards: impl IntoIterator<Item = &'a OperatorCard>) -> Self {
        let names = cards.into_iter();
        Self(names.filter_map(|card| Some((card.id.clone(), name(card)?))).collect())
    }

    /// Those of one link.
    #[must_use]
    pub fn only(&self, link: &OperatorLink) -> Self {
        let known = operators(link)
            .iter()
            .filter_map(|id| Some((id.clone(), self.0.get(id)?.clone())));
        Self(known.collect())
    }

    /// The name alone.
    pub fn name(&self, id: &OperatorId) -> Option<&str> {
        self.0.get(id).map(|name| &**name)
    }

    /// The name with the id beside it; the id where no name is known.
    pub fn shown(&self, id: &OperatorId) -> String {
        match self.0.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_string(),
        }
    }

    /// With these names, for tests.
    #[cfg(test)]
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (OperatorId, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(id, name)| (id, name.into())).collect())
    }

    /// Several, as a list.
    pub fn list(&self, ids: &[OperatorId]) -> String {
        let shown: Vec<String> = ids.iter().map(|id| self.shown(id)).collect();
        shown.join(", ")
    }

    /// Whether no name is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn operators(link: &OperatorLink) -> &[OperatorId] {
    match link {
        OperatorLink::Active { operators } | OperatorLink::Archived { operators } => operators,
        OperatorLink::ProvenNone | OperatorLink::Unproven => &[],
    }
}

fn name(card: &OperatorCard) -> Option<Box<str>> {
    card.login_name.clone().or_else(|| card.email.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::card::OperatorKind;

    fn operator(id: &str, login: Option<&str>, email: Option<&str>) -> OperatorCard {
        OperatorCard {
            id: OperatorId::new(id),
            archived: false,
            kind: OperatorKind::Regular,
            linked_person: None,
            login_name: login.map(Into::into),
            email: email.map(Into::into),
            login_permission: None,
        }
    }

    #[test]
    fn an_operator_is_named_by_login_then_by_address_and_the_id_stands_beside_it() {
        let cards = [
            operator("o1", Some("jdoe"), Some("j.doe@example.org")),
            operator("o2", None, Some("team@example.org")),
            operator("o3", None, None),
        ];
        let ids: Vec<OperatorId> = ["o1", "o2", "o3", "o4"].map(OperatorId::new).to_vec();
        let link = OperatorLink::Active { operators: ids.clone() };
        let names = OperatorNames::of_links([&link], &cards);
        assert_eq!(names.list(&ids), "jdoe (o1), team@example.org (o2), o3, o4");
        assert_eq!(names, OperatorNames::of_cards(&cards));
        let second = OperatorLink::Archived {
            operators: vec![OperatorId::new("o2")],
        };
        assert_eq!(names.only(&second).list(&ids), "o1, team@example.org (o2), o3, o4");
        assert!(names.only(&OperatorLink::Unproven).is_empty());
    }
}
