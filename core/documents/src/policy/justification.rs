//! Justifications (*libretto web*) and their decisions: DOMAIN rules A7 and A9.

use chrono::Datelike;
use registro_model::directory::GuardianRights;
use registro_model::{Capacity, Date, PersonId, time::parse_date};

use super::{Answer, Question, Reason};
use crate::identity::Subject;

/// A guardian with complete rights, if the school has it enabled; a pupil of 18 or more, if enabled; office, head
/// and council on paper. Only the author edits.
pub(super) fn judge(question: &Question<'_>, date: Option<Date>) -> Answer {
    let (Some(date), Subject::Person(pupil)) = (date, &question.document.subject) else {
        return Answer::Refused(Reason::NotWritable);
    };
    let settings = &question.school.settings;
    let kind = question.key.split('/').next().unwrap_or_default();
    let online = settings.justify_kinds.iter().any(|allowed| allowed.as_str() == kind);
    match question.capacity {
        Capacity::Guardian if !settings.justify_guardian || !online => Answer::Refused(Reason::NotEnabled),
        // On the first day too: the author chose the last one.
        Capacity::Guardian => may_speak_for(question, *pupil, first_day(question).unwrap_or(date))
            .and(|| may_speak_for(question, *pupil, date))
            .and(|| question.replaces_only_own()),
        Capacity::Pupil if question.author != *pupil => Answer::Refused(Reason::OthersName),
        Capacity::Pupil if !settings.justify_adult_pupil || !online => Answer::Refused(Reason::NotEnabled),
        Capacity::Pupil => is_adult(question, *pupil, date).and(|| question.replaces_only_own()),
        Capacity::Office | Capacity::Head => question.directs(None, date),
        Capacity::Council => match question.class_on(date) {
            Ok(class) => question.directs(Some(&class), date),
            Err(answer) => answer,
        },
        _ => Answer::Refused(Reason::NotInCapacity),
    }
}

fn may_speak_for(question: &Question<'_>, pupil: PersonId, date: Date) -> Answer {
    match question.directory.guardian_rights(question.author, pupil, date) {
        Some(GuardianRights::Complete) => Answer::Allowed,
        Some(_) => Answer::Refused(Reason::NoGuardianRight),
        None => Answer::CannotTell,
    }
}

/// The first day of what a justification is about, which its key names.
fn first_day(question: &Question<'_>) -> Option<Date> {
    parse_date(question.key.split('/').nth(1)?).ok()
}

/// Whether the fact is about a permission, which is asked and granted before its day; everything else that is
/// justified has happened (A9).
pub(super) fn is_asked_in_advance(question: &Question<'_>) -> bool {
    match question.section {
        "justifications" => question.key.starts_with("permit/"),
        "decisions" => question.fact.text("kind") == Some("permit"),
        _ => false,
    }
}

/// Teachers of the pupil's class, council, head and office decide. Another's decision is replaced by council, head
/// or office only; a teacher decides anew beside it.
pub(super) fn judge_decision(question: &Question<'_>, date: Option<Date>) -> Answer {
    let Some(date) = date else { return Answer::Refused(Reason::NotWritable) };
    let class = match question.class_on(date) {
        Ok(class) => class,
        Err(answer) => return answer,
    };
    match question.capacity {
        Capacity::Lesson => question.teaches(&class, date).and(|| question.replaces_only_own()),
        Capacity::Office | Capacity::Head | Capacity::Council => question.directs(Some(&class), date),
        _ => Answer::Refused(Reason::NotInCapacity),
    }
}

/// A pupil justifies from the 18th birthday on (A9).
fn is_adult(question: &Question<'_>, pupil: PersonId, date: Date) -> Answer {
    let Some(entry) = question.directory.pupils.get(&pupil) else {
        return if question.directory.complete {
            Answer::Refused(Reason::NotEnrolled)
        } else {
            Answer::CannotTell
        };
    };
    let Some(born) = entry.born else {
        // Who cannot be shown to be of age is not.
        return if question.directory.complete { Answer::Refused(Reason::Minor) } else { Answer::CannotTell };
    };
    // Born on 29 February: of age on 1 March, which a comparison of (month, day) gives by itself.
    let years = date.year() - born.year();
    let had_birthday = (date.month(), date.day()) >= (born.month(), born.day());
    let adult = years > 18 || (years == 18 && had_birthday);
    if adult { Answer::Allowed } else { Answer::Refused(Reason::Minor) }
}
