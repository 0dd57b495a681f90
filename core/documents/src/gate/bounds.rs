//! Step 1: bounds, read by hand from the raw bytes before anything is allocated or handed to Automerge.

mod reader;
mod saved;

use reader::{Found, Reader};
pub use saved::{MAX_DOCUMENT, check_document};

/// Largest change chunk.
pub const MAX_CHUNK: usize = 16 * 1024;
/// Most dependencies of a change.
pub const MAX_DEPS: usize = 64;
/// Most operations of a change: the largest sum of run counts in any of its columns.
pub const MAX_OPERATIONS: usize = 4_096;
/// Longest key, in bytes.
const MAX_KEY: u64 = crate::fact::Fact::MAX_KEY as u64;
/// Most columns.
const MAX_COLUMNS: usize = 16;
/// Most actors that a change names besides its own.
const MAX_ACTORS: usize = 64;

/// Largest operation counter. Counters are 32 bits inside Automerge: a change near the end would make the next honest
/// one panic.
pub const MAX_COUNTER: u64 = u32::MAX as u64 - 2 * MAX_OPERATIONS as u64;
/// Times, in Unix seconds, lie between this and its negative, both excluded. A clock may be as wrong as it likes; but
/// Automerge stores differences between times, and one that does not fit into 64 bits makes the next honest write
/// panic.
pub const TIME_LIMIT: i64 = 1 << 62;

pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE_CHUNK: u8 = 1;
const DEFLATED: u64 = 8;

/// What the bounds read of a change on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Other actors that it names.
    pub other_actors: Vec<[u8; 16]>,
}

fn header<'a>(chunk: &'a [u8], chunk_type: u8) -> Found<Reader<'a>> {
    let mut reader = Reader(chunk);
    if reader.take(4)? != MAGIC {
        return Err("it is no Automerge chunk");
    }
    reader.take(4)?;
    if reader.byte()? != chunk_type {
        return Err("it is another type of chunk");
    }
    let length = reader.unsigned()?;
    if length != reader.0.len() as u64 {
        return Err("its length is wrong, or bytes follow it");
    }
    Ok(reader)
}

/// Whether Automerge can store a change's time beside any other.
pub fn is_time(time: i64) -> bool {
    -TIME_LIMIT < time && time < TIME_LIMIT
}

/// Checks a raw change chunk.
pub fn check_change(chunk: &[u8]) -> Found<Bounds> {
    if chunk.len() > MAX_CHUNK {
        return Err("it is larger than 16 KB");
    }
    let mut reader = header(chunk, CHANGE_CHUNK)?;
    let deps = reader.count(MAX_DEPS as u64, "more than 64 dependencies")?;
    reader.take(32 * deps)?;
    actor(&mut reader)?;
    reader.unsigned()?;
    let start_op = reader.unsigned()?;
    if start_op == 0 || start_op > MAX_COUNTER {
        return Err("its operation counter is out of range");
    }
    if !is_time(reader.signed()?) {
        return Err("its time is out of range");
    }
    if reader.unsigned()? != 0 {
        return Err("it has a message");
    }
    let others = reader.count(MAX_ACTORS as u64, "it names too many actors")?;
    let other_actors = (0..others).map(|_| actor(&mut reader)).collect::<Found<Vec<_>>>()?;
    let columns = columns(&mut reader, MAX_COLUMNS as u64)?;
    for (spec, length) in &columns {
        if spec & DEFLATED != 0 {
            return Err("it has a deflated column");
        }
        let length = usize::try_from(*length).map_err(|_| "a column is too long")?;
        check_column(*spec, reader.take(length)?, MAX_OPERATIONS as u64)?;
    }
    if !reader.0.is_empty() {
        return Err("bytes follow its columns");
    }
    Ok(Bounds { other_actors })
}

fn actor(reader: &mut Reader<'_>) -> Found<[u8; 16]> {
    if reader.unsigned()? != 16 {
        return Err("an actor has not 16 bytes");
    }
    reader.take(16)?.try_into().map_err(|_| "an actor has not 16 bytes")
}

fn columns(reader: &mut Reader<'_>, most: u64) -> Found<Vec<(u64, u64)>> {
    let count = reader.count(most, "too many columns")?;
    (0..count).map(|_| Ok((reader.unsigned()?, reader.unsigned()?))).collect()
}

/// Adds up the run counts of a column without expanding it.
fn check_column(spec: u64, bytes: &[u8], most: u64) -> Found<()> {
    const TOO_MANY: &str = "too many operations";
    let mut reader = Reader(bytes);
    let mut sum = 0u64;
    let mut add = |count: u64| {
        sum = sum.saturating_add(count);
        if sum > most { Err(TOO_MANY) } else { Ok(()) }
    };
    match spec & 7 {
        // Raw values: no runs.
        7 => Ok(()),
        // Booleans: lengths of alternating runs.
        4 => {
            while !reader.0.is_empty() {
                add(reader.unsigned()?)?;
            }
            Ok(())
        }
        column_type => {
            while !reader.0.is_empty() {
                let count = reader.signed()?;
                match count {
                    0 => add(reader.unsigned()?)?,
                    1.. => {
                        add(count.unsigned_abs())?;
                        skip_value(&mut reader, column_type)?;
                    }
                    _ => {
                        add(count.unsigned_abs())?;
                        for _ in 0..count.unsigned_abs() {
                            skip_value(&mut reader, column_type)?;
                        }
                    }
                }
            }
            Ok(())
        }
    }
}

fn skip_value(reader: &mut Reader<'_>, column_type: u64) -> Found<()> {
    match column_type {
        // Keys: a run repeats them, so that their length counts as often as the run says.
        5 => {
            let length = reader.count(MAX_KEY, "a key is longer than 200 bytes")?;
            reader.take(length).map(drop)
        }
        3 => reader.signed().map(drop),
        _ => reader.unsigned().map(drop),
    }
}
