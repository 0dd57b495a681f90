//! How concurrent facts are decided: each rule by name, then the laws on random histories.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod called;
mod conflict;
mod convergence;
mod day;
mod history;
mod key;

use registro_documents::merge::{Provenance, Shown};
use registro_documents::{AcceptanceRecord, Fact};
use registro_model::{Capacity, CommandId, Standing};

/// A fact without fields, by a command.
pub fn fact(v: u8) -> Fact {
    Fact::new(CommandId([v; 8]), Capacity::Lesson)
}

/// An accepted value: its change's hash is made of `n`, its position is 100.
pub fn accepted(fact: Fact, n: u8, standing: Standing) -> Shown {
    at(fact, n, standing, 100)
}

/// An accepted value at a position.
pub fn at(fact: Fact, n: u8, standing: Standing, position: u64) -> Shown {
    let mut shown = own(fact, n, standing);
    shown.provenance.accepted =
        Some(AcceptanceRecord { position, received: 0, standing, seen_is_lost: false });
    shown
}

/// A value of this device, not accepted yet.
pub fn own(fact: Fact, n: u8, standing: Standing) -> Shown {
    let provenance = Provenance {
        change: [n; 32],
        person: None,
        device: Some([n; 32]),
        claimed: 0,
        accepted: None,
        standing,
        counts: true,
    };
    Shown { fact, provenance }
}

/// A value of another device, not accepted yet.
pub fn unconfirmed(fact: Fact, n: u8, standing: Standing) -> Shown {
    let mut shown = own(fact, n, standing);
    shown.provenance.counts = false;
    shown
}
