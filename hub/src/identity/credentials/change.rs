//! Another password, in *Profilo*, by who knows the old one; and what the profile shows.

use registro_model::PersonId;
use rusqlite::{Connection, TransactionBehavior};

use super::account::{Account, keep_hash};
use super::hashing::{self, Verified};
use super::known::Known;
use super::password::PasswordProblem;
use super::throttle::{self, Attempt};
use super::{Credentials, LogIn, Password};
use crate::error::HubError;
use crate::identity::mail::letters::{self, Change};

/// What the profile shows of somebody's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The user name.
    pub username: String,
    /// Whether a second factor is in use.
    pub second_factor: bool,
}

/// Why the password is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeProblem {
    /// The old password is wrong.
    #[error("the old password is wrong")]
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
    /// The new password does not do.
    #[error(transparent)]
    New(#[from] PasswordProblem),
}

impl Credentials {
    /// The credentials that somebody holds, once a password is set.
    pub fn held(&self, person: PersonId) -> Result<Option<Held>, HubError> {
        let account = Account::of(&*self.store.lock()?, person)?;
        Ok(account
            .filter(|account| account.hash.is_some() && !account.disabled)
            .map(|account| Held { username: account.username, second_factor: account.second_factor }))
    }

    /// Changes the password and tells the person by mail. What else it ends, sessions, is the caller's.
    pub fn change_password(
        &self,
        known: &Known,
        old: &str,
        new: &str,
        again: &str,
        now_ms: i64,
    ) -> Result<Result<(), ChangeProblem>, HubError> {
        match self.confirm_password(known.person, old, now_ms)? {
            LogIn::Done(_) => {}
            LogIn::Wait { seconds } => return Ok(Err(ChangeProblem::Wait { seconds })),
            LogIn::OnlyReset => return Ok(Err(ChangeProblem::OnlyReset)),
            _ => return Ok(Err(ChangeProblem::Wrong)),
        }
        let Some(held) = self.held(known.person)? else { return Ok(Err(ChangeProblem::Wrong)) };
        let password = match self.new_password(new, again, held.second_factor, known, &held.username) {
            Ok(password) => password,
            Err(problem) => return Ok(Err(problem.into())),
        };
        let hash = hashing::hash(&password, self.random.draw())?;
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        keep_hash(&transaction, known.person, &hash, now_ms)?;
        self.notify(&transaction, known, Change::Password, now_ms)?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    /// Compares a password that somebody who is logged in types again. Failures count like those of a login.
    pub(super) fn confirm_password(
        &self,
        person: PersonId,
        typed: &str,
        now_ms: i64,
    ) -> Result<LogIn, HubError> {
        let (account, subject) = {
            let database = self.store.lock()?;
            let Some(account) = Account::of(&database, person)? else { return Ok(LogIn::Wrong) };
            let subject = self.subject("username", account.username.as_bytes());
            match throttle::take(&database, &subject, true, now_ms)? {
                Attempt::Go => (account, subject),
                Attempt::Wait { seconds } => return Ok(LogIn::Wait { seconds }),
                Attempt::Spent => return Ok(LogIn::OnlyReset),
            }
        };
        if hashing::verify(&Password::typed(typed), account.hash.as_deref())? == Verified::No {
            return Ok(LogIn::Wrong);
        }
        throttle::clear(&*self.store.lock()?, &subject)?;
        Ok(LogIn::Done(person))
    }

    /// Tells the person by mail what was changed, where mail reaches them.
    pub(super) fn notify(
        &self,
        database: &Connection,
        known: &Known,
        change: Change,
        now_ms: i64,
    ) -> Result<(), HubError> {
        let Some(email) = self.recognised_email(database, known)? else { return Ok(()) };
        let letter = letters::changed(known, &email, change, now_ms);
        self.mail.enqueue(database, &letter, now_ms, now_ms + letters::NOTICE_LASTS_MS)
    }

    /// The address that the school recognises as the person's: the office's, or, where the office has none, the one
    /// that the person gave with the office's code and mail reached.
    pub(super) fn recognised_email(
        &self,
        database: &Connection,
        known: &Known,
    ) -> Result<Option<String>, HubError> {
        if known.email.is_some() {
            return Ok(known.email.clone());
        }
        let account = Account::of(database, known.person)?;
        Ok(account.filter(|account| account.email_confirmed).and_then(|account| account.email))
    }
}
