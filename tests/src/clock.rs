//! A device's clock and randomness that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha12Rng;
use registro::Environment;

/// A clock shared by the devices of a test, Unix milliseconds.
#[derive(Debug, Clone)]
pub struct SharedClock(Arc<AtomicI64>);

impl SharedClock {
    /// A clock that stands at an instant.
    pub fn at(milliseconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(milliseconds)))
    }

    /// Moves the clock.
    pub fn set(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }

    /// The instant.
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// An environment with a shared clock and randomness from a seed.
#[derive(Debug)]
pub struct SeededEnvironment {
    clock: SharedClock,
    random: ChaCha12Rng,
}

impl SeededEnvironment {
    /// Randomness of a seed; devices of one test take different seeds.
    pub fn new(clock: SharedClock, seed: u64) -> Self {
        Self { clock, random: ChaCha12Rng::seed_from_u64(seed) }
    }
}

impl Environment for SeededEnvironment {
    fn now(&self) -> i64 {
        self.clock.now()
    }

    fn random(&mut self, out: &mut [u8]) {
        self.random.fill_bytes(out);
    }
}
