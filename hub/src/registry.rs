//! What the hub knows of the school besides its log: who is what, by date. The tables that an import fills are one
//! implementation; a test or a simulation may bring its own.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use registro_model::directory::Directory;
use registro_model::ids::SiteCode;
use registro_model::people::Role;
use registro_model::school::School;
use registro_model::time::Span;
use registro_model::{ClassCode, Date, PersonId, SchoolId};
use rusqlite::Connection;

use crate::error::HubError;

/// Facts about a pupil that stand in the pupil's own documents only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PupilDetails {
    /// Choice about religion (*IRC*): `S`, `U`, `I`, `D` or `A`, from–to.
    pub religion: Vec<(String, Span)>,
    /// Annual hours, from–to.
    pub annual_hours: Vec<(u16, Span)>,
    /// Hours of absence in a previous school.
    pub previous_hours: Option<u16>,
    /// Support teachers, from–to.
    pub supported_by: Vec<(PersonId, Span)>,
}

/// What only the login needs to know of people.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LoginFacts {
    /// Where mail reaches a person: the address in the office's files.
    pub emails: BTreeMap<PersonId, String>,
    /// The code by which the office knows a person: a code of the staff, a pupil's number.
    pub codes: BTreeMap<PersonId, String>,
    /// Sites whose pupils are in the first cycle (primary and lower secondary school): they hold no account.
    pub first_cycle: BTreeSet<SiteCode>,
    /// The office's own address.
    pub office_email: Option<String>,
}

impl fmt::Debug for LoginFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginFacts").field("emails", &self.emails.len()).finish_non_exhaustive()
    }
}

/// The school and its people as of one version of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Calendar, bell, settings.
    pub school: School,
    /// Who is what, complete, with its version.
    pub directory: Directory,
    /// What only pupils' own documents say.
    pub pupils: BTreeMap<PersonId, PupilDetails>,
    /// What only the login needs.
    pub login: LoginFacts,
}

impl Registered {
    /// The person's name, as people write it.
    pub fn name_of(&self, person: PersonId) -> Option<&str> {
        let directory = &self.directory;
        if let Some(member) = directory.staff.get(&person) {
            return Some(&member.name);
        }
        if let Some(pupil) = directory.pupils.get(&person) {
            return Some(&pupil.name);
        }
        let guardianship = directory.guardians.values().flatten().find(|g| g.guardian == person)?;
        Some(&guardianship.name)
    }

    /// What the person is on that day: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`.
    pub fn roles_of(&self, person: PersonId, today: Date) -> Vec<&'static str> {
        let directory = &self.directory;
        let mut roles: Vec<_> = [Role::Head, Role::Office, Role::Teacher, Role::SupportStaff]
            .into_iter()
            .filter(|role| directory.has_role(person, *role, today) == Some(true))
            .map(Role::as_str)
            .collect();
        if directory.guardians.values().flatten().any(|g| g.guardian == person && g.span.contains(today)) {
            roles.push("guardian");
        }
        if directory.pupils.contains_key(&person) {
            roles.push("pupil");
        }
        roles
    }
}

/// Where the school's people stand. All calls come from one thread at a time.
pub trait Registry: Send {
    /// The school's id.
    fn school_id(&self, database: &Connection) -> Result<SchoolId, HubError>;
    /// The directory's version: raised by every change, also another process's.
    fn version(&self, database: &Connection) -> Result<u64, HubError>;
    /// Reads it all.
    fn load(&self, database: &Connection) -> Result<Registered, HubError>;
    /// Ends a teacher's assignments in a class from a day on; returns how many were ended.
    fn end_assignments(
        &mut self,
        database: &Connection,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
    ) -> Result<usize, HubError>;
    /// Notes that the council of a class for a term (*scrutinio*) has begun.
    fn begin_council(&mut self, database: &Connection, class: &ClassCode, term: &str)
    -> Result<(), HubError>;
    /// The person whom the school's files know by this fiscal code (upper case), and by nothing else: what SPID and
    /// CIE state must never be taken for another code. A registry whose codes cannot be confused need not say more.
    fn person_by_fiscal_code(&self, database: &Connection, code: &str) -> Result<Option<PersonId>, HubError> {
        self.person_by_code(database, code)
    }
    /// The person whom the school's files know by this code: a staff code, a pupil number or a fiscal code.
    fn person_by_code(&self, database: &Connection, code: &str) -> Result<Option<PersonId>, HubError>;
}

/// A registry held in memory, for tests and simulations.
#[derive(Debug, Clone)]
pub struct MemoryRegistry {
    /// The school's id.
    pub school_id: SchoolId,
    /// The school and its people.
    pub registered: Registered,
    /// Codes by which persons log in.
    pub codes: BTreeMap<String, PersonId>,
}

impl Registry for MemoryRegistry {
    fn school_id(&self, _: &Connection) -> Result<SchoolId, HubError> {
        Ok(self.school_id)
    }

    fn version(&self, _: &Connection) -> Result<u64, HubError> {
        Ok(self.registered.directory.version)
    }

    fn load(&self, _: &Connection) -> Result<Registered, HubError> {
        Ok(self.registered.clone())
    }

    fn end_assignments(
        &mut self,
        _: &Connection,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
    ) -> Result<usize, HubError> {
        let directory = &mut self.registered.directory;
        let entry = directory.classes.get_mut(class).ok_or(HubError::Unknown("class"))?;
        let last = from.pred_opt();
        let mut ended = 0;
        for assignment in &mut entry.assignments {
            let holds = assignment.span.to.is_none_or(|to| to >= from);
            if assignment.teacher == teacher && holds {
                assignment.span.to = last;
                ended += 1;
            }
        }
        if ended > 0 {
            directory.version += 1;
        }
        Ok(ended)
    }

    fn begin_council(&mut self, _: &Connection, class: &ClassCode, term: &str) -> Result<(), HubError> {
        let directory = &mut self.registered.directory;
        if directory.begun_councils.insert((class.clone(), term.to_owned())) {
            directory.version += 1;
        }
        Ok(())
    }

    fn person_by_code(&self, _: &Connection, code: &str) -> Result<Option<PersonId>, HubError> {
        Ok(self.codes.get(code).copied())
    }
}
