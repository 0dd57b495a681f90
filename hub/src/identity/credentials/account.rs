//! The row of who holds credentials.

use registro_model::PersonId;
use rusqlite::{Connection, OptionalExtension, Row, params};
use unicode_normalization::UnicodeNormalization;

use crate::error::HubError;

/// Who holds credentials.
pub(super) struct Account {
    pub person: PersonId,
    pub username: String,
    pub hash: Option<String>,
    pub email: Option<String>,
    pub email_confirmed: bool,
    pub second_factor: bool,
    pub disabled: bool,
}

const COLUMNS: &str =
    "SELECT person, username, hash, email, email_confirmed, totp_on, disabled IS NOT NULL FROM credential";

/// A user name in the form in which two are compared.
pub(super) fn normal_username(typed: &str) -> String {
    // 254: the longest address of mail, which is the longest user name.
    typed.trim().chars().take(254).nfkc().collect::<String>().to_lowercase()
}

impl Account {
    pub fn of(database: &Connection, person: PersonId) -> Result<Option<Self>, HubError> {
        let sql = format!("{COLUMNS} WHERE person = ?1");
        Ok(database.prepare_cached(&sql)?.query_row([person.0], Self::read).optional()?)
    }

    pub fn named(database: &Connection, username: &str) -> Result<Option<Self>, HubError> {
        let sql = format!("{COLUMNS} WHERE username = ?1");
        Ok(database.prepare_cached(&sql)?.query_row([username], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            person: PersonId(row.get(0)?),
            username: row.get(1)?,
            hash: row.get(2)?,
            email: row.get(3)?,
            email_confirmed: row.get(4)?,
            second_factor: row.get(5)?,
            disabled: row.get(6)?,
        })
    }
}

/// Keeps a new hash. The key of an authenticator app that is not in use yet goes: whoever knew the old password may
/// have seen it.
pub(super) fn keep_hash(
    database: &Connection,
    person: PersonId,
    hash: &str,
    now_ms: i64,
) -> Result<(), HubError> {
    database
        .prepare_cached("UPDATE credential SET hash = ?2, changed = ?3, totp = CASE WHEN totp_on THEN totp END WHERE person = ?1")?
        .execute(params![person.0, hash, now_ms])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::normal_username;

    #[test]
    fn a_user_name_is_one_however_it_is_typed() {
        assert_eq!(normal_username("  Silvia.Nardi@Posta.example "), "silvia.nardi@posta.example");
        assert_eq!(normal_username("Ｄ００１"), "d001");
        assert_eq!(normal_username(&"x".repeat(1_000)).len(), 254);
    }
}
