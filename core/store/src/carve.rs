//! Reading rows out of the pages of a damaged file, without SQLite, which gives up where the way to a page is
//! damaged. Whatever looks like a row of `outbox` or `meta` is taken; that a row is true its seal tells.
//!
//! The format: <https://www.sqlite.org/fileformat2.html>, sections 1.6 (b-tree pages), 2.1 (records), 4 (the
//! write-ahead log).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::schema::PAGE;

const WAL_HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;
/// Longest row believed: a command is some KB, a change at most 16.
const MAX_ROW: usize = 16 << 20;
/// Table leaf: the pages in which rows stand.
const LEAF: u8 = 13;

/// A row of four columns: rowid, name, number, data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CarvedRow {
    pub ordinal: i64,
    pub name: Vec<u8>,
    pub number: i64,
    pub data: Vec<u8>,
}

/// Calls with every row, first as the log leaves the pages, then as the database file alone has them.
pub(crate) fn rows(database: &Path, log: &Path, mut each: impl FnMut(CarvedRow)) -> io::Result<()> {
    let mut database = File::open(database)?;
    let mut with_log = match File::open(log) {
        Ok(mut log) => Some((committed_frames(&mut log)?, log)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if with_log.is_some() {
        carve(&mut Pages { database: &mut database, log: with_log.as_mut() }, &mut each)?;
    }
    carve(&mut Pages { database: &mut database, log: None }, &mut each)
}

/// Where each page's last committed image stands in the log.
fn committed_frames(log: &mut File) -> io::Result<HashMap<u32, u64>> {
    let length = log.metadata()?.len();
    let mut committed = HashMap::new();
    let mut open = HashMap::new();
    let mut salt = None;
    let mut at = WAL_HEADER;
    let mut header = [0; FRAME_HEADER];
    while at + (FRAME_HEADER + PAGE) as u64 <= length {
        log.seek(SeekFrom::Start(at))?;
        log.read_exact(&mut header)?;
        // Frames of an earlier round of the log follow the last of this one.
        let own = *salt.get_or_insert_with(|| salt_of(&header)) == salt_of(&header);
        if own {
            open.insert(word(&header, 0), at + FRAME_HEADER as u64);
            if word(&header, 4) != 0 {
                committed.extend(open.drain());
            }
        }
        at += (FRAME_HEADER + PAGE) as u64;
    }
    Ok(committed)
}

fn salt_of(header: &[u8; FRAME_HEADER]) -> (u32, u32) {
    (word(header, 8), word(header, 12))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn half(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..at + 2)
        .and_then(|half| half.try_into().ok())
        .map_or(0, |half| u16::from_be_bytes(half).into())
}

struct Pages<'a> {
    database: &'a mut File,
    log: Option<&'a mut (HashMap<u32, u64>, File)>,
}

impl Pages<'_> {
    /// The numbers of the pages that there are.
    fn numbers(&self) -> io::Result<BTreeSet<u32>> {
        let in_file = self.database.metadata()?.len().div_ceil(PAGE as u64);
        let in_log = self.log.iter().flat_map(|log| log.0.keys().copied());
        Ok((1..=u32::try_from(in_file).unwrap_or(u32::MAX)).chain(in_log).collect())
    }

    fn page(&mut self, number: u32) -> io::Result<Option<Vec<u8>>> {
        let Some(index) = number.checked_sub(1) else { return Ok(None) };
        let (file, at) = match &mut self.log {
            Some(log) if log.0.contains_key(&number) => {
                let at = log.0.get(&number).copied().unwrap_or(0);
                (&mut log.1, at)
            }
            _ => (&mut *self.database, u64::from(index) * PAGE as u64),
        };
        let mut page = Vec::with_capacity(PAGE);
        // A page that the disk does not give any more is lost; the others are not.
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.take(PAGE as u64).read_to_end(&mut page));
        if read.is_err() {
            return Ok(None);
        }
        // A file that was cut off ends in the middle of a page.
        let found = !page.is_empty();
        page.resize(PAGE, 0);
        Ok(found.then_some(page))
    }
}

fn carve(pages: &mut Pages<'_>, each: &mut impl FnMut(CarvedRow)) -> io::Result<()> {
    for number in pages.numbers()? {
        let Some(page) = pages.page(number)? else { continue };
        let start = if number == 1 { 100 } else { 0 };
        if page.get(start) != Some(&LEAF) {
            continue;
        }
        let cells = half(&page, start + 3).min(PAGE / 4);
        for cell in 0..cells {
            let at = half(&page, start + 8 + 2 * cell);
            if let Some((rowid, payload)) = payload(pages, &page, at)?
                && let Some(row) = row(rowid, &payload)
            {
                each(row);
            }
        }
    }
    Ok(())
}

