//! The façade through UniFFI: Kotlin and Swift. It converts, and holds no logic.
//!
//! Data are records; [`Registro`] and one object per role are the only long-lived handles. Views are read
//! synchronously from what is on the device; whatever writes, logs in or uses the network is asynchronous and runs on
//! threads of the library: dropping or cancelling such a call detaches from it, and it still runs to its end.
//! Every call that does work gives a [`RegistroError`] when it fails; a mistake of ours (a panic) arrives as one too.
//!
//! Ids are lower-case hexadecimal text, dates `2026-11-23`, clock times `08:20`, instants Unix milliseconds.
//!
//! | module | what |
//! |---|---|
//! | [`register`] | open, sync, events, suspend |
//! | [`login`] | log in and out, sessions |
//! | [`teacher`], [`family`], [`office`] | what each role sees and does |
//! | [`attendance`], [`provenance`], [`delivery`], [`events`] | data that several of them show |
//! | [`values`] | ids, codes, dates and times as text |
//! | [`vault`], [`storage`] | where the platform keeps the key of the store, the login's key and its secrets |
//! | [`error`] | why something could not be done |
//! | [`reach`], [`version`] | before the login |

// The scaffolding that UniFFI's macros write is `extern "C"` functions; none is written here by hand.
#![allow(unsafe_code)]

pub mod attendance;
pub mod delivery;
pub mod error;
pub mod events;
pub mod family;
pub mod login;
pub mod office;
pub mod provenance;
pub mod reach;
pub mod register;
pub mod storage;
pub mod teacher;
pub mod values;
pub mod vault;
pub mod version;
mod work;

pub use error::{ErrorKind, Failure, NextStep, RegistroError};
pub use family::Family;
pub use office::Office;
pub use reach::{HubUnreachable, check_hub};
pub use register::Registro;
pub use teacher::Teacher;
pub use version::library_version;

uniffi::setup_scaffolding!();
