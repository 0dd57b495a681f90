//! A second copy, beside the database, of what cannot be fetched again: the commands that the hub has not
//! confirmed, and the few things without which they could not be sent (whose store it is, its signing key).
//!
//! An append-only file, written and synced after each commit and before the commit is acknowledged, made anew when
//! it has grown. What stands in it is sealed as in the database, under the person's keys; each record begins with a
//! mark, so that damage takes only the record in which it is. The database is the truth wherever it opens.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::files;
use crate::keys::Keys;
use crate::seal::place;
use crate::tables::{CONFIRMED, command_place};

const NAME: &str = "outbox.copy";
/// Begins each record.
const MARK: [u8; 8] = [0xd7, b'R', b'g', b'C', 0x1a, 0x0a, 0x91, 0x01];
/// Mark, kind, state, ordinal, name, length.
const HEAD: usize = 8 + 1 + 1 + 8 + 16 + 4;
/// Below this the file is not made anew.
const SMALL: u64 = 256 * 1024;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Command = 1,
    Settled = 2,
    Meta = 3,
    Seals = 4,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    kind: Kind,
    state: u8,
    ordinal: i64,
    name: [u8; 16],
    sealed: Vec<u8>,
}

/// A command as a row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandRow {
    pub ordinal: i64,
    pub state: u8,
    pub sealed: Vec<u8>,
}

impl Record {
    /// A command that the hub has not confirmed, as its row holds it.
    pub(crate) fn command(id: [u8; 8], row: &CommandRow) -> Self {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&id);
        Self { kind: Kind::Command, state: row.state, ordinal: row.ordinal, name, sealed: row.sealed.clone() }
    }

    /// A command that was confirmed.
    pub(crate) fn settled(id: [u8; 8], keys: &Keys) -> Result<Self, StoreError> {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&id);
        let sealed = keys.outbox.seal(&place("copy/settled", b"", &id), b"")?;
        Ok(Self { kind: Kind::Settled, state: CONFIRMED, ordinal: 0, name, sealed })
    }

    /// Something kept that the device remembers, as its row holds it.
    pub(crate) fn meta(name: [u8; 16], sealed: Vec<u8>) -> Self {
        Self { kind: Kind::Meta, state: 0, ordinal: 0, name, sealed }
    }

    /// How often a key has sealed.
    pub(crate) fn seals(key: u32, used: u64, keys: &Keys) -> Result<Self, StoreError> {
        let mut name = [0; 16];
        name[..4].copy_from_slice(&key.to_be_bytes());
        let sealed = keys.meta.seal(&place("copy/seals", b"", &name), &used.to_be_bytes())?;
        Ok(Self { kind: Kind::Seals, state: 0, ordinal: 0, name, sealed })
    }

    fn id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        id.copy_from_slice(&self.name[..8]);
        id
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MARK);
        out.push(self.kind as u8);
        out.push(self.state);
        out.extend_from_slice(&self.ordinal.to_be_bytes());
        out.extend_from_slice(&self.name);
        out.extend_from_slice(&(self.sealed.len() as u32).to_be_bytes());
        out.extend_from_slice(&self.sealed);
    }
}

/// What a file says in the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// Commands that are not confirmed, in so far as they open.
    pub commands: BTreeMap<[u8; 8], CommandRow>,
    /// What is kept.
    pub metas: BTreeMap<[u8; 16], Vec<u8>>,
    /// Seals per key.
    pub seals: BTreeMap<u32, u64>,
    /// Commands of which a record does not open.
    pub unreadable: BTreeSet<[u8; 8]>,
    /// Whether anything of it did not read, but for a last record that was never finished.
    pub damaged: bool,
    /// Whether the last record was never finished.
    pub torn: bool,
}

/// The file, open for appending.
pub(crate) struct SecondCopy {
    path: PathBuf,
    durable: bool,
    file: Option<File>,
    length: u64,
    /// What it would take without settled commands, when it was last looked at.
    needed: u64,
    /// Whether the file lacks something that was committed: it is to be made anew.
    pub stale: bool,
}

impl SecondCopy {
    /// The file of a store, whether it is there or not.
    pub(crate) fn of(directory: &Path, durable: bool) -> Self {
        let path = directory.join(NAME);
        let length = std::fs::metadata(&path).map_or(0, |data| data.len());
        Self { path, durable, file: None, length, needed: length, stale: false }
    }

    /// Whether a store has one.
    pub(crate) fn exists(directory: &Path) -> bool {
        directory.join(NAME).exists()
    }

    /// Whether settled commands take more room than the others.
    pub(crate) fn has_grown(&self) -> bool {
        self.length > SMALL && self.length / 4 > self.needed
    }

    /// Hears how long the file has to be.
    pub(crate) fn needs(&mut self, bytes: u64) {
        self.needed = bytes;
    }

