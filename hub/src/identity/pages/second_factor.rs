//! The code of the authenticator app, after the password.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};

use super::field::{Field, FormPage};
use super::message;
use super::school::{authenticated, too_soon, wait};
use super::visit::{Belongs, Page, Visit};
use crate::caller::Level;
use crate::identity::Identity;
use crate::identity::credentials::second_factor::SecondFactor;

/// `GET /login/second-factor`.
pub async fn form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Login).await?;
    let (login, now) = (visit.login()?.id, visit.now);
    match visit.work(move |identity| identity.credentials.step(login, now)).await? {
        Some(_) => Ok(visit.answer(StatusCode::OK, &page(&visit, None))),
        None => Ok(visit.go("/login/school")),
    }
}

fn page(visit: &Visit, error: Option<String>) -> FormPage {
    FormPage {
        shell: visit.shell("/login/second-factor"),
        title: visit.say("Verifica in due passaggi", "Two-step verification").to_owned(),
        lead: vec![
            visit
                .say(
                    "Apri l’app di autenticazione sul tuo telefono e scrivi il codice che mostra ora.",
                    "Open the authenticator app on your phone and type the code that it shows now.",
                )
                .to_owned(),
        ],
        action: "/login/second-factor",
        hidden: Vec::new(),
        fields: vec![Field {
            id: "code",
            label: visit.say("Codice di 6 cifre", "6-digit code").to_owned(),
            kind: "text",
            autocomplete: "one-time-code",
            mode: "text",
            hint: Some(
                visit
                    .say(
                        "Se non hai il telefono, scrivi un codice di recupero.",
                        "Without your phone, type a recovery code.",
                    )
                    .to_owned(),
            ),
            first: error.is_none(),
            error,
            code: true,
            ..Field::default()
        }],
        problem: None,
        submit: visit.say("Continua", "Continue").to_owned(),
        links: vec![("/login?all=1", visit.say("Accedi in un altro modo", "Log in another way").to_owned())],
    }
}

/// `POST /login/second-factor`.
pub async fn verify(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Login).await?;
    visit.with_school_credentials().await?;
    let (login, now) = (visit.login()?.clone(), visit.now);
    let step = visit.work(move |identity| identity.credentials.step(login.id, now)).await?;
    let Some(person) = step else { return Ok(visit.go("/login/school")) };
    let code = typed.get("code").to_owned();
    let outcome = visit
        .work(move |identity| {
            let outcome = identity.credentials.try_second_factor(person, &code, now)?;
            if matches!(outcome, SecondFactor::Right | SecondFactor::Recovered { .. }) {
                identity.credentials.end_step(login.id)?;
            }
            Ok(outcome)
        })
        .await?;
    match outcome {
        SecondFactor::Right | SecondFactor::Recovered { .. } if login.wanted > Level::L2 => {
            Ok(message::higher_level(&visit))
        }
        SecondFactor::Right | SecondFactor::Recovered { .. } => {
            authenticated(&visit, login.id, person, Level::L2).await
        }
        SecondFactor::Wrong => {
            let error = visit.say(
                "Il codice non è corretto, o è già stato usato. Aspetta quello successivo.",
                "The code is not right, or was used already. Wait for the next one.",
            );
            Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page(&visit, Some(error.to_owned()))))
        }
        SecondFactor::Wait { seconds } => {
            let page = page(&visit, Some(wait(&visit, seconds)));
            Ok(too_soon(visit.answer(StatusCode::TOO_MANY_REQUESTS, &page), seconds))
        }
        SecondFactor::OnlyOffice => {
            let error = visit.say(
                "Troppi tentativi sbagliati: chiedi nuove credenziali in segreteria.",
                "Too many wrong tries: ask the office for new credentials.",
            );
            Ok(visit.answer(StatusCode::TOO_MANY_REQUESTS, &page(&visit, Some(error.to_owned()))))
        }
    }
}
