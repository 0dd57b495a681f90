//! Nonces for proofs: a time under a key, so that nothing has to be remembered. The key is drawn when the hub starts;
//! a nonce of before is stale, and its proof is asked for again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

/// How long a nonce is good, in milliseconds. Our choice; RFC 9449 §8 names no time.
const GOOD_FOR_MS: i64 = 300_000;

pub(super) struct Nonces(hmac::Key);

impl Nonces {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub fn issue(&self, now_ms: i64) -> String {
        let mut bytes = now_ms.to_be_bytes().to_vec();
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Until when a nonce is good; `None` if it is not ours or too old.
    pub fn good_until(&self, nonce: &str, now_ms: i64) -> Option<i64> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (time, tag) = bytes.split_at_checked(8)?;
        hmac::verify(&self.0, time, tag).ok()?;
        let issued = i64::from_be_bytes(time.try_into().ok()?);
        (issued <= now_ms && now_ms - issued <= GOOD_FOR_MS).then_some(issued + GOOD_FOR_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_five_minutes_at_the_server_that_gave_it() {
        let (nonces, others) = (Nonces::new(&[1; 32]), Nonces::new(&[2; 32]));
        let nonce = nonces.issue(1_000_000);
        assert_eq!(nonces.good_until(&nonce, 1_000_000), Some(1_300_000));
        assert!(nonces.good_until(&nonce, 1_300_000).is_some());
        assert!(nonces.good_until(&nonce, 1_300_001).is_none());
        assert!(nonces.good_until(&nonce, 999_999).is_none(), "from the future");
        assert!(others.good_until(&nonce, 1_000_000).is_none());
        for damaged in ["", "AAAA", &nonce[1..], &format!("{nonce}AA"), &nonce.replace('A', "B")] {
            assert!(nonces.good_until(damaged, 1_000_000).is_none(), "{damaged}");
        }
    }
}
