//! What works once: a code of first access, a link that confirms an address, a link that resets a password.

use registro_model::PersonId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::HubError;

/// Links of nobody that are kept, only to count how often somebody asks: a stranger who asks without end fills no more.
const MAX_OF_NOBODY: i64 = 20_000;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To set the first password.
    FirstAccess,
    /// To show that mail reaches an address.
    ConfirmEmail,
    /// To set another password without the old one.
    Reset,
    /// To turn the second factor on after a login of the first level.
    Enrol,
}

impl Purpose {
    fn number(self) -> i64 {
        match self {
            Self::FirstAccess => 1,
            Self::ConfirmEmail => 2,
            Self::Reset => 3,
            Self::Enrol => 4,
        }
    }

    /// How long it works, in milliseconds. Source: docs/identity.md.
    pub fn lasts_ms(self) -> i64 {
        match self {
            Self::FirstAccess | Self::ConfirmEmail => 7 * 24 * 3_600_000,
            Self::Reset | Self::Enrol => 30 * 60_000,
        }
    }
}

/// A link that works.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose it is.
    pub person: PersonId,
    /// The address that it was sent to.
    pub email: Option<String>,
}

/// A new link. `subject` names whom it was asked for; `person` is missing where nobody is.
pub struct NewLink<'a> {
    /// Keyed hash of what is handed out.
    pub hash: [u8; 32],
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub person: Option<PersonId>,
    /// The address that it is sent to.
    pub email: Option<&'a str>,
    /// Keyed hash of the name that it was asked for with.
    pub subject: Option<[u8; 32]>,
}

/// Puts a link in; it works from now on. Those of the same person and purpose no longer do.
pub fn put(database: &Connection, link: &NewLink<'_>, now_ms: i64) -> Result<(), HubError> {
    let person = link.person.map(|person| person.0);
    if person.is_none() {
        database
            .prepare_cached(
                "DELETE FROM credential_link WHERE person IS NULL AND created <= (
                     SELECT created FROM credential_link WHERE person IS NULL
                     ORDER BY created DESC LIMIT 1 OFFSET ?1)",
            )?
            .execute([MAX_OF_NOBODY])?;
    }
    database
        .prepare_cached(
            "UPDATE credential_link SET used = ?3 WHERE person = ?1 AND purpose = ?2 AND used IS NULL",
        )?
        .execute(params![person, link.purpose.number(), now_ms])?;
    database
        .prepare_cached(
            "INSERT INTO credential_link (hash, purpose, person, email, subject, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            link.hash,
            link.purpose.number(),
            person,
            link.email,
            link.subject,
            now_ms,
            now_ms + link.purpose.lasts_ms()
        ])?;
    Ok(())
}

/// How many links were asked for with a name since an instant.
pub fn asked_since(database: &Connection, subject: &[u8; 32], since_ms: i64) -> Result<i64, HubError> {
    Ok(database
        .prepare_cached("SELECT count(*) FROM credential_link WHERE subject = ?1 AND created > ?2")?
        .query_row(params![subject, since_ms], |row| row.get(0))?)
}

/// The link, if it works now.
pub fn find(
    database: &Connection,
    hash: &[u8; 32],
    purpose: Purpose,
    now_ms: i64,
) -> Result<Option<Link>, HubError> {
    Ok(database
        .prepare_cached(
            "SELECT person, email FROM credential_link
             WHERE hash = ?1 AND purpose = ?2 AND person IS NOT NULL AND used IS NULL AND expires > ?3",
        )?
        .query_row(params![hash, purpose.number(), now_ms], link)
        .optional()?)
}

/// Uses the link up. `None` if it does not work, or somebody else was faster.
pub fn use_up(
    database: &Connection,
    hash: &[u8; 32],
    purpose: Purpose,
    now_ms: i64,
) -> Result<Option<Link>, HubError> {
    Ok(database
        .prepare_cached(
            "UPDATE credential_link SET used = ?3
             WHERE hash = ?1 AND purpose = ?2 AND person IS NOT NULL AND used IS NULL AND expires > ?3
             RETURNING person, email",
        )?
        .query_row(params![hash, purpose.number(), now_ms], link)
        .optional()?)
}

/// Takes every link of a person away.
pub fn withdraw(database: &Connection, person: PersonId) -> Result<(), HubError> {
    database.prepare_cached("DELETE FROM credential_link WHERE person = ?1")?.execute([person.0])?;
    Ok(())
}

fn link(row: &rusqlite::Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link { person: PersonId(row.get(0)?), email: row.get(1)? })
}
