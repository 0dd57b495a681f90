//! Honest changes with some bytes changed, and honest histories.

use proptest::prelude::*;

use super::chunk::with_checksum;
use super::*;

pub fn quiet() {
    // Automerge's own panics are caught by the gate; their traces would only hide what matters.
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let ours = info.location().is_some_and(|at| !at.file().contains("automerge"));
            if ours {
                before(info);
            }
        }));
    });
}

#[derive(Debug, Clone)]
pub enum Mutation {
    Flip(usize, u8),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Copy(usize, usize, usize),
}

pub fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        6 => (any::<usize>(), 1..=255u8).prop_map(|(at, with)| Mutation::Flip(at, with)),
        1 => (any::<usize>(), 1..8usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        1 => (any::<usize>(), proptest::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        1 => (any::<usize>(), any::<usize>(), 1..8usize)
            .prop_map(|(from, to, count)| Mutation::Copy(from, to, count)),
    ]
}

pub fn mutate(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let length = bytes.len().max(1);
        match mutation {
            Mutation::Flip(at, with) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte ^= with;
                }
            }
            Mutation::Remove(at, count) => {
                let at = at % length;
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Mutation::Insert(at, new) => {
                let at = at % length;
                bytes.splice(at..at, new.iter().copied());
            }
            Mutation::Copy(from, to, count) => {
                let from = from % length;
                let piece: Vec<u8> = bytes.iter().skip(from).take(*count).copied().collect();
                for (index, byte) in piece.into_iter().enumerate() {
                    if let Some(place) = bytes.get_mut(to % length + index) {
                        *place = byte;
                    }
                }
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the gate accepts applies, saves, loads and takes the next change, whatever was done to the bytes.
    #[test]
    fn what_is_accepted_never_harms_the_document(
        key in prop_oneof![Just("2026-11-25/absence"), Just("2026-11-23/entry"), Just("2026-11-24/absence")],
        mutations in proptest::collection::vec(mutation(), 1..4),
        checksum in any::<bool>(),
    ) {
        quiet();
        let mut document = record();
        let chunk = mutate(bytes(&honest(&document, key)), &mutations);
        // Without a valid checksum nothing gets past the second step.
        let chunk = if checksum { with_checksum(chunk) } else { chunk };
        if let Ok(Verdict::Sound(judged)) = gate::judge(&document, &chunk, &Expectation::default()) {
            gate::admit(&mut document, judged).unwrap();
        }
        is_sound(&document);
    }

    /// Loading is safe on any bytes that resemble a document.
    #[test]
    fn a_mutated_document_loads_or_is_an_error(
        mutations in proptest::collection::vec(mutation(), 1..4),
        checksum in any::<bool>(),
    ) {
        quiet();
        let saved = mutate(record().save(), &mutations);
        let saved = if checksum { with_checksum(saved) } else { saved };
        if let Ok(document) = Document::load(&saved) {
            let _ = document.keys("attendance");
        }
    }
}

#[derive(Debug, Clone)]
struct Write {
    actor: u8,
    /// How many of the newest changes its author has not seen.
    behind: usize,
    keys: Vec<(u8, u8)>,
    annul: bool,
}

fn write_strategy() -> impl Strategy<Value = Write> {
    (1..6u8, 0..4usize, proptest::collection::vec((0..3u8, 0..3u8), 1..4), any::<bool>())
        .prop_map(|(actor, behind, keys, annul)| Write { actor, behind, keys, annul })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Honest writers, stale and current, over conflicts and not, are never refused for their form.
    #[test]
    fn honest_histories_pass(writes in proptest::collection::vec(write_strategy(), 1..25)) {
        let mut document = Document::founded(Kind::PupilRecord);
        // The heads after every change: what a device that is behind has seen.
        let mut history = vec![document.heads()];
        let mut last: std::collections::BTreeMap<u8, ChangeHash> = std::collections::BTreeMap::new();
        for (number, w) in writes.iter().enumerate() {
            let mut heads = history[history.len().saturating_sub(1 + w.behind)].clone();
            if let Some(own) = last.get(&w.actor)
                && !document.is_ancestor(own, &heads)
            {
                heads.push(*own);
            }
            let v = CommandId([number as u8 + 1; 8]);
            let mut puts: Vec<Put> = Vec::new();
            for (day, what) in &w.keys {
                let (name, fact) = match what {
                    0 => ("absence", Fact::new(v, Capacity::Lesson).with("slot", 1u8)),
                    1 => ("entry", Fact::new(v, Capacity::Lesson).with("slot", 1u8).with("time", "08:40")),
                    _ => ("exit", Fact::new(v, Capacity::Lesson).with("slot", 4u8).with("time", "12:00")),
                };
                let fact = if w.annul { fact.annulled_by(v, Capacity::Lesson, "a mistake") } else { fact };
                let key = format!("2026-11-2{day}/{name}");
                if !puts.iter().any(|put| put.key == key) {
                    puts.push(Put { section: "attendance".into(), key, fact });
                }
            }
            let written = write(&document, [w.actor; 16], Some(&heads), 0, &puts).unwrap();
            let expect = Expectation { command: Some(v), ..Expectation::default() };
            match gate::judge(&document, &written.chunk, &expect) {
                Ok(Verdict::Sound(judged)) => gate::admit(&mut document, judged).unwrap(),
                other => prop_assert!(false, "{other:?}"),
            }
            last.insert(w.actor, written.hash);
            history.push(document.heads());
        }
        let loaded = Document::load(&document.save()).unwrap();
        prop_assert_eq!(super::heads(&loaded), super::heads(&document));
    }
}
