//! Documents: each with a random key of its own, its parts, its changes and its views.

use std::sync::{Arc, PoisonError};

use registro_model::DocumentId;
use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use super::{DocumentPart, ReadTx, StoredChange, WriteTx};
use crate::error::StoreError;
use crate::seal::{SealingKey, place};
use crate::trouble::Hurt;

impl ReadTx<'_> {
    fn opaque(&self, document: DocumentId) -> [u8; 16] {
        self.shared.keys.blind("documents", document.as_bytes())
    }

    /// Remembers which document it is that does not open, for [`Store::mend`](crate::Store::mend).
    fn note<T>(
        &self,
        document: DocumentId,
        hurt: Hurt,
        read: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        read.inspect_err(|error| {
            if matches!(error, StoreError::Sealed) {
                self.shared.trouble.note_document(document, hurt);
            }
        })
    }

    fn key(&self, document: DocumentId) -> Result<Option<Arc<SealingKey>>, StoreError> {
        let opaque = self.opaque(document);
        let cached = self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&opaque).cloned();
        if cached.is_some() {
            return Ok(cached);
        }
        let mut query =
            self.connection.prepare_cached("SELECT key, key_id, seals FROM documents WHERE doc = ?1")?;
        let row: Option<(Vec<u8>, i64, i64)> = query
            .query_row([opaque.as_slice()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((wrapped, id, seals)) = row else { return Ok(None) };
        let unwrapped = || {
            let raw =
                Zeroizing::new(self.shared.keys.wrap.open(&place("documents", &opaque, b"key"), &wrapped)?);
            let raw = Zeroizing::new(raw.as_slice().try_into().map_err(|_| StoreError::Sealed)?);
            let id = u32::try_from(id).map_err(|_| StoreError::Sealed)?;
            let seals = u64::try_from(seals).map_err(|_| StoreError::Sealed)?;
            Ok(Arc::new(SealingKey::new(&raw, id, seals)))
        };
        let key = self.note(document, Hurt::Content, unwrapped())?;
        let mut cache = self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(opaque, Arc::clone(&key));
        Ok(Some(key))
    }

    /// Every document in the store. One whose row does not open is left out until the store is mended, which
    /// takes it out.
    pub fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT doc, id FROM documents")?;
        let mut rows = query.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (opaque, sealed): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let opened = self.shared.keys.meta.open(&place("documents", &opaque, b"id"), &sealed).ok();
            match opened.and_then(|id| DocumentId::try_from(id.as_slice()).ok()) {
                Some(id) if self.opaque(id) == opaque.as_slice() => out.push(id),
                _ => self.shared.trouble.note_nameless(opaque),
            }
        }
        Ok(out)
    }

    /// A part of a document.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] if it does not open: mend the store and fetch the document again.
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
        let opened = self.open(document, &place("parts", &opaque, &[part as u8]), row);
        self.note(document, Hurt::Content, opened)
    }

    fn open(
        &self,
        document: DocumentId,
        place: &[u8],
        sealed: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let key = self.key(document)?.ok_or(StoreError::NoDocument)?;
        key.open(place, &sealed).map(Some)
    }

    /// The changes of a document, in the order in which they were stored.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] if one does not open: mend the store and fetch the document again.
    pub fn changes(&self, document: DocumentId) -> Result<Vec<StoredChange>, StoreError> {
        let opaque = self.opaque(document);
        let mut query = self.connection.prepare_cached(
            "SELECT hash, ordinal, state, data FROM changes WHERE doc = ?1 ORDER BY ordinal",
        )?;
        let rows = query.query_map([opaque.as_slice()], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get::<_, Vec<u8>>(3)?))
        })?;
        let mut out = Vec::new();
        for row in rows {
            let (hash, ordinal, state, sealed) = row?;
            let opened = || {
                let hash: [u8; 32] = hash.as_slice().try_into().map_err(|_| StoreError::Sealed)?;
                let state = u8::try_from(state).map_err(|_| StoreError::Sealed)?;
                let body = self.open(document, &change_place(&opaque, &hash, state), Some(sealed))?;
                Ok(StoredChange { hash, ordinal, state, body: body.ok_or(StoreError::Sealed)? })
            };
            out.push(self.note(document, Hurt::Content, opened())?);
        }
        Ok(out)
    }

    /// A part of a document's view.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] if it does not open: mend the store and make the view again.
    pub fn view(&self, document: DocumentId, part: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let opaque = self.opaque(document);
        let name = self.shared.keys.blind("views", part.as_bytes());
        let mut query =
            self.connection.prepare_cached("SELECT data FROM views WHERE doc = ?1 AND part = ?2")?;
        let row: Option<Vec<u8>> =
            query.query_row(params![opaque.as_slice(), name.as_slice()], |row| row.get(0)).optional()?;
        let opened = self.open(document, &place("views", &opaque, &name), row);
        self.note(document, Hurt::Views, opened)
    }
}

