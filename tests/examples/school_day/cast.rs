//! Who plays: the first class and lesson day on which the story can happen.

use chrono::Datelike;
use registro_hub::HubError;
use registro_hub::directory::TableRegistry;
use registro_hub::import::ImportedSchool;
use registro_hub::registry::{Registered, Registry};
use registro_model::directory::{AssignmentKind, GuardianRights};
use registro_model::people::Role;
use registro_model::school::{BellSlot, SubjectKind};
use registro_model::{ClassCode, Date, PersonId, SubjectCode};

/// The story's people, class and day.
pub struct Cast {
    pub class: ClassCode,
    pub date: Date,
    pub slots: Vec<BellSlot>,
    pub first: PersonId,
    pub first_subject: SubjectCode,
    pub second: PersonId,
    pub third: PersonId,
    pub third_slot: u8,
    pub coordinator: PersonId,
    pub office: PersonId,
    pub guardian: PersonId,
    /// The guardian's other child, in another class.
    pub sibling: PersonId,
    pub substitute: PersonId,
    /// P1 is the guardian's child.
    pub pupils: Vec<PersonId>,
}

/// Pupils that the story needs.
const PUPILS: usize = 7;

/// The school's people under the codes of its files, in the files' order: ids are random, a choice by them would
/// be another one at every import.
pub struct People {
    pub staff: Vec<(String, PersonId)>,
    pub pupils: Vec<(String, PersonId)>,
}

impl People {
    /// The ids that the import gave.
    pub fn of(school: &ImportedSchool, database: &rusqlite::Connection) -> Result<Self, HubError> {
        let registry = TableRegistry::default();
        // By fiscal code: a teacher's code and a pupil's number may be the same.
        let ids = |people: &mut dyn Iterator<Item = (&String, &String)>| -> Result<Vec<_>, HubError> {
            let mut found = Vec::new();
            for (code, fiscal_code) in people {
                if let Some(id) = registry.person_by_code(database, fiscal_code)? {
                    found.push((code.clone(), id));
                }
            }
            Ok(found)
        };
        Ok(Self {
            staff: ids(&mut school.staff.iter().map(|row| (&row.code, &row.fiscal_code)))?,
            pupils: ids(&mut school.pupils.iter().map(|row| (&row.number, &row.fiscal_code)))?,
        })
    }

    /// Somebody's code.
    pub fn code(&self, person: PersonId) -> &str {
        let mut all = self.staff.iter().chain(&self.pupils);
        all.find(|(_, id)| *id == person).map_or("", |(code, _)| code)
    }
}

/// Chooses; or says which condition nothing fits.
///
/// On a day, a class whose coordinator teaches none of its first four hours goes first: the coordinator is then
/// another person than all whom the story meets in class. If there is none, that is let go.
pub fn choose(school: &ImportedSchool, registered: &Registered, people: &People) -> Result<Cast, String> {
    let start: Date = "2026-11-23".parse().map_err(|_| "a date".to_owned())?;
    let mut nearest = (0, "a lesson day from Monday 23 November 2026 on".to_owned());
    for date in start.iter_days().take_while(|date| *date <= registered.school.year.lessons_to) {
        for apart in [true, false] {
            for row in &school.classes {
                let Ok(class) = row.code.parse() else { continue };
                match try_class(registered, people, &class, date, apart) {
                    Ok(cast) => return Ok(cast),
                    Err((depth, reason)) if depth > nearest.0 => nearest = (depth, reason),
                    Err(_) => {}
                }
            }
        }
    }
    Err(nearest.1)
}

/// How far a class and day came, and what was missing.
type Missing = (u8, String);

