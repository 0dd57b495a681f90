//! Enrolment: the hub certifies this device's key for the person who is logged in.

use registro_documents::bytes::Parts;
use registro_documents::{Certificate, SigningKey};
use registro_sync::http::HubClient;

use crate::session::{IdentityError, Session};

/// Asks for the certificate of this device's key. The proof signs issuer, school, person, thumbprint of the session's
/// key and the hub's nonce (PROTOCOL §4). `label` is what the list of devices calls this one.
pub async fn enrol(
    hub: &HubClient,
    session: &Session,
    key: &SigningKey,
    label: Option<&str>,
) -> Result<Certificate, IdentityError> {
    let text = Parts::new("registro/device/1")
        .part(session.issuer.as_bytes())
        .part(session.school.as_bytes())
        .part(session.person.as_bytes())
        .part(&session.thumbprint)
        .part(session.nonce.as_bytes())
        .into_bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut body = serde_json::json!({ "key": hex(key.public()), "proof": hex(&key.sign(&text)) });
    if let Some(label) = label {
        body["label"] = label.into();
    }
    let authorization = Some(session.authorization.as_ref());
    let answer =
        hub.post("/v1/devices", authorization, "application/json", body.to_string().into_bytes()).await?;
    let certificate: Certificate = minicbor::decode(&answer).map_err(|_| IdentityError::Answer)?;
    let sound = certificate.is_genuine(session.school, &session.school_key)
        && certificate.person == session.person
        && certificate.key == *key.public();
    if sound { Ok(certificate) } else { Err(IdentityError::Certificate) }
}
