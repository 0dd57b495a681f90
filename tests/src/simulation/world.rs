//! The hub, its devices and the time.

use std::path::{Path, PathBuf};

use registro_documents::{Certificate, SigningKey};
use registro_hub::caller::{Caller, Level};
use registro_hub::clock::day_in_italy;
use registro_hub::registry::{MemoryRegistry, Registered};
use registro_hub::{Hub, HubError, Random};
use registro_model::{Capacity, PersonId};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::directory::{SharedRegistry, Turn};
use super::tablet::{Fault, Tablet};
use super::{Act, Setting, Violation, admit, broken, checks};
use crate::clock::SharedClock;
use crate::miniature::{
    COORDINATOR, GUARDIAN_OF_MOVED, MOTHER, OFFICE, SCHOOL, SECOND, SUBSTITUTE, TEACHER, THIRD, class, day,
    morning, registry,
};

/// Randomness of the hub, another one at every opening.
struct HubRandomness(rand_chacha::ChaCha12Rng);

impl Random for HubRandomness {
    fn fill(&mut self, buffer: &mut [u8]) {
        rand::RngCore::fill_bytes(&mut self.0, buffer);
    }
}

/// The whole simulation.
pub struct World {
    folder: TempDir,
    registry: SharedRegistry,
    hub: Option<Hub>,
    seed: u64,
    opened: u64,
    backup: Option<MemoryRegistry>,
    setting: Setting,
    /// What the school's people have been since the beginning, in whatever order restores made of it.
    history: Vec<Registered>,
    admitted: bool,
    clock: SharedClock,
    /// The devices.
    pub tablets: Vec<Tablet>,
}

/// Who has a device, and in what capacity they write. The first teacher has two.
pub const DEVICES: [(PersonId, Capacity); 9] = [
    (TEACHER, Capacity::Lesson),
    (TEACHER, Capacity::Lesson),
    (SECOND, Capacity::Lesson),
    (THIRD, Capacity::Lesson),
    (SUBSTITUTE, Capacity::Substitute),
    (COORDINATOR, Capacity::Council),
    (OFFICE, Capacity::Office),
    (MOTHER, Capacity::Guardian),
    (GUARDIAN_OF_MOVED, Capacity::Guardian),
];

/// In memory where the system has such a folder: the simulation opens thousands of stores.
fn scratch() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

impl World {
    /// A school before eight: every device has logged in and synced once.
    pub fn new(seed: u64, devices: usize, setting: Setting) -> Result<Self, Violation> {
        let folder = scratch().map_err(|e| broken("a folder")(&e))?;
        let clock = SharedClock::at(morning());
        let mut registry = registry();
        registry.registered.school.settings.attendance_mode = setting.mode;
        let history = vec![registry.registered.clone()];
        let mut world = Self {
            folder,
            registry: SharedRegistry::new(registry),
            hub: None,
            seed,
            opened: 0,
            backup: None,
            setting,
            history,
            admitted: false,
            clock,
            tablets: Vec::new(),
        };
        world.open_hub()?;
        for (person, capacity) in DEVICES.into_iter().take(devices) {
            world.enrol(person, capacity)?;
        }
        Ok(world)
    }

    /// Somebody logs in on a new device, which syncs once; returns its place.
    pub fn enrol(&mut self, person: PersonId, capacity: Capacity) -> Result<usize, Violation> {
        let index = self.tablets.len();
        let folder = self.folder.path().join(format!("device-{index}"));
        let seed = self.seed.wrapping_mul(31).wrapping_add(index as u64 + 1);
        let setting = self.setting;
        let tablet = Tablet::enrolled(self.hub()?, person, capacity, setting, &folder, seed, &self.clock)?;
        self.tablets.push(tablet);
        self.sync(index, Fault::None)?;
        Ok(index)
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("hub.sqlite")
    }

