//! Tables, pragmas and migrations.

use std::sync::OnceLock;

use rusqlite::Connection;

use crate::error::StoreError;

/// SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log when two connections write or checkpoint together.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a connection waits for another: no more than one write.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Bytes of a page; the salvage of a damaged file relies on it.
pub(crate) const PAGE: usize = 4096;

/// Each brings a file one number further; the schema's number is how many were run.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE documents (doc BLOB PRIMARY KEY, id BLOB NOT NULL, key BLOB NOT NULL, key_id INTEGER NOT NULL,
        seals INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE parts (doc BLOB NOT NULL REFERENCES documents ON DELETE CASCADE, part INTEGER NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (doc, part)) WITHOUT ROWID;
    CREATE TABLE changes (ordinal INTEGER PRIMARY KEY, doc BLOB NOT NULL REFERENCES documents ON DELETE CASCADE,
        hash BLOB NOT NULL, state INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (doc, hash));
    CREATE TABLE views (doc BLOB NOT NULL REFERENCES documents ON DELETE CASCADE, part BLOB NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (doc, part)) WITHOUT ROWID;
    -- The salvage finds the rows of outbox and meta in the pages of a damaged file by their columns.
    CREATE TABLE outbox (ordinal INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, state INTEGER NOT NULL,
        data BLOB NOT NULL);
    CREATE INDEX outbox_state ON outbox (state, ordinal);
    CREATE TABLE meta (ordinal INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, kept INTEGER NOT NULL,
        data BLOB NOT NULL);
    CREATE TABLE blobs (hash BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    -- Rows that did not open, as they were.
    CREATE TABLE set_aside (ordinal INTEGER PRIMARY KEY, name BLOB, state INTEGER, data BLOB);
    -- Seals of the keys that live as long as the store.
    CREATE TABLE seals (key INTEGER PRIMARY KEY, used INTEGER NOT NULL);
"];

/// Numbers above are taken for a damaged header, not for a newer register.
const HIGHEST_BELIEVED: i64 = 9_999;

/// Refuses a SQLite library with the write-ahead log fault.
pub fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE { Err(StoreError::OldSqlite) } else { Ok(()) }
}

/// Sets the pragmas of a connection.
pub fn configure(connection: &Connection, durable: bool, reader: bool) -> Result<(), StoreError> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "page_size", PAGE as i64)?;
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
    // A page that contradicts itself is an error at once, not a wrong answer.
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    #[cfg(target_vendor = "apple")]
    connection.pragma_update(None, "checkpoint_fullfsync", "ON")?;
    if reader {
        connection.pragma_update(None, "query_only", "ON")?;
    }
    Ok(())
}

/// Brings a file to the current schema; refuses one of a newer version, untouched.
///
/// # Errors
/// [`StoreError::Newer`]; [`StoreError::Damaged`] if the tables are not those of the number that the file states.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    run_migrations(connection, MIGRATIONS)?;
    if tables(connection)? == *expected()? { Ok(()) } else { Err(StoreError::Damaged) }
}

/// Whether the file is sound in all its pages, and the outbox also in what its indexes say.
pub(crate) fn is_sound(connection: &Connection) -> Result<bool, StoreError> {
    if tables(connection).is_ok_and(|found| expected().is_ok_and(|expected| found != *expected)) {
        return Ok(false);
    }
    for pragma in ["PRAGMA quick_check(1)", "PRAGMA integrity_check('outbox')"] {
        let answer: Result<String, _> = connection.query_row(pragma, [], |row| row.get(0));
        match answer.map_err(StoreError::from) {
            Ok(answer) if answer == "ok" => {}
            Ok(_) | Err(StoreError::Damaged) => return Ok(false),
            Err(error) if error.is_suspicious() => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// In one transaction: all of them or none.
fn run_migrations(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let version = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        _ if found == version => return Ok(()),
        _ if found > version && found <= HIGHEST_BELIEVED => return Err(StoreError::Newer { found }),
        _ if found < 0 || found > version => return Err(StoreError::Damaged),
        0 if !tables(connection)?.is_empty() => return Err(StoreError::Damaged),
        _ => {}
    }
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()?;
    Ok(())
}

type Tables = Vec<(String, String, Option<String>)>;

/// What the file says that its tables and indexes are.
fn tables(connection: &Connection) -> Result<Tables, StoreError> {
    let mut query = connection.prepare("SELECT name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What they are in a file made by this version.
fn expected() -> Result<&'static Tables, StoreError> {
    static EXPECTED: OnceLock<Tables> = OnceLock::new();
    if let Some(known) = EXPECTED.get() {
        return Ok(known);
    }
    let mut fresh = Connection::open_in_memory()?;
    run_migrations(&mut fresh, MIGRATIONS)?;
    let found = tables(&fresh)?;
    Ok(EXPECTED.get_or_init(|| found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn each_migration_runs_once_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (n INTEGER); INSERT INTO a VALUES (1)", "UPDATE a SET n = n + 1"];
        run_migrations(&mut connection, &steps[..1]).unwrap();
        for _ in 0..2 {
            run_migrations(&mut connection, &steps).unwrap();
            let n: i64 = connection.query_row("SELECT n FROM a", [], |row| row.get(0)).unwrap();
            assert_eq!((version(&connection), n), (2, 2));
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (n INTEGER); INSERT INTO a VALUES (1)";
        run_migrations(&mut connection, &[first]).unwrap();
        let broken = [first, "UPDATE a SET n = 7", "INSERT INTO nowhere VALUES (1)"];
        assert!(run_migrations(&mut connection, &broken).is_err());
        let n: i64 = connection.query_row("SELECT n FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!((version(&connection), n), (1, 1));
    }

    #[test]
    fn a_newer_file_is_refused_and_an_impossible_number_is_damage() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 2).unwrap();
        assert!(matches!(migrate(&mut connection), Err(StoreError::Newer { found: 2 })));
        for damaged in [-1, 0x0100_0001, 0] {
            connection.pragma_update(None, "user_version", damaged).unwrap();
            assert!(matches!(migrate(&mut connection), Err(StoreError::Damaged)), "{damaged}");
        }
    }

    #[test]
    fn tables_that_are_not_ours_are_damage() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.execute_batch("ALTER TABLE outbox RENAME TO outbpx").unwrap();
        assert!(matches!(migrate(&mut connection), Err(StoreError::Damaged)));
    }
}
