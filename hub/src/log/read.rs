//! Reading the log.

use registro_documents::{AcceptanceRecord, Hash};
use registro_model::{CommandId, DocumentId, PersonId, SchoolId};
use registro_sync::Cursor;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::RowKind;
use crate::error::HubError;

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its position.
    pub position: u64,
    /// What it is.
    pub kind: RowKind,
    /// Its document; zeros where it has none.
    pub document: DocumentId,
    /// The change, or what the notice is about.
    pub hash: Hash,
    /// The author, or the person whom the notice concerns.
    pub author: PersonId,
    /// An accepted change's weight.
    pub weight: Option<u8>,
    /// When it was received, Unix milliseconds.
    pub received: i64,
    /// The chain value after it.
    pub chain: Hash,
    /// The position of the first row of its batch.
    pub batch: u64,
    /// Its body.
    pub data: Vec<u8>,
}

impl LogRow {
    /// The acceptance record of a change.
    pub fn record(&self) -> Option<AcceptanceRecord> {
        AcceptanceRecord::weighing(self.position, self.received, self.weight?)
    }
}

const COLUMNS: &str = "pos, kind, doc, hash, author, standing, received, chain, batch, data";

fn log_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    let number = row.get::<_, i64>(1)?;
    let kind = RowKind::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number))?;
    Ok(LogRow {
        position: row.get(0)?,
        kind,
        document: DocumentId(row.get(2)?),
        hash: row.get(3)?,
        author: PersonId(row.get(4)?),
        weight: row.get(5)?,
        received: row.get(6)?,
        chain: row.get(7)?,
        batch: row.get(8)?,
        data: row.get(9)?,
    })
}

/// The end of the school's log.
pub fn head(database: &Connection, school: SchoolId) -> Result<Cursor, HubError> {
    let found = database
        .prepare_cached("SELECT pos, chain FROM head WHERE school = ?1")?
        .query_row([school.0], |row| Ok(Cursor { position: row.get(0)?, chain: row.get(1)? }))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The cursor at a position; `None` beyond the end.
pub fn cursor_at(database: &Connection, school: SchoolId, position: u64) -> Result<Option<Cursor>, HubError> {
    if position == 0 {
        return Ok(Some(Cursor::default()));
    }
    // Foreign positions may exceed what SQLite stores.
    if i64::try_from(position).is_err() {
        return Ok(None);
    }
    let chain = database
        .prepare_cached("SELECT chain FROM log WHERE school = ?1 AND pos = ?2")?
        .query_row(params![school.0, position], |row| row.get(0))
        .optional()?;
    Ok(chain.map(|chain| Cursor { position, chain }))
}

/// Rows after a position, in order, at most `limit`.
pub fn rows_after(
    database: &Connection,
    school: SchoolId,
    position: u64,
    limit: usize,
) -> Result<Vec<LogRow>, HubError> {
    let sql = format!("SELECT {COLUMNS} FROM log WHERE school = ?1 AND pos > ?2 ORDER BY pos LIMIT ?3");
    let mut statement = database.prepare_cached(&sql)?;
    let rows = statement.query_map(params![school.0, position, limit as i64], log_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Accepted changes of a document after a position and up to another, in order.
pub fn changes_of(
    database: &Connection,
    school: SchoolId,
    document: DocumentId,
    after: u64,
    up_to: u64,
) -> Result<Vec<LogRow>, HubError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM log WHERE school = ?1 AND doc = ?2 AND pos > ?3 AND pos <= ?4 AND kind = 0 ORDER BY pos"
    );
    let mut statement = database.prepare_cached(&sql)?;
    let rows = statement.query_map(params![school.0, document.0, after, up_to], log_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The acceptance record of a change, if it is in the log.
pub fn record_of(
    database: &Connection,
    school: SchoolId,
    document: DocumentId,
    hash: &Hash,
) -> Result<Option<AcceptanceRecord>, HubError> {
    let found = database
        .prepare_cached("SELECT pos, received, standing FROM log WHERE school = ?1 AND doc = ?2 AND hash = ?3 AND kind = 0")?
        .query_row(params![school.0, document.0, hash], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, i64>(1)?, row.get::<_, u8>(2)?))
        })
        .optional()?;
    found
        .map(|(position, received, weight)| {
            AcceptanceRecord::weighing(position, received, weight)
                .ok_or(HubError::Stored("an unknown standing"))
        })
        .transpose()
}

/// The position of an accepted command.
pub fn command_position(
    database: &Connection,
    school: SchoolId,
    person: PersonId,
    command: CommandId,
) -> Result<Option<u64>, HubError> {
    Ok(database
        .prepare_cached("SELECT pos FROM command WHERE school = ?1 AND person = ?2 AND id = ?3")?
        .query_row(params![school.0, person.0, command.0], |row| row.get(0))
        .optional()?)
}

/// The record of the first change of an accepted command.
pub fn command_record(
    database: &Connection,
    school: SchoolId,
    person: PersonId,
    command: CommandId,
) -> Result<Option<AcceptanceRecord>, HubError> {
    let Some(position) = command_position(database, school, person, command)? else { return Ok(None) };
    let row = rows_after(database, school, position.saturating_sub(1), 1)?.pop();
    let record = row.filter(|row| row.position == position).and_then(|row| row.record());
    record.map(Some).ok_or(HubError::Stored("an accepted command without its change"))
}

/// The last position whose row, and all rows before it, were received before an instant.
pub fn last_position_before(database: &Connection, school: SchoolId, instant: i64) -> Result<u64, HubError> {
    let first: Option<u64> = database
        .prepare_cached("SELECT MIN(pos) FROM log WHERE school = ?1 AND received >= ?2")?
        .query_row(params![school.0, instant], |row| row.get(0))?;
    match first {
        Some(first) => Ok(first.saturating_sub(1)),
        None => Ok(head(database, school)?.position),
    }
}

/// The last accepted change of a document up to a position; 0 if there is none.
pub fn last_change_up_to(
    database: &Connection,
    school: SchoolId,
    document: DocumentId,
    up_to: u64,
) -> Result<u64, HubError> {
    let last: Option<u64> = database
        .prepare_cached("SELECT MAX(pos) FROM log WHERE school = ?1 AND doc = ?2 AND pos <= ?3 AND kind = 0")?
        .query_row(params![school.0, document.0, up_to], |row| row.get(0))?;
    Ok(last.unwrap_or(0))
}
