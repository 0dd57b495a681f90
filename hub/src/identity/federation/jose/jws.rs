//! Reading signed messages in the compact form (RFC 7515).

use serde::de::DeserializeOwned;

use super::algorithm::SigningAlgorithm;
use super::jwk::JwkSet;
use super::{Header, JoseError, decode, parts};

/// A signed message whose signature holds.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Its header.
    pub header: Header,
    /// Its algorithm.
    pub algorithm: SigningAlgorithm,
    payload: Vec<u8>,
}

impl Verified {
    /// The content. A member that is there twice does not read.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        serde_json::from_slice(&self.payload).map_err(|_| JoseError::Payload)
    }
}

/// Verifies a message by the key of the set that its header names.
pub fn verify(message: &str, keys: &JwkSet, allowed: &[SigningAlgorithm]) -> Result<Verified, JoseError> {
    let [head, body, signature] = parts(message)?;
    let header = Header::parse(head)?;
    let algorithm = SigningAlgorithm::named(&header.alg).ok_or(JoseError::Algorithm)?;
    if !allowed.contains(&algorithm) {
        return Err(JoseError::Algorithm);
    }
    let key = keys.find(header.kid.as_deref().ok_or(JoseError::KeyUnknown)?)?;
    // The text before the last dot, as it came (RFC 7515 §5.2).
    let signed = message.get(..head.len() + 1 + body.len()).ok_or(JoseError::Form)?;
    key.verify(algorithm, signed.as_bytes(), &decode(signature)?)?;
    Ok(Verified { payload: decode(body)?, header, algorithm })
}

/// The claims of a message **before** it is verified: to find out whose keys verify it, and for nothing else.
pub fn unverified<T: DeserializeOwned>(message: &str) -> Result<T, JoseError> {
    let [_, body, _] = parts(message)?;
    serde_json::from_slice(&decode(body)?).map_err(|_| JoseError::Payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::federation::jose::encode;
    use crate::identity::federation::jose::jwk::Jwk;

    fn key(value: serde_json::Value) -> Jwk {
        serde_json::from_value(value).unwrap()
    }

    /// Message and key of an appendix of RFC 7515. They name no key, so that the signature is checked by itself.
    fn holds(message: &str, key: &Jwk, algorithm: SigningAlgorithm) -> Result<(), JoseError> {
        let (signed, signature) = message.rsplit_once('.').unwrap();
        key.verify(algorithm, signed.as_bytes(), &decode(signature).unwrap())
    }

    #[test]
    fn the_signatures_of_rfc_7515_hold() {
        let payload =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let rsa = key(
            serde_json::json!({ "kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" }),
        );
        let rs256 = format!(
            "eyJhbGciOiJSUzI1NiJ9.{payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
        assert_eq!(holds(&rs256, &rsa, SigningAlgorithm::Rs256), Ok(()));
        assert_eq!(holds(&rs256, &rsa, SigningAlgorithm::Ps256), Err(JoseError::Signature));
        assert_eq!(holds(&rs256, &rsa, SigningAlgorithm::Es256), Err(JoseError::KeyUnfit));

        let p256 = key(serde_json::json!({ "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }));
        let es256 = format!(
            "eyJhbGciOiJFUzI1NiJ9.{payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        );
        assert_eq!(holds(&es256, &p256, SigningAlgorithm::Es256), Ok(()));
        assert_eq!(holds(&es256, &p256, SigningAlgorithm::Es512), Err(JoseError::KeyUnfit));

        let p521 = key(serde_json::json!({ "kty": "EC", "crv": "P-521",
            "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
            "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2" }));
        let es512 = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
        assert_eq!(holds(es512, &p521, SigningAlgorithm::Es512), Ok(()));
    }

    #[test]
    fn what_is_forbidden_or_not_understood_is_refused_before_any_key_is_looked_at() {
        let with = |header: &str| format!("{}.{}.{}", encode(header), encode("{}"), encode("s"));
        let none = JwkSet::default();
        for (header, expected) in [
            (r#"{"alg":"none","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"None","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"HS256","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"HS512","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"rs256","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"RS384","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"","kid":"a"}"#, JoseError::Algorithm),
            (r#"{"alg":"RS256","kid":"a","crit":["b64"]}"#, JoseError::Header),
            (r#"{"alg":"RS256","alg":"RS512","kid":"a"}"#, JoseError::Header),
            (r#"{"alg":7}"#, JoseError::Header),
            (r#"["RS256"]"#, JoseError::KeyUnknown),
            (r#"{"alg":"RS256"}"#, JoseError::KeyUnknown),
            (r#"{"alg":"RS256","kid":"a"}"#, JoseError::KeyUnknown),
        ] {
            let outcome = verify(&with(header), &none, &SigningAlgorithm::ALL).map(|_| ());
            // A JSON array is a struct to serde: it must still end in a refusal.
            assert_eq!(outcome, Err(expected), "{header}");
        }
        let valid = with(r#"{"alg":"RS256","kid":"a"}"#);
        assert_eq!(verify(&valid, &none, &[]).unwrap_err(), JoseError::Algorithm);
        for message in ["", ".", "..", "a.b", "a.b.c.d", &format!("{valid}="), &valid.replace('.', " ")] {
            assert!(verify(message, &none, &SigningAlgorithm::ALL).is_err(), "{message}");
        }
        let long = format!("{valid}{}", "A".repeat(super::super::MAX_MESSAGE));
        assert_eq!(verify(&long, &none, &SigningAlgorithm::ALL).unwrap_err(), JoseError::TooLarge);
    }
}
