//! Acceptance records on the wire: what was packed is unpacked, damage is an error and never a panic.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

use proptest::prelude::*;
use proptest::sample::Index;
use registro_documents::certificate::actor;
use registro_documents::{AcceptanceRecord, ActorOrigin, Certificate, PackedRecords, SigningKey};
use registro_model::{DocumentId, PersonId, SchoolId, Standing};

const DOCUMENT: DocumentId = DocumentId([4; 16]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32].into())
}

fn certificate(seed: u8) -> Certificate {
    let person = PersonId([seed; 16]);
    Certificate::issue(&key(200), SchoolId([9; 16]), person, *key(seed).public(), 0, i64::from(seed) + 1)
}

fn records() -> impl Strategy<Value = Vec<AcceptanceRecord>> {
    // Positions as a log has them, and wild ones; hub times may go back.
    let position = prop_oneof![0u64..2_000, 0..=i64::MAX as u64];
    let received = prop_oneof![1_760_000_000_000i64..1_790_000_000_000, any::<i64>()];
    let record = (position, received, 0u8..8, any::<bool>()).prop_map(
        |(position, received, standing, seen_is_lost)| AcceptanceRecord {
            position,
            received,
            standing: Standing::from_number(standing).unwrap(),
            seen_is_lost,
        },
    );
    proptest::collection::vec(record, 0..80)
}

/// A table with some devices, each in some epochs.
fn packed() -> impl Strategy<Value = (Vec<AcceptanceRecord>, PackedRecords)> {
    (
        records(),
        proptest::collection::btree_map(
            1u8..6,
            proptest::collection::btree_set(any::<[u8; 8]>(), 1..3),
            0..4,
        ),
    )
        .prop_map(|(records, devices)| {
            let certificates: Vec<_> = devices.keys().map(|seed| certificate(*seed)).collect();
            let actors = devices
                .values()
                .zip(&certificates)
                .flat_map(|(epochs, certificate)| {
                    epochs.iter().map(|epoch| ActorOrigin { certificate: certificate.id(), epoch: *epoch })
                })
                .collect();
            let packed = PackedRecords::pack(&records, actors, certificates);
            (records, packed)
        })
}

fn bytes_of(packed: &PackedRecords) -> Vec<u8> {
    minicbor::to_vec(packed).unwrap()
}

/// A table of made-up columns, without authors.
fn table(positions: &[u8], received: &[u8], standings: &[u8]) -> PackedRecords {
    let mut bytes = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    encoder.array(5).unwrap().bytes(positions).unwrap().bytes(received).unwrap().bytes(standings).unwrap();
    encoder.array(0).unwrap().array(0).unwrap();
    minicbor::decode(&bytes).unwrap()
}

#[test]
fn each_column_holds_exactly_as_many_records_as_there_are_changes() {
    // Position 1, time 1, one pupil.
    assert!(table(&[2], &[2], &[0, 1]).unpack(1).is_ok());
    for (positions, received, standings) in [
        (&[2, 2][..], &[2][..], &[0, 1][..]),
        (&[2], &[2, 2], &[0, 1]),
        (&[2], &[2], &[0, 2]),
        (&[2], &[2], &[0, 1, 1, 1]),
        (&[], &[2], &[0, 1]),
        (&[2], &[], &[0, 1]),
        (&[2], &[2], &[]),
    ] {
        assert!(table(positions, received, standings).unpack(1).is_err());
    }
}

#[test]
fn a_number_out_of_range_is_an_error() {
    let beyond_64_bits = [[0xff; 9].as_slice(), &[0x7f]].concat();
    assert!(table(&beyond_64_bits, &[2], &[0, 1]).unpack(1).is_err());
    assert!(table(&[2], &beyond_64_bits, &[0, 1]).unpack(1).is_err());
    let without_end = [0xff; 12];
    assert!(table(&without_end, &[2], &[0, 1]).unpack(1).is_err());
    assert!(table(&[1], &[2], &[0, 1]).unpack(1).is_err(), "position -1");
    assert!(table(&[2], &[1], &[0, 1]).unpack(1).is_ok(), "a time before 1970 is only odd");
    assert!(table(&[2], &[2], &[8, 1]).unpack(1).is_err(), "a standing that nobody knows");
    assert!(table(&[2], &[2], &[0x10, 1]).unpack(1).unwrap()[0].seen_is_lost);
    assert!(table(&[2], &[2], &[0x20, 1]).unpack(1).is_err(), "a bit that nobody knows");
    assert!(table(&[2], &[2], &[0, 0, 0, 1]).unpack(1).is_err(), "a run of nothing");
}

#[test]
fn an_empty_table_has_no_records() {
    let empty = PackedRecords::pack(&[], vec![], vec![]);
    assert_eq!(empty.unpack(0).unwrap(), []);
    assert!(empty.unpack(1).is_err());
    assert!(empty.origins(DOCUMENT).unwrap().is_empty());
}

