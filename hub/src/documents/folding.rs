//! Folding: a document with its records becomes a signed snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};

use registro_documents::{CertificateId, Document, PackedRecords, SigningKey, genesis};
use registro_model::SchoolId;
use registro_sync::Cursor;
use registro_sync::notices::{HashBytes, Signed, Snapshot};
use rusqlite::{Connection, params};

use super::loaded::{Certificates, Loaded};
use crate::error::HubError;

/// A new snapshot is made when so many changes came after the last.
pub const FOLD_AT: usize = 64;

/// The snapshot of a document that nobody wrote to, or of one of which the reader gets every change.
pub fn empty(
    loaded_identity: &registro_documents::DocumentIdentity,
    school: SchoolId,
    key: &SigningKey,
) -> Snapshot {
    let heads = vec![HashBytes(genesis::hash(loaded_identity.kind).0)];
    Snapshot {
        document: loaded_identity.id,
        generation: loaded_identity.generation,
        at: Cursor::default(),
        heads,
        bytes: Vec::new(),
        records: PackedRecords::default(),
        signature: [0; 64],
    }
    .signed(school, key)
}

/// Folds a document at its last position. It is saved, loaded again and compared before anybody gets it; an error
/// means that the last sound snapshot and the tail must go on serving.
pub fn fold(
    loaded: &Loaded,
    at: Cursor,
    certificates: &Certificates,
    school: SchoolId,
    key: &SigningKey,
) -> Result<Snapshot, HubError> {
    let unsound = HubError::Stored("a document that does not fold");
    // Automerge's failures are nearly all panics; one here would take the hub with it.
    let bytes = catch_unwind(AssertUnwindSafe(|| loaded.document.save()))
        .map_err(|_| HubError::Stored("a document that does not save"))?;
    let again =
        Document::load(&bytes).map_err(|_| HubError::Stored("a document that does not load once saved"))?;
    let sorted = |document: &Document| {
        let mut heads: Vec<_> = document.heads().into_iter().map(|head| HashBytes(head.0)).collect();
        heads.sort_unstable();
        heads
    };
    let heads = sorted(&again);
    if heads != sorted(&loaded.document) || again.change_count() != loaded.document.change_count() {
        return Err(unsound);
    }
    let genesis = genesis::hash(loaded.identity.kind);
    let records = again
        .changes_in_order()
        .filter(|hash| *hash != genesis)
        .map(|hash| loaded.records.get(&hash.0).copied())
        .collect::<Option<Vec<_>>>()
        .ok_or(HubError::Stored("a change without record"))?;
    let origins: Vec<_> = loaded.origins.values().copied().collect();
    let mut ids: Vec<CertificateId> = origins.iter().map(|origin| origin.certificate).collect();
    ids.sort_unstable();
    ids.dedup();
    let certificates = ids
        .iter()
        .map(|id| certificates.get(id).cloned())
        .collect::<Option<Vec<_>>>()
        .ok_or(HubError::Stored("an author without certificate"))?;
    Ok(Snapshot {
        document: loaded.identity.id,
        generation: loaded.identity.generation,
        at,
        heads,
        bytes,
        records: PackedRecords::pack(&records, origins, certificates),
        signature: [0; 64],
    }
    .signed(school, key))
}

/// Stores a snapshot in place of the last one.
pub fn store(database: &Connection, school: SchoolId, snapshot: &Snapshot) -> Result<(), HubError> {
    database
        .prepare_cached(
            "INSERT INTO snapshot (school, doc, pos, data) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (school, doc) DO UPDATE SET pos = excluded.pos, data = excluded.data",
        )?
        .execute(params![school.0, snapshot.document.0, snapshot.at.position, crate::encode(snapshot)])?;
    Ok(())
}
