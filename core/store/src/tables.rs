//! What stands in the store: documents, changes, views, commands, meta.

mod documents;
mod meta;
mod outbox;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use registro_model::CommandId;
use rusqlite::Connection;

pub(crate) use meta::put_back_meta;
pub use outbox::CONFIRMED;
pub(crate) use outbox::{command_place, open_in_some_state, put_back_command, set_aside};

use crate::error::StoreError;
use crate::seal::SealingKey;
use crate::second_copy::Record;
use crate::shared::Shared;

/// A sealed part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentPart {
    /// What the document is, and what the device knows about it.
    Header = 0,
    /// The hub's last snapshot, as it came.
    HubSnapshot = 1,
    /// What the device folded itself: a cache.
    Folded = 2,
    /// Records beside the folded document.
    Records = 3,
    /// Reserved.
    Spare = 4,
}

/// A change as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChange {
    /// Its hash.
    pub hash: [u8; 32],
    /// Position in the order of storing.
    pub ordinal: i64,
    /// The caller's state number.
    pub state: u8,
    /// The caller's value.
    pub body: Vec<u8>,
}

/// A command as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommand {
    /// Its id.
    pub id: CommandId,
    /// Position in the order of storing.
    pub ordinal: i64,
    /// The caller's state number; [`CONFIRMED`] is the one that the store knows.
    pub state: u8,
    /// The caller's value.
    pub body: Vec<u8>,
}

/// Prepared keys of documents, kept while the store is open.
pub(crate) type KeyCache = Mutex<HashMap<[u8; 16], Arc<SealingKey>>>;

/// Reading, in one transaction.
pub struct ReadTx<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) shared: &'a Shared,
}

/// Writing, in one transaction, all or nothing.
pub struct WriteTx<'a> {
    read: ReadTx<'a>,
    /// What goes into the second copy once this is committed.
    pub(crate) records: Vec<Record>,
    /// Whether a document's key was destroyed.
    pub(crate) erased: bool,
}

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}

impl<'a> WriteTx<'a> {
    pub(crate) fn new(connection: &'a Connection, shared: &'a Shared) -> Self {
        Self { read: ReadTx { connection, shared }, records: Vec::new(), erased: false }
    }

    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.execute(parameters)?)
    }

    /// Seals under a key that lives as long as the store; its count is stored a block ahead.
    fn seal(&mut self, key: &SealingKey, place: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        if let Some(count) = key.next_block() {
            self.run(
                "INSERT INTO seals (key, used) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET used = max(used, excluded.used)",
                rusqlite::params![key.id(), i64::try_from(count).unwrap_or(i64::MAX)],
            )?;
            key.reserved(count);
            let record = Record::seals(key.id(), count, &self.shared.keys)?;
            self.records.push(record);
        }
        key.seal(place, value)
    }
}
