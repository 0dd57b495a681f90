//! Opening, reading and writing.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;

use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::key_file::KeyFile;
use crate::keys::Keys;
use crate::lifecycle::{Inner, start};
use crate::lock::StoreLock;
use crate::pin::{self, Pin, PinParameters};
use crate::quarantine::SalvageReport;
use crate::schema;
use crate::seal::{self, RawKey};
use crate::second_copy::SecondCopy;
use crate::shared::Shared;
use crate::tables::{KeyCache, ReadTx, WriteTx};
use crate::trouble::Trouble;
use crate::vault::{KeyVault, VaultError};
use crate::writer::Job;

/// Where a store is and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Folder of the store: one per (school, person).
    pub directory: PathBuf,
    /// How the name of the vault's key begins. Each store adds an id of its own, so that destroying one store's
    /// key leaves the others readable.
    pub alias: String,
    /// Whether a write survives a power cut. `false` is for simulations only.
    pub durable: bool,
    /// Readers at a time, 2 to 4 on a device.
    pub readers: usize,
}

impl StoreOptions {
    /// A durable store with three readers.
    pub fn new(directory: impl Into<PathBuf>, alias: &str) -> Self {
        Self { directory: directory.into(), alias: alias.to_owned(), durable: true, readers: 3 }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.directory.join("db.sqlite")
    }
}

/// A store that was opened.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What was found damaged, if anything was, and what became of it.
    pub salvage: Option<SalvageReport>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("salvage", &self.salvage).finish_non_exhaustive()
    }
}

/// The per-user key, out of the vault and from under the PIN.
fn unlock(
    key: &KeyFile,
    directory: &std::path::Path,
    vault: &dyn KeyVault,
    pin: Option<&Pin>,
) -> Result<RawKey, StoreError> {
    let Some(parameters) = &key.pin else {
        let dbk = vault.unwrap(&key.alias, &key.wrapped)?;
        let dbk = dbk.as_slice().try_into().map_err(|_| VaultError::Invalidated)?;
        return Ok(Zeroizing::new(dbk));
    };
    let pin = pin.ok_or(StoreError::NeedsPin)?;
    // The vault first: while it is locked no try is used up.
    let sealed = vault.unwrap(&key.alias, &key.wrapped)?;
    let left = pin::count_try(directory)?;
    let dbk = parameters.open(pin, &key.alias, &sealed).ok_or(StoreError::WrongPin { left })?;
    pin::forget_tries(directory)?;
    Ok(dbk)
}

/// An open store. Clones share it. When the last one goes, what was asked is done and the file is closed.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

impl Store {
    /// Opens a store, making it if there is none. A damaged file is set aside and its commands are salvaged.
    ///
    /// # Errors
    /// [`StoreError::NeedsUser`]: prompt the person and call [`Store::open_unlocked`] with the key that the vault
    /// then releases. [`StoreError::NeedsPin`]: call [`Store::open_with_pin`]. [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Vault`],
    /// [`StoreError::KeyFile`]: nothing was touched.
    pub fn open(options: StoreOptions, vault: &dyn KeyVault) -> Result<Opened, StoreError> {
        Self::open_with(options, |key, directory, prefix| match key {
            Some(key) => unlock(key, directory, vault, None),
            None => {
                let dbk = seal::random_key()?;
                let alias = KeyFile::draw_alias(prefix)?;
                let wrapped = vault.wrap(&alias, dbk.as_slice())?;
                let check = Keys::derive(&dbk).check();
                KeyFile { alias, wrapped, pin: None, check }.write(directory)?;
                Ok(dbk)
            }
        })
    }

    /// Opens a store with its PIN, or one that has none. Takes as long as a PIN is meant to take, about a second on a
    /// tablet.
    ///
    /// # Errors
    /// [`StoreError::WrongPin`], [`StoreError::PinBlocked`]: nothing is wiped. Those of [`Store::open`].
    pub fn open_with_pin(
        options: StoreOptions,
        vault: &dyn KeyVault,
        pin: &Pin,
    ) -> Result<Opened, StoreError> {
        if Self::key_file(&options)?.is_none_or(|key| key.pin.is_none()) {
            return Self::open(options, vault);
        }
        Self::open_with(options, |key, directory, _| match key {
            Some(key) => unlock(key, directory, vault, Some(pin)),
            None => Err(VaultError::Invalidated.into()),
        })
    }

    /// Whether the store has a PIN.
    pub fn has_pin(options: &StoreOptions) -> Result<bool, StoreError> {
        Ok(Self::key_file(options)?.is_some_and(|key| key.pin.is_some()))
    }

