//! Unlocking without a connection (docs/identity.md).
//!
//! Whether the register is unlocked is not a flag: it is whether there is something opened, which only the vault, and
//! the PIN where there is one, can open. Locking drops it, and its keys with it. Beside that there is a lease: a
//! device that the school has not heard of for `offline_valid_days` locks, because the right to read may have ended
//! meanwhile. Nothing is ever wiped by it: one contact with the hub, and the person opens it again.
//!
//! ```text
//!   locked ──open──▶ needs the person ──open──▶ unlocked
//!     ▲                                             │ lease over, at any time
//!     └────── contact with the hub ◀── lease expired
//! ```

use serde::{Deserialize, Serialize};

use crate::error::LoginError;
use crate::storage::SecretStore;

/// Days without contact after which a device locks. Source: docs/identity.md, `offline_valid_days`.
pub const OFFLINE_VALID_DAYS: u16 = 14;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why the store did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The device is locked.
    Locked,
    /// The vault waits for the person: the app shows the system's prompt.
    NeedsUser,
    /// The store has a PIN.
    NeedsPin,
    /// The PIN is another.
    WrongPin {
        /// Tries that are left.
        left: u8,
    },
    /// Too many wrong tries: the person has to log in online.
    PinBlocked,
    /// The key is gone: the person has to log in.
    KeyLost,
}

/// What the person has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Show themselves to the system.
    Prompt,
    /// Enter their PIN.
    Pin {
        /// Tries that are left, after a wrong one.
        left: Option<u8>,
    },
    /// Log in online.
    Login,
}

/// How the register stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnlockState {
    /// Locked: nobody has tried to open it, or the device itself is locked.
    Locked,
    /// Waits for the person.
    NeedsPerson(Ask),
    /// Open.
    Unlocked,
    /// The school has not heard of this device for too long: locked until there is a connection.
    LeaseExpired,
}

/// Until when the device may open the register without a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lease {
    /// The last contact with the hub, by its clock, Unix milliseconds.
    contact: i64,
    /// The latest time that was ever seen: a clock that is set back gives no day more.
    latest: i64,
}

impl Lease {
    /// Of a contact with the hub at that time.
    pub const fn of_contact(now_ms: i64) -> Self {
        Self { contact: now_ms, latest: now_ms }
    }

    /// Whether it holds at that time.
    pub fn holds(&mut self, now_ms: i64, days: u16) -> bool {
        self.latest = self.latest.max(now_ms);
        self.latest < self.contact.saturating_add(i64::from(days) * DAY_MS)
    }

