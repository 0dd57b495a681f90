//! *Profilo*: who I am here, my password, my second factor, my devices.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::consent::{role_name, way_name};
use super::field::{Field, FormPage};
use super::first_access::new_password_fields;
use super::message::{self, MessagePage, Tone};
use super::school::wait;
use super::shell::Shell;
use super::visit::{Belongs, Page, Stop, Visit};
use crate::caller::SessionId;
use crate::clock::day_in_italy;
use crate::identity::Identity;
use crate::identity::cookies::Cookie;
use crate::identity::credentials::change::{ChangeProblem, Held};
use crate::identity::interaction::{Authenticated, INTERACTION_SECONDS};
use crate::identity::mail::letters::moment;

#[derive(Template)]
#[template(path = "login/profile.html")]
struct ProfilePage {
    shell: Shell,
    name: String,
    roles: String,
    way: String,
    held: Option<Held>,
    sessions: Vec<Device>,
    notice: Option<String>,
}

struct Device {
    id: String,
    label: String,
    way: String,
    since: String,
    used: String,
}

/// Who is in the pages; else a login begins.
pub(super) async fn who(visit: &mut Visit) -> Result<Authenticated, Stop> {
    if let Some(who) = visit.profile {
        let today = day_in_italy(visit.now);
        let entitlement = visit.work(move |identity| identity.entitlement(who.person, today)).await?;
        return match entitlement.is_entitled() {
            true => Ok(who),
            false => Err(message::not_entitled(visit, entitlement).into()),
        };
    }
    let now = visit.now;
    let (_, cookie) = visit.work(move |identity| identity.interactions.begin_profile(now)).await?;
    let cookie = Cookie::Login.set(&visit.identity.issuer, cookie.reveal(), INTERACTION_SECONDS);
    visit.set_cookie(cookie);
    Err(visit.go("/login").into())
}

/// `GET /profile`.
pub async fn profile(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let mut visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    let known = visit.known(who.person).await?;
    let (now, today) = (visit.now, day_in_italy(visit.now));
    let (roles, held, sessions) = visit
        .work(move |identity| {
            let allowed = identity.credentials.is_allowed(today)?;
            let held = identity.credentials.held(who.person)?.filter(|_| allowed);
            Ok((identity.roles(who.person, today)?, held, identity.sessions_of(who.person, now)?))
        })
        .await?;
    let notice = match visit.query.get("done") {
        "password" => Some(visit.say("La password è stata cambiata.", "Your password was changed.")),
        "off" => {
            Some(visit.say("La verifica in due passaggi è disattivata.", "Two-step verification is off."))
        }
        "ended" => Some(visit.say(
            "Il dispositivo è uscito. Quello che non ha ancora inviato resta al sicuro.",
            "The device is signed out. What it has not sent yet stays safe.",
        )),
        _ => None,
    };
    let page = ProfilePage {
        shell: visit.shell("/profile"),
        name: known.name,
        roles: roles.iter().map(|role| role_name(&visit, role)).collect::<Vec<_>>().join(", "),
        way: way_name(&visit, who.method, who.level),
        held,
        sessions: sessions
            .into_iter()
            .map(|session| Device {
                id: session.id.0.iter().map(|byte| format!("{byte:02x}")).collect(),
                label: session.label.unwrap_or_else(|| {
                    visit.say("Dispositivo senza nome", "Device without a name").to_owned()
                }),
                way: way_name(&visit, session.method, session.level),
                since: moment(session.created),
                used: moment(session.last_used),
            })
            .collect(),
        notice: notice.map(str::to_owned),
    };
    Ok(visit.answer(StatusCode::OK, &page))
}

/// The credentials of who is in the pages.
pub(super) async fn held(visit: &Visit, who: Authenticated) -> Result<Held, Stop> {
    visit.with_school_credentials().await?;
    let held = visit.work(move |identity| identity.credentials.held(who.person)).await?;
    held.ok_or_else(|| visit.go("/profile").into())
}

/// `GET /profile/password`.
pub async fn password_form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let mut visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    let held = held(&visit, who).await?;
    Ok(visit.answer(StatusCode::OK, &password_page(&visit, &held, None)))
}