#[test]
fn a_count_that_nobody_can_hold_is_an_error_at_once() {
    let record =
        AcceptanceRecord { position: 1, received: 2, standing: Standing::Office, seen_is_lost: false };
    let packed = PackedRecords::pack(&[record; 3], vec![], vec![]);
    for count in [0, 2, 4, usize::MAX] {
        assert!(packed.unpack(count).is_err(), "{count}");
    }
}

#[test]
fn a_term_of_peers_takes_few_bytes() {
    let record = |n: u64| AcceptanceRecord {
        position: 10_000 + n * 40,
        received: 1_764_000_000_000 + 3_600_000 * n as i64,
        standing: Standing::TimetabledLesson,
        seen_is_lost: false,
    };
    let records: Vec<_> = (0..400).map(record).collect();
    let size = bytes_of(&PackedRecords::pack(&records, vec![], vec![])).len();
    assert!(size < 400 * 6, "{size} bytes for 400 records");
}

#[test]
fn an_actor_without_its_certificate_is_an_error() {
    let origin = ActorOrigin { certificate: certificate(1).id(), epoch: [0; 8] };
    let packed = PackedRecords::pack(&[], vec![origin], vec![certificate(2)]);
    assert!(packed.origins(DOCUMENT).is_err());
}

#[test]
fn an_actor_is_recomputed_from_its_own_certificate_and_document() {
    let (mine, yours) = (certificate(1), certificate(2));
    let origin = |certificate: &Certificate| ActorOrigin { certificate: certificate.id(), epoch: [7; 8] };
    let packed =
        PackedRecords::pack(&[], vec![origin(&mine), origin(&yours)], vec![mine.clone(), yours.clone()]);
    let origins = packed.origins(DOCUMENT).unwrap();
    assert_eq!(origins[&actor(key(1).public(), DOCUMENT, [7; 8])], origin(&mine));
    assert_eq!(origins[&actor(key(2).public(), DOCUMENT, [7; 8])], origin(&yours));
    assert!(!packed.origins(DocumentId([5; 16])).unwrap().contains_key(&mine.actor(DOCUMENT, [7; 8])));
}

proptest! {
    /// Packed, sent, read and unpacked: the same records in the same order, the same authors, the same digest.
    #[test]
    fn what_was_packed_is_unpacked((records, packed) in packed()) {
        let read: PackedRecords = minicbor::decode(&bytes_of(&packed)).unwrap();
        prop_assert_eq!(&read, &packed);
        prop_assert_eq!(read.digest(), packed.digest());
        prop_assert_eq!(&read.unpack(records.len()).unwrap(), &records);
        prop_assert_eq!(read.certificates().iter().all(|c| c.is_genuine(SchoolId([9; 16]), key(200).public())), true);
        let origins = read.origins(DOCUMENT).unwrap();
        for (actor, origin) in &origins {
            let certificate = read.certificates().iter().find(|c| c.id() == origin.certificate).unwrap();
            prop_assert_eq!(&certificate.actor(DOCUMENT, origin.epoch), actor);
        }
        for wrong in [records.len() + 1, records.len().wrapping_sub(1)] {
            prop_assert!(read.unpack(wrong).is_err());
        }
    }

    /// A changed byte does not read, does not unpack, or is seen by the digest that the snapshot's signature covers.
    #[test]
    fn tampered_bytes_are_an_error_and_never_a_panic(
        (records, packed) in packed(),
        places in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut bytes = bytes_of(&packed);
        for (place, value) in places {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(read) = minicbor::decode::<PackedRecords>(&bytes) {
            let unpacked = read.unpack(records.len());
            let authors = read.origins(DOCUMENT);
            for certificate in read.certificates() {
                certificate.is_genuine(SchoolId([9; 16]), key(200).public());
            }
            if read.digest() == packed.digest() {
                prop_assert_eq!(unpacked.unwrap(), records);
                prop_assert_eq!(authors.unwrap(), packed.origins(DOCUMENT).unwrap());
            }
        }
    }

    /// Any bytes at all, also where the columns are made up.
    #[test]
    fn made_up_columns_are_an_error_or_records_and_never_a_panic(
        positions in proptest::collection::vec(any::<u8>(), 0..40),
        received in proptest::collection::vec(any::<u8>(), 0..40),
        standings in proptest::collection::vec(any::<u8>(), 0..12),
        count in 0usize..40,
    ) {
        let read = table(&positions, &received, &standings);
        if let Ok(records) = read.unpack(count) {
            prop_assert_eq!(records.len(), count);
            // What unpacks can be packed again and says the same.
            prop_assert_eq!(PackedRecords::pack(&records, vec![], vec![]).unpack(count).unwrap(), records);
        }
    }
}
