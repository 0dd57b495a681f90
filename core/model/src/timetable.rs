//! The timetable (*orario*) of a teacher's day.

use std::collections::BTreeSet;

use crate::calendar::weekday;
use crate::directory::Directory;
use crate::ids::{ClassCode, GroupCode, PersonId, SubjectCode};
use crate::school::School;
use crate::time::{ClockTime, Date};

/// A lesson of a teacher's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonSlot {
    /// The class.
    pub class: ClassCode,
    /// The slot's position.
    pub slot: u8,
    /// Start.
    pub start: ClockTime,
    /// End.
    pub end: ClockTime,
    /// The subject.
    pub subject: SubjectCode,
    /// The group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// Where.
    pub room: String,
    /// The other teachers of the lesson.
    pub co_teachers: Vec<PersonId>,
}

/// The lessons that the timetable gives a teacher on a day, in order. While a supply row holds, the supply teacher
/// has the lessons of the replaced one, who has none.
pub fn teacher_day(school: &School, directory: &Directory, teacher: PersonId, date: Date) -> Vec<LessonSlot> {
    let mut lessons = Vec::new();
    for (code, class) in &directory.classes {
        if directory.is_replaced(teacher, class, date) {
            continue;
        }
        let held: BTreeSet<(PersonId, &SubjectCode)> = class
            .assignments
            .iter()
            .filter(|a| a.teacher == teacher && a.span.contains(date))
            .map(|a| (a.supplies.unwrap_or(teacher), &a.subject))
            .collect();
        if held.is_empty() {
            continue;
        }
        let slots = school.slots_of(&class.site, date);
        for line in class.timetable.iter().filter(|line| line.weekday == weekday(date)) {
            let mine = line.teachers.iter().find(|t| held.contains(&(**t, &line.subject)));
            if let (Some(mine), Some(bell)) = (mine, slots.iter().find(|slot| slot.position == line.slot)) {
                lessons.push(LessonSlot {
                    class: code.clone(),
                    slot: line.slot,
                    start: bell.start,
                    end: bell.end,
                    subject: line.subject.clone(),
                    group: line.group.clone(),
                    room: line.room.clone(),
                    co_teachers: line.teachers.iter().copied().filter(|t| t != mine).collect(),
                });
            }
        }
    }
    lessons.sort_by(|a, b| (a.slot, &a.class).cmp(&(b.slot, &b.class)));
    lessons
}
