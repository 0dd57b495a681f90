//! Randomness from outside: the system's, or a simulation's.

use ring::rand::{SecureRandom, SystemRandom};

/// Where the hub takes random bytes from.
pub trait Random: Send {
    /// Fills the buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug)]
pub struct SystemRandomness(SystemRandom);

impl SystemRandomness {
    /// A handle on the operating system's generator.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for SystemRandomness {
    fn fill(&mut self, buffer: &mut [u8]) {
        // A hub that cannot draw ids and keys must not go on with others.
        self.0.fill(buffer).expect("the operating system gives random bytes");
    }
}

/// Draws an array of random bytes.
pub(crate) fn draw<const N: usize>(random: &mut dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
