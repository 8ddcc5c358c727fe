//! Everything the sandbox holds: the tables, the settings, the account, and the indexes that keep it fast.
//!
//! Pure: the time is an argument. Rules live in `write` and `lifecycle`; this module only keeps the state whole.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::card::{Card, Cell, Place, Table};
use super::fields::{Kind, common, operator};
use super::settings::Settings;

/// Lists that hang on an operator card and are read under paths of their own.
#[derive(Debug, Clone, Default)]
pub struct OperatorLists {
    /// Operator groups, permission groups and filters by kind.
    pub by_kind: BTreeMap<Kind, Vec<Place>>,
}

/// Who holds which login: the hash of the login, whatever its case, and the card. A hundred thousand take 2 MB.
type Logins = BTreeSet<(u64, Place)>;

fn login_hash(login: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    login.to_lowercase().hash(&mut hash);
    hash.finish()
}

/// An order of places that was worked out for one query and sort.
#[derive(Debug)]
struct Ordered {
    query: String,
    version: u64,
    places: Arc<Vec<Place>>,
}

/// The whole state of a sandbox.
#[derive(Debug)]
pub struct World {
    /// The switches.
    pub settings: Settings,
    /// The operator card of the API account.
    pub account: Place,
    tables: Vec<Table>,
    lists: HashMap<Place, OperatorLists>,
    person_logins: Logins,
    operator_logins: Logins,
    operators_of: HashMap<Place, Vec<Place>>,
    version: u64,
    minted: u64,
    orders: Mutex<Vec<Ordered>>,
}

/// How many worked-out orders are remembered.
const ORDERS_KEPT: usize = 4;

impl World {
    /// An empty world; the caller adds the account's operator card.
    pub fn empty(settings: Settings) -> Self {
        World {
            settings,
            account: 0,
            tables: Kind::all().map(|_| Table::default()).collect(),
            lists: HashMap::new(),
            person_logins: Logins::new(),
            operator_logins: Logins::new(),
            operators_of: HashMap::new(),
            version: 0,
            minted: 0,
            orders: Mutex::new(Vec::new()),
        }
    }

    /// The table of one kind.
    pub fn table(&self, kind: Kind) -> &Table {
        &self.tables[kind.index()]
    }

    /// The card at a place that is known to be there.
    pub fn card(&self, kind: Kind, place: Place) -> &Card {
        self.table(kind)
            .get(place)
            .expect("places handed out by the world hold a card")
    }

    /// Adds a card; `None` when its id is taken.
    pub fn add(&mut self, kind: Kind, card: Card) -> Option<Place> {
        self.version += 1;
        let login = card.text(common::LOGIN).to_lowercase();
        let linked = card.link(operator::LINKED_PERSON);
        let place = self.tables[kind.index()].add(card)?;
        self.index_login(kind, place, "", &login);
        if kind == Kind::Operator {
            self.index_operator(place, None, linked);
        }
        Some(place)
    }

    /// Puts a changed card in the place of the old one.
    pub fn replace(&mut self, kind: Kind, place: Place, card: Card) {
        self.version += 1;
        let Some(old) = self.tables[kind.index()].get_mut(place) else {
            return;
        };
        let old_login = old.text(common::LOGIN).to_lowercase();
        let new_login = card.text(common::LOGIN).to_lowercase();
        let (old_link, new_link) = (old.link(operator::LINKED_PERSON), card.link(operator::LINKED_PERSON));
        *old = card;
        self.index_login(kind, place, &old_login, &new_login);
        if kind == Kind::Operator {
            self.index_operator(place, old_link, new_link);
        }
    }

    /// Removes a card for good, with the operators of a person.
    pub fn remove(&mut self, kind: Kind, place: Place) {
        self.version += 1;
        if kind == Kind::Person {
            for linked in self.operators_of(place).to_vec() {
                self.remove(Kind::Operator, linked);
            }
        }
        let Some(card) = self.table(kind).get(place) else {
            return;
        };
        let login = card.text(common::LOGIN).to_lowercase();
        let linked = card.link(operator::LINKED_PERSON);
        self.index_login(kind, place, &login, "");
        if kind == Kind::Operator {
            self.index_operator(place, linked, None);
        }
        self.tables[kind.index()].remove(place);
    }

    fn index_login(&mut self, kind: Kind, place: Place, old: &str, new: &str) {
        let logins = match kind {
            Kind::Person => &mut self.person_logins,
            Kind::Operator => &mut self.operator_logins,
            _ => return,
        };
        if old == new {
            return;
        }
        logins.remove(&(login_hash(old), place));
        if !new.is_empty() {
            logins.insert((login_hash(new), place));
        }
    }

    fn index_operator(&mut self, place: Place, old: Option<Place>, new: Option<Place>) {
        if let Some(holders) = old.and_then(|person| self.operators_of.get_mut(&person)) {
            holders.retain(|holder| *holder != place);
        }
        if let Some(person) = new {
            self.operators_of.entry(person).or_default().push(place);
        }
    }

