//! Why the store could not do something.

use crate::vault::VaultError;

/// A failure of the store. `kind` is stable; nothing of the content stands in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process or object has the store open.
    #[error("the store is in use")]
    InUse,
    /// The store is suspended: call resume.
    #[error("the store is suspended")]
    Suspended,
    /// The file was written by a newer version of the register.
    #[error("the store is of a newer version ({found})")]
    Newer {
        /// Its schema's number.
        found: i64,
    },
    /// The vault wants the person: prompt, then open with the released key.
    #[error("the vault needs the person")]
    NeedsUser,
    /// The vault failed. The store is untouched.
    #[error(transparent)]
    Vault(VaultError),
    /// A sealed value does not open: it was changed, moved, or sealed under another key.
    #[error("a sealed value does not open")]
    Sealed,
    /// A key has sealed as many values as it may (2^28).
    #[error("a key is exhausted")]
    Exhausted,
    /// The document is not in the store.
    #[error("the document is not in the store")]
    NoDocument,
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file system failed.
    #[error("the file system failed: {0}")]
    Io(#[from] std::io::Error),
    /// The SQLite library is older than 3.51.3, which can corrupt a write-ahead log.
    #[error("the SQLite library is too old")]
    OldSqlite,
    /// The writer has ended.
    #[error("the writer has ended")]
    Ended,
}

impl StoreError {
    /// Stable name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Suspended => "suspended",
            Self::Newer { .. } => "newer",
            Self::NeedsUser => "needs_user",
            Self::Vault(_) => "vault",
            Self::Sealed => "sealed",
            Self::Exhausted => "exhausted",
            Self::NoDocument => "no_document",
            Self::Database(_) => "database",
            Self::Io(_) => "io",
            Self::OldSqlite => "old_sqlite",
            Self::Ended => "ended",
        }
    }

    /// Whether the database file is damaged.
    pub(crate) fn is_corruption(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, Self::Database(error)
            if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)))
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NeedsUser => Self::NeedsUser,
            other => Self::Vault(other),
        }
    }
}
