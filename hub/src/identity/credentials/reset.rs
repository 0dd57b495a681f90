//! Another password without the old one: a link to the recognised address, and to no other. Whoever asks gets the same
//! answer after the same work, whether the name exists or not. Source: OWASP Forgot Password Cheat Sheet; docs/identity.md.

use registro_model::PersonId;
use rusqlite::{TransactionBehavior, params};

use super::account::{Account, keep_hash, normal_username};
use super::first_access::MAILS_AN_HOUR;
use super::known::Known;
use super::links::{self, NewLink, Purpose};
use super::password::PasswordProblem;
use super::{Credentials, hashing, throttle};
use crate::error::HubError;
use crate::identity::mail::letters::{self, Change};

/// Why the password is not reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResetProblem {
    /// The link is wrong, used, or older than half an hour.
    #[error("the link does not work, or no longer")]
    Link,
    /// The new password does not do.
    #[error(transparent)]
    New(#[from] PasswordProblem),
}

/// What the office's files say of a person, if that person may log in.
pub type KnownPeople<'a> = &'a dyn Fn(PersonId) -> Result<Option<Known>, HubError>;

impl Credentials {
    /// Somebody forgot the password of a user name. Nothing tells what became of it but the mail that arrives.
    pub fn ask_reset(&self, username: &str, known: KnownPeople<'_>, now_ms: i64) -> Result<(), HubError> {
        let username = normal_username(username);
        let subject = self.subject("reset", username.as_bytes());
        let account = Account::named(&*self.store.lock()?, &username)?;
        let person = account.as_ref().filter(|account| account.hash.is_some()).map(|account| account.person);
        // Nobody's id is looked up as well: it is as much work.
        let known = known(person.unwrap_or(PersonId([0; 16])))?;
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let email = match &known {
            Some(known) => self.recognised_email(&transaction, known)?,
            None => None,
        };
        let too_often = links::asked_since(&transaction, &subject, now_ms - 3_600_000)? >= MAILS_AN_HOUR;
        let found = person.zip(known).zip(email).filter(|_| !too_often);
        let secret = self.random.secret();
        let link = NewLink {
            hash: self.keys.mac("link", secret.reveal().as_bytes()),
            purpose: Purpose::Reset,
            person: found.as_ref().map(|((person, _), _)| *person),
            email: None,
            subject: Some(subject),
        };
        links::put(&transaction, &link, now_ms)?;
        let address = self.mail.link("/reset/new", "token", secret.reveal());
        let letter = match &found {
            Some(((_, known), email)) => letters::reset(known, email, &address),
            None => letters::to_nobody(&address),
        };
        self.mail.enqueue(&transaction, &letter, now_ms, now_ms + Purpose::Reset.lasts_ms())?;
        transaction.commit()?;
        Ok(())
    }

    /// Whose link it is, if it works.
    pub fn reset_link(&self, token: &str, now_ms: i64) -> Result<Option<PersonId>, HubError> {
        let hash = self.keys.mac("link", token.as_bytes());
        Ok(links::find(&*self.store.lock()?, &hash, Purpose::Reset, now_ms)?.map(|link| link.person))
    }

    /// Sets another password and tells the person by mail. Nobody is logged in by it; ending the person's sessions is
    /// the caller's.
    pub fn complete_reset(
        &self,
        token: &str,
        new: &str,
        again: &str,
        known: &Known,
        now_ms: i64,
    ) -> Result<Result<(), ResetProblem>, HubError> {
        if self.reset_link(token, now_ms)? != Some(known.person) {
            return Ok(Err(ResetProblem::Link));
        }
        let Some(held) = self.held(known.person)? else { return Ok(Err(ResetProblem::Link)) };
        let password = match self.new_password(new, again, held.second_factor, known, &held.username) {
            Ok(password) => password,
            Err(problem) => return Ok(Err(problem.into())),
        };
        let hash = hashing::hash(&password, self.random.draw())?;
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let token = self.keys.mac("link", token.as_bytes());
        if links::use_up(&transaction, &token, Purpose::Reset, now_ms)?.is_none() {
            return Ok(Err(ResetProblem::Link));
        }
        keep_hash(&transaction, known.person, &hash, now_ms)?;
        // The link was opened: mail reaches the address that the office has, whatever was typed at the first access.
        transaction
            .prepare_cached("UPDATE credential SET email = ?2, email_confirmed = 1 WHERE person = ?1")?
            .execute(params![known.person.0, known.email])?;
        throttle::clear(&transaction, &self.subject("username", held.username.as_bytes()))?;
        self.notify(&transaction, known, Change::Password, now_ms)?;
        transaction.commit()?;
        Ok(Ok(()))
    }
}
