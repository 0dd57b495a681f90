//! What happens to the school's people: rights end and come back, a pupil changes class, a council begins.

use std::sync::{Arc, Mutex, PoisonError};

use registro_hub::HubError;
use registro_hub::registry::{MemoryRegistry, Registered, Registry};
use registro_model::time::Span;
use registro_model::{ClassCode, Date, PersonId, SchoolId};
use rusqlite::Connection;

use crate::miniature::{MOTHER, P1, THIRD, class, day};

/// A turn that the directory takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The third teacher's assignment ends, or holds again as if it had never ended.
    Third,
    /// The first pupil changes class, or comes back on the same day as if nothing had been.
    FirstPupil,
    /// A guardian's right over the first pupil ends, or holds again.
    Mother,
    /// The council of the class begins for the first term.
    Council,
}

/// A registry that several hubs in a row, as they are restored, have in common.
#[derive(Clone)]
pub(super) struct SharedRegistry(Arc<Mutex<MemoryRegistry>>);

impl SharedRegistry {
    pub fn new(registry: MemoryRegistry) -> Self {
        Self(Arc::new(Mutex::new(registry)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut MemoryRegistry) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The registry as it is now, for a backup.
    pub fn copy(&self) -> MemoryRegistry {
        self.with(|registry| registry.clone())
    }

    /// Puts a backup in its place.
    pub fn put_back(&self, registry: MemoryRegistry) {
        self.with(|held| *held = registry);
    }

    /// The school and its people now.
    pub fn registered(&self) -> Registered {
        self.with(|registry| registry.registered.clone())
    }

    /// Takes a turn.
    pub fn turn(&self, turn: Turn, today: Date) {
        self.with(|registry| {
            let directory = &mut registry.registered.directory;
            directory.version += 1;
            let yesterday = today.pred_opt();
            // What ended comes back to the end of the year; what holds ends yesterday.
            let flip = |span: &mut Span| {
                span.to = if span.contains(today) { yesterday } else { Some(day("2027-08-31")) };
            };
            match turn {
                Turn::Third => {
                    let classes = directory.classes.get_mut(&class("3A"));
                    for assignment in classes.into_iter().flat_map(|class| &mut class.assignments) {
                        if assignment.teacher == THIRD {
                            flip(&mut assignment.span);
                        }
                    }
                }
                Turn::Mother => {
                    for guardian in directory.guardians.get_mut(&P1).into_iter().flatten() {
                        if guardian.guardian == MOTHER {
                            flip(&mut guardian.span);
                        }
                    }
                }
                Turn::FirstPupil => {
                    let Some(pupil) = directory.pupils.get_mut(&P1) else { return };
                    let present = pupil.classes.last().cloned();
                    match present {
                        Some((_, span)) if span.from == today => {
                            pupil.classes.pop();
                            if let Some((_, span)) = pupil.classes.last_mut() {
                                span.to = Some(day("2027-08-31"));
                            }
                        }
                        Some((code, _)) => {
                            let other = if code == class("3A") { "4B" } else { "3A" };
                            if let Some((_, span)) = pupil.classes.last_mut() {
                                span.to = yesterday;
                            }
                            pupil
                                .classes
                                .push((class(other), Span { from: today, to: Some(day("2027-08-31")) }));
                        }
                        None => {}
                    }
                    let classes = pupil.classes.clone();
                    for (code, entry) in &mut directory.classes {
                        entry.enrolments.retain(|(person, _)| *person != P1);
                        let spans = classes.iter().filter(|(of, _)| of == code);
                        entry.enrolments.extend(spans.map(|(_, span)| (P1, *span)));
                    }
                }
                Turn::Council => {
                    directory.begun_councils.insert((class("3A"), "P".to_owned()));
                }
            }
        });
    }
}

impl Registry for SharedRegistry {
    fn school_id(&self, database: &Connection) -> Result<SchoolId, HubError> {
        self.with(|registry| registry.school_id(database))
    }

    fn version(&self, database: &Connection) -> Result<u64, HubError> {
        self.with(|registry| registry.version(database))
    }

    fn load(&self, database: &Connection) -> Result<Registered, HubError> {
        self.with(|registry| registry.load(database))
    }

    fn end_assignments(
        &mut self,
        database: &Connection,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
    ) -> Result<usize, HubError> {
        self.with(|registry| registry.end_assignments(database, teacher, class, from))
    }

    fn begin_council(
        &mut self,
        database: &Connection,
        class: &ClassCode,
        term: &str,
    ) -> Result<(), HubError> {
        self.with(|registry| registry.begin_council(database, class, term))
    }

    fn person_by_code(&self, database: &Connection, code: &str) -> Result<Option<PersonId>, HubError> {
        self.with(|registry| registry.person_by_code(database, code))
    }
}
