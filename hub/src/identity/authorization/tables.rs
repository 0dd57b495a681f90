//! The tables of the authorization server in `identity.sqlite`. Secrets stand in them as hashes only.

use rusqlite::Connection;

use crate::error::HubError;
use crate::identity::store::IdentityStore;

/// Makes the tables if they are not there.
pub fn migrate(store: &IdentityStore) -> Result<(), HubError> {
    store.lock()?.execute_batch(TABLES)?;
    Ok(())
}

/// How long a session that has ended is remembered, in milliseconds: what its device sends is still explained.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// Takes away what has ended, so that the tables stay small.
pub fn sweep(database: &Connection, now_ms: i64) -> Result<(), HubError> {
    for sql in [
        "DELETE FROM pushed_request WHERE expires <= ?1",
        "DELETE FROM login WHERE expires <= ?1",
        // A code that comes again within the hour still ends what it began.
        "DELETE FROM code WHERE expires <= ?1 - 3600000",
        "DELETE FROM profile WHERE expires <= ?1",
        "DELETE FROM refresh_token WHERE expires <= ?1",
    ] {
        database.prepare_cached(sql)?.execute([now_ms])?;
    }
    database
        .prepare_cached("DELETE FROM session WHERE coalesce(ended, expires) <= ?1")?
        .execute([now_ms - KEPT_MS])?;
    Ok(())
}

/// Makes room for one more row in a table that strangers fill: what comes first in this order goes. Names and order are
/// ours, never outside input.
pub fn make_room(
    database: &Connection,
    table: &'static str,
    order: &'static str,
    most: i64,
) -> Result<(), HubError> {
    let key = if table == "login" { "id" } else { "handle" };
    let count: i64 =
        database.prepare_cached(&format!("SELECT count(*) FROM {table}"))?.query_row([], |row| row.get(0))?;
    if count >= most {
        database
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} ORDER BY {order} LIMIT ?1)"
            ))?
            .execute([count - most + 1])?;
    }
    Ok(())
}

/// Ends all sessions, logins under way and codes: of a database that comes from a backup nobody knows who was logged
/// out since.
pub fn end_everything(database: &mut Connection, now_ms: i64) -> Result<(), HubError> {
    let transaction = database.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute("UPDATE session SET ended = ?1 WHERE ended IS NULL", [now_ms])?;
    transaction.execute_batch(
        "DELETE FROM refresh_token; DELETE FROM code; DELETE FROM login; DELETE FROM pushed_request;
         DELETE FROM profile;",
    )?;
    transaction.commit()?;
    Ok(())
}

const TABLES: &str = "
-- Requests that an app pushed and no browser has brought yet. `handle` is the hash of the request_uri's random part.
CREATE TABLE IF NOT EXISTS pushed_request (
    handle BLOB PRIMARY KEY, request TEXT NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logins under way in a browser. `request` is what the app asked; none for the hub's own pages. `cookie` is a hash.
CREATE TABLE IF NOT EXISTS login (
    id BLOB PRIMARY KEY, cookie BLOB NOT NULL UNIQUE, request TEXT, expires INTEGER NOT NULL,
    person BLOB, level INTEGER, method INTEGER, authenticated INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS pushed_request_expires ON pushed_request (expires);
CREATE INDEX IF NOT EXISTS login_expires ON login (person IS NOT NULL, expires);

-- Codes on their way through a browser. `session` is what a redeemed one began.
CREATE TABLE IF NOT EXISTS code (
    hash BLOB PRIMARY KEY, request TEXT NOT NULL, expires INTEGER NOT NULL,
    person BLOB NOT NULL, level INTEGER NOT NULL, method INTEGER NOT NULL, authenticated INTEGER NOT NULL,
    redeemed INTEGER NOT NULL DEFAULT 0, session BLOB
) STRICT, WITHOUT ROWID;

-- Logins that lasted: one per app and device. `thumbprint` is of the key that its tokens are bound to.
CREATE TABLE IF NOT EXISTS session (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, client TEXT NOT NULL, thumbprint BLOB NOT NULL, scope TEXT NOT NULL,
    level INTEGER NOT NULL, method INTEGER NOT NULL, authenticated INTEGER NOT NULL,
    created INTEGER NOT NULL, last_used INTEGER NOT NULL, expires INTEGER NOT NULL,
    ended INTEGER, label TEXT, certificate BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_person ON session (person);

-- `superseded`: another token of the session has been used since. A superseded one that comes again was copied.
CREATE TABLE IF NOT EXISTS refresh_token (
    hash BLOB PRIMARY KEY, session BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    issued INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refresh_token_session ON refresh_token (session);

-- Browsers in the hub's own pages. `cookie` is a hash.
CREATE TABLE IF NOT EXISTS profile (
    cookie BLOB PRIMARY KEY, person BLOB NOT NULL, level INTEGER NOT NULL, method INTEGER NOT NULL,
    authenticated INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS profile_person ON profile (person);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_logins_drives_out_the_oldest_of_nobody_first() {
        let store = IdentityStore::in_memory().unwrap();
        migrate(&store).unwrap();
        let database = store.lock().unwrap();
        for (id, person, expires) in [(1u8, None, 30), (2, None, 20), (3, Some([9u8; 16]), 10), (4, None, 40)]
        {
            let sql = "INSERT INTO login (id, cookie, person, expires) VALUES (?1, ?1, ?2, ?3)";
            database.execute(sql, rusqlite::params![[id; 16], person, expires]).unwrap();
        }
        make_room(&database, "login", "person IS NOT NULL, expires", 5).unwrap();
        make_room(&database, "login", "person IS NOT NULL, expires", 3).unwrap();
        let mut statement = database.prepare("SELECT id FROM login ORDER BY id").unwrap();
        let left: Vec<[u8; 16]> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(left, [[3; 16], [4; 16]], "who has shown who they are stays");
    }
}
