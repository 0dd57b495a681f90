//! Commands: a user's act, drawn whole before anything is written.

use minicbor::{Decode, Encode};
use registro_model::{Capacity, CommandId, DocumentId};

use crate::fact::Fact;

/// One fact version that a command writes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Write {
    /// The document.
    #[n(0)]
    pub document: DocumentId,
    /// The section.
    #[n(1)]
    pub section: String,
    /// The key.
    #[n(2)]
    pub key: String,
    /// The fact, complete; whether it resolves a conflict is filled in when it is written.
    #[n(3)]
    pub fact: Fact,
    /// The versions that the author saw under the key when the command was given, sorted. A put that would
    /// replace others is written beside them instead.
    #[n(4)]
    pub saw: Vec<CommandId>,
}

/// A user's act: id, claimed time and facts, all stored before the first change is made. It becomes at most one
/// signed change per document, one local transaction, one batch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Command {
    /// The command's id, which is the version of every fact that it writes.
    #[n(0)]
    pub id: CommandId,
    /// The capacity in which it is given.
    #[n(1)]
    pub capacity: Capacity,
    /// When the device's clock said it was given, Unix seconds. Informative only.
    #[n(2)]
    pub claimed: i64,
    /// What it writes.
    #[n(3)]
    pub writes: Vec<Write>,
}

impl Command {
    /// The documents that it writes in, each once, in order.
    pub fn documents(&self) -> Vec<DocumentId> {
        let mut documents: Vec<_> = self.writes.iter().map(|write| write.document).collect();
        documents.sort_unstable();
        documents.dedup();
        documents
    }

    /// What it writes in one document.
    pub fn writes_in(&self, document: DocumentId) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(move |write| write.document == document)
    }
}
