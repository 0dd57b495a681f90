//! Appending: under SQLite's write lock, at consecutive positions, so that the order of positions is the order of
//! commits.

use registro_documents::Hash;
use registro_model::{DocumentId, PersonId, SchoolId};
use registro_sync::Cursor;
use rusqlite::{Connection, params};

use super::RowKind;
use super::chain::{Linked, link};
use super::read;
use crate::error::HubError;

/// A row to append.
#[derive(Debug, Clone)]
pub struct NewRow<'a> {
    /// What it is.
    pub kind: RowKind,
    /// Its document; zeros where it has none.
    pub document: DocumentId,
    /// The change, or what the notice is about.
    pub hash: Hash,
    /// The author of the change, or the person whom the notice concerns.
    pub author: PersonId,
    /// An accepted change's weight ([`registro_documents::AcceptanceRecord::weight`]); `None` for everything else.
    pub weight: Option<u8>,
    /// When it was received, Unix milliseconds.
    pub received: i64,
    /// Its body.
    pub data: &'a [u8],
}

/// Appends rows inside a transaction that holds the write lock (`BEGIN IMMEDIATE`).
pub struct Appender<'t> {
    transaction: &'t Connection,
    school: SchoolId,
    head: Cursor,
    batch: u64,
}

impl<'t> Appender<'t> {
    /// Reads the head.
    pub fn begin(transaction: &'t Connection, school: SchoolId) -> Result<Self, HubError> {
        let head = read::head(transaction, school)?;
        Ok(Self { transaction, school, head, batch: head.position + 1 })
    }

    /// The position that the next row will have. Notices are signed over theirs.
    pub fn next_position(&self) -> u64 {
        self.head.position + 1
    }

    /// What follows belongs to another batch than what came before.
    pub fn begin_batch(&mut self) {
        self.batch = self.next_position();
    }

    /// Appends a row; returns its position.
    pub fn push(&mut self, row: &NewRow<'_>) -> Result<u64, HubError> {
        let position = self.next_position();
        let linked = Linked {
            kind: row.kind,
            document: row.document,
            hash: row.hash,
            received: row.received,
            weight: row.weight,
            body: row.data,
        };
        let chain = link(&self.head.chain, position, &linked);
        self.transaction
            .prepare_cached(
                "INSERT INTO log (school, pos, kind, doc, hash, author, standing, received, chain, batch, key_id, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11)",
            )?
            .execute(params![
                self.school.0,
                position,
                row.kind as i64,
                row.document.0,
                row.hash,
                row.author.0,
                row.weight,
                row.received,
                chain,
                self.batch,
                row.data,
            ])?;
        self.head = Cursor { position, chain };
        Ok(position)
    }

    /// Writes the head; returns it.
    pub fn finish(self) -> Result<Cursor, HubError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO head (school, pos, chain) VALUES (?1, ?2, ?3)
                 ON CONFLICT (school) DO UPDATE SET pos = excluded.pos, chain = excluded.chain",
            )?
            .execute(params![self.school.0, self.head.position, self.head.chain])?;
        Ok(self.head)
    }
}
