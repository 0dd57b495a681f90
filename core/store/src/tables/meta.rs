//! What the device remembers, by name.

use rusqlite::{Connection, OptionalExtension, params};

use super::{ReadTx, WriteTx};
use crate::error::StoreError;
use crate::seal::place;
use crate::second_copy::Record;

impl ReadTx<'_> {
    /// Something that the device remembers, by name.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] until the store is mended; then it is forgotten, unless it was kept.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let blind = self.shared.keys.blind("meta", name.as_bytes());
        let mut query = self.connection.prepare_cached("SELECT data FROM meta WHERE name = ?1")?;
        let row: Option<Vec<u8>> = query.query_row([blind.as_slice()], |row| row.get(0)).optional()?;
        let opened = row.map(|sealed| self.shared.keys.meta.open(&place("meta", b"", &blind), &sealed));
        opened.transpose().inspect_err(|_| self.shared.trouble.note_rows())
    }
}

impl WriteTx<'_> {
    /// Stores something to remember, by name.
    pub fn put_meta(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.put(name, value, false).map(drop)
    }

    /// Stores something without which commands could not be sent: a second copy of it is kept beside the database.
    pub fn put_kept_meta(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let (blind, sealed) = self.put(name, value, true)?;
        self.records.push(Record::meta(blind, sealed));
        Ok(())
    }

    fn put(&mut self, name: &str, value: &[u8], kept: bool) -> Result<([u8; 16], Vec<u8>), StoreError> {
        let shared = self.shared;
        let blind = shared.keys.blind("meta", name.as_bytes());
        let sealed = self.seal(&shared.keys.meta, &place("meta", b"", &blind), value)?;
        self.run(
            "INSERT INTO meta (name, kept, data) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET kept = excluded.kept, data = excluded.data",
            params![blind.as_slice(), kept, sealed],
        )?;
        Ok((blind, sealed))
    }
}

/// Puts a sealed row of meta back as it is. Does nothing if one of this name is there.
pub(crate) fn put_back_meta(
    connection: &Connection,
    name: &[u8; 16],
    sealed: &[u8],
) -> Result<bool, StoreError> {
    let done = connection.execute(
        "INSERT INTO meta (name, kept, data) VALUES (?1, 1, ?2) ON CONFLICT (name) DO NOTHING",
        params![name.as_slice(), sealed],
    )?;
    Ok(done > 0)
}
