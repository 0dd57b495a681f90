//! Sessions: logins that lasted. One per login of an app on a device; it ends by itself, by the person, by the office,
//! or when its tokens turn up in two places.

use registro_model::PersonId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::caller::{Level, SessionId};
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::interaction::{Authenticated, Method};

/// Sessions of one person at once; with one more, the one that was used longest ago ends. A teacher has a tablet, a
/// phone and a classroom's computer or two.
const MAX_PER_PERSON: i64 = 32;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// The app.
    pub client: String,
    /// Thumbprint of the key that its tokens are bound to.
    pub thumbprint: [u8; 32],
    /// What was asked for and allowed.
    pub scope: String,
    /// How surely the person showed who they are.
    pub level: Level,
    /// In which way.
    pub method: Method,
    /// When, Unix milliseconds.
    pub authenticated: i64,
    /// When it began, Unix milliseconds.
    pub created: i64,
    /// When it last got new tokens, Unix milliseconds.
    pub last_used: i64,
    /// When it ends by itself, Unix milliseconds.
    pub expires: i64,
    /// When it was ended, if it was.
    pub ended: Option<i64>,
    /// What the person calls the device.
    pub label: Option<String>,
    /// The certificate of the device's key, once it has one.
    pub certificate: Option<[u8; 32]>,
}

impl Session {
    /// Whether its tokens are good.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.ended.is_none() && now_ms < self.expires
    }
}

/// What a session begins with.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The app.
    pub client: &'a str,
    /// Thumbprint of the key that its tokens are bound to.
    pub thumbprint: [u8; 32],
    /// What was asked for and allowed.
    pub scope: &'a str,
    /// Who it was.
    pub who: Authenticated,
    /// When it ends by itself.
    pub expires: i64,
}

const COLUMNS: &str =
    "id, person, client, thumbprint, scope, level, method, authenticated, created, last_used,
    expires, ended, label, certificate";

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let bad = |column| rusqlite::Error::IntegralValueOutOfRange(column, 0);
    Ok(Session {
        id: SessionId(row.get(0)?),
        person: PersonId(row.get(1)?),
        client: row.get(2)?,
        thumbprint: row.get(3)?,
        scope: row.get(4)?,
        level: Level::of_number(row.get(5)?).ok_or(bad(5))?,
        method: Method::of_number(row.get(6)?).ok_or(bad(6))?,
        authenticated: row.get(7)?,
        created: row.get(8)?,
        last_used: row.get(9)?,
        expires: row.get(10)?,
        ended: row.get(11)?,
        label: row.get(12)?,
        certificate: row.get(13)?,
    })
}

/// A session by id, ended or not.
pub fn find(database: &Connection, id: SessionId) -> Result<Option<Session>, HubError> {
    let sql = format!("SELECT {COLUMNS} FROM session WHERE id = ?1");
    Ok(database.prepare_cached(&sql)?.query_row([id.0], session).optional()?)
}

/// Begins a session. One that the same key has already, renewed or raised to a level by this login, ends: there is one
/// per device, and it goes on under the same label.
pub fn begin(
    database: &Connection,
    id: SessionId,
    new: &NewSession<'_>,
    now_ms: i64,
) -> Result<(), HubError> {
    let NewSession { client, thumbprint, scope, who, expires } = new;
    database
        .prepare_cached(
            "UPDATE session SET ended = ?2 WHERE id IN (
                 SELECT id FROM session WHERE person = ?1 AND ended IS NULL AND expires > ?2
                 ORDER BY last_used DESC, created DESC LIMIT -1 OFFSET ?3)",
        )?
        .execute(params![who.person.0, now_ms, MAX_PER_PERSON - 1])?;
    database
        .prepare_cached(
            "INSERT INTO session (id, person, client, thumbprint, scope, level, method, authenticated, created,
                 last_used, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
        )?
        .execute(params![
            id.0,
            who.person.0,
            client,
            thumbprint,
            scope,
            who.level.number(),
            who.method.number(),
            who.at,
            now_ms,
            expires
        ])?;
    database
        .prepare_cached(
            "UPDATE session SET (label, certificate) = (
                 SELECT label, certificate FROM session
                 WHERE person = ?2 AND thumbprint = ?3 AND id <> ?1 AND ended IS NULL
                 ORDER BY created DESC LIMIT 1)
             WHERE id = ?1",
        )?
        .execute(params![id.0, who.person.0, thumbprint])?;
    let before: Vec<SessionId> = database
        .prepare_cached(
            "SELECT id FROM session WHERE person = ?2 AND thumbprint = ?3 AND id <> ?1 AND ended IS NULL",
        )?
        .query_map(params![id.0, who.person.0, thumbprint], |row| row.get(0).map(SessionId))?
        .collect::<Result<_, _>>()?;
    for session in before {
        end(database, session, now_ms)?;
    }
    Ok(())
}

