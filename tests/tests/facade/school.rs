//! A hub with the school in miniature, which a test may change while it runs, and devices that log in to it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use registro::{Error, ErrorKind, OpenOptions, PupilDay, Registro, Teacher};
use registro_hub::caller::{AuthError, AuthorizeCaller, Authorized, Presented};
use registro_hub::dev::DevIssuer;
use registro_hub::keys::{KeyFile, SchoolKeyVault};
use registro_hub::registry::{MemoryRegistry, PupilDetails, Registered, Registry};
use registro_hub::server::{self, Development, ServerParts};
use registro_hub::{Hub, HubError, RunningHub, StandingClock, SystemRandomness};
use registro_model::directory::{AssignmentKind, StaffMember, TeachingAssignment, TimetableEntry};
use registro_model::people::Role;
use registro_model::school::{AttendanceMode, Evaluation, SchoolSubject, SubjectKind};
use registro_model::time::Span;
use registro_model::{ClassCode, ClockTime, Date, PersonId, SchoolId};
use registro_store::MemoryVault;
use registro_tests::clock::{SeededEnvironment, SharedClock};
use registro_tests::miniature::{MOVED, P1, P2, TEACHER, class, day, morning, person, registry};
use rusqlite::Connection;

/// Teaches religion in 3A, in the fourth hour.
pub const RELIGION: PersonId = person(11);
/// Teaches its alternative there, in the same hour.
pub const ALTERNATIVE: PersonId = person(12);
/// Supports a pupil of 3A.
pub const SUPPORT: PersonId = person(13);

pub fn time(text: &str) -> ClockTime {
    text.parse().unwrap()
}

pub fn monday() -> Date {
    day("2026-11-23")
}

pub fn a3() -> ClassCode {
    class("3A")
}

/// The school in miniature with religion, its alternative, mathematics and learning support. P1 attends religion,
/// P2 leaves, the one who moved has the alternative.
fn founded(mode: AttendanceMode) -> MemoryRegistry {
    let mut all = registry();
    let Registered { school, directory, pupils, .. } = &mut all.registered;
    school.settings.attendance_mode = mode;
    for (code, kind) in [
        ("MAT", SubjectKind::Normal),
        ("IRC", SubjectKind::Religion),
        ("ALT", SubjectKind::Religion),
        ("SOS", SubjectKind::LearningSupport),
    ] {
        school.subjects.push(SchoolSubject {
            code: code.parse().unwrap(),
            name: code.to_owned(),
            short_name: code.to_owned(),
            kind,
            evaluation: Evaluation::Numeric,
            in_mean: false,
            order: 9,
        });
    }
    let year = Span { from: day("2026-09-01"), to: Some(day("2027-08-31")) };
    let group = "ALT-3A".parse().unwrap();
    let entry = directory.classes.get_mut(&a3()).unwrap();
    for (teacher, name, subject, kind) in [
        (RELIGION, "Undici Nora", "IRC", AssignmentKind::Normal),
        (ALTERNATIVE, "Dodici Oscar", "ALT", AssignmentKind::Alternative),
        (SUPPORT, "Tredici Pia", "SOS", AssignmentKind::Normal),
    ] {
        directory
            .staff
            .insert(teacher, StaffMember { name: name.to_owned(), roles: vec![(Role::Teacher, year)] });
        let group = (subject == "ALT").then_some(&group).cloned();
        entry.assignments.push(TeachingAssignment {
            teacher,
            group: group.clone(),
            subject: subject.parse().unwrap(),
            kind,
            span: year,
            supplies: None,
        });
        entry.timetable.push(TimetableEntry {
            weekday: 1,
            slot: 4,
            subject: subject.parse().unwrap(),
            group,
            teachers: vec![teacher],
            room: "12".to_owned(),
        });
    }
    entry.assignments.push(TeachingAssignment {
        teacher: TEACHER,
        group: None,
        subject: "MAT".parse().unwrap(),
        kind: AssignmentKind::Normal,
        span: year,
        supplies: None,
    });
    let choice = |choice: &str| PupilDetails {
        religion: vec![(choice.to_owned(), year)],
        annual_hours: vec![(990, year)],
        ..PupilDetails::default()
    };
    pupils.insert(P1, choice("S"));
    pupils.insert(P2, choice("U"));
    pupils.insert(MOVED, choice("A"));
    directory
        .pupils
        .get_mut(&MOVED)
        .unwrap()
        .groups
        .push((group, Span { from: day("2026-11-02"), to: year.to }));
    all
}

/// A registry that a test may change while the hub runs.
#[derive(Clone)]
pub struct SharedRegistry(Arc<Mutex<MemoryRegistry>>);

impl SharedRegistry {
    /// Changes what the school's tables say.
    pub fn change(&self, change: impl FnOnce(&mut Registered)) {
        let mut registry = self.0.lock().unwrap();
        change(&mut registry.registered);
        registry.registered.directory.version += 1;
    }
}

