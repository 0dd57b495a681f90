//! The device's own clock and randomness.

use ring::rand::{SecureRandom, SystemRandom};

use registro_sync::device::Environment;

/// The system's clock and its random numbers.
#[derive(Debug, Default)]
pub struct SystemEnvironment(());

impl Environment for SystemEnvironment {
    fn now(&self) -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }

    fn random(&mut self, out: &mut [u8]) {
        // Without randomness nothing may be written: ids would repeat.
        SystemRandom::new().fill(out).expect("the system has random numbers");
    }
}
