//! One person's register on this device.

use std::sync::Arc;

use registro::LoginSetup;
use registro_model::PersonId;
use tokio::sync::Notify;

use crate::delivery::Written;
use crate::error::RegistroError;
use crate::events::Event;
use crate::family::Family;
use crate::office::Office;
use crate::provenance::Capacity;
use crate::storage::{PlatformKeys, PlatformSecrets, SecretStore, SigningKeys};
use crate::teacher::Teacher;
use crate::vault::{KeyVault, Platform};
use crate::work::{attached, blocking, detached, reading};

/// How to open a register.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OpenOptions {
    /// Folder of this person's store; made if it does not exist. One folder per person of a shared tablet, inside the
    /// app's own storage and left out of backups.
    pub directory: String,
    /// Address of the school's hub, such as `https://registro.example.it`: letter by letter as the school gives it out,
    /// because sessions are bound to it.
    pub hub: String,
    /// Where the browser comes back to after a login, as the school registered it: a claimed `https` address, or
    /// `it.registro.app:/callback`.
    #[uniffi(default = "it.registro.app:/callback")]
    pub redirect: String,
    /// What the list of the person's devices calls this one, such as "Tablet 3A".
    #[uniffi(default = None)]
    pub device_label: Option<String>,
    /// The authorization server, where it is not the hub: a region's, or the school's own.
    #[uniffi(default = None)]
    pub issuer: Option<String>,
    /// Which keys the hub may have, beside being vouched for as usual.
    #[uniffi(default = None)]
    pub pins: Option<PinSet>,
    /// Allows `http://` to this very device. For development and tests only.
    #[uniffi(default = false)]
    pub development: bool,
}

/// The keys that the hub may have: SHA-256 of the certificate's `SubjectPublicKeyInfo`, 32 bytes each.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PinSet {
    /// The key in use.
    pub primary: Vec<u8>,
    /// Keys that may take its place: at least one.
    pub backups: Vec<Vec<u8>>,
    /// The Unix second from which pins do not count, so that an app that nobody updates is not locked out.
    pub until: u64,
}

impl PinSet {
    fn pins(&self) -> Result<registro_sync::http::Pins, registro::Error> {
        let wrong = || registro::Error::invalid_input("pins");
        let key = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| wrong());
        let backups = self.backups.iter().map(|backup| key(backup)).collect::<Result<Vec<_>, _>>()?;
        registro_sync::http::Pins::new(key(&self.primary)?, &backups, self.until).ok_or_else(wrong)
    }
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Requests sent.
    pub requests: u32,
    /// Documents that changed.
    pub changed: u32,
    /// Commands that the hub confirmed.
    pub confirmed: u32,
    /// Commands that were refused or are with the office.
    pub not_accepted: u32,
    /// Whether the hub had been restored from a backup.
    pub diverged: bool,
}

/// One person's register on this device. Close it (and the role objects that came from it) when it is not needed any
/// more: the store stays open until then.
#[derive(uniffi::Object)]
pub struct Registro {
    pub(crate) inner: registro::Registro,
    /// Ends calls that only wait.
    stop: Notify,
}

#[uniffi::export]
impl Registro {
    /// Opens the register on this device, without a connection. `vault` keeps the key of the store, `keys` and `secrets`
    /// the login's: always hand in the same ones for the same folder. One `secrets` serves all folders of an app.
    ///
    /// # Errors
    /// `InUse`, `NeedsUser` (prompt, then open again), `UpdateNeeded`, `Storage`, `Untrusted` (the hub's address is not
    /// `https://`), `InvalidInput` (pins that are not 32 bytes, or without a backup).
    #[uniffi::constructor]
    pub async fn open(
        options: OpenOptions,
        vault: Arc<dyn KeyVault>,
        keys: Arc<dyn SigningKeys>,
        secrets: Arc<dyn SecretStore>,
    ) -> Result<Arc<Self>, RegistroError> {
        let inner = blocking(move || {
            let mut login = LoginSetup::new(Arc::new(PlatformKeys(keys)), Arc::new(PlatformSecrets(secrets)));
            login.redirect = options.redirect;
            login.issuer = options.issuer;
            login.device_label = options.device_label;
            let mut open = registro::OpenOptions::new(options.directory, &options.hub);
            open.login = Some(login);
            open.pins = options.pins.as_ref().map(PinSet::pins).transpose()?;
            open.development = options.development;
            registro::Registro::open(open, &Platform(vault))
        });
        Ok(Arc::new(Self { inner: inner.await?, stop: Notify::new() }))
    }

