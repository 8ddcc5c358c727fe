//! What happens to the people of the company after the first day: in HR's export and in the directory, never in TOPdesk.

use super::super::email_import::Imported;
use super::super::person::{FIRST_NUMBER, Person};
use super::{Site, index_of, person};
use chrono::Days;

impl Site {
    /// Somebody of HR's export.
    pub fn person(&self, number: u32) -> Option<&Person> {
        self.people
            .get(usize::try_from(number.checked_sub(FIRST_NUMBER)?).ok()?)
    }

    /// Everybody of HR's export.
    pub(in crate::demo) fn rows(&self) -> Vec<&Person> {
        self.people.iter().collect()
    }

    /// The cards of the beginning as an import by e-mail sees them.
    pub(in crate::demo) fn imported(&self) -> Vec<Imported> {
        let has_operator = |id| self.operators.iter().any(|operator| operator.card == Some(id));
        let imported = self.cards.iter().map(|card| Imported {
            // A former colleague is somebody too.
            humans: [card.human.unwrap_or(card.seed)].into(),
            number: card.number.as_ref().and_then(|number| number.trim().parse().ok()),
            mail: card.mail.clone().unwrap_or_default().to_lowercase(),
            archived: card.archived,
            operator: has_operator(card.id),
        });
        imported.collect()
    }

    /// Somebody new starts today, under a number that nobody had; gives the number.
    pub fn joins(&mut self) -> u32 {
        let index = u32::try_from(self.people.len()).expect("a company fits on the earth");
        let mut newcomer = person(index, self.today);
        newcomer.hired = self.today;
        let number = newcomer.number;
        self.people.push(newcomer);
        number
    }

    /// Somebody new starts today and is given the login of somebody who left, whose account was taken out of the directory;
    /// gives the new number.
    ///
    /// # Panics
    /// When nobody has the number.
    pub fn joins_with_login_of(&mut self, leaver: u32) -> u32 {
        let login = self.person(leaver).expect("somebody of HR's export").login.clone();
        self.accounts_removed.insert(leaver);
        let number = self.joins();
        self.changed(number).login = login;
        number
    }

    /// Their last day was three days ago.
    ///
    /// # Panics
    /// When nobody has the number.
    pub fn leaves(&mut self, number: u32) {
        let last_day = self.today - Days::new(3);
        self.changed(number).last_day = Some(last_day);
    }

    /// Another surname, and with it another mail address and login.
    ///
    /// # Panics
    /// When nobody has the number.
    pub fn marries(&mut self, number: u32) {
        let other = person(index_of(number) + 1201, self.today);
        let person = self.changed(number);
        (person.prefix, person.last_name) = (other.prefix, other.last_name);
        // Whoever else is called so has the plain address.
        person.name_account("3");
    }

    fn changed(&mut self, number: u32) -> &mut Person {
        let index = index_of(number) as usize;
        self.people.get_mut(index).expect("somebody of HR's export")
    }
}
