//! Few bytes that stand for very many: refused before anything is allocated.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use registro_documents::gate::Code;

use super::chunk::{Chunk, run, signed, wrap};
use super::*;

/// Column types of a change: key text, action, value metadata, value, predecessor group.
const KEY: u64 = 0x15;
const INSERT: u64 = 0x34;
const ACTION: u64 = 0x42;
const VALUE_META: u64 = 0x56;
const PRED_GROUP: u64 = 0x70;

fn bomb(operations: i64) -> Vec<u8> {
    let mut insert = Vec::new();
    super::chunk::unsigned(operations as u64, &mut insert);
    Chunk {
        actor: ATTACKER.to_vec(),
        seq: 1,
        start_op: 1,
        columns: vec![
            (KEY, run(operations, &[1, b'k'])),
            (INSERT, insert),
            (ACTION, run(operations, &[1])),
            (VALUE_META, run(operations, &[0])),
            (PRED_GROUP, run(operations, &[0])),
        ],
        ..Chunk::default()
    }
    .bytes()
}

fn all() -> Vec<Vec<u8>> {
    let mut bombs: Vec<Vec<u8>> =
        [1_000_000, 20_000_000, 100_000_000, i64::MAX].into_iter().map(bomb).collect();
    // A run of nulls, of literals, and one whose sum overflows.
    let column = |data: Vec<u8>| Chunk {
        actor: ATTACKER.to_vec(),
        seq: 1,
        start_op: 1,
        columns: vec![(ACTION, data)],
        ..Chunk::default()
    };
    let mut nulls = vec![0];
    super::chunk::unsigned(1 << 40, &mut nulls);
    bombs.push(column(nulls).bytes());
    bombs.push(column(run(i64::MIN, &[1])).bytes());
    let mut twice = run(i64::MAX, &[1]);
    twice.extend(run(i64::MAX, &[1]));
    bombs.push(column(twice).bytes());
    // A deflated chunk, and a deflated column.
    let honest = bytes(&honest(&record(), "2026-11-25/absence"));
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 200_000_000]).unwrap();
    let deflated = encoder.finish().unwrap();
    bombs.push(wrap(2, &deflated));
    bombs.push(wrap(2, &honest[10..]));
    let mut deflated_column = column(deflated.iter().copied().take(8_000).collect());
    deflated_column.columns[0].0 |= 8;
    bombs.push(deflated_column.bytes());
    // More columns, deps and actors than anybody has; lengths that lie.
    let many = Chunk { columns: (0..17).map(|n| (n * 16 + 2, vec![])).collect(), ..column(vec![]) };
    bombs.push(many.bytes());
    bombs.push(Chunk { others: vec![vec![1; 16]; 65], ..column(vec![]) }.bytes());
    bombs.push(Chunk { deps: vec![[1; 32]; 65], ..column(vec![]) }.bytes());
    bombs.push(Chunk { rest: vec![0; 5], ..column(vec![]) }.bytes());
    let mut lies = vec![1, 0x85, 0x6f, 0x4a, 0x83];
    signed(i64::MAX, &mut lies);
    bombs.push(wrap(1, &lies));
    bombs
}

#[test]
fn bombs_are_refused() {
    let document = record();
    for bomb in all() {
        refused(&document, &bomb, Code::Bounds);
    }
}

#[test]
fn what_is_larger_than_16_kb_is_refused_unread() {
    let document = record();
    refused(&document, &vec![0x85; 16 * 1024 + 1], Code::Bounds);
    let mut change = honest(&document, "2026-11-25/absence");
    let fact = ObjectId::Id(id(change.start_op.get(), ATTACKER));
    let text = OpType::Put(ScalarValue::Str("x".repeat(17_000).into()));
    change.operations.push(op(text, fact, "text", vec![]));
    refused(&document, &bytes(&change), Code::Bounds);
}

#[test]
fn other_chunks_than_one_change_are_refused() {
    let document = record();
    let honest = bytes(&honest(&document, "2026-11-25/absence"));
    refused(&document, &document.save(), Code::Bounds);
    refused(&document, &[honest.clone(), honest.clone()].concat(), Code::Bounds);
    refused(&document, &[honest.clone(), vec![0]].concat(), Code::Bounds);
    refused(&document, &honest[..honest.len() - 1], Code::Bounds);
    refused(&document, &[], Code::Bounds);
    let mut wrong = honest;
    wrong[4] ^= 1;
    refused(&document, &wrong, Code::Form);
}

/// A document chunk that names one operation two hundred million times.
fn document_bomb() -> Vec<u8> {
    let mut body = Vec::new();
    let number = |value: u64, out: &mut Vec<u8>| super::chunk::unsigned(value, out);
    number(1, &mut body);
    number(16, &mut body);
    body.extend([7; 16]);
    number(0, &mut body);
    let column = run(200_000_000, &[1]);
    for _ in 0..2 {
        number(1, &mut body);
        number(ACTION, &mut body);
        number(column.len() as u64, &mut body);
    }
    body.extend_from_slice(&column);
    body.extend_from_slice(&column);
    wrap(0, &body)
}

#[test]
fn a_saved_document_that_expands_is_refused() {
    assert!(Document::load(&document_bomb()).is_err());
    assert!(Document::load(&vec![0x85; 9 * 1024 * 1024]).is_err());
}

/// The peak of this process's memory, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Runs in a process of its own, which [`bombs_cost_little_memory`] starts.
#[test]
fn bombs_in_a_process_of_their_own() {
    if std::env::var_os("REGISTRO_BOMBS").is_none() {
        return;
    }
    let bombs = all();
    // What making them took does not count.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let document = record();
    for bomb in bombs {
        assert!(gate::judge(&document, &bomb, &Expectation::default()).is_err());
    }
    assert!(Document::load(&document_bomb()).is_err());
    println!("peak {} MB", peak());
    assert!(peak() < 300, "{} MB", peak());
}

#[test]
#[cfg(target_os = "linux")]
fn bombs_cost_little_memory() {
    let done = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bombs::bombs_in_a_process_of_their_own", "--nocapture"])
        .env("REGISTRO_BOMBS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("peak"), "{said}");
}
