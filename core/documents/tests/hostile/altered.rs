//! Honest changes whose operations are altered, then encoded as Automerge would: what stands between them and the
//! document are the rules about graph and operations alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::ObjType;
use proptest::prelude::*;

use super::mutated::quiet;
use super::*;

#[derive(Debug, Clone)]
enum Alteration {
    Actor(u8),
    Seq(u64),
    StartOp(u64),
    /// Moves the counter and the change's own objects with it, as an honest one on other dependencies would.
    Shift(i64),
    Dependencies(usize),
    DropDependency(usize),
    Time(i64),
    Remove(usize),
    Repeat(usize),
    Swap(usize, usize),
    Object(usize, u64, u8),
    Root(usize),
    Key(usize, usize),
    Action(usize, usize),
    Predecessors(usize, Vec<(u64, u8)>),
    DropPredecessor(usize),
    Insert(usize),
}

const KEYS: [&str; 9] = [
    "v",
    "as",
    "slot",
    "time",
    "resolves",
    "annulled",
    "2026-11-23/entry",
    "2026-11-24/absence",
    "2026-11-25/absence",
];

fn actions() -> Vec<OpType> {
    vec![
        OpType::Delete,
        OpType::Increment(1),
        OpType::Make(ObjType::Map),
        OpType::Make(ObjType::List),
        OpType::Make(ObjType::Text),
        OpType::Put(ScalarValue::Null),
        OpType::Put(ScalarValue::Int(i64::MIN)),
        OpType::Put(ScalarValue::Int(1)),
        OpType::Put(ScalarValue::counter(3)),
        OpType::Put(ScalarValue::Timestamp(5)),
        OpType::Put(ScalarValue::Uint(u64::MAX)),
        OpType::Put(ScalarValue::Str("lesson".into())),
        OpType::Put(ScalarValue::Str("office".into())),
        OpType::Put(ScalarValue::Bytes(vec![66; 8])),
        OpType::Put(ScalarValue::Bytes(vec![66; 32])),
        OpType::Put(ScalarValue::Boolean(true)),
        OpType::Put(ScalarValue::Unknown { type_code: 12, bytes: vec![1, 2, 3] }),
    ]
}

/// Counters around those in use, and far from them.
fn counter() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1..60u64, 1 => any::<u64>(), 1 => Just(1 << 31), 1 => Just(u64::from(u32::MAX))]
}

fn actor() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), Just(7), Just(8), Just(9), Just(66), Just(200)]
}

fn alteration() -> impl Strategy<Value = Alteration> {
    let at = 0..12usize;
    prop_oneof![
        actor().prop_map(Alteration::Actor),
        prop_oneof![0..5u64, any::<u64>()].prop_map(Alteration::Seq),
        counter().prop_map(Alteration::StartOp),
        (-20..20i64).prop_map(Alteration::Shift),
        (0..6usize).prop_map(Alteration::Dependencies),
        (0..3usize).prop_map(Alteration::DropDependency),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(Alteration::Time),
        at.clone().prop_map(Alteration::Remove),
        at.clone().prop_map(Alteration::Repeat),
        (at.clone(), at.clone()).prop_map(|(a, b)| Alteration::Swap(a, b)),
        (at.clone(), counter(), actor()).prop_map(|(at, n, actor)| Alteration::Object(at, n, actor)),
        at.clone().prop_map(Alteration::Root),
        (at.clone(), 0..KEYS.len()).prop_map(|(at, key)| Alteration::Key(at, key)),
        (at.clone(), 0..17usize).prop_map(|(at, action)| Alteration::Action(at, action)),
        (at.clone(), proptest::collection::vec((counter(), actor()), 0..3))
            .prop_map(|(at, pred)| Alteration::Predecessors(at, pred)),
        at.clone().prop_map(Alteration::DropPredecessor),
        at.prop_map(Alteration::Insert),
    ]
}

fn actor_bytes(actor: u8) -> [u8; 16] {
    // The genesis's, or one byte throughout.
    if actor == 0 { [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] } else { [actor; 16] }
}

fn alter(change: &mut ExpandedChange, alteration: &Alteration, document: &Document) {
    let count = change.operations.len().max(1);
    let own = change.actor_id.clone();
    let mut rename = |old: &ActorId, new: &ActorId, by: i64| {
        for op in &mut change.operations {
            if let ObjectId::Id(object) = &op.obj
                && object.actor() == old
            {
                op.obj = ObjectId::Id(OpId::new(object.counter().saturating_add_signed(by), new));
            }
        }
    };
    match alteration {
        Alteration::Actor(actor) => {
            let new = ActorId::from(actor_bytes(*actor).as_slice());
            rename(&own, &new, 0);
            change.actor_id = new;
        }
        Alteration::Shift(by) => {
            rename(&own, &own, *by);
            if let Ok(start) = change.start_op.get().saturating_add_signed(*by).try_into() {
                change.start_op = start;
            }
        }
        Alteration::Seq(seq) => change.seq = *seq,
        Alteration::StartOp(start) => {
            if let Ok(start) = (*start).try_into() {
                change.start_op = start;
            }
        }
        Alteration::Dependencies(which) => {
            change.deps = document.changes_in_order().skip(*which).take(1).collect();
        }
        Alteration::DropDependency(which) => {
            if *which < change.deps.len() {
                change.deps.remove(*which);
            }
        }
        Alteration::Time(time) => change.time = *time,
        Alteration::Swap(a, b) if change.operations.len() > 1 => change.operations.swap(a % count, b % count),
        Alteration::Remove(at) if change.operations.len() > 1 => drop(change.operations.remove(at % count)),
        Alteration::Repeat(at) => {
            if let Some(op) = change.operations.get(at % count).cloned() {
                change.operations.push(op);
            }
        }
        Alteration::Object(at, counter, actor) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                op.obj = ObjectId::Id(id(*counter, actor_bytes(*actor)));
            }
        }
        Alteration::Root(at) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                op.obj = ObjectId::Root;
            }
        }
        Alteration::Key(at, key) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                op.key = Key::Map(KEYS[*key].into());
            }
        }
        Alteration::Action(at, action) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                op.action = actions()[*action].clone();
            }
        }
        Alteration::Predecessors(at, pred) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                let pred: Vec<_> = pred.iter().map(|(n, actor)| id(*n, actor_bytes(*actor))).collect();
                op.pred = pred.into();
            }
        }
        Alteration::DropPredecessor(at) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                let pred: Vec<_> = op.pred.iter().skip(1).cloned().collect();
                op.pred = pred.into();
            }
        }
        Alteration::Insert(at) => {
            if let Some(op) = change.operations.get_mut(at % count) {
                op.insert = true;
            }
        }
        Alteration::Swap(..) | Alteration::Remove(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the gate accepts applies, saves, loads and takes the next change, whatever was done to the operations.
    #[test]
    fn what_is_accepted_never_harms_the_document(
        key in prop_oneof![Just("2026-11-25/absence"), Just("2026-11-23/entry"), Just("2026-11-24/absence")],
        alterations in proptest::collection::vec(alteration(), 1..4),
    ) {
        quiet();
        let mut document = record();
        let mut change = honest(&document, key);
        for alteration in &alterations {
            alter(&mut change, alteration, &document);
        }
        // What Automerge would not even encode is covered by the mutated bytes.
        let Ok(chunk) = catch_unwind(AssertUnwindSafe(|| bytes(&change))) else { return Ok(()) };
        if let Ok(Verdict::Sound(judged)) = gate::judge(&document, &chunk, &Expectation::default()) {
            gate::admit(&mut document, judged).unwrap();
        }
        is_sound(&document);
    }
}
