//! The office admits what was kept for it. Its place at the hub comes with a later issue; devices must know what to
//! do when it happens.

use std::path::Path;

use registro_documents::Batch;
use registro_hub::HubError;
use registro_hub::log::{Appender, NewRow, RowKind, schema};
use registro_hub::registry::Registry;
use registro_model::{PersonId, Standing};
use rusqlite::{Transaction, TransactionBehavior, params};

/// Appends every kept batch to the log of a hub that does not run; returns how many there were.
pub fn every_kept_batch(database: &Path, registry: &dyn Registry, now_ms: i64) -> Result<usize, HubError> {
    let connection = schema::open(database)?;
    let school = registry.school_id(&connection)?;
    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
    let kept: Vec<(PersonId, Vec<u8>)> = transaction
        .prepare("SELECT person, data FROM kept WHERE school = ?1 ORDER BY id")?
        .query_map([school.0], |row| Ok((PersonId(row.get(0)?), row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut appender = Appender::begin(&transaction, school)?;
    for (author, data) in &kept {
        let batch: Batch =
            minicbor::decode(data).map_err(|_| HubError::Stored("a kept batch that does not decode"))?;
        appender.begin_batch();
        let first = appender.next_position();
        for change in &batch.changes {
            let (document, hash) = (change.envelope.document, change.envelope.change);
            let data = minicbor::to_vec(change).map_err(|_| HubError::Stored("a change"))?;
            let position = appender.push(&NewRow {
                kind: RowKind::Change,
                document,
                hash,
                author: *author,
                weight: Some(Standing::OtherStaff as u8),
                received: now_ms,
                data: &data,
            })?;
            transaction.execute(
                "UPDATE doc SET last_pos = ?3 WHERE school = ?1 AND doc = ?2",
                params![school.0, document.0, position],
            )?;
            transaction.execute(
                "DELETE FROM refusal WHERE school = ?1 AND doc = ?2 AND hash = ?3",
                params![school.0, document.0, hash],
            )?;
            transaction.execute(
                "INSERT OR IGNORE INTO command (school, person, id, pos) VALUES (?1, ?2, ?3, ?4)",
                params![school.0, author.0, change.envelope.command.0, first],
            )?;
        }
    }
    appender.finish()?;
    transaction.execute("DELETE FROM kept WHERE school = ?1", [school.0])?;
    transaction.commit()?;
    Ok(kept.len())
}
