//! Starting, the pool of readers, suspending, resuming, mending.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use registro_model::DocumentId;
use rusqlite::{Connection, InterruptHandle};

use crate::error::StoreError;
use crate::lock::StoreLock;
use crate::quarantine::{self, SalvageReport};
use crate::schema;
use crate::shared::Shared;
use crate::store::Store;
use crate::trouble::Hurt;
use crate::writer::{Job, Writer};

/// How long suspend waits for readers that it has interrupted.
const READERS_END: Duration = Duration::from_secs(5);

/// What the clones of a store share.
pub(crate) struct Inner {
    pub shared: Arc<Shared>,
    state: Mutex<State>,
    /// Readers at work, with the handles that interrupt them.
    busy: Mutex<Vec<(u64, InterruptHandle)>>,
    tickets: AtomicU64,
    /// A reader came back, or the state is another.
    changed: Condvar,
}

enum State {
    Open(Running),
    /// Somebody is closing it, and will leave it open or suspended.
    Closing,
    Suspended,
}

/// An open file.
pub(crate) struct Running {
    jobs: Sender<Job>,
    writer: JoinHandle<Writer>,
    readers: Vec<Connection>,
    /// Readers in the pool and at work.
    opened: usize,
    lock: StoreLock,
}

/// Opens the file; a damaged one, or one that is known to be, is set aside and salvaged.
pub(crate) fn start(
    shared: &Arc<Shared>,
    lock: StoreLock,
    damaged: bool,
) -> Result<(Running, Option<SalvageReport>), StoreError> {
    if damaged {
        quarantine::condemn(&shared.options)?;
    }
    let (writer, report) = match Writer::open(shared) {
        Err(StoreError::Damaged) if !damaged => {
            quarantine::condemn(&shared.options)?;
            Writer::open(shared)?
        }
        other => other?,
    };
    let (jobs, queue): (Sender<Job>, Receiver<Job>) = channel();
    let writer =
        std::thread::Builder::new().name("registro-writer".to_owned()).spawn(move || writer.run(&queue))?;
    let running = Running { jobs, writer, readers: Vec::new(), opened: 0, lock };
    Ok((running, (!report.is_empty()).then_some(report)))
}

impl Inner {
    pub(crate) fn new(shared: Arc<Shared>, running: Running) -> Self {
        Self {
            shared,
            state: Mutex::new(State::Open(running)),
            busy: Mutex::new(Vec::new()),
            tickets: AtomicU64::new(0),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, Vec<(u64, InterruptHandle)>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a job to the writer.
    pub(crate) fn send(&self, job: Job) -> Result<(), StoreError> {
        match &*self.state() {
            State::Open(running) => running.jobs.send(job).map_err(|_| StoreError::Ended),
            State::Closing | State::Suspended => Err(StoreError::Suspended),
        }
    }

    /// Takes a reader out of the pool, or opens one more, or waits for one.
    pub(crate) fn borrow_reader(&self) -> Result<Reader<'_>, StoreError> {
        let mut state = self.state();
        loop {
            let State::Open(running) = &mut *state else { return Err(StoreError::Suspended) };
            let connection = match running.readers.pop() {
                Some(connection) => connection,
                None if running.opened < self.shared.options.readers.max(1) => {
                    let opened = Connection::open(self.shared.options.database()).map_err(StoreError::from);
                    let opened = opened.and_then(|connection| {
                        schema::configure(&connection, self.shared.options.durable, true)?;
                        Ok(connection)
                    });
                    let connection = opened.inspect_err(|error| {
                        if matches!(error, StoreError::Damaged) {
                            self.shared.trouble.note_file();
                        }
                    })?;
                    running.opened += 1;
                    connection
                }
                None => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
            self.busy().push((ticket, connection.get_interrupt_handle()));
            return Ok(Reader { inner: self, ticket, connection: Some(connection) });
        }
    }

    /// Waits while somebody else is closing.
    fn settled(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while matches!(*state, State::Closing) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn set(&self, state: State) {
        *self.state() = state;
        self.changed.notify_all();
    }

    /// Takes what is running out, interrupts the readers and waits for them, lets the writer end. The state is
    /// `Closing` then: whoever calls this sets another.
    fn stop(&self) -> Option<(StoreLock, Result<Writer, StoreError>)> {
        let mut state = self.settled();
        let running = match std::mem::replace(&mut *state, State::Closing) {
            State::Open(running) => running,
            other => {
                *state = other;
                return None;
            }
        };
        let Running { jobs, writer, readers, lock, .. } = running;
        drop(readers);
        // Those who wait for a reader hear that there will be none.
        self.changed.notify_all();
        let deadline = Instant::now() + READERS_END;
        loop {
            let busy = self.busy();
            if busy.is_empty() || Instant::now() > deadline {
                break;
            }
            // Again each time: an interrupt ends only the statement that runs.
            busy.iter().for_each(|(_, handle)| handle.interrupt());
            drop(busy);
            let waited = self.changed.wait_timeout(state, Duration::from_millis(20));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        drop(jobs);
        Some((lock, writer.join().map_err(|_| StoreError::Ended)))
    }
}

impl Drop for Inner {
    /// The lock goes last: whoever opens the store next finds the file closed.
    fn drop(&mut self) {
        if let Some((lock, writer)) = self.stop() {
            drop(writer);
            drop(lock);
        }
    }
}

/// A reader at work. It goes back to the pool by itself, also from a panic.
pub(crate) struct Reader<'a> {
    inner: &'a Inner,
    ticket: u64,
    connection: Option<Connection>,
}

impl Reader<'_> {
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        self.connection.as_mut().ok_or(StoreError::Ended)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        match (&mut *state, self.connection.take()) {
            (State::Open(running), Some(connection)) => running.readers.push(connection),
            (_, connection) => drop(connection),
        }
        self.inner.busy().retain(|(busy, _)| *busy != self.ticket);
        drop(state);
        self.inner.changed.notify_all();
    }
}

impl Store {
    /// Closes everything that the system could hold against a suspended app: refuses work, interrupts readers and
    /// waits for them, lets the writer end, checkpoints, closes, unlocks. Does nothing if it is suspended.
    ///
    /// # Errors
    /// The log could not be written back, as on a full disk. The store is suspended all the same, and nothing is
    /// lost: the log is part of it.
    pub fn suspend(&self) -> Result<(), StoreError> {
        let Some((lock, writer)) = self.inner.stop() else { return Ok(()) };
        let checkpoint = writer.and_then(|writer| writer.checkpoint());
        drop(lock);
        self.inner.set(State::Suspended);
        checkpoint.map(drop)
    }

