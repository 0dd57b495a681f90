//! How often a caller may ask: a bucket per person that refills steadily.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use registro_model::PersonId;

/// Requests that a person may make at once: a new device's first sync takes some tens.
const BURST: f64 = 400.0;
/// Requests per second in the long run.
const PER_SECOND: f64 = 40.0;
/// Persons remembered; beyond it those with a full bucket are forgotten.
const MAX_PERSONS: usize = 20_000;

/// The buckets.
#[derive(Debug, Default)]
pub struct Allowance(Mutex<HashMap<PersonId, (f64, Instant)>>);

impl Allowance {
    /// Takes one request; `Err` says after how many seconds to try again.
    pub fn take(&self, person: PersonId) -> Result<(), u64> {
        let now = Instant::now();
        let Ok(mut buckets) = self.0.lock() else { return Err(1) };
        let level = |(level, at): (f64, Instant)| {
            (level + now.duration_since(at).as_secs_f64() * PER_SECOND).min(BURST)
        };
        if buckets.len() > MAX_PERSONS {
            buckets.retain(|_, bucket| level(*bucket) < BURST);
        }
        let bucket = buckets.entry(person).or_insert((BURST, now));
        let left = level(*bucket);
        if left < 1.0 {
            return Err(1);
        }
        *bucket = (left - 1.0, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_who_asks_without_pause_is_told_to_wait_and_others_are_not() {
        let allowance = Allowance::default();
        let asked = (0..2_000).take_while(|_| allowance.take(PersonId([1; 16])).is_ok()).count();
        assert!((400..1_000).contains(&asked), "{asked}");
        assert!(allowance.take(PersonId([2; 16])).is_ok());
    }
}
