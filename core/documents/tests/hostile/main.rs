//! Hostile bytes: refused, with little memory, and the document still loads. Every input here has a valid checksum
//! where it has one at all; without the gate each of them panics, costs gigabytes, or makes the document unloadable.

mod altered;
mod bombs;
mod canonical;
mod chunk;
mod forged;
mod graph;
mod mutated;
mod saved;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ChangeHash, ExpandedChange, ScalarValue};
use registro_documents::gate::{self, Code, Expectation, Verdict};
use registro_documents::write::{Put, write};
use registro_documents::{Document, Fact, Kind};
use registro_model::{Capacity, CommandId};

/// The author of what the document holds.
const AUTHOR: [u8; 16] = [7; 16];
/// The one who attacks.
const ATTACKER: [u8; 16] = [66; 16];

fn put(v: u8, key: &str) -> Put {
    let fact = Fact::new(CommandId([v; 8]), Capacity::Lesson);
    let fact = if key.ends_with("entry") {
        fact.with("slot", 1u8).with("time", "08:40")
    } else {
        fact.with("slot", 1u8)
    };
    Put { section: "attendance".into(), key: key.into(), fact }
}

fn give(document: &mut Document, actor: [u8; 16], heads: Option<&[ChangeHash]>, puts: &[Put]) -> ChangeHash {
    let written = write(document, actor, heads, 1_763_884_800, puts).unwrap();
    let Verdict::Sound(judged) = gate::judge(document, &written.chunk, &Expectation::default()).unwrap()
    else {
        panic!("a new change is not known")
    };
    gate::admit(document, judged).unwrap();
    written.hash
}

/// A pupil's record with two accepted facts of one author, and two concurrent values of a third key.
fn record() -> Document {
    let mut document = Document::founded(Kind::PupilRecord);
    give(&mut document, AUTHOR, None, &[put(1, "2026-11-20/absence")]);
    give(&mut document, AUTHOR, None, &[put(2, "2026-11-23/entry")]);
    let before = document.heads();
    give(&mut document, [8; 16], Some(&before), &[put(3, "2026-11-24/absence")]);
    give(&mut document, [9; 16], Some(&before), &[put(4, "2026-11-24/absence")]);
    document
}

/// An honest change of the attacker on the document, as an expanded change to be altered.
fn honest(document: &Document, key: &str) -> ExpandedChange {
    let written = write(document, ATTACKER, None, 1_763_884_800, &[put(66, key)]).unwrap();
    Change::from_bytes(written.chunk).unwrap().decode()
}

/// The bytes of an altered change.
fn bytes(change: &ExpandedChange) -> Vec<u8> {
    Change::from(change.clone()).raw_bytes().to_vec()
}

fn heads(document: &Document) -> Vec<ChangeHash> {
    let mut heads = document.heads();
    heads.sort_unstable();
    heads
}

/// The document saves, loads, has the same heads, and takes the next honest change.
fn is_sound(document: &Document) {
    let loaded = Document::load(&document.save()).unwrap();
    assert_eq!(heads(&loaded), heads(document));
    let mut next = loaded;
    give(&mut next, [77; 16], None, &[put(77, "2026-12-01/absence")]);
}

/// The gate refuses the bytes with this code, and the document is as it was.
#[track_caller]
fn refused(document: &Document, chunk: &[u8], code: Code) {
    let before = heads(document);
    match gate::judge(document, chunk, &Expectation::default()) {
        Err(refusal) => assert_eq!(refusal.code, code, "{}", refusal.reason),
        Ok(Verdict::Known(_)) => panic!("it is known"),
        Ok(Verdict::Sound(_)) => panic!("it is accepted"),
    }
    assert_eq!(heads(document), before);
    is_sound(document);
}

fn id(counter: u64, actor: [u8; 16]) -> OpId {
    OpId::new(counter, &ActorId::from(actor.as_slice()))
}

/// The operation that put the entry of 23 November, and its actor.
fn entry_op(document: &Document) -> OpId {
    let version = document.versions("attendance", "2026-11-23/entry").remove(0);
    id(version.op.counter, version.op.actor)
}

fn op(action: OpType, obj: ObjectId, key: &str, pred: Vec<OpId>) -> Op {
    Op { action, obj, key: Key::Map(key.into()), pred: pred.into(), insert: false }
}

fn scalar(value: i64) -> OpType {
    OpType::Put(ScalarValue::Int(value))
}

#[test]
fn an_honest_change_is_accepted() {
    let document = record();
    let change = bytes(&honest(&document, "2026-11-25/absence"));
    assert!(matches!(
        gate::judge(&document, &change, &Expectation::default()),
        Ok(Verdict::Sound(judged)) if judged.puts.len() == 1
    ));
}

#[test]
fn what_the_document_holds_is_known() {
    let mut document = record();
    let written = write(&document, ATTACKER, None, 0, &[put(66, "2026-11-25/absence")]).unwrap();
    give(&mut document, ATTACKER, None, &[put(66, "2026-11-25/absence")]);
    let same = write(&record(), ATTACKER, None, 1_763_884_800, &[put(66, "2026-11-25/absence")]).unwrap();
    assert!(matches!(gate::judge(&document, &same.chunk, &Expectation::default()), Ok(Verdict::Known(_))));
    // The same place in the graph with another time is another change of the same number.
    refused(&document, &written.chunk, Code::Duplicate);
}
