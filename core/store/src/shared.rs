//! What readers and the writer share.

use rusqlite::Connection;

use crate::error::StoreError;
use crate::keys::Keys;
use crate::schema;
use crate::store::StoreOptions;
use crate::tables::KeyCache;
use crate::trouble::Trouble;

/// Lives as long as the store is unlocked, also while it is suspended.
pub(crate) struct Shared {
    pub options: StoreOptions,
    pub keys: Keys,
    pub cache: KeyCache,
    pub trouble: Trouble,
}

impl Shared {
    /// Notes damage that an error tells of, or that stands behind it.
    pub(crate) fn judge(&self, connection: &Connection, error: StoreError) -> StoreError {
        let damaged = match &error {
            StoreError::Damaged => true,
            error if error.is_suspicious() => matches!(schema::is_sound(connection), Ok(false)),
            _ => false,
        };
        if damaged {
            self.trouble.note_file();
            return StoreError::Damaged;
        }
        error
    }
}
