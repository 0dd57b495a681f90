//! Logging out: what can be fetched again goes, what only this device has stays.

use super::state::StoreOp;
use super::{Device, DeviceError};
use crate::wire::encode;

impl Device {
    /// Purges every document with its key. Commands that are not accepted and refusals that were not shown stay,
    /// sealed under the person's key, and so does what sends them: the device's key and its certificate. After the
    /// next login of the same person all documents are asked for again, and what waits is sent.
    pub fn forget_documents(&mut self) -> Result<(), DeviceError> {
        let forgotten = self.forget_whole();
        if forgotten.is_err() {
            self.reload()?;
        }
        forgotten
    }

    fn forget_whole(&mut self) -> Result<(), DeviceError> {
        let mut ops = Vec::new();
        // The hub lists everything again. The cursor stays: refusals come by the feed and only once.
        self.state.scope = [0; 32];
        self.state.stale.clear();
        self.apply_scope(&[], &mut ops)?;
        ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
        self.commit(ops)
    }

    /// Commands that were written here and that the hub has not accepted or refused yet.
    pub fn unsent(&self) -> usize {
        self.pending.iter().chain(&self.aside).filter(|entry| !entry.is_accepted()).count()
    }
}
