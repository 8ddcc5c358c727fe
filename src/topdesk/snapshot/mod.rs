//! A real environment as a seed for the sandbox, with personal data replaced: reads with GET only and writes one file.
//!
//! ```text
//! read (raw pages) -> replace (fields say what becomes of each value, pseudonym makes it) -> seed_file
//!                         \-> lists: entries that only cards show are added
//! ```
//!
//! What is written is chosen field by field (`fields`): a field that nobody named does not get through. Persons are read
//! and written page by page. Must not keep the key of the pseudonyms, nor log or put in an error a value of a person.

mod alphabet;
mod fields;
mod lists;
mod pseudonym;
mod read;
mod replace;
mod seed_file;

use self::lists::Lists;
use self::pseudonym::Pseudonyms;
use self::read::{Persons, Row};
use self::replace::{Habits, Replacer};
use self::seed_file::SeedFile;
use super::client::{Http, JSON};
use super::errors::Failure;
use super::read::ReadClient;
use super::wire::list::product_version;
use crate::core::model::field::{CardField, LookupKind};
use crate::engine::Progress;
use crate::engine::target::TargetError;
use futures::StreamExt;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use uuid::Uuid;

/// What becomes of the keys by which persons are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKeys {
    /// They stay as they are, so that sources match the cards.
    Keep,
    /// They are replaced like everything else.
    Hash,
}

/// What a snapshot holds and what was replaced in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SnapshotReport {
    /// Cards and entries by the name of their array, in the order of the file.
    pub written: Vec<(String, u64)>,
    /// Values replaced, by what they are.
    pub replaced: BTreeMap<&'static str, u64>,
    /// What somebody should know, such as lists that the account may not read.
    pub notes: Vec<String>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("the seed could not be written: {0}")]
    Write(#[from] io::Error),
    #[error("person cards were removed while they were read; take the snapshot at a quieter time")]
    Shifted,
}

/// The filters of an account: the kind in the path, and the array in a seed.
const FILTERS: [(&str, &str); 3] = [
    ("branch", "branchFilters"),
    ("operator", "operatorFilters"),
    ("category", "categoryFilters"),
];

impl ReadClient {
    /// Writes everything that the account sees as a seed. `key` is the field by which persons are matched. Sends nothing
    /// but GET.
    ///
    /// # Errors
    /// When persons cannot be read, or cards vanish meanwhile, or the file cannot be written. Everything else that cannot
    /// be read is a note in the report.
    pub async fn snapshot(
        &self,
        key: CardField,
        keys: SnapshotKeys,
        out: impl Write + Send,
        progress: &dyn Progress,
    ) -> Result<SnapshotReport, SnapshotError> {
        let mut taking = Taking {
            http: &self.http,
            progress,
            replacer: Replacer {
                pseudonyms: Pseudonyms::random(),
                kept_key: (keys == SnapshotKeys::Keep).then(|| key.name()),
                lists: Lists::default(),
                known: HashSet::new(),
                managers: HashSet::new(),
                unseen: 0,
                replaced: BTreeMap::new(),
                habits: Habits::default(),
            },
            report: SnapshotReport::default(),
            settings: Map::new(),
        };
        let (count, _) = self
            .count()
            .await
            .map_err(|failure| failure.of_read("count the person cards"))?;
        taking.take(SeedFile::open(out)?, count).await?;
        let Taking { report, .. } = taking;
        Ok(report)
    }
}

struct Taking<'a> {
    http: &'a Http,
    progress: &'a dyn Progress,
    replacer: Replacer,
    report: SnapshotReport,
    settings: Map<String, Value>,
}

