//! Why the store could not do something.

use rusqlite::ErrorCode;

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
    /// The store has a PIN: ask for it, then call [`Store::open_with_pin`](crate::Store::open_with_pin).
    #[error("the store needs its PIN")]
    NeedsPin,
    /// The PIN is another. Nothing is wiped.
    #[error("the PIN is another")]
    WrongPin {
        /// Tries that are left before it is blocked.
        left: u8,
    },
    /// Too many wrong tries in a row: an online login lets the person try again
    /// ([`Store::allow_pin`](crate::Store::allow_pin)). Nothing is wiped.
    #[error("the PIN is blocked until the person logs in")]
    PinBlocked,
    /// The vault failed. The store is untouched.
    #[error(transparent)]
    Vault(VaultError),
    /// Both copies of the file with the wrapped key are damaged. The store is untouched.
    #[error("the file with the store's key is damaged")]
    KeyFile,
    /// The database file is damaged: call [`Store::mend`](crate::Store::mend).
    #[error("the database is damaged")]
    Damaged,
    /// A sealed value does not open: it was changed, moved, or sealed under another key. If it is of a document,
    /// [`Store::mend`](crate::Store::mend) takes it out, and the document is fetched again.
    #[error("a sealed value does not open")]
    Sealed,
    /// A key has sealed as many values as it may (2^28).
    #[error("a key is exhausted")]
    Exhausted,
    /// The document is not in the store.
    #[error("the document is not in the store")]
    NoDocument,
    /// The device has no space left. What was stored is untouched.
    #[error("the device is full")]
    Full,
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Database(rusqlite::Error),
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
            Self::NeedsPin => "needs_pin",
            Self::WrongPin { .. } => "wrong_pin",
            Self::PinBlocked => "pin_blocked",
            Self::Vault(_) => "vault",
            Self::KeyFile => "key_file",
            Self::Damaged => "damaged",
            Self::Sealed => "sealed",
            Self::Exhausted => "exhausted",
            Self::NoDocument => "no_document",
            Self::Full => "full",
            Self::Database(_) => "database",
            Self::Io(_) => "io",
            Self::OldSqlite => "old_sqlite",
            Self::Ended => "ended",
        }
    }

    /// Whether the file should be checked: our own statements are constant and keep their constraints, so these
    /// say that tables are not as we made them.
    pub(crate) fn is_suspicious(&self) -> bool {
        use ErrorCode::{ConstraintViolation, InternalMalfunction, SchemaChanged, TooBig, Unknown};
        match self {
            Self::Database(rusqlite::Error::SqlInputError { .. }) => true,
            Self::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(ConstraintViolation | InternalMalfunction | SchemaChanged | TooBig | Unknown)
            ),
            _ => false,
        }
    }

    /// Whether suspend interrupted it.
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self, Self::Database(error)
            if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::DiskFull) => Self::Full,
            // A column of another type than the one that we store there.
            None if matches!(
                error,
                FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)
            ) =>
            {
                Self::Damaged
            }
            _ => Self::Database(error),
        }
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
