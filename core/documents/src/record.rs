//! Acceptance records: what the hub says about each accepted change, on which every merge decision rests.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use registro_model::{DocumentId, Standing};

use crate::bytes::sha256;
use crate::certificate::{Certificate, CertificateId, Epoch};
use crate::envelope::Hash;

/// What the hub recorded when it accepted a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AcceptanceRecord {
    /// Position in the school's log.
    #[n(0)]
    pub position: u64,
    /// When the hub received it, Unix milliseconds.
    #[n(1)]
    pub received: i64,
    /// How much it weighs.
    #[n(2)]
    pub standing: Standing,
    /// Whether what its author states as seen (the `seen` of a roll) is not of this log: it was cut off when the hub
    /// was restored, and counts as nothing. Only the hub, which has the whole chain, can tell, so it says so here for
    /// everybody (decision 0005).
    #[n(3)]
    pub seen_is_lost: bool,
}

/// The bit beside the standing that says that what was seen is lost.
const LOST: u8 = 0x10;

impl AcceptanceRecord {
    /// Standing and lost sight in one byte, as the hub's log and packed tables have them.
    pub const fn weight(&self) -> u8 {
        self.standing as u8 | if self.seen_is_lost { LOST } else { 0 }
    }

    /// The record with such a weight; `None` for a standing that nobody knows.
    pub fn weighing(position: u64, received: i64, weight: u8) -> Option<Self> {
        let standing = Standing::from_number(weight & !LOST)?;
        Some(Self { position, received, standing, seen_is_lost: weight & LOST != 0 })
    }
}

/// Acceptance records of one document, by change.
pub type Records = BTreeMap<Hash, AcceptanceRecord>;

/// Who stands behind an actor of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct ActorOrigin {
    /// The device's certificate.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub certificate: CertificateId,
    /// The epoch.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub epoch: Epoch,
}

/// Records and authors of a snapshot, packed by columns. Hashes are left out: the records stand in the order in
/// which the snapshot's chunk stores its changes (the genesis, which has none, left out).
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct PackedRecords {
    /// Differences between successive positions, LEB128 zig-zag.
    #[cbor(n(0), with = "minicbor::bytes")]
    positions: Vec<u8>,
    /// Differences between successive receipt times, LEB128 zig-zag.
    #[cbor(n(1), with = "minicbor::bytes")]
    received: Vec<u8>,
    /// Runs of equal weight ([`AcceptanceRecord::weight`]): number, count.
    #[cbor(n(2), with = "minicbor::bytes")]
    weights: Vec<u8>,
    /// Every actor's origin.
    #[n(3)]
    actors: Vec<ActorOrigin>,
    /// The certificates of those origins.
    #[n(4)]
    certificates: Vec<Certificate>,
}

/// A packed table that does not unpack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the records of the snapshot do not unpack: {0}")]
pub struct UnpackError(&'static str);

fn put_leb(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

fn take_leb(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(first & 0x7f);
        value |= low.checked_shl(shift).filter(|v| v >> shift == low)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

impl PackedRecords {
    /// Packs the records of changes in the order of the snapshot's chunk, and the origins of all its actors.
    pub fn pack(
        records: &[AcceptanceRecord],
        actors: Vec<ActorOrigin>,
        certificates: Vec<Certificate>,
    ) -> Self {
        let mut packed = Self { actors, certificates, ..Self::default() };
        let (mut position, mut received) = (0i64, 0i64);
        let mut run: Option<(u8, u64)> = None;
        for record in records {
            put_leb(&mut packed.positions, zigzag((record.position as i64).wrapping_sub(position)));
            put_leb(&mut packed.received, zigzag(record.received.wrapping_sub(received)));
            position = record.position as i64;
            received = record.received;
            let weight = record.weight();
            run = match run {
                Some((number, count)) if number == weight => Some((number, count + 1)),
                Some((number, count)) => {
                    packed.weights.push(number);
                    put_leb(&mut packed.weights, count);
                    Some((weight, 1))
                }
                None => Some((weight, 1)),
            };
        }
        if let Some((number, count)) = run {
            packed.weights.push(number);
            put_leb(&mut packed.weights, count);
        }
        packed
    }

    /// The records, exactly `count` of them.
    pub fn unpack(&self, count: usize) -> Result<Vec<AcceptanceRecord>, UnpackError> {
        let (mut positions, mut received, mut weights) =
            (self.positions.as_slice(), self.received.as_slice(), self.weights.as_slice());
        let (mut position, mut at) = (0i64, 0i64);
        let mut run: (u8, u64) = (0, 0);
        let mut records = Vec::new();
        for _ in 0..count {
            let step = take_leb(&mut positions).ok_or(UnpackError("too few positions"))?;
            position = position.wrapping_add(unzigzag(step));
            let step = take_leb(&mut received).ok_or(UnpackError("too few times"))?;
            at = at.wrapping_add(unzigzag(step));
            if run.1 == 0 {
                let (weight, rest) = weights.split_first().ok_or(UnpackError("too few standings"))?;
                weights = rest;
                let length = take_leb(&mut weights).ok_or(UnpackError("too few standings"))?;
                run = (*weight, if length == 0 { return Err(UnpackError("an empty run")) } else { length });
            }
            run.1 -= 1;
            let position = u64::try_from(position).map_err(|_| UnpackError("a negative position"))?;
            let record = AcceptanceRecord::weighing(position, at, run.0);
            records.push(record.ok_or(UnpackError("unknown standing"))?);
        }
        if !positions.is_empty() || !received.is_empty() || !weights.is_empty() || run.1 != 0 {
            return Err(UnpackError("more records than changes"));
        }
        Ok(records)
    }

    /// Every actor of the document with its origin. The actors are recomputed from the certificates' keys, so a
    /// table cannot give one person's changes to another's key.
    pub fn origins(&self, document: DocumentId) -> Result<BTreeMap<[u8; 16], ActorOrigin>, UnpackError> {
        let certificates: BTreeMap<_, _> = self.certificates.iter().map(|c| (c.id(), c)).collect();
        self.actors
            .iter()
            .map(|origin| {
                let certificate = certificates
                    .get(&origin.certificate)
                    .ok_or(UnpackError("an actor without certificate"))?;
                Ok((certificate.actor(document, origin.epoch), *origin))
            })
            .collect()
    }

    /// The certificates of the document's authors.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// SHA-256 of the table's wire form, which the snapshot's signature covers.
    pub fn digest(&self) -> Hash {
        let mut bytes = Vec::new();
        if minicbor::encode(self, &mut bytes).is_err() {
            unreachable!("writing into a vector does not fail");
        }
        sha256(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packed_records_unpack_to_the_same(
            rows in proptest::collection::vec(
                (0u64..1 << 40, -1_000_000i64..1 << 45, 0u8..8, any::<bool>()), 0..50
            )
        ) {
            let records: Vec<_> = rows
                .into_iter()
                .map(|(position, received, standing, seen_is_lost)| AcceptanceRecord {
                    position,
                    received,
                    standing: Standing::from_number(standing).unwrap(),
                    seen_is_lost,
                })
                .collect();
            let packed = PackedRecords::pack(&records, vec![], vec![]);
            prop_assert_eq!(packed.unpack(records.len()).unwrap(), records.clone());
            prop_assert!(packed.unpack(records.len() + 1).is_err());
            if !records.is_empty() {
                prop_assert!(packed.unpack(records.len() - 1).is_err());
            }
        }
    }
}
