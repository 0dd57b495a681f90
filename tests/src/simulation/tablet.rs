//! A device of the simulation, with a store on disk that can crash, be copied and be put back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use registro_documents::SigningKey;
use registro_hub::caller::{Caller, Level};
use registro_hub::dev;
use registro_hub::hub::devices::proof_text;
use registro_hub::{Hub, HubError};
use registro_model::school::AttendanceMode;
use registro_model::{Capacity, CommandId, PersonId};
use registro_store::{MemoryVault, Store, StoreOptions};
use registro_sync::device::{Account, Applied, Asked, Device, DeviceError, Environment};
use registro_sync::messages::{Reply, Request};
use zeroize::Zeroizing;

use super::{Setting, Violation};
use crate::clock::{SeededEnvironment, SharedClock};
use crate::miniature::SCHOOL;

/// What goes wrong between a device and the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request does not arrive.
    LostRequest,
    /// The hub has done its part, the reply does not arrive.
    LostReply,
    /// The request arrives twice.
    Doubled,
    /// The reply comes later, after other ones.
    Late,
    /// The device ends between the hub's commit and the acknowledgement.
    Crash,
    /// The device ends in the middle of applying the reply: after so many writes into its store.
    Torn(u8),
}

/// A device's environment that lets it write into its store so many times more.
struct Mortal {
    environment: SeededEnvironment,
    writes_left: Arc<AtomicUsize>,
}

impl Environment for Mortal {
    fn now(&self) -> i64 {
        self.environment.now()
    }

    fn random(&mut self, out: &mut [u8]) {
        self.environment.random(out);
    }

    fn may_write(&mut self) -> bool {
        let left = |left: usize| left.checked_sub(1);
        self.writes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
    }
}

/// A device.
pub struct Tablet {
    /// Whose.
    pub person: PersonId,
    /// In what capacity that person writes.
    pub capacity: Capacity,
    /// How the school keeps attendance.
    pub mode: AttendanceMode,
    page_bytes: usize,
    writes_left: Arc<AtomicUsize>,
    folder: PathBuf,
    vault: MemoryVault,
    seed: u64,
    opened: u64,
    clock: SharedClock,
    device: Option<Device>,
    late: Vec<(Asked, Reply)>,
    copied: bool,
    /// Commands given here that this store, or the copy that took its place, must account for.
    pub given: BTreeMap<CommandId, bool>,
    given_at_copy: BTreeMap<CommandId, bool>,
}

fn failed(error: impl std::fmt::Display) -> Violation {
    format!("a device failed: {error}")
}

impl Tablet {
    /// A device that has logged in.
    pub fn enrolled(
        hub: &Hub,
        person: PersonId,
        capacity: Capacity,
        setting: Setting,
        folder: &Path,
        seed: u64,
        clock: &SharedClock,
    ) -> Result<Self, Violation> {
        let mut tablet = Self {
            person,
            capacity,
            mode: setting.mode,
            page_bytes: setting.page_bytes,
            writes_left: Arc::new(AtomicUsize::new(usize::MAX)),
            folder: folder.to_owned(),
            vault: MemoryVault::default(),
            seed,
            opened: 0,
            clock: clock.clone(),
            device: None,
            late: Vec::new(),
            copied: false,
            given: BTreeMap::new(),
            given_at_copy: BTreeMap::new(),
        };
        tablet.open()?;
        let device = tablet.device()?;
        let secret: [u8; 32] = device.draw();
        let key = SigningKey::from_seed(&Zeroizing::new(secret));
        let proof = key.sign(&proof_text(dev::ISSUER, SCHOOL, person, b"", b"nonce"));
        let certificate = hub
            .certify(&dev::authorized(person, "nonce".to_owned()), key.public(), &proof, clock.now())
            .map_err(failed)?;
        let account =
            Account { school: SCHOOL, school_key: *hub.school_key(), person, seed: secret, certificate };
        tablet.device()?.enrol(account).map_err(failed)?;
        Ok(tablet)
    }

