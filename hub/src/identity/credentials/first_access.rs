//! The first access: who has the office's code sets a password of their own and shows that mail reaches them.

use registro_model::PersonId;
use rusqlite::{TransactionBehavior, params};

use super::account::{Account, keep_hash};
use super::known::Known;
use super::links::{self, NewLink, Purpose};
use super::one_time_code::OneTimeCode;
use super::password::{Password, PasswordProblem};
use super::{Credentials, hashing, throttle};
use crate::error::HubError;
use crate::identity::mail::letters;
use crate::identity::secret::Secret;
use crate::import::email::accepted;

/// Mails of one kind that somebody may have sent to one account within an hour. Our choice.
pub(super) const MAILS_AN_HOUR: i64 = 3;

/// Somebody whose code works.
#[derive(Clone, PartialEq, Eq)]
pub struct Invited {
    /// Who.
    pub person: PersonId,
    /// Their user name.
    pub username: String,
    /// The code came by mail: the address is known to work.
    pub by_mail: bool,
}

/// Why the first access does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FirstAccessProblem {
    /// The code is wrong, used, or older than seven days.
    #[error("the code does not work, or no longer")]
    Code,
    /// The password does not do.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// That is no address of mail.
    #[error("not an address of mail")]
    Email,
    /// The school has another address of this person.
    #[error("the school has another address")]
    OtherEmail,
}

/// What the person typed.
pub struct FirstAccess<'a> {
    /// The code.
    pub code: &'a str,
    /// The new password.
    pub password: &'a str,
    /// Once more.
    pub again: &'a str,
    /// Their address, where the code came on paper.
    pub email: &'a str,
}

/// How the first access ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completed {
    /// The person can log in.
    Ready,
    /// They can log in once they open the link that was sent to their address.
    ConfirmEmail,
}

impl Credentials {
    /// Whose code it is, if it works.
    pub fn invited(&self, code: &str, now_ms: i64) -> Result<Option<Invited>, HubError> {
        let Some(code) = OneTimeCode::typed(code) else { return Ok(None) };
        let database = self.store.lock()?;
        let hash = self.keys.mac("link", code.bytes());
        let Some(link) = links::find(&database, &hash, Purpose::FirstAccess, now_ms)? else {
            return Ok(None);
        };
        let Some(account) = Account::of(&database, link.person)? else { return Ok(None) };
        Ok(Some(Invited { person: link.person, username: account.username, by_mail: link.email.is_some() }))
    }

    /// Sets the first password. An earlier one, and a second factor that was lost with a phone, end with it: the office
    /// has seen who asked for the code.
    pub fn complete_first_access(
        &self,
        typed: &FirstAccess<'_>,
        known: &Known,
        now_ms: i64,
    ) -> Result<Result<Completed, FirstAccessProblem>, HubError> {
        let Some(code) = OneTimeCode::typed(typed.code) else { return Ok(Err(FirstAccessProblem::Code)) };
        let invited = match self.invited(typed.code, now_ms)? {
            Some(invited) if invited.person == known.person => invited,
            _ => return Ok(Err(FirstAccessProblem::Code)),
        };
        let password = match self.new_password(typed.password, typed.again, false, known, &invited.username) {
            Ok(password) => password,
            Err(problem) => return Ok(Err(problem.into())),
        };
        let typed_email = match invited.by_mail {
            true => None,
            false => match (accepted(typed.email), &known.email) {
                (None, _) => return Ok(Err(FirstAccessProblem::Email)),
                (Some(typed), Some(schools)) if typed != *schools => {
                    return Ok(Err(FirstAccessProblem::OtherEmail));
                }
                (typed, _) => typed,
            },
        };
        let hash = hashing::hash(&password, self.random.draw())?;
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let used =
            links::use_up(&transaction, &self.keys.mac("link", code.bytes()), Purpose::FirstAccess, now_ms)?;
        let Some(link) = used else { return Ok(Err(FirstAccessProblem::Code)) };
        let (email, confirmed) = match typed_email {
            Some(email) => (Some(email), false),
            None => (link.email, true),
        };
        keep_hash(&transaction, known.person, &hash, now_ms)?;
        transaction
            .prepare_cached(
                "UPDATE credential SET email = ?2, email_confirmed = ?3, totp = NULL, totp_on = 0, totp_step = 0,
                     disabled = NULL WHERE person = ?1",
            )?
            .execute(params![known.person.0, email, confirmed])?;
        transaction
            .prepare_cached("DELETE FROM recovery_code WHERE person = ?1")?
            .execute([known.person.0])?;
        throttle::clear(&transaction, &self.subject("username", invited.username.as_bytes()))?;
        throttle::clear(&transaction, &self.subject("second factor", &known.person.0))?;
        let completed = match (confirmed || !self.mail.is_on(), &email) {
            (false, Some(email)) => {
                self.send_confirmation(&transaction, known, email, now_ms)?;
                Completed::ConfirmEmail
            }
            _ => Completed::Ready,
        };
        transaction.commit()?;
        Ok(Ok(completed))
    }

