//! The proof that whoever redeems a code is who asked for it (RFC 7636), always with SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use crate::environment::{Environment, random_text};
use crate::secret::Secret;

/// A new verifier: 32 random bytes, which are 43 characters (RFC 7636 §4.1).
pub(crate) fn new_verifier(environment: &dyn Environment) -> Secret {
    Secret::new(random_text::<32>(environment))
}

/// What is sent ahead of the verifier (RFC 7636 §4.2, `S256`).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::SystemEnvironment;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifiers_are_43_allowed_characters_and_new_each_time() {
        let (one, other) = (new_verifier(&SystemEnvironment), new_verifier(&SystemEnvironment));
        assert_eq!(one.reveal().len(), 43);
        assert!(one.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_ne!(one.reveal(), other.reveal());
    }
}
