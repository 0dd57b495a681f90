//! One hub and its devices under a simulator: people write, links fail, stores and the hub are restored from copies.
//! Everything but the transport is real: stores, signatures, gate, policy, log.

mod acts;
mod admit;
mod checks;
mod directory;
mod tablet;
mod world;

use registro_model::school::AttendanceMode;
use registro_sync::messages::PAGE_BYTES;

pub use acts::Act;
pub use checks::Judged;
pub use directory::Turn;
pub use tablet::{Fault, Tablet};
pub use world::{DEVICES, World};

/// What kind of school it is, and how little fits into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// How attendance is kept.
    pub mode: AttendanceMode,
    /// Most bytes of a page of the feed and of a push.
    pub page_bytes: usize,
    /// Whether councils begin when the simulation says so: after that nearly everything goes to the office.
    pub councils: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self { mode: AttendanceMode::Day, page_bytes: PAGE_BYTES, councils: true }
    }
}

impl Setting {
    /// Any kind, by the seed.
    pub fn of_seed(seed: u64) -> Self {
        Self {
            mode: if seed % 4 == 1 { AttendanceMode::Slot } else { AttendanceMode::Day },
            // A handful of changes: whatever there is comes in many pages.
            page_bytes: if seed % 3 == 1 { 4_000 } else { PAGE_BYTES },
            councils: seed % 5 == 1,
        }
    }
}

/// What went wrong: a rule of the register that does not hold, or an error where there must be none.
pub type Violation = String;

fn broken(what: &str) -> impl FnOnce(&dyn std::fmt::Display) -> Violation + '_ {
    move |error| format!("{what}: {error}")
}
