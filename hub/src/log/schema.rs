//! The hub's tables. Every key begins with the school: one hub may serve several.

use rusqlite::Connection;

use crate::error::HubError;

/// Opens a connection as the hub needs it.
pub fn open(path: &std::path::Path) -> Result<Connection, HubError> {
    let connection = Connection::open(path)?;
    prepare(&connection)?;
    Ok(connection)
}

/// A database that lives in memory only, for tests and simulations.
pub fn open_in_memory() -> Result<Connection, HubError> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), HubError> {
    // WAL: readers and backups do not stop the writer. FULL: an acknowledged change survives a power cut.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // An import in another process holds the write lock for seconds.
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(TABLES)?;
    Ok(())
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS head (
    school BLOB PRIMARY KEY, pos INTEGER NOT NULL, chain BLOB NOT NULL
) STRICT;

-- `batch` is the position of the first row of the same batch. `key_id` names the key that seals `data`: 0 is none.
-- `standing` is the weight of an accepted change: its standing and, as bit 4, that what its author saw is lost.
CREATE TABLE IF NOT EXISTS log (
    school BLOB NOT NULL, pos INTEGER NOT NULL, kind INTEGER NOT NULL, doc BLOB NOT NULL, hash BLOB NOT NULL,
    author BLOB NOT NULL, standing INTEGER, received INTEGER NOT NULL, chain BLOB NOT NULL,
    batch INTEGER NOT NULL, key_id INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (school, pos)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS log_change ON log (school, doc, hash) WHERE kind = 0;
CREATE INDEX IF NOT EXISTS log_document ON log (school, doc, pos) WHERE kind = 0;
CREATE INDEX IF NOT EXISTS log_received ON log (school, received);

CREATE TABLE IF NOT EXISTS command (
    school BLOB NOT NULL, person BLOB NOT NULL, id BLOB NOT NULL, pos INTEGER NOT NULL,
    PRIMARY KEY (school, person, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS doc (
    school BLOB NOT NULL, doc BLOB NOT NULL, kind INTEGER NOT NULL, subject TEXT NOT NULL, year TEXT NOT NULL,
    generation INTEGER NOT NULL, last_pos INTEGER NOT NULL,
    PRIMARY KEY (school, doc), UNIQUE (school, kind, subject, year, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS snapshot (
    school BLOB NOT NULL, doc BLOB NOT NULL, pos INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (school, doc)
) STRICT;

CREATE TABLE IF NOT EXISTS certificate (
    school BLOB NOT NULL, id BLOB NOT NULL, person BLOB NOT NULL, pos INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (school, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS revoked (
    school BLOB NOT NULL, certificate BLOB NOT NULL, pos INTEGER NOT NULL, received INTEGER NOT NULL,
    PRIMARY KEY (school, certificate)
) STRICT, WITHOUT ROWID;

-- Changes refused for good, and those of kept batches (`kept` is the batch's number).
CREATE TABLE IF NOT EXISTS refusal (
    school BLOB NOT NULL, doc BLOB NOT NULL, hash BLOB NOT NULL, code INTEGER NOT NULL, reason INTEGER,
    cause INTEGER NOT NULL, kept INTEGER,
    PRIMARY KEY (school, doc, hash)
) STRICT, WITHOUT ROWID;

-- Batches kept for the office, as they came.
CREATE TABLE IF NOT EXISTS kept (
    id INTEGER PRIMARY KEY AUTOINCREMENT, school BLOB NOT NULL, person BLOB NOT NULL, received INTEGER NOT NULL,
    code INTEGER NOT NULL, reason INTEGER, data BLOB NOT NULL, facts BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS kept_school ON kept (school, id);

-- What devices handed in sealed, as it came.
CREATE TABLE IF NOT EXISTS handed_in (
    id INTEGER PRIMARY KEY AUTOINCREMENT, school BLOB NOT NULL, person BLOB NOT NULL, received INTEGER NOT NULL,
    hash BLOB NOT NULL, data BLOB NOT NULL,
    UNIQUE (school, person, hash)
) STRICT;

-- What the hub itself last wrote under a key: digest of the fact without its version.
CREATE TABLE IF NOT EXISTS hub_fact (
    school BLOB NOT NULL, doc BLOB NOT NULL, section TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (school, doc, section, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS checkpoint (
    school BLOB NOT NULL, pos INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (school, pos)
) STRICT, WITHOUT ROWID;
";
