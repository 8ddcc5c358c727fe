//! What an audit reads besides a plan: the product's version, what the account may read, and a little more of operators.

use super::check::{CheckLevel, CheckLine};
use super::client::JSON;
use super::errors::Failure;
use super::query::{ACTIVE_OPERATORS, ALL_OPERATORS, ARCHIVED_OPERATORS};
use super::read::ReadClient;
use super::wire::list::product_version;
use super::wire::operator::{OPERATOR_DETAILS, details};
use crate::core::model::ids::OperatorId;
use crate::core::model::surroundings::{Looked, LookedLevel, OperatorDetails, Surroundings, Version};
use crate::engine::Progress;
use crate::engine::target::{TargetError, TargetWants};
use std::collections::BTreeMap;

/// The largest page the API gives.
const PAGE_SIZE: usize = 100;

impl ReadClient {
    /// The version, and everything that `check` can see by reading. Sends nothing but GET.
    pub async fn surroundings(&self, wants: &TargetWants) -> Surroundings {
        let looked = self.probe(wants).await;
        let url = self.http.address().at(&["productVersion"], &[]);
        let answer = self.http.get("/productVersion", url, JSON).await;
        let product = answer.ok().and_then(|answer| product_version(&answer.body).ok());
        Surroundings {
            product: product.map(|version| Version(version.0, version.1, version.2)),
            looked: looked.into_iter().map(told).collect(),
            ..Surroundings::default()
        }
    }

    /// Names, numbers and kinds of passwords of all operators, archived ones included. Sends nothing but GET. Where the
    /// account may not read them there are none.
    ///
    /// # Errors
    /// When TOPdesk does not answer, or with something else.
    pub async fn operator_details(
        &self,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<OperatorId, OperatorDetails>, TargetError> {
        let mut found = BTreeMap::new();
        if self.details_of(ALL_OPERATORS, &mut found, progress).await? == Given::Refused {
            for query in [ACTIVE_OPERATORS, ARCHIVED_OPERATORS] {
                self.details_of(query, &mut found, progress).await?;
            }
        }
        progress.advance("operator names", found.len() as u64, Some(found.len() as u64));
        Ok(found)
    }

    /// What one query gives of it.
    async fn details_of(
        &self,
        query: &str,
        found: &mut BTreeMap<OperatorId, OperatorDetails>,
        progress: &dyn Progress,
    ) -> Result<Given, TargetError> {
        let mut start = 0;
        loop {
            let (start_text, size) = (start.to_string(), PAGE_SIZE.to_string());
            let parameters = [
                ("start", &*start_text),
                ("page_size", &*size),
                ("fields", OPERATOR_DETAILS),
                ("query", query),
            ];
            let url = self.http.address().at(&["operators"], &parameters);
            let answer = match self.http.get("/operators", url, JSON).await {
                Ok(answer) => answer,
                Err(failure) if failure.status() == Some(400) => return Ok(Given::Refused),
                // The read of operators for the plan says so already.
                Err(failure) if matches!(failure.status(), Some(403 | 404)) => return Ok(Given::All),
                Err(failure) => return Err(failure.of_read("read the names of operators")),
            };
            let status = answer.status;
            let page = details(&answer.body)
                .map_err(|why| Failure::Unreadable { status, why }.of_read("read the names of operators"))?;
            let (rows, before) = (page.len(), found.len());
            found.extend(page);
            progress.advance("operator names", found.len() as u64, None);
            // A page that brings nobody new would go on for ever.
            if status != 206 || rows == 0 || found.len() == before {
                return Ok(Given::All);
            }
            start += rows;
        }
    }
}

/// Whether a query was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    All,
    /// TOPdesk does not know it.
    Refused,
}

fn told(line: CheckLine) -> Looked {
    let level = match line.level {
        CheckLevel::Ok => LookedLevel::Ok,
        CheckLevel::Warn => LookedLevel::Warning,
        CheckLevel::Fail => LookedLevel::Fail,
        CheckLevel::FirstWriteTells => LookedLevel::FirstWriteTells,
    };
    Looked {
        level,
        topic: line.topic,
        text: line.text,
        cure: line.cure,
    }
}
