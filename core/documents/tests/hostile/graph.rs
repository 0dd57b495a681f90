//! Places in the graph that no honest change has.

use automerge::ChangeHash;
use registro_documents::gate::Code;

use super::chunk::{Chunk, run};
use super::*;

#[test]
fn a_first_change_with_sequence_number_7_waits_for_the_others() {
    let document = record();
    let mut change = honest(&document, "2026-11-25/absence");
    change.seq = 7;
    refused(&document, &bytes(&change), Code::Missing);
}

#[test]
fn sequence_number_0_is_refused() {
    let document = record();
    let mut change = honest(&document, "2026-11-25/absence");
    change.seq = 0;
    refused(&document, &bytes(&change), Code::Form);
}

#[test]
fn another_change_of_a_used_sequence_number_is_a_duplicate() {
    let document = record();
    let mut change = honest(&document, "2026-11-25/absence");
    change.actor_id = ActorId::from(AUTHOR.as_slice());
    change.seq = 2;
    change.operations = change
        .operations
        .iter()
        .map(|op| match &op.obj {
            ObjectId::Id(object) if object.actor().to_bytes() == ATTACKER => {
                Op { obj: ObjectId::Id(id(object.counter(), AUTHOR)), ..op.clone() }
            }
            _ => op.clone(),
        })
        .collect();
    refused(&document, &bytes(&change), Code::Duplicate);
}

#[test]
fn a_change_beside_its_authors_last_one_is_refused() {
    let document = record();
    let genesis = Document::founded(Kind::PupilRecord).heads();
    let written = write(&document, AUTHOR, None, 0, &[put(66, "2026-11-25/absence")]).unwrap();
    let mut change = Change::from_bytes(written.chunk).unwrap().decode();
    let lower = change.start_op.get()
        - (Document::founded(Kind::PupilRecord).change_info(&genesis[0]).unwrap().max_op + 1);
    change.deps = genesis;
    let start = change.start_op.get() - lower;
    change.start_op = start.try_into().unwrap();
    let first = change.operations[0].obj.clone();
    change.operations = change
        .operations
        .iter()
        .map(|op| {
            if op.obj == first {
                op.clone()
            } else {
                Op { obj: ObjectId::Id(id(start, AUTHOR)), ..op.clone() }
            }
        })
        .collect();
    refused(&document, &bytes(&change), Code::Graph);
}

#[test]
fn reused_operation_ids_and_a_counter_below_the_dependencies_are_refused() {
    let document = record();
    for lower in [1, 2, 10] {
        let mut change = honest(&document, "2026-11-25/absence");
        let start = change.start_op.get() - lower;
        change.start_op = start.try_into().unwrap();
        let first = change.operations[0].obj.clone();
        for op in change.operations.iter_mut().filter(|op| op.obj != first) {
            op.obj = ObjectId::Id(id(start, ATTACKER));
        }
        refused(&document, &bytes(&change), Code::Form);
    }
}

#[test]
fn a_counter_far_ahead_that_would_win_every_conflict_is_refused() {
    let document = record();
    for (start, code) in
        [(1u64 << 30, Code::Form), (4_294_967_200, Code::Bounds), (u64::from(u32::MAX), Code::Bounds)]
    {
        let mut change = honest(&document, "2026-11-25/absence");
        change.start_op = start.try_into().unwrap();
        let first = change.operations[0].obj.clone();
        for op in change.operations.iter_mut().filter(|op| op.obj != first) {
            op.obj = ObjectId::Id(id(start, ATTACKER));
        }
        let encoded = std::panic::catch_unwind(|| bytes(&change));
        if let Ok(encoded) = encoded {
            refused(&document, &encoded, code);
        }
    }
    // What Automerge itself would not encode, by hand.
    for start_op in [4_294_967_200, u64::from(u32::MAX) + 1, u64::MAX] {
        let chunk = Chunk {
            deps: document.heads().iter().map(|head| head.0).collect(),
            actor: ATTACKER.to_vec(),
            seq: 1,
            start_op,
            columns: vec![(0x42, run(1, &[1]))],
            ..Chunk::default()
        };
        refused(&document, &chunk.bytes(), Code::Bounds);
    }
}

#[test]
fn unknown_dependencies_wait_and_come_before_the_sequence_number() {
    let document = record();
    let mut change = honest(&document, "2026-11-25/absence");
    change.seq = 9;
    change.deps.push(ChangeHash([5; 32]));
    refused(&document, &bytes(&change), Code::Missing);
}

#[test]
fn a_change_that_rests_on_nothing_is_refused() {
    let document = record();
    let mut change = honest(&document, "2026-11-25/absence");
    change.deps.clear();
    refused(&document, &bytes(&change), Code::Form);
}

#[test]
fn a_dependency_named_twice_and_more_than_64_are_refused() {
    let document = record();
    let mut change = honest(&document, "2026-11-25/absence");
    let first = change.deps[0];
    change.deps.push(first);
    refused(&document, &bytes(&change), Code::Form);
    change.deps = (0..65).map(|n| ChangeHash([n; 32])).collect();
    refused(&document, &bytes(&change), Code::Bounds);
}

#[test]
fn the_actor_of_the_genesis_is_nobodys() {
    let document = record();
    let genesis = document.change_info(&Document::founded(Kind::PupilRecord).heads()[0]).unwrap().actor;
    let mut change = honest(&document, "2026-11-25/absence");
    change.actor_id = ActorId::from(genesis.as_slice());
    for op in &mut change.operations {
        if let ObjectId::Id(object) = &op.obj
            && object.actor().to_bytes() == ATTACKER
        {
            op.obj = ObjectId::Id(id(object.counter(), genesis));
        }
    }
    refused(&document, &bytes(&change), Code::Form);
}