fn password_page(visit: &Visit, held: &Held, problem: Option<ChangeProblem>) -> FormPage {
    let new = match problem {
        Some(ChangeProblem::New(problem)) => Some(problem),
        _ => None,
    };
    let old = match problem {
        Some(ChangeProblem::Wrong) => Some(
            visit
                .say("La password attuale non è corretta.", "Your current password is not right.")
                .to_owned(),
        ),
        Some(ChangeProblem::Wait { seconds }) => Some(wait(visit, seconds)),
        Some(ChangeProblem::OnlyReset) => Some(
            visit
                .say(
                    "Troppi tentativi sbagliati: esci e chiedi una nuova password.",
                    "Too many wrong tries: sign out and ask for a new password.",
                )
                .to_owned(),
        ),
        Some(ChangeProblem::New(_)) | None => None,
    };
    let mut fields = vec![Field {
        id: "old",
        label: visit.say("Password attuale", "Current password").to_owned(),
        kind: "password",
        autocomplete: "current-password",
        error: old,
        first: problem.is_none(),
        ..Field::default()
    }];
    fields.extend(new_password_fields(visit, held.second_factor, new).into_iter().map(|mut field| {
        field.first = false;
        field
    }));
    FormPage {
        shell: visit.shell("/profile/password"),
        title: visit.say("Cambia password", "Change your password").to_owned(),
        lead: Vec::new(),
        action: "/profile/password",
        hidden: vec![("username", held.username.clone())],
        fields,
        problem: None,
        submit: visit.say("Salva la password", "Save the password").to_owned(),
        links: vec![("/profile", visit.say("Torna al profilo", "Back to your profile").to_owned())],
    }
}

/// `POST /profile/password`.
pub async fn change_password(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    let held = held(&visit, who).await?;
    let known = visit.known(who.person).await?;
    let secret = |name: &str| Zeroizing::new(typed.get(name).to_owned());
    let (old, new, again, now) = (secret("old"), secret("password"), secret("again"), visit.now);
    let outcome = visit
        .hash(move |identity| {
            let outcome = identity.credentials.change_password(&known, &old, &new, &again, now)?;
            if outcome.is_ok() {
                identity.end_sessions(known.person, now)?;
            }
            Ok(outcome)
        })
        .await?;
    match outcome {
        Ok(()) => {
            visit.set_cookie(Cookie::Profile.clear(&identity.issuer));
            let page = MessagePage::new(
                &visit,
                Tone::Done,
                visit.say("Password cambiata", "Password changed"),
                &[visit.say(
                    "Tutti i tuoi dispositivi dovranno accedere di nuovo, anche questo. Quello che non hanno ancora \
                     inviato resta al sicuro.",
                    "All your devices must log in again, this one too. What they have not sent yet stays safe.",
                )],
            );
            Ok(visit
                .answer(StatusCode::OK, &page.link("/profile", visit.say("Accedi di nuovo", "Log in again"))))
        }
        Err(problem) => {
            let page = password_page(&visit, &held, Some(problem));
            Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// `POST /profile/sessions/end`.
pub async fn end_session(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    if let Some(session) = crate::unhex(typed.get("session")) {
        let now = visit.now;
        visit
            .work(move |identity| match identity.end_session(who.person, SessionId(session), now) {
                // It has ended meanwhile, or is another person's.
                Err(crate::HubError::Unknown(_)) => Ok(()),
                ended => ended,
            })
            .await?;
    }
    Ok(visit.go("/profile?done=ended"))
}

/// `POST /profile/sign-out`.
pub async fn sign_out(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, _) = Visit::sent(&identity, &headers, &body, Belongs::Profile).await?;
    if let Some(cookie) = Cookie::Profile.read(&identity.issuer, &headers) {
        let cookie = cookie.to_owned();
        visit.work(move |identity| identity.interactions.end_profile(&cookie)).await?;
    }
    visit.set_cookie(Cookie::Profile.clear(&identity.issuer));
    let page = MessagePage::new(
        &visit,
        Tone::Done,
        visit.say("Sei uscito", "You are signed out"),
        &[visit.say(
            "Hai chiuso il profilo su questo browser. L’app resta collegata.",
            "You closed your profile in this browser. The app stays logged in.",
        )],
    );
    Ok(visit.answer(StatusCode::OK, &page.link("/profile", visit.say("Accedi di nuovo", "Log in again"))))
}
