//! What the office (*segreteria*) does at the hub: end an assignment, look at what is kept.

use registro_documents::{Kind, policy::Reason};
use registro_model::people::Role;
use registro_model::{ClassCode, Date, PersonId};
use registro_sync::Code;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::{Hub, Inner};
use crate::caller::Caller;
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::gatekeeper::{FactName, memory};

/// Most kept batches that a list shows, newest first.
const MAX_LISTED: usize = 1_000;

/// A batch kept for the office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub id: i64,
    /// Its author.
    pub person: PersonId,
    /// When it was received, Unix milliseconds.
    pub received: i64,
    /// Why it is kept.
    pub code: Code,
    /// The reason.
    pub reason: Option<Reason>,
    /// What it would have written; empty if it came from a revoked device, whose bytes nobody looked at.
    pub facts: Vec<FactName>,
}

impl Hub {
    /// Ends a teacher's assignments in a class from a day on: the day before is their last. Devices hear of it by
    /// the facts that follow. Returns how many assignments were ended.
    pub fn end_assignments(
        &self,
        caller: &Caller,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
        now_ms: i64,
    ) -> Result<usize, HubError> {
        let mut inner = self.lock()?;
        inner.refresh(now_ms)?;
        inner.require_office(caller, now_ms)?;
        let ended = {
            let Inner { registry, database, .. } = &mut *inner;
            let transaction = Transaction::new_unchecked(database, TransactionBehavior::Immediate)?;
            let ended = registry.end_assignments(&transaction, teacher, class, from)?;
            transaction.commit()?;
            ended
        };
        inner.refresh(now_ms)?;
        self.poke(&inner)?;
        Ok(ended)
    }

    /// Begins the council of a class for a term. Its place in the register comes with the councils; until then it
    /// is a switch for tests.
    pub fn begin_council(&self, class: &ClassCode, term: &str, now_ms: i64) -> Result<(), HubError> {
        let mut inner = self.lock()?;
        {
            let Inner { registry, database, .. } = &mut *inner;
            let transaction = Transaction::new_unchecked(database, TransactionBehavior::Immediate)?;
            registry.begin_council(&transaction, class, term)?;
            transaction.commit()?;
        }
        inner.refresh(now_ms)?;
        self.poke(&inner)
    }

    /// What is kept for the office, newest first.
    pub fn kept(&self, caller: &Caller, now_ms: i64) -> Result<Vec<Kept>, HubError> {
        let mut inner = self.lock()?;
        inner.refresh(now_ms)?;
        inner.require_office(caller, now_ms)?;
        let mut statement = inner.database.prepare_cached(
            "SELECT id, person, received, code, reason, facts FROM kept WHERE school = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![inner.school.0, MAX_LISTED as i64], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                PersonId(row.get(1)?),
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, Option<i64>>(4)?,
                row.get::<_, Vec<u8>>(5)?,
            ))
        })?;
        let mut kept = Vec::new();
        for row in rows {
            let (id, person, received, code, reason, facts) = row?;
            let code = memory::code_of(code).ok_or(HubError::Stored("an unknown code"))?;
            let facts = minicbor::decode(&facts)
                .map_err(|_| HubError::Stored("a kept batch that does not decode"))?;
            kept.push(Kept { id, person, received, code, reason: reason.and_then(memory::reason_of), facts });
        }
        Ok(kept)
    }

    /// What a document that a kept batch names is about.
    pub fn describe(&self, facts: &FactName) -> Result<Option<(Kind, String)>, HubError> {
        let inner = self.lock()?;
        Ok(inner
            .catalogue
            .get(facts.document)
            .map(|entry| (entry.identity.kind, entry.identity.subject.to_string())))
    }
}

impl Inner {
    fn require_office(&self, caller: &Caller, now: i64) -> Result<(), HubError> {
        let today = day_in_italy(now);
        match self.registered.directory.has_role(caller.person, Role::Office, today) {
            Some(true) => Ok(()),
            _ => Err(HubError::Forbidden("only the office may do this")),
        }
    }
}
