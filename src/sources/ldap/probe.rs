//! A look at the servers for `check`: does a read have a chance, and of what?

use super::address::{Encryption, Server};
use super::connect::{self, Access};
use super::entry::Columns;
use super::gather::Gathered;
use super::paging::Paging;
use super::rootdse::RootDse;
use super::{Failure, all_failed, passed_over, prepare};
use crate::config::LdapConfig;
use crate::core::reads::snapshot::{Effect, Finding};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What a look at a source showed.
#[derive(Clone, Debug)]
pub struct ProbeReport {
    /// The server that a read would use now, as it is written in the configuration.
    pub server: String,
    /// How the connection to it is protected.
    pub encryption: Encryption,
    /// Product and version, as far as the server tells.
    pub vendor: Option<String>,
    /// The server's own clock, as far as it tells.
    pub server_time: Option<DateTime<Utc>>,
    /// Every base, in the order of the configuration. Shorter when a base was refused: the findings say why.
    pub bases: Vec<BaseReport>,
    /// Everything noticed, also about servers that do not work.
    pub findings: Vec<Finding>,
}

/// The first page of one base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseReport {
    /// The base's DN.
    pub base: String,
    /// Entries on its first page.
    pub entries: u64,
    /// How many of them have a key.
    pub with_key: u64,
    /// Whether there are more pages.
    pub more: bool,
}

/// Binds to every server; on the first that works, reads the first page of every base.
pub(super) async fn probe(config: &LdapConfig) -> Result<ProbeReport, Finding> {
    let (servers, access) = prepare(config)?;
    let mut failed = Vec::new();
    let mut report: Option<ProbeReport> = None;
    for server in &servers {
        let looked = match report {
            None => look(server, config, &access).await.map(|found| report = Some(found)),
            // The others only have to let us in.
            Some(_) => connect::connect(server, config, &access).await.map(drop),
        };
        match looked {
            Ok(()) => {}
            Err(Failure::Server(finding)) => failed.push(finding),
            Err(Failure::Account(finding)) => {
                failed.push(finding);
                break;
            }
        }
    }
    match report {
        None => Err(all_failed(failed)),
        Some(mut report) => {
            report.findings.extend(failed.into_iter().map(passed_over));
            Ok(report)
        }
    }
}

/// Whether each server lets the account in, in the order of the configuration; one that stands by must be able to when it
/// is needed. Ends at the first that refuses the account itself: every further try brings its lock-out nearer.
pub(super) async fn try_servers(config: &LdapConfig) -> Result<Vec<(String, Option<Finding>)>, Finding> {
    let (servers, access) = prepare(config)?;
    let mut tried = Vec::new();
    for server in &servers {
        let (failed, ends) = match connect::connect(server, config, &access).await {
            Ok(mut ldap) => {
                // It has let us in; whether it hears the goodbye does not matter.
                drop(tokio::time::timeout(super::read::GOODBYE, ldap.unbind()).await);
                (None, false)
            }
            Err(Failure::Server(finding)) => (Some(finding), false),
            Err(Failure::Account(finding)) => (Some(finding), true),
        };
        tried.push((server.name.clone(), failed));
        if ends {
            break;
        }
    }
    Ok(tried)
}

async fn look(server: &Server, config: &LdapConfig, access: &Access) -> Result<ProbeReport, Failure> {
    let mut ldap = connect::connect(server, config, access).await?;
    let root = RootDse::ask(&mut ldap, config.page_timeout.duration()).await;
    let columns = Columns::new(&BTreeSet::new(), &config.key, config.anchor.as_deref());
    let mut gathered = Gathered::new(&columns, &config.harmless_references);
    if root.paging == Some(false) {
        gathered.findings.push(Finding::new(
            "paging_not_offered",
            Effect::Note,
            format!("{server} does not list paged results among what it offers"),
            "a large read may hit its size limit",
        ));
    }
    let mut bases = Vec::new();
    for base in config.base.as_slice() {
        let before = gathered.records.len();
        let Some(more) = Paging::new(server, config, base)
            .first_page(&mut ldap, &mut gathered)
            .await?
        else {
            continue;
        };
        let page = &gathered.records[before..];
        let with_key = page.iter().filter(|record| {
            let key = record.values[columns.key()].as_slice();
            key.iter().any(|value| !value.trim().is_empty())
        });
        bases.push(BaseReport {
            base: base.clone(),
            entries: page.len() as u64,
            with_key: with_key.count() as u64,
            more,
        });
    }
    let schema_judged = match gathered.missing().contains(&columns.key()) {
        true => {
            let schema = root.schema(&mut ldap, config.page_timeout.duration()).await;
            Some(super::schema::judge(&config.key, &server.name, schema.as_ref()))
        }
        false => None,
    };
    let mut findings = gathered.findings(server, config);
    findings.extend(schema_judged);
    Ok(ProbeReport {
        server: server.name.clone(),
        encryption: server.encryption,
        vendor: root.vendor,
        server_time: root.time,
        bases,
        findings,
    })
}
