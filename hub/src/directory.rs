//! The school's people in tables: what imports brought, what the office changed, ids minted once.
//!
//! | module | what |
//! |---|---|
//! | [`rows`] | imported rows by kind and key; importing again changes only what changed |
//! | [`reading`] | the rows as the dated directory that rules ask |

pub mod reading;
pub mod rows;

use registro_model::{ClassCode, Date, PersonId, SchoolId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::HubError;
use crate::registry::{Registered, Registry};

pub use rows::{ApplyReport, apply};

/// Makes the tables if they are not there.
pub fn migrate(database: &Connection) -> Result<(), HubError> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS school_identity (one INTEGER PRIMARY KEY CHECK (one = 1), school BLOB NOT NULL);
         CREATE TABLE IF NOT EXISTS directory_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
         CREATE TABLE IF NOT EXISTS imported (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
             PRIMARY KEY (kind, key)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS person (code TEXT PRIMARY KEY, id BLOB NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS ended (teacher BLOB NOT NULL, class TEXT NOT NULL, since TEXT NOT NULL,
             PRIMARY KEY (teacher, class)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS begun_council (class TEXT NOT NULL, term TEXT NOT NULL,
             PRIMARY KEY (class, term)) WITHOUT ROWID;
         INSERT OR IGNORE INTO directory_version (one, version) VALUES (1, 0);",
    )?;
    Ok(())
}

/// A pupil's number among the codes of persons: schools number pupils and staff apart, and the same number may be
/// both.
fn pupil_code(number: &str) -> String {
    format!("alunno/{number}")
}

/// Raises the directory's version.
pub(crate) fn raise_version(database: &Connection) -> Result<(), HubError> {
    database.execute("UPDATE directory_version SET version = version + 1", [])?;
    Ok(())
}

/// The registry of a real hub.
#[derive(Debug, Default)]
pub struct TableRegistry(());

impl Registry for TableRegistry {
    fn school_id(&self, database: &Connection) -> Result<SchoolId, HubError> {
        migrate(database)?;
        let id: Option<Vec<u8>> =
            database.query_row("SELECT school FROM school_identity", [], |row| row.get(0)).optional()?;
        let id = id.ok_or_else(|| HubError::Registry("no school was imported".to_owned()))?;
        SchoolId::try_from(id.as_slice()).map_err(|_| HubError::Stored("the school's id"))
    }

    fn version(&self, database: &Connection) -> Result<u64, HubError> {
        Ok(database.query_row("SELECT version FROM directory_version", [], |row| row.get::<_, u64>(0))?)
    }

    fn load(&self, database: &Connection) -> Result<Registered, HubError> {
        reading::load(database)
    }

    fn end_assignments(
        &mut self,
        database: &Connection,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
    ) -> Result<usize, HubError> {
        let registered = self.load(database)?;
        let entry = registered.directory.classes.get(class).ok_or(HubError::Unknown("class"))?;
        let ended = entry
            .assignments
            .iter()
            .filter(|a| a.teacher == teacher && a.span.to.is_none_or(|to| to >= from))
            .count();
        if ended > 0 {
            database.execute(
                "INSERT INTO ended (teacher, class, since) VALUES (?1, ?2, ?3)
                 ON CONFLICT (teacher, class) DO UPDATE SET since = min(since, excluded.since)",
                params![teacher.as_bytes().as_slice(), class.as_str(), from.to_string()],
            )?;
            raise_version(database)?;
        }
        Ok(ended)
    }

    fn begin_council(
        &mut self,
        database: &Connection,
        class: &ClassCode,
        term: &str,
    ) -> Result<(), HubError> {
        let sql = "INSERT OR IGNORE INTO begun_council (class, term) VALUES (?1, ?2)";
        if database.execute(sql, params![class.as_str(), term])? > 0 {
            raise_version(database)?;
        }
        Ok(())
    }

    fn person_by_fiscal_code(&self, database: &Connection, code: &str) -> Result<Option<PersonId>, HubError> {
        // Codes of all kinds share a table: the code must stand as somebody's fiscal code in the files, and must not
        // be a code of the staff that only looks like one.
        let sql = "SELECT id FROM person WHERE code = ?1
             AND NOT EXISTS (SELECT 1 FROM imported WHERE kind = 'staff' AND key = ?1)
             AND (EXISTS (SELECT 1 FROM imported WHERE kind IN ('staff', 'pupil')
                      AND json_extract(value, '$.fiscal_code') = ?1)
                  OR EXISTS (SELECT 1 FROM imported, json_each(imported.value, '$.guardians') AS guardian
                      WHERE imported.kind = 'pupil' AND json_extract(guardian.value, '$.fiscal_code') = ?1))";
        let id: Option<Vec<u8>> = database.query_row(sql, [code], |row| row.get(0)).optional()?;
        id.map(|id| PersonId::try_from(id.as_slice()).map_err(|_| HubError::Stored("a person's id")))
            .transpose()
    }

    fn person_by_code(&self, database: &Connection, code: &str) -> Result<Option<PersonId>, HubError> {
        // A code of the staff as it is written, a pupil's number, a fiscal code in any case.
        let sql = "SELECT id FROM person WHERE code IN (?1, ?2, ?3) ORDER BY code <> ?1, code <> ?2 LIMIT 1";
        let codes = [code.to_owned(), pupil_code(code), code.to_uppercase()];
        let id: Option<Vec<u8>> = database.query_row(sql, codes, |row| row.get(0)).optional()?;
        id.map(|id| PersonId::try_from(id.as_slice()).map_err(|_| HubError::Stored("a person's id")))
            .transpose()
    }
}
