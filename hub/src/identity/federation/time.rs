//! Instants in messages.

use serde::{Deserialize, Deserializer};

use super::error::FederationError;

/// How far clocks may be apart, in seconds (OpenID Connect Core §3.1.3.7 leaves it open; our choice).
pub const SKEW: i64 = 60;

/// Seconds since 1970 as messages write them (`NumericDate`, RFC 7519 §2): a number, with or without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        // Year 5138: nothing later is a date, and sums with it cannot overflow.
        let seconds = number.as_f64().filter(|seconds| (0.0..1e11).contains(seconds));
        seconds.map(|seconds| Self(seconds as i64)).ok_or_else(|| serde::de::Error::custom("no instant"))
    }
}

/// Checks that a message was made before now and has not expired.
pub fn check_times(issued: Seconds, expires: Seconds, now: i64) -> Result<(), FederationError> {
    if issued.0 > now + SKEW {
        return Err(FederationError::Rule("a message was made in the future"));
    }
    if expires.0 <= now - SKEW || expires <= issued {
        return Err(FederationError::Rule("a message has expired"));
    }
    Ok(())
}
