//! Documents in memory: a bounded set, rebuilt from snapshot and tail when needed.

use std::collections::HashMap;

use registro_model::{DocumentId, SchoolId};
use registro_sync::notices::Snapshot;
use rusqlite::{Connection, OptionalExtension, params};

use super::catalogue::Catalogue;
use super::loaded::{Certificates, Loaded};
use crate::error::HubError;
use crate::log::read;

/// Most documents held in memory; the least recently used quarter goes when there are more.
pub const MAX_LOADED: usize = 1_024;

/// The loaded documents.
#[derive(Debug, Default)]
pub struct Shelf {
    loaded: HashMap<DocumentId, (u64, Loaded)>,
    tick: u64,
}

impl Shelf {
    /// A document as of the end of the log.
    pub fn get(
        &mut self,
        database: &Connection,
        school: SchoolId,
        catalogue: &Catalogue,
        certificates: &Certificates,
        id: DocumentId,
    ) -> Result<&mut Loaded, HubError> {
        self.tick += 1;
        if !self.loaded.contains_key(&id) {
            let entry = catalogue.get(id).ok_or(HubError::Unknown("document"))?;
            let mut loaded = match stored_snapshot(database, school, id)? {
                Some(snapshot) => {
                    (snapshot.at.position, Loaded::from_snapshot(entry.identity.clone(), &snapshot)?)
                }
                None => (0, Loaded::founded(entry.identity.clone())),
            };
            for row in read::changes_of(database, school, id, loaded.0, entry.last_position)? {
                loaded.1.replay(&row, certificates)?;
            }
            self.make_room();
            self.loaded.insert(id, (self.tick, loaded.1));
        }
        let held = self.loaded.get_mut(&id).ok_or(HubError::Unknown("document"))?;
        held.0 = self.tick;
        Ok(&mut held.1)
    }

    /// Replaces a document by its next state.
    pub fn put(&mut self, id: DocumentId, loaded: Loaded) {
        self.tick += 1;
        self.make_room();
        self.loaded.insert(id, (self.tick, loaded));
    }

    fn make_room(&mut self) {
        if self.loaded.len() < MAX_LOADED {
            return;
        }
        let mut ticks: Vec<_> = self.loaded.values().map(|(tick, _)| *tick).collect();
        ticks.sort_unstable();
        let oldest = ticks.get(MAX_LOADED / 4).copied().unwrap_or_default();
        self.loaded.retain(|_, (tick, _)| *tick > oldest);
    }
}

/// The stored snapshot of a document.
pub fn stored_snapshot(
    database: &Connection,
    school: SchoolId,
    id: DocumentId,
) -> Result<Option<Snapshot>, HubError> {
    let bytes: Option<Vec<u8>> = database
        .prepare_cached("SELECT data FROM snapshot WHERE school = ?1 AND doc = ?2")?
        .query_row(params![school.0, id.0], |row| row.get(0))
        .optional()?;
    bytes
        .map(|bytes| {
            minicbor::decode(&bytes).map_err(|_| HubError::Stored("a snapshot that does not decode"))
        })
        .transpose()
}