    fn backup_file(&self) -> PathBuf {
        self.folder.path().join("hub.backup")
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&Zeroizing::new([7; 32]))
    }

    fn open_hub(&mut self) -> Result<(), Violation> {
        let failed = |error: HubError| format!("the hub does not open: {error}");
        self.opened += 1;
        let database = registro_hub::log::schema::open(&self.database()).map_err(failed)?;
        database.pragma_update(None, "synchronous", "OFF").map_err(|e| broken("the hub")(&e))?;
        let seed = self.seed.wrapping_mul(77).wrapping_add(self.opened);
        let random = HubRandomness(rand::SeedableRng::seed_from_u64(seed));
        let registry = Box::new(self.registry.clone());
        let hub = Hub::open(database, registry, Self::key(), Box::new(random), self.clock.now());
        let hub = hub.map_err(failed)?;
        hub.limit_pages(self.setting.page_bytes).map_err(failed)?;
        self.hub = Some(hub);
        Ok(())
    }

    /// The hub.
    pub fn hub(&self) -> Result<&Hub, Violation> {
        self.hub.as_ref().ok_or_else(|| "the hub is not open".to_owned())
    }

    fn with<T>(
        &mut self,
        index: usize,
        work: impl FnOnce(&mut Tablet, &Hub) -> Result<T, Violation>,
    ) -> Result<T, Violation> {
        let hub = self.hub.as_ref().ok_or_else(|| "the hub is not open".to_owned())?;
        let count = self.tablets.len().max(1);
        let tablet = self.tablets.get_mut(index % count).ok_or_else(|| "no device".to_owned())?;
        work(tablet, hub)
    }

    /// Somebody writes on a device, online or not.
    pub fn act(&mut self, index: usize, act: &Act) -> Result<(), Violation> {
        self.with(index, |tablet, hub| act.play(tablet, hub))
    }

    /// Somebody who has a device logs in on one more, up to a few.
    pub fn enrol_another(&mut self, index: usize) -> Result<(), Violation> {
        const MOST: usize = DEVICES.len() + 3;
        let count = self.tablets.len().max(1);
        let Some(tablet) = self.tablets.get(index % count).filter(|_| count < MOST) else { return Ok(()) };
        self.enrol(tablet.person, tablet.capacity).map(drop)
    }

    /// A device logs in again, which renews its certificate if it has run out.
    pub fn log_in_again(&mut self, index: usize) -> Result<(), Violation> {
        self.with(index, |tablet, hub| tablet.renew(hub))
    }

    /// A device's certificate is replaced by one that runs out in a minute.
    pub fn shorten_certificate(&mut self, index: usize) -> Result<(), Violation> {
        let now = self.clock.now().div_euclid(1_000);
        self.with(index, |tablet, _| {
            let device = tablet.device()?;
            let old = &device.account().ok_or("no account")?.certificate;
            let (person, key) = (old.person, old.key);
            let short = Certificate::issue(&Self::key(), SCHOOL, person, key, now - 60, now + 60);
            device.renew(short).map_err(|e| broken("a certificate")(&e))
        })
    }

    /// A device syncs.
    pub fn sync(&mut self, index: usize, fault: Fault) -> Result<(), Violation> {
        self.with(index, |tablet, hub| tablet.sync(hub, fault))
    }

    /// What was on its way arrives at a device.
    pub fn late_replies(&mut self, index: usize) -> Result<(), Violation> {
        self.with(index, |tablet, _| tablet.late_replies())
    }

    /// A device ends and is started again.
    pub fn crash(&mut self, index: usize) -> Result<(), Violation> {
        self.with(index, |tablet, _| tablet.crash())
    }

    /// A device's store is copied.
    pub fn copy_store(&mut self, index: usize) -> Result<(), Violation> {
        self.with(index, |tablet, _| tablet.copy())
    }

    /// A device's store is replaced by its copy.
    pub fn restore_store(&mut self, index: usize) -> Result<(), Violation> {
        self.with(index, |tablet, _| tablet.put_copy_back())
    }

    /// The hub makes a backup.
    pub fn back_up(&mut self) -> Result<(), Violation> {
        registro_hub::backup::backup(&self.database(), &self.backup_file())
            .map_err(|e| broken("a backup")(&e))?;
        // The school's people stand in the same database.
        self.backup = Some(self.registry.copy());
        Ok(())
    }

    /// The hub is restored from its backup. What the devices had in hand of the old one arrives before or never.
    pub fn restore_hub(&mut self) -> Result<(), Violation> {
        let Some(registry) = self.backup.clone() else { return Ok(()) };
        self.hub = None;
        self.registry.put_back(registry);
        registro_hub::backup::restore(
            &self.backup_file(),
            &self.database(),
            &self.registry,
            &Self::key(),
            self.clock.now(),
        )
        .map_err(|error| format!("the hub is not restored: {error}"))?;
        self.open_hub()
    }

    /// The hub ends and is started again.
    pub fn restart_hub(&mut self) -> Result<(), Violation> {
        self.hub = None;
        self.open_hub()
    }

    /// The office ends the third teacher's assignment from today.
    pub fn end_rights(&mut self) -> Result<(), Violation> {
        let office = Caller::new(OFFICE, Level::L2);
        let (class, today) = (class("3A"), day("2026-11-23"));
        self.hub()?
            .end_assignments(&office, THIRD, &class, today, self.clock.now())
            .map_err(|error| format!("the office cannot end an assignment: {error}"))?;
        self.note_history();
        Ok(())
    }

    /// The directory takes a turn; the hub hears of it as of an import by another process.
    pub fn turn(&mut self, turn: Turn) -> Result<(), Violation> {
        if turn == Turn::Council && !self.setting.councils {
            return Ok(());
        }
        self.registry.turn(turn, day_in_italy(self.clock.now()));
        self.note_history();
        self.hub()?.refresh(self.clock.now()).map(drop).map_err(|e| broken("the hub")(&e))
    }

    fn note_history(&mut self) {
        let now = self.registry.registered();
        if !self.history.contains(&now) {
            self.history.push(now);
        }
    }

    /// The office admits every kept batch as it was signed. The hub has no command for it yet: this writes the log as
    /// that one will.
    pub fn admit_kept(&mut self) -> Result<usize, Violation> {
        self.hub = None;
        let admitted = admit::every_kept_batch(&self.database(), &self.registry, self.clock.now())
            .map_err(|error| format!("a kept batch is not admitted: {error}"))?;
        self.open_hub()?;
        self.admitted = true;
        Ok(admitted)
    }

    /// Time passes.
    pub fn wait(&mut self, minutes: u32) {
        self.clock.set(self.clock.now() + i64::from(minutes) * 60_000);
    }

    /// Everybody comes online until nothing moves any more.
    pub fn settle(&mut self) -> Result<(), Violation> {
        const ROUNDS: usize = 30;
        let mut before = None;
        for _ in 0..ROUNDS {
            let mut positions = Vec::new();
            for index in 0..self.tablets.len() {
                if self.with(index, |tablet, _| Ok(tablet.device()?.needs_certificate()))? {
                    self.log_in_again(index)?;
                }
                self.sync(index, Fault::None)?;
                let device = self.with(index, |tablet, _| {
                    let device = tablet.device()?;
                    Ok((device.state().cursor.position, device.pending().len(), device.has_work()))
                })?;
                positions.push(device);
            }
            let end = self.hub()?.head().map_err(|e| broken("the hub")(&e))?.position;
            let now = Some((end, positions));
            if now == before {
                return Ok(());
            }
            before = now;
        }
        Err(format!("nobody comes to rest: (end, [(cursor, pending, work)]) is {before:?}"))
    }

    /// Judges the world after it has come to rest.
    pub fn judge(&mut self) -> Result<checks::Judged, Violation> {
        // A hub that has just been started has nothing in memory: what it serves comes from the disk.
        self.restart_hub()?;
        let hub = self.hub.as_ref().ok_or_else(|| "the hub is not open".to_owned())?;
        let past = checks::Past { history: &self.history, admitted: self.admitted, now: self.clock.now() };
        checks::judge(hub, &mut self.tablets, &past)
    }
}
