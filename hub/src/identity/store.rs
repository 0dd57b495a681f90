//! The database of the login, `identity.sqlite`, beside the register's: other secrets, other lifetimes. A restore of
//! the register does not bring ended sessions back to life.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use rusqlite::Connection;

use crate::error::HubError;

/// The database of a data directory.
pub fn identity_path(data: &Path) -> PathBuf {
    data.join("identity.sqlite")
}

/// The open database. Each part of the login makes its own tables when it starts.
#[derive(Debug)]
pub struct IdentityStore(Mutex<Connection>);

impl IdentityStore {
    /// Opens the database in the data directory.
    pub fn open(data: &Path) -> Result<Self, HubError> {
        let connection = Connection::open(identity_path(data))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        Self::prepared(connection)
    }

    /// A database that lives in memory only, for tests.
    pub fn in_memory() -> Result<Self, HubError> {
        Self::prepared(Connection::open_in_memory()?)
    }

    fn prepared(connection: Connection) -> Result<Self, HubError> {
        // An ended session stays ended after a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self(Mutex::new(connection)))
    }

    /// The connection. Hold it for one transaction, never across an await.
    pub fn lock(&self) -> Result<MutexGuard<'_, Connection>, HubError> {
        self.0.lock().map_err(|_| HubError::Poisoned)
    }
}
