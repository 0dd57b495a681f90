//! A store with a bit of everything, and what must be in it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use registro_model::{CommandId, DocumentId};
use registro_store::{
    CONFIRMED, DocumentPart, Hurt, KeyVault, MemoryVault, Opened, SalvageReport, Store, StoreError,
    StoreOptions,
};

pub const PENDING: u8 = 0;
pub const REFUSED: u8 = 2;

pub fn command(n: u64) -> CommandId {
    CommandId(n.to_be_bytes())
}

pub fn document(n: u8) -> DocumentId {
    DocumentId::try_from([n; 16].as_slice()).unwrap()
}

/// What a command says: some short, some that overflow their page.
pub fn body(n: u64) -> Vec<u8> {
    let length = if n.is_multiple_of(5) { 9_000 } else { 200 + 37 * n as usize };
    (0..length).map(|i| (i as u64 * 31 + n) as u8).collect()
}

pub fn state(n: u64) -> u8 {
    match n % 3 {
        0 => CONFIRMED,
        1 => PENDING,
        _ => REFUSED,
    }
}

pub struct Sample {
    pub folder: tempfile::TempDir,
    pub vault: Arc<MemoryVault>,
}

pub const COMMANDS: u64 = 24;
pub const DOCUMENTS: u8 = 8;

impl Sample {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), vault: Arc::new(MemoryVault::default()) }
    }

    /// A store that has been used.
    pub fn used() -> Self {
        let sample = Self::new();
        fill(&sample.open().store);
        sample
    }

    pub fn options(&self) -> StoreOptions {
        options(self.folder.path())
    }

    pub fn open(&self) -> Opened {
        Store::open(self.options(), &*self.vault).unwrap()
    }

    pub fn try_open(&self) -> Result<Opened, StoreError> {
        Store::open(self.options(), &*self.vault)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same store in another folder.
    pub fn copied(&self) -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap(), vault: Arc::clone(&self.vault) };
        copy_folder(self.folder.path(), copy.folder.path());
        copy
    }
}

pub fn options(folder: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(folder, "test");
    options.durable = false;
    options
}

pub fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

pub fn fill(store: &Store) {
    store
        .write(|tx| {
            tx.put_kept_meta("account", b"whose store it is")?;
            tx.put_meta("sync", b"where it stands")?;
            for n in 0..DOCUMENTS {
                let id = document(n);
                tx.create_document(id)?;
                tx.put_document_part(id, DocumentPart::Header, &[n; 100])?;
                tx.put_document_part(id, DocumentPart::HubSnapshot, &vec![n; 6_000])?;
                for change in 0..6_u8 {
                    tx.put_change(id, &[change; 32], 1, &vec![n ^ change; 700])?;
                }
                for part in 0..5 {
                    tx.put_view(id, &format!("part {part}"), &vec![n; 500])?;
                }
            }
            Ok(())
        })
        .unwrap();
    for n in 0..COMMANDS {
        // As in life: written pending, then settled.
        store.write(move |tx| tx.put_command(command(n), PENDING, &body(n))).unwrap();
        if state(n) != PENDING {
            store.write(move |tx| tx.put_command(command(n), state(n), &body(n))).unwrap();
        }
    }
}

/// Reads everything, mends what is found, and reads again, as a device does. Gives all reports.
pub fn heal(store: &Store) -> Vec<SalvageReport> {
    let mut reports = Vec::new();
    for _ in 0..6 {
        let read = read_all(store);
        if !store.is_damaged() {
            read.unwrap();
            return reports;
        }
        let report = store.mend().unwrap().expect("something to mend");
        for (document, hurt) in report.documents.clone() {
            let done = store.write(move |tx| match hurt {
                Hurt::Views => tx.delete_views(document),
                Hurt::Content => tx.delete_document(document),
            });
            // The way to those rows may be damaged too: the next round sees to it.
            assert!(matches!(done, Ok(()) | Err(StoreError::Damaged)), "{done:?}");
        }
        reports.push(report);
    }
    panic!("does not heal: {reports:?}");
}

/// Writes a command as an app does: what finds damage is done again once that is mended.
pub fn put_healing(store: &Store, n: u64) {
    let put = || store.write(move |tx| tx.put_command(command(n), CONFIRMED, &body(n)));
    match put() {
        Err(StoreError::Damaged) => {
            heal(store);
            put().unwrap();
        }
        done => done.unwrap(),
    }
}

fn read_all(store: &Store) -> Result<(), StoreError> {
    store.read(|r| {
        r.meta("account")?;
        r.meta("sync")?;
        r.commands()?;
        r.commands_in_state(PENDING)?;
        for document in r.documents()? {
            for part in [DocumentPart::Header, DocumentPart::HubSnapshot] {
                r.document_part(document, part)?;
            }
            r.changes(document)?;
            for part in 0..5 {
                r.view(document, &format!("part {part}"))?;
            }
        }
        Ok(())
    })
}

/// Every command that the hub has not confirmed, and whose store it is, is there; nothing that is there is wrong.
/// Gives how many of the others are.
pub fn check(store: &Store, context: &str) -> usize {
    let pending = store.read(|r| r.commands_in_state(PENDING)).unwrap();
    let pending: Vec<u64> = pending.iter().map(|stored| u64::from_be_bytes(stored.id.0)).collect();
    let expected: Vec<u64> = (0..COMMANDS).filter(|n| state(*n) == PENDING).collect();
    assert_eq!(pending, expected, "{context}: pending");
    check_present(store, context)
}

/// The same where the store may stand as it was at an earlier moment.
pub fn check_present(store: &Store, context: &str) -> usize {
    let (commands, account) = store
        .read(|r| Ok((r.commands()?, r.meta("account")?)))
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(account.as_deref(), Some(b"whose store it is".as_slice()), "{context}");
    let ids: Vec<u64> = commands.iter().map(|stored| u64::from_be_bytes(stored.id.0)).collect();
    for (n, stored) in ids.iter().zip(&commands) {
        assert!(stored.body == body(*n), "{context}: command {n}");
        assert!(stored.state != CONFIRMED || state(*n) == CONFIRMED, "{context}: command {n}");
    }
    let unconfirmed = |n: &u64| state(*n) != CONFIRMED;
    let found: Vec<u64> = ids.iter().copied().filter(unconfirmed).collect();
    let expected: Vec<u64> = (0..COMMANDS).filter(unconfirmed).collect();
    assert_eq!(found, expected, "{context}: commands, in their order");
    ids.len() - found.len()
}

pub fn settled() -> usize {
    (0..COMMANDS).filter(|n| state(*n) == CONFIRMED).count()
}

pub fn refuses_new(vault: &dyn KeyVault, folder: &Path) -> StoreError {
    Store::open(options(folder), vault).expect_err("it must not open")
}