    /// Reads it from where the platform seals it. There is none before the first contact, and one that does not read
    /// does not hold: a contact makes it anew. May block.
    pub fn read(secrets: &dyn SecretStore, name: &str) -> Result<Self, LoginError> {
        let sealed = secrets.get(name)?;
        Ok(sealed.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// Seals it. May block.
    pub fn write(&self, secrets: &dyn SecretStore, name: &str) -> Result<(), LoginError> {
        let bytes = serde_json::to_vec(self).map_err(|_| LoginError::Storage)?;
        Ok(secrets.put(name, &bytes)?)
    }
}

/// The register behind its lock. `T` is what only vault and PIN open: a store, with its keys.
pub struct OfflineUnlock<T> {
    opened: Option<T>,
    waits: UnlockState,
    lease: Lease,
    days: u16,
}

impl<T> OfflineUnlock<T> {
    /// Locked, with the lease that the device has.
    pub const fn new(lease: Lease, days: u16) -> Self {
        Self { opened: None, waits: UnlockState::Locked, lease, days }
    }

    /// How it stands at that time. If the lease is over it is locked from here on: what was open is dropped.
    pub fn state(&mut self, now_ms: i64) -> UnlockState {
        if !self.lease.holds(now_ms, self.days) {
            self.opened = None;
            self.waits = UnlockState::Locked;
            return UnlockState::LeaseExpired;
        }
        if self.opened.is_some() { UnlockState::Unlocked } else { self.waits }
    }

    /// Opens it, by vault and PIN. Not tried while the lease is over: no try of a PIN is used up then.
    pub fn open(&mut self, now_ms: i64, open: impl FnOnce() -> Result<T, Refusal>) -> UnlockState {
        let state = self.state(now_ms);
        if matches!(state, UnlockState::Unlocked | UnlockState::LeaseExpired) {
            return state;
        }
        match open() {
            Ok(opened) => self.opened = Some(opened),
            Err(refusal) => {
                self.waits = match refusal {
                    Refusal::Locked => UnlockState::Locked,
                    Refusal::NeedsUser => UnlockState::NeedsPerson(Ask::Prompt),
                    Refusal::NeedsPin => UnlockState::NeedsPerson(Ask::Pin { left: None }),
                    Refusal::WrongPin { left: 0 } | Refusal::PinBlocked | Refusal::KeyLost => {
                        UnlockState::NeedsPerson(Ask::Login)
                    }
                    Refusal::WrongPin { left } => UnlockState::NeedsPerson(Ask::Pin { left: Some(left) }),
                };
            }
        }
        self.state(now_ms)
    }

    /// What is open.
    ///
    /// # Errors
    /// How it stands, if it is not open.
    pub fn opened(&mut self, now_ms: i64) -> Result<&mut T, UnlockState> {
        match self.state(now_ms) {
            UnlockState::Unlocked => self.opened.as_mut().ok_or(UnlockState::Locked),
            state => Err(state),
        }
    }

    /// Locks it. Gives what was open, to be closed; its keys go when it is dropped.
    pub fn lock(&mut self) -> Option<T> {
        self.waits = UnlockState::Locked;
        self.opened.take()
    }

    /// The hub answered at that time, by its clock. Gives the new lease, to be sealed.
    pub fn contact(&mut self, now_ms: i64) -> Lease {
        self.lease = Lease::of_contact(now_ms);
        self.lease
    }

    /// The lease as it stands, to be sealed when the app is closed.
    pub const fn lease(&self) -> Lease {
        self.lease
    }
}

#[cfg(test)]
mod tests {
    use std::rc::{Rc, Weak};

    use super::*;
    use crate::storage::MemorySecrets;

    const START: i64 = 1_790_000_000_000;

    fn locked() -> OfflineUnlock<Rc<String>> {
        OfflineUnlock::new(Lease::of_contact(START), OFFLINE_VALID_DAYS)
    }

    fn open() -> Result<Rc<String>, Refusal> {
        Ok(Rc::new("keys".to_owned()))
    }

    #[test]
    fn nothing_is_open_but_what_the_vault_opened() {
        let mut unlock = locked();
        assert_eq!(unlock.state(START), UnlockState::Locked);
        assert_eq!(unlock.opened(START).map(|_| ()), Err(UnlockState::Locked));
        let refusals = [
            (Refusal::Locked, UnlockState::Locked),
            (Refusal::NeedsUser, UnlockState::NeedsPerson(Ask::Prompt)),
            (Refusal::NeedsPin, UnlockState::NeedsPerson(Ask::Pin { left: None })),
            (Refusal::WrongPin { left: 3 }, UnlockState::NeedsPerson(Ask::Pin { left: Some(3) })),
            (Refusal::WrongPin { left: 0 }, UnlockState::NeedsPerson(Ask::Login)),
            (Refusal::PinBlocked, UnlockState::NeedsPerson(Ask::Login)),
            (Refusal::KeyLost, UnlockState::NeedsPerson(Ask::Login)),
        ];
        for (refusal, state) in refusals {
            assert_eq!(unlock.open(START, || Err(refusal)), state, "{refusal:?}");
            assert!(unlock.opened(START).is_err());
        }
        assert_eq!(unlock.open(START, open), UnlockState::Unlocked);
        assert_eq!(unlock.opened(START).map(|keys| keys.as_str()), Ok("keys"));
        let again = unlock.open(START, || unreachable!("it is open"));
        assert_eq!(again, UnlockState::Unlocked);
    }

    #[test]
    fn locking_and_the_end_of_the_lease_drop_the_keys() {
        let mut unlock = locked();
        let held = |unlock: &mut OfflineUnlock<Rc<String>>| -> Weak<String> {
            unlock.open(START, open);
            Rc::downgrade(unlock.opened(START).unwrap())
        };
        let keys = held(&mut unlock);
        drop(unlock.lock());
        assert!(keys.upgrade().is_none());
        let keys = held(&mut unlock);
        let last = START + 14 * DAY_MS - 1;
        assert_eq!(unlock.state(last), UnlockState::Unlocked);
        assert_eq!(unlock.state(last + 1), UnlockState::LeaseExpired);
        assert!(keys.upgrade().is_none());
        let refused = unlock.open(last + 1, || unreachable!("no PIN is tried"));
        assert_eq!(refused, UnlockState::LeaseExpired);
        unlock.contact(last + 2);
        assert_eq!(unlock.state(last + 2), UnlockState::Locked, "the person opens it again");
        assert_eq!(unlock.open(last + 2, open), UnlockState::Unlocked);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_no_day_more_and_a_wrong_one_wipes_nothing() {
        let mut unlock = locked();
        assert_eq!(unlock.state(START + 20 * DAY_MS), UnlockState::LeaseExpired);
        assert_eq!(unlock.open(START, open), UnlockState::LeaseExpired, "set back");
        unlock.contact(START + DAY_MS);
        assert_eq!(unlock.open(START, open), UnlockState::Unlocked, "the hub says what time it is");
    }

    #[test]
    fn a_lease_outlives_the_process_and_one_that_does_not_read_does_not_hold() {
        let secrets = MemorySecrets::default();
        let mut none = Lease::read(&secrets, "lease").unwrap();
        assert!(!none.holds(START, OFFLINE_VALID_DAYS), "before the first contact");
        let mut lease = Lease::of_contact(START);
        assert!(lease.holds(START + 10 * DAY_MS, OFFLINE_VALID_DAYS));
        lease.write(&secrets, "lease").unwrap();
        assert_eq!(Lease::read(&secrets, "lease").unwrap(), lease);
        secrets.put("lease", b"rubbish").unwrap();
        assert!(!Lease::read(&secrets, "lease").unwrap().holds(START, OFFLINE_VALID_DAYS));
    }
}
