//! The read of one server: every base, page by page, each doubt a finding.
//!
//! A page that did not end with code 0, a cookie that was lost, a reference to another server: after any of these the
//! read is not the whole truth, and its findings say so (RULES 3.1). Nothing here decides what follows from that.

use super::address::Server;
use super::connect::{self, Access};
use super::entry::Columns;
use super::gather::{Finished, Gathered};
use super::paging::Paging;
use super::rootdse::RootDse;
use super::{Failure, schema};
use crate::config::LdapConfig;
use crate::core::model::ids::{Generation, SourceName};
use crate::core::model::key::KeySpec;
use crate::core::reads::snapshot::{Effect, Finding, SourceRead};
use crate::sources::directory::known;
use chrono::Utc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a server may take to hear the goodbye.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// Reads the whole source from this server, or says why another server must be asked.
pub(super) async fn read_server(
    server: &Server,
    config: &LdapConfig,
    key: &KeySpec,
    access: &Access,
    columns: &Columns,
    tell: &dyn Fn(u64, Option<u64>),
) -> Result<SourceRead, Failure> {
    let read_at = Utc::now();
    let mut ldap = connect::connect(server, config, access).await?;
    let limit = config.page_timeout.duration();
    let root = RootDse::ask(&mut ldap, limit).await;
    // Before the search: what changes meanwhile is above the mark.
    let update_marks = root.update_marks(&mut ldap, config.base.as_slice(), limit).await;

    let mut gathered = Gathered::new(columns, &config.harmless_references);
    for base in config.base.as_slice() {
        let finished = Paging::new(server, config, base)
            .run(&mut ldap, &mut gathered, tell)
            .await?;
        if !finished {
            // The read is rejected already: the other bases would only cost time.
            break;
        }
    }
    let missing = gathered.missing();
    let mut findings = gathered.findings(server, config);
    let mut in_schema = Vec::new();
    let nobody = gathered.records.is_empty() && !findings.iter().any(|finding| finding.effect == Effect::Reject);
    if nobody && let Some(schema) = root.schema(&mut ldap, limit).await {
        findings.extend(schema::judge_filter(&config.filter, &server.name, &schema));
    }
    // An anchor that was chosen and never came would leave everybody without one, unnoticed.
    let lost_anchor = config.anchor.as_deref().filter(|_| gathered.has_no_anchor());
    if !missing.is_empty() || lost_anchor.is_some() {
        let schema = root.schema(&mut ldap, limit).await;
        for place in &missing {
            let name = &columns.names()[*place];
            if schema.as_ref().is_some_and(|schema| schema.knows(name)) {
                in_schema.push(name.clone());
            }
            let finding = schema::judge(name, &server.name, schema.as_ref());
            findings.push(if *place == columns.key() {
                keyless(finding)
            } else {
                finding
            });
        }
        if let Some(anchor) = lost_anchor.filter(|anchor| !missing.iter().any(|place| columns.is(*place, anchor))) {
            findings.push(schema::judge(anchor, &server.name, schema.as_ref()));
        }
    }
    // A server that does not answer the goodbye has given everything all the same.
    drop(timeout(GOODBYE, ldap.unbind()).await);

    let source = SourceName::new(config.name.as_str());
    let Finished {
        attributes,
        missing,
        records,
        rejections,
    } = gathered.finish(&source, key);
    Ok(SourceRead {
        source,
        role: config.role,
        read_at,
        generation: Generation::new(format!("{} {server}", read_at.to_rfc3339())),
        key_attribute: config.key.clone(),
        attributes,
        known_attributes: known(config.rare.iter().chain(&in_schema), &missing),
        missing_attributes: missing,
        records,
        rejections,
        findings,
        modified_at: None,
        content: None,
        update_marks,
        name_date: None,
        server_time: root.time,
    })
}

/// Without a single key the read says nothing about anybody, whatever the server knows.
fn keyless(finding: Finding) -> Finding {
    Finding {
        effect: Effect::Reject,
        message: format!("{}; it is the key, so nobody can be recognised", finding.message),
        ..finding
    }
}
