//! *Profilo*: the second factor, on and off.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use super::field::{Field, FormPage};
use super::profile::{held, who};
use super::school::wait;
use super::shell::Shell;
use super::visit::{Belongs, Page, Visit};
use crate::identity::Identity;
use crate::identity::credentials::second_factor::RemovalProblem;
use crate::identity::credentials::totp;
use crate::identity::interaction::Authenticated;

#[derive(Template)]
#[template(path = "login/enrol.html")]
struct EnrolPage {
    shell: Shell,
    address: Zeroizing<String>,
    key: Zeroizing<String>,
    picture: Picture,
    code: Field,
}

/// A QR code as one path of an SVG picture, a unit a module.
struct Picture {
    size: i32,
    path: String,
}

#[derive(Template)]
#[template(path = "login/recovery.html")]
struct RecoveryPage {
    shell: Shell,
    codes: Vec<Zeroizing<String>>,
}

fn picture(text: &str) -> Picture {
    use std::fmt::Write as _;
    // An address of an authenticator key is short: every version of the code that is needed exists.
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Low) else {
        return Picture { size: 0, path: String::new() };
    };
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing into a string does not fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + 4, y + 4);
        }
    }
    Picture { size: code.size() + 8, path }
}

/// `GET /profile/second-factor`.
pub async fn form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let mut visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    enrol_page(&visit, who, None).await
}

async fn enrol_page(visit: &Visit, who: Authenticated, error: Option<String>) -> Page {
    let held = held(visit, who).await?;
    let known = visit.known(who.person).await?;
    let key = visit.work(move |identity| identity.credentials.key_to_enrol(who.person)).await?;
    let Some(key) = key else { return Ok(visit.go("/profile")) };
    let address = totp::address(&key, &known.school, &held.username);
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = EnrolPage {
        shell: visit.shell("/profile/second-factor"),
        picture: picture(&address),
        key: totp::typed_key(&key),
        address,
        code: Field {
            id: "code",
            label: visit
                .say("Codice di 6 cifre mostrato dall’app", "6-digit code shown by the app")
                .to_owned(),
            kind: "text",
            autocomplete: "one-time-code",
            mode: "numeric",
            error,
            code: true,
            ..Field::default()
        },
    };
    Ok(visit.answer(status, &page))
}

/// `POST /profile/second-factor`.
pub async fn enrol(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    held(&visit, who).await?;
    let known = visit.known(who.person).await?;
    let (code, now) = (typed.get("code").to_owned(), visit.now);
    match visit.work(move |identity| identity.credentials.enrol(&known, &code, now)).await? {
        Some(codes) => {
            let page = RecoveryPage {
                shell: visit.shell("/profile"),
                codes: codes.iter().map(|code| code.printed()).collect(),
            };
            Ok(visit.answer(StatusCode::OK, &page))
        }
        None => {
            let error = visit.say(
                "Il codice non è corretto. Controlla che l’ora del telefono sia giusta.",
                "The code is not right. Check that your phone’s clock is right.",
            );
            enrol_page(&visit, who, Some(error.to_owned())).await
        }
    }
}

/// `GET /profile/second-factor/off`.
pub async fn off_form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let mut visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    held(&visit, who).await?;
    Ok(visit.answer(StatusCode::OK, &off_page(&visit, None)))
}

fn off_page(visit: &Visit, error: Option<String>) -> FormPage {
    FormPage {
        shell: visit.shell("/profile/second-factor/off"),
        title: visit.say("Disattiva la verifica in due passaggi", "Turn two-step verification off").to_owned(),
        lead: vec![
            visit
                .say(
                    "Senza, le operazioni che chiedono un accesso più sicuro (per esempio i voti) richiedono SPID o CIE.",
                    "Without it, what needs a more secure login (such as marks) needs SPID or CIE.",
                )
                .to_owned(),
        ],
        action: "/profile/second-factor/off",
        hidden: Vec::new(),
        fields: vec![Field {
            id: "password",
            label: "Password".to_owned(),
            kind: "password",
            autocomplete: "current-password",
            first: error.is_none(),
            error,
            ..Field::default()
        }],
        problem: None,
        submit: visit.say("Disattiva", "Turn off").to_owned(),
        links: vec![("/profile", visit.say("Torna al profilo", "Back to your profile").to_owned())],
    }
}

/// `POST /profile/second-factor/off`.
pub async fn off(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    held(&visit, who).await?;
    let known = visit.known(who.person).await?;
    let (password, now) = (Zeroizing::new(typed.get("password").to_owned()), visit.now);
    let outcome =
        visit.hash(move |identity| identity.credentials.remove_second_factor(&known, &password, now)).await?;
    let error = match outcome {
        Ok(()) => return Ok(visit.go("/profile?done=off")),
        Err(RemovalProblem::Wrong) => visit.say("La password non è corretta.", "The password is not right.").to_owned(),
        Err(RemovalProblem::Wait { seconds }) => wait(&visit, seconds),
        Err(RemovalProblem::OnlyReset) => visit
            .say("Troppi tentativi: chiedi una nuova password.", "Too many tries: ask for a new password.")
            .to_owned(),
        Err(RemovalProblem::PasswordTooShort) => visit
            .say(
                "La tua password è troppo corta per bastare da sola: cambiala prima con una di almeno 15 caratteri.",
                "Your password is too short to stand alone: first change it to one of at least 15 characters.",
            )
            .to_owned(),
    };
    Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &off_page(&visit, Some(error))))
}
