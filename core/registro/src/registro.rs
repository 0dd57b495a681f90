//! One person's register on this device.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use registro_identity::Login;
use registro_model::{CommandId, DocumentId, PersonId};
use registro_store::{KeyVault, Pin, Store, StoreError, StoreOptions};
use registro_sync::device::{Device, DeviceError, Environment};
use registro_sync::http::{HttpError, HubClient, Pins, Transport, TransportOptions};
use tokio::sync::Notify;

use crate::delivery::{Written, written};
use crate::environment::SystemEnvironment;
use crate::error::{Error, ErrorKind};
use crate::events::Event;
use crate::family::Family;
use crate::lease::{self, HeldLease};
use crate::login::{Current, LoginSetup};
use crate::office::Office;
use crate::teacher::Teacher;

/// How to open a register.
pub struct OpenOptions {
    /// Folder of this person's store.
    pub directory: PathBuf,
    /// Address of the school's hub.
    pub hub: String,
    /// Clock and randomness; the system's if absent.
    pub environment: Option<Box<dyn Environment>>,
    /// Whether a write survives a power cut. `false` is for simulations only.
    pub durable: bool,
    /// The person's PIN, if their store has one: on a tablet of several people each has one.
    pub pin: Option<Pin>,
    /// What the platform lends to the login. Without it only a development hub can be logged in at.
    pub login: Option<LoginSetup>,
    /// Which keys the hub may have, beside being vouched for as usual.
    pub pins: Option<Pins>,
    /// Allows `http://` to this very device. For development and tests only.
    pub development: bool,
}

impl OpenOptions {
    /// A durable register in that folder.
    pub fn new(directory: impl Into<PathBuf>, hub: &str) -> Self {
        Self {
            directory: directory.into(),
            hub: hub.to_owned(),
            environment: None,
            durable: true,
            pin: None,
            login: None,
            pins: None,
            development: false,
        }
    }

    /// The same at a hub on this very device.
    pub fn for_development(directory: impl Into<PathBuf>, hub: &str) -> Self {
        Self { development: true, ..Self::new(directory, hub) }
    }
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Requests sent.
    pub requests: u32,
    /// Documents that changed.
    pub changed: usize,
    /// Commands that the hub confirmed.
    pub confirmed: usize,
    /// Commands refused or with the office.
    pub not_accepted: usize,
    /// The hub had been restored from a backup.
    pub diverged: bool,
}

/// One person's register on this device. Clones share it.
#[derive(Clone)]
pub struct Registro {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) device: Mutex<Device>,
    /// The device's store, for suspending: that does not wait for what the device is doing.
    pub(crate) store: Store,
    transport: Transport,
    hub: Mutex<HubClient>,
    pub(crate) login: Option<Login>,
    pub(crate) lease: Option<HeldLease>,
    pub(crate) redirect: String,
    pub(crate) device_label: Option<String>,
    pub(crate) session: Mutex<Option<Current>>,
    /// The session of which the hub has said, in this run of the app, that it is the store's person's.
    pub(crate) settled: Mutex<Option<String>>,
    events: Mutex<VecDeque<Event>>,
    news: Notify,
    pub(crate) syncing: tokio::sync::Mutex<()>,
}

/// Most requests of one sync: a first sync of a large school takes some ten.
const MAX_ROUNDS: u32 = 200;
/// Most times that a sync goes on after the store was found damaged and mended.
const MAX_MENDED: u32 = 4;
/// Most events kept for an app that does not ask.
const MAX_EVENTS: usize = 1_000;

