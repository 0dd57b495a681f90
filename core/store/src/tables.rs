//! What stands in the store: documents, changes, views, commands, meta.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use registro_model::{CommandId, DocumentId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::keys::Keys;
use crate::seal::{self, SealingKey, place};

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
    /// The caller's state number.
    pub state: u8,
    /// The caller's value.
    pub body: Vec<u8>,
}

/// Prepared keys of documents, kept while the store is open.
pub(crate) type KeyCache = Mutex<HashMap<[u8; 16], Arc<SealingKey>>>;

/// Reading, in one transaction.
pub struct ReadTx<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) keys: &'a Keys,
    pub(crate) cache: &'a KeyCache,
}

/// Writing, in one transaction, all or nothing.
pub struct WriteTx<'a>(pub(crate) ReadTx<'a>);

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.0
    }
}

impl ReadTx<'_> {
    fn opaque(&self, document: DocumentId) -> [u8; 16] {
        self.keys.blind("documents", document.as_bytes())
    }

    fn key(&self, opaque: [u8; 16]) -> Result<Option<Arc<SealingKey>>, StoreError> {
        if let Some(key) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&opaque) {
            return Ok(Some(Arc::clone(key)));
        }
        let mut query = self.connection.prepare_cached("SELECT key, key_id FROM documents WHERE doc = ?1")?;
        let row: Option<(Vec<u8>, u32)> =
            query.query_row([opaque.as_slice()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((wrapped, id)) = row else { return Ok(None) };
        let raw = seal::unwrap(self.keys.wrap(), &place("documents", &opaque, b"key"), &wrapped)?;
        let raw = zeroize::Zeroizing::new(raw.as_slice().try_into().map_err(|_| StoreError::Sealed)?);
        let key = Arc::new(SealingKey::new(&raw, id));
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(opaque, Arc::clone(&key));
        Ok(Some(key))
    }

    /// Every document in the store.
    pub fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT doc, id FROM documents")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        rows.map(|row| {
            let (opaque, sealed) = row?;
            let id = self.keys.meta.open(&place("documents", &opaque, b"id"), &sealed)?;
            DocumentId::try_from(id.as_slice()).map_err(|_| StoreError::Sealed)
        })
        .collect()
    }

    /// A part of a document.
    pub fn document_part(
        &self,
        document: DocumentId,
        part: DocumentPart,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let opaque = self.opaque(document);
        let mut query =
            self.connection.prepare_cached("SELECT data FROM parts WHERE doc = ?1 AND part = ?2")?;
        let row: Option<Vec<u8>> =
            query.query_row(params![opaque.as_slice(), part as u8], |row| row.get(0)).optional()?;
        self.open(opaque, "parts", &[part as u8], row)
    }

    fn open(
        &self,
        opaque: [u8; 16],
        table: &str,
        row: &[u8],
        sealed: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let key = self.key(opaque)?.ok_or(StoreError::NoDocument)?;
        key.open(&place(table, &opaque, row), &sealed).map(Some)
    }

    /// The changes of a document, in the order in which they were stored.
    pub fn changes(&self, document: DocumentId) -> Result<Vec<StoredChange>, StoreError> {
        let opaque = self.opaque(document);
        let mut query = self.connection.prepare_cached(
            "SELECT hash, ordinal, state, data FROM changes WHERE doc = ?1 ORDER BY ordinal",
        )?;
        let rows = query.query_map([opaque.as_slice()], |row| {
            Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?, row.get(2)?, row.get::<_, Vec<u8>>(3)?))
        })?;
        rows.map(|row| {
            let (hash, ordinal, state, sealed) = row?;
            let body = self.open(opaque, "changes", &hash, Some(sealed))?.ok_or(StoreError::Sealed)?;
            Ok(StoredChange { hash, ordinal, state, body })
        })
        .collect()
    }

    /// A part of a document's view.
    pub fn view(&self, document: DocumentId, part: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let opaque = self.opaque(document);
        let name = self.keys.blind("views", part.as_bytes());
        let mut query =
            self.connection.prepare_cached("SELECT data FROM views WHERE doc = ?1 AND part = ?2")?;
        let row: Option<Vec<u8>> =
            query.query_row(params![opaque.as_slice(), name.as_slice()], |row| row.get(0)).optional()?;
        self.open(opaque, "views", &name, row)
    }

    /// All commands, in the order in which they were first stored.
    pub fn commands(&self) -> Result<Vec<StoredCommand>, StoreError> {
        self.commands_where("SELECT id, ordinal, state, data FROM outbox ORDER BY ordinal", [])
    }

    /// The commands in a state, in order.
    pub fn commands_in_state(&self, state: u8) -> Result<Vec<StoredCommand>, StoreError> {
        self.commands_where(
            "SELECT id, ordinal, state, data FROM outbox WHERE state = ?1 ORDER BY ordinal",
            [state],
        )
    }

    /// One command.
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
        let mut query = self.connection.prepare_cached(sql)?;
        let rows = query.query_map(parameters, |row| {
            Ok((row.get::<_, [u8; 8]>(0)?, row.get(1)?, row.get(2)?, row.get::<_, Vec<u8>>(3)?))
        })?;
        rows.map(|row| {
            let (id, ordinal, state, sealed) = row?;
            let body = self.keys.outbox.open(&place("outbox", b"", &id), &sealed)?;
            Ok(StoredCommand { id: CommandId(id), ordinal, state, body })
        })
        .collect()
    }

    /// Something that the device remembers, by name.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let blind = self.keys.blind("meta", name.as_bytes());
        let mut query = self.connection.prepare_cached("SELECT data FROM meta WHERE name = ?1")?;
        let row: Option<Vec<u8>> = query.query_row([blind.as_slice()], |row| row.get(0)).optional()?;
        row.map(|sealed| self.keys.meta.open(&place("meta", b"", &blind), &sealed)).transpose()
    }
}

