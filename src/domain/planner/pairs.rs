//! A creation and an archive that look like one human: a new number for somebody who stays. Neither half passes by
//! itself (RULES 8.1): a second card cannot be undone, an operator's link never moves.

use super::{Planner, text_of};
use crate::domain::cards::{Likeness, LookAlikes};
use crate::domain::plan::ActionKind;
use crate::domain::record::Anchor;
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// Marks the pairs among the drafts.
    pub(super) fn pair_up(&mut self) {
        let mut creates = LookAlikes::default();
        let mut by_anchor: BTreeMap<Anchor, Vec<usize>> = BTreeMap::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            if draft.action.kind() != ActionKind::Create {
                continue;
            }
            let fields = draft.action.fields();
            creates.add(number, &Likeness::of(|field| text_of(fields, field).map(str::to_owned)));
            for anchor in &draft.anchors {
                by_anchor.entry(anchor.clone()).or_default().push(number);
            }
        }
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            let (ActionKind::Archive, Some(card)) = (draft.action.kind(), draft.card) else {
                continue;
            };
            let alike = creates.find(&Likeness::of_card(&self.index.cards[card]));
            let anchors = self.known[card].map_or(&[][..], |entry| &entry.anchors);
            let known = anchors.iter().filter_map(|anchor| by_anchor.get(anchor)).flatten();
            let twins: BTreeSet<usize> = alike.into_keys().chain(known.copied()).collect();
            pairs.extend(twins.into_iter().map(|create| (number, create)));
        }
        for (archive, create) in pairs {
            self.drafts[archive].pairs.push(create);
            self.drafts[create].pairs.push(archive);
        }
    }
}
