//! Step 0: who signed what. Nothing that fails here leaves a trace, so that nobody can get another's bytes refused
//! by sending them broken, torn, or under an envelope of their own.

use registro_documents::{Batch, Certificate, ChangeHash, Hash, gate};
use registro_model::SchoolId;
use registro_sync::Code;

use super::Verdict;
use crate::documents::loaded::Certificates;

/// The header of a raw change chunk as far as its author and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkHead {
    /// What it rests on.
    pub deps: Vec<Hash>,
    /// Its actor.
    pub actor: [u8; 16],
}

impl ChunkHead {
    /// Reads the header; `None` if it is none.
    pub fn read(chunk: &[u8]) -> Option<Self> {
        let mut rest = chunk.get(9..)?;
        leb(&mut rest)?;
        let deps = usize::try_from(leb(&mut rest)?).ok()?;
        let (raw, tail) = rest.split_at_checked(deps.checked_mul(32)?)?;
        rest = tail;
        let length = usize::try_from(leb(&mut rest)?).ok()?;
        let actor = rest.get(..length)?.try_into().ok()?;
        let deps = raw.chunks_exact(32).filter_map(|dep| dep.try_into().ok()).collect();
        Some(Self { deps, actor })
    }
}

fn leb(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Checks a batch's envelopes; returns the author's certificate. Dates and revocation are looked at later: what was
/// accepted in time stays known.
pub fn check<'c>(
    batch: &Batch,
    school: SchoolId,
    certificates: &'c Certificates,
) -> Result<&'c Certificate, Verdict> {
    let Some(first) = batch.changes.first() else { return Err(Verdict::traceless(Code::Form, None)) };
    if batch.changes.iter().any(|change| change.envelope.school != school) {
        return Err(Verdict::traceless(Code::Form, None));
    }
    let Some(certificate) = certificates.get(&first.envelope.certificate) else {
        return Err(Verdict::traceless(Code::Certificate, None));
    };
    // A torn batch may be followed by the whole one.
    if !batch.is_complete() {
        return Err(Verdict::traceless(Code::Missing, None));
    }
    for (index, change) in batch.changes.iter().enumerate() {
        let envelope = &change.envelope;
        let broken = Verdict::traceless(Code::Form, Some(index));
        if !envelope.is_signed_by(certificate) {
            return Err(broken);
        }
        // A refusal is remembered under the hash, so the hash must be these bytes', the eight before what is hashed
        // included: no signature covers those.
        if gate::chunk_hash(&change.chunk) != Some(ChangeHash(envelope.change)) {
            return Err(broken);
        }
        if ChunkHead::read(&change.chunk)
            .is_some_and(|head| head.actor != certificate.actor(envelope.document, envelope.epoch))
        {
            return Err(broken);
        }
    }
    Ok(certificate)
}
