//! The rules of attendance, justification, calendar, validity and directory, each proved by its worked cases (named
//! after the rule) and by laws that hold for every input.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod attendance;
mod calendar;
mod directory;
mod hours;
mod justification;
mod lesson;
mod school;
mod slot_day;
mod slots;
mod timetable;
mod validity;
