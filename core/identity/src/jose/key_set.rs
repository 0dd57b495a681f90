//! The server's keys (JWK Set, RFC 7517 §5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::jws::Algorithm;

/// Most keys that are looked at (our choice).
const MAX_KEYS: usize = 64;

/// Keys that verify signatures.
pub struct KeySet(Vec<VerificationKey>);

/// One of them.
pub(super) struct VerificationKey {
    kid: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

enum Material {
    P256(Vec<u8>),
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys of kinds that we do not know, or for other purposes, are passed over, as RFC 7517 §5 wants;
    /// nothing if it is no set at all.
    pub fn read(json: &[u8]) -> Option<Self> {
        let set: RawSet = serde_json::from_slice(json).ok()?;
        let keys = set.keys.into_iter().take(MAX_KEYS);
        Some(Self(keys.filter_map(|key| VerificationKey::read(serde_json::from_value(key).ok()?)).collect()))
    }

    /// The keys that may have signed: those of that name, or, if the message names none, the only one of its kind.
    /// To try several would be to guess.
    pub(super) fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &VerificationKey> {
        let of_its_kind = self.0.iter().filter(move |key| key.fits(algorithm));
        let ambiguous = kid.is_none() && of_its_kind.clone().count() != 1;
        of_its_kind.filter(move |key| !ambiguous && (kid.is_none() || key.kid.as_deref() == kid))
    }
}

impl VerificationKey {
    fn read(raw: RawKey) -> Option<Self> {
        let signs = raw.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && raw.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !signs {
            return None;
        }
        let decode = |part: Option<String>| URL_SAFE_NO_PAD.decode(part?).ok();
        let material = match raw.kty.as_str() {
            "EC" if raw.crv.as_deref() == Some("P-256") => {
                let (x, y) = (decode(raw.x)?, decode(raw.y)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                Material::P256([vec![4], x, y].concat())
            }
            "RSA" => {
                // Some servers write the number with a zero in front, which ring takes for another number.
                let strip =
                    |bytes: Vec<u8>| -> Vec<u8> { bytes.into_iter().skip_while(|byte| *byte == 0).collect() };
                Material::Rsa { n: strip(decode(raw.n)?), e: strip(decode(raw.e)?) }
            }
            _ => return None,
        };
        Some(Self { kid: raw.kid, algorithm: raw.alg, material })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match self.material {
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::Rsa { .. } => algorithm != Algorithm::Es256,
        };
        kind && self.algorithm.as_deref().is_none_or(|name| name == algorithm.name())
    }

    /// Whether the key signed this. RSA keys below 2048 bits never did.
    pub(super) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let verified = match (&self.material, algorithm) {
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
            (Material::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PSS_2048_8192_SHA256, signed, signature)
            }
            (Material::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}
