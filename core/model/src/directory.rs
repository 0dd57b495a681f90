//! The directory: who is what, teaches what, is in which class, guards whom; always *by date*.
//!
//! The hub holds the whole of it in its tables. A device rebuilds what it may know from the facts that the hub
//! wrote into the documents that it holds, so its directory is partial: a class or pupil that is not there is
//! unknown, not absent, and the policy then answers "cannot tell".

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ClassCode, GroupCode, PersonId, SiteCode, SubjectCode};
use crate::people::Role;
use crate::time::{Date, Span};

/// A member of staff and their roles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StaffMember {
    /// Name as people write it: `Nardi Silvia`.
    pub name: String,
    /// Roles held, from–to. Several at once are possible.
    pub roles: Vec<(Role, Span)>,
}

/// What kind of assignment it is (*tipo cattedra*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssignmentKind {
    /// Ordinary.
    Normal,
    /// Lab or conversation co-teacher (*ITP*).
    Lab,
    /// Strengthening in co-presence (*potenziamento*).
    Extra,
    /// Alternative to religion.
    Alternative,
}

/// A teaching assignment (*cattedra*), from–to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeachingAssignment {
    /// Who teaches.
    pub teacher: PersonId,
    /// The group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// What.
    pub subject: SubjectCode,
    /// Its kind.
    pub kind: AssignmentKind,
    /// When it holds.
    pub span: Span,
    /// The teacher whom a supply row (*supplenza*) replaces while it holds: they read and do not write.
    pub supplies: Option<PersonId>,
}

/// One line of the timetable (*orario*) of a class: the timetable of the tenured teachers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimetableEntry {
    /// 1 Monday … 7 Sunday.
    pub weekday: u8,
    /// Position of the slot, from 1.
    pub slot: u8,
    /// The subject.
    pub subject: SubjectCode,
    /// The group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// Who teaches; several when co-taught.
    pub teachers: Vec<PersonId>,
    /// Where.
    pub room: String,
}

/// A class of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolClass {
    /// Its site.
    pub site: SiteCode,
    /// Weekly units.
    pub weekly_hours: u16,
    /// Coordinators, from–to.
    pub coordinators: Vec<(PersonId, Span)>,
    /// Assignments, from–to.
    pub assignments: Vec<TeachingAssignment>,
    /// The timetable; empty if it is not known here.
    pub timetable: Vec<TimetableEntry>,
    /// Pupils of the class, from–to.
    pub enrolments: Vec<(PersonId, Span)>,
}

/// A pupil.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pupil {
    /// Name as people write it.
    pub name: String,
    /// Birth date, where it is known here.
    pub born: Option<Date>,
    /// Classes, from–to, in order.
    pub classes: Vec<(ClassCode, Span)>,
    /// Groups, from–to.
    pub groups: Vec<(GroupCode, Span)>,
}

/// What a guardian may do (*diritti*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardianRights {
    /// Sees and justifies.
    Complete,
    /// Sees only.
    SeesOnly,
    /// Nothing (court order).
    None,
}

/// A guardian's right over a pupil, from–to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardianship {
    /// The guardian.
    pub guardian: PersonId,
    /// Name as people write it.
    pub name: String,
    /// What they may do.
    pub rights: GuardianRights,
    /// When.
    pub span: Span,
}

/// Who is what, by date. See the module's page on partial knowledge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Version of the directory that this was read from; 0 if unknown.
    pub version: u64,
    /// Whether what is not here does not exist. True at the hub only.
    pub complete: bool,
    /// Staff.
    pub staff: BTreeMap<PersonId, StaffMember>,
    /// Classes.
    pub classes: BTreeMap<ClassCode, SchoolClass>,
    /// Pupils.
    pub pupils: BTreeMap<PersonId, Pupil>,
    /// Guardians by pupil.
    pub guardians: BTreeMap<PersonId, Vec<Guardianship>>,
    /// Terms (by code) whose council has begun, per class: attendance, marks, notes and lessons dated in them
    /// go to the office.
    pub begun_councils: BTreeSet<(ClassCode, String)>,
}

