//! Backup while the hub serves, and restoring it while it does not.

use std::path::Path;
use std::time::Duration;

use registro_documents::SigningKey;
use registro_model::{DocumentId, PersonId};
use registro_sync::notices::{Restored, Signed};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::HubError;
use crate::log::{Appender, NewRow, RowKind, schema};
use crate::registry::Registry;

/// Pages copied at a time; between two lots a serving hub may write.
const PAGES: i32 = 1_024;

/// Copies the database, consistent as of one moment, while others may go on writing. The target is replaced.
pub fn backup(database: &Path, target: &Path) -> Result<(), HubError> {
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.busy_timeout(Duration::from_secs(30))?;
    copy(&source, target)
}

fn copy(source: &Connection, target: &Path) -> Result<(), HubError> {
    let half = target.with_extension("part");
    remove(&half)?;
    {
        let mut into = Connection::open(&half)?;
        Backup::new(source, &mut into)?.run_to_completion(PAGES, Duration::from_millis(5), None)?;
        // One file, without a log beside it.
        into.pragma_update(None, "journal_mode", "DELETE")?;
        into.close().map_err(|(_, error)| error)?;
    }
    std::fs::File::open(&half)?.sync_all()?;
    std::fs::rename(&half, target)?;
    Ok(())
}

/// Puts a backup in the place of the database of a hub that does not run, and logs that it was restored. What the
/// backup does not hold is brought back by the devices.
pub fn restore(
    backup: &Path,
    database: &Path,
    registry: &dyn Registry,
    key: &SigningKey,
    now_ms: i64,
) -> Result<(), HubError> {
    let source = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sound: String = source.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let heads: i64 = source.query_row("SELECT count(*) FROM head", [], |row| row.get(0))?;
    if sound != "ok" || heads == 0 {
        return Err(HubError::Stored("a backup that is damaged or empty"));
    }
    for suffix in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        remove(Path::new(&name))?;
    }
    copy(&source, database)?;
    let connection = schema::open(database)?;
    let school = registry.school_id(&connection)?;
    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
    let mut appender = Appender::begin(&transaction, school)?;
    let notice = Restored { position: appender.next_position(), received: now_ms, signature: [0; 64] }
        .signed(school, key);
    appender.push(&NewRow {
        kind: RowKind::Restored,
        document: DocumentId([0; 16]),
        hash: [0; 32],
        author: PersonId(school.0),
        weight: None,
        received: now_ms,
        data: &crate::encode(&notice),
    })?;
    appender.finish()?;
    transaction.commit()?;
    Ok(())
}

fn remove(path: &Path) -> Result<(), HubError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