    /// The operators, in any state, whose `linkedPerson` is this person.
    pub fn operators_of(&self, person: Place) -> &[Place] {
        self.operators_of.get(&person).map_or(&[], Vec::as_slice)
    }

    /// True when another card of this kind keeps this login from being used.
    pub fn login_taken(&self, kind: Kind, login: &str, except: Option<Place>) -> bool {
        let logins = if kind == Kind::Person {
            &self.person_logins
        } else {
            &self.operator_logins
        };
        let (hash, login) = (login_hash(login), login.to_lowercase());
        let mut holders = logins
            .range((hash, 0)..=(hash, Place::MAX))
            .filter(|(_, holder)| Some(*holder) != except);
        holders.any(|(_, holder)| {
            let holds = |card: &Card| card.text(common::LOGIN).to_lowercase() == login;
            let frees = |card: &Card| card.archived() && self.settings.login_of_archived_free;
            self.table(kind)
                .get(*holder)
                .is_some_and(|card| holds(card) && !frees(card))
        })
    }

    /// The groups, permission groups and filters of an operator.
    pub fn list_of(&self, operator: Place, kind: Kind) -> &[Place] {
        self.lists
            .get(&operator)
            .and_then(|lists| lists.by_kind.get(&kind))
            .map_or(&[], Vec::as_slice)
    }

    /// Links an operator to a group, permission group or filter; twice is once.
    pub fn link_to(&mut self, operator: Place, kind: Kind, place: Place) {
        self.version += 1;
        let list = self.lists.entry(operator).or_default().by_kind.entry(kind).or_default();
        if !list.contains(&place) {
            list.push(place);
        }
    }

    /// Takes an operator out of a group, permission group or filter.
    pub fn unlink_from(&mut self, operator: Place, kind: Kind, place: Place) {
        self.version += 1;
        if let Some(list) = self
            .lists
            .get_mut(&operator)
            .and_then(|lists| lists.by_kind.get_mut(&kind))
        {
            list.retain(|known| *known != place);
        }
    }

    /// What a card is called in a reference to it.
    pub fn name_of<'a>(&self, kind: Kind, card: &'a Card) -> Cow<'a, str> {
        match kind {
            Kind::Person | Kind::Operator => Cow::Owned(dynamic_name(card)),
            _ => Cow::Borrowed(card.text(common::NAME)),
        }
    }

    /// The place of an entry with this name, ignoring case.
    pub fn by_name(&self, kind: Kind, name: &str) -> Option<Place> {
        let name = name.trim().to_lowercase();
        self.table(kind)
            .iter()
            .find(|(_, card)| card.text(common::NAME).to_lowercase() == name)
            .map(|(place, _)| place)
    }

    /// The actor with this id and name, made when there is none.
    pub fn actor(&mut self, id: Uuid, name: &str) -> Place {
        if let Some(place) = self.table(Kind::Actor).place(&id) {
            return place;
        }
        let mut card = Card::new(id);
        card.set(common::NAME, Some(Cell::Text(name.into())));
        self.add(Kind::Actor, card).expect("the id was looked for and is free")
    }

    /// The API account as creator or modifier.
    pub fn account_actor(&mut self) -> Place {
        let card = self.card(Kind::Operator, self.account);
        let (id, name) = (card.id, dynamic_name(card));
        self.actor(id, &name)
    }

    /// A new id, the same in every run of the same requests.
    pub fn mint(&mut self, kind: Kind) -> Uuid {
        loop {
            self.minted += 1;
            let id = stable_id(&["new", kind.array(), &self.minted.to_string()]);
            if self.table(kind).place(&id).is_none() {
                return id;
            }
        }
    }

    /// True when the account's branch filter lets it see this card.
    pub fn visible(&self, kind: Kind, place: Place) -> bool {
        let settings = &self.settings;
        if settings.branch_filter.is_empty() && settings.operator_filter.is_empty() {
            return true;
        }
        let Some(card) = self.table(kind).get(place) else {
            return false;
        };
        if kind == Kind::Operator && place == self.account {
            return true;
        }
        let branch = match kind {
            Kind::Branch => Some(place),
            _ => card.link(common::BRANCH),
        };
        let named = |names: &[String], kind: Kind, place: Place| {
            let name = self.card(kind, place).text(common::NAME);
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        let branch_seen = settings.branch_filter.is_empty()
            || !matches!(kind, Kind::Person | Kind::Operator | Kind::Branch | Kind::Location)
            || branch.is_some_and(|branch| named(&settings.branch_filter, Kind::Branch, branch));
        let group_seen = settings.operator_filter.is_empty()
            || kind != Kind::Operator
            || self
                .list_of(place, Kind::OperatorGroup)
                .iter()
                .any(|group| named(&settings.operator_filter, Kind::OperatorGroup, *group));
        branch_seen && group_seen
    }

    /// The places for a query, worked out once and remembered until something changes.
    ///
    /// # Errors
    /// Those of `work_out`.
    pub fn order<E>(
        &self,
        query: &str,
        work_out: impl FnOnce() -> Result<Vec<Place>, E>,
    ) -> Result<Arc<Vec<Place>>, E> {
        let lock = || self.orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = lock()
            .iter()
            .find(|order| order.version == self.version && order.query == query)
        {
            return Ok(Arc::clone(&known.places));
        }
        let places = Arc::new(work_out()?);
        let mut orders = lock();
        orders.retain(|order| order.version == self.version && order.query != query);
        if orders.len() >= ORDERS_KEPT {
            orders.remove(0);
        }
        orders.push(Ordered {
            query: query.to_owned(),
            version: self.version,
            places: Arc::clone(&places),
        });
        Ok(places)
    }

    /// Forgets worked-out orders after a change of settings.
    pub fn touch(&mut self) {
        self.version += 1;
    }

    /// The same state again; cards are shared until one of the two changes them.
    pub fn copy(&self) -> World {
        World {
            settings: self.settings.clone(),
            account: self.account,
            tables: self.tables.clone(),
            lists: self.lists.clone(),
            person_logins: self.person_logins.clone(),
            operator_logins: self.operator_logins.clone(),
            operators_of: self.operators_of.clone(),
            version: self.version,
            minted: self.minted,
            orders: Mutex::new(Vec::new()),
        }
    }

    /// Gives back memory after loading a seed.
    pub fn shrink(&mut self) {
        for table in &mut self.tables {
            let places = Place::try_from(table.len()).unwrap_or(Place::MAX);
            for place in 0..places {
                if let Some(card) = table.get_mut(place) {
                    card.shrink();
                }
            }
        }
    }
}

