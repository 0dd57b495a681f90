//! TLS as the transport uses it, and its failures told apart.

use std::error::Error;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::pins::{PinMismatch, PinVerifier, Pins};
use super::transport::{TransportError, Untrusted};

/// TLS 1.2 or later, ring, the web's roots and these, and the pins if there are any.
pub(super) fn configuration(
    extra_roots: &[Vec<u8>],
    pins: Option<Pins>,
) -> Result<ClientConfig, TransportError> {
    let provider: Arc<CryptoProvider> = rustls::crypto::ring::default_provider().into();
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots
            .add(CertificateDer::from_slice(root))
            .map_err(|_| TransportError::Untrusted(Untrusted::Certificate))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| TransportError::Untrusted(Untrusted::Protocol))?;
    let Some(pins) = pins else {
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    };
    let usual = WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .map_err(|_| TransportError::Untrusted(Untrusted::Certificate))?;
    // "Dangerous" because a verifier may be wrong: ours first asks the usual one, then refuses more.
    let verifier = Arc::new(PinVerifier::new(usual, pins));
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Tells failures of a connection apart.
pub(super) fn failure(error: &reqwest::Error) -> TransportError {
    if let Some(error) = find_tls(error) {
        return read(error);
    }
    if error.is_timeout() {
        TransportError::Timeout
    } else if error.is_builder() {
        TransportError::Address
    } else {
        TransportError::Unreachable
    }
}

fn find_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an I/O error is that of what it wraps: the wrapped error itself is behind `get_ref`.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

fn read(error: &rustls::Error) -> TransportError {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        Other, UnknownIssuer,
    };
    let untrusted = match error {
        rustls::Error::InvalidCertificate(why) => match why {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                return TransportError::WrongClock;
            }
            NotValidForName | NotValidForNameContext { .. } => Untrusted::Host,
            UnknownIssuer => Untrusted::Issuer,
            Other(other) if other.0.is::<PinMismatch>() => Untrusted::Pin,
            _ => Untrusted::Certificate,
        },
        _ => Untrusted::Protocol,
    };
    TransportError::Untrusted(untrusted)
}
