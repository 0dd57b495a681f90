//! The device's store: encrypted SQLite, change log, snapshots, views, outbox, key hierarchy.
//!
//! Every value that says anything is sealed with AES-256-GCM under a random key per document that never leaves the
//! store; those keys are wrapped by a per-user key, which the platform's vault wraps. What a person wrote (the
//! outbox) is sealed under a key of the person, so that it outlives the documents. Document ids on disk are opaque.
//!
//! What cannot be fetched again (commands that the hub has not confirmed, whose store it is) stands in two files, so
//! that no one damaged file takes it along; everything else comes again from the hub.
//!
//! | module | what |
//! |---|---|
//! | [`vault`], [`key_file`] | where the per-user key is wrapped; how it lies on disk |
//! | [`pin`] | a PIN in front of the per-user key, beside the vault |
//! | [`seal`], [`keys`] | the form of a sealed value; which key seals what |
//! | [`schema`] | tables, pragmas, migrations |
//! | [`store`] | open, read, write |
//! | `lifecycle`, `writer` | the pool of readers, suspend, resume, mend; the one writer |
//! | [`tables`] | documents, changes, views, commands, meta |
//! | `second_copy`, `reconcile` | the outbox beside the database; holding both against each other |
//! | [`quarantine`], `carve` | a damaged file is set aside and salvaged from its pages, never deleted |
//! | [`trouble`] | what was found damaged, until it is mended |

mod carve;
pub mod error;
mod files;
pub mod key_file;
pub mod keys;
mod lifecycle;
pub mod lock;
pub mod pin;
pub mod quarantine;
mod reconcile;
pub mod schema;
pub mod seal;
mod second_copy;
mod shared;
pub mod store;
pub mod tables;
pub mod trouble;
pub mod vault;
mod writer;

pub use error::StoreError;
pub use key_file::KeyFile;
pub use pin::{Pin, PinError};
pub use quarantine::SalvageReport;
pub use store::{Opened, Store, StoreOptions};
pub use tables::{CONFIRMED, DocumentPart, ReadTx, StoredChange, StoredCommand, WriteTx};
pub use trouble::Hurt;
pub use vault::{FileVault, KeyVault, MemoryVault, VaultError};
