//! Mail that the login sends: links and notices. What is to be sent is kept in a queue, so that whoever asks waits as
//! long whether mail goes out or not, and nothing is lost while the school's mail server is away.
//!
//! | module | what |
//! |---|---|
//! | [`letters`] | what the mails say, in Italian and English |
//! | [`transport`] | the school's mail server, or a folder |

pub mod letters;
pub mod transport;

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::Randomness;
use super::credentials::keys::CredentialKeys;
use super::issuer::Issuer;
use super::store::IdentityStore;
use crate::error::HubError;
use transport::{Mailer, NotSent, SmtpOrFolder};

pub use transport::MailConfig;

/// Pauses before the second, third, … try to send a mail, in minutes. Our choice.
const PAUSES_MINUTES: [i64; 6] = [1, 5, 15, 60, 180, 360];
/// Mails sent in one go.
const AT_ONCE: usize = 50;
/// Mails that may wait: a school that issues credentials to everybody sends some thousands.
const MAX_WAITING: i64 = 50_000;
/// Mails to nobody beyond which no more are kept: they are there for their work alone, and must not push out others.
const MAX_TO_NOBODY: i64 = 5_000;
const SEALED: &str = "mail";

/// A mail. `Debug` does not show it.
#[derive(Serialize, Deserialize)]
pub struct Letter {
    /// Whom it goes to; nobody, where the answer must not tell that there is nobody.
    pub to: Option<String>,
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl core::fmt::Debug for Letter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Letter(…)")
    }
}

/// The queue, and the way out of it.
pub struct Mail {
    mailer: Option<Box<dyn Mailer>>,
    issuer: Issuer,
    store: Arc<IdentityStore>,
    keys: Arc<CredentialKeys>,
    random: Randomness,
}

/// What one go of sending did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Mails that went out.
    pub sent: usize,
    /// Mails to nobody.
    pub dropped: usize,
    /// Mails that will be tried again.
    pub postponed: usize,
    /// Mails that were given up: refused for good, or too old.
    pub given_up: usize,
}

impl Delivered {
    /// Whether more may be due right now.
    pub fn is_full(self) -> bool {
        self.sent + self.dropped + self.postponed + self.given_up >= AT_ONCE
    }
}

impl Mail {
    /// Mail as the school set it up; off if it did not.
    ///
    /// # Errors
    /// [`HubError::Settings`] says what does not hold.
    pub fn new(
        config: Option<&MailConfig>,
        issuer: &Issuer,
        store: Arc<IdentityStore>,
        keys: Arc<CredentialKeys>,
        random: Randomness,
    ) -> Result<Self, HubError> {
        let mailer = match config {
            Some(config) => Some(Box::new(SmtpOrFolder::new(config)?) as Box<dyn Mailer>),
            None => None,
        };
        Ok(Self { mailer, issuer: issuer.clone(), store, keys, random })
    }

    /// Whether the school set it up.
    pub fn is_on(&self) -> bool {
        self.mailer.is_some()
    }

    /// An address of the hub with one parameter. It is made of the hub's own name, never of what a request says.
    pub fn link(&self, path: &str, name: &str, value: &str) -> String {
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        format!("{}?{name}={value}", self.issuer.at(path))
    }

    /// Keeps a mail until it is sent, in the caller's transaction; given up once it has expired. Without a mail server
    /// it goes nowhere.
    pub fn enqueue(
        &self,
        database: &Connection,
        letter: &Letter,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), HubError> {
        let waiting: i64 =
            database.prepare_cached("SELECT count(*) FROM mail")?.query_row([], |row| row.get(0))?;
        if letter.to.is_none() && waiting >= MAX_TO_NOBODY {
            return Ok(());
        }
        if waiting >= MAX_WAITING {
            return Err(HubError::TooLarge("mails that wait"));
        }
        let plain = serde_json::to_vec(letter).map_err(|_| HubError::Stored("a mail"))?;
        let sealed = self.keys.seal(SEALED, &plain, &self.random)?;
        database
            .prepare_cached("INSERT INTO mail (letter, next, expires) VALUES (?1, ?2, ?3)")?
            .execute(params![sealed, now_ms, expires_ms])?;
        Ok(())
    }

    /// Sends what is due. Blocks.
    pub fn deliver(&self, now_ms: i64) -> Result<Delivered, HubError> {
        let mut delivered = Delivered::default();
        for (id, sealed, tries) in self.due(now_ms)? {
            // The database is not held while the mail server takes its time.
            let opened = self.keys.open(SEALED, &sealed).ok();
            let letter = opened.and_then(|plain| serde_json::from_slice::<Letter>(&plain).ok());
            let sent = match (&self.mailer, &letter) {
                (Some(mailer), Some(Letter { to: Some(to), subject, text })) => {
                    mailer.send(to, subject, text).map(|()| 1)
                }
                (_, Some(_)) => Ok(0),
                // Sealed by another key, after a restore without it: nobody can ever send it.
                (_, None) => Err(NotSent::ForGood),
            };
            let again = match sent {
                Ok(count) => {
                    delivered.sent += count;
                    delivered.dropped += 1 - count;
                    None
                }
                Err(NotSent::ForGood) => {
                    delivered.given_up += 1;
                    tracing::warn!("a mail is given up: the server refused it, or it cannot be opened");
                    None
                }
                Err(NotSent::ForNow) => {
                    delivered.postponed += 1;
                    let minutes = PAUSES_MINUTES.get(tries).or(PAUSES_MINUTES.last()).copied().unwrap_or(60);
                    Some(now_ms + minutes * 60_000)
                }
            };
            let database = self.store.lock()?;
            match again {
                Some(next) => database
                    .prepare_cached("UPDATE mail SET next = ?2, tries = tries + 1 WHERE id = ?1")?
                    .execute(params![id, next])?,
                None => database.prepare_cached("DELETE FROM mail WHERE id = ?1")?.execute([id])?,
            };
        }
        Ok(delivered)
    }

    fn due(&self, now_ms: i64) -> Result<Vec<(i64, Vec<u8>, usize)>, HubError> {
        let database = self.store.lock()?;
        let expired = database.prepare_cached("DELETE FROM mail WHERE expires <= ?1")?.execute([now_ms])?;
        if expired > 0 {
            tracing::warn!(expired, "mail was too old to send");
        }
        let mut query = database.prepare_cached(
            "SELECT id, letter, tries FROM mail WHERE next <= ?1 ORDER BY next, id LIMIT ?2",
        )?;
        let rows = query.query_map(params![now_ms, AT_ONCE as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, usize>(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests;
