//! The second factor: an authenticator app on the person's phone, and recovery codes for when the phone is gone. With
//! it a login by school credentials is of the second level.
//!
//! Who has stolen a password must not be able to add a factor of their own to it: turning it on takes a login of the
//! second level (SPID, CIE), or a link that is sent to the recognised address (NIST SP 800-63B-4 §4.1.2: a factor is
//! bound at the level that it shall serve, or after a confirmation by another channel).

use registro_model::PersonId;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::first_access::MAILS_AN_HOUR;
use super::known::Known;
use super::links::{self, NewLink, Purpose};
use super::one_time_code::OneTimeCode;
use super::throttle::{self, Attempt};
use super::totp::{self, KEY_LEN};
use super::{Credentials, Password};
use crate::error::HubError;
use crate::identity::mail::letters;

/// Recovery codes that a person gets.
const RECOVERY_CODES: usize = 8;
const SEALED: &str = "second factor";

/// A sealed key, if there is one, and whether it is in use.
type SealedKey = (Option<Vec<u8>>, bool);

/// What typing a code of the second factor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// Right.
    Right,
    /// A recovery code, which is now used up; so many are left.
    Recovered {
        /// How many are left.
        left: u32,
    },
    /// Wrong, or used before.
    Wrong,
    /// Too soon after a failure.
    Wait {
        /// Try again after so many seconds.
        seconds: u64,
    },
    /// Too many failures: the office issues credentials anew.
    OnlyOffice,
}

/// What shows that it is the person who turns the second factor on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MayEnrol<'a> {
    /// A login of the second level.
    SecondLevel,
    /// The link that was sent to the recognised address.
    Link(&'a str),
}

/// Why the second factor cannot be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemovalProblem {
    /// The password is wrong.
    #[error("the password is wrong")]
    Wrong,
    /// Too soon after a failure.
    #[error("too soon after a failure")]
    Wait {
        /// Try again after so many seconds.
        seconds: u64,
    },
    /// Too many failures: only a reset helps.
    #[error("too many failures")]
    OnlyReset,
    /// The password is too short to stand alone: set a longer one first.
    #[error("the password is too short to stand alone")]
    PasswordTooShort,
}

impl Credentials {
    /// The key that an authenticator app is to learn: drawn at the first call, the same until it is in use. `None` if
    /// one is in use, or the person has no credentials.
    pub fn key_to_enrol(&self, person: PersonId) -> Result<Option<Zeroizing<[u8; KEY_LEN]>>, HubError> {
        let database = self.store.lock()?;
        let Some((sealed, on)) = Self::sealed_key(&database, person)? else { return Ok(None) };
        match (on, sealed) {
            (true, _) => Ok(None),
            (false, Some(sealed)) => self.open_key(&sealed).map(Some),
            (false, None) => {
                let key: Zeroizing<[u8; KEY_LEN]> = Zeroizing::new(self.random.draw());
                let sealed = self.keys.seal(SEALED, key.as_slice(), &self.random)?;
                database
                    .prepare_cached("UPDATE credential SET totp = ?2 WHERE person = ?1")?
                    .execute(params![person.0, sealed])?;
                Ok(Some(key))
            }
        }
    }

