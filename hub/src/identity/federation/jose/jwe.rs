//! Opening encrypted messages in the compact form (RFC 7516).

use aws_lc_rs::cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use zeroize::Zeroizing;

use super::algorithm::{ContentEncryption, KeyEncryption};
use super::jwk::Jwk;
use super::signer::public_jwk;
use super::{Header, JoseError, decode, is_media_type, parts};

/// A key that messages are encrypted to.
pub struct DecryptionKey {
    key: OaepPrivateDecryptingKey,
    public: Jwk,
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// The key of an RSA key in PKCS#8.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, JoseError> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| JoseError::OwnKey)?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| JoseError::OwnKey)?;
        // No `alg`: the rules let providers choose between the two ways.
        Ok(Self { key, public: public_jwk(pkcs8, "enc", None)? })
    }

    /// The public key.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// The content's key. One that cannot be had is replaced by a random one, so that who sends messages cannot
    /// tell the ways to fail apart (RFC 7516 §11.5).
    fn content_key(
        &self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let mut substitute = Zeroizing::new(vec![0; length]);
        aws_lc_rs::rand::fill(&mut substitute).map_err(|_| JoseError::Decryption)?;
        let oaep = match algorithm {
            KeyEncryption::RsaOaep => &OAEP_SHA1_MGF1SHA1,
            KeyEncryption::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
        };
        let mut buffer = Zeroizing::new(vec![0; self.key.min_output_size()]);
        match self.key.decrypt(oaep, encrypted, &mut buffer, None) {
            Ok(key) if key.len() == length => Ok(Zeroizing::new(key.to_vec())),
            _ => Ok(substitute),
        }
    }
}

/// Opens a message that contains a signed one (`cty` is `JWT`), by the key that its header names.
pub fn open(message: &str, keys: &[DecryptionKey]) -> Result<String, JoseError> {
    let [head, encrypted_key, vector, content, tag] = parts(message)?;
    let header = Header::parse(head)?;
    let algorithm = KeyEncryption::named(&header.alg).ok_or(JoseError::Algorithm)?;
    let content_algorithm =
        header.enc.as_deref().and_then(ContentEncryption::named).ok_or(JoseError::Algorithm)?;
    if !is_media_type(header.cty.as_deref(), "JWT") {
        return Err(JoseError::Type);
    }
    let kid = header.kid.as_deref().ok_or(JoseError::KeyUnknown)?;
    let key = keys.iter().find(|key| key.public.kid.as_deref() == Some(kid)).ok_or(JoseError::KeyUnknown)?;
    let content_key = key.content_key(algorithm, &decode(encrypted_key)?, content_algorithm.key_len())?;
    let opened = decrypt(
        content_algorithm,
        &content_key,
        &decode(vector)?,
        head.as_bytes(),
        decode(content)?,
        &decode(tag)?,
    )?;
    String::from_utf8(opened).map_err(|_| JoseError::Payload)
}