/// Notes that a session got new tokens.
pub fn touch(database: &Connection, id: SessionId, expires: i64, now_ms: i64) -> Result<(), HubError> {
    database
        .prepare_cached("UPDATE session SET last_used = ?2, expires = max(expires, ?3) WHERE id = ?1")?
        .execute(params![id.0, now_ms, expires])?;
    Ok(())
}

/// Ends a session: none of its tokens is good any more. Says whether it was live.
pub fn end(database: &Connection, id: SessionId, now_ms: i64) -> Result<bool, HubError> {
    let ended = database
        .prepare_cached("UPDATE session SET ended = ?2 WHERE id = ?1 AND ended IS NULL AND expires > ?2")?
        .execute(params![id.0, now_ms])?;
    database.prepare_cached("DELETE FROM refresh_token WHERE session = ?1")?.execute([id.0])?;
    Ok(ended > 0)
}

/// A person's live sessions, the last used first.
pub fn live(database: &Connection, person: PersonId, now_ms: i64) -> Result<Vec<Session>, HubError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM session WHERE person = ?1 AND ended IS NULL AND expires > ?2
         ORDER BY last_used DESC, created DESC"
    );
    let mut statement = database.prepare_cached(&sql)?;
    let rows = statement.query_map(params![person.0, now_ms], session)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends all sessions of a person; returns how many there were.
pub fn end_all(database: &mut Connection, person: PersonId, now_ms: i64) -> Result<usize, HubError> {
    let transaction = database.transaction()?;
    let ended = transaction
        .prepare_cached("UPDATE session SET ended = ?2 WHERE person = ?1 AND ended IS NULL AND expires > ?2")?
        .execute(params![person.0, now_ms])?;
    // A login that is half done counts as well.
    for sql in [
        "DELETE FROM refresh_token WHERE session IN (SELECT id FROM session WHERE person = ?1)",
        "DELETE FROM code WHERE person = ?1",
        "DELETE FROM login WHERE person = ?1",
        "DELETE FROM profile WHERE person = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([person.0])?;
    }
    transaction.commit()?;
    Ok(ended)
}

impl Identity {
    /// The person's live sessions, the last used first.
    pub fn sessions_of(&self, person: PersonId, now_ms: i64) -> Result<Vec<Session>, HubError> {
        live(&*self.store.lock()?, person, now_ms)
    }

    /// A session by id, ended or not.
    pub fn session(&self, id: SessionId) -> Result<Option<Session>, HubError> {
        find(&*self.store.lock()?, id)
    }

    /// Ends one of the person's sessions: another person's is unknown here. What the device has not sent yet stays
    /// on it, and is taken after the next login (PROTOCOL §8).
    pub fn end_session(&self, person: PersonId, id: SessionId, now_ms: i64) -> Result<(), HubError> {
        let database = self.store.lock()?;
        let own = find(&database, id)?.filter(|session| session.person == person);
        own.ok_or(HubError::Unknown("session"))?;
        end(&database, id, now_ms)?;
        Ok(())
    }

    /// Ends all sessions of a person, in the hub's own pages too: after a new password, when they leave, when the
    /// office says so. Returns how many there were.
    pub fn end_sessions(&self, person: PersonId, now_ms: i64) -> Result<usize, HubError> {
        end_all(&mut *self.store.lock()?, person, now_ms)
    }

    /// Notes which device a session is on.
    pub fn note_device(
        &self,
        id: SessionId,
        label: Option<&str>,
        certificate: &[u8; 32],
    ) -> Result<(), HubError> {
        self.store
            .lock()?
            .prepare_cached("UPDATE session SET certificate = ?2, label = coalesce(?3, label) WHERE id = ?1")?
            .execute(params![id.0, certificate, label])?;
        Ok(())
    }
}