fn try_class(
    registered: &Registered,
    people: &People,
    class: &ClassCode,
    date: Date,
    apart: bool,
) -> Result<Cast, Missing> {
    let (school, directory) = (&registered.school, &registered.directory);
    let missing = |depth: u8, what: &str| (depth, what.to_owned());
    let entry = directory.classes.get(class).ok_or_else(|| missing(0, "a class"))?;
    let slots: Vec<BellSlot> = school.slots_of(&entry.site, date).into_iter().cloned().collect();
    if slots.len() < 4 {
        return Err(missing(1, "a lesson day with four slots"));
    }
    let weekday = date.weekday().number_from_monday() as u8;
    // Who really teaches: a supply teacher takes the lines of the replaced one.
    let teachers_at = |slot: u8| -> Vec<(PersonId, SubjectCode)> {
        let mut teachers: Vec<_> = entry
            .timetable
            .iter()
            .filter(|line| line.weekday == weekday && line.slot == slot)
            .flat_map(|line| {
                line.teachers.iter().map(|teacher| {
                    let supply = entry
                        .assignments
                        .iter()
                        .find(|a| a.supplies == Some(*teacher) && a.span.contains(date))
                        .map(|a| a.teacher);
                    (supply.unwrap_or(*teacher), line.subject.clone())
                })
            })
            .collect();
        teachers.sort();
        teachers.dedup();
        teachers
    };
    let ordinary = |subject: &SubjectCode, teacher: PersonId| {
        let religion = school.subjects.iter().any(|s| s.code == *subject && s.kind == SubjectKind::Religion);
        let alternative = entry
            .assignments
            .iter()
            .any(|a| a.teacher == teacher && a.subject == *subject && a.kind == AssignmentKind::Alternative);
        !religion && !alternative
    };
    let works = |teacher: PersonId| directory.is_timetabled(teacher, class, date, None) == Some(true);
    let single = |slot: &BellSlot| -> Option<(PersonId, SubjectCode)> {
        let teachers = teachers_at(slot.position);
        let [(teacher, subject)] = teachers.as_slice() else { return None };
        (ordinary(subject, *teacher) && works(*teacher)).then(|| (*teacher, subject.clone()))
    };
    let [one, two, later @ ..] = slots.as_slice() else { return Err(missing(1, "four slots")) };
    let (first, first_subject) =
        single(one).ok_or_else(|| missing(2, "one teacher in slot 1, neither religion nor alternative"))?;
    let (second, _) = single(two)
        .filter(|(teacher, _)| *teacher != first)
        .ok_or_else(|| missing(3, "one other teacher in slot 2, neither religion nor alternative"))?;
    let in_class: Vec<PersonId> = slots
        .iter()
        .take(if apart { 4 } else { 0 })
        .flat_map(|slot| teachers_at(slot.position))
        .map(|(teacher, _)| teacher)
        .chain([first, second])
        .collect();
    let coordinator = entry
        .coordinators
        .iter()
        .find(|(person, span)| span.contains(date) && !in_class.contains(person))
        .map(|(person, _)| *person)
        .ok_or_else(|| missing(4, "a coordinator who is neither of them"))?;
    let (third, third_slot) = later
        .iter()
        .flat_map(|slot| teachers_at(slot.position).into_iter().map(|(t, _)| (t, slot.position)))
        .find(|(teacher, _)| ![first, second, coordinator].contains(teacher) && works(*teacher))
        .ok_or_else(|| missing(5, "a third teacher later, who does not coordinate"))?;
    let staff = [first, second, third, coordinator];

    let attends =
        |pupil: &PersonId| entry.enrolments.iter().any(|(p, span)| p == pupil && span.contains(date));
    let mut enrolled: Vec<PersonId> = people.pupils.iter().map(|(_, id)| *id).filter(attends).collect();
    enrolled.retain(|pupil| !staff.iter().any(|person| directory.is_guardian(*person, *pupil, date)));
    if enrolled.len() < PUPILS {
        return Err(missing(6, "seven pupils who are no child of these teachers"));
    }
    let family = enrolled.iter().find_map(|child| {
        let guardians = directory.guardians.get(child)?;
        guardians
            .iter()
            .filter(|g| g.rights == GuardianRights::Complete && g.span.contains(date))
            .filter(|g| !directory.staff.contains_key(&g.guardian))
            .find_map(|guardian| {
                let sibling = people.pupils.iter().map(|(_, pupil)| *pupil).find(|pupil| {
                    let own = directory.guardians.get(pupil).into_iter().flatten().any(|g| {
                        g.guardian == guardian.guardian
                            && g.rights == GuardianRights::Complete
                            && g.span.contains(date)
                    });
                    let elsewhere = directory.class_of(*pupil, date).flatten().is_some_and(|c| c != class);
                    own && elsewhere
                });
                sibling.map(|sibling| (*child, guardian.guardian, sibling))
            })
    });
    let (child, guardian, sibling) =
        family.ok_or_else(|| missing(7, "a guardian with full rights and another child in another class"))?;
    let mut pupils = vec![child];
    pupils.extend(enrolled.into_iter().filter(|pupil| *pupil != child));

    let holds = |person: &PersonId, role| directory.has_role(*person, role, date) == Some(true);
    let mut staff = people.staff.iter().map(|(_, id)| *id);
    let office = staff.clone().find(|person| holds(person, Role::Office));
    let office = office.ok_or_else(|| missing(8, "somebody in the office"))?;
    let substitute = staff.find(|person| {
        holds(person, Role::Teacher)
            && directory.is_away(*person, date) == Some(false)
            && !entry.assignments.iter().any(|a| a.teacher == *person)
            && !entry.coordinators.iter().any(|(c, _)| c == person)
            && !pupils.iter().any(|pupil| directory.is_guardian(*person, *pupil, date))
    });
    let substitute = substitute.ok_or_else(|| missing(9, "a teacher without assignment in the class"))?;
    Ok(Cast {
        class: class.clone(),
        date,
        slots: slots.clone(),
        first,
        first_subject,
        second,
        third,
        third_slot,
        coordinator,
        office,
        guardian,
        sibling,
        substitute,
        pupils,
    })
}