impl Registro {
    /// Opens the register on this device. Blocks while the store opens.
    ///
    /// A damaged store is mended, here or whenever it is found: what was written and not yet sent is taken over,
    /// the rest comes again from the school. [`Event::Mended`] tells.
    ///
    /// # Errors
    /// `InUse`, `NeedsUser` (also for a PIN that is missing or wrong: the sentence says which), `UpdateNeeded`,
    /// `Storage`, `Untrusted` (the hub's address).
    pub fn open(options: OpenOptions, vault: &dyn KeyVault) -> Result<Self, Error> {
        let reach = TransportOptions { loopback_http: options.development, ..TransportOptions::default() };
        let unpinned = Transport::new(reach.clone()).map_err(HttpError::from)?;
        let pinned = TransportOptions { pins: options.pins, ..reach };
        let transport = Transport::new(pinned).map_err(HttpError::from)?;
        let hub = HubClient::over(transport.clone(), &options.hub)?;
        let mut store = StoreOptions::new(options.directory, "registro");
        store.durable = options.durable;
        let opened = match &options.pin {
            Some(pin) => Store::open_with_pin(store.clone(), vault, pin)?,
            None => Store::open(store.clone(), vault)?,
        };
        // A name that says nothing about the person, and stays when their PIN is another.
        let scope = Store::key_file(&store)?.map(|key| key.store_id()).unwrap_or_default();
        let login = options.login.as_ref().map(|setup| setup.login(&hub, unpinned.clone(), &scope));
        let lease = options.login.as_ref().map(|setup| HeldLease::read(setup.secrets_of(&scope)));
        let environment = options.environment.unwrap_or_else(|| Box::new(SystemEnvironment::default()));
        let mut device = Device::open(opened.store.clone(), environment)?;
        if let Some(report) = opened.salvage {
            device.add_salvage(report);
        }
        let registro = Self {
            inner: Arc::new(Inner {
                device: Mutex::new(device),
                store: opened.store,
                transport,
                hub: Mutex::new(hub),
                login,
                lease,
                redirect: options.login.as_ref().map(|setup| setup.redirect.clone()).unwrap_or_default(),
                device_label: options.login.and_then(|setup| setup.device_label),
                session: Mutex::new(None),
                settled: Mutex::new(None),
                events: Mutex::new(VecDeque::new()),
                news: Notify::new(),
                syncing: tokio::sync::Mutex::new(()),
            }),
        };
        // Whoever asks for events hears of it first.
        drop(registro.device());
        Ok(registro)
    }

    /// Gives this person's store a PIN, changes it or takes it away. `current` is the one that it has, if it has one.
    /// Blocks as long as a PIN is meant to take, about a second.
    ///
    /// # Errors
    /// `NeedsUser` if the current PIN is missing, wrong or blocked; `Suspended`, `Storage`. The PIN is as it was.
    pub fn set_pin(
        &self,
        vault: &dyn KeyVault,
        current: Option<&Pin>,
        new: Option<&Pin>,
    ) -> Result<(), Error> {
        Ok(self.inner.store.set_pin(vault, current, new)?)
    }

