//! What only a development hub has: login without proof, a clock that is moved by hand, revocation, councils.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use registro_model::ClassCode;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::{AppState, Shared, SharedDevelopment};
use crate::clock::{day_in_italy, parse_instant};
use crate::random::draw;

type Input<T> = Result<Json<T>, JsonRejection>;

fn development(shared: &Shared) -> Result<&SharedDevelopment, Failure> {
    shared.development.as_ref().ok_or(Failure::not_found())
}

#[derive(Deserialize)]
pub(crate) struct Login {
    person: String,
}

#[derive(Serialize)]
pub(crate) struct LoggedIn {
    token: String,
    person: String,
    name: String,
    school: String,
    school_key: String,
    school_name: String,
    nonce: String,
    roles: Vec<&'static str>,
}

/// Logs in as anybody.
pub(crate) async fn login(State(shared): AppState, body: Input<Login>) -> Result<Json<LoggedIn>, Failure> {
    let Json(login) = body.map_err(|_| Failure::unreadable())?;
    let development = development(&shared)?;
    let nonce = {
        let mut random = development.random.lock().map_err(|_| Failure::internal())?;
        draw(random.as_mut())
    };
    let issuer = development.issuer.clone();
    let today = day_in_italy(shared.clock.now());
    let logged_in = Arc::clone(&shared)
        .with_hub(move |hub| {
            let session = issuer.log_in(&login.person, nonce, today)?;
            Ok(LoggedIn {
                token: session.token,
                person: session.person.to_string(),
                name: session.name,
                school: hub.school_id().to_string(),
                school_key: hub.school_key().iter().map(|byte| format!("{byte:02x}")).collect(),
                school_name: hub.school_name()?,
                nonce: session.nonce,
                roles: session.roles,
            })
        })
        .await?;
    Ok(Json(logged_in))
}

#[derive(Deserialize)]
pub(crate) struct Now {
    now: String,
}

/// Moves the clock.
pub(crate) async fn clock(State(shared): AppState, body: Input<Now>) -> Result<Json<Done>, Failure> {
    let Json(body) = body.map_err(|_| Failure::unreadable())?;
    let clock = development(&shared)?.clock.as_ref().ok_or(Failure::not_found())?;
    clock.set(parse_instant(&body.now).ok_or(Failure::unreadable())?);
    Ok(Json(Done { done: true }))
}

#[derive(Serialize)]
pub(crate) struct Done {
    done: bool,
}

#[derive(Deserialize)]
pub(crate) struct Revocation {
    /// The certificate's id, 64 hexadecimal digits.
    certificate: String,
}

/// Revokes a device.
pub(crate) async fn revoke(State(shared): AppState, body: Input<Revocation>) -> Result<Json<Done>, Failure> {
    let Json(body) = body.map_err(|_| Failure::unreadable())?;
    let certificate = crate::unhex::<32>(&body.certificate).ok_or(Failure::unreadable())?;
    let now = shared.clock.now();
    Arc::clone(&shared).with_hub(move |hub| hub.revoke(&certificate, now)).await?;
    Ok(Json(Done { done: true }))
}

#[derive(Deserialize)]
pub(crate) struct Council {
    class: String,
    term: String,
}

/// Begins the council of a class for a term.
pub(crate) async fn council(State(shared): AppState, body: Input<Council>) -> Result<Json<Done>, Failure> {
    let Json(body) = body.map_err(|_| Failure::unreadable())?;
    let class = ClassCode::new(&body.class).map_err(|_| Failure::unreadable())?;
    let now = shared.clock.now();
    Arc::clone(&shared).with_hub(move |hub| hub.begin_council(&class, &body.term, now)).await?;
    Ok(Json(Done { done: true }))
}
