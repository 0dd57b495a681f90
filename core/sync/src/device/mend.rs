//! Damage in the store: what the store cannot mend by itself, because only the device knows how to get it again.

use registro_store::{DocumentPart, Hurt, SalvageReport};

use super::held::Held;
use super::state::{Header, StoreOp, SyncState};
use super::{Device, DeviceError};
use crate::wire::{decode, encode};

/// Most rounds of reading and mending: each finds what the one before could not reach.
const MOST_ROUNDS: u32 = 4;

impl Device {
    /// Reads what is stored again, after a failure or a resume. What is found damaged is mended.
    pub fn reload(&mut self) -> Result<(), DeviceError> {
        for _ in 0..MOST_ROUNDS {
            let read = self.read_stored();
            if !self.store.is_damaged() {
                return read;
            }
            self.mend_store_once()?;
        }
        self.read_stored()
    }

    /// Mends the store if reads or writes came upon damage: a damaged file is set aside and its commands are
    /// salvaged; a damaged document is asked for again, and its views are made again where it still loads. Costs
    /// nothing otherwise.
    pub fn mend(&mut self) -> Result<(), DeviceError> {
        if !self.store.is_damaged() {
            return Ok(());
        }
        self.mend_store_once()?;
        self.reload()
    }

    /// What stands in the way of mending may be more damage: it is mended next.
    fn mend_store_once(&mut self) -> Result<(), DeviceError> {
        match self.mend_store() {
            Err(_) if self.store.is_damaged() => Ok(()),
            done => done,
        }
    }

    /// What was found damaged since this was last called, and what became of it.
    pub fn take_salvage(&mut self) -> Option<SalvageReport> {
        let report = std::mem::take(&mut self.salvage);
        (!report.is_empty()).then_some(report)
    }

    /// Adds what opening or resuming the store told.
    pub fn add_salvage(&mut self, report: SalvageReport) {
        self.salvage.folder = report.folder.or(self.salvage.folder.take());
        self.salvage.salvaged += report.salvaged;
        self.salvage.lost += report.lost;
        self.salvage.documents.extend(report.documents);
        self.salvage.nameless += report.nameless;
    }

    fn mend_store(&mut self) -> Result<(), DeviceError> {
        let Some(report) = self.store.mend()? else { return Ok(()) };
        let mut state = self.stored_state();
        let mut ops = Vec::new();
        for (id, hurt) in &report.documents {
            let header = self.headers.get(id).cloned().or_else(|| self.stored_header(*id));
            match (hurt, header) {
                (Hurt::Views, Some(header)) if Held::load(&self.store, &header, &[]).is_ok() => {
                    ops.push(StoreOp::DeleteViews(*id));
                    state.stale.insert(*id);
                }
                (_, header) => {
                    ops.push(StoreOp::DeleteDocument(*id));
                    state.stale.remove(id);
                    match header {
                        Some(header) => {
                            let header = Header { wanted: true, ..header };
                            ops.push(StoreOp::CreateDocument(*id));
                            ops.push(StoreOp::PutPart(*id, DocumentPart::Header, encode(&header)));
                        }
                        // The hub says again which documents there are.
                        None => state.scope = [0; 32],
                    }
                }
            }
        }
        if report.nameless > 0 {
            state.scope = [0; 32];
        }
        if !ops.is_empty() || report.nameless > 0 {
            ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&state)));
            self.commit(ops)?;
        }
        self.add_salvage(report);
        Ok(())
    }

    /// As it is stored: what is in memory may be ahead.
    fn stored_state(&self) -> SyncState {
        let stored = self.store.read(|r| r.meta("sync")).ok().flatten();
        stored.and_then(|bytes| decode(&bytes).ok()).unwrap_or_default()
    }

    fn stored_header(&self, id: registro_model::DocumentId) -> Option<Header> {
        let stored = self.store.read(|r| r.document_part(id, DocumentPart::Header)).ok().flatten();
        stored.and_then(|bytes| decode(&bytes).ok())
    }

    /// Where the device stood is forgotten: what it holds may lack what came in between.
    pub(super) fn want_everything(&mut self) -> Result<(), DeviceError> {
        let mut ops = Vec::new();
        for header in self.headers.values_mut() {
            header.wanted = true;
            ops.push(StoreOp::PutPart(header.identity.id, DocumentPart::Header, encode(&*header)));
        }
        ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
        self.commit(ops)
    }
}