    /// Opens the store again after a suspend. Does nothing if it is open. Gives what was found damaged, if anything
    /// was.
    ///
    /// # Errors
    /// Those of opening. The store stays suspended; try again.
    pub fn resume(&self) -> Result<Option<SalvageReport>, StoreError> {
        let mut state = self.inner.settled();
        if !matches!(*state, State::Suspended) {
            return Ok(None);
        }
        let lock = StoreLock::take(&self.inner.shared.options.directory)?;
        let (running, report) = start(&self.inner.shared, lock, false)?;
        *state = State::Open(running);
        drop(state);
        self.inner.changed.notify_all();
        Ok(report)
    }

    /// Whether reads or writes came upon damage that [`Store::mend`] has not seen to yet. Costs nothing.
    pub fn is_damaged(&self) -> bool {
        self.inner.shared.trouble.any()
    }

    /// Hears that a document opens and yet cannot be read.
    pub fn distrust(&self, document: DocumentId) {
        self.inner.shared.trouble.note_document(document, Hurt::Content);
    }

    /// Sees to the damage that reads and writes came upon: a damaged file is set aside and salvaged into a new one;
    /// a row of the outbox is put right from its second copy, or set aside. Documents stay for the caller to fetch
    /// again. Gives what became of it; nothing if nothing was damaged.
    ///
    /// # Errors
    /// Those of opening. If a damaged file could not be replaced the store is suspended: try to resume.
    pub fn mend(&self) -> Result<Option<SalvageReport>, StoreError> {
        if !self.is_damaged() {
            return Ok(None);
        }
        let found = self.inner.shared.trouble.take();
        if !found.file {
            let (answer, result) = channel();
            let job: Job = Box::new(move |writer| {
                let _ = answer.send(writer.mend(found));
            });
            self.inner.send(job)?;
            return result.recv().map_err(|_| StoreError::Ended)?.map(Some);
        }
        let Some((lock, writer)) = self.inner.stop() else { return Err(StoreError::Suspended) };
        drop(writer);
        self.inner.shared.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
        match start(&self.inner.shared, lock, true) {
            Ok((running, report)) => {
                self.inner.set(State::Open(running));
                Ok(Some(report.unwrap_or_default()))
            }
            Err(error) => {
                self.inner.set(State::Suspended);
                Err(error)
            }
        }
    }
}