    fn store_folder(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// Opens the device on its store. Its randomness is another one at every opening, as it would be.
    fn open(&mut self) -> Result<(), Violation> {
        let mut options = StoreOptions::new(self.store_folder(), "registro");
        options.durable = false;
        options.readers = 1;
        let opened = Store::open(options, &self.vault).map_err(failed)?;
        if opened.salvage.is_some() {
            return Err("a store was found damaged".to_owned());
        }
        self.opened += 1;
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(self.opened);
        self.writes_left.store(usize::MAX, Ordering::SeqCst);
        let environment = Mortal {
            environment: SeededEnvironment::new(self.clock.clone(), seed),
            writes_left: Arc::clone(&self.writes_left),
        };
        let mut device = Device::open(opened.store, Box::new(environment)).map_err(failed)?;
        device.limit_pages(self.page_bytes);
        self.device = Some(device);
        Ok(())
    }

    /// The open device.
    pub fn device(&mut self) -> Result<&mut Device, Violation> {
        self.device.as_mut().ok_or_else(|| "the device is not open".to_owned())
    }

    /// Ends the process and starts it again.
    pub fn crash(&mut self) -> Result<(), Violation> {
        self.device = None;
        self.late.clear();
        self.open()
    }

    /// Where the store is, and what opens it.
    pub(super) fn store(&self) -> (PathBuf, &MemoryVault) {
        (self.store_folder(), &self.vault)
    }

    /// Ends the process in good order.
    pub(super) fn close(&mut self) -> Result<(), Violation> {
        match self.device.take() {
            Some(device) => device.store().suspend().map_err(failed),
            None => Ok(()),
        }
    }

    /// Copies the store, as a backup of the tablet would.
    pub fn copy(&mut self) -> Result<(), Violation> {
        self.close()?;
        replace(&self.store_folder(), &self.folder.join("copy")).map_err(failed)?;
        self.copied = true;
        self.given_at_copy = self.given.clone();
        self.open()
    }

    /// Puts the copy in the place of the store: what was given since is gone with the store.
    pub fn put_copy_back(&mut self) -> Result<(), Violation> {
        if !self.copied {
            return Ok(());
        }
        self.close()?;
        self.late.clear();
        replace(&self.folder.join("copy"), &self.store_folder()).map_err(failed)?;
        self.given = self.given_at_copy.clone();
        self.open()
    }

    /// The hub certifies the device's key again, as at a login.
    pub fn renew(&mut self, hub: &Hub) -> Result<(), Violation> {
        let (now, person) = (self.clock.now(), self.person);
        let device = self.device()?;
        let key = device.account().ok_or("no account")?.key();
        let proof = key.sign(&proof_text(dev::ISSUER, SCHOOL, person, b"", b"nonce"));
        let certificate = hub
            .certify(&dev::authorized(person, "nonce".to_owned()), key.public(), &proof, now)
            .map_err(failed)?;
        device.renew(certificate).map_err(failed)
    }

    fn ask(&self, hub: &Hub, request: &Request) -> Result<Reply, Violation> {
        let caller = Caller::new(self.person, Level::L2);
        // What travels is bytes.
        let bytes = minicbor::to_vec(request).map_err(failed)?;
        let request: Request = minicbor::decode(&bytes).map_err(failed)?;
        let reply = hub
            .sync(&caller, &request, self.clock.now())
            .map_err(|error: HubError| format!("the hub failed: {error}"))?;
        let bytes = minicbor::to_vec(&reply).map_err(failed)?;
        minicbor::decode(&bytes).map_err(failed)
    }

    fn take(&mut self, asked: &Asked, reply: Reply) -> Result<Applied, Violation> {
        self.device()?.apply(asked, reply).map_err(|error: DeviceError| format!("a reply: {error}"))
    }

    /// One request, with what goes wrong. Returns whether there is more to ask.
    pub fn exchange(&mut self, hub: &Hub, fault: Fault) -> Result<bool, Violation> {
        let (request, asked) = self.device()?.request().map_err(failed)?;
        if fault == Fault::LostRequest {
            return Ok(false);
        }
        let mut reply = self.ask(hub, &request)?;
        match fault {
            Fault::None | Fault::LostRequest => {}
            Fault::Torn(writes) => {
                self.writes_left.store(usize::from(writes), Ordering::SeqCst);
                // Whether it was applied to its end or not: what the store holds counts.
                drop(self.device()?.apply(&asked, reply));
                self.crash()?;
                return Ok(false);
            }
            Fault::LostReply => return Ok(false),
            Fault::Crash => {
                self.crash()?;
                return Ok(false);
            }
            Fault::Doubled => reply = self.ask(hub, &request)?,
            Fault::Late => {
                self.late.push((asked, reply));
                return Ok(false);
            }
        }
        Ok(self.take(&asked, reply)?.more)
    }

    /// Late replies arrive, the last first.
    pub fn late_replies(&mut self) -> Result<(), Violation> {
        while let Some((asked, reply)) = self.late.pop() {
            self.take(&asked, reply)?;
        }
        Ok(())
    }

    /// Asks until there is nothing more; the first request suffers the fault.
    pub fn sync(&mut self, hub: &Hub, fault: Fault) -> Result<(), Violation> {
        // What waits for others is not done after any number of requests.
        const MOST: usize = 12;
        let mut more = self.exchange(hub, fault)?;
        for _ in 0..MOST {
            if !more {
                break;
            }
            more = self.exchange(hub, Fault::None)?;
        }
        Ok(())
    }
}

/// Makes one folder a copy of the other.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
