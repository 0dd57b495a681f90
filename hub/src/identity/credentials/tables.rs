//! The tables of the credentials in `identity.sqlite`. Passwords stand in them as hashes, codes and links as keyed
//! hashes, keys of authenticator apps and mail sealed: a copy of the database logs nobody in.

use rusqlite::{Connection, params};

use super::throttle;
use crate::error::HubError;
use crate::identity::store::IdentityStore;

/// Makes the tables if they are not there.
pub fn migrate(store: &IdentityStore) -> Result<(), HubError> {
    store.lock()?.execute_batch(TABLES)?;
    Ok(())
}

/// Takes away what has ended.
pub fn sweep(database: &Connection, now_ms: i64) -> Result<(), HubError> {
    // Used and expired links still count for an hour in what bounds how often they are asked for.
    database
        .prepare_cached("DELETE FROM credential_link WHERE expires <= ?1 - 3600000")?
        .execute([now_ms])?;
    database.prepare_cached("DELETE FROM credential_step WHERE expires <= ?1")?.execute([now_ms])?;
    throttle::sweep(database, now_ms)
}

/// Takes away what may have been used, taken back or ended since a backup: codes, links, recovery codes, mail, and the last
/// day of the method, which the head sets again. Passwords are those of the backup.
pub fn distrust(database: &mut Connection) -> Result<(), HubError> {
    let transaction = database.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(
        "DELETE FROM credential_link; DELETE FROM credential_step; DELETE FROM recovery_code;
         DELETE FROM credential_setting; DELETE FROM mail;",
    )?;
    transaction.commit()?;
    Ok(())
}

/// A setting that a command changed.
pub fn setting(database: &Connection, name: &str) -> Result<Option<String>, HubError> {
    use rusqlite::OptionalExtension;
    Ok(database
        .prepare_cached("SELECT value FROM credential_setting WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// Changes a setting; none takes it away.
pub fn set(database: &Connection, name: &str, value: Option<&str>) -> Result<(), HubError> {
    match value {
        Some(value) => database.execute(
            "INSERT INTO credential_setting (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![name, value],
        )?,
        None => database.execute("DELETE FROM credential_setting WHERE name = ?1", [name])?,
    };
    Ok(())
}

const TABLES: &str = "
-- Who holds credentials. `hash` is missing until the first access. `email` is what the person gave at the first
-- access; `email_confirmed`: mail has reached it. `totp` is the sealed key of an authenticator app, in use once
-- `totp_on`; `totp_step` is the last time step whose code was used. `disabled`: since when the person has left.
CREATE TABLE IF NOT EXISTS credential (
    person BLOB PRIMARY KEY, username TEXT NOT NULL UNIQUE, issued INTEGER NOT NULL,
    hash TEXT, changed INTEGER, email TEXT, email_confirmed INTEGER NOT NULL DEFAULT 0,
    totp BLOB, totp_on INTEGER NOT NULL DEFAULT 0, totp_step INTEGER NOT NULL DEFAULT 0,
    disabled INTEGER
) STRICT, WITHOUT ROWID;

-- Codes and links that work once. `hash` is keyed. `subject` names whom it was asked for, also where nobody is.
CREATE TABLE IF NOT EXISTS credential_link (
    hash BLOB PRIMARY KEY, purpose INTEGER NOT NULL, person BLOB, email TEXT, subject BLOB,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS credential_link_person ON credential_link (person, purpose);
CREATE INDEX IF NOT EXISTS credential_link_subject ON credential_link (subject, created);

CREATE TABLE IF NOT EXISTS recovery_code (
    person BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (person, hash)
) STRICT, WITHOUT ROWID;

-- Consecutive failures of a user name or a second factor. `subject` is a keyed hash, of names that exist and of others.
CREATE TABLE IF NOT EXISTS credential_throttle (
    subject BLOB PRIMARY KEY, failures INTEGER NOT NULL, next INTEGER NOT NULL, last INTEGER NOT NULL,
    known INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logins in which the password was right and the second factor is missing.
CREATE TABLE IF NOT EXISTS credential_step (
    login BLOB PRIMARY KEY, person BLOB NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS credential_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Mail that waits. `letter` is sealed: it carries names and links.
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY, letter BLOB NOT NULL, next INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS mail_next ON mail (next);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_used_since_a_backup_is_not_trusted() {
        let mut database = Connection::open_in_memory().unwrap();
        database.execute_batch(TABLES).unwrap();
        database
            .execute_batch(
                "INSERT INTO credential_link (hash, purpose, created, expires) VALUES (x'01', 1, 0, 9);
                 INSERT INTO credential_step VALUES (x'01', x'02', 9);
                 INSERT INTO recovery_code VALUES (x'01', x'02');
                 INSERT INTO credential_setting VALUES ('password_login_until', '2027-02-01');
                 INSERT INTO mail (letter, next, expires) VALUES (x'01', 0, 9);",
            )
            .unwrap();
        distrust(&mut database).unwrap();
        for table in ["credential_link", "credential_step", "recovery_code", "credential_setting", "mail"] {
            let left: i64 =
                database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{table}");
        }
    }
}
