//! Logins that are at a provider: what the answer must agree with. Kept for ten minutes, used once.

use rusqlite::{Connection, OptionalExtension, params};

use super::request::Secrets;
use crate::caller::Level;
use crate::error::HubError;
use crate::identity::interaction::{INTERACTION_SECONDS, InteractionId};
use crate::identity::secret::hash_of;

/// Most tries of one login at providers; who goes back and forth more often begins again (our choice).
const MAX_TRIES: i64 = 10;
/// Most logins that are at providers at once: as many as there may be under way in browsers. A flood drives out the
/// oldest, and does not keep everybody out.
const MAX_PENDING: i64 = 20_000;

/// A login that is at a provider. `Debug` does not show its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The login in the browser.
    pub interaction: InteractionId,
    /// Its id in the transaction log.
    pub transaction: [u8; 8],
    /// The provider.
    pub provider: String,
    /// How surely the person must be known.
    pub wanted: Level,
    /// What the answer must agree with.
    pub secrets: Secrets,
}

/// Makes the table.
pub fn migrate(database: &Connection) -> Result<(), HubError> {
    // The state is the key to the rest and stands there as a hash; nonce and verifier are of use only together with
    // the code, which comes with the state.
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS federation_login (
            state BLOB PRIMARY KEY, login BLOB NOT NULL, transaction_id BLOB NOT NULL, provider TEXT NOT NULL,
            wanted INTEGER NOT NULL, nonce TEXT NOT NULL, verifier TEXT NOT NULL, expires INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS federation_login_of ON federation_login (login);
        CREATE INDEX IF NOT EXISTS federation_login_end ON federation_login (expires);",
    )?;
    Ok(())
}

/// Keeps a login. What has ended is forgotten on the way.
pub fn put(database: &Connection, pending: &Pending, now_ms: i64) -> Result<(), HubError> {
    database.prepare_cached("DELETE FROM federation_login WHERE expires <= ?1")?.execute([now_ms])?;
    let tries: i64 = database
        .prepare_cached("SELECT count(*) FROM federation_login WHERE login = ?1")?
        .query_row([pending.interaction.0], |row| row.get(0))?;
    if tries >= MAX_TRIES {
        return Err(HubError::TooLarge("tries of one login"));
    }
    database
        .prepare_cached("INSERT INTO federation_login VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            hash_of(&pending.secrets.state),
            pending.interaction.0,
            pending.transaction,
            pending.provider,
            pending.wanted.number(),
            pending.secrets.nonce,
            pending.secrets.verifier,
            now_ms + INTERACTION_SECONDS * 1_000,
        ])?;
    drive_out(database, MAX_PENDING)
}

/// Forgets the oldest beyond so many.
fn drive_out(database: &Connection, most: i64) -> Result<(), HubError> {
    let count: i64 =
        database.prepare_cached("SELECT count(*) FROM federation_login")?.query_row([], |row| row.get(0))?;
    if count > most {
        database
            .prepare_cached(
                "DELETE FROM federation_login WHERE state IN
                 (SELECT state FROM federation_login ORDER BY expires LIMIT ?1)",
            )?
            .execute([count - most])?;
    }
    Ok(())
}

/// Takes the login that a state names. It is gone then, whatever becomes of it.
pub fn take(database: &Connection, state: &str, now_ms: i64) -> Result<Option<Pending>, HubError> {
    let found = database
        .prepare_cached(
            "DELETE FROM federation_login WHERE state = ?1
             RETURNING login, transaction_id, provider, wanted, nonce, verifier, expires",
        )?
        .query_row([hash_of(state)], |row| {
            let wanted =
                Level::of_number(row.get(3)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(3, 0))?;
            let secrets = Secrets { state: state.to_owned(), nonce: row.get(4)?, verifier: row.get(5)? };
            let pending = Pending {
                interaction: InteractionId(row.get(0)?),
                transaction: row.get(1)?,
                provider: row.get(2)?,
                wanted,
                secrets,
            };
            Ok((pending, row.get::<_, i64>(6)?))
        })
        .optional()?;
    Ok(found.filter(|(_, expires)| *expires > now_ms).map(|(pending, _)| pending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(random: u8) -> Pending {
        Pending {
            interaction: InteractionId([7; 16]),
            transaction: [1; 8],
            provider: "https://op.example".to_owned(),
            wanted: Level::L2,
            secrets: Secrets::of(&[random; 96]),
        }
    }

    #[test]
    fn a_login_is_taken_once_within_ten_minutes_by_its_state() {
        let database = Connection::open_in_memory().unwrap();
        migrate(&database).unwrap();
        let (first, second) = (pending(1), pending(2));
        put(&database, &first, 0).unwrap();
        put(&database, &second, 0).unwrap();
        assert_eq!(take(&database, "other", 1).unwrap(), None);
        assert_eq!(take(&database, &first.secrets.state, 1).unwrap(), Some(first.clone()));
        assert_eq!(take(&database, &first.secrets.state, 1).unwrap(), None, "once");
        assert_eq!(take(&database, &second.secrets.state, 600_000).unwrap(), None, "too late");
        let stored: Vec<u8> = {
            put(&database, &first, 0).unwrap();
            database.query_row("SELECT state FROM federation_login", [], |row| row.get(0)).unwrap()
        };
        assert_ne!(stored, first.secrets.state.as_bytes());
        assert!(!format!("{first:?}").contains(&first.secrets.nonce));
    }

    #[test]
    fn tries_of_one_login_are_bounded_and_what_ended_does_not_count() {
        let database = Connection::open_in_memory().unwrap();
        migrate(&database).unwrap();
        for random in 0..10 {
            put(&database, &pending(random), 0).unwrap();
        }
        assert!(matches!(put(&database, &pending(10), 1), Err(HubError::TooLarge(_))));
        put(&database, &pending(10), 600_001).unwrap();
    }

    #[test]
    fn a_flood_drives_out_the_oldest() {
        let database = Connection::open_in_memory().unwrap();
        migrate(&database).unwrap();
        for random in 1..=5 {
            put(&database, &pending(random), i64::from(random)).unwrap();
        }
        drive_out(&database, 3).unwrap();
        let is_there = |random: u8| take(&database, &pending(random).secrets.state, 10).unwrap().is_some();
        assert_eq!([1, 2, 3, 4, 5].map(is_there), [false, false, true, true, true]);
    }

    #[test]
    fn secrets_are_letters_and_digits_and_all_differ() {
        let mut random = [0; 96];
        for (at, byte) in random.iter_mut().enumerate() {
            *byte = at as u8;
        }
        let secrets = Secrets::of(&random);
        for secret in [&secrets.state, &secrets.nonce, &secrets.verifier] {
            assert_eq!(secret.len(), 64);
            assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert!(secrets.state != secrets.nonce && secrets.nonce != secrets.verifier);
    }
}