    /// Gives the store a PIN, changes it, or takes it away. `current` is the one that it has, if it has one. What
    /// the vault wrapped before opens nothing afterwards.
    ///
    /// # Errors
    /// [`StoreError::NeedsPin`], [`StoreError::WrongPin`], [`StoreError::PinBlocked`], [`StoreError::Suspended`],
    /// [`StoreError::Vault`]: the PIN is as it was.
    pub fn set_pin(
        &self,
        vault: &dyn KeyVault,
        current: Option<&Pin>,
        new: Option<&Pin>,
    ) -> Result<(), StoreError> {
        // As long as the reader is out, the store is open and its lock is held.
        let _open = self.inner.borrow_reader()?;
        let options = &self.inner.shared.options;
        let before = KeyFile::read(&options.directory)?.ok_or(StoreError::KeyFile)?;
        let dbk = unlock(&before, &options.directory, vault, current)?;
        before.confirm(Keys::derive(&dbk).check())?;
        let alias = KeyFile::draw_alias(&options.alias)?;
        let (wrapped, pin) = match new {
            Some(new) => {
                let parameters = PinParameters::draw()?;
                let sealed = parameters.seal(new, &alias, &dbk)?;
                (vault.wrap(&alias, &sealed)?, Some(parameters))
            }
            None => (vault.wrap(&alias, dbk.as_slice())?, None),
        };
        KeyFile { alias, wrapped, pin, check: before.check }.write(&options.directory)?;
        // If that fails the old key is left over. What it wrapped is not on the disk any more.
        let _ = vault.destroy(&before.alias);
        Ok(())
    }

    /// Lets the person try their PIN again. Call it after they have logged in online, and only then.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if the store is open.
    pub fn allow_pin(options: &StoreOptions) -> Result<(), StoreError> {
        let _lock = StoreLock::take(&options.directory)?;
        pin::forget_tries(&options.directory)
    }

    /// Opens a store with the key that the vault released after a prompt.
    ///
    /// # Errors
    /// Those of [`Store::open`]; [`StoreError::Vault`] if it is not this store's key.
    pub fn open_unlocked(options: StoreOptions, dbk: RawKey) -> Result<Opened, StoreError> {
        Self::open_with(options, |key, _, _| match key {
            Some(_) => Ok(dbk),
            None => Err(VaultError::Invalidated.into()),
        })
    }

    /// The wrapped key of a store and the name of the vault's key, for an app that unwraps it itself after a
    /// prompt.
    pub fn key_file(options: &StoreOptions) -> Result<Option<KeyFile>, StoreError> {
        KeyFile::read(&options.directory)
    }

    fn open_with(
        options: StoreOptions,
        unlock: impl FnOnce(Option<&KeyFile>, &std::path::Path, &str) -> Result<RawKey, StoreError>,
    ) -> Result<Opened, StoreError> {
        schema::check_library()?;
        std::fs::create_dir_all(&options.directory)?;
        let lock = StoreLock::take(&options.directory)?;
        let key = KeyFile::read(&options.directory)?;
        if key.is_none() && (options.database().exists() || SecondCopy::exists(&options.directory)) {
            // A database without its key: nothing of it can be read, nothing of it is overwritten.
            return Err(VaultError::Invalidated.into());
        }
        let dbk = unlock(key.as_ref(), &options.directory, &options.alias)?;
        let keys = Keys::derive(&dbk);
        if let Some(key) = &key {
            key.confirm(keys.check())?;
        }
        let shared =
            Arc::new(Shared { options, keys, cache: KeyCache::default(), trouble: Trouble::default() });
        let (running, salvage) = start(&shared, lock, false)?;
        Ok(Opened { store: Self { inner: Arc::new(Inner::new(shared, running)) }, salvage })
    }

    /// Writes in one transaction: all or nothing, durable when it returns. Blocks until the writer has done it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], after which [`Store::mend`] helps; [`StoreError::Full`];
    /// [`StoreError::Suspended`]. Nothing was written.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, result) = channel();
        let job: Job = Box::new(move |writer| {
            // Whoever asked may have gone.
            let _ = answer.send(writer.write(work));
        });
        self.inner.send(job)?;
        result.recv().map_err(|_| StoreError::Ended)?
    }

    /// Reads in one transaction, on a pooled connection.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and [`StoreError::Sealed`], after which [`Store::mend`] helps;
    /// [`StoreError::Suspended`], also where suspend comes in the middle.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut reader = self.inner.borrow_reader()?;
        let shared = &self.inner.shared;
        let done: Result<T, StoreError> = (|| {
            let tx = reader.connection()?.transaction()?;
            let value = work(&ReadTx { connection: &tx, shared })?;
            tx.finish()?;
            Ok(value)
        })();
        match done {
            Err(error) if error.is_interrupted() => Err(StoreError::Suspended),
            Err(error) => Err(shared.judge(reader.connection()?, error)),
            done => done,
        }
    }

    /// SQLite's own check of the file; weekly, when idle. What it finds is mended by [`Store::mend`].
    pub fn quick_check(&self) -> Result<bool, StoreError> {
        let sound = self.read(|r| schema::is_sound(r.connection))?;
        if !sound {
            self.inner.shared.trouble.note_file();
        }
        Ok(sound)
    }
}
