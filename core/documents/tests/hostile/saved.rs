//! Saved documents that are not what they seem: they load or are an error, with little memory, and never a panic.

use std::io::Read;

use flate2::read::DeflateDecoder;
use proptest::prelude::*;
use registro_documents::bytes::sha256;

use super::chunk::{Pieces, run, signed, unsigned, wrap};
use super::mutated::{mutate, mutation, quiet};
use super::*;

const ACTOR: u64 = 0x01;
const SEQ: u64 = 0x03;
const MAX_OP: u64 = 0x13;
const TIME: u64 = 0x23;
const DEPS_COUNT: u64 = 0x40;
const DEPS_INDEX: u64 = 0x43;
const EXTRA: u64 = 0x56;

type Columns = Vec<(u64, Vec<u8>)>;

/// A document chunk in its parts, its columns inflated.
#[derive(Debug, Clone)]
pub struct Saved {
    pub actors: Vec<Vec<u8>>,
    pub heads: Vec<[u8; 32]>,
    pub changes: Columns,
    pub operations: Columns,
    pub rest: Vec<u8>,
}

impl Saved {
    pub fn read(bytes: &[u8]) -> Self {
        let mut pieces = Pieces(&bytes[9..]);
        pieces.unsigned();
        let actors = (0..pieces.unsigned()).map(|_| pieces.prefixed()).collect();
        let heads = (0..pieces.unsigned()).map(|_| pieces.take(32).try_into().unwrap()).collect();
        let (changes, operations) = (pieces.columns(), pieces.columns());
        let mut data = |columns: Vec<(u64, usize)>| -> Columns {
            let inflate = |(spec, length): (u64, usize)| {
                let data = pieces.take(length);
                if spec & 8 == 0 {
                    return (spec, data.to_vec());
                }
                let mut out = Vec::new();
                DeflateDecoder::new(data).read_to_end(&mut out).unwrap();
                (spec & !8, out)
            };
            columns.into_iter().map(inflate).collect()
        };
        let (changes, operations) = (data(changes), data(operations));
        Self { actors, heads, changes, operations, rest: pieces.0.to_vec() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        unsigned(self.actors.len() as u64, &mut out);
        for actor in &self.actors {
            unsigned(actor.len() as u64, &mut out);
            out.extend_from_slice(actor);
        }
        unsigned(self.heads.len() as u64, &mut out);
        self.heads.iter().for_each(|head| out.extend_from_slice(head));
        for columns in [&self.changes, &self.operations] {
            unsigned(columns.len() as u64, &mut out);
            for (spec, data) in columns {
                unsigned(*spec, &mut out);
                unsigned(data.len() as u64, &mut out);
            }
        }
        for (_, data) in self.changes.iter().chain(&self.operations) {
            out.extend_from_slice(data);
        }
        out.extend_from_slice(&self.rest);
        wrap(0, &out)
    }
}

#[test]
fn a_document_taken_apart_and_put_together_loads() {
    let document = record();
    let again = Document::load(&Saved::read(&document.save()).bytes()).unwrap();
    assert_eq!(heads(&again), heads(&document));
}

/// A document that says it has so many changes in a row, each of so many operations; none of them is there.
pub fn claims(changes: i64, operations: i64, actors: u64) -> Vec<u8> {
    let mut first = vec![];
    signed(-1, &mut first);
    let one = |value: i64| {
        let mut out = first.clone();
        signed(value, &mut out);
        out
    };
    let then = |head: i64, rest: i64| {
        let mut value = vec![];
        signed(rest, &mut value);
        [one(head), run(changes - 1, &value)].concat()
    };
    Saved {
        actors: (0..actors).map(|n| sha256(&n.to_be_bytes())[..16].to_vec()).collect(),
        heads: vec![[1; 32]],
        changes: vec![
            (ACTOR, run(changes, &[0])),
            (SEQ, run(changes, &[1])),
            (MAX_OP, then(operations, operations)),
            (TIME, run(changes, &[0])),
            (DEPS_COUNT, then(0, 1)),
            (DEPS_INDEX, [one(0), run(changes - 2, &[1])].concat()),
            (EXTRA, run(changes, &[7])),
        ],
        operations: vec![],
        rest: vec![0],
    }
    .bytes()
}

#[test]
fn a_document_that_claims_more_than_it_may_hold_is_refused() {
    let bounds = |bytes: &[u8]| {
        matches!(Document::load(bytes), Err(registro_documents::document::LoadError::Bounds(_)))
    };
    // Within the bounds it is only untrue.
    assert!(Document::load(&claims(100, 4, 1)).is_err() && !bounds(&claims(100, 4, 1)));
    assert!(bounds(&claims(100_000, 1, 1)), "changes");
    assert!(bounds(&claims(60_000, 40, 1)), "operations");
    assert!(bounds(&claims(2, 4_000_000_000, 1)), "operations of one change");
    assert!(bounds(&claims(60_000, 1, 4_000)), "actors times changes");
    assert!(bounds(&claims(60_000, 1, 5_000)), "actors");
}

#[test]
fn a_document_whose_section_was_replaced_does_not_load() {
    use automerge::transaction::Transactable;
    let mut document = automerge::Automerge::load(&record().save()).unwrap();
    document
        .transact::<_, _, automerge::AutomergeError>(|tx| {
            tx.put_object(automerge::ROOT, "attendance", automerge::ObjType::Map)
        })
        .unwrap();
    assert!(Document::load(&document.save()).is_err());
}

#[test]
fn a_document_that_nests_deeply_does_not_harm() {
    use automerge::transaction::Transactable;
    let mut document = automerge::Automerge::load(&record().save()).unwrap();
    document
        .transact::<_, _, automerge::AutomergeError>(|tx| {
            let mut object = automerge::ROOT;
            for _ in 0..20_000 {
                object = tx.put_object(&object, "x", automerge::ObjType::Map)?;
            }
            Ok(())
        })
        .unwrap();
    // It has its sections; what is beside them is nobody's.
    is_sound(&Document::load(&document.save()).unwrap());
}

#[test]
fn other_chunks_than_one_document_do_not_load() {
    let saved = record().save();
    assert!(Document::load(&[saved.clone(), saved.clone()].concat()).is_err());
    assert!(Document::load(&saved[..saved.len() - 1]).is_err());
    assert!(Document::load(&[]).is_err());
    assert!(Document::load(&bytes(&honest(&record(), "2026-11-25/absence"))).is_err());
    let mut document = automerge::Automerge::new();
    assert!(Document::load(&document.save()).is_err());
    let mut wrong = saved;
    wrong[5] ^= 1;
    assert!(Document::load(&wrong).is_err());
    // Without any genesis.
    use automerge::transaction::Transactable;
    document.transact::<_, _, automerge::AutomergeError>(|tx| tx.put(automerge::ROOT, "x", 1)).unwrap();
    assert!(Document::load(&document.save()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Mutated inside its columns, which are otherwise deflated and beyond the reach of a flipped bit.
    #[test]
    fn a_document_mutated_in_its_columns_loads_or_is_an_error(
        column in any::<usize>(),
        mutations in proptest::collection::vec(mutation(), 1..3),
        bomb in proptest::option::of((any::<i64>(), any::<u8>())),
    ) {
        quiet();
        let mut saved = Saved::read(&record().save());
        let count = saved.changes.len() + saved.operations.len();
        if let Some((_, data)) = saved.changes.iter_mut().chain(&mut saved.operations).nth(column % count) {
            match bomb {
                Some((count, value)) => *data = run(count, &[value & 0x7f]),
                None => *data = mutate(data.clone(), &mutations),
            }
        }
        if let Ok(document) = Document::load(&saved.bytes()) {
            prop_assert_eq!(super::heads(&Document::load(&document.save()).unwrap()), super::heads(&document));
            for key in document.keys("attendance") {
                let _ = document.versions("attendance", &key);
            }
        }
    }
}
