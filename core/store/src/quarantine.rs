//! A damaged file is set aside, never deleted: unsent work may exist only there. Commands that still open are
//! salvaged into the new file, from its pages and from the second copy; everything else comes again from the hub.
//!
//! A crash at any moment loses nothing of this: the folder is marked before the first file moves into it, and the
//! mark goes when what was salvaged is committed. Until then every opening takes it up again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use registro_model::DocumentId;
use rusqlite::Connection;

use crate::carve;
use crate::error::StoreError;
use crate::files;
use crate::keys::Keys;
use crate::seal::place;
use crate::second_copy::CommandRow;
use crate::store::StoreOptions;
use crate::tables::{open_in_some_state, put_back_command, put_back_meta};
use crate::trouble::Hurt;

const FOLDER: &str = "quarantine";
/// Stands in a folder whose files are not salvaged yet.
const MARK: &str = "salvage.pending";
const DATABASE: &str = "db.sqlite";
const LOG: &str = "db.sqlite-wal";
const INDEX: &str = "db.sqlite-shm";

/// What was found damaged, and what became of it. Nothing is deleted: what did not open stays in the folder, or in
/// a table of rows set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SalvageReport {
    /// The folder in which a damaged database was set aside. The documents come again from the hub.
    pub folder: Option<PathBuf>,
    /// Commands that were taken over from the damaged file, or from their second copy.
    pub salvaged: usize,
    /// Commands that were seen and open nowhere.
    pub lost: usize,
    /// Documents that are to be fetched again, or whose views are to be made again. Their rows are still there.
    pub documents: BTreeMap<DocumentId, Hurt>,
    /// Documents that are not known by name any more and were taken out: ask the hub which there are.
    pub nameless: usize,
}

impl SalvageReport {
    /// Whether it reports anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Marks a new folder, into which the next opening moves the database.
pub(crate) fn condemn(options: &StoreOptions) -> Result<(), StoreError> {
    let folder = new_folder(options)?;
    files::replace(&folder.join(MARK), b"")?;
    Ok(())
}

/// A folder of its own for what is set aside now.
pub(crate) fn new_folder(options: &StoreOptions) -> Result<PathBuf, StoreError> {
    let all = options.directory.join(FOLDER);
    std::fs::create_dir_all(&all)?;
    let mut time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    let folder = loop {
        let folder = all.join(time.to_string());
        match std::fs::create_dir(&folder) {
            Ok(()) => break folder,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => time += 1,
            Err(error) => return Err(error.into()),
        }
    };
    files::sync_directory(&all)?;
    files::sync_directory(&options.directory)?;
    Ok(folder)
}

/// Moves a condemned database into its folder, also where a crash came in between. Gives the folders that are to be
/// salvaged, the newest first.
pub(crate) fn set_aside(options: &StoreOptions) -> Result<Vec<PathBuf>, StoreError> {
    let all = options.directory.join(FOLDER);
    let mut folders = Vec::new();
    match std::fs::read_dir(&all) {
        Ok(entries) => {
            for entry in entries {
                let folder = entry?.path();
                if folder.join(MARK).exists() {
                    folders.push(folder);
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(folders),
        Err(error) => return Err(error.into()),
    }
    folders.sort_unstable_by(|a, b| b.cmp(a));
    // The database moves last: where it is, all has moved, and what stands in the store's folder is the new one.
    for folder in &folders {
        if !folder.join(DATABASE).exists() {
            for name in [INDEX, LOG, DATABASE] {
                files::rename_if_there(&options.directory.join(name), &folder.join(name))?;
            }
            files::sync_directory(folder)?;
            files::sync_directory(&options.directory)?;
        }
    }
    Ok(folders)
}

/// What was salvaged is committed: the folder is only kept from now on.
pub(crate) fn close(folder: &Path) -> Result<(), StoreError> {
    std::fs::remove_file(folder.join(MARK))?;
    files::sync_directory(folder)?;
    Ok(())
}

/// Takes the commands and the kept memories of a damaged file over, in one transaction. What is there already stays.
/// Returns how many commands came, and those that were seen and do not open.
pub(crate) fn salvage(
    connection: &mut Connection,
    folder: &Path,
    keys: &Keys,
) -> Result<(usize, BTreeSet<[u8; 8]>), StoreError> {
    let mut commands: BTreeMap<[u8; 8], CommandRow> = BTreeMap::new();
    let mut metas: BTreeMap<[u8; 16], Vec<u8>> = BTreeMap::new();
    let mut unreadable = BTreeSet::new();
    let found = carve::rows(&folder.join(DATABASE), &folder.join(LOG), |row| {
        if let Ok(id) = <[u8; 8]>::try_from(row.name.as_slice()) {
            // The first that opens is the newest: as the log has it.
            if commands.contains_key(&id) {
                return;
            }
            let stated = u8::try_from(row.number).unwrap_or(0);
            match open_in_some_state(keys, id, stated, &row.data) {
                Some(state) => {
                    let row = CommandRow { ordinal: row.ordinal, state, sealed: row.data };
                    commands.insert(id, row);
                }
                None => drop(unreadable.insert(id)),
            }
        } else if let Ok(name) = <[u8; 16]>::try_from(row.name.as_slice())
            && row.number == 1
            && keys.meta.open(&place("meta", b"", &name), &row.data).is_ok()
        {
            metas.entry(name).or_insert(row.data);
        }
    });
    match found {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut ordered: Vec<_> = commands.iter().collect();
    ordered.sort_by_key(|(_, row)| row.ordinal);
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut salvaged = 0;
    for (id, row) in ordered {
        salvaged += usize::from(put_back_command(&tx, *id, row)?);
    }
    for (name, sealed) in &metas {
        put_back_meta(&tx, name, sealed)?;
    }
    tx.commit()?;
    unreadable.retain(|id| !commands.contains_key(id));
    Ok((salvaged, unreadable))
}