impl Taking<'_> {
    async fn take<W: Write>(&mut self, mut file: SeedFile<W>, count: u64) -> Result<(), SnapshotError> {
        self.version().await;
        for kind in lists::kinds() {
            let doing = || format!("read the list '{kind}'");
            let unread = self.replacer.lists.read(self.http, kind).await;
            let unread = unread.map_err(|failure| failure.of_read(&doing()))?;
            self.report.notes.extend(unread);
        }
        self.replacer.lists.tie_places();
        let names = self.plain("archiving-reasons", "/archiving-reasons").await?;
        self.write(&mut file, "archivingReasons", &names)?;
        self.persons(&mut file, count).await?;
        self.operators(&mut file).await?;
        for kind in lists::kinds() {
            let plain_text = kind == LookupKind::Department && self.departments_are_text();
            let rows = self.replacer.lists.rows(kind).iter();
            // In plain text every card has its own words, and the list is not used.
            let rows: Vec<Row> = rows
                .filter(|row| !plain_text || row.contains_key("id"))
                .cloned()
                .collect();
            self.write(&mut file, &lists::array(kind), &rows)?;
        }
        self.habits();
        file.value("settings", &Value::Object(std::mem::take(&mut self.settings)))?;
        file.close()?;
        if self.replacer.unseen > 0 {
            let unseen = self.replacer.unseen;
            self.report.notes.push(format!(
                "{unseen} references to person cards that the account does not see were left out"
            ));
        }
        self.report.replaced.clone_from(&self.replacer.replaced);
        Ok(())
    }

    fn write<W: Write>(&mut self, file: &mut SeedFile<W>, array: &str, rows: &[Row]) -> Result<(), SnapshotError> {
        file.begin(array)?;
        for row in rows {
            file.row(row)?;
        }
        let written = file.end()?;
        self.report.written.push((array.to_owned(), written));
        Ok(())
    }

    async fn version(&mut self) {
        let url = self.http.address().at(&["productVersion"], &[]);
        let answer = self.http.get("/productVersion", url, JSON).await;
        let version = answer.ok().and_then(|answer| product_version(&answer.body).ok());
        match version {
            Some(version) => {
                self.settings
                    .insert("product_version".to_owned(), json!(version.to_string()));
            }
            None => self.report.notes.push(
                "the product version could not be read: the sandbox plays its newest; see --list-settings".to_owned(),
            ),
        }
    }

    /// A list of id and name that is not needed by cards; one that may not be read is empty.
    async fn plain(&mut self, path: &'static str, route: &'static str) -> Result<Vec<Row>, SnapshotError> {
        match read::rows(self.http, route, &[path], &[]).await {
            Ok(mut rows) => {
                rows.iter_mut()
                    .for_each(|row| row.retain(|name, _| name == "id" || name == "name"));
                Ok(rows)
            }
            Err(failure) => self.unread(path, &failure).map(|()| Vec::new()),
        }
    }

    /// What may not be read is a note; anything else ends the snapshot.
    fn unread(&mut self, what: &str, failure: &Failure) -> Result<(), SnapshotError> {
        if !matches!(failure.status(), Some(400 | 403 | 404)) {
            return Err(failure.of_read(&format!("read {what}")).into());
        }
        self.report
            .notes
            .push(format!("{what} could not be read: {}", failure.tell()));
        Ok(())
    }

    async fn persons<W: Write>(&mut self, file: &mut SeedFile<W>, count: u64) -> Result<(), SnapshotError> {
        let failed = |failure: Failure| failure.of_read("read the person cards");
        // A reference may point to a card of a later page: the ids are read first.
        let mut ids = Persons::new(self.http, "id");
        while let Some(rows) = ids.next().await.map_err(failed)? {
            self.replacer.known.extend(rows.iter().filter_map(read::id));
            self.progress
                .advance("ids", self.replacer.known.len() as u64, Some(count));
        }
        let names = fields::names(fields::PERSON);
        let mut pages = Persons::new(self.http, &names);
        let mut written: HashSet<Uuid> = HashSet::with_capacity(self.replacer.known.len());
        file.begin("persons")?;
        while let Some(rows) = pages.next().await.map_err(failed)? {
            for row in rows {
                written.extend(read::id(&row));
                file.row(&self.replacer.person(row))?;
            }
            self.progress.advance("persons", written.len() as u64, Some(count));
        }
        let persons = file.end()?;
        self.report.written.push(("persons".to_owned(), persons));
        if !self.replacer.managers.is_subset(&written) {
            return Err(SnapshotError::Shifted);
        }
        if persons != count {
            self.report.notes.push(format!(
                "TOPdesk counted {count} person cards and gave {persons}: somebody worked on them meanwhile"
            ));
        }
        let link = match (&pages.first_link, pages.unlinked) {
            (Some(link), _) if link.starts_with('/') => Some("path"),
            (Some(_), _) => Some("absolute"),
            (None, true) => Some("missing"),
            (None, false) => None,
        };
        self.settings
            .extend(link.map(|link| ("next_link".to_owned(), json!(link))));
        if ids.id_order_refused {
            self.settings.insert("sort_by_id".to_owned(), json!("refused"));
        }
        self.replacer.known = written;
        Ok(())
    }

    async fn operators<W: Write>(&mut self, file: &mut SeedFile<W>) -> Result<(), SnapshotError> {
        let groups = self.groups().await?;
        let mut own = self.account().await?;
        let names = fields::names(fields::OPERATOR);
        let progress = self.progress;
        let mut advance = |found: usize| progress.advance("operators", found as u64, None);
        let rows = match read::operators(self.http, "operators", &names, &mut advance).await {
            Ok(rows) => rows,
            Err(failure) => self.unread("operators", &failure).map(|()| Vec::new())?,
        };
        file.begin("operators")?;
        let own_id = own.as_ref().and_then(|(row, _)| read::id(row));
        for row in rows {
            let id = read::id(&row);
            let mut card = self.replacer.operator(row);
            if let Some(groups) = id.and_then(|id| groups.members.get(&id)) {
                card.insert("operatorGroups".to_owned(), json!(groups));
            }
            if id.is_some() && id == own_id {
                card.extend(own.take().map(|(_, filters)| filters).unwrap_or_default());
            }
            file.row(&card)?;
        }
        // A filter may hide the account from itself.
        if let Some((row, filters)) = own {
            let mut card = self.replacer.operator(row);
            card.extend(filters);
            file.row(&card)?;
        }
        let written = file.end()?;
        self.report.written.push(("operators".to_owned(), written));
        if let Some(id) = own_id {
            file.value("account", &json!({ "id": id.to_string() }))?;
        }
        self.write(file, "operatorGroups", &groups.rows)?;
        let permission_groups = self.plain("permissiongroups", "/permissiongroups").await?;
        self.write(file, "permissionGroups", &permission_groups)
    }

    /// cardsync's own operator card with its filters.
    async fn account(&mut self) -> Result<Option<(Row, Row)>, SnapshotError> {
        let names = fields::names(fields::OPERATOR);
        let read = read::row(
            self.http,
            "/operators/current",
            &["operators", "current"],
            &[("fields", &names)],
        )
        .await;
        let own = match read {
            Ok(own) => own,
            Err(failure) => return self.unread("the account's own operator card", &failure).map(|()| None),
        };
        let Some(id) = read::id(&own).map(|id| id.to_string()) else {
            return Ok(None);
        };
        let mut filters = Row::new();
        for (kind, array) in FILTERS {
            let path = ["operators", "id", &id, "filters", kind];
            match read::rows(self.http, "/operators/id/{id}/filters/{kind}", &path, &[]).await {
                Ok(rows) if rows.is_empty() => {}
                Ok(mut rows) => {
                    rows.iter_mut()
                        .for_each(|row| row.retain(|name, _| name == "id" || name == "name"));
                    self.report.notes.push(format!(
                        "the account has {kind} filters: what they hide is not in the seed"
                    ));
                    filters.insert(array.to_owned(), json!(rows));
                }
                Err(failure) => self.unread(&format!("the account's {kind} filters"), &failure)?,
            }
        }
        Ok(Some((own, filters)))
    }

    async fn groups(&mut self) -> Result<Groups, SnapshotError> {
        let mut groups = Groups::default();
        let names = fields::GROUP.join(",");
        let rows = match read::operators(self.http, "operatorgroups", &names, &mut |_| {}).await {
            Ok(rows) => rows,
            Err(failure) => return self.unread("operator groups", &failure).map(|()| groups),
        };
        let members = futures::stream::iter(rows.into_iter().map(|mut row| async {
            row.retain(|name, value| fields::GROUP.contains(&name.as_str()) && !value.is_null());
            let id = read::id(&row).map(|id| id.to_string()).unwrap_or_default();
            let path = ["operatorgroups", "id", &id, "operators"];
            let members = read::rows(self.http, "/operatorgroups/id/{id}/operators", &path, &[]).await;
            (row, members)
        }))
        .buffered(self.http.pacer().most())
        .collect::<Vec<_>>()
        .await;
        for (row, members) in members {
            match members {
                Ok(members) => {
                    let group = json!({ "id": row.get("id"), "name": row.get("groupName") });
                    for member in members.iter().filter_map(read::id) {
                        groups.members.entry(member).or_default().push(group.clone());
                    }
                }
                Err(failure) => self.unread("the members of an operator group", &failure)?,
            }
            groups.rows.push(row);
        }
        Ok(groups)
    }

    fn departments_are_text(&self) -> bool {
        let (entries, texts) = self.replacer.lists.departments;
        texts > entries
    }

    /// Tells the sandbox what the environment was seen to do.
    fn habits(&mut self) {
        let Habits {
            nulls,
            colon,
            budget_holders,
        } = self.replacer.habits;
        let seen = [
            ("department_mode", "text", self.departments_are_text()),
            ("unset_values", "null", nulls),
            ("date_offset", "colon", colon),
            (
                "budget_holder_field",
                "disabled",
                !budget_holders && !self.replacer.known.is_empty(),
            ),
        ];
        let on = seen.into_iter().filter(|(_, _, on)| *on);
        self.settings
            .extend(on.map(|(name, value, _)| (name.to_owned(), json!(value))));
    }
}

/// Operator groups and who is in them. The API names active members only.
#[derive(Default)]
struct Groups {
    rows: Vec<Row>,
    members: BTreeMap<Uuid, Vec<Value>>,
}
