//! Who it was, whether they may log in, and whether they let the device in.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};

use super::message;
use super::shell::Shell;
use super::visit::{Belongs, Page, Visit};
use crate::caller::Level;
use crate::clock::day_in_italy;
use crate::identity::Identity;
use crate::identity::cookies::Cookie;
use crate::identity::interaction::{Authenticated, Method, PROFILE_SECONDS, Purpose};
use crate::identity::people::Entitlement;

#[derive(Template)]
#[template(path = "login/consent.html")]
struct ConsentPage {
    shell: Shell,
    app: String,
    name: String,
    roles: String,
    way: String,
    /// The last day on which what was written may be handed in, if nothing may be read any more.
    hands_in_until: Option<String>,
}

/// `GET /login/done`.
pub async fn done(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let mut visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Login).await?;
    let login = visit.login()?.clone();
    let Some(who) = login.authenticated else { return Ok(visit.go("/login")) };
    let (today, now) = (day_in_italy(visit.now), visit.now);
    let entitlement = visit.work(move |identity| identity.entitlement(who.person, today)).await?;
    if !may_go_on(who, entitlement) {
        return Ok(message::not_entitled(&visit, entitlement));
    }
    let Purpose::App { name: app } = login.purpose else {
        let (next, session) =
            visit.work(move |identity| identity.interactions.approve(login.id, now)).await?;
        visit.set_cookie(Cookie::Login.clear(&identity.issuer));
        if let Some(session) = session {
            visit.set_cookie(Cookie::Profile.set(&identity.issuer, session.reveal(), PROFILE_SECONDS));
        }
        return Ok(visit.go(next.as_str()));
    };
    let roles = visit.work(move |identity| identity.roles(who.person, today)).await?;
    let page = ConsentPage {
        shell: visit.shell("/login/done"),
        app,
        name: visit.known(who.person).await?.name,
        roles: roles.iter().map(|role| role_name(&visit, role)).collect::<Vec<_>>().join(", "),
        way: way_name(&visit, who.method, who.level),
        hands_in_until: match entitlement {
            Entitlement::PushOnly { until, .. } => Some(until.format("%d/%m/%Y").to_string()),
            Entitlement::Entitled { .. } | Entitlement::Refused(_) => None,
        },
    };
    Ok(visit.answer(StatusCode::OK, &page))
}

/// Who has left hands in what is still on a device: with an identity that is not the school's, whose own credentials
/// have ended.
fn may_go_on(who: Authenticated, entitlement: Entitlement) -> bool {
    match entitlement {
        Entitlement::Entitled { .. } => true,
        Entitlement::PushOnly { .. } => who.method != Method::School,
        Entitlement::Refused(_) => false,
    }
}

/// `POST /login/consent`.
pub async fn decide(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Login).await?;
    let login = visit.login()?.clone();
    let Some(who) = login.authenticated else { return Ok(visit.go("/login")) };
    if typed.get("decision") != "allow" {
        return give_up(visit).await;
    }
    let (today, now) = (day_in_italy(visit.now), visit.now);
    let entitlement = visit.work(move |identity| identity.entitlement(who.person, today)).await?;
    if !may_go_on(who, entitlement) {
        return Ok(message::not_entitled(&visit, entitlement));
    }
    let (next, _) = visit.work(move |identity| identity.interactions.approve(login.id, now)).await?;
    visit.set_cookie(Cookie::Login.clear(&identity.issuer));
    Ok(visit.go(next.as_str()))
}

/// `POST /login/cancel`.
pub async fn cancel(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, _) = Visit::sent(&identity, &headers, &body, Belongs::Login).await?;
    give_up(visit).await
}

async fn give_up(mut visit: Visit) -> Page {
    let (login, now) = (visit.login()?.id, visit.now);
    let next = visit.work(move |identity| identity.interactions.cancel(login, now)).await?;
    let cleared = Cookie::Login.clear(&visit.identity.issuer);
    visit.set_cookie(cleared);
    Ok(visit.go(next.as_str()))
}

/// What a role is called.
pub(super) fn role_name(visit: &Visit, role: &str) -> String {
    match role {
        "head" => visit.say("dirigente scolastico", "head"),
        "office" => visit.say("segreteria", "office"),
        "teacher" => visit.say("docente", "teacher"),
        "support" => visit.say("personale ATA", "support staff"),
        "guardian" => visit.say("genitore o tutore", "parent or guardian"),
        "pupil" => visit.say("alunno", "pupil"),
        other => other,
    }
    .to_owned()
}

/// What a way and its level are called.
pub(super) fn way_name(visit: &Visit, method: Method, level: Level) -> String {
    let way = match method {
        Method::Spid => "SPID",
        Method::Cie => "CIE",
        Method::School => visit.say("credenziali della scuola", "school credentials"),
    };
    let level = match level {
        Level::L1 => 1,
        Level::L2 => 2,
        Level::L3 => 3,
    };
    format!("{way}, {} {level}", visit.say("livello", "level"))
}