impl Registry for SharedRegistry {
    fn school_id(&self, database: &Connection) -> Result<SchoolId, HubError> {
        self.0.lock().unwrap().school_id(database)
    }

    fn version(&self, database: &Connection) -> Result<u64, HubError> {
        self.0.lock().unwrap().version(database)
    }

    fn load(&self, database: &Connection) -> Result<Registered, HubError> {
        self.0.lock().unwrap().load(database)
    }

    fn end_assignments(
        &mut self,
        database: &Connection,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
    ) -> Result<usize, HubError> {
        self.0.lock().unwrap().end_assignments(database, teacher, class, from)
    }

    fn begin_council(
        &mut self,
        database: &Connection,
        class: &ClassCode,
        term: &str,
    ) -> Result<(), HubError> {
        self.0.lock().unwrap().begin_council(database, class, term)
    }

    fn person_by_code(&self, database: &Connection, code: &str) -> Result<Option<PersonId>, HubError> {
        self.0.lock().unwrap().person_by_code(database, code)
    }
}

/// Lets so many requests in, then no more: a sync that ends in the middle.
struct Door {
    issuer: DevIssuer,
    left: Arc<AtomicI64>,
}

impl AuthorizeCaller for Door {
    fn authorize(&self, presented: &Presented<'_>, now: i64) -> Result<Authorized, AuthError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(AuthError::Invalid);
        }
        self.issuer.authorize(presented, now)
    }
}

pub struct Stage {
    pub registry: SharedRegistry,
    pub hub: RunningHub,
    pub clock: SharedClock,
    folder: tempfile::TempDir,
    left: Arc<AtomicI64>,
    devices: AtomicU64,
}

const OPEN: i64 = i64::MAX / 2;

impl Stage {
    pub async fn of(mode: AttendanceMode) -> Self {
        Self::changed(mode, |_| {}).await
    }

    /// A hub whose tables were changed before it started.
    pub async fn changed(mode: AttendanceMode, change: impl FnOnce(&mut Registered)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = SharedRegistry(Arc::new(Mutex::new(founded(mode))));
        registry.change(change);
        let mut random = SystemRandomness::new();
        let key = KeyFile::in_directory(folder.path()).school_key(&mut random).unwrap();
        let database = registro_hub::log::schema::open(&folder.path().join("hub.sqlite")).unwrap();
        let clock = Arc::new(StandingClock::at(morning()));
        let hub = Hub::open(database, Box::new(registry.clone()), key, Box::new(random), morning()).unwrap();
        let hub = Arc::new(hub);
        let issuer = DevIssuer::new(Arc::clone(&hub));
        let left = Arc::new(AtomicI64::new(OPEN));
        let parts = ServerParts {
            hub,
            callers: Arc::new(Door { issuer: issuer.clone(), left: Arc::clone(&left) }),
            clock: Arc::clone(&clock) as _,
            identity: None,
            development: Some(Development {
                issuer,
                clock: Some(clock),
                random: Box::new(SystemRandomness::new()),
            }),
        };
        let hub = server::start(parts, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let clock = SharedClock::at(morning());
        Self { registry, hub, clock, folder, left, devices: AtomicU64::new(0) }
    }

    /// A device of a person, logged in and synced.
    pub async fn device(&self, person: PersonId) -> Registro {
        let number = self.devices.fetch_add(1, Ordering::SeqCst);
        let store: PathBuf = self.folder.path().join(format!("device-{number}"));
        let mut options = OpenOptions::for_development(store, &self.hub.url());
        options.environment = Some(Box::new(SeededEnvironment::new(self.clock.clone(), number + 1)));
        options.durable = false;
        let device = Registro::open(options, &MemoryVault::default()).unwrap();
        device.log_in_for_development(&person.to_string()).await.unwrap();
        device.sync().await.unwrap();
        device
    }

    /// Syncs a device, but only so many of its requests get through.
    pub async fn sync_only(&self, device: &Registro, requests: i64) {
        self.left.store(requests, Ordering::SeqCst);
        assert_eq!(device.sync().await.unwrap_err().kind, ErrorKind::SessionEnded);
        self.left.store(OPEN, Ordering::SeqCst);
    }
}

/// Syncs devices one after the other: nothing may be refused.
pub async fn sync(devices: &[&Registro]) {
    for device in devices {
        assert_eq!(device.sync().await.unwrap().not_accepted, 0);
    }
}

/// What a teacher sees of a pupil.
pub fn seen(teacher: &Teacher, pupil: PersonId) -> PupilDay {
    let view = teacher.class_view(&a3(), monday()).unwrap();
    view.pupils.into_iter().find(|row| row.pupil == pupil).unwrap().day.unwrap()
}

/// What the day's facts of a pupil say, in Italian.
pub fn says(teacher: &Teacher, pupil: PersonId) -> Vec<String> {
    seen(teacher, pupil).facts.into_iter().map(|fact| fact.says.italian).collect()
}

/// The failure of a rule, with a sentence in both languages.
pub fn rule<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rule, "{error:?}");
    assert!(!error.italian.is_empty() && error.italian != error.english);
    error
}
