//! The device: what a tablet or a phone holds, writes, pushes and pulls. A state machine without I/O of its own
//! but the store: bytes, clock and randomness come from outside, so that a simulator can drive a hundred of them.

mod account;
mod apply;
mod blind;
mod cache;
mod directory;
mod diverged;
mod forget;
mod give;
mod held;
mod mend;
mod offer;
mod outbox;
mod past;
mod reexecute;
mod remainder;
mod renewal;
mod request;
mod scope;
mod settle;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::view::ViewPart;
use registro_documents::{DocumentIdentity, SigningKey};
use registro_model::directory::Directory;
use registro_model::school::School;
use registro_model::{CommandId, DocumentId};
use registro_store::{DocumentPart, SalvageReport, Store, StoreError};

pub use account::Account;
pub use apply::Applied;
pub use directory::school_of;
pub use give::{Draft, DraftWrite};
pub use held::Held;
pub use outbox::{Delivery, OutboxEntry, OwnChange, Refusal};
pub use request::Asked;
pub use state::{Header, SyncState};

use crate::messages::PAGE_BYTES;
use crate::wire::{decode, encode};
use cache::Cache;
use state::StoreOp;

/// What a device needs from outside.
pub trait Environment: Send {
    /// The device's clock, Unix milliseconds. Informative only.
    fn now(&self) -> i64;
    /// Fills a buffer with random bytes.
    fn random(&mut self, out: &mut [u8]);
    /// Whether the store may be written to, asked before each write. A simulator says no to end the device between
    /// two writes of one act, as a suspension or a crash would.
    fn may_write(&mut self) -> bool {
        true
    }
}