impl WriteTx<'_> {
    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.execute(parameters)?)
    }

    fn document_key(&self, opaque: [u8; 16]) -> Result<Arc<SealingKey>, StoreError> {
        self.key(opaque)?.ok_or(StoreError::NoDocument)
    }

    /// Makes room for a document: a random key of its own. Does nothing if it is there.
    pub fn create_document(&mut self, document: DocumentId) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        if self.key(opaque)?.is_some() {
            return Ok(());
        }
        let raw = seal::random_key()?;
        let wrapped = seal::wrap(self.keys.wrap(), &place("documents", &opaque, b"key"), raw.as_slice())?;
        let id = self.keys.meta.seal(&place("documents", &opaque, b"id"), document.as_bytes())?;
        self.run(
            "INSERT INTO documents (doc, id, key, key_id) VALUES (?1, ?2, ?3, ?4)",
            params![opaque.as_slice(), id, wrapped, 1u32],
        )?;
        Ok(())
    }

    /// Destroys a document: its key, and all its rows. Commands stay.
    pub fn delete_document(&mut self, document: DocumentId) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(&opaque);
        self.run("DELETE FROM documents WHERE doc = ?1", [opaque.as_slice()])?;
        Ok(())
    }

    /// Stores a part of a document.
    pub fn put_document_part(
        &mut self,
        document: DocumentId,
        part: DocumentPart,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        let sealed = self.document_key(opaque)?.seal(&place("parts", &opaque, &[part as u8]), value)?;
        self.run(
            "INSERT INTO parts (doc, part, data) VALUES (?1, ?2, ?3)
             ON CONFLICT (doc, part) DO UPDATE SET data = excluded.data",
            params![opaque.as_slice(), part as u8, sealed],
        )?;
        Ok(())
    }

    /// Stores a change; one that is there keeps its place in the order.
    pub fn put_change(
        &mut self,
        document: DocumentId,
        hash: &[u8; 32],
        state: u8,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        let sealed = self.document_key(opaque)?.seal(&place("changes", &opaque, hash), body)?;
        self.run(
            "INSERT INTO changes (doc, hash, state, data) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (doc, hash) DO UPDATE SET state = excluded.state, data = excluded.data",
            params![opaque.as_slice(), hash.as_slice(), state, sealed],
        )?;
        Ok(())
    }

    /// Removes a change.
    pub fn delete_change(&mut self, document: DocumentId, hash: &[u8; 32]) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        self.run(
            "DELETE FROM changes WHERE doc = ?1 AND hash = ?2",
            params![opaque.as_slice(), hash.as_slice()],
        )?;
        Ok(())
    }

    /// Stores a part of a document's view.
    pub fn put_view(&mut self, document: DocumentId, part: &str, value: &[u8]) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        let name = self.keys.blind("views", part.as_bytes());
        let sealed = self.document_key(opaque)?.seal(&place("views", &opaque, &name), value)?;
        self.run(
            "INSERT INTO views (doc, part, data) VALUES (?1, ?2, ?3)
             ON CONFLICT (doc, part) DO UPDATE SET data = excluded.data",
            params![opaque.as_slice(), name.as_slice(), sealed],
        )?;
        Ok(())
    }

    /// Removes a document's views.
    pub fn delete_views(&mut self, document: DocumentId) -> Result<(), StoreError> {
        self.run("DELETE FROM views WHERE doc = ?1", [self.opaque(document).as_slice()])?;
        Ok(())
    }

    /// Stores a command; one that is there keeps its place in the order.
    pub fn put_command(&mut self, id: CommandId, state: u8, body: &[u8]) -> Result<(), StoreError> {
        let sealed = self.keys.outbox.seal(&place("outbox", b"", id.as_bytes()), body)?;
        self.run(
            "INSERT INTO outbox (id, state, data) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, data = excluded.data",
            params![id.as_bytes().as_slice(), state, sealed],
        )?;
        Ok(())
    }

    /// Stores something to remember, by name.
    pub fn put_meta(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let blind = self.keys.blind("meta", name.as_bytes());
        let sealed = self.keys.meta.seal(&place("meta", b"", &blind), value)?;
        self.run(
            "INSERT INTO meta (name, data) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET data = excluded.data",
            params![blind.as_slice(), sealed],
        )?;
        Ok(())
    }
}
