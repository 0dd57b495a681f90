//! `POST /v1/devices`: certifies a device's key for the caller.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::AppState;
use super::called::Called;
use super::failure::Failure;

/// Longest name of a device, in characters.
const MAX_LABEL: usize = 60;

#[derive(Deserialize)]
pub(crate) struct NewDevice {
    /// The device's public key, 64 hexadecimal digits.
    key: String,
    /// Its signature over issuer, school, person, thumbprint and the session's nonce, 128 hexadecimal digits.
    proof: String,
    /// What the person calls the device, for the list of sessions.
    label: Option<String>,
}

/// Answers with the certificate in CBOR.
pub(crate) async fn certify(
    State(shared): AppState,
    Called(authorized): Called,
    body: Result<Json<NewDevice>, JsonRejection>,
) -> Result<Response, Failure> {
    let now = shared.clock.now();
    let Json(device) = body.map_err(|_| Failure::unreadable())?;
    let key = crate::unhex::<32>(&device.key).ok_or(Failure::unreadable())?;
    let proof = crate::unhex::<64>(&device.proof).ok_or(Failure::unreadable())?;
    if device.label.as_ref().is_some_and(|label| label.chars().count() > MAX_LABEL) {
        return Err(Failure::too_large());
    }
    let session = authorized.session;
    let certificate =
        Arc::clone(&shared).with_hub(move |hub| hub.certify(&authorized, &key, &proof, now)).await?;
    if let (Some(identity), Some(session)) = (shared.identity.clone(), session) {
        let id = certificate.id();
        identity.work(move |identity| identity.note_device(session, device.label.as_deref(), &id)).await?;
    }
    Ok(([(header::CONTENT_TYPE, "application/cbor")], crate::encode(&certificate)).into_response())
}
