//! What an audit says of the version of TOPdesk, the account, and what it may read.

use super::finding::{Area, Finding, Severity, Words};
use crate::core::model::surroundings::{
    ARCHIVING_FOLLOWS, AccountKind, DELETING_FOLLOWS, Looked, LookedLevel, Surroundings,
};

const VERSION: Words = Words {
    code: "person_card_leads",
    area: Area::Environment,
    severity: Severity::Note,
    title: "",
    why: "",
    cure: "before any import runs again: read what is below about operators",
    command: Some("plan"),
};

const ACCOUNT: Words = Words {
    code: "account_is_no_api_account",
    area: Area::Environment,
    severity: Severity::Medium,
    title: "cardsync's own account is no API account",
    why: "operator accounts can no longer be made into API accounts since the end of July 2026; the person card behind an \
          ordinary account can be archived by any import, and the account goes with it",
    cure: "create an API account with the rights that `check` lists, and put its login and application password into the \
           configuration",
    command: Some("check"),
};

impl Surroundings {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = vec![self.version()];
        match self.account {
            AccountKind::Regular | AccountKind::Topdesk => findings.push(ACCOUNT.counted(1, Vec::new())),
            AccountKind::Api | AccountKind::NotTold => {}
        }
        let told = ["version", "account"];
        let doubtful = self.looked.iter().filter(|looked| !told.contains(&&*looked.topic));
        findings.extend(doubtful.filter_map(Looked::finding));
        findings
    }

    fn version(&self) -> Finding {
        let (title, why) = match self.product {
            None => (
                "the version of TOPdesk is not known".to_owned(),
                format!(
                    "from {DELETING_FOLLOWS} deleting an operator happens through its person, and from \
                     {ARCHIVING_FOLLOWS} archiving a person archives the operator; this audit assumes both"
                ),
            ),
            Some(version) if version >= ARCHIVING_FOLLOWS => (
                format!("TOPdesk {version}: the person card leads"),
                format!(
                    "archiving a person archives the linked operator (since {ARCHIVING_FOLLOWS}), and deleting an operator \
                     happens through its person (since {DELETING_FOLLOWS})"
                ),
            ),
            Some(version) if version >= DELETING_FOLLOWS => (
                format!("TOPdesk {version}: deleting follows the person, archiving not yet"),
                format!("from {ARCHIVING_FOLLOWS} archiving a person archives the linked operator as well"),
            ),
            Some(version) => (
                format!("TOPdesk {version}: the person card does not lead yet"),
                format!(
                    "from {DELETING_FOLLOWS} deleting an operator happens through its person, and from \
                     {ARCHIVING_FOLLOWS} archiving a person archives the operator"
                ),
            ),
        };
        Finding {
            title,
            why,
            ..VERSION.counted(1, Vec::new())
        }
    }
}

impl Looked {
    fn finding(&self) -> Option<Finding> {
        let severity = match self.level {
            LookedLevel::Ok | LookedLevel::FirstWriteTells => return None,
            LookedLevel::Warning => Severity::Medium,
            LookedLevel::Fail => Severity::High,
        };
        Some(Finding {
            code: format!("check_{}", self.topic.replace([' ', '\'', ':'], "_")),
            area: Area::Environment,
            severity,
            title: format!("{}: {}", self.topic, self.text),
            why: "a run of cardsync needs it".to_owned(),
            count: 1,
            subjects: Vec::new(),
            cure: self.cure.clone().unwrap_or_default(),
            command: Some("check".to_owned()),
        })
    }
}
