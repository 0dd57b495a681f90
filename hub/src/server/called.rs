//! Who calls: looked up before anything else of a request, its body too.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::Shared;
use super::failure::Failure;
use crate::caller::{AuthError, Authorized, Presented, Proof};

/// The caller of a request, whose allowance is not used up. A handler that takes one is for callers only.
pub(crate) struct Called(pub Authorized);

impl FromRequestParts<Arc<Shared>> for Called {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let authorization = only(&parts.headers, header::AUTHORIZATION.as_str());
        let proof = only(&parts.headers, "DPoP");
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let (callers, now) = (Arc::clone(&shared.callers), shared.clock.now());
        let permit = Arc::clone(&shared.looking).try_acquire_owned().map_err(|_| AuthError::Busy)?;
        // Sessions stand in a database: looking one up may wait for a write.
        let looked_up = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let authorization = match &authorization {
                Header::One(value) => Some(value.as_str()),
                Header::Absent | Header::Unreadable => None,
            };
            let proof = match &proof {
                Header::Absent => Proof::Absent,
                Header::One(value) => Proof::One(value),
                Header::Unreadable => Proof::Unreadable,
            };
            callers.authorize(&Presented { authorization, proof, method: method.as_str(), path: &path }, now)
        });
        let authorized = looked_up.await.map_err(|_| AuthError::Busy)??;
        match shared.allowance.take(authorized.caller.person) {
            Ok(()) => Ok(Self(authorized)),
            Err(seconds) => Err(Failure::too_often(seconds)),
        }
    }
}

/// A header that may come once.
pub(crate) enum Header {
    Absent,
    One(String),
    Unreadable,
}

/// The value of a header that may come once. With two of them, a proxy and the hub might each believe another one.
pub(crate) fn only(headers: &HeaderMap, name: &str) -> Header {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(value), None) => value.to_str().map_or(Header::Unreadable, |text| Header::One(text.to_owned())),
        (Some(_), Some(_)) => Header::Unreadable,
    }
}
