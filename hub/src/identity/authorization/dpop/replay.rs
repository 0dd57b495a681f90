//! Proofs that have been seen and might come again. Bounded: when it is full, callers wait rather than that a proof
//! counts twice.

use std::collections::HashMap;

use super::ProofError;

/// Proofs remembered at once, some 60 bytes each. A device that syncs without pause makes some thousands in the five
/// minutes for which one is remembered.
const MOST: usize = 400_000;
/// Shortest time between two looks at all of them, in milliseconds.
const SWEEP_MS: i64 = 5_000;

#[derive(Default)]
pub(super) struct Seen {
    until: HashMap<[u8; 32], i64>,
    swept: i64,
}

impl Seen {
    /// Notes a proof until a time after which it is not good anyway.
    pub fn note(&mut self, proof: [u8; 32], until: i64, now_ms: i64) -> Result<(), ProofError> {
        if now_ms < self.swept || now_ms - self.swept >= SWEEP_MS {
            self.until.retain(|_, until| *until >= now_ms);
            self.swept = now_ms;
        }
        if self.until.contains_key(&proof) {
            return Err(ProofError::Invalid);
        }
        if self.until.len() >= MOST {
            return Err(ProofError::Busy);
        }
        self.until.insert(proof, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_counts_once_and_is_forgotten_when_it_is_not_good_any_more() {
        let mut seen = Seen::default();
        assert_eq!(seen.note([1; 32], 60_000, 0), Ok(()));
        assert_eq!(seen.note([1; 32], 60_000, 60_000), Err(ProofError::Invalid));
        assert_eq!(seen.note([2; 32], 130_000, 70_000), Ok(()));
        assert_eq!(seen.until.len(), 1, "the first one is forgotten");
    }

    #[test]
    fn when_it_is_full_callers_wait() {
        let mut seen = Seen::default();
        for n in 0..MOST as u64 {
            let mut proof = [0; 32];
            proof[..8].copy_from_slice(&n.to_be_bytes());
            assert_eq!(seen.note(proof, 1_000, 0), Ok(()));
        }
        assert_eq!(seen.note([255; 32], 1_000, 0), Err(ProofError::Busy));
        assert_eq!(seen.note([255; 32], 9_000, 6_000), Ok(()));
    }
}
