//! `POST /v1/outbox`: takes what a device cannot push any more, sealed to the school.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header;
use minicbor::{Decode, Encode};
use serde::Serialize;

use super::AppState;
use super::called::Called;
use super::failure::Failure;
use crate::outbox::MAX_BYTES_A_DAY;

/// Room for certificate and signature beside what is sealed.
const MARGIN: usize = 256;

/// What a device hands in. Without a token it names its certificate and signs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HandingIn {
    /// What is sealed: the key that was drawn for it, then the cipher text.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
    /// The certificate of the device, whether it still holds or not.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub certificate: Option<[u8; 32]>,
    /// The device's signature ([`crate::outbox::handing_in_text`]).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: Option<[u8; 64]>,
}

#[derive(Serialize)]
pub(crate) struct Kept {
    kept: bool,
}

/// Keeps it.
pub(crate) async fn hand_in(State(shared): AppState, request: Request) -> Result<Json<Kept>, Failure> {
    let (mut parts, body) = request.into_parts();
    let caller = match parts.headers.contains_key(header::AUTHORIZATION) {
        true => Some(Called::from_request_parts(&mut parts, &shared).await?.0.caller.person),
        false => None,
    };
    let body = Bytes::from_request(Request::from_parts(parts, body), &()).await;
    let body = body.map_err(|_| Failure::too_large())?;
    if body.len() > MAX_BYTES_A_DAY + MARGIN {
        return Err(Failure::too_large());
    }
    let handing: HandingIn = minicbor::decode(&body).map_err(|_| Failure::unreadable())?;
    let now = shared.clock.now();
    let person = match (caller, handing.certificate, handing.signature) {
        (Some(person), ..) => person,
        (None, Some(certificate), Some(signature)) => {
            let sealed = handing.sealed.clone();
            let work = move |hub: &crate::Hub| hub.who_hands_in(&certificate, &sealed, &signature);
            let person = Arc::clone(&shared).with_hub(work).await?;
            shared.allowance.take(person).map_err(Failure::too_often)?;
            person
        }
        _ => return Err(Failure::unauthorized()),
    };
    let work = move |hub: &crate::Hub| hub.hand_in(person, &handing.sealed, now);
    Arc::clone(&shared).with_hub(work).await?;
    Ok(Json(Kept { kept: true }))
}