    /// Reaches the same hub at another address from now on: the school moved it, and its name stayed.
    ///
    /// # Errors
    /// `Untrusted` if it is not `https://`.
    pub fn set_hub(&self, address: String) -> Result<(), RegistroError> {
        reading(|| self.inner.set_hub(&address))
    }

    /// Who this register belongs to, logged in now or not.
    ///
    /// # Errors
    /// `NotLoggedIn` before the first login.
    pub fn person(&self) -> Result<PersonId, RegistroError> {
        reading(|| self.inner.person())
    }

    /// Sends what was written and fetches what is new, until there is nothing more to do. Harmless at any time; two at
    /// once run one after the other; cancelling the call leaves the sync running.
    ///
    /// # Errors
    /// `Offline` (nothing is lost: try again later), `NotLoggedIn`, `SessionEnded`, `Untrusted`, `Storage`.
    pub async fn sync(&self) -> Result<SyncReport, RegistroError> {
        let registro = self.inner.clone();
        let report = detached(async move { registro.sync().await }).await?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(SyncReport {
            requests: report.requests,
            changed: count(report.changed),
            confirmed: count(report.confirmed),
            not_accepted: count(report.not_accepted),
            diverged: report.diverged,
        })
    }

    /// Waits for events and gives all that there are; none after `stopWaiting`. At most the last 1,000 are kept for an
    /// app that does not ask. One loop per register asks: each event is given once.
    ///
    /// # Errors
    /// `Internal` only.
    pub async fn next_events(&self) -> Result<Vec<Event>, RegistroError> {
        let stopped = self.stop.notified();
        let events = tokio::select! {
            events = self.inner.next_events() => events,
            () = stopped => Vec::new(),
        };
        Ok(events.into_iter().map(Event::from).collect())
    }

    /// Waits until the hub says that there is news (true: sync now) or `stopWaiting` is called (false).
    ///
    /// # Errors
    /// `Offline` when the connection ends, `NotLoggedIn`, `SessionEnded`.
    pub async fn wait_for_news(&self) -> Result<bool, RegistroError> {
        let stopped = self.stop.notified();
        let registro = self.inner.clone();
        tokio::select! {
            news = attached(async move { registro.wait_for_news().await }) => news.map(|()| true),
            () = stopped => Ok(false),
        }
    }

    /// Ends every `nextEvents` and `waitForNews` that waits now. In Swift, cancelling a task does not end them.
    pub fn stop_waiting(&self) {
        self.stop.notify_waiters();
    }

    /// Closes everything that the system could hold against a suspended app, in 5 seconds at most. Until `resume`,
    /// calls fail with `Suspended`. Harmless when it is suspended.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn suspend(&self) -> Result<(), RegistroError> {
        let registro = self.inner.clone();
        blocking(move || registro.suspend()).await
    }

    /// Opens again after `suspend`. Harmless when it is not suspended.
    ///
    /// # Errors
    /// `InUse`, `Storage`.
    pub async fn resume(&self) -> Result<(), RegistroError> {
        let registro = self.inner.clone();
        blocking(move || registro.resume()).await
    }

    /// Everything that was written on this device, oldest first, with what became of it.
    ///
    /// # Errors
    /// `Suspended`, `Storage`.
    pub fn written(&self) -> Result<Vec<Written>, RegistroError> {
        Ok(reading(|| self.inner.written())?.into_iter().map(Written::from).collect())
    }

    /// The register as a teacher (*docente*) uses it; coordinator, head and office use the same screens of a class.
    pub fn teacher(&self) -> Arc<Teacher> {
        Arc::new(Teacher { inner: self.inner.teacher() })
    }

    /// The same screens, writing in another capacity than `Teacher.capacity` gives: what a hub refused as `Lesson`
    /// may be written as `Substitute`; a coordinator may write as `Council`.
    pub fn teacher_writing_as(&self, capacity: Capacity) -> Arc<Teacher> {
        Arc::new(Teacher { inner: self.inner.teacher().writing_as(capacity.into()) })
    }

    /// The register as a family uses it.
    pub fn family(&self) -> Arc<Family> {
        Arc::new(Family::of(&self.inner))
    }

    /// The register as the office (*segreteria*) uses it.
    pub fn office(&self) -> Arc<Office> {
        Arc::new(Office::of(&self.inner))
    }
}
