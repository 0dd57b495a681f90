//! A fact from the pen to the reader: written, judged by the gate, applied, saved, loaded, merged.

use registro_documents::gate::{self, Code, Expectation, Verdict};
use registro_documents::write::{Put, write};
use registro_documents::{ChangeHash, Document, Fact, Kind};
use registro_model::{Capacity, CommandId};

fn absence(v: u8, slot: u8) -> Put {
    Put {
        section: "attendance".into(),
        key: "2026-11-23/absence".into(),
        fact: Fact::new(CommandId([v; 8]), Capacity::Lesson).with("slot", slot),
    }
}

fn entry(v: u8, time: &str) -> Put {
    Put {
        section: "attendance".into(),
        key: "2026-11-23/entry".into(),
        fact: Fact::new(CommandId([v; 8]), Capacity::Lesson).with("slot", 1u8).with("time", time),
    }
}

/// Writes on the given heads and lets the result through the gate.
fn give(document: &mut Document, actor: u8, heads: Option<&[ChangeHash]>, puts: &[Put]) -> ChangeHash {
    let written = write(document, [actor; 16], heads, 1_763_884_800, puts).unwrap();
    let expect = Expectation {
        hash: Some(written.hash.0),
        actor: Some([actor; 16]),
        command: Some(puts[0].fact.v),
        capacity: Some(Capacity::Lesson),
        accepted_by_hub: false,
    };
    let Verdict::Sound(judged) = gate::judge(document, &written.chunk, &expect).unwrap() else {
        panic!("a new change is not known")
    };
    gate::admit(document, judged).unwrap();
    written.hash
}

#[test]
fn a_fact_written_is_read_again_after_save_and_load() {
    for kind in Kind::ALL {
        let founded = Document::founded(kind);
        assert_eq!(Document::load(&founded.save()).unwrap().kind(), kind);
    }
    let mut record = Document::founded(Kind::PupilRecord);
    let hash = give(&mut record, 7, None, &[absence(1, 1)]);
    let loaded = Document::load(&record.save()).unwrap();
    assert_eq!(loaded.heads(), record.heads());
    let versions = loaded.versions("attendance", "2026-11-23/absence");
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].change, hash);
    assert_eq!(versions[0].fact.slot(), Some(1));
    assert_eq!(loaded.keys_written_by(&hash), [("attendance".to_owned(), "2026-11-23/absence".to_owned())]);
}

#[test]
fn concurrent_values_stay_until_a_resolution_supersedes_them() {
    let mut record = Document::founded(Kind::PupilRecord);
    let genesis = record.heads();
    give(&mut record, 1, Some(&genesis), &[entry(1, "08:40")]);
    give(&mut record, 2, Some(&genesis), &[entry(2, "08:45")]);
    assert_eq!(record.versions("attendance", "2026-11-23/entry").len(), 2);
    give(&mut record, 1, None, &[entry(3, "08:42")]);
    let versions = record.versions("attendance", "2026-11-23/entry");
    assert_eq!(versions.len(), 1);
    assert!(versions[0].fact.resolves().is_some());
}

#[test]
fn a_saved_document_keeps_the_order_of_its_changes() {
    let mut record = Document::founded(Kind::PupilRecord);
    let genesis = record.heads();
    for n in 1..20u8 {
        let heads = (n % 3 == 0).then_some(genesis.as_slice());
        give(&mut record, n, heads, &[entry(n, "08:40")]);
    }
    let once = Document::load(&record.save()).unwrap();
    let twice = Document::load(&once.save()).unwrap();
    assert_eq!(once.changes_in_order().collect::<Vec<_>>(), twice.changes_in_order().collect::<Vec<_>>());
}

#[test]
fn what_rests_on_an_absent_change_is_missing_and_leaves_no_trace() {
    let mut author = Document::founded(Kind::PupilRecord);
    let other = author.clone();
    give(&mut author, 1, None, &[absence(1, 1)]);
    let second = write(&author, [1; 16], None, 0, &[entry(2, "08:40")]).unwrap();
    let refusal = gate::judge(&other, &second.chunk, &Expectation::default()).unwrap_err();
    assert_eq!(refusal.code, Code::Missing);
}

#[test]
fn a_reused_sequence_number_is_a_duplicate() {
    let mut record = Document::founded(Kind::PupilRecord);
    let copy = record.clone();
    give(&mut record, 1, None, &[absence(1, 1)]);
    let again = write(&copy, [1; 16], None, 0, &[entry(2, "08:40")]).unwrap();
    let refusal = gate::judge(&record, &again.chunk, &Expectation::default()).unwrap_err();
    assert_eq!(refusal.code, Code::Duplicate);
}