    /// What stands in it.
    pub(crate) fn read(&self, keys: &Keys) -> Result<Content, StoreError> {
        let bytes = files::read_if_there(&self.path)?.unwrap_or_default();
        Ok(parse(&bytes, keys))
    }

    /// Adds records. If that fails the copy is stale, and what was committed stands in the database only.
    pub(crate) fn append(&mut self, records: &[Record]) -> std::io::Result<()> {
        let done = self.try_append(records);
        if done.is_err() {
            self.stale = true;
            self.file = None;
        }
        done
    }

    fn try_append(&mut self, records: &[Record]) -> std::io::Result<()> {
        if self.file.is_none() {
            let new = !self.path.exists();
            self.file = Some(File::options().append(true).create(true).open(&self.path)?);
            if new && self.durable {
                files::sync_parent(&self.path)?;
            }
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut bytes = Vec::new();
        records.iter().for_each(|record| record.append_to(&mut bytes));
        file.write_all(&bytes)?;
        // That a command is settled may be forgotten: it would be offered again, which is harmless.
        if self.durable && records.iter().any(|record| record.kind != Kind::Settled) {
            file.sync_data()?;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes the file anew.
    pub(crate) fn rewrite(&mut self, records: &[Record]) -> std::io::Result<()> {
        self.file = None;
        let mut bytes = Vec::new();
        records.iter().for_each(|record| record.append_to(&mut bytes));
        if self.durable {
            files::replace(&self.path, &bytes)?;
        } else {
            std::fs::write(&self.path, &bytes)?;
        }
        self.length = bytes.len() as u64;
        self.stale = false;
        Ok(())
    }

    /// Copies a damaged file as it is, before it is made anew.
    pub(crate) fn set_aside(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::copy(&self.path, folder.join(NAME)).map(drop)
    }
}

fn parse(bytes: &[u8], keys: &Keys) -> Content {
    let mut content = Content::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        match take(rest) {
            Taken::Record(record, after) => {
                if content.take(record, keys) {
                    rest = after;
                    continue;
                }
                // A length that was changed may have swallowed what follows: look for the next mark inside.
            }
            Taken::Nothing => content.damaged = true,
            Taken::Torn => content.torn = true,
        }
        let inside = rest.get(1..).unwrap_or_default();
        let next = inside.windows(MARK.len()).position(|window| window == MARK);
        rest = next.and_then(|next| inside.get(next..)).unwrap_or_default();
    }
    content
}

enum Taken<'a> {
    Record(Record, &'a [u8]),
    Torn,
    Nothing,
}

fn take(bytes: &[u8]) -> Taken<'_> {
    if !MARK.starts_with(bytes.get(..MARK.len()).unwrap_or(bytes)) {
        return Taken::Nothing;
    }
    let read = || {
        let (head, after) = bytes.split_at_checked(HEAD)?;
        let head = head.get(MARK.len()..)?;
        let kind = match head.first()? {
            1 => Kind::Command,
            2 => Kind::Settled,
            3 => Kind::Meta,
            4 => Kind::Seals,
            _ => return Some(None),
        };
        let state = *head.get(1)?;
        let ordinal = i64::from_be_bytes(head.get(2..10)?.try_into().ok()?);
        let name = head.get(10..26)?.try_into().ok()?;
        let length = u32::from_be_bytes(head.get(26..30)?.try_into().ok()?) as usize;
        let (sealed, after) = after.split_at_checked(length)?;
        Some(Some((Record { kind, state, ordinal, name, sealed: sealed.to_vec() }, after)))
    };
    match read() {
        Some(Some((record, after))) => Taken::Record(record, after),
        Some(None) => Taken::Nothing,
        None => Taken::Torn,
    }
}

impl Content {
    /// Takes a record over the earlier ones of the same name, if it opens.
    fn take(&mut self, record: Record, keys: &Keys) -> bool {
        let id = record.id();
        let is_command = record.name[8..] == [0; 8];
        // Something whole follows what seemed to be unfinished.
        let was_torn = std::mem::take(&mut self.torn);
        let opens = match record.kind {
            Kind::Command => {
                let opened = keys.outbox.open(&command_place(id, record.state), &record.sealed);
                let opens = is_command && opened.is_ok();
                if opens {
                    let Record { ordinal, state, sealed, .. } = record;
                    self.commands.insert(id, CommandRow { ordinal, state, sealed });
                } else {
                    self.unreadable.insert(id);
                }
                opens
            }
            Kind::Settled => {
                let opened = keys.outbox.open(&place("copy/settled", b"", &id), &record.sealed);
                let opens = is_command && opened.is_ok();
                if opens {
                    self.commands.remove(&id);
                }
                opens
            }
            Kind::Meta => {
                let opens = keys.meta.open(&place("meta", b"", &record.name), &record.sealed).is_ok();
                if opens {
                    self.metas.insert(record.name, record.sealed);
                }
                opens
            }
            Kind::Seals => {
                let used = keys.meta.open(&place("copy/seals", b"", &record.name), &record.sealed).ok();
                let used = used.and_then(|used| used.try_into().ok()).map(u64::from_be_bytes);
                if let Some(used) = used {
                    let key =
                        u32::from_be_bytes([record.name[0], record.name[1], record.name[2], record.name[3]]);
                    let known = self.seals.entry(key).or_default();
                    *known = used.max(*known);
                }
                used.is_some()
            }
        };
        self.damaged |= !opens || was_torn;
        opens
    }

