//! The date of the event that a fact is about: rights are judged on that day, not on the day of writing.

use registro_model::{Date, time::parse_date};

use super::Question;

/// The event's date, from the key; for justifications and decisions the last day that they concern. `None` where
/// a fact is about no day.
pub fn event_date(question: &Question<'_>) -> Option<Date> {
    match question.section {
        "rolls" | "lessons" | "topics" | "attendance" => parse_date(question.key.get(..10)?).ok(),
        "justifications" | "decisions" => question.fact.date("to"),
        _ => None,
    }
}
