//! The store as those see it who ask about the past, and as those who take things out of it.

use super::fault::Fault;
use super::file;
use super::prune;
use super::reads::HasReader;
use super::sqlite::SqliteStore;
use super::writer::Write;
use crate::core::model::ids::CardId;
use crate::core::model::key::Key;
use crate::engine::records::{Pruned, RecordsKeeper, Retention};
use crate::engine::state::{RunLease, StoreError};
use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};
use std::collections::BTreeSet;

impl RecordsKeeper for SqliteStore {
    async fn prune(&self, lease: &RunLease, retention: Retention, now: DateTime<Utc>) -> Result<Pruned, StoreError> {
        let environment = self.reader.environment;
        let pruned = async {
            let mut connection = file::connect_writing(&self.reader.path).await?;
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            check_lease(&mut transaction, environment, lease).await?;
            let pruned = prune::prune(&mut transaction, environment, retention, now).await?;
            transaction.commit().await?;
            connection.close().await?;
            Ok::<_, Fault>(pruned)
        };
        pruned.await.map_err(|fault| self.reader.at(fault))
    }

    async fn forget(&self, lease: &RunLease, card: &CardId, keys: &BTreeSet<Key>) -> Result<(), StoreError> {
        self.write(Write::Purge {
            fence: lease.fence(),
            card: card.clone(),
            keys: keys.clone(),
        })
        .await
    }

    async fn inputs_about(&self, cards: &BTreeSet<CardId>, keys: &BTreeSet<Key>) -> Result<u64, StoreError> {
        let (cards, keys) = (cards.clone(), keys.clone());
        self.reader.with_inputs(move |folder| folder.about(&cards, &keys)).await
    }

    async fn forget_inputs(
        &self,
        _lease: &RunLease,
        cards: &BTreeSet<CardId>,
        keys: &BTreeSet<Key>,
    ) -> Result<(), StoreError> {
        let (cards, keys) = (cards.clone(), keys.clone());
        self.reader
            .with_inputs(move |folder| folder.forget(&cards, &keys))
            .await
    }

    async fn tidy_inputs(&self, _lease: &RunLease) -> Result<(), StoreError> {
        let forgotten = self.forgotten().await?;
        // They are dated by the machine's clock, whatever the moment of a run.
        self.reader
            .with_inputs(move |folder| folder.tidy(&forgotten, Utc::now()))
            .await
    }

    async fn rewrite(&self, lease: &RunLease) -> Result<bool, StoreError> {
        let environment = self.reader.environment;
        let rewritten = async {
            let mut connection = file::connect_writing(&self.reader.path).await?;
            check_lease(&mut connection, environment, lease).await?;
            let rewritten = prune::rewrite(&mut connection, environment).await?;
            connection.close().await?;
            Ok::<_, Fault>(rewritten)
        };
        rewritten.await.map_err(|fault| self.reader.at(fault))
    }
}

/// Whether this run is still the one that may write.
async fn check_lease(connection: &mut SqliteConnection, environment: i64, lease: &RunLease) -> Result<(), Fault> {
    let current: i64 = sqlx::query_scalar("SELECT fence FROM lease WHERE environment = ?1")
        .bind(environment)
        .fetch_one(connection)
        .await?;
    if current == lease.fence() {
        return Ok(());
    }
    let ours = lease.fence();
    Err(Fault::Refused(StoreError::StaleLease { ours, current }))
}
