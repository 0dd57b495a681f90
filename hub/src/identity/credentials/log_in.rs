//! User name and password. Whether the name exists, has a password, or is another's cannot be told from the answer nor
//! from its time.

use registro_model::PersonId;
use rusqlite::{OptionalExtension, params};

use super::account::{Account, keep_hash, normal_username};
use super::known::Known;
use super::throttle::{self, Attempt};
use super::{Credentials, Password, hashing};
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::interaction::InteractionId;
use hashing::Verified;

/// How long the second factor may take after the password, in milliseconds. Our choice.
const STEP_MS: i64 = 5 * 60_000;

/// What a try says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogIn {
    /// It is this person.
    Done(PersonId),
    /// The password is right; the second factor is missing.
    SecondFactor(PersonId),
    /// The password is right, and the person has not shown yet that mail reaches them. A link was sent again.
    ConfirmEmail,
    /// User name or password are wrong.
    Wrong,
    /// Too soon after a failure.
    Wait {
        /// Try again after so many seconds.
        seconds: u64,
    },
    /// Too many failures: only a reset helps.
    OnlyReset,
    /// The school no longer allows its own credentials.
    Off,
}

impl Credentials {
    /// Tries a user name and a password. `known`: what the office's files say of a person.
    pub fn log_in(
        &self,
        username: &str,
        password: &str,
        known: &dyn Fn(PersonId) -> Result<Option<Known>, HubError>,
        now_ms: i64,
    ) -> Result<LogIn, HubError> {
        if !self.is_allowed(day_in_italy(now_ms))? {
            return Ok(LogIn::Off);
        }
        let username = normal_username(username);
        let subject = self.subject("username", username.as_bytes());
        let account = {
            let database = self.store.lock()?;
            let account = Account::named(&database, &username)?;
            match throttle::take(&database, &subject, account.is_some(), now_ms)? {
                Attempt::Go => account,
                Attempt::Wait { seconds } => return Ok(LogIn::Wait { seconds }),
                Attempt::Spent => return Ok(LogIn::OnlyReset),
            }
        };
        let password = Password::typed(password);
        let stored = account.as_ref().and_then(|account| account.hash.as_deref());
        let verified = hashing::verify(&password, stored)?;
        let (Some(account), Verified::Yes | Verified::YesButOld) = (account, verified) else {
            return Ok(LogIn::Wrong);
        };
        let newer = match verified {
            Verified::YesButOld => Some(hashing::hash(&password, self.random.draw())?),
            _ => None,
        };
        let database = self.store.lock()?;
        throttle::clear(&database, &subject)?;
        if let Some(hash) = newer {
            keep_hash(&database, account.person, &hash, now_ms)?;
        }
        if !account.email_confirmed && self.mail.is_on() {
            if let Some(known) = known(account.person)? {
                // The office's address first: what was typed at the first access may have been mistyped.
                if let Some(email) = known.email.as_ref().or(account.email.as_ref()) {
                    self.send_confirmation(&database, &known, email, now_ms)?;
                }
            }
            return Ok(LogIn::ConfirmEmail);
        }
        Ok(match account.second_factor {
            true => LogIn::SecondFactor(account.person),
            false => LogIn::Done(account.person),
        })
    }

    /// Notes that in a login the password was right and the second factor is missing.
    pub fn begin_step(&self, login: InteractionId, person: PersonId, now_ms: i64) -> Result<(), HubError> {
        self.store
            .lock()?
            .prepare_cached(
                "INSERT OR REPLACE INTO credential_step (login, person, expires) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![login.0, person.0, now_ms + STEP_MS])?;
        Ok(())
    }

    /// Whose password was right in a login.
    pub fn step(&self, login: InteractionId, now_ms: i64) -> Result<Option<PersonId>, HubError> {
        let database = self.store.lock()?;
        let found = database
            .prepare_cached("SELECT person FROM credential_step WHERE login = ?1 AND expires > ?2")?
            .query_row(params![login.0, now_ms], |row| Ok(PersonId(row.get(0)?)))
            .optional()?;
        Ok(found)
    }

    /// The second factor was right, or the login is another's.
    pub fn end_step(&self, login: InteractionId) -> Result<(), HubError> {
        self.store
            .lock()?
            .prepare_cached("DELETE FROM credential_step WHERE login = ?1")?
            .execute([login.0])?;
        Ok(())
    }
}