/// The state is bound in, as a command's is.
fn change_place(opaque: &[u8; 16], hash: &[u8; 32], state: u8) -> Vec<u8> {
    let mut row = hash.to_vec();
    row.push(state);
    place("changes", opaque, &row)
}

impl WriteTx<'_> {
    /// Makes room for a document: a random key of its own. Does nothing if it is there.
    pub fn create_document(&mut self, document: DocumentId) -> Result<(), StoreError> {
        let shared = self.shared;
        if self.key(document)?.is_some() {
            return Ok(());
        }
        let opaque = self.opaque(document);
        let raw = crate::seal::random_key()?;
        let wrapped = self.seal(&shared.keys.wrap, &place("documents", &opaque, b"key"), raw.as_slice())?;
        let id = self.seal(&shared.keys.meta, &place("documents", &opaque, b"id"), document.as_bytes())?;
        let key = SealingKey::new(&raw, 1, 0);
        let seals = key.next_block().unwrap_or(0);
        self.run(
            "INSERT INTO documents (doc, id, key, key_id, seals) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![opaque.as_slice(), id, wrapped, key.id(), i64::try_from(seals).unwrap_or(i64::MAX)],
        )?;
        key.reserved(seals);
        shared.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(opaque, Arc::new(key));
        Ok(())
    }

    /// Destroys a document: its key, and all its rows. Commands stay. After the commit the write-ahead log is
    /// written back and emptied, as soon as no reader needs it, so that the key is in no file any more.
    pub fn delete_document(&mut self, document: DocumentId) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        self.delete_nameless(&opaque)
    }

    /// Destroys a document whose name does not read.
    pub(crate) fn delete_nameless(&mut self, opaque: &[u8]) -> Result<(), StoreError> {
        if let Ok(opaque) = <&[u8; 16]>::try_from(opaque) {
            self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(opaque);
        }
        self.erased |= self.run("DELETE FROM documents WHERE doc = ?1", [opaque])? > 0;
        Ok(())
    }

    /// Seals under a document's key.
    fn seal_of(&mut self, document: DocumentId, place: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let key = self.key(document)?.ok_or(StoreError::NoDocument)?;
        if let Some(count) = key.next_block() {
            self.run(
                "UPDATE documents SET seals = ?2 WHERE doc = ?1",
                params![self.opaque(document).as_slice(), i64::try_from(count).unwrap_or(i64::MAX)],
            )?;
            key.reserved(count);
        }
        key.seal(place, value)
    }

    /// Stores a part of a document.
    pub fn put_document_part(
        &mut self,
        document: DocumentId,
        part: DocumentPart,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let opaque = self.opaque(document);
        let sealed = self.seal_of(document, &place("parts", &opaque, &[part as u8]), value)?;
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
        let sealed = self.seal_of(document, &change_place(&opaque, hash, state), body)?;
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
        let name = self.shared.keys.blind("views", part.as_bytes());
        let sealed = self.seal_of(document, &place("views", &opaque, &name), value)?;
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
}
