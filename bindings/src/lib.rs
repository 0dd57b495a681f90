//! The façade through UniFFI: Kotlin and Swift. It converts, and holds no logic.

// The scaffolding that UniFFI's macros write is `extern "C"` functions; none is written here by hand.
#![allow(unsafe_code)]

mod reach;
mod version;

pub use reach::{HubUnreachable, check_hub};
pub use version::library_version;

uniffi::setup_scaffolding!();
