//! The plan under another key, beside the plan under the configured one, from the same reads. A what-if: it is shown and
//! thrown away.

use crate::core::guard::judge;
use crate::core::model::identity::Describe;
use crate::core::model::key::KeySpec;
use crate::core::planner::plan;
use crate::engine::Source;
use crate::engine::gather::ReadParts;
use crate::engine::groups::read_groups;
use crate::engine::planned::Planned;
use crate::engine::run::RunError;
use crate::engine::state::StateReader;
use crate::engine::target::TargetReader;
use crate::tools::rekey::comparison::{KeyDifference, Keys, compare};
use crate::tools::rekey::coverage::{BothCoverages, coverages};
use crate::tools::rekey::other_key::{DescribeUnder, Translation, UnderOtherKey, under_other_key};
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
