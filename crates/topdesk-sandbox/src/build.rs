//! Building a world out of a seed: ids for those without, references looked up, the API account found or made.

use std::collections::HashMap;

use uuid::Uuid;

use super::card::{Card, Cell, Place};
use super::fields::{FieldNo, Form, Kind, LANGUAGE_CODE, common, operator};
use super::seed::{Reference, Seed, SeedError};
use super::settings::Settings;
use super::world::{World, dynamic_name, stable_id};

/// 2020-01-01, for cards whose seed has no dates: the same in every run.
const BEGINNING: i64 = 1_577_836_800_000;

/// Builds a world.
///
/// `settings` are already complete (defaults, the seed's own, the command line's); `username` is the login of the API
/// account: the operator with this login, else the seed's `account`, else a card made for it.
///
/// # Errors
/// When an id is used twice or a reference points to nothing; the error names array, index and field.
pub fn world(mut seed: Seed, settings: Settings, username: &str) -> Result<World, SeedError> {
    let mut world = World::empty(settings);
    let mut places: HashMap<Kind, Vec<Place>> = HashMap::new();
    for (kind, rows) in &mut seed.arrays {
        let mut added = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter_mut().enumerate() {
            let mut card = std::mem::replace(&mut row.card, Card::new(Uuid::nil()));
            card.id = row
                .id
                .unwrap_or_else(|| stable_id(&["seed", kind.array(), &index.to_string()]));
            for date in [common::CREATION_DATE, common::MODIFICATION_DATE] {
                if card.cell(date).is_none() && matches!(kind, Kind::Person | Kind::Operator) {
                    card.set(date, Some(Cell::Date(BEGINNING)));
                }
            }
            let id = card.id;
            let place = world
                .add(*kind, card)
                .ok_or_else(|| unusable(*kind, index, "id", format!("{id} is there twice")))?;
            added.push(place);
        }
        places.insert(*kind, added);
    }
    let mut finder = Finder::default();
    for (kind, rows) in &seed.arrays {
        for (index, row) in rows.iter().enumerate() {
            let place = places[kind][index];
            if !row.links.is_empty() {
                let mut card = world.card(*kind, place).clone();
                for (number, reference) in &row.links {
                    let field = kind.schema().field(*number);
                    let problem = |text| unusable(*kind, index, field.name, text);
                    link(
                        &mut world,
                        &mut finder,
                        &seed,
                        &mut card,
                        (*number, field.form),
                        reference,
                    )
                    .map_err(problem)?;
                }
                card.shrink();
                world.replace(*kind, place, card);
            }
            for (list, reference) in &row.lists {
                let problem = |text| unusable(*kind, index, list.array(), text);
                let target = finder
                    .find(&mut world, &seed, *list, reference, None)
                    .map_err(problem)?;
                world.link_to(place, *list, target);
            }
        }
    }
    world.account = account(&mut world, &mut finder, &seed, username)?;
    world.shrink();
    Ok(world)
}

fn unusable(kind: Kind, index: usize, field: &str, problem: String) -> SeedError {
    SeedError::Unusable {
        place: format!("{}[{index}].{field}", kind.array()),
        problem,
    }
}

fn link(
    world: &mut World,
    finder: &mut Finder,
    seed: &Seed,
    card: &mut Card,
    (number, form): (FieldNo, Form),
    reference: &Reference,
) -> Result<(), String> {
    let Form::Link(kind) = form else { return Ok(()) };
    if kind == Kind::Department && world.settings.department_text {
        card.set(common::DEPARTMENT_TEXT, Some(Cell::Text(reference.name.clone())));
        return Ok(());
    }
    let place = finder.find(world, seed, kind, reference, card.link(common::BRANCH))?;
    card.set(number, Some(Cell::Link(place)));
    Ok(())
}

/// Finds cards by id or name; the names of a kind are indexed when the first is looked for.
#[derive(Debug, Default)]
pub struct Finder {
    names: HashMap<Kind, HashMap<String, Vec<Place>>>,
}

/// Kinds whose entries come to be when they are named, because a site has no list of them to seed.
fn comes_to_be(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Attention
            | Kind::ExtraA
            | Kind::ExtraB
            | Kind::Search(_)
            | Kind::OperatorGroup
            | Kind::PermissionGroup
            | Kind::BranchFilter
            | Kind::OperatorFilter
            | Kind::CategoryFilter
    )
}

impl Finder {
    /// The card a reference in a seed points to. An entry that is given with id and name, or whose whole array is not in
    /// the seed, is made.
    fn find(
        &mut self,
        world: &mut World,
        seed: &Seed,
        kind: Kind,
        reference: &Reference,
        branch: Option<Place>,
    ) -> Result<Place, String> {
        let name = &*reference.name;
        if kind == Kind::Actor {
            let id = reference.id.unwrap_or_else(|| stable_id(&["actor", name]));
            return Ok(world.actor(id, name));
        }
        let absent = seed.arrays.iter().all(|(known, _)| *known != kind);
        let complete = reference.id.is_some() && !name.is_empty();
        let defines = complete || (reference.id.is_none() && (absent || comes_to_be(kind)));
        match self.look(world, kind, reference, branch)? {
            Some(place) => Ok(place),
            None if defines && !matches!(kind, Kind::Person | Kind::Operator) => self.define(world, kind, reference),
            None => Err(nothing(kind, reference)),
        }
    }

