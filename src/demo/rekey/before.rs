//! What is at risk before anything is done: the audit, and what the old key would do.

use super::{Way, claim};
use crate::core::model::field::CardField;
use crate::core::plan::ActionKind;
use crate::demo::page::Mark;
use crate::demo::words::{self, many};
use crate::tools::audit::Severity;

impl Way<'_> {
    pub(super) async fn audit(&mut self) -> anyhow::Result<()> {
        self.export()?;
        self.chapter(
            "What is at risk",
            "cardsync audit: one read, nothing written. With --html it is one page for the change board, with --csv the work list. \
             The heaviest findings:",
        )?;
        let audit = self.stage.audit(self.now).await?;
        let disorder = self.site.disorder;
        for (code, count) in [
            ("operator_has_left", disorder.leaving_operators),
            ("operator_looks_like_a_program", disorder.integrations),
            ("operator_on_archived_person", disorder.on_archived),
            ("generated_twin", disorder.twins),
        ] {
            let found = audit.findings.iter().find(|finding| finding.code == code);
            let found = found.map_or(0, |finding| finding.count);
            claim!(found == u64::from(count), "{code}: {found} found, there are {count}");
        }
        let heavy = audit
            .findings
            .iter()
            .filter(|finding| finding.severity >= Severity::Medium);
        let told: Vec<String> = heavy
            .map(|finding| format!("{:>4}  {} ({})", finding.count, finding.title, finding.severity.word()))
            .collect();
        self.page.points(Mark::Held, "Found", &told)?;
        let advice = format!("key: {}; next: {}", audit.advice.field, audit.advice.next);
        self.page.points(Mark::Plain, "Advice", &[advice])?;
        Ok(())
    }

    pub(super) async fn tonight(&mut self) -> anyhow::Result<()> {
        let harm = self.by_email.clone();
        self.chapter(
            "What the old key would do tonight",
            "cardsync plan --key email: the plan as it would be if the e-mail address were the key. It is shown and forgotten.",
        )?;
        let both = self.stage.both_keys(CardField::Email, self.now).await?;
        let plan = &both.other.judged.plan;
        let creates = plan
            .changes
            .iter()
            .filter(|change| change.action.kind() == ActionKind::Create);
        let new: Vec<&str> = creates
            .filter_map(|change| Some(change.key.as_ref()?.as_str()))
            .collect();
        let second = new.iter().filter(|mail| self.has_card(mail)).count();
        claim!(second > 0, "the old key makes no second card");
        let shown = format!(
            "{}; {second} of them for people who have a card, under another address",
            many(new.len(), "new card", "new cards")
        );
        self.page.points(Mark::Plain, "Shown", &[shown])?;
        self.page.points(Mark::ByEmail, "By e-mail", &words::by_email(&harm))?;
        Ok(())
    }

    /// Whether the person with this address has a card already.
    fn has_card(&self, mail: &str) -> bool {
        let rows = self.site.rows();
        let person = rows.iter().find(|person| person.mail.eq_ignore_ascii_case(mail));
        person.is_some_and(|person| self.truth.values().any(|human| *human == Some(person.number)))
    }
}
