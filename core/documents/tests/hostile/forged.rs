//! Operations that no honest change has.

use automerge::ObjType;
use registro_documents::gate::Code;

use super::*;

fn altered(document: &Document, alter: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
    let mut change = honest(document, "2026-11-25/absence");
    alter(&mut change);
    bytes(&change)
}

/// An honest change with one more operation at its end.
fn with_op(document: &Document, op: Op) -> Vec<u8> {
    altered(document, |change| change.operations.push(op))
}

#[test]
fn an_operation_in_an_unknown_object_is_refused() {
    let document = record();
    let unknown = ObjectId::Id(id(9_999, AUTHOR));
    refused(&document, &with_op(&document, op(scalar(1), unknown, "x", vec![])), Code::Form);
    let beyond = ObjectId::Id(id(900, [0; 16]));
    refused(&document, &with_op(&document, op(scalar(1), beyond, "x", vec![])), Code::Form);
}

#[test]
fn an_operation_of_an_unknown_actor_is_refused() {
    let document = record();
    let nobody = ObjectId::Id(id(1, [200; 16]));
    refused(&document, &with_op(&document, op(scalar(1), nobody, "x", vec![])), Code::Form);
}

#[test]
fn a_scalar_as_object_is_refused() {
    let document = record();
    let entry = entry_op(&document);
    // The operation after the one that made the fact put a scalar into it.
    let field = ObjectId::Id(id(entry.counter() + 1, AUTHOR));
    refused(&document, &with_op(&document, op(scalar(1), field, "x", vec![])), Code::Form);
    let own = honest(&document, "2026-11-25/absence").start_op.get() + 1;
    let own = ObjectId::Id(id(own, ATTACKER));
    refused(&document, &with_op(&document, op(scalar(1), own, "x", vec![])), Code::Form);
}

#[test]
fn predecessors_of_another_key_or_of_nowhere_are_refused() {
    let document = record();
    let entry = entry_op(&document);
    for pred in [entry, id(9_999, AUTHOR), id(1, AUTHOR), id(3, ATTACKER)] {
        let forged = altered(&document, |change| change.operations[0].pred = vec![pred].into());
        refused(&document, &forged, Code::Form);
    }
}

#[test]
fn a_predecessor_left_out_or_too_many_are_refused() {
    let document = record();
    let mut change = honest(&document, "2026-11-23/entry");
    assert_eq!(change.operations[0].pred.len(), 1);
    change.operations[0].pred = vec![].into();
    refused(&document, &bytes(&change), Code::Form);
    // Over a conflict: one of two.
    let mut change = honest(&document, "2026-11-24/absence");
    assert_eq!(change.operations[0].pred.len(), 2);
    let one = change.operations[0].pred.get(0).unwrap().clone();
    change.operations[0].pred = vec![one].into();
    refused(&document, &bytes(&change), Code::Form);
}

#[test]
fn a_resolution_must_say_what_it_resolves() {
    let document = record();
    let resolves = |change: &ExpandedChange| {
        change.operations.iter().position(|op| op.key == Key::Map("resolves".into()))
    };
    let mut change = honest(&document, "2026-11-24/absence");
    let at = resolves(&change).unwrap();
    change.operations[at].action = OpType::Put(ScalarValue::Bytes(vec![1; 32]));
    refused(&document, &bytes(&change), Code::Form);
    let mut change = honest(&document, "2026-11-24/absence");
    change.operations.remove(at);
    refused(&document, &bytes(&change), Code::Form);
    // And who resolves nothing must not say so.
    let mut change = honest(&document, "2026-11-25/absence");
    let fact = ObjectId::Id(id(change.start_op.get(), ATTACKER));
    let digest = OpType::Put(ScalarValue::Bytes(vec![1; 32]));
    change.operations.push(op(digest, fact, "resolves", vec![]));
    refused(&document, &bytes(&change), Code::Form);
}

