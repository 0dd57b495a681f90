//! What the device remembers between two requests, and what it writes into its store.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use registro_documents::{DocumentIdentity, Epoch, Hash};
use registro_model::{CommandId, DocumentId};
use registro_store::{DocumentPart, StoreError, WriteTx};

use crate::messages::Cursor;
use crate::notices::Revoked;

/// Where the device stands in the hub's log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct SyncState {
    /// Up to where the feed is applied.
    #[n(0)]
    pub cursor: Cursor,
    /// The hub's end as stated by the last reply applied.
    #[n(1)]
    pub end: Cursor,
    /// Digest of the documents that may be read.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub scope: Hash,
    /// Whether a first reply was applied: a new device takes the hub's end as its cursor and everything by want.
    #[n(3)]
    pub started: bool,
    /// Difference between the hub's clock and the device's, milliseconds.
    #[n(4)]
    pub clock_offset: i64,
    /// Version of the directory in force.
    #[n(5)]
    pub directory: u64,
    /// Commands to run again once the device has synced to the end.
    #[n(6)]
    pub redo: BTreeSet<CommandId>,
    /// Revoked devices, as the school signed it.
    #[n(7)]
    pub revoked: Vec<Revoked>,
    /// The hub diverged and own batches must be offered again once the documents are here.
    #[n(8)]
    pub offering: bool,
    /// Documents whose views are to be rebuilt: their changes are stored, a crash came before the views.
    #[n(9)]
    pub stale: BTreeSet<DocumentId>,
}

/// What the device knows about a document that it may read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// What it is.
    #[n(0)]
    pub identity: DocumentIdentity,
    /// Last day of which news is sent, ISO.
    #[n(1)]
    pub until: Option<String>,
    /// Whether its snapshot is still to be asked for.
    #[n(2)]
    pub wanted: bool,
    /// The epoch under which this device writes in it; none before its first write and after an own change left
    /// the document.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub epoch: Option<Epoch>,
}

/// One write into the store.
pub(super) enum StoreOp {
    CreateDocument(DocumentId),
    DeleteDocument(DocumentId),
    PutPart(DocumentId, DocumentPart, Vec<u8>),
    PutChange(DocumentId, Hash, Vec<u8>),
    DeleteChange(DocumentId, Hash),
    PutView(DocumentId, String, Vec<u8>),
    DeleteViews(DocumentId),
    PutCommand(CommandId, u8, Vec<u8>),
    PutMeta(String, Vec<u8>),
}

/// State number of an accepted change in the store's change table; the only one so far.
pub(super) const ACCEPTED: u8 = 1;

impl StoreOp {
    pub(super) fn run(self, tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
        match self {
            Self::CreateDocument(document) => tx.create_document(document),
            Self::DeleteDocument(document) => tx.delete_document(document),
            Self::PutPart(document, part, bytes) => tx.put_document_part(document, part, &bytes),
            Self::PutChange(document, hash, bytes) => tx.put_change(document, &hash, ACCEPTED, &bytes),
            Self::DeleteChange(document, hash) => tx.delete_change(document, &hash),
            Self::PutView(document, part, bytes) => tx.put_view(document, &part, &bytes),
            Self::DeleteViews(document) => tx.delete_views(document),
            Self::PutCommand(id, state, bytes) => tx.put_command(id, state, &bytes),
            // Without these the commands in the outbox could not be sent.
            Self::PutMeta(key, bytes) if matches!(key.as_str(), "account" | "blind") => {
                tx.put_kept_meta(&key, &bytes)
            }
            Self::PutMeta(key, bytes) => tx.put_meta(&key, &bytes),
        }
    }
}
