//! The device's store: encrypted SQLite, change log, snapshots, views, outbox, key hierarchy.
//!
//! Every value that says anything is sealed with AES-256-GCM under a random key per document that never leaves the
//! store; those keys are wrapped by a per-user key, which the platform's vault wraps. What a person wrote (the
//! outbox) is sealed under a key of the person, so that it outlives the documents. Document ids on disk are opaque.
//!
//! | module | what |
//! |---|---|
//! | [`vault`] | where the per-user key is wrapped: the platform's key store |
//! | [`seal`], [`keys`] | the form of a sealed value; which key seals what |
//! | [`schema`] | tables, pragmas, migrations |
//! | [`store`] | open, one writer, pooled readers, suspend and resume |
//! | [`tables`] | documents, changes, views, commands, meta |
//! | [`quarantine`] | a damaged file is set aside and salvaged, never deleted |

pub mod error;
pub mod keys;
pub mod lock;
pub mod quarantine;
pub mod schema;
pub mod seal;
pub mod store;
pub mod tables;
pub mod vault;

pub use error::StoreError;
pub use quarantine::SalvageReport;
pub use store::{Opened, Store, StoreOptions};
pub use tables::{DocumentPart, ReadTx, StoredChange, StoredCommand, WriteTx};
pub use vault::{FileVault, KeyVault, MemoryVault, VaultError};
