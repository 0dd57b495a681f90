//! What crosses crates: a real hub and real devices, for tests, the school day and benches.

pub mod browser;
pub mod clock;
pub mod federation;
pub mod hub;
pub mod link;
pub mod login;
pub mod miniature;
pub mod oidc_provider;
pub mod platform;
pub mod simulation;
