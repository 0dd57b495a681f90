//! `POST /v1/sync`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use registro_sync::Request;
use registro_sync::wire::{self, WireError};

use super::AppState;
use super::called::Called;
use super::failure::Failure;

/// Takes a request and answers it; both are CBOR in gzip.
pub(crate) async fn sync(
    State(shared): AppState,
    Called(authorized): Called,
    request: axum::extract::Request,
) -> Result<Response, Failure> {
    let caller = authorized.caller;
    let body =
        Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status().as_u16() {
            413 => Failure::too_large(),
            _ => Failure::unreadable(),
        })?;
    let now = shared.clock.now();
    let work = Arc::clone(&shared).with_hub(move |hub| {
        let request: Request = match wire::unpack(&body) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let reply = hub.sync(&caller, &request, now)?;
        tracing::debug!(
            person = %caller.person,
            pushed = request.push.len(),
            entries = reply.feed.len(),
            end = reply.end.position,
            "sync"
        );
        Ok(Ok(wire::pack(&reply)))
    });
    let packed = work.await?.map_err(|error| match error {
        WireError::TooLarge => Failure::too_large(),
        WireError::Gzip | WireError::Cbor => Failure::unreadable(),
    })?;
    Ok(([(header::CONTENT_TYPE, "application/cbor"), (header::CONTENT_ENCODING, "gzip")], packed)
        .into_response())
}
