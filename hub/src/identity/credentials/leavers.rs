//! Who has left: their credentials are disabled on the day on which leavers stop reading, and go with the last day of
//! handing in. Asking again changes nothing; who comes back has them again.

use registro_model::{Date, PersonId};
use rusqlite::{Connection, TransactionBehavior, params};

use super::{Credentials, links, tables};
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::authorization::sessions;
use crate::identity::people::{Entitlement, MonthDay, Refusal, entitlement};
use crate::registry::Registered;

/// The day on which leavers were last looked for.
const CHECKED: &str = "leavers_checked";

/// Somebody who has left.
#[derive(Clone, PartialEq, Eq)]
pub struct Leaver {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their last day of reading.
    pub since: Date,
    /// The last day on which their devices may hand in what was written before; none once it has passed.
    pub hands_in_until: Option<Date>,
}

impl core::fmt::Debug for Leaver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Leaver")
            .field("person", &self.person)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// Everybody of the office's files who has left by a day, in order of name.
pub fn leavers(registered: &Registered, revoked_on: MonthDay, today: Date) -> Vec<Leaver> {
    let directory = &registered.directory;
    let mut people: Vec<PersonId> = directory.staff.keys().chain(directory.pupils.keys()).copied().collect();
    people.extend(directory.guardians.values().flatten().map(|guardianship| guardianship.guardian));
    people.sort_unstable();
    people.dedup();
    let mut leavers: Vec<Leaver> = people
        .into_iter()
        .filter_map(|person| {
            let (since, hands_in_until) = match entitlement::of(registered, revoked_on, person, today) {
                Entitlement::PushOnly { ended, until } => (ended, Some(until)),
                Entitlement::Refused(Refusal::Left { since }) => (since, None),
                Entitlement::Entitled { .. } | Entitlement::Refused(_) => return None,
            };
            let name = registered.name_of(person).unwrap_or_default().to_owned();
            Some(Leaver { person, name, since, hands_in_until })
        })
        .collect();
    leavers.sort_by(|a, b| (&a.name, a.person).cmp(&(&b.name, b.person)));
    leavers
}

/// What revoking changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revoked {
    /// Credentials that no longer log in.
    pub disabled: usize,
    /// Credentials that are gone.
    pub removed: usize,
    /// Credentials of people who came back.
    pub enabled: usize,
}

impl Identity {
    /// What the credentials need from time to time: what has ended is taken away, and once a day whoever has left.
    pub(in crate::identity) fn tend_credentials(&self, now_ms: i64) -> Result<(), HubError> {
        let today = day_in_italy(now_ms);
        let last = {
            let database = self.store.lock()?;
            tables::sweep(&database, now_ms)?;
            tables::setting(&database, CHECKED)?
        };
        if last.as_deref() == Some(today.to_string().as_str()) {
            return Ok(());
        }
        let gone = self.hub.look(|registered| leavers(registered, self.config.leavers_revoked_on, today))?;
        let revoked = self.credentials.revoke(&gone, now_ms)?;
        let ended = end_sessions(&mut *self.store.lock()?, &gone, now_ms)?;
        if revoked != Revoked::default() || ended > 0 {
            tracing::info!(?revoked, ended, "who has left lost their access");
        }
        tables::set(&*self.store.lock()?, CHECKED, Some(&today.to_string()))
    }
}

/// Ends the sessions of who can no longer hand in anything; the others' are good for that alone until then.
pub fn end_sessions(database: &mut Connection, leavers: &[Leaver], now_ms: i64) -> Result<usize, HubError> {
    let done = leavers.iter().filter(|leaver| leaver.hands_in_until.is_none());
    done.map(|leaver| sessions::end_all(database, leaver.person, now_ms)).sum()
}

impl Credentials {
    /// Whether somebody holds credentials, in use or not.
    pub fn has_any(&self, person: PersonId) -> Result<bool, HubError> {
        let database = self.store.lock()?;
        let sql = "SELECT count(*) FROM credential WHERE person = ?1";
        Ok(database.prepare_cached(sql)?.query_row([person.0], |row| row.get::<_, i64>(0))? > 0)
    }

    /// Disables the credentials of leavers, and takes away those of who can no longer hand in anything.
    pub fn revoke(&self, leavers: &[Leaver], now_ms: i64) -> Result<Revoked, HubError> {
        let mut database = self.store.lock()?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut revoked = Revoked::default();
        let mut was_disabled: Vec<PersonId> = Vec::new();
        {
            let mut query =
                transaction.prepare("SELECT person FROM credential WHERE disabled IS NOT NULL")?;
            for row in query.query_map([], |row| Ok(PersonId(row.get(0)?)))? {
                was_disabled.push(row?);
            }
        }
        for person in was_disabled {
            if !leavers.iter().any(|leaver| leaver.person == person) {
                let sql = "UPDATE credential SET disabled = NULL WHERE person = ?1";
                revoked.enabled += transaction.execute(sql, [person.0])?;
            }
        }
        for leaver in leavers {
            match leaver.hands_in_until {
                Some(_) => {
                    let sql = "UPDATE credential SET disabled = ?2 WHERE person = ?1 AND disabled IS NULL";
                    revoked.disabled +=
                        transaction.prepare_cached(sql)?.execute(params![leaver.person.0, now_ms])?;
                }
                None => {
                    links::withdraw(&transaction, leaver.person)?;
                    transaction
                        .prepare_cached("DELETE FROM recovery_code WHERE person = ?1")?
                        .execute([leaver.person.0])?;
                    let sql = "DELETE FROM credential WHERE person = ?1";
                    revoked.removed += transaction.prepare_cached(sql)?.execute([leaver.person.0])?;
                }
            }
        }
        transaction.commit()?;
        Ok(revoked)
    }
}
