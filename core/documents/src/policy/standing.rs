//! Standing: how much an accepted change weighs, from the directory at acceptance.

use registro_model::{Capacity, Standing};

use super::{Question, event_date};
use crate::identity::Subject;

/// The standing of a fact. A teacher of the class has the lesson's weight in an hour that the timetable gives
/// them, at the fact's slot where it names one; otherwise that of other staff.
pub fn standing(question: &Question<'_>) -> Standing {
    match question.capacity {
        Capacity::Office => Standing::Office,
        Capacity::Head | Capacity::Council => Standing::HeadOrCouncil,
        Capacity::Substitute => Standing::Substitute,
        Capacity::Staff => Standing::OtherStaff,
        Capacity::School => Standing::School,
        Capacity::Guardian => Standing::Guardian,
        Capacity::Pupil => Standing::Pupil,
        Capacity::Lesson => {
            let Some(date) = event_date(question) else { return Standing::OtherStaff };
            let class = match &question.document.subject {
                Subject::Person(person) => question.directory.class_of(*person, date).flatten(),
                subject => subject.class(),
            };
            let slot = slot_of(question);
            let timetabled = class
                .and_then(|class| question.directory.is_timetabled(question.author, class, date, slot))
                .unwrap_or(false);
            if timetabled { Standing::TimetabledLesson } else { Standing::OtherStaff }
        }
    }
}

/// The standing of a change, whose facts are given as (annulled, standing): the least of its live facts. What it
/// annuls is a copy with the slot of what it copies, and weighs nothing as long as something live stands beside it:
/// an entry in the second hour that takes back an absence of the first is a fact of the second hour.
pub fn standing_of_change(facts: impl IntoIterator<Item = (bool, Standing)>) -> Option<Standing> {
    let facts: Vec<_> = facts.into_iter().collect();
    let least = |annulled: bool| facts.iter().filter(|fact| fact.0 == annulled).map(|fact| fact.1).min();
    least(false).or_else(|| least(true))
}

/// The slot of the event: a field of the fact, or a piece of its key.
pub(super) fn slot_of(question: &Question<'_>) -> Option<u8> {
    let in_key = || question.key.split_once('#')?.1.split('/').next()?.parse().ok();
    question.fact.slot().or_else(in_key)
}
