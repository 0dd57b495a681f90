//! Opening, one writer, pooled readers, suspending and resuming.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle, OptionalExtension, TransactionBehavior};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keys::Keys;
use crate::lock::StoreLock;
use crate::quarantine::{self, SalvageReport};
use crate::schema;
use crate::seal::{self, RawKey};
use crate::tables::{KeyCache, ReadTx, WriteTx};
use crate::vault::KeyVault;

/// Where a store is and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Folder of the store: one per (school, person).
    pub directory: PathBuf,
    /// Name of the vault's key.
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
    /// What was salvaged, if the file was damaged and had to be set aside.
    pub salvage: Option<SalvageReport>,
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Opened").field("salvage", &self.salvage).finish_non_exhaustive()
    }
}

/// An open store. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    options: StoreOptions,
    keys: Keys,
    cache: KeyCache,
    state: Mutex<State>,
    /// Readers at work, with the handles that interrupt them.
    busy: Mutex<Vec<(u64, InterruptHandle)>>,
    idle: Condvar,
}

enum State {
    Open(Running),
    Closing,
    Suspended,
}

struct Running {
    jobs: Sender<Job>,
    writer: JoinHandle<Connection>,
    readers: Vec<Connection>,
    opened: usize,
    next: u64,
    lock: StoreLock,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl Store {
    /// Opens a store, making it if there is none. A damaged file is set aside and its commands are salvaged.
    ///
    /// # Errors
    /// [`StoreError::NeedsUser`]: prompt the person and call [`Store::open_unlocked`] with the key that the vault
    /// then releases. [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Vault`]: nothing was touched.
    pub fn open(options: StoreOptions, vault: &dyn KeyVault) -> Result<Opened, StoreError> {
        Self::open_with(options, |wrapped, alias| match wrapped {
            Some(wrapped) => {
                let dbk = vault.unwrap(alias, wrapped)?;
                let dbk: [u8; 32] = dbk.as_slice().try_into().map_err(|_| StoreError::Sealed)?;
                Ok((Zeroizing::new(dbk), None))
            }
            None => {
                let dbk = seal::random_key()?;
                let wrapped = vault.wrap(alias, dbk.as_slice())?;
                Ok((dbk, Some(wrapped)))
            }
        })
    }

    /// Opens a store with the key that the vault released after a prompt.
    pub fn open_unlocked(options: StoreOptions, dbk: RawKey) -> Result<Opened, StoreError> {
        Self::open_with(options, |_, _| Ok((dbk, None)))
    }

    /// The wrapped per-user key of a store, for an app that unwraps it itself after a prompt.
    pub fn wrapped_key(options: &StoreOptions) -> Result<Option<Vec<u8>>, StoreError> {
        read_wrapped(&options.directory)
    }

    fn open_with(
        options: StoreOptions,
        unlock: impl FnOnce(Option<&[u8]>, &str) -> Result<(RawKey, Option<Vec<u8>>), StoreError>,
    ) -> Result<Opened, StoreError> {
        schema::check_library()?;
        std::fs::create_dir_all(&options.directory)?;
        let lock = StoreLock::take(&options.directory)?;
        // The wrapped key stands beside the database, so that a damaged database does not take it along.
        let wrapped = read_wrapped(&options.directory)?;
        let (dbk, new) = unlock(wrapped.as_deref(), &options.alias)?;
        if let Some(new) = new {
            if options.database().exists() {
                // A database without its key: nothing of it can be read, nothing of it is overwritten.
                return Err(StoreError::Vault(crate::vault::VaultError::Invalidated));
            }
            write_wrapped(&options.directory, &new)?;
        }
        let keys = Keys::derive(&dbk);
        let (running, salvage) = match run(&options, lock) {
            Ok(running) => (running, None),
            Err((error, lock)) if error.is_corruption() => {
                let report = quarantine::set_aside(&options, &keys)?;
                let running = run(&options, lock).map_err(|(error, _)| error)?;
                (running, Some(report))
            }
            Err((error, _)) => return Err(error),
        };
        let inner = Arc::new(Inner {
            options,
            keys,
            cache: KeyCache::default(),
            state: Mutex::new(State::Open(running)),
            busy: Mutex::new(Vec::new()),
            idle: Condvar::new(),
        });
        let store = Self { inner };
        let salvage = match salvage {
            Some(mut report) => {
                let commands = std::mem::take(&mut report.commands);
                report.salvaged = commands.len();
                store.write(move |tx| {
                    commands
                        .iter()
                        .try_for_each(|command| tx.put_command(command.id, command.state, &command.body))
                })?;
                Some(report)
            }
            None => None,
        };
        Ok(Opened { store, salvage })
    }

    /// Writes in one transaction: all or nothing, durable when it returns. Blocks until the writer has done it.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, result) = channel();
        let inner = Arc::clone(&self.inner);
        let job: Job = Box::new(move |connection| {
            let done = (|| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let mut write = WriteTx(ReadTx { connection: &tx, keys: &inner.keys, cache: &inner.cache });
                let value = work(&mut write)?;
                tx.commit()?;
                Ok(value)
            })();
            if done.is_err() {
                // A key made in a transaction that was rolled back must not stay in memory.
                inner.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
            drop(inner);
            // Whoever asked may have gone.
            let _ = answer.send(done);
        });
        match &*self.state() {
            State::Open(running) => running.jobs.send(job).map_err(|_| StoreError::Ended)?,
            State::Closing | State::Suspended => return Err(StoreError::Suspended),
        }
        result.recv().map_err(|_| StoreError::Ended)?
    }