/// The bytes of a row, from its leaf and the pages into which it overflows.
fn payload(pages: &mut Pages<'_>, page: &[u8], at: usize) -> io::Result<Option<(i64, Vec<u8>)>> {
    let mut rest = page.get(at..).unwrap_or_default();
    let (Some(length), Some(rowid)) = (varint(&mut rest), varint(&mut rest)) else { return Ok(None) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_ROW {
        return Ok(None);
    }
    let local = local_length(length);
    let Some((here, after)) = rest.split_at_checked(local) else { return Ok(None) };
    let mut payload = here.to_vec();
    let mut next = word(after, 0);
    let mut seen = HashSet::new();
    while payload.len() < length {
        if !seen.insert(next) {
            return Ok(None);
        }
        let Some(page) = pages.page(next)? else { return Ok(None) };
        let wanted = (length - payload.len()).min(PAGE - 4);
        payload.extend_from_slice(page.get(4..4 + wanted).unwrap_or_default());
        next = word(&page, 0);
    }
    Ok(Some((rowid, payload)))
}

/// How much of a row stands in its leaf.
fn local_length(length: usize) -> usize {
    const MOST: usize = PAGE - 35;
    const LEAST: usize = (PAGE - 12) * 32 / 255 - 23;
    if length <= MOST {
        return length;
    }
    let fitting = LEAST + (length - LEAST) % (PAGE - 4);
    if fitting <= MOST { fitting } else { LEAST }
}

/// A record of four columns of the types of ours: NULL (it is the rowid), blob, integer, blob.
fn row(ordinal: i64, payload: &[u8]) -> Option<CarvedRow> {
    let mut rest = payload;
    let header = usize::try_from(varint(&mut rest)?).ok()?;
    let mut types = payload.get(payload.len() - rest.len()..header)?;
    let [null, name, number, data] =
        [varint(&mut types)?, varint(&mut types)?, varint(&mut types)?, varint(&mut types)?];
    if !types.is_empty() || null != 0 {
        return None;
    }
    let body = payload.get(header..)?;
    let (name, body) = body.split_at_checked(blob(name)?)?;
    let (number, body) = match number {
        8 => (0, body),
        9 => (1, body),
        1 => (i64::from(i8::from_be_bytes([*body.first()?])), body.get(1..)?),
        _ => return None,
    };
    let (data, _) = body.split_at_checked(blob(data)?)?;
    Some(CarvedRow { ordinal, name: name.to_vec(), number, data: data.to_vec() })
}

/// Length of a blob of that type.
fn blob(kind: i64) -> Option<usize> {
    if kind >= 12 && kind % 2 == 0 { usize::try_from((kind - 12) / 2).ok() } else { None }
}

fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value: u64 = 0;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            value = value << 8 | u64::from(*byte);
            break;
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value.cast_signed())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::schema;

    /// Rows of all sizes, some in the log only, some replaced or removed.
    fn sample(directory: &Path) -> Connection {
        let mut connection = Connection::open(directory.join("db")).unwrap();
        schema::configure(&connection, false, false).unwrap();
        schema::migrate(&mut connection).unwrap();
        let put = |id: u64, length: usize| {
            connection
                .execute(
                    "INSERT INTO outbox (id, state, data) VALUES (?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE SET state = excluded.state, data = excluded.data",
                    rusqlite::params![
                        id.to_be_bytes().as_slice(),
                        (length % 5) as u8,
                        vec![id as u8; length]
                    ],
                )
                .unwrap();
        };
        (0..120).for_each(|id| put(id, 97 * id as usize + 1));
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        (60..160).for_each(|id| put(id, 31 * id as usize + 2));
        connection.execute("DELETE FROM outbox WHERE ordinal % 7 = 3", []).unwrap();
        connection
    }

    fn carved(directory: &Path) -> Vec<CarvedRow> {
        let mut out = Vec::new();
        rows(&directory.join("db"), &directory.join("db-wal"), |row| out.push(row)).unwrap();
        out
    }

    #[test]
    fn every_row_of_a_sound_file_is_found_also_in_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let connection = sample(directory.path());
        let carved = carved(directory.path());
        let mut query = connection.prepare("SELECT ordinal, id, state, data FROM outbox").unwrap();
        let rows = query.query_map([], |row| {
            Ok(CarvedRow { ordinal: row.get(0)?, name: row.get(1)?, number: row.get(2)?, data: row.get(3)? })
        });
        let rows: Vec<_> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        assert!(rows.len() > 130);
        for row in rows {
            let first = carved.iter().find(|carved| carved.name == row.name).expect("found");
            assert_eq!(
                (first.ordinal, first.number, first.data.len()),
                (row.ordinal, row.number, row.data.len())
            );
            assert_eq!(first.data, row.data);
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_run_on() {
        use proptest::prelude::*;
        let directory = tempfile::tempdir().unwrap();
        drop(sample(directory.path()));
        let (file, log) = (directory.path().join("db"), directory.path().join("db-wal"));
        let sound = std::fs::read(&file).unwrap();
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
        let flips = proptest::collection::vec((0..sound.len(), any::<u8>()), 1..400);
        runner
            .run(&(flips, proptest::collection::vec(any::<u8>(), 0..9_000)), |(flips, noise)| {
                let mut bytes = sound.clone();
                for (at, byte) in flips {
                    bytes[at] = byte;
                }
                std::fs::write(&file, bytes).unwrap();
                std::fs::write(&log, noise).unwrap();
                carved(directory.path());
                Ok(())
            })
            .unwrap();
    }
}
