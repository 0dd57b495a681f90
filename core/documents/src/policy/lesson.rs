//! Rolls (*appello*), signatures (*firma*) and topics (*argomento*): DOMAIN rules A4, L1, L4.

use registro_model::{Capacity, ClassCode, Date};

use super::{Answer, Question, Reason};
use crate::identity::Subject;

/// A teacher signs, and calls the roll, under their own name, in a class where they teach or stand in. Only the
/// signer edits (L4). Office, head and council may annul a lesson, keeping its author's key; what they wrote there
/// is then theirs, and the signer does not write over it.
pub(super) fn judge(question: &Question<'_>, date: Option<Date>) -> Answer {
    let (Some(date), Subject::Month(class, month)) = (date, &question.document.subject) else {
        return Answer::Refused(Reason::NotWritable);
    };
    if question.key.get(..7) != Some(month.as_str()) {
        return Answer::Refused(Reason::OtherMonth);
    }
    let own = question.key.rsplit('/').next() == Some(question.author.to_string().as_str());
    let answer = match question.capacity {
        Capacity::Lesson | Capacity::Substitute if own => {
            question.teaches(class, date).and(|| question.replaces_only_own())
        }
        Capacity::Lesson | Capacity::Substitute => Answer::Refused(Reason::OthersName),
        Capacity::Office | Capacity::Head | Capacity::Council if own || !question.replaced.is_empty() => {
            question.directs(Some(class), date)
        }
        Capacity::Office | Capacity::Head | Capacity::Council => Answer::Refused(Reason::OthersName),
        _ => Answer::Refused(Reason::NotInCapacity),
    };
    answer.and(|| on_lesson_day(question, class, date))
}

/// A4, L1: not on a day without lessons at the class's site.
pub(super) fn on_lesson_day(question: &Question<'_>, class: &ClassCode, date: Date) -> Answer {
    match question.directory.classes.get(class) {
        Some(entry) if question.school.is_lesson_day(&entry.site, date) => Answer::Allowed,
        Some(_) => Answer::Refused(Reason::NoLessons),
        None if question.directory.complete => Answer::Refused(Reason::UnknownClass),
        None => Answer::CannotTell,
    }
}
