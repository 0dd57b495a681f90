//! Backup while the hub serves, and restoring it while it does not.
//!
//! The login's database goes into a file beside the backup. Its own rule is that nobody gets in again who was out: a
//! login database that is there is kept, and out of one that comes from a backup nobody is logged in. Keys are in
//! neither (`school.key`, `login.keys`, `credentials.key`, `federation.keys`, `outbox.key`): who finds a backup must not
//! be able to speak for the school. They are kept elsewhere, or what they open is lost with the machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use registro_documents::SigningKey;
use registro_model::{DocumentId, PersonId};
use registro_sync::notices::{Restored, Signed};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::HubError;
use crate::identity::authorization::tables;
use crate::identity::credentials;
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

/// Where the login's database stands beside a backup: `noon.sqlite` has `noon.identity.sqlite`.
pub fn identity_beside(backup: &Path) -> PathBuf {
    backup.with_extension("identity.sqlite")
}

/// Copies the login's database into a file beside the backup, if there is one.
pub fn backup_identity(database: &Path, backup: &Path) -> Result<(), HubError> {
    let target = identity_beside(backup);
    match database.exists() {
        true => self::backup(database, &target),
        // A copy of an earlier backup of that name does not belong to this one.
        false => remove(&target),
    }
}

/// Puts the login's database beside a backup in its place, if there is none, and logs everybody out. Returns whether
/// it did: one that is there is younger, and knows whose sessions have ended since.
pub fn restore_identity(backup: &Path, database: &Path, now_ms: i64) -> Result<bool, HubError> {
    let beside = identity_beside(backup);
    if database.exists() || !beside.exists() {
        return Ok(false);
    }
    let source = Connection::open_with_flags(&beside, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sound: String = source.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound != "ok" {
        return Err(HubError::Stored("a backup of the login that is damaged"));
    }
    // Logged out before it stands in its place: a hub that starts after a power cut in between lets nobody in.
    let half = database.with_extension("restoring");
    copy(&source, &half)?;
    {
        let mut connection = Connection::open(&half)?;
        tables::end_everything(&mut connection, now_ms)?;
        credentials::tables::distrust(&mut connection)?;
        connection.close().map_err(|(_, error)| error)?;
    }
    std::fs::File::open(&half)?.sync_all()?;
    remove_logs(database)?;
    std::fs::rename(&half, database)?;
    Ok(true)
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
    remove_logs(database)?;
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

/// Takes away what a database that is not there any more left beside it.
fn remove_logs(database: &Path) -> Result<(), HubError> {
    for suffix in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        remove(Path::new(&name))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), HubError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
