//! The exclusive lock on a store: one process at a time, released when the store is suspended.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::StoreError;

/// Held as long as the object lives.
pub struct StoreLock {
    file: File,
}

impl StoreLock {
    /// Takes the lock, or says that somebody else has it.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("store.lock");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

impl Drop for StoreLock {
    /// Closing alone would leave it locked as long as a process that is just being started has a copy of the handle.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}
