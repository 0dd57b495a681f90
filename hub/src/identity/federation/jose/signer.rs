//! Signing our own messages, by RSA keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use serde::Serialize;
use zeroize::Zeroizing;

use super::algorithm::SigningAlgorithm;
use super::jwk::Jwk;
use super::{JoseError, encode};

/// Size of the hub's RSA keys. AgID demands 2048 and advises 4096; 3072 is the size that goes with AES-128 (NIST SP
/// 800-57) and signs in half the time.
const SIZE: KeySize = KeySize::Rsa3072;

/// Makes an RSA key, as PKCS#8.
pub fn generate() -> Result<Zeroizing<Vec<u8>>, JoseError> {
    let pair = KeyPair::generate(SIZE).map_err(|_| JoseError::OwnKey)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| JoseError::OwnKey)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

/// The public part of an RSA key in PKCS#8.
pub fn public_jwk(pkcs8: &[u8], usage: &str, alg: Option<&str>) -> Result<Jwk, JoseError> {
    let pair = ring::signature::RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| JoseError::OwnKey)?;
    let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
    Ok(Jwk::rsa(&public.n, &public.e, usage, alg))
}

/// A key that signs.
pub struct Signer {
    pair: KeyPair,
    public: Jwk,
    kid: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Signer {
    /// The algorithm that the hub signs with: the one that every provider must know.
    pub const ALGORITHM: SigningAlgorithm = SigningAlgorithm::Rs256;

    /// The signer of an RSA key in PKCS#8.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, JoseError> {
        let pair = KeyPair::from_pkcs8(pkcs8).map_err(|_| JoseError::OwnKey)?;
        let public = public_jwk(pkcs8, "sig", Some(Self::ALGORITHM.name()))?;
        let kid = public.kid.clone().ok_or(JoseError::OwnKey)?;
        Ok(Self { pair, public, kid })
    }

    /// The public key.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs claims as a message of a kind (`typ`).
    pub fn sign(&self, kind: Option<&str>, claims: &impl Serialize) -> Result<String, JoseError> {
        #[derive(Serialize)]
        struct OwnHeader<'a> {
            alg: &'static str,
            kid: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            typ: Option<&'a str>,
        }
        let header = OwnHeader { alg: Self::ALGORITHM.name(), kid: &self.kid, typ: kind };
        let json = |error: serde_json::Error| {
            tracing::error!(%error, "a message of the hub cannot be written");
            JoseError::Payload
        };
        let signed = format!(
            "{}.{}",
            encode(serde_json::to_vec(&header).map_err(json)?),
            encode(serde_json::to_vec(claims).map_err(json)?)
        );
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| JoseError::OwnKey)?;
        Ok(format!("{signed}.{}", encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::federation::jose::jwk::JwkSet;
    use crate::identity::federation::jose::jws::verify;

    #[test]
    fn every_allowed_rsa_algorithm_holds_under_its_own_name_only() {
        use aws_lc_rs::signature::{RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA512};
        let signer = Signer::from_pkcs8(&generate().unwrap()).unwrap();
        let key = Jwk { alg: None, ..signer.public().clone() };
        for (algorithm, encoding) in [
            (SigningAlgorithm::Rs256, &RSA_PKCS1_SHA256),
            (SigningAlgorithm::Rs512, &RSA_PKCS1_SHA512),
            (SigningAlgorithm::Ps256, &RSA_PSS_SHA256),
            (SigningAlgorithm::Ps512, &RSA_PSS_SHA512),
        ] {
            let mut signature = vec![0; signer.pair.public_modulus_len()];
            signer.pair.sign(encoding, &SystemRandom::new(), b"text", &mut signature).unwrap();
            for tried in SigningAlgorithm::ALL {
                let holds = key.verify(tried, b"text", &signature).is_ok();
                assert_eq!(holds, tried == algorithm, "{algorithm:?} as {tried:?}");
            }
        }
    }

    #[test]
    fn a_signed_message_reads_and_no_bit_of_it_can_be_changed() {
        let signer = Signer::from_pkcs8(&generate().unwrap()).unwrap();
        let keys = JwkSet { keys: vec![signer.public().clone()] };
        let claims = serde_json::json!({ "sub": "https://hub.example", "n": 7 });
        let message = signer.sign(Some("entity-statement+jwt"), &claims).unwrap();
        let read = verify(&message, &keys, &[SigningAlgorithm::Rs256]).unwrap();
        assert_eq!(read.claims::<serde_json::Value>().unwrap(), claims);
        assert!(read.header.is_type("Entity-Statement+JWT"));
        assert_eq!(
            verify(&message, &keys, &[SigningAlgorithm::Rs512, SigningAlgorithm::Ps256]).unwrap_err(),
            JoseError::Algorithm
        );
        for at in 0..message.len() {
            let mut bytes = message.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(verify(&changed, &keys, &SigningAlgorithm::ALL).is_err(), "byte {at}");
            assert!(verify(&message[..at], &keys, &SigningAlgorithm::ALL).is_err(), "cut at {at}");
        }
        assert!(!format!("{signer:?}").contains("pair"));
    }
}
