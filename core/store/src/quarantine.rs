//! A damaged file is set aside, never deleted: unsent work may exist only there. Commands that still open are
//! salvaged into the new file; everything else comes again from the hub.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use registro_model::CommandId;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::keys::Keys;
use crate::seal::place;
use crate::store::StoreOptions;
use crate::tables::StoredCommand;

/// What became of a damaged file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SalvageReport {
    /// The folder in which it was set aside.
    pub folder: PathBuf,
    /// Commands that were taken over.
    pub salvaged: usize,
    /// Commands that were seen and did not open.
    pub lost: usize,
    pub(crate) commands: Vec<StoredCommand>,
}

/// Moves the database, its log and index into `quarantine/<time>` and reads the commands that open.
pub(crate) fn set_aside(options: &StoreOptions, keys: &Keys) -> Result<SalvageReport, StoreError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    let folder = options.directory.join("quarantine").join(now.to_string());
    std::fs::create_dir_all(&folder)?;
    for name in ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm"] {
        match std::fs::rename(options.directory.join(name), folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut report = SalvageReport { folder: folder.clone(), ..SalvageReport::default() };
    // A header that does not read ends the salvage; the file stays for a closer look.
    let _ = salvage(&folder.join("db.sqlite"), keys, &mut report);
    Ok(report)
}

fn salvage(database: &std::path::Path, keys: &Keys, report: &mut SalvageReport) -> Result<(), StoreError> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let last: i64 =
        connection.query_row("SELECT coalesce(max(ordinal), 0) FROM outbox", [], |row| row.get(0))?;
    // One row at a time: a damaged page takes only its own rows along.
    for ordinal in 1..=last {
        let row =
            connection.query_row("SELECT id, state, data FROM outbox WHERE ordinal = ?1", [ordinal], |row| {
                Ok((row.get::<_, [u8; 8]>(0)?, row.get::<_, u8>(1)?, row.get::<_, Vec<u8>>(2)?))
            });
        match row {
            Ok((id, state, sealed)) => match keys.outbox.open(&place("outbox", b"", &id), &sealed) {
                Ok(body) => report.commands.push(StoredCommand { id: CommandId(id), ordinal, state, body }),
                Err(_) => report.lost += 1,
            },
            Err(rusqlite::Error::QueryReturnedNoRows) => {}
            Err(_) => report.lost += 1,
        }
    }
    Ok(())
}