/// The name a person or operator is shown under: surname, first name, prefixes.
pub fn dynamic_name(card: &Card) -> String {
    let (sur_name, first_name, prefixes) = (
        card.text(common::NAME),
        card.text(common::FIRST_NAME),
        card.text(common::PREFIXES),
    );
    let mut name = String::with_capacity(sur_name.len() + first_name.len() + prefixes.len() + 3);
    name.push_str(sur_name);
    if !first_name.is_empty() || !prefixes.is_empty() {
        name.push(',');
    }
    for part in [first_name, prefixes] {
        if !part.is_empty() {
            name.push(' ');
            name.push_str(part);
        }
    }
    name
}

/// An id made from text, the same every time.
pub fn stable_id(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update("topdesk look-alike");
    for part in parts {
        hash.update([0]);
        hash.update(part);
    }
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: u128, login: &str) -> Card {
        let mut card = Card::new(Uuid::from_u128(id));
        card.set(common::LOGIN, Some(Cell::Text(login.into())));
        card
    }

    #[test]
    fn logins_are_unique_whatever_their_case() {
        let mut world = World::empty(Settings::default());
        let holder = world.add(Kind::Person, card(1, "JVisser")).unwrap();
        assert!(world.login_taken(Kind::Person, "jvisser", None));
        assert!(!world.login_taken(Kind::Person, "jvisser", Some(holder)));
        assert!(!world.login_taken(Kind::Operator, "jvisser", None));
        let mut freed = world.card(Kind::Person, holder).clone();
        freed.set(common::LOGIN, None);
        world.replace(Kind::Person, holder, freed);
        assert!(!world.login_taken(Kind::Person, "JVisser", None));
    }

    #[test]
    fn an_archived_card_keeps_its_login_unless_the_switch_says_otherwise() {
        let mut world = World::empty(Settings::default());
        let mut gone = card(1, "gone");
        gone.set_flag(common::ARCHIVED, true);
        world.add(Kind::Person, gone).unwrap();
        assert!(world.login_taken(Kind::Person, "gone", None));
        world.settings.login_of_archived_free = true;
        assert!(!world.login_taken(Kind::Person, "gone", None));
    }

    #[test]
    fn removing_a_person_removes_the_operator() {
        let mut world = World::empty(Settings::default());
        let person = world.add(Kind::Person, card(1, "a")).unwrap();
        let mut linked = card(2, "a");
        linked.set(operator::LINKED_PERSON, Some(Cell::Link(person)));
        world.add(Kind::Operator, linked).unwrap();
        assert_eq!(world.operators_of(person).len(), 1);
        world.remove(Kind::Person, person);
        assert_eq!(world.table(Kind::Operator).len(), 0);
        assert!(world.operators_of(person).is_empty());
    }

    #[test]
    fn an_order_is_worked_out_again_after_a_change() {
        let mut world = World::empty(Settings::default());
        world.add(Kind::Person, card(1, "a")).unwrap();
        let first = world.order("q", || Ok::<_, ()>(vec![0])).unwrap();
        assert_eq!(*world.order("q", || Err::<Vec<Place>, _>(())).unwrap(), *first);
        world.add(Kind::Person, card(2, "b")).unwrap();
        assert!(world.order("q", || Err::<Vec<Place>, _>(())).is_err());
    }
}
