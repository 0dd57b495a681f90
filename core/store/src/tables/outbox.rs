//! Commands: what the person wrote. They outlive the documents, and a row that does not open takes no other along.

use registro_model::CommandId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{ReadTx, StoredCommand, WriteTx};
use crate::error::StoreError;
use crate::keys::Keys;
use crate::seal::place;
use crate::second_copy::{CommandRow, Record};

/// State number of a command that the hub has confirmed. The hub has it, so that the second copy does without.
pub const CONFIRMED: u8 = 1;

/// States that are tried for a row whose own does not open it.
const STATES: std::ops::Range<u8> = 0..8;

/// The state is bound in: a changed one would take a command out of the push.
pub(crate) fn command_place(id: [u8; 8], state: u8) -> Vec<u8> {
    let mut row = id.to_vec();
    row.push(state);
    place("outbox", b"", &row)
}

/// Opens a command in whatever state it was sealed.
pub(crate) fn open_in_some_state(keys: &Keys, id: [u8; 8], stated: u8, sealed: &[u8]) -> Option<u8> {
    std::iter::once(stated)
        .chain(STATES)
        .find(|state| keys.outbox.open(&command_place(id, *state), sealed).is_ok())
}

/// A row as it stands, or nothing where its columns are not what they should be.
fn raw(row: &Row<'_>) -> Option<([u8; 8], CommandRow)> {
    let id = row.get(0).ok()?;
    Some((id, CommandRow { ordinal: row.get(1).ok()?, state: row.get(2).ok()?, sealed: row.get(3).ok()? }))
}

impl ReadTx<'_> {
    /// All commands, in the order in which they were first stored. One whose row does not open is left out until
    /// the store is mended.
    pub fn commands(&self) -> Result<Vec<StoredCommand>, StoreError> {
        self.commands_where("SELECT id, ordinal, state, data FROM outbox ORDER BY ordinal", [])
    }

    /// The commands in a state, in order; see [`ReadTx::commands`].
    pub fn commands_in_state(&self, state: u8) -> Result<Vec<StoredCommand>, StoreError> {
        self.commands_where(
            "SELECT id, ordinal, state, data FROM outbox WHERE state = ?1 ORDER BY ordinal",
            [state],
        )
    }

    /// One command; see [`ReadTx::commands`].
    pub fn command(&self, id: CommandId) -> Result<Option<StoredCommand>, StoreError> {
        let found = self.commands_where(
            "SELECT id, ordinal, state, data FROM outbox WHERE id = ?1",
            [id.as_bytes().as_slice()],
        )?;
        Ok(found.into_iter().next())
    }

    fn commands_where(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<StoredCommand>, StoreError> {
        let mut out: Vec<StoredCommand> = Vec::new();
        for (id, row) in self.rows(sql, parameters)? {
            match self.shared.keys.outbox.open(&command_place(id, row.state), &row.sealed) {
                Ok(body) => {
                    let id = CommandId(id);
                    out.push(StoredCommand { id, ordinal: row.ordinal, state: row.state, body });
                }
                Err(_) => self.shared.trouble.note_rows(),
            }
        }
        Ok(out)
    }

    /// Rows as they stand.
    pub(crate) fn rows(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<([u8; 8], CommandRow)>, StoreError> {
        let mut query = self.connection.prepare_cached(sql)?;
        let mut rows = query.query(parameters)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            match raw(row) {
                Some(row) => out.push(row),
                None => self.shared.trouble.note_rows(),
            }
        }
        Ok(out)
    }
}

impl WriteTx<'_> {
    /// Stores a command; one that is there keeps its place in the order. Until it is [`CONFIRMED`] a second copy of
    /// it is kept beside the database.
    pub fn put_command(&mut self, id: CommandId, state: u8, body: &[u8]) -> Result<(), StoreError> {
        let shared = self.shared;
        let sealed = self.seal(&shared.keys.outbox, &command_place(id.0, state), body)?;
        let ordinal = self
            .connection
            .prepare_cached(
                "INSERT INTO outbox (id, state, data) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, data = excluded.data
                 RETURNING ordinal",
            )?
            .query_row(params![id.as_bytes().as_slice(), state, sealed], |row| row.get(0))?;
        self.records.push(if state == CONFIRMED {
            Record::settled(id.0, &shared.keys)?
        } else {
            Record::command(id.0, &CommandRow { ordinal, state, sealed })
        });
        Ok(())
    }
}

/// Puts a sealed command back as it is, in its old place in the order if that is free. Does nothing if a command of
/// this id is there.
pub(crate) fn put_back_command(
    connection: &Connection,
    id: [u8; 8],
    row: &CommandRow,
) -> Result<bool, StoreError> {
    let there: Option<i64> = connection
        .query_row("SELECT ordinal FROM outbox WHERE id = ?1", [id.as_slice()], |row| row.get(0))
        .optional()?;
    if there.is_some() {
        return Ok(false);
    }
    let taken: Option<i64> = connection
        .query_row("SELECT ordinal FROM outbox WHERE ordinal = ?1", [row.ordinal], |row| row.get(0))
        .optional()?;
    // The greatest ordinal would leave none for the next command.
    let place = (taken.is_none() && (1..1 << 48).contains(&row.ordinal)).then_some(row.ordinal);
    connection.execute(
        "INSERT INTO outbox (ordinal, id, state, data) VALUES (?1, ?2, ?3, ?4)",
        params![place, id.as_slice(), row.state, row.sealed],
    )?;
    Ok(true)
}

/// Moves a row that does not open out of the way, as it is.
pub(crate) fn set_aside(connection: &Connection, table: &str, ordinal: i64) -> Result<(), StoreError> {
    let (read, delete) = match table {
        "outbox" => (
            "INSERT INTO set_aside (name, state, data) SELECT id, state, data FROM outbox WHERE ordinal = ?1",
            "DELETE FROM outbox WHERE ordinal = ?1",
        ),
        _ => (
            "INSERT INTO set_aside (name, state, data) SELECT name, kept, data FROM meta WHERE ordinal = ?1",
            "DELETE FROM meta WHERE ordinal = ?1",
        ),
    };
    connection.execute(read, [ordinal])?;
    connection.execute(delete, [ordinal])?;
    Ok(())
}