    /// The card a reference points to, which must be there.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn known(
        &mut self,
        world: &World,
        kind: Kind,
        reference: &Reference,
        branch: Option<Place>,
    ) -> Result<Place, String> {
        self.look(world, kind, reference, branch)?
            .ok_or_else(|| nothing(kind, reference))
    }

    fn look(
        &mut self,
        world: &World,
        kind: Kind,
        reference: &Reference,
        branch: Option<Place>,
    ) -> Result<Option<Place>, String> {
        if let Some(id) = reference.id {
            return Ok(world.table(kind).place(&id));
        }
        let name = &*reference.name;
        let names = self.names.entry(kind).or_insert_with(|| index(world, kind));
        let in_branch = |place: &&Place| world.card(kind, **place).link(common::BRANCH) == branch;
        match names.get(&name.to_lowercase()).map_or(&[][..], Vec::as_slice) {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            several => match several.iter().filter(in_branch).collect::<Vec<_>>()[..] {
                [only] if kind == Kind::Location => Ok(Some(*only)),
                _ => Err(format!("{} cards are called '{name}': give the id", several.len())),
            },
        }
    }

    fn define(&mut self, world: &mut World, kind: Kind, reference: &Reference) -> Result<Place, String> {
        let name = &*reference.name;
        let mut card = Card::new(reference.id.unwrap_or_else(|| stable_id(&[kind.array(), name])));
        card.set(common::NAME, Some(Cell::Text(name.into())));
        let place = world
            .add(kind, card)
            .ok_or_else(|| format!("two entries called '{name}' would get one id"))?;
        if let Some(names) = self.names.get_mut(&kind) {
            names.entry(name.to_lowercase()).or_default().push(place);
        }
        Ok(place)
    }
}

fn nothing(kind: Kind, reference: &Reference) -> String {
    match reference.id {
        Some(id) => format!("there is no {} with id {id}", kind.noun()),
        None => format!("there is no {} '{}' in '{}'", kind.noun(), reference.name, kind.array()),
    }
}

fn index(world: &World, kind: Kind) -> HashMap<String, Vec<Place>> {
    let mut names: HashMap<String, Vec<Place>> = HashMap::new();
    for (place, card) in world.table(kind).iter() {
        let mut keys = vec![world.name_of(kind, card).to_lowercase()];
        if matches!(kind, Kind::Person | Kind::Operator) {
            let parts = [
                card.text(common::FIRST_NAME),
                card.text(common::PREFIXES),
                card.text(common::NAME),
            ];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            keys.push(parts.join(" ").to_lowercase());
            keys.push(card.text(common::EMPLOYEE_NUMBER).to_lowercase());
            keys.push(card.text(common::LOGIN).to_lowercase());
        }
        if kind == Kind::Language {
            keys.push(card.text(LANGUAGE_CODE).to_lowercase());
        }
        keys.retain(|key| !key.is_empty());
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            names.entry(key).or_default().push(place);
        }
    }
    names
}

fn account(world: &mut World, finder: &mut Finder, seed: &Seed, username: &str) -> Result<Place, SeedError> {
    if let Some(reference) = &seed.account {
        let place = finder.find(world, seed, Kind::Operator, reference, None);
        return place.map_err(|problem| SeedError::Unusable {
            place: "account".into(),
            problem,
        });
    }
    let login = username.to_lowercase();
    let known = world
        .table(Kind::Operator)
        .iter()
        .find(|(_, card)| card.text(common::LOGIN).to_lowercase() == login);
    if let Some((place, _)) = known {
        return Ok(place);
    }
    let mut card = Card::new(stable_id(&["account", username]));
    card.set(
        common::NAME,
        Some(Cell::Text(
            format!("API account {username}")
                .chars()
                .take(50)
                .collect::<String>()
                .into(),
        )),
    );
    card.set(
        common::LOGIN,
        Some(Cell::Text(username.chars().take(100).collect::<String>().into())),
    );
    for date in [common::CREATION_DATE, common::MODIFICATION_DATE] {
        card.set(date, Some(Cell::Date(BEGINNING)));
    }
    for flag in [
        operator::API_ACCOUNT,
        operator::LOGIN_PERMISSION,
        operator::HAS_APPLICATION_PASSWORDS,
    ] {
        card.set_flag(flag, true);
    }
    debug_assert!(!dynamic_name(&card).is_empty(), "an account card has a name");
    world.add(Kind::Operator, card).ok_or_else(|| SeedError::Unusable {
        place: "account".into(),
        problem: format!("the seed uses the id that the account card of '{username}' would get"),
    })
}
