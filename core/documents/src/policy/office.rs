//! What goes to the office (*quarantena in segreteria*) instead of into the register. Decided by the hub when it
//! accepts, never by a merge.

use registro_model::directory::{Directory, GuardianRights, Guardianship};
use registro_model::people::Role;
use registro_model::{Capacity, Date, PersonId};

use super::standing::slot_of;
use super::{Question, Reason, event_date};
use crate::identity::Subject;
use crate::kind::Kind;

/// Days after which a substitute's fact goes to the office.
pub const SUBSTITUTE_DAYS: i64 = 3;

/// Why an otherwise allowed fact, received on that day, goes to the office; `None` if it does not.
pub fn destination(question: &Question<'_>, received: Date) -> Option<Reason> {
    let date = event_date(question)?;
    let staff = !matches!(question.capacity, Capacity::School | Capacity::Guardian | Capacity::Pupil);
    let pupil =
        (question.document.kind == Kind::PupilRecord).then(|| question.document.subject.person()).flatten();
    let class = match &question.document.subject {
        Subject::Person(person) => question.directory.class_of(*person, date).flatten().cloned(),
        subject => subject.class().cloned(),
    };

    if matches!(question.section, "attendance" | "marks" | "notes" | "lessons")
        && let Some(class) = &class
        && let Some(term) = question.school.term_of(date)
        && question.directory.begun_councils.contains(&(class.clone(), term.code.clone()))
    {
        return Some(Reason::CouncilBegun);
    }
    if question.capacity == Capacity::Substitute && (received - date).num_days() > SUBSTITUTE_DAYS {
        return Some(Reason::LateSubstitute);
    }
    if staff
        && let Some(pupil) = pupil
        && question.directory.is_guardian(question.author, pupil, date)
    {
        // What names no slot, such as a decision, is not written in a lesson.
        let own_lesson = class.as_ref().zip(slot_of(question)).is_some_and(|(class, slot)| {
            question.directory.is_timetabled(question.author, class, date, Some(slot)) == Some(true)
        });
        if !own_lesson {
            return Some(Reason::OwnChild);
        }
    }
    let late = right_ended(question, class.as_ref(), received)
        .is_some_and(|end| (received - end).num_days() > i64::from(question.school.settings.late_push_days));
    late.then_some(Reason::LatePush)
}

/// The last day of the author's right, if it does not hold any more when the fact arrives.
fn right_ended(
    question: &Question<'_>,
    class: Option<&registro_model::ClassCode>,
    received: Date,
) -> Option<Date> {
    let directory = question.directory;
    let ends: Vec<Option<Date>> = match question.capacity {
        Capacity::Lesson => {
            let entry = directory.classes.get(class?)?;
            entry.assignments.iter().filter(|a| a.teacher == question.author).map(|a| a.span.to).collect()
        }
        Capacity::Council => {
            let entry = directory.classes.get(class?)?;
            entry
                .coordinators
                .iter()
                .filter(|(p, _)| *p == question.author)
                .map(|(_, span)| span.to)
                .collect()
        }
        Capacity::Guardian => {
            let list = directory.guardians.get(&question.document.subject.person()?)?;
            // A row without the right to write, such as a court order's, follows the right and does not go on with it.
            let right =
                |g: &&Guardianship| g.guardian == question.author && g.rights == GuardianRights::Complete;
            list.iter().filter(right).map(|g| g.span.to).collect()
        }
        Capacity::Office => role_ends(directory, question.author, Role::Office)?,
        Capacity::Head => role_ends(directory, question.author, Role::Head)?,
        Capacity::Substitute => role_ends(directory, question.author, Role::Teacher)?,
        Capacity::Staff => {
            let member = directory.staff.get(&question.author)?;
            member.roles.iter().map(|(_, span)| span.to).collect()
        }
        Capacity::Pupil => {
            let pupil = directory.pupils.get(&question.author)?;
            pupil.classes.iter().map(|(_, span)| span.to).collect()
        }
        Capacity::School => return None,
    };
    let mut last = None;
    for end in ends {
        let end = end?;
        last = last.max(Some(end));
    }
    last.filter(|end| *end < received)
}

fn role_ends(directory: &Directory, person: PersonId, role: Role) -> Option<Vec<Option<Date>>> {
    let member = directory.staff.get(&person)?;
    Some(member.roles.iter().filter(|(held, _)| *held == role).map(|(_, span)| span.to).collect())
}