    /// The device, with its store mended: what found damage has failed and said so, what comes next goes on. Locked if
    /// the school has not heard of it for too long.
    pub(crate) fn device(&self) -> MutexGuard<'_, Device> {
        self.lock_if_lease_is_over();
        let mut device = self.inner.device.lock().unwrap_or_else(PoisonError::into_inner);
        // If it cannot be mended now (a full disk), whatever is asked next fails with the reason.
        let _ = device.mend();
        if let Some(report) = device.take_salvage() {
            self.tell(Event::Mended(report.into()));
        }
        device
    }

    fn tell(&self, event: Event) {
        let mut events = self.inner.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push_back(event);
        self.inner.news.notify_one();
    }

    pub(crate) fn hub(&self) -> HubClient {
        self.inner.hub.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reaches the same hub at another address from now on: the school moved it and its name stayed, or a test stands
    /// in for the network. The hub's name, which sessions are bound to, is that of the opening.
    pub fn set_hub(&self, address: &str) -> Result<(), Error> {
        let hub = self.hub();
        let moved = HubClient::over(self.inner.transport.clone(), hub.base())?.through(address)?;
        *self.inner.hub.lock().unwrap_or_else(PoisonError::into_inner) = moved;
        Ok(())
    }

    /// Who this register belongs to, logged in or not.
    pub fn person(&self) -> Result<PersonId, Error> {
        self.device()
            .account()
            .map(|account| account.person)
            .ok_or_else(|| Error::new(ErrorKind::NotLoggedIn, "no account"))
    }

    /// Sends what was written and fetches what is new, until there is nothing more to do. Harmless at any time;
    /// two calls at once run one after the other.
    ///
    /// # Errors
    /// `Offline`: nothing is lost, try again later. `SessionEnded`, `Untrusted`, `Storage`.
    pub async fn sync(&self) -> Result<SyncReport, Error> {
        let _one = self.inner.syncing.lock().await;
        let (hub, authorization) = self.hub_and_authorization().await?;
        let mut report = SyncReport::default();
        let mut quiet = 0;
        let mut mended = 0;
        while report.requests < MAX_ROUNDS {
            let (request, asked) = self.device().request()?;
            let pushed = !request.push.is_empty();
            report.requests += 1;
            let reply = match hub.sync(authorization.as_ref(), &request).await {
                // Not what was asked: that this person asks at all.
                Err(HttpError::Forbidden) => {
                    return Err(Error::new(ErrorKind::NotEntitled, "the hub lets nobody in"));
                }
                reply => reply?,
            };
            // A reply is applied to its end even if the caller went away: the store writes it in one transaction.
            let applied = match self.device().apply(&asked, reply) {
                // The store is mended now: what could not be applied is asked for again.
                Err(DeviceError::Store(StoreError::Damaged | StoreError::Sealed)) if mended < MAX_MENDED => {
                    mended += 1;
                    continue;
                }
                applied => applied?,
            };
            // By the hub's clock, which the reply told.
            self.had_contact()?;
            report.changed += applied.documents.len();
            report.confirmed += applied.confirmed.len();
            report.not_accepted += applied.refused.len();
            report.diverged |= applied.diverged;
            let progress = pushed && (!applied.confirmed.is_empty() || !applied.refused.is_empty());
            self.announce(&applied);
            if !applied.more {
                self.flush_revocations().await;
                return Ok(report);
            }
            // Nothing moves: what waits (for a higher login, for others' changes) waits for the next sync.
            quiet = if progress || !applied.documents.is_empty() || !asked.want.is_empty() {
                0
            } else {
                quiet + 1
            };
            if quiet > 3 {
                return Ok(report);
            }
        }
        Ok(report)
    }

    fn announce(&self, applied: &registro_sync::device::Applied) {
        let mut events = self.inner.events.lock().unwrap_or_else(PoisonError::into_inner);
        if !applied.documents.is_empty() {
            events.push_back(Event::Changed(applied.documents.iter().copied().collect()));
        }
        events.extend(applied.confirmed.iter().map(|command| Event::Confirmed(*command)));
        events.extend(applied.refused.iter().map(|command| Event::NotAccepted(*command)));
        events.extend(applied.new_devices.iter().map(|_| Event::NewDevice));
        if applied.diverged {
            events.push_back(Event::Restored);
        }
        while events.len() > MAX_EVENTS {
            events.pop_front();
        }
        if !events.is_empty() {
            self.inner.news.notify_one();
        }
    }

    /// Waits for events and gives all that there are. Dropping the future loses none.
    pub async fn next_events(&self) -> Vec<Event> {
        loop {
            let waiting = self.inner.news.notified();
            let events: Vec<Event> =
                self.inner.events.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
            if !events.is_empty() {
                return events;
            }
            waiting.await;
        }
    }

    /// Waits until the hub says that there is news; then sync. Returns an error when the connection ends.
    pub async fn wait_for_news(&self) -> Result<(), Error> {
        let (hub, authorization) = self.hub_and_authorization().await?;
        Ok(hub.wait_for_news(authorization.as_ref()).await?)
    }

    /// Closes everything that the system could hold against a suspended app. Does not wait for a sync that is
    /// under way: its next step fails with `Suspended`, and what it had committed stays. Blocks up to 5 seconds.
    ///
    /// # Errors
    /// `Storage` if the disk is full. The register is suspended all the same, and nothing is lost.
    pub fn suspend(&self) -> Result<(), Error> {
        Ok(self.inner.store.suspend()?)
    }

    /// Opens again after a suspend. Does nothing if it is open.
    ///
    /// # Errors
    /// `InUse`, `Storage`: the register stays suspended; try again. `Locked` if the school has not heard of this device
    /// for two weeks: sync, or log in.
    pub fn resume(&self) -> Result<(), Error> {
        if self.lease_is_over() {
            return Err(lease::over());
        }
        // What was under way when it was suspended has ended once the device is free.
        let mut device = self.inner.device.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = self.inner.store.resume()? {
            device.add_salvage(report);
        }
        device.reload()?;
        if let Some(report) = device.take_salvage() {
            self.tell(Event::Mended(report.into()));
        }
        Ok(())
    }

    /// Everything that was written on this device, in order, with what became of it.
    pub fn written(&self) -> Result<Vec<Written>, Error> {
        written(&mut self.device())
    }

    /// The register as a teacher uses it.
    pub fn teacher(&self) -> Teacher {
        Teacher::new(self.clone())
    }

    /// The register as a family uses it.
    pub fn family(&self) -> Family {
        Family::new(self.clone())
    }

    /// The register as the office uses it.
    pub fn office(&self) -> Office {
        Office::new(self.clone())
    }

    /// Every document that this person may read, saved as a plain Automerge file: (file name, bytes).
    pub fn export(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut device = self.device();
        let documents: Vec<_> = device.documents().map(|h| (h.identity.kind, h.identity.id)).collect();
        documents
            .into_iter()
            .map(|(kind, id)| Ok((format!("{kind}-{id}.automerge"), device.held(id)?.document().save())))
            .collect()
    }

    /// What this device shows of each document that it may read: heads and decided view, as one hash. Devices that
    /// have synced to the end show the same of the same document.
    pub fn fingerprints(&self) -> Result<BTreeMap<DocumentId, [u8; 32]>, Error> {
        use registro_documents::bytes::{Parts, sha256};
        let mut device = self.device();
        let documents: Vec<_> = device.documents().map(|header| header.identity.id).collect();
        documents
            .into_iter()
            .map(|id| {
                let held = device.held(id)?;
                let mut heads = held.document().heads();
                heads.sort_unstable();
                let mut text = Parts::new("registro/fingerprint/1");
                for head in heads {
                    text = text.part(&head.0);
                }
                for (name, part) in registro_documents::view::view(held.document(), held) {
                    text = text.part(name.as_bytes()).part(&part.to_bytes());
                }
                Ok((id, sha256(&text.into_bytes())))
            })
            .collect()
    }

    /// The heads of each document that this person may read, sorted.
    pub fn heads(&self) -> Result<BTreeMap<DocumentId, Vec<[u8; 32]>>, Error> {
        let mut device = self.device();
        let documents: Vec<_> = device.documents().map(|header| header.identity.id).collect();
        documents
            .into_iter()
            .map(|id| {
                let mut heads: Vec<_> =
                    device.held(id)?.document().heads().iter().map(|head| head.0).collect();
                heads.sort_unstable();
                Ok((id, heads))
            })
            .collect()
    }

    /// The changes of every command of this device that the hub acknowledged: (command, document, change).
    pub fn acknowledged(&self) -> Result<Vec<(CommandId, DocumentId, [u8; 32])>, Error> {
        let entries = self.device().commands()?;
        Ok(entries
            .iter()
            .filter(|entry| entry.is_accepted())
            .flat_map(|entry| {
                entry.changes.iter().map(|change| {
                    (entry.command.id, change.signed.envelope.document, change.signed.envelope.change)
                })
            })
            .collect())
    }
}