#[test]
fn an_operation_on_the_root_is_refused() {
    let document = record();
    let map = OpType::Make(ObjType::Map);
    refused(&document, &with_op(&document, op(map, ObjectId::Root, "attendance", vec![])), Code::Form);
    refused(&document, &with_op(&document, op(scalar(1), ObjectId::Root, "x", vec![])), Code::Form);
    refused(
        &document,
        &with_op(&document, op(OpType::Delete, ObjectId::Root, "attendance", vec![])),
        Code::Form,
    );
}

#[test]
fn deletes_also_the_one_that_confirms_a_winner_are_refused() {
    let document = record();
    let section = honest(&document, "2026-11-23/entry").operations[0].obj.clone();
    let entry = entry_op(&document);
    let delete = op(OpType::Delete, section.clone(), "2026-11-23/entry", vec![entry]);
    refused(&document, &with_op(&document, delete), Code::Form);
    let versions = document.versions("attendance", "2026-11-24/absence");
    let loser = id(versions[0].op.counter, versions[0].op.actor);
    let confirm = op(OpType::Delete, section, "2026-11-24/absence", vec![loser]);
    refused(&document, &with_op(&document, confirm), Code::Form);
}

#[test]
fn counters_lists_texts_and_tables_are_refused() {
    let document = record();
    let change = honest(&document, "2026-11-25/absence");
    let fact = ObjectId::Id(id(change.start_op.get(), ATTACKER));
    for action in [
        OpType::Increment(1),
        OpType::Make(ObjType::List),
        OpType::Make(ObjType::Text),
        OpType::Make(ObjType::Table),
        OpType::Put(ScalarValue::counter(1)),
        OpType::Put(ScalarValue::F64(1.5)),
        OpType::Put(ScalarValue::Uint(1)),
        OpType::Put(ScalarValue::Timestamp(1)),
        OpType::Put(ScalarValue::Null),
    ] {
        refused(&document, &with_op(&document, op(action, fact.clone(), "x", vec![])), Code::Form);
    }
    let section = change.operations[0].obj.clone();
    for action in [OpType::Make(ObjType::List), OpType::Make(ObjType::Text), scalar(1)] {
        refused(
            &document,
            &with_op(&document, op(action, section.clone(), "2026-11-26/absence", vec![])),
            Code::Form,
        );
    }
    let insert = Op { action: scalar(1), obj: fact, key: Key::head(), pred: vec![].into(), insert: true };
    refused(&document, &with_op(&document, insert), Code::Form);
}

#[test]
fn nothing_is_put_into_an_existing_fact() {
    let document = record();
    let entry = ObjectId::Id(entry_op(&document));
    refused(&document, &with_op(&document, op(scalar(1), entry.clone(), "slot", vec![])), Code::Form);
    let slot = id(entry_op(&document).counter() + 3, AUTHOR);
    refused(&document, &with_op(&document, op(scalar(1), entry, "slot", vec![slot])), Code::Form);
}

#[test]
fn a_fact_needs_its_version_its_capacity_and_known_fields() {
    let document = record();
    for name in ["v", "as", "slot"] {
        let forged = altered(&document, |change| {
            let at = change.operations.iter().position(|op| op.key == Key::Map(name.into())).unwrap();
            change.operations.remove(at);
        });
        refused(&document, &forged, Code::Form);
        let forged = altered(&document, |change| {
            let at = change.operations.iter().position(|op| op.key == Key::Map(name.into())).unwrap();
            change.operations[at].action = OpType::Put(ScalarValue::Boolean(true));
        });
        refused(&document, &forged, Code::Form);
    }
    let change = honest(&document, "2026-11-25/absence");
    let fact = ObjectId::Id(id(change.start_op.get(), ATTACKER));
    refused(&document, &with_op(&document, op(scalar(1), fact, "unheard_of", vec![])), Code::Form);
}

