//! Tables, pragmas and migrations.

use rusqlite::Connection;

use crate::error::StoreError;

/// Number of the schema; part of every seal's place.
pub const VERSION: i64 = 1;

/// SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log when two connections write or checkpoint together.
const OLDEST_SQLITE: i32 = 3_051_003;

const MIGRATIONS: &[&str] = &["
    
    CREATE TABLE documents (
        doc BLOB PRIMARY KEY, id BLOB NOT NULL, key BLOB NOT NULL, key_id INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE parts (doc BLOB NOT NULL REFERENCES documents ON DELETE CASCADE, part INTEGER NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (doc, part)) WITHOUT ROWID;
    CREATE TABLE changes (ordinal INTEGER PRIMARY KEY, doc BLOB NOT NULL REFERENCES documents ON DELETE CASCADE,
        hash BLOB NOT NULL, state INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (doc, hash));
    CREATE TABLE views (doc BLOB NOT NULL REFERENCES documents ON DELETE CASCADE, part BLOB NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (doc, part)) WITHOUT ROWID;
    CREATE TABLE outbox (ordinal INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, state INTEGER NOT NULL,
        data BLOB NOT NULL);
    CREATE INDEX outbox_state ON outbox (state, ordinal);
    CREATE TABLE blobs (hash BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE meta (name BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
"];

/// Refuses a SQLite library with the write-ahead log fault.
pub fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE { Err(StoreError::OldSqlite) } else { Ok(()) }
}

/// Sets the pragmas of a connection.
pub fn configure(connection: &Connection, durable: bool, reader: bool) -> Result<(), StoreError> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Readers go on while the writer commits.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // "Saved" survives a power cut.
    connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "OFF" })?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // Temporary files would reach the disk on iOS.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "journal_size_limit", 8 * 1024 * 1024)?;
    // A deleted key must not stay in a free page.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    #[cfg(target_vendor = "apple")]
    connection.pragma_update(None, "checkpoint_fullfsync", "ON")?;
    if reader {
        connection.pragma_update(None, "query_only", "ON")?;
    }
    Ok(())
}

/// Brings a file to the current schema in one transaction; refuses one of a newer version.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > VERSION {
        return Err(StoreError::Newer { found });
    }
    if found == VERSION {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done = usize::try_from(found).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(())
}
