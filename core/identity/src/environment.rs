//! What a login takes from outside: the time and randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

/// Clock and randomness.
pub trait Environment: Send + Sync {
    /// The device's clock, Unix milliseconds. It may be wrong: servers' answers correct it.
    fn now(&self) -> i64;
    /// Fills a buffer with random bytes that nobody can guess.
    fn random(&self, out: &mut [u8]);
}

/// The system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }

    fn random(&self, out: &mut [u8]) {
        // Without randomness no login may begin: its secrets could be guessed.
        SystemRandom::new().fill(out).expect("the system has random numbers");
    }
}

/// So many random bytes in base64url.
pub(crate) fn random_text<const BYTES: usize>(environment: &dyn Environment) -> String {
    let mut bytes = zeroize::Zeroizing::new([0; BYTES]);
    environment.random(bytes.as_mut_slice());
    URL_SAFE_NO_PAD.encode(bytes.as_slice())
}