    /// Sends the link that turns the second factor on, at most three times an hour. `false` if there is no way to send
    /// it: no mail, or no address.
    pub fn ask_enrol(&self, known: &Known, now_ms: i64) -> Result<bool, HubError> {
        if !self.mail.is_on() {
            return Ok(false);
        }
        let subject = self.subject("enrol", &known.person.0);
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(email) = self.recognised_email(&transaction, known)? else { return Ok(false) };
        if links::asked_since(&transaction, &subject, now_ms - 3_600_000)? < MAILS_AN_HOUR {
            let secret = self.random.secret();
            let link = NewLink {
                hash: self.keys.mac("link", secret.reveal().as_bytes()),
                purpose: Purpose::Enrol,
                person: Some(known.person),
                email: Some(&email),
                subject: Some(subject),
            };
            links::put(&transaction, &link, now_ms)?;
            let address = self.mail.link("/profile/second-factor", "token", secret.reveal());
            let letter = letters::enrol(known, &email, &address);
            self.mail.enqueue(&transaction, &letter, now_ms, now_ms + Purpose::Enrol.lasts_ms())?;
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Whether the person may turn the second factor on.
    pub fn may_enrol(&self, person: PersonId, proof: MayEnrol<'_>, now_ms: i64) -> Result<bool, HubError> {
        let MayEnrol::Link(token) = proof else { return Ok(true) };
        let hash = self.keys.mac("link", token.as_bytes());
        let link = links::find(&*self.store.lock()?, &hash, Purpose::Enrol, now_ms)?;
        Ok(link.is_some_and(|link| link.person == person))
    }

    /// The person typed a code that the app shows: the second factor is in use from now on. Gives the recovery codes,
    /// which nobody can see again; `None` if the code or the proof is wrong.
    pub fn enrol(
        &self,
        known: &Known,
        proof: MayEnrol<'_>,
        typed: &str,
        now_ms: i64,
    ) -> Result<Option<Vec<OneTimeCode>>, HubError> {
        if !self.may_enrol(known.person, proof, now_ms)? {
            return Ok(None);
        }
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some((Some(sealed), false)) = Self::sealed_key(&transaction, known.person)? else {
            return Ok(None);
        };
        let Some(step) = totp::verify(self.open_key(&sealed)?.as_slice(), typed, 0, now_ms) else {
            return Ok(None);
        };
        transaction
            .prepare_cached("UPDATE credential SET totp_on = 1, totp_step = ?2 WHERE person = ?1")?
            .execute(params![known.person.0, step])?;
        if let MayEnrol::Link(token) = proof {
            let hash = self.keys.mac("link", token.as_bytes());
            if links::use_up(&transaction, &hash, Purpose::Enrol, now_ms)?.is_none() {
                return Ok(None);
            }
        }
        transaction
            .prepare_cached("DELETE FROM recovery_code WHERE person = ?1")?
            .execute([known.person.0])?;
        let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| OneTimeCode::draw(&self.random)).collect();
        for code in &codes {
            transaction
                .prepare_cached("INSERT INTO recovery_code (person, hash) VALUES (?1, ?2)")?
                .execute(params![known.person.0, self.keys.mac("recovery", code.bytes())])?;
        }
        self.notify(&transaction, known, letters::Change::SecondFactorOn, now_ms)?;
        transaction.commit()?;
        Ok(Some(codes))
    }

    /// Tries a code of the app, or a recovery code.
    pub fn try_second_factor(
        &self,
        person: PersonId,
        typed: &str,
        now_ms: i64,
    ) -> Result<SecondFactor, HubError> {
        let subject = self.subject("second factor", &person.0);
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match throttle::take(&transaction, &subject, true, now_ms)? {
            Attempt::Go => {}
            Attempt::Wait { seconds } => return Ok(SecondFactor::Wait { seconds }),
            Attempt::Spent => return Ok(SecondFactor::OnlyOffice),
        }
        let outcome = match OneTimeCode::typed(typed) {
            Some(code) => self.try_recovery(&transaction, person, &code)?,
            None => self.try_app(&transaction, person, typed, now_ms)?,
        };
        if outcome != SecondFactor::Wrong {
            throttle::clear(&transaction, &subject)?;
        }
        transaction.commit()?;
        Ok(outcome)
    }

    fn try_app(
        &self,
        database: &rusqlite::Connection,
        person: PersonId,
        typed: &str,
        now_ms: i64,
    ) -> Result<SecondFactor, HubError> {
        let Some((Some(sealed), true)) = Self::sealed_key(database, person)? else {
            return Ok(SecondFactor::Wrong);
        };
        let last: i64 = database
            .prepare_cached("SELECT totp_step FROM credential WHERE person = ?1")?
            .query_row([person.0], |row| row.get(0))?;
        let Some(step) = totp::verify(self.open_key(&sealed)?.as_slice(), typed, last, now_ms) else {
            return Ok(SecondFactor::Wrong);
        };
        database
            .prepare_cached("UPDATE credential SET totp_step = ?2 WHERE person = ?1")?
            .execute(params![person.0, step])?;
        Ok(SecondFactor::Right)
    }

    fn try_recovery(
        &self,
        database: &rusqlite::Connection,
        person: PersonId,
        code: &OneTimeCode,
    ) -> Result<SecondFactor, HubError> {
        let used = database
            .prepare_cached("DELETE FROM recovery_code WHERE person = ?1 AND hash = ?2")?
            .execute(params![person.0, self.keys.mac("recovery", code.bytes())])?;
        match used {
            0 => Ok(SecondFactor::Wrong),
            _ => Ok(SecondFactor::Recovered { left: Self::recovery_codes_left(database, person)? }),
        }
    }

    /// Takes the second factor away, with the password, which must be long enough to stand alone.
    pub fn remove_second_factor(
        &self,
        known: &Known,
        password: &str,
        now_ms: i64,
    ) -> Result<Result<(), RemovalProblem>, HubError> {
        match self.confirm_password(known.person, password, now_ms)? {
            super::LogIn::Done(_) => {}
            super::LogIn::Wait { seconds } => return Ok(Err(RemovalProblem::Wait { seconds })),
            super::LogIn::OnlyReset => return Ok(Err(RemovalProblem::OnlyReset)),
            _ => return Ok(Err(RemovalProblem::Wrong)),
        }
        if !Password::typed(password).stands_alone() {
            return Ok(Err(RemovalProblem::PasswordTooShort));
        }
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction
            .prepare_cached("UPDATE credential SET totp = NULL, totp_on = 0 WHERE person = ?1")?
            .execute([known.person.0])?;
        transaction
            .prepare_cached("DELETE FROM recovery_code WHERE person = ?1")?
            .execute([known.person.0])?;
        self.notify(&transaction, known, letters::Change::SecondFactorOff, now_ms)?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    fn recovery_codes_left(database: &rusqlite::Connection, person: PersonId) -> Result<u32, HubError> {
        Ok(database
            .prepare_cached("SELECT count(*) FROM recovery_code WHERE person = ?1")?
            .query_row([person.0], |row| row.get(0))?)
    }

    /// `None` if the person has no credentials.
    fn sealed_key(database: &rusqlite::Connection, person: PersonId) -> Result<Option<SealedKey>, HubError> {
        Ok(database
            .prepare_cached("SELECT totp, totp_on FROM credential WHERE person = ?1 AND hash IS NOT NULL")?
            .query_row([person.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    fn open_key(&self, sealed: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, HubError> {
        let opened = self.keys.open(SEALED, sealed)?;
        let key =
            opened.as_slice().try_into().map_err(|_| HubError::Stored("a key of an authenticator app"))?;
        Ok(Zeroizing::new(key))
    }
}