    /// How long a file is that says this.
    pub(crate) fn size(&self) -> u64 {
        let commands = self.commands.values().map(|row| row.sealed.len());
        let sealed =
            commands.chain(self.metas.values().map(Vec::len)).map(|sealed| HEAD + sealed).sum::<usize>();
        sealed as u64
    }

    /// The records of a file that says this.
    pub(crate) fn records(&self, keys: &Keys) -> Result<Vec<Record>, StoreError> {
        let mut commands: Vec<_> = self.commands.iter().collect();
        commands.sort_by_key(|(_, row)| row.ordinal);
        let seals = self.seals.iter().map(|(key, used)| Record::seals(*key, *used, keys));
        seals
            .chain(self.metas.iter().map(|(name, sealed)| Ok(Record::meta(*name, sealed.clone()))))
            .chain(commands.into_iter().map(|(id, row)| Ok(Record::command(*id, row))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::random_key;

    fn row(keys: &Keys, id: [u8; 8], ordinal: i64, body: &[u8]) -> CommandRow {
        let sealed = keys.outbox.seal(&command_place(id, 0), body).unwrap();
        CommandRow { ordinal, state: 0, sealed }
    }

    #[test]
    fn the_last_record_of_a_name_counts_and_settled_commands_are_gone() {
        let directory = tempfile::tempdir().unwrap();
        let keys = Keys::derive(&random_key().unwrap());
        let mut copy = SecondCopy::of(directory.path(), true);
        let (first, second) = (row(&keys, [1; 8], 1, b"first"), row(&keys, [2; 8], 2, b"second"));
        copy.append(&[Record::command([1; 8], &first), Record::command([2; 8], &second)]).unwrap();
        let changed = row(&keys, [2; 8], 2, b"changed");
        copy.append(&[Record::settled([1; 8], &keys).unwrap(), Record::command([2; 8], &changed)]).unwrap();
        copy.append(&[Record::seals(1, 7, &keys).unwrap(), Record::seals(1, 5, &keys).unwrap()]).unwrap();
        let content = copy.read(&keys).unwrap();
        assert_eq!(content.commands, BTreeMap::from([([2; 8], changed)]));
        assert_eq!(content.seals, BTreeMap::from([(1, 7)]));
        assert!(!content.damaged && !content.torn);
        copy.rewrite(&content.records(&keys).unwrap()).unwrap();
        assert_eq!(copy.read(&keys).unwrap(), content);
    }

    #[test]
    fn damage_anywhere_takes_one_record_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let keys = Keys::derive(&random_key().unwrap());
        let mut copy = SecondCopy::of(directory.path(), false);
        let rows: Vec<_> = (0..6_u8).map(|n| ([n; 8], row(&keys, [n; 8], i64::from(n), &[n; 40]))).collect();
        let records: Vec<_> = rows.iter().map(|(id, row)| Record::command(*id, row)).collect();
        copy.append(&records).unwrap();
        let path = directory.path().join(NAME);
        let sound = std::fs::read(&path).unwrap();
        for index in 0..sound.len() {
            for bit in [1, 0x80] {
                let mut flipped = sound.clone();
                flipped[index] ^= bit;
                let content = parse(&flipped, &keys);
                // The ordinal is not sealed: it says nothing but the order.
                assert!(content.commands.len() >= 5, "byte {index}: {}", content.commands.len());
                let ordinal = (10..18).contains(&(index % (sound.len() / 6)));
                assert!(content.damaged || content.torn || ordinal, "byte {index}");
            }
        }
        for length in 0..sound.len() {
            let content = parse(&sound[..length], &keys);
            let whole = length / (sound.len() / 6);
            assert_eq!(content.commands.len(), whole, "{length} bytes");
            assert_eq!(content.torn, length % (sound.len() / 6) != 0, "{length} bytes");
            assert!(!content.damaged, "{length} bytes");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at: usize) {
            let keys = Keys::derive(&zeroize::Zeroizing::new([3; 32]));
            let mut marked = bytes;
            let at = at % (marked.len() + 1);
            marked.splice(at..at, MARK);
            parse(&marked, &keys);
        }
    }
}