/// AES-CBC with HMAC (RFC 7518 §5.2.2.2): the tag is checked before anything is decrypted.
fn decrypt(
    algorithm: ContentEncryption,
    key: &[u8],
    vector: &[u8],
    associated: &[u8],
    mut content: Vec<u8>,
    tag: &[u8],
) -> Result<Vec<u8>, JoseError> {
    let (mac, cipher) = match algorithm {
        ContentEncryption::A128CbcHs256 => (hmac::HMAC_SHA256, &AES_128),
        ContentEncryption::A256CbcHs512 => (hmac::HMAC_SHA512, &AES_256),
    };
    let vector: &[u8; 16] = vector.try_into().map_err(|_| JoseError::Decryption)?;
    let (mac_key, cipher_key) = key.split_at_checked(key.len() / 2).ok_or(JoseError::Decryption)?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(mac, mac_key));
    context.update(associated);
    context.update(vector);
    context.update(&content);
    context.update(&(associated.len() as u64 * 8).to_be_bytes());
    let expected = context.sign();
    let expected = expected.as_ref().get(..key.len() / 2).ok_or(JoseError::Decryption)?;
    verify_slices_are_equal(expected, tag).map_err(|_| JoseError::Decryption)?;

    let unbound = UnboundCipherKey::new(cipher, cipher_key).map_err(|_| JoseError::Decryption)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(unbound).map_err(|_| JoseError::Decryption)?;
    let context = DecryptionContext::Iv128(FixedLength::from(vector));
    let length = key.decrypt(&mut content, context).map_err(|_| JoseError::Decryption)?.len();
    content.truncate(length);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::cipher::{EncryptionContext, PaddedBlockEncryptingKey};
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};

    use super::*;
    use crate::identity::federation::jose::{encode, signer};

    /// Key, vector, associated data and content that RFC 7518 appendix B uses throughout.
    const VECTOR: &str = "1af38c2dc2b96ffdd86694092341bc04";
    const ASSOCIATED: &[u8] = b"The second principle of Auguste Kerckhoffs";
    const CONTENT: &[u8] = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_contents_of_rfc_7518_open_and_no_changed_one_does() {
        let cases = [
            (
                ContentEncryption::A128CbcHs256,
                "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db",
                "652c3fa36b0a7c5b3219fab3a30bc1c4",
            ),
            (
                ContentEncryption::A256CbcHs512,
                "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6",
                "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
            ),
        ];
        for (algorithm, content, tag) in cases {
            let key: Vec<u8> = (0..algorithm.key_len()).map(|byte| byte as u8).collect();
            let (content, tag) = (hex(content), hex(tag));
            let open = |vector: &[u8], associated: &[u8], content: &[u8], tag: &[u8]| {
                decrypt(algorithm, &key, vector, associated, content.to_vec(), tag)
            };
            assert_eq!(open(&hex(VECTOR), ASSOCIATED, &content, &tag).unwrap(), CONTENT, "{algorithm:?}");
            for at in 0..content.len() {
                let mut changed = content.clone();
                changed[at] ^= 1;
                assert_eq!(
                    open(&hex(VECTOR), ASSOCIATED, &changed, &tag),
                    Err(JoseError::Decryption),
                    "byte {at}"
                );
            }
            assert!(open(&hex(VECTOR), b"", &content, &tag).is_err());
            assert!(open(&[0; 16], ASSOCIATED, &content, &tag).is_err());
            assert!(open(&hex(VECTOR), ASSOCIATED, &content, &tag[..tag.len() - 1]).is_err());
            assert!(open(&hex(VECTOR), ASSOCIATED, &content, &[]).is_err());
        }
    }

    fn seal(pkcs8: &[u8], kid: &str, header: &str, algorithm: &KeyEncryption, text: &str) -> String {
        let content_key = [7; 64];
        let der: PublicKeyX509Der<'_> =
            PrivateDecryptingKey::from_pkcs8(pkcs8).unwrap().public_key().as_der().unwrap();
        let public =
            OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(der.as_ref()).unwrap()).unwrap();
        let oaep = match algorithm {
            KeyEncryption::RsaOaep => &OAEP_SHA1_MGF1SHA1,
            KeyEncryption::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
        };
        let mut encrypted = vec![0; public.ciphertext_size()];
        public.encrypt(oaep, &content_key, &mut encrypted, None).unwrap();
        let head = encode(header.replace("KID", kid));
        let cipher = UnboundCipherKey::new(&AES_256, &content_key[32..]).unwrap();
        let vector = [9; 16];
        let mut content = text.as_bytes().to_vec();
        PaddedBlockEncryptingKey::cbc_pkcs7(cipher)
            .unwrap()
            .less_safe_encrypt(&mut content, EncryptionContext::Iv128(FixedLength::from(&vector)))
            .unwrap();
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, &content_key[..32]));
        context.update(head.as_bytes());
        context.update(&vector);
        context.update(&content);
        context.update(&(head.len() as u64 * 8).to_be_bytes());
        let tag = &context.sign().as_ref()[..32].to_vec();
        format!("{head}.{}.{}.{}.{}", encode(encrypted), encode(vector), encode(content), encode(tag))
    }

    #[test]
    fn a_message_opens_only_with_allowed_algorithms_and_its_own_key() {
        let pkcs8 = signer::generate().unwrap();
        let keys = [DecryptionKey::from_pkcs8(&pkcs8).unwrap()];
        let kid = keys[0].public().kid.clone().unwrap();
        let header = r#"{"alg":"RSA-OAEP","enc":"A256CBC-HS512","cty":"JWT","kid":"KID"}"#;
        let message = seal(&pkcs8, &kid, header, &KeyEncryption::RsaOaep, "a.b.c");
        assert_eq!(open(&message, &keys).unwrap(), "a.b.c");
        let header_256 = header.replace("OAEP", "OAEP-256");
        let message_256 = seal(&pkcs8, &kid, &header_256, &KeyEncryption::RsaOaep256, "a.b.c");
        assert_eq!(open(&message_256, &keys).unwrap(), "a.b.c");

        for (from, to, expected) in [
            ("RSA-OAEP", "RSA1_5", JoseError::Algorithm),
            ("RSA-OAEP", "dir", JoseError::Algorithm),
            ("RSA-OAEP", "RSA-OAEP-512", JoseError::Algorithm),
            ("RSA-OAEP", "RSA-OAEP-256", JoseError::Decryption),
            ("A256CBC-HS512", "A256GCM", JoseError::Algorithm),
            ("A256CBC-HS512", "A128CBC-HS256", JoseError::Decryption),
            (r#","cty":"JWT""#, "", JoseError::Type),
            (r#""cty":"JWT""#, r#""cty":"JWT","zip":"DEF""#, JoseError::Header),
            (r#""cty":"JWT""#, r#""cty":"JWT","crit":[]"#, JoseError::Header),
            ("KID", "other", JoseError::KeyUnknown),
        ] {
            let changed = seal(&pkcs8, &kid, &header.replace(from, to), &KeyEncryption::RsaOaep, "a.b.c");
            assert_eq!(open(&changed, &keys), Err(expected), "{from} -> {to}");
        }
        // A key that cannot be unwrapped and a content that was changed fail alike.
        let parts: Vec<&str> = message.split('.').collect();
        for at in 1..5 {
            let mut bytes = decode(parts[at]).unwrap();
            bytes[0] ^= 1;
            let mut changed = parts.clone();
            let part = encode(bytes);
            changed[at] = &part;
            assert_eq!(open(&changed.join("."), &keys), Err(JoseError::Decryption), "part {at}");
        }
        for short in ["", "AA"] {
            let mut changed = parts.clone();
            changed[1] = short;
            assert_eq!(open(&changed.join("."), &keys), Err(JoseError::Decryption));
        }
        assert!(open("a.b.c", &keys).is_err());
    }
}
