//! What was found damaged while working, until the store is mended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use registro_model::DocumentId;

/// How badly a document is hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hurt {
    /// Views only: they are made again from the document.
    Views,
    /// The document itself: it is fetched again.
    Content,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The file as such: a page contradicts itself.
    pub file: bool,
    /// Rows of the outbox or of what the device remembers.
    pub rows: bool,
    /// Documents.
    pub documents: BTreeMap<DocumentId, Hurt>,
    /// Documents whose name does not open, by what stands on disk.
    pub nameless: BTreeSet<Vec<u8>>,
}

/// Noted by readers and the writer.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// So that asking costs nothing.
    any: AtomicBool,
    found: Mutex<Found>,
}

impl Trouble {
    fn note(&self) -> MutexGuard<'_, Found> {
        self.any.store(true, Ordering::Release);
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_file(&self) {
        self.note().file = true;
    }

    pub(crate) fn note_rows(&self) {
        self.note().rows = true;
    }

    pub(crate) fn note_document(&self, document: DocumentId, hurt: Hurt) {
        let mut found = self.note();
        let known = found.documents.entry(document).or_insert(hurt);
        *known = hurt.max(*known);
    }

    pub(crate) fn note_nameless(&self, opaque: Vec<u8>) {
        self.note().nameless.insert(opaque);
    }

    /// Whether there is any.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes what was found.
    pub(crate) fn take(&self) -> Found {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *found)
    }
}
