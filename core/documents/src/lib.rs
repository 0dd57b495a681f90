//! Automerge documents of the register: sections, facts, commands, merge rules, signatures, the gate.
//!
//! | module | what |
//! |---|---|
//! | [`kind`], [`identity`] | the kinds of document, and what a document is about |
//! | [`fact`], [`schema`] | one entry of a section, written whole; what may stand where |
//! | [`genesis`], [`document`] | the constant first change of every kind; one document in memory, with its graph |
//! | [`command`], [`mod@write`] | a user's act, and the change that it becomes |
//! | [`device_key`], [`certificate`], [`envelope`] | who signs what |
//! | [`gate`] | the only door by which foreign bytes reach Automerge |
//! | [`policy`] | who may write what: allowed, refused, cannot tell |
//! | [`record`], [`merge`], [`view`] | what the hub accepted, what is decided from it, ready to read |

pub mod bytes;
pub mod certificate;
pub mod command;
pub mod device_key;
pub mod document;
pub mod envelope;
pub mod fact;
pub mod gate;
pub mod genesis;
pub mod identity;
pub mod kind;
pub mod merge;
pub mod policy;
pub mod record;
pub mod schema;
pub mod view;
pub mod write;

pub use automerge::ChangeHash;
pub use certificate::{Certificate, CertificateId, Epoch};
pub use command::{Command, Write};
pub use device_key::SigningKey;
pub use document::{Document, Version};
pub use envelope::{Batch, Envelope, Hash, SignedChange};
pub use fact::{Fact, Field, Scalar};
pub use identity::{DocumentIdentity, Subject};
pub use kind::Kind;
pub use record::{AcceptanceRecord, ActorOrigin, PackedRecords, Records};
