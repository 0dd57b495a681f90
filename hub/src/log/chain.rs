//! The chain: what makes a rewritten log visible to whoever kept a cursor or a checkpoint.

use registro_documents::Hash;
use registro_documents::bytes::sha256;
use registro_model::DocumentId;

use super::RowKind;

/// What a row contributes to the chain besides its position.
#[derive(Debug, Clone, Copy)]
pub struct Linked<'a> {
    /// What it is.
    pub kind: RowKind,
    /// Its document; zeros where it has none.
    pub document: DocumentId,
    /// The change, or what the notice is about.
    pub hash: Hash,
    /// When it was received, Unix milliseconds.
    pub received: i64,
    /// An accepted change's weight: its standing, and whether what its author had seen is lost.
    pub weight: Option<u8>,
    /// A notice's body.
    pub body: &'a [u8],
}

/// The chain value after a row: SHA-256(previous ‖ position ‖ SHA-256(kind ‖ document ‖ hash ‖ received ‖ weight,
/// or the body of what is no change)). Integers have 8 bytes, big-endian.
pub fn link(previous: &Hash, position: u64, row: &Linked<'_>) -> Hash {
    let mut inner = Vec::with_capacity(80 + row.body.len());
    inner.extend_from_slice(&(row.kind as u64).to_be_bytes());
    inner.extend_from_slice(row.document.as_bytes());
    inner.extend_from_slice(&row.hash);
    inner.extend_from_slice(&row.received.to_be_bytes());
    match row.weight {
        Some(weight) => inner.extend_from_slice(&u64::from(weight).to_be_bytes()),
        None => inner.extend_from_slice(row.body),
    }
    let mut outer = Vec::with_capacity(72);
    outer.extend_from_slice(previous);
    outer.extend_from_slice(&position.to_be_bytes());
    outer.extend_from_slice(&sha256(&inner));
    sha256(&outer)
}
