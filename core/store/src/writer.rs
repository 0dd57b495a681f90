//! The one writer: a thread of its own, fed by a channel, with the only connection that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;
use crate::files;
use crate::quarantine::{self, SalvageReport};
use crate::reconcile::{Rows, reconcile};
use crate::schema;
use crate::second_copy::{Record, SecondCopy};
use crate::shared::Shared;
use crate::tables::WriteTx;
use crate::trouble::Found;

/// What the writer is asked to do.
pub(crate) type Job = Box<dyn FnOnce(&mut Writer) + Send>;

/// How soon the log is emptied after an erasure that a reader was in the way of.
const AGAIN: Duration = Duration::from_millis(100);

/// The connection that writes, with the second copy that follows it.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    connection: Connection,
    copy: SecondCopy,
    /// A key was destroyed and the log that still holds it was not emptied yet.
    owes_checkpoint: bool,
}

impl Writer {
    /// Opens the database and puts right what can be. What was set aside before is salvaged first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the file is: set it aside and open again.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<(Self, SalvageReport), StoreError> {
        let options = &shared.options;
        let mut report = SalvageReport::default();
        let set_aside = quarantine::set_aside(options)?;
        let database = options.database();
        let log = options.directory.join("db.sqlite-wal");
        // Whoever closes the database empties its log.
        let was_cut_off = std::fs::metadata(log).is_ok_and(|data| data.len() > 0);
        let new = !database.exists();
        let mut connection = Connection::open(&database)?;
        schema::configure(&connection, options.durable, false)?;
        schema::migrate(&mut connection)?;
        if new && options.durable {
            files::sync_directory(&options.directory)?;
        }
        if was_cut_off && !schema::is_sound(&connection)? {
            return Err(StoreError::Damaged);
        }
        let mut unreadable = std::collections::BTreeSet::new();
        for folder in &set_aside {
            let (salvaged, lost) = quarantine::salvage(&mut connection, folder, &shared.keys)?;
            report.salvaged += salvaged;
            report.folder.get_or_insert_with(|| folder.clone());
            unreadable.extend(lost);
        }
        let mut copy = SecondCopy::of(&options.directory, options.durable);
        let reconciled = reconcile(&mut connection, &mut copy, shared, Rows::Unsettled)?;
        report.salvaged += reconciled.restored.len();
        unreadable.retain(|id| !reconciled.restored.contains(id));
        unreadable.extend(&reconciled.lost);
        report.lost = unreadable.len() + reconciled.nameless;
        for folder in &set_aside {
            quarantine::close(folder)?;
        }
        let mut writer = Self { shared: Arc::clone(shared), connection, copy, owes_checkpoint: false };
        if was_cut_off {
            // It may hold the key of a document that was erased. On a full disk it stays, and the store opens.
            writer.empty_log();
        }
        Ok((writer, report))
    }

    /// Does what is asked until nobody can ask any more.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) -> Self {
        loop {
            let job = if self.owes_checkpoint {
                match jobs.recv_timeout(AGAIN) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => {
                        self.empty_log();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return self,
                }
            } else {
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return self,
                }
            };
            // A mistake of a caller's ends its own write, not the writer.
            if catch_unwind(AssertUnwindSafe(|| job(&mut self))).is_err() {
                self.rolled_back();
            }
        }
    }

    /// Writes in one transaction.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = (|| {
            let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut write = WriteTx::new(&tx, &self.shared);
            let value = work(&mut write)?;
            let (records, erased) = (std::mem::take(&mut write.records), write.erased);
            drop(write);
            tx.commit()?;
            Ok((value, records, erased))
        })();
        match done {
            Ok((value, records, erased)) => {
                self.committed(&records, erased);
                Ok(value)
            }
            Err(error) => {
                self.rolled_back();
                Err(self.shared.judge(&self.connection, error))
            }
        }
    }

    /// What was committed goes into the second copy before anybody hears of it. That fails without failing the
    /// write: the database has it.
    fn committed(&mut self, records: &[Record], erased: bool) {
        if !records.is_empty() && self.copy.append(records).is_ok() && !self.copy.has_grown() {
            // The usual way.
        } else if self.copy.stale || self.copy.has_grown() {
            // What stands in the way here stands in the way of the next write, which tells.
            let _ = reconcile(&mut self.connection, &mut self.copy, &self.shared, Rows::Unsettled);
        }
        self.owes_checkpoint |= erased;
        if self.owes_checkpoint {
            self.empty_log();
        }
    }

    /// Keys made in a transaction that was rolled back must not stay in memory, nor counts that it stored.
    fn rolled_back(&mut self) {
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.shared.keys.counted().iter().for_each(|key| key.forget_block());
    }

    /// Puts right what was found damaged in rows.
    pub(crate) fn mend(&mut self, found: Found) -> Result<SalvageReport, StoreError> {
        let mut report = SalvageReport { documents: found.documents, ..SalvageReport::default() };
        if found.rows {
            let done = reconcile(&mut self.connection, &mut self.copy, &self.shared, Rows::All)?;
            report.salvaged = done.restored.len();
            report.lost = done.lost.len() + done.nameless;
        }
        if !found.nameless.is_empty() {
            report.nameless = found.nameless.len();
            self.write(move |tx| found.nameless.iter().try_for_each(|opaque| tx.delete_nameless(opaque)))?;
        }
        Ok(report)
    }

    fn empty_log(&mut self) {
        // A reader in the way ends some time; suspending and opening do the same.
        self.owes_checkpoint = !self.checkpoint().unwrap_or(false);
    }

    /// Writes the log back into the database and empties it. Says whether nobody was in the way.
    pub(crate) fn checkpoint(&self) -> Result<bool, StoreError> {
        // With a reader still open a checkpoint would wait and do nothing.
        self.connection.busy_timeout(Duration::ZERO)?;
        let busy =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.connection.busy_timeout(schema::PATIENCE)?;
        Ok(busy? == 0)
    }
}
