//! What the hub remembers of refusals, under (document, change).

use registro_documents::policy::Reason;
use registro_documents::{Batch, Hash};
use registro_model::{DocumentId, PersonId, SchoolId};
use registro_sync::Code;
use rusqlite::{Connection, OptionalExtension, params};

use super::{FactName, Verdict};
use crate::error::HubError;

/// The code's number in the tables: that of the wire.
pub fn code_number(code: Code) -> i64 {
    code as i64
}

/// The code of a number in the tables.
pub fn code_of(number: i64) -> Option<Code> {
    use Code::{
        Bounds, Busy, Certificate, Duplicate, Form, Graph, Missing, NeedsLevel, Office, Quota, Refused,
        Update,
    };
    [Bounds, Form, Graph, Duplicate, Refused, Quota, Office, Missing, NeedsLevel, Certificate, Update, Busy]
        .into_iter()
        .find(|code| code_number(*code) == number)
}

/// The reason of a number in the tables.
pub fn reason_of(number: i64) -> Option<Reason> {
    Reason::ALL.iter().copied().find(|reason| *reason as i64 == number)
}

/// What was said of a change before.
pub fn recall(
    database: &Connection,
    school: SchoolId,
    document: DocumentId,
    hash: &Hash,
) -> Result<Option<Verdict>, HubError> {
    let found = database
        .prepare_cached(
            "SELECT code, reason, cause FROM refusal WHERE school = ?1 AND doc = ?2 AND hash = ?3",
        )?
        .query_row(params![school.0, document.0, hash], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, bool>(2)?))
        })
        .optional()?;
    found
        .map(|(code, reason, cause)| {
            let code = code_of(code).ok_or(HubError::Stored("an unknown code"))?;
            // Indexes are not kept: 0 says this one, none a batch mate.
            let causes = Some(if cause { vec![0] } else { Vec::new() });
            Ok(Verdict { code, reason: reason.and_then(reason_of), causes, traceless: false })
        })
        .transpose()
}

/// Keeps a batch for the office; returns its number.
pub fn keep(
    transaction: &Connection,
    school: SchoolId,
    person: PersonId,
    received: i64,
    verdict: &Verdict,
    batch: &Batch,
    facts: &[FactName],
) -> Result<i64, HubError> {
    transaction
        .prepare_cached(
            "INSERT INTO kept (school, person, received, code, reason, data, facts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            school.0,
            person.0,
            received,
            code_number(verdict.code),
            verdict.reason.map(|reason| reason as i64),
            crate::encode(batch),
            crate::encode(&facts)
        ])?;
    Ok(transaction.last_insert_rowid())
}

/// Remembers what was said of a batch's changes.
pub fn remember(
    transaction: &Connection,
    school: SchoolId,
    batch: &Batch,
    verdict: &Verdict,
    kept: Option<i64>,
) -> Result<(), HubError> {
    for (index, change) in batch.changes.iter().enumerate() {
        transaction
            .prepare_cached(
                "INSERT INTO refusal (school, doc, hash, code, reason, cause, kept) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (school, doc, hash) DO NOTHING",
            )?
            .execute(params![
                school.0,
                change.envelope.document.0,
                change.envelope.change,
                code_number(verdict.code),
                verdict.reason.map(|reason| reason as i64),
                verdict.is_cause(index),
                kept
            ])?;
    }
    Ok(())
}

/// Forgets a refusal: an accepted entry overrides it.
pub fn forget(
    transaction: &Connection,
    school: SchoolId,
    document: DocumentId,
    hash: &Hash,
) -> Result<(), HubError> {
    transaction
        .prepare_cached("DELETE FROM refusal WHERE school = ?1 AND doc = ?2 AND hash = ?3")?
        .execute(params![school.0, document.0, hash])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_reason_comes_back_from_its_number() {
        for number in 0..12 {
            assert_eq!(code_of(number).map(code_number), Some(number));
        }
        for reason in Reason::ALL {
            assert_eq!(reason_of(*reason as i64), Some(*reason));
        }
    }
}
