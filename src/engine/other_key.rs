//! The plan under another key, beside the plan under the configured one, from the same reads. A what-if: it is shown and
//! thrown away.

use super::Source;
use super::gather::ReadParts;
use super::groups::read_groups;
use super::planned::Planned;
use super::run::RunError;
use super::state::StateReader;
use super::target::TargetReader;
use crate::domain::guard::judge;
use crate::domain::identity::Describe;
use crate::domain::key::KeySpec;
use crate::domain::planner::plan;
use crate::domain::rekey::comparison::{KeyDifference, Keys, compare};
use crate::domain::rekey::coverage::{BothCoverages, coverages};
use crate::domain::rekey::other_key::{DescribeUnder, Translation, UnderOtherKey, under_other_key};
use std::sync::Arc;

/// Both plans and what they have apart.
pub struct BothKeys {
    /// Under the configured key.
    pub configured: Planned,
    /// Under the other one.
    pub other: Planned,
    pub translation: Translation,
    pub difference: KeyDifference,
    /// How many of those who work here each key finds.
    pub coverages: BothCoverages,
}

impl BothKeys {
    /// The mapping as the plan under the other key saw it.
    pub fn describe<'a>(&'a self, inner: &'a dyn Describe) -> DescribeUnder<'a> {
        DescribeUnder {
            inner,
            translation: &self.translation,
        }
    }
}

impl<S: Source + Sync, R: TargetReader> ReadParts<'_, S, R> {
    /// Reads, plans under both keys and compares. Sends nothing but GET and changes no state.
    pub async fn plan_under_both(&self, store: &impl StateReader, key: KeySpec) -> Result<BothKeys, RunError> {
        let configured = self.plan(store).await?;
        let fields = (self.policy.key.card_field, key.card_field);
        let UnderOtherKey { mut input, translation } = under_other_key(&configured.input, self.mapping, key);
        let describe = DescribeUnder {
            inner: self.mapping,
            translation: &translation,
        };
        let made = plan(&input, &describe);
        input.groups = read_groups(self.reader, &made).await;
        let judged = judge(made, &input);
        let coverages = coverages(&configured.input, self.mapping, &input, &translation);
        let keys = Keys {
            configured: fields.0,
            other: fields.1,
            translation: &translation,
        };
        let difference = compare(&judged.plan, &configured.judged.plan, keys);
        Ok(BothKeys {
            configured,
            other: Planned {
                judged,
                input: Arc::new(input),
            },
            translation,
            difference,
            coverages,
        })
    }
}
