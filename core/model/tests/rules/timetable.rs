//! A teacher's day.

use registro_model::timetable::teacher_day;

use crate::directory::{NARDI, PEREGO, SUPPLY, directory};
use crate::school::{bell, close, date, two_terms};

#[test]
fn a_teachers_day_is_the_timetables_and_the_supply_teachers_is_the_replaced_ones() {
    let mut school = two_terms();
    school.slots = vec![bell("C", 1, 1, "08:20", "09:20", 2), bell("C", 1, 2, "09:20", "10:20", 2)];
    let directory = directory();
    let slots = |school: &_, who, day: &str| {
        let lessons = teacher_day(school, &directory, who, date(day));
        lessons.iter().map(|lesson| (lesson.slot, lesson.subject.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(slots(&school, NARDI, "2026-11-23"), [(1, "ITA".into())]);
    assert_eq!(slots(&school, SUPPLY, "2026-11-23"), [(2, "ING".into())]);
    assert_eq!(slots(&school, PEREGO, "2026-11-23"), []);
    assert_eq!(slots(&school, PEREGO, "2027-01-11"), [(2, "ING".into())]);
    assert_eq!(slots(&school, NARDI, "2027-02-01"), [], "the assignment ended the day before");
    assert_eq!(slots(&school, NARDI, "2026-11-22"), [], "Sunday");
    close(&mut school, "2026-11-23", "2026-11-23", registro_model::school::DayStatus::NoLesson, None);
    assert_eq!(slots(&school, NARDI, "2026-11-23"), []);
}
