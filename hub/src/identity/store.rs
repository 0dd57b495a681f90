//! The database of the login, `identity.sqlite`, beside the register's: other secrets, other lifetimes. A restore of
//! the register does not bring ended sessions back to life.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use rusqlite::Connection;

use crate::error::HubError;

/// The open database. Each part of the login makes its own tables when it starts.
#[derive(Debug)]
pub struct IdentityStore(Mutex<Connection>);

impl IdentityStore {
    /// Opens the database in the data directory.
    pub fn open(data: &Path) -> Result<Self, HubError> {
        let connection = Connection::open(data.join("identity.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An ended session stays ended after a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        Ok(Self(Mutex::new(connection)))
    }

    /// The connection. Hold it for one transaction, never across an await.
    pub fn lock(&self) -> Result<MutexGuard<'_, Connection>, HubError> {
        self.0.lock().map_err(|_| HubError::Poisoned)
    }
}
