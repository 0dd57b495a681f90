//! Bounds of a saved document, before Automerge loads it. Automerge believes what a document says of itself: how many
//! changes it has and how many operations each of them made. It takes memory for that before it finds it untrue.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::reader::{Found, Reader};
use super::{DEFLATED, MAX_COUNTER, actor, check_column, columns, header};

/// Largest saved document, in bytes.
pub const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// Largest sum of its columns after decompression, in bytes.
const MAX_EXPANDED: u64 = 32 * 1024 * 1024;
/// Most operations of a document: the largest sum of run counts in any column, and what its changes say that they
/// made. Automerge takes some 470 bytes per operation while it loads.
const MAX_OPERATIONS: u64 = 200_000;
/// Most changes.
const MAX_CHANGES: usize = 65_536;
/// Most actors, and most heads.
const MAX_ACTORS: u64 = 4_096;
/// Most actors times changes: for every 16th change Automerge keeps 4 bytes per actor.
const MAX_CLOCKS: u64 = 100_000_000;
/// Most columns of changes, and of operations.
const MAX_COLUMNS: u64 = 32;

const DOCUMENT_CHUNK: u8 = 0;
const MAX_OP: u64 = 0x13;
const DEPS_COUNT: u64 = 0x40;
const DEPS_INDEX: u64 = 0x43;

/// What the columns of changes say.
#[derive(Default)]
struct Changes {
    max_op: Vec<i64>,
    deps_count: Vec<i64>,
    deps_index: Vec<i64>,
}

/// Checks a saved document: one document chunk that stays small when it is expanded.
pub fn check_document(bytes: &[u8]) -> Found<()> {
    if bytes.len() > MAX_DOCUMENT {
        return Err("it is larger than 8 MB");
    }
    let mut reader = header(bytes, DOCUMENT_CHUNK)?;
    let actors = reader.count(MAX_ACTORS, "too many actors")?;
    for _ in 0..actors {
        actor(&mut reader)?;
    }
    let heads = reader.count(MAX_ACTORS, "too many heads")?;
    reader.take(32 * heads)?;
    let change_columns = columns(&mut reader, MAX_COLUMNS)?;
    let operation_columns = columns(&mut reader, MAX_COLUMNS)?;
    let mut expanded = 0u64;
    let mut changes = Changes::default();
    for (index, (spec, length)) in change_columns.iter().chain(&operation_columns).enumerate() {
        let length = usize::try_from(*length).map_err(|_| "a column is too long")?;
        let data = reader.take(length)?;
        let mut inflated = Vec::new();
        let column = if spec & DEFLATED == 0 {
            data
        } else {
            let room = MAX_EXPANDED.saturating_sub(expanded) + 1;
            DeflateDecoder::new(data)
                .take(room)
                .read_to_end(&mut inflated)
                .map_err(|_| "a column does not decompress")?;
            inflated.as_slice()
        };
        expanded += column.len() as u64;
        if expanded > MAX_EXPANDED {
            return Err("it is larger than 32 MB when expanded");
        }
        check_column(*spec, column, MAX_OPERATIONS)?;
        if index < change_columns.len() {
            match spec & !DEFLATED {
                MAX_OP => changes.max_op = deltas(column)?,
                DEPS_COUNT => changes.deps_count = values(column)?,
                DEPS_INDEX => changes.deps_index = deltas(column)?,
                _ => {}
            }
        }
    }
    changes.check(actors as u64)
}

impl Changes {
    fn check(&self, actors: u64) -> Found<()> {
        if self.max_op.len() > MAX_CHANGES || actors * self.max_op.len() as u64 > MAX_CLOCKS {
            return Err("too many changes");
        }
        if self.deps_count.len() != self.max_op.len() {
            return Err("its columns of changes differ in length");
        }
        let mut made = 0u64;
        let mut deps = self.deps_index.iter();
        for (index, (max_op, count)) in self.max_op.iter().zip(&self.deps_count).enumerate() {
            let max_op = u64::try_from(*max_op).map_err(|_| "a counter is out of range")?;
            if max_op > MAX_COUNTER {
                return Err("a counter is out of range");
            }
            let mut before = 0;
            for _ in 0..*count {
                let dep = deps.next().ok_or("its dependencies end too early")?;
                let dep = usize::try_from(*dep).ok().filter(|dep| *dep < index);
                let found = dep.and_then(|dep| self.max_op.get(dep)).and_then(|op| u64::try_from(*op).ok());
                before = before.max(found.ok_or("a change rests on none before it")?);
            }
            made += max_op.checked_sub(before).ok_or("a counter is below what it rests on")?;
            if made > MAX_OPERATIONS {
                return Err("too many operations");
            }
        }
        Ok(())
    }
}

/// The values of a column whose run counts have been added up.
fn values(column: &[u8]) -> Found<Vec<i64>> {
    read(column, |reader| i64::try_from(reader.unsigned()?).map_err(|_| "a number is too large"))
}

/// The values of a column of differences.
fn deltas(column: &[u8]) -> Found<Vec<i64>> {
    let mut values = read(column, |reader| reader.signed())?;
    let mut last = 0i64;
    for value in &mut values {
        last = last.checked_add(*value).ok_or("a number is too large")?;
        *value = last;
    }
    Ok(values)
}

fn read(column: &[u8], mut value: impl FnMut(&mut Reader<'_>) -> Found<i64>) -> Found<Vec<i64>> {
    let mut reader = Reader(column);
    let mut out = Vec::new();
    while !reader.0.is_empty() {
        let count = reader.signed()?;
        match count {
            0 => return Err("a number is missing"),
            1.. => {
                let value = value(&mut reader)?;
                out.extend((0..count).map(|_| value));
            }
            _ => {
                for _ in 0..count.unsigned_abs() {
                    out.push(value(&mut reader)?);
                }
            }
        }
    }
    Ok(out)
}