    /// Sends the link that shows that mail reaches an address, at most three times an hour.
    pub(super) fn send_confirmation(
        &self,
        database: &rusqlite::Connection,
        known: &Known,
        email: &str,
        now_ms: i64,
    ) -> Result<(), HubError> {
        let subject = self.subject("confirmation", &known.person.0);
        if links::asked_since(database, &subject, now_ms - 3_600_000)? >= MAILS_AN_HOUR {
            return Ok(());
        }
        let secret: Secret = self.random.secret();
        let link = NewLink {
            hash: self.keys.mac("link", secret.reveal().as_bytes()),
            purpose: Purpose::ConfirmEmail,
            person: Some(known.person),
            email: Some(email),
            subject: Some(subject),
        };
        links::put(database, &link, now_ms)?;
        let letter =
            letters::confirm_email(known, email, &self.mail.link("/confirm-email", "token", secret.reveal()));
        self.mail.enqueue(database, &letter, now_ms, now_ms + Purpose::ConfirmEmail.lasts_ms())
    }

    /// Whether a link that confirms an address works.
    pub fn confirms_email(&self, token: &str, now_ms: i64) -> Result<bool, HubError> {
        let hash = self.keys.mac("link", token.as_bytes());
        Ok(links::find(&*self.store.lock()?, &hash, Purpose::ConfirmEmail, now_ms)?.is_some())
    }

    /// The person opened the link: mail reaches the address that they gave. `false` if the link does not work.
    pub fn confirm_email(&self, token: &str, now_ms: i64) -> Result<bool, HubError> {
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let hash = self.keys.mac("link", token.as_bytes());
        let Some(link) = links::use_up(&transaction, &hash, Purpose::ConfirmEmail, now_ms)? else {
            return Ok(false);
        };
        let sql = "UPDATE credential SET email_confirmed = 1 WHERE person = ?1 AND email = ?2";
        let confirmed = transaction.prepare_cached(sql)?.execute(params![link.person.0, link.email])?;
        transaction.commit()?;
        Ok(confirmed > 0)
    }

    /// A new password that was typed twice, if it does.
    pub(super) fn new_password(
        &self,
        typed: &str,
        again: &str,
        second_factor: bool,
        known: &Known,
        username: &str,
    ) -> Result<Password, PasswordProblem> {
        let password = Password::typed(typed);
        password.check(second_factor, &known.words(username), &self.blocklist)?;
        match password.bytes() == Password::typed(again).bytes() {
            true => Ok(password),
            false => Err(PasswordProblem::Differs),
        }
    }

    /// What failures and requests of one thing are counted under.
    pub(super) fn subject(&self, kind: &'static str, of: &[u8]) -> [u8; 32] {
        self.keys.mac(kind, of)
    }
}
