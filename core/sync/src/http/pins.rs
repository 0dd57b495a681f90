//! Pins: the keys that the school's hub may have, so that a certificate authority that errs is not enough to stand
//! in for it (MASVS-NETWORK-2).
//!
//! A pin is the SHA-256 of the certificate's `SubjectPublicKeyInfo` (as in RFC 7469 §2.4): certificates are renewed,
//! keys stay. There is always a backup whose key is not in use, and a day from which pins do not count, so that an
//! app that nobody updates is not locked out for ever (our choice).

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

/// The keys that a server may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    keys: Vec<[u8; 32]>,
    until: u64,
}

impl Pins {
    /// The key in use, at least one backup, and the Unix second from which pins do not count. Nothing if there is
    /// no backup: losing the one key would lock every app out.
    pub fn new(primary: [u8; 32], backups: &[[u8; 32]], until: u64) -> Option<Self> {
        if backups.iter().all(|backup| *backup == primary) {
            return None;
        }
        Some(Self { keys: [&[primary], backups].concat(), until })
    }

    /// The pin of a `SubjectPublicKeyInfo` in DER.
    pub fn pin(subject_public_key_info: &[u8]) -> [u8; 32] {
        let mut pin = [0; 32];
        pin.copy_from_slice(digest(&SHA256, subject_public_key_info).as_ref());
        pin
    }

    /// Whether a server with this key may be talked to.
    pub fn allow(&self, subject_public_key_info: &[u8], now: u64) -> bool {
        now >= self.until || self.keys.contains(&Self::pin(subject_public_key_info))
    }
}

/// What the TLS library is told when the key is another.
#[derive(Debug, thiserror::Error)]
#[error("the server's key is not pinned")]
pub(super) struct PinMismatch;

/// The usual verifier, and then the pins.
#[derive(Debug)]
pub(super) struct PinVerifier {
    usual: Arc<WebPkiServerVerifier>,
    pins: Pins,
}

impl PinVerifier {
    pub(super) fn new(usual: Arc<WebPkiServerVerifier>, pins: Pins) -> Self {
        Self { usual, pins }
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if self.pins.allow(&key, now.as_secs()) {
            return Ok(verified);
        }
        Err(CertificateError::Other(OtherError(Arc::new(PinMismatch))).into())
    }

    fn verify_tls12_signature(
        &self,
        signed: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(signed, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        signed: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(signed, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_have_a_backup_and_an_end() {
        let (key, other) = (b"one key".as_slice(), b"another".as_slice());
        assert_eq!(Pins::new(Pins::pin(key), &[], 10), None);
        assert_eq!(Pins::new(Pins::pin(key), &[Pins::pin(key)], 10), None);
        let pins = Pins::new(Pins::pin(key), &[Pins::pin(b"backup")], 10).unwrap();
        assert!(pins.allow(key, 9) && pins.allow(b"backup", 9) && !pins.allow(other, 9));
        assert!(pins.allow(other, 10), "after its end it counts no more");
    }
}
