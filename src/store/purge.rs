//! Forgetting a person (RULES 12): the values of journal and held items go, who did what when stays.

use super::fault::Fault;
use crate::domain::ids::CardId;
use sqlx::SqliteConnection;

/// Empties everything personal that is kept for a card. The card id, the actions, times and outcomes stay; the ledger is
/// the caller's, in the same run. Rows of a creation are found by the card their outcome named.
pub(super) async fn card(connection: &mut SqliteConnection, environment: i64, card: &CardId) -> Result<(), Fault> {
    // An open intent keeps what recovery needs until it is settled; the next purge takes it.
    sqlx::query(
        "UPDATE journal SET key = NULL, change = '', step = '', before = NULL, operators = '[]', after = NULL, \
         outcome_detail = NULL, settled_detail = NULL \
         WHERE environment = ?1 AND card = ?2 AND (settled IS NOT NULL OR outcome IN ('done', 'not_done', 'held', 'not_reached'))",
    )
    .bind(environment)
    .bind(card.as_str())
    .execute(&mut *connection)
    .await?;
    for forget in [
        "DELETE FROM pin WHERE environment = ?1 AND card = ?2",
        "DELETE FROM hold WHERE environment = ?1 AND card = ?2",
        "DELETE FROM halfway WHERE environment = ?1 AND EXISTS (SELECT 1 FROM json_each(cards) WHERE value = ?2)",
    ] {
        sqlx::query(forget)
            .bind(environment)
            .bind(card.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
