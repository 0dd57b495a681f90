//! Documents kept in memory, the least recently used going first.

use std::collections::BTreeMap;

use registro_model::DocumentId;

use super::held::Held;

/// Documents kept in memory between two acts.
const KEPT: usize = 64;

/// The documents in memory. Nothing leaves it in the middle of an act: a document may be ahead of the store there.
#[derive(Default)]
pub(super) struct Cache {
    documents: BTreeMap<DocumentId, (u64, Held)>,
    clock: u64,
}

impl Cache {
    pub fn contains(&self, id: DocumentId) -> bool {
        self.documents.contains_key(&id)
    }

    pub fn get(&mut self, id: DocumentId) -> Option<&mut Held> {
        self.clock += 1;
        let entry = self.documents.get_mut(&id)?;
        entry.0 = self.clock;
        Some(&mut entry.1)
    }

    pub fn insert(&mut self, id: DocumentId, held: Held) {
        self.clock += 1;
        self.documents.insert(id, (self.clock, held));
    }

    pub fn remove(&mut self, id: DocumentId) {
        self.documents.remove(&id);
    }

    pub fn clear(&mut self) {
        self.documents.clear();
    }

    /// Lets the least recently used documents go. Only where memory and store say the same.
    pub fn trim(&mut self) {
        let excess = self.documents.len().saturating_sub(KEPT);
        if excess == 0 {
            return;
        }
        let mut by_use: Vec<_> = self.documents.iter().map(|(id, (used, _))| (*used, *id)).collect();
        by_use.sort_unstable();
        for (_, id) in by_use.into_iter().take(excess) {
            self.documents.remove(&id);
        }
    }
}