#[test]
fn a_key_outside_the_grammar_is_refused() {
    let document = record();
    for key in ["", "2026-11-25", "2026-13-45/absence", "2026-11-25/absence/x", "../x", "2026-11-25/out/XYZ"]
    {
        let forged = altered(&document, |change| change.operations[0].key = Key::Map(key.into()));
        let verdict = gate::judge(&document, &forged, &Expectation::default());
        assert!(verdict.is_err(), "{key}");
    }
    let long = "k".repeat(201);
    refused(
        &document,
        &altered(&document, |change| change.operations[0].key = Key::Map(long.as_str().into())),
        Code::Bounds,
    );
    is_sound(&document);
}

#[test]
fn facts_of_two_commands_or_capacities_in_one_change_are_refused() {
    let document = record();
    let two = |other: Put| {
        let puts = [put(66, "2026-11-25/absence"), other];
        write(&document, ATTACKER, None, 1_763_884_800, &puts).unwrap().chunk
    };
    let sound = two(put(66, "2026-11-26/absence"));
    assert!(gate::judge(&document, &sound, &Expectation::default()).is_ok());
    refused(&document, &two(put(67, "2026-11-26/absence")), Code::Form);
    let mut office = put(66, "2026-11-26/absence");
    office.fact.capacity = Capacity::Office;
    refused(&document, &two(office), Code::Form);
}

#[test]
fn another_fact_of_a_version_that_is_there_is_refused() {
    let mut document = record();
    give(&mut document, AUTHOR, None, &[put(50, "2026-11-30/entry")]);
    let genesis = [registro_documents::genesis::hash(document.kind())];
    let beside = |put: Put| write(&document, ATTACKER, Some(&genesis), 1_763_884_800, &[put]).unwrap().chunk;
    // The same fact of the same version is one fact, whoever writes it.
    let same = beside(put(50, "2026-11-30/entry"));
    assert!(gate::judge(&document, &same, &Expectation::default()).is_ok());
    let mut other = put(50, "2026-11-30/entry");
    other.fact = other.fact.with("time", "09:10");
    refused(&document, &beside(other), Code::Form);
}

#[test]
fn a_key_put_twice_is_refused() {
    let document = record();
    let change = honest(&document, "2026-11-25/absence");
    let next = change.start_op.get() + change.operations.len() as u64;
    let forged = altered(&document, |change| {
        let copy: Vec<Op> = change.operations.clone();
        for mut op in copy {
            if op.obj != change.operations[0].obj {
                op.obj = ObjectId::Id(id(next, ATTACKER));
            }
            change.operations.push(op);
        }
    });
    refused(&document, &forged, Code::Form);
}

#[test]
fn messages_and_extra_bytes_are_refused() {
    let document = record();
    refused(&document, &altered(&document, |c| c.message = Some("ciao".to_owned())), Code::Bounds);
    let extra = altered(&document, |c| c.extra_bytes = vec![1, 2, 3]);
    refused(&document, &extra, Code::Bounds);
}

#[test]
fn the_envelope_binds_actor_command_and_capacity() {
    let document = record();
    let chunk = bytes(&honest(&document, "2026-11-25/absence"));
    let sound = Expectation {
        hash: gate::chunk_hash(&chunk).map(|hash| hash.0),
        actor: Some(ATTACKER),
        command: Some(CommandId([66; 8])),
        capacity: Some(Capacity::Lesson),
        accepted_by_hub: false,
    };
    assert!(gate::judge(&document, &chunk, &sound).is_ok());
    for wrong in [
        Expectation { hash: Some([1; 32]), ..sound },
        Expectation { actor: Some(AUTHOR), ..sound },
        Expectation { command: Some(CommandId([1; 8])), ..sound },
        Expectation { capacity: Some(Capacity::Office), ..sound },
    ] {
        assert_eq!(gate::judge(&document, &chunk, &wrong).unwrap_err().code, Code::Form);
    }
}
