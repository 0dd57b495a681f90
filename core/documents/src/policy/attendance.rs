//! Attendance (*presenze*): DOMAIN rule A4 and the authority over a colleague's fact.

use registro_model::{Capacity, Date};

use super::{Answer, Question, Reason};

/// Teachers of the class, substitutes, council, head and office write attendance, on a lesson day of the pupil's
/// class (A4). Whoever may write it may replace another's.
pub(super) fn judge(question: &Question<'_>, date: Option<Date>) -> Answer {
    let Some(date) = date else { return Answer::Refused(Reason::NotWritable) };
    let class = match question.class_on(date) {
        Ok(class) => class,
        // A substitute's tablet knows no pupil's classes; the hub does.
        Err(Answer::CannotTell) => {
            let known = match question.capacity {
                Capacity::Lesson
                | Capacity::Substitute
                | Capacity::Office
                | Capacity::Head
                | Capacity::Council => Answer::CannotTell,
                _ => Answer::Refused(Reason::NotInCapacity),
            };
            return known;
        }
        Err(refused) => return refused,
    };
    let author = match question.capacity {
        Capacity::Lesson | Capacity::Substitute => question.teaches(&class, date),
        Capacity::Office | Capacity::Head | Capacity::Council => question.directs(Some(&class), date),
        _ => Answer::Refused(Reason::NotInCapacity),
    };
    author.and(|| super::lesson::on_lesson_day(question, &class, date))
}