/// Why the device could not do something.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds does not read: it was damaged, or written by a newer version.
    #[error("a stored value does not read: {0}")]
    Stored(&'static str),
    /// Nobody has logged in yet.
    #[error("nobody is logged in on this store")]
    NoAccount,
    /// The document is not held on this device.
    #[error("the document is not on this device")]
    NotHeld(DocumentId),
    /// The change could not be made.
    #[error(transparent)]
    Write(#[from] registro_documents::write::WriteError),
    /// The gate refuses the device's own change: it was too large, or a rule was broken by the app.
    #[error("the entry cannot be written: {0}")]
    OwnChange(String),
    /// What the hub sent does not verify. Nothing of it was applied.
    #[error("the hub's answer does not verify: {0}")]
    Reply(&'static str),
}

/// A device's register: one person's replica of what they may read, and the outbox of what they wrote.
pub struct Device {
    store: Store,
    environment: Box<dyn Environment>,
    account: Option<Account>,
    key: Option<SigningKey>,
    state: SyncState,
    headers: BTreeMap<DocumentId, Header>,
    blind: BTreeMap<DocumentId, Header>,
    pending: Vec<OutboxEntry>,
    aside: Vec<OutboxEntry>,
    waiting: BTreeSet<CommandId>,
    turn: usize,
    page_bytes: usize,
    cache: Cache,
    directory: Option<(Directory, School)>,
    /// What was found damaged since it was last asked for.
    salvage: SalvageReport,
}

impl Device {
    /// Opens the device on its store.
    pub fn open(store: Store, environment: Box<dyn Environment>) -> Result<Self, DeviceError> {
        let mut device = Self {
            store,
            environment,
            account: None,
            key: None,
            state: SyncState::default(),
            headers: BTreeMap::new(),
            blind: BTreeMap::new(),
            pending: Vec::new(),
            aside: Vec::new(),
            waiting: BTreeSet::new(),
            turn: 0,
            page_bytes: PAGE_BYTES,
            cache: Cache::default(),
            directory: None,
            salvage: SalvageReport::default(),
        };
        device.reload()?;
        // What could not be run before may be now: the app may be a newer one.
        device.take_from_aside()?;
        Ok(device)
    }

    /// Reads account, headers and pending commands as they are stored.
    fn read_stored(&mut self) -> Result<(), DeviceError> {
        let (account, state, blind, headers, pending) = self.store.read(|r| {
            let mut headers = Vec::new();
            for document in r.documents()? {
                if let Some(bytes) = r.document_part(document, DocumentPart::Header)? {
                    headers.push((document, bytes));
                }
            }
            let pending = r.commands_in_state(outbox::PENDING)?;
            Ok((r.meta("account")?, r.meta("sync")?, r.meta("blind")?, headers, pending))
        })?;
        self.account = account.map(|bytes| decode(&bytes)).transpose()?;
        self.key = self.account.as_ref().map(Account::key);
        let blind: Vec<Header> = blind.map(|bytes| decode(&bytes)).transpose()?.unwrap_or_default();
        self.blind = blind.into_iter().map(|header| (header.identity.id, header)).collect();
        let forgot = state.is_none();
        self.state = state.map(|bytes| decode(&bytes)).transpose()?.unwrap_or_default();
        self.headers = headers
            .into_iter()
            .map(|(document, bytes)| Ok((document, decode(&bytes)?)))
            .collect::<Result<_, DeviceError>>()?;
        let open: Vec<OutboxEntry> = pending.iter().map(|c| decode(&c.body)).collect::<Result<_, _>>()?;
        (self.aside, self.pending) = open.into_iter().partition(|entry| entry.aside);
        self.waiting.clear();
        if self.pending.iter().any(|entry| entry.instead_of.is_some()) {
            self.order_pending()?;
        }
        self.cache.clear();
        self.directory = None;
        if forgot && !self.headers.is_empty() {
            self.want_everything()?;
        }
        self.mend_views()
    }

    /// The account, if somebody has logged in.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Makes the store an account's: its device key and certificate.
    pub fn enrol(&mut self, account: Account) -> Result<(), DeviceError> {
        let ops = vec![StoreOp::PutMeta("account".to_owned(), encode(&account))];
        self.commit(ops)?;
        self.key = Some(account.key());
        self.account = Some(account);
        Ok(())
    }

    /// Makes pushes smaller than [`PAGE_BYTES`], for tests that would otherwise need much data.
    pub fn limit_pages(&mut self, bytes: usize) {
        self.page_bytes = bytes.min(PAGE_BYTES);
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where the device stands in the hub's log.
    pub fn state(&self) -> &SyncState {
        &self.state
    }

    /// Documents that the caller may read, as the hub last said.
    pub fn documents(&self) -> impl Iterator<Item = &Header> {
        self.headers.values()
    }

    /// A document by what it is about.
    pub fn find(&self, test: impl Fn(&DocumentIdentity) -> bool) -> Option<DocumentId> {
        self.headers.values().map(|header| &header.identity).find(|identity| test(identity)).map(|i| i.id)
    }

    /// A part of a document's view.
    pub fn part(&self, document: DocumentId, part: &str) -> Result<ViewPart, DeviceError> {
        let bytes = self.store.read(|r| r.view(document, part))?;
        Ok(bytes.map(|bytes| decode(&bytes)).transpose()?.unwrap_or_default())
    }

    /// Commands that the hub has not confirmed.
    pub fn pending(&self) -> &[OutboxEntry] {
        &self.pending
    }

    /// Commands that could not be run again with what this device holds; they are kept and tried again.
    pub fn aside(&self) -> &[OutboxEntry] {
        &self.aside
    }

    /// Every command that this device keeps, in order: those of the year, refused ones included.
    pub fn commands(&self) -> Result<Vec<OutboxEntry>, DeviceError> {
        let stored = self.store.read(|r| r.commands())?;
        stored.iter().map(|command| decode(&command.body)).collect()
    }

    /// A command of this device.
    pub fn command(&self, id: CommandId) -> Result<Option<OutboxEntry>, DeviceError> {
        if let Some(entry) = self.pending.iter().chain(&self.aside).find(|entry| entry.command.id == id) {
            return Ok(Some(entry.clone()));
        }
        let stored = self.store.read(|r| r.command(id))?;
        stored.map(|command| decode(&command.body)).transpose()
    }

    /// Draws a command id.
    pub fn draw_command(&mut self) -> CommandId {
        CommandId(self.draw())
    }

    /// Draws random bytes, for keys of facts.
    pub fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.environment.random(&mut out);
        out
    }

    /// The device's clock, Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.environment.now()
    }

    /// The time at the school, as far as the hub's answers tell it, Unix milliseconds.
    pub fn school_time(&self) -> i64 {
        self.now().saturating_add(self.state.clock_offset)
    }

    /// Drops what is in memory of documents, after their store was closed. The next reload brings it back.
    pub fn drop_readable(&mut self) {
        self.cache.clear();
        self.directory = None;
    }

    fn commit(&mut self, ops: Vec<StoreOp>) -> Result<(), DeviceError> {
        if ops.is_empty() {
            return Ok(());
        }
        if !self.environment.may_write() {
            return Err(StoreError::Suspended.into());
        }
        self.store.write(move |tx| ops.into_iter().try_for_each(|op| op.run(tx)))?;
        Ok(())
    }

    fn account_or_error(&self) -> Result<&Account, DeviceError> {
        self.account.as_ref().ok_or(DeviceError::NoAccount)
    }

    /// The document, with what this device has pending in it.
    pub fn held(&mut self, document: DocumentId) -> Result<&Held, DeviceError> {
        self.cache.trim();
        self.hold(document).map(|held| &*held)
    }

    /// The document, from the cache or the store. Nothing leaves the cache here: in the middle of an act a document
    /// may be ahead of the store.
    fn hold(&mut self, document: DocumentId) -> Result<&mut Held, DeviceError> {
        if !self.cache.contains(document) {
            let held = match (self.headers.get(&document), self.blind.get(&document)) {
                (Some(header), _) => {
                    let loaded = Held::load(&self.store, header, &self.pending);
                    let (mut held, misfits) = loaded.inspect_err(|error| {
                        if matches!(error, DeviceError::Stored(_)) {
                            self.store.distrust(document);
                        }
                    })?;
                    self.state.redo.extend(misfits);
                    self.know_own_actors(&mut held);
                    held
                }
                (None, Some(header)) => self.load_blind(&header.clone())?,
                (None, None) => return Err(DeviceError::NotHeld(document)),
            };
            self.cache.insert(document, held);
        }
        self.cache.get(document).ok_or(DeviceError::NotHeld(document))
    }

    /// Rebuilds the views that a crash left stale.
    fn mend_views(&mut self) -> Result<(), DeviceError> {
        let stale = std::mem::take(&mut self.state.stale);
        if stale.is_empty() {
            return Ok(());
        }
        let mut ops = Vec::new();
        self.refresh_whole(&stale, &mut ops)?;
        ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
        self.commit(ops)
    }

    fn header(&self, document: DocumentId) -> Option<&Header> {
        self.headers.get(&document).or_else(|| self.blind.get(&document))
    }

    fn identity(&self, document: DocumentId) -> Result<DocumentIdentity, DeviceError> {
        self.header(document).map(|header| header.identity.clone()).ok_or(DeviceError::NotHeld(document))
    }

    /// The epoch under which this device writes in a document; drawn at the first write. The caller stores the
    /// header.
    fn epoch(&mut self, document: DocumentId) -> Result<registro_documents::Epoch, DeviceError> {
        if let Some(epoch) = self.header(document).and_then(|header| header.epoch) {
            return Ok(epoch);
        }
        let epoch = self.draw();
        let header = match self.headers.get_mut(&document) {
            Some(header) => header,
            None => self.blind.get_mut(&document).ok_or(DeviceError::NotHeld(document))?,
        };
        header.epoch = Some(epoch);
        Ok(epoch)
    }

    /// The operation that stores a document's header.
    fn header_op(&self, document: DocumentId) -> StoreOp {
        match self.headers.get(&document) {
            Some(header) => StoreOp::PutPart(document, DocumentPart::Header, encode(header)),
            None => self.blind_op(),
        }
    }

    fn view_ops(&self, document: DocumentId, parts: BTreeMap<String, ViewPart>) -> Vec<StoreOp> {
        parts.into_iter().map(|(part, view)| StoreOp::PutView(document, part, encode(&view))).collect()
    }

    /// Views of the keys that changed, as operations on the store.
    fn refresh_ops(
        &mut self,
        document: DocumentId,
        changed: &BTreeSet<(String, String)>,
    ) -> Result<Vec<StoreOp>, DeviceError> {
        use registro_documents::view::{part_of, refresh};
        let mut parts = BTreeMap::new();
        for (section, key) in changed {
            let part = part_of(section, key);
            if let std::collections::btree_map::Entry::Vacant(entry) = parts.entry(part) {
                let view = self.part(document, entry.key())?;
                entry.insert(view);
            }
        }
        let held = self.hold(document)?;
        refresh(held.document(), held, changed, &mut parts);
        self.forget_directory_if(document);
        Ok(self.view_ops(document, parts))
    }
}
