//! Proofs that a token is used by the device that it was given to (RFC 9449).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_sync::http::Method;
use ring::digest::{SHA256, digest};

use crate::jose::PublicJwk;
use crate::jose::signature::raw_from_der;

/// What a proof says.
pub struct Proof<'a> {
    /// The device's key.
    pub key: &'a PublicJwk,
    /// 128 random bits or more: the server refuses to see them twice (RFC 9449 §4.2).
    pub id: &'a str,
    /// Of the request that it goes with.
    pub method: Method,
    /// Of the request; query and fragment are left out (RFC 9449 §4.2, `htu`).
    pub url: &'a str,
    /// Unix seconds.
    pub issued_at: i64,
    /// The server's nonce, once it is known.
    pub nonce: Option<&'a str>,
    /// The access token that goes with the request, at an API.
    pub access_token: Option<&'a str>,
}

impl Proof<'_> {
    /// What the key has to sign.
    pub fn signing_input(&self) -> String {
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{}}}"#, self.key.json());
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        let mut payload = serde_json::json!({
            "jti": self.id,
            "htm": self.method.as_str(),
            "htu": url,
            "iat": self.issued_at,
        });
        if let Some(nonce) = self.nonce {
            payload["nonce"] = nonce.into();
        }
        if let Some(token) = self.access_token {
            payload["ath"] = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())).into();
        }
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload.to_string()))
    }
}

/// Puts the signature, in DER as platforms give it, behind what it signs. Nothing if it does not read.
pub fn complete(signing_input: &str, der: &[u8]) -> Option<String> {
    Some(format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(raw_from_der(der)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn part(text: &str, index: usize) -> Value {
        let part = text.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_proof_says_what_rfc_9449_wants_and_no_more() {
        let key = PublicJwk::from_point(&[&[4][..], &[7; 64]].concat()).unwrap();
        let proof = Proof {
            key: &key,
            id: "once",
            method: Method::Post,
            url: "https://server.example.com/token?q=1#f",
            issued_at: 1_562_262_616,
            nonce: None,
            access_token: None,
        };
        let text = proof.signing_input();
        assert_eq!(part(&text, 0)["typ"], "dpop+jwt");
        assert_eq!(part(&text, 0)["alg"], "ES256");
        let jwk = part(&text, 0)["jwk"].clone();
        assert_eq!(jwk.as_object().unwrap().keys().collect::<Vec<_>>(), ["crv", "kty", "x", "y"]);
        let expected = serde_json::json!({
            "jti": "once", "htm": "POST", "htu": "https://server.example.com/token", "iat": 1_562_262_616,
        });
        assert_eq!(part(&text, 1), expected);
    }

    /// Access token and `ath` of the example in RFC 9449 §7.1.
    #[test]
    fn the_hash_of_the_access_token_is_that_of_rfc_9449() {
        let key = PublicJwk::from_point(&[&[4][..], &[7; 64]].concat()).unwrap();
        let proof = Proof {
            key: &key,
            id: "once",
            method: Method::Get,
            url: "https://resource.example.org/protectedresource",
            issued_at: 1_562_262_618,
            nonce: Some("eyJ7S_zG.eyJH0-Z.HX4w-7v"),
            access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
        };
        let payload = part(&proof.signing_input(), 1);
        assert_eq!(payload["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(payload["nonce"], "eyJ7S_zG.eyJH0-Z.HX4w-7v");
    }
}