    /// Reads in one transaction, on a pooled connection.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (ticket, mut connection) = self.borrow_reader()?;
        let done = (|| {
            let tx = connection.transaction()?;
            let value = work(&ReadTx { connection: &tx, keys: &self.inner.keys, cache: &self.inner.cache })?;
            tx.finish()?;
            Ok(value)
        })();
        self.give_reader_back(ticket, connection);
        match done {
            // Interrupted by suspend.
            Err(StoreError::Database(error))
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
            {
                Err(StoreError::Suspended)
            }
            other => other,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn borrow_reader(&self) -> Result<(u64, Connection), StoreError> {
        let mut state = self.state();
        loop {
            let State::Open(running) = &mut *state else { return Err(StoreError::Suspended) };
            let connection = match running.readers.pop() {
                Some(connection) => connection,
                None if running.opened < self.inner.options.readers.max(1) => {
                    running.opened += 1;
                    let connection = Connection::open(self.inner.options.database())?;
                    schema::configure(&connection, self.inner.options.durable, true)?;
                    connection
                }
                None => {
                    state = self.inner.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            running.next += 1;
            let ticket = running.next;
            self.busy().push((ticket, connection.get_interrupt_handle()));
            return Ok((ticket, connection));
        }
    }

    fn give_reader_back(&self, ticket: u64, connection: Connection) {
        let mut state = self.state();
        match &mut *state {
            State::Open(running) => running.readers.push(connection),
            State::Closing | State::Suspended => drop(connection),
        }
        self.busy().retain(|(busy, _)| *busy != ticket);
        drop(state);
        self.inner.idle.notify_all();
    }

    fn busy(&self) -> MutexGuard<'_, Vec<(u64, InterruptHandle)>> {
        self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes everything that the system could hold against a suspended app: refuses work, interrupts readers and
    /// waits for them, lets the writer end, checkpoints, closes, unlocks. Does nothing if it is suspended.
    pub fn suspend(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        let mut running = match std::mem::replace(&mut *state, State::Closing) {
            State::Open(running) => running,
            other => {
                *state = other;
                return Ok(());
            }
        };
        running.readers.clear();
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let busy = self.busy();
            if busy.is_empty() || Instant::now() > deadline {
                break;
            }
            busy.iter().for_each(|(_, handle)| handle.interrupt());
            drop(busy);
            state = self
                .inner
                .idle
                .wait_timeout(state, Duration::from_millis(20))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(running.jobs);
        let writer = running.writer.join().map_err(|_| StoreError::Ended)?;
        // With a reader still open a checkpoint would wait and do nothing.
        writer.busy_timeout(Duration::ZERO)?;
        let checkpoint: Option<i64> =
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).optional()?;
        debug_assert!(checkpoint.is_some());
        drop(writer);
        drop(running.lock);
        *state = State::Suspended;
        Ok(())
    }

    /// Opens the store again after a suspend. Does nothing if it is open.
    pub fn resume(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        if !matches!(*state, State::Suspended) {
            return Ok(());
        }
        let lock = StoreLock::take(&self.inner.options.directory)?;
        let running = run(&self.inner.options, lock).map_err(|(error, _)| error)?;
        *state = State::Open(running);
        Ok(())
    }

    /// SQLite's own check of the file; weekly, when idle.
    pub fn quick_check(&self) -> Result<bool, StoreError> {
        self.read(|r| {
            let answer: String = r.connection.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
            Ok(answer == "ok")
        })
    }
}

fn read_wrapped(directory: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(directory.join("key.wrapped")) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write_wrapped(directory: &Path, wrapped: &[u8]) -> Result<(), StoreError> {
    use std::io::Write;
    let new = directory.join("key.wrapped.new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(wrapped)?;
    file.sync_all()?;
    std::fs::rename(new, directory.join("key.wrapped"))?;
    Ok(())
}

fn run(options: &StoreOptions, lock: StoreLock) -> Result<Running, (StoreError, StoreLock)> {
    let open = || {
        let mut connection = Connection::open(options.database())?;
        schema::configure(&connection, options.durable, false)?;
        schema::migrate(&mut connection)?;
        Ok::<_, StoreError>(connection)
    };
    let connection = match open() {
        Ok(connection) => connection,
        Err(error) => return Err((error, lock)),
    };
    let (jobs, queue): (Sender<Job>, Receiver<Job>) = channel();
    let writer = std::thread::Builder::new().name("registro-writer".to_owned()).spawn(move || {
        let mut connection = connection;
        while let Ok(job) = queue.recv() {
            job(&mut connection);
        }
        connection
    });
    match writer {
        Ok(writer) => Ok(Running { jobs, writer, readers: Vec::new(), opened: 0, next: 0, lock }),
        Err(error) => Err((error.into(), lock)),
    }
}
