//! Enrolment: the hub certifies this device's key for the person who is logged in.

use registro_documents::bytes::Parts;
use registro_documents::{Certificate, SigningKey};
use registro_sync::http::HubClient;

use crate::session::{IdentityError, Session};

/// What stands in the place of the issuer in the development login.
const DEVELOPMENT: &[u8] = b"development";

/// Asks for the certificate of this device's key. The proof signs issuer, school, person, key thumbprint of the
/// session (none yet) and the hub's nonce. Source: PROTOCOL §4.
pub async fn enrol(
    hub: &HubClient,
    session: &Session,
    key: &SigningKey,
) -> Result<Certificate, IdentityError> {
    let text = Parts::new("registro/device/1")
        .part(DEVELOPMENT)
        .part(session.school.as_bytes())
        .part(session.person.as_bytes())
        .part(b"")
        .part(session.nonce.as_bytes())
        .into_bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let body = serde_json::json!({ "key": hex(key.public()), "proof": hex(&key.sign(&text)) });
    let answer = hub
        .post("/v1/devices", Some(&session.token), "application/json", body.to_string().into_bytes())
        .await?;
    let certificate: Certificate = minicbor::decode(&answer).map_err(|_| IdentityError::Answer)?;
    let sound = certificate.is_genuine(session.school, &session.school_key)
        && certificate.person == session.person
        && certificate.key == *key.public();
    if sound { Ok(certificate) } else { Err(IdentityError::Certificate) }
}
