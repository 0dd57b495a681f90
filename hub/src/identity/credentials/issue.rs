//! The office issues credentials: a user name, and a code that works once, for seven days. The school never knows the
//! password that the person then sets.

use registro_model::directory::GuardianRights;
use registro_model::{ClassCode, Date, PersonId};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::Credentials;
use super::account::{Account, normal_username};
use super::known::Known;
use super::links::{self, NewLink, Purpose};
use super::one_time_code::OneTimeCode;
use crate::error::HubError;
use crate::identity::mail::letters;
use crate::identity::people::{Entitlement, MonthDay, entitlement};
use crate::registry::Registered;

/// Whom credentials are issued to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// One person.
    Person(PersonId),
    /// The pupils who are in a class today.
    Class(ClassCode),
    /// The parents and guardians of the pupils who are in a class today.
    Guardians(ClassCode),
    /// The staff in service today.
    Staff,
}

impl Whom {
    /// The people, in order of name.
    ///
    /// # Errors
    /// [`HubError::Unknown`] if there is no such class.
    pub fn people(&self, registered: &Registered, today: Date) -> Result<Vec<PersonId>, HubError> {
        let directory = &registered.directory;
        let pupils = |class: &ClassCode| {
            let entry = directory.classes.get(class).ok_or(HubError::Unknown("class"))?;
            let now = entry.enrolments.iter().filter(|(_, span)| span.contains(today));
            Ok::<Vec<_>, HubError>(now.map(|(pupil, _)| *pupil).collect())
        };
        let mut people = match self {
            Self::Person(person) => vec![*person],
            Self::Class(class) => pupils(class)?,
            Self::Guardians(class) => pupils(class)?
                .iter()
                .filter_map(|pupil| directory.guardians.get(pupil))
                .flatten()
                .filter(|g| g.rights != GuardianRights::None && g.span.contains(today))
                .map(|g| g.guardian)
                .collect(),
            Self::Staff => directory
                .staff
                .iter()
                .filter(|(_, member)| member.roles.iter().any(|(_, span)| span.contains(today)))
                .map(|(person, _)| *person)
                .collect(),
        };
        people.sort_by_key(|person| (registered.name_of(*person).unwrap_or_default().to_owned(), *person));
        people.dedup();
        Ok(people)
    }
}

/// How to issue.
#[derive(Debug, Clone, Copy)]
pub struct HowToIssue {
    /// Send the code to the person's address instead of handing it out.
    pub by_mail: bool,
    /// Also to who has set a password already: it holds until the code is used.
    pub again: bool,
    /// The day of the year on which leavers stop reading.
    pub leavers_revoked_on: MonthDay,
}

/// What became of one person.
#[derive(Debug)]
pub struct Issue {
    /// The person's name.
    pub name: String,
    /// What became of them.
    pub outcome: Outcome,
}

/// What became of one person.
#[derive(Debug)]
pub enum Outcome {
    /// The code is to be handed out.
    Printed {
        /// The user name.
        username: String,
        /// The code.
        code: OneTimeCode,
        /// When it ends, Unix milliseconds.
        expires: i64,
    },
    /// The code is on its way by mail.
    Mailed {
        /// The user name.
        username: String,
    },
    /// They have set a password already.
    Active {
        /// The user name.
        username: String,
    },
    /// The office's files have no address to send it to.
    NoAddress,
    /// They may hold no account.
    Refused(Entitlement),
}

impl Credentials {
    /// Issues credentials to people.
    ///
    /// # Errors
    /// [`HubError::Settings`] if mail is asked for and not set up; [`HubError::Unknown`] if a person is unknown.
    pub fn issue(
        &self,
        registered: &Registered,
        people: &[PersonId],
        how: HowToIssue,
        now_ms: i64,
    ) -> Result<Vec<Issue>, HubError> {
        if how.by_mail && !self.mail.is_on() {
            return Err(HubError::Settings("mail: no server is set up to send it".to_owned()));
        }
        let today = crate::clock::day_in_italy(now_ms);
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut issues = Vec::with_capacity(people.len());
        for person in people {
            let known = Known::of(registered, *person).ok_or(HubError::Unknown("person"))?;
            let entitled = entitlement::of(registered, how.leavers_revoked_on, *person, today);
            let outcome = match entitled.is_entitled() {
                true => self.issue_one(&transaction, &known, how, now_ms)?,
                false => Outcome::Refused(entitled),
            };
            issues.push(Issue { name: known.name, outcome });
        }
        transaction.commit()?;
        Ok(issues)
    }

    fn issue_one(
        &self,
        transaction: &Transaction<'_>,
        known: &Known,
        how: HowToIssue,
        now_ms: i64,
    ) -> Result<Outcome, HubError> {
        let account = Account::of(transaction, known.person)?;
        if let Some(account) = &account
            && account.hash.is_some()
            && !account.disabled
            && !how.again
        {
            return Ok(Outcome::Active { username: account.username.clone() });
        }
        let email = match (how.by_mail, &known.email) {
            (true, None) => return Ok(Outcome::NoAddress),
            (true, Some(email)) => Some(email.as_str()),
            (false, _) => None,
        };
        let username = match account {
            Some(account) => account.username,
            None => self.new_account(transaction, known, now_ms)?,
        };
        let code = OneTimeCode::draw(&self.random);
        let link = NewLink {
            hash: self.keys.mac("link", code.bytes()),
            purpose: Purpose::FirstAccess,
            person: Some(known.person),
            email,
            subject: None,
        };
        links::put(transaction, &link, now_ms)?;
        let expires = now_ms + Purpose::FirstAccess.lasts_ms();
        let Some(email) = email else { return Ok(Outcome::Printed { username, code, expires }) };
        let address = self.mail.link("/first-access", "code", &code.printed());
        let letter = letters::first_access(known, email, &username, &address, expires);
        self.mail.enqueue(transaction, &letter, now_ms, expires)?;
        Ok(Outcome::Mailed { username })
    }

    /// A pupil logs in with the pupil's number, everybody else with their address, where nobody else has it; parents
    /// often share one.
    fn new_account(&self, transaction: &Connection, known: &Known, now_ms: i64) -> Result<String, HubError> {
        let mut wishes: Vec<&str> =
            [known.email.as_deref(), known.code.as_deref()].into_iter().flatten().collect();
        if known.is_pupil {
            wishes.reverse();
        }
        let mut insert = transaction.prepare_cached(
            "INSERT INTO credential (person, username, issued) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        let mut wishes = wishes.into_iter().map(normal_username);
        // Drawn names hold 32 bits: some tries always find a free one.
        for _ in 0..16 {
            let username = wishes.next().unwrap_or_else(|| {
                let drawn: [u8; 4] = self.random.draw();
                format!("utente-{:08x}", u32::from_be_bytes(drawn))
            });
            if insert.execute(params![known.person.0, username, now_ms])? > 0 {
                return Ok(username);
            }
        }
        Err(HubError::Stored("no user name is free"))
    }
}
