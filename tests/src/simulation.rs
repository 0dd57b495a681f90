//! One hub and its devices under a simulator: people write, links fail, stores and the hub are restored from copies.
//! Everything but the transport is real: stores, signatures, gate, policy, log.

mod acts;
mod admit;
mod checks;
mod tablet;
mod world;

pub use acts::Act;
pub use tablet::{Fault, Tablet};
pub use world::World;

/// What went wrong: a rule of the register that does not hold, or an error where there must be none.
pub type Violation = String;

fn broken(what: &str) -> impl FnOnce(&dyn std::fmt::Display) -> Violation + '_ {
    move |error| format!("{what}: {error}")
}
