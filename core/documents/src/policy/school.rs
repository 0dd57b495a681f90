//! What the hub itself writes: directory, calendar, settings, timetable.

use registro_model::Capacity;

use super::{Answer, Question, Reason};

/// Only the school, as a certified author of its own, writes what the directory says.
pub(super) fn judge(question: &Question<'_>) -> Answer {
    if question.capacity == Capacity::School && question.author.0 == question.school_id.0 {
        Answer::Allowed
    } else {
        Answer::Refused(Reason::SchoolOnly)
    }
}
