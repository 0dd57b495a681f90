//! Logging in by the façade, at a real hub, with the school's credentials: sessions, logging out, one person in two
//! capacities, and that nothing unsent is lost on the way.

mod blocked_pin;
mod capacities;
mod level;
mod nothing_is_lost;
mod school;
mod sessions;