impl Directory {
    /// Whether the person holds the role on that day; `None` if the person is unknown here.
    pub fn has_role(&self, person: PersonId, role: Role, date: Date) -> Option<bool> {
        match self.staff.get(&person) {
            Some(member) => Some(member.roles.iter().any(|(r, span)| *r == role && span.contains(date))),
            None if self.complete => Some(false),
            None => None,
        }
    }

    /// Whether a supply row replaces the person in the class on that day.
    pub fn is_replaced(&self, teacher: PersonId, class: &SchoolClass, date: Date) -> bool {
        class.assignments.iter().any(|a| a.supplies == Some(teacher) && a.span.contains(date))
    }

    /// Whether a supply row (*supplenza*) replaces the person in any class on that day: they are away. `None` if no
    /// class known here says so and some may be unknown.
    pub fn is_away(&self, teacher: PersonId, date: Date) -> Option<bool> {
        let away = self.classes.values().any(|class| self.is_replaced(teacher, class, date));
        (away || self.complete).then_some(away)
    }

    /// Whether the teacher holds an assignment in the class on that day and is not replaced; `None` if the
    /// class is unknown here.
    pub fn is_assigned(&self, teacher: PersonId, class: &ClassCode, date: Date) -> Option<bool> {
        match self.classes.get(class) {
            Some(entry) => Some(
                entry.assignments.iter().any(|a| a.teacher == teacher && a.span.contains(date))
                    && !self.is_replaced(teacher, entry, date),
            ),
            None if self.complete => Some(false),
            None => None,
        }
    }

    /// Whether the timetable gives the teacher, or the colleague whom they supply, a lesson in the class at that
    /// weekday; at the slot if one is named. `None` if the class's timetable is unknown here.
    pub fn is_timetabled(
        &self,
        teacher: PersonId,
        class: &ClassCode,
        date: Date,
        slot: Option<u8>,
    ) -> Option<bool> {
        use chrono::Datelike;
        let entry = match self.classes.get(class) {
            Some(entry) if self.complete || !entry.timetable.is_empty() => entry,
            None if self.complete => return Some(false),
            _ => return None,
        };
        let weekday = date.weekday().number_from_monday() as u8;
        let held: BTreeSet<PersonId> = entry
            .assignments
            .iter()
            .filter(|a| a.teacher == teacher && a.span.contains(date))
            .map(|a| a.supplies.unwrap_or(teacher))
            .collect();
        Some(
            entry.timetable.iter().any(|line| {
                line.weekday == weekday
                    && slot.is_none_or(|slot| slot == line.slot)
                    && line.teachers.iter().any(|t| held.contains(t))
            }) && !self.is_replaced(teacher, entry, date),
        )
    }

    /// Whether the teacher coordinates the class on that day; `None` if the class is unknown here.
    pub fn is_coordinator(&self, person: PersonId, class: &ClassCode, date: Date) -> Option<bool> {
        match self.classes.get(class) {
            Some(entry) => {
                Some(entry.coordinators.iter().any(|(p, span)| *p == person && span.contains(date)))
            }
            None if self.complete => Some(false),
            None => None,
        }
    }

    /// The pupil's class on that day. `None` if the pupil is unknown here, `Some(None)` if in no class.
    pub fn class_of(&self, pupil: PersonId, date: Date) -> Option<Option<&ClassCode>> {
        match self.pupils.get(&pupil) {
            Some(entry) => {
                Some(entry.classes.iter().find(|(_, span)| span.contains(date)).map(|(class, _)| class))
            }
            None if self.complete => Some(None),
            None => None,
        }
    }

    /// The guardian's right over the pupil on that day. `None` if the pupil's guardians are unknown here.
    pub fn guardian_rights(&self, guardian: PersonId, pupil: PersonId, date: Date) -> Option<GuardianRights> {
        match self.guardians.get(&pupil) {
            Some(list) => Some(
                list.iter()
                    .find(|g| g.guardian == guardian && g.span.contains(date))
                    .map_or(GuardianRights::None, |g| g.rights),
            ),
            None if self.complete => Some(GuardianRights::None),
            None => None,
        }
    }

    /// Whether the person is, on that day, a guardian of the pupil whatever the right.
    pub fn is_guardian(&self, person: PersonId, pupil: PersonId, date: Date) -> bool {
        self.guardians
            .get(&pupil)
            .is_some_and(|list| list.iter().any(|g| g.guardian == person && g.span.contains(date)))
    }
}
