//! The lease: a device that the school has not heard of for two weeks locks, because the right to read may have ended
//! meanwhile (docs/identity.md). Locking closes the store and drops its keys; nothing is wiped, and the next contact with the
//! hub opens it again.

use std::sync::{Arc, Mutex, PoisonError};

use registro_identity::SecretStore;
use registro_identity::unlock::{Lease, OFFLINE_VALID_DAYS};

use crate::error::{Error, ErrorKind};
use crate::registro::Registro;

/// Its name among the secrets of the store.
const NAME: &str = "lease";

/// The lease of a store.
pub(crate) struct HeldLease {
    secrets: Arc<dyn SecretStore>,
    lease: Mutex<Lease>,
}

impl HeldLease {
    /// As the platform keeps it. One that cannot be read does not hold: a contact makes it anew.
    pub(crate) fn read(secrets: Arc<dyn SecretStore>) -> Self {
        let lease = Lease::read(secrets.as_ref(), NAME).unwrap_or_default();
        Self { secrets, lease: Mutex::new(lease) }
    }

    /// Where it is kept, beside what else is kept of the store.
    pub(crate) fn secrets(&self) -> &dyn SecretStore {
        self.secrets.as_ref()
    }

    fn holds(&self, now_ms: i64) -> bool {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).holds(now_ms, OFFLINE_VALID_DAYS)
    }

    fn contact(&self, now_ms: i64) {
        let lease = Lease::of_contact(now_ms);
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
        // If the platform cannot keep it, the device locks earlier than it had to.
        let _ = lease.write(self.secrets.as_ref(), NAME);
    }
}

impl Registro {
    /// Whether the school has not heard of this device for too long. Before the first login there is nothing to lock.
    pub(crate) fn lease_is_over(&self) -> bool {
        let Some(lease) = &self.inner.lease else { return false };
        let device = self.inner.device.lock().unwrap_or_else(PoisonError::into_inner);
        device.account().is_some() && !lease.holds(device.school_time())
    }

    /// Closes the store if the lease is over, with what is in memory of it.
    pub(crate) fn lock_if_lease_is_over(&self) {
        if self.lease_is_over() {
            // It is closed all the same if the disk is full.
            let _ = self.inner.store.suspend();
            self.inner.device.lock().unwrap_or_else(PoisonError::into_inner).drop_readable();
        }
    }

    /// The hub answered: the lease begins anew, and what it had locked is open again.
    pub(crate) fn had_contact(&self) -> Result<(), Error> {
        let Some(lease) = &self.inner.lease else { return Ok(()) };
        let was_over = self.lease_is_over();
        let now = self.inner.device.lock().unwrap_or_else(PoisonError::into_inner).school_time();
        lease.contact(now);
        if was_over { self.resume() } else { Ok(()) }
    }
}

/// What is said when it is over.
pub(crate) fn over() -> Error {
    Error {
        italian: "Da troppo tempo il registro non sente la scuola: collegati per riaprirlo. Quello che hai scritto è al \
                  sicuro."
            .to_owned(),
        english: "The register has not heard from the school for too long: connect to open it again. What you wrote is \
                  safe."
            .to_owned(),
        ..Error::new(ErrorKind::Locked, "the lease is over")
    }
}
