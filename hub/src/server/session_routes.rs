//! `/v1/session`, `/v1/sessions`: who is logged in, on which devices, and signing out there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use registro_model::PersonId;
use registro_model::people::Role;
use serde::{Deserialize, Serialize};

use super::AppState;
use super::called::Called;
use super::failure::Failure;
use crate::caller::{Level, SessionId};
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::authorization::tokens::hex;
use crate::identity::interaction::Method;

#[derive(Serialize)]
pub(crate) struct SessionView {
    issuer: String,
    school: String,
    school_key: String,
    school_name: String,
    person: String,
    /// What the issuer calls the person, as the ID token does.
    subject: String,
    name: Option<String>,
    roles: Vec<&'static str>,
    level: u8,
    /// Whether the person may read; else what was written before can still be handed in.
    reads: bool,
    /// What the device seals to, if it ever has to hand in what it cannot push (PROTOCOL §8); X25519.
    outbox_key: Option<String>,
    /// What the device signs next to have its key certified.
    nonce: String,
}

/// Who is logged in, and at which school.
pub(crate) async fn session(
    State(shared): AppState,
    Called(authorized): Called,
) -> Result<Json<SessionView>, Failure> {
    let today = day_in_italy(shared.clock.now());
    let outbox_key = shared.identity.as_ref().map(|identity| hex(&identity.outbox_key));
    let view = Arc::clone(&shared).with_hub(move |hub| {
        let person = authorized.caller.person;
        let (name, roles) = hub.look(|registered| {
            (registered.name_of(person).map(str::to_owned), registered.roles_of(person, today))
        })?;
        Ok(SessionView {
            issuer: authorized.issuer,
            school: hub.school_id().to_string(),
            school_key: hex(hub.school_key()),
            school_name: hub.school_name()?,
            person: person.to_string(),
            subject: authorized.subject,
            name,
            roles,
            level: authorized.caller.level.number(),
            reads: authorized.caller.reads,
            outbox_key,
            nonce: authorized.nonce,
        })
    });
    Ok(Json(view.await?))
}

#[derive(Serialize)]
pub(crate) struct ListedSession {
    id: String,
    /// What the person calls the device.
    device: Option<String>,
    method: &'static str,
    level: u8,
    created: i64,
    last_used: i64,
    /// Whether it is the one that asks.
    this: bool,
}

/// The caller's live sessions, the last used first.
pub(crate) async fn sessions(
    State(shared): AppState,
    Called(authorized): Called,
) -> Result<Json<Vec<ListedSession>>, Failure> {
    let identity = shared.identity.clone().ok_or(Failure::not_found())?;
    let now = shared.clock.now();
    let (person, this) = (authorized.caller.person, authorized.session);
    let live = identity.work(move |identity| identity.sessions_of(person, now)).await?;
    let listed = live.into_iter().map(|session| ListedSession {
        id: hex(&session.id.0),
        device: session.label,
        method: Method::as_str(session.method),
        level: session.level.number(),
        created: session.created,
        last_used: session.last_used,
        this: this == Some(session.id),
    });
    Ok(Json(listed.collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndSession {
    /// The session; all of the person's if absent.
    id: Option<String>,
    /// Whose, for office and head; the caller's own if absent.
    person: Option<String>,
    /// Whether the device itself is lost: what it sends from now on is kept for the office.
    #[serde(default)]
    lost: bool,
}

#[derive(Serialize)]
pub(crate) struct Ended {
    ended: usize,
}

/// Signs out there: ends one of the caller's sessions; the office and the head may end anybody's.
pub(crate) async fn end(
    State(shared): AppState,
    Called(authorized): Called,
    body: Result<Json<EndSession>, JsonRejection>,
) -> Result<Json<Ended>, Failure> {
    let Json(asked) = body.map_err(|_| Failure::unreadable())?;
    let identity = shared.identity.clone().ok_or(Failure::not_found())?;
    let now = shared.clock.now();
    let caller = authorized.caller.person;
    let person: PersonId = match &asked.person {
        Some(person) => person.parse().map_err(|_| Failure::unreadable())?,
        None => caller,
    };
    let id = match &asked.id {
        Some(id) => Some(SessionId(crate::unhex(id).ok_or(Failure::unreadable())?)),
        None => None,
    };
    let is_others = person != caller;
    if is_others {
        authorized.at_least(Level::L2)?;
    }
    let ended = identity.work(move |identity| {
        let today = day_in_italy(now);
        let may = |role| {
            identity.hub.look(|registered| registered.directory.has_role(caller, role, today) == Some(true))
        };
        if is_others && !may(Role::Office)? && !may(Role::Head)? {
            return Err(HubError::Forbidden("another person's sessions"));
        }
        let sessions = identity.sessions_of(person, now)?;
        let meant: Vec<_> =
            sessions.into_iter().filter(|session| id.is_none_or(|id| id == session.id)).collect();
        if id.is_some() && meant.is_empty() {
            return Err(HubError::Unknown("session"));
        }
        for session in &meant {
            // First: a session that has ended cannot be named again.
            if let (true, Some(certificate)) = (asked.lost, &session.certificate) {
                identity.hub.revoke_certified(certificate, person, now)?;
            }
            identity.end_session(person, session.id, now)?;
        }
        if id.is_none() {
            // Logins under way, codes and the pages in a browser too.
            identity.end_sessions(person, now)?;
        }
        Ok(meant.len())
    });
    Ok(Json(Ended { ended: ended.await? }))
}
