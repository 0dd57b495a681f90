//! The façade, rule by rule, on real devices with a real hub over a socket: by the day and by the hour.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod conflicts;
mod day_mode;
mod decisions;
mod hours;
mod lessons;
mod provenance;
mod roll;
mod school;
mod slot_mode;
mod unfetched;
