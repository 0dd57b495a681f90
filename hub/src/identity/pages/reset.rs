//! Another password by mail. The answer is the same whoever asks.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use registro_model::PersonId;
use zeroize::Zeroizing;

use super::field::{Field, FormPage};
use super::first_access::{new_password_fields, old_link};
use super::message::{MessagePage, Tone};
use super::visit::{Belongs, Page, Visit};
use crate::clock::day_in_italy;
use crate::identity::Identity;
use crate::identity::credentials::reset::ResetProblem;
use crate::identity::credentials::{Known, PasswordProblem};

/// `GET /reset`.
pub async fn form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    if !identity.credentials.mail.is_on() {
        let page = MessagePage::new(
            &visit,
            Tone::Notice,
            visit.say("Chiedi in segreteria", "Ask the office"),
            &[visit.say(
                "Questa scuola non invia e-mail dal registro: la segreteria può darti nuove credenziali.",
                "This school sends no e-mail from the register: the office can give you new credentials.",
            )],
        );
        return Ok(visit.answer(StatusCode::OK, &page.ask_office()));
    }
    let page = FormPage {
        shell: visit.shell("/reset"),
        title: visit.say("Password dimenticata", "Forgotten password").to_owned(),
        lead: vec![
            visit
                .say(
                    "Scrivi il tuo nome utente: ti mandiamo un link all’indirizzo e-mail che la scuola ha di te.",
                    "Type your user name: we send a link to the e-mail address that the school has for you.",
                )
                .to_owned(),
        ],
        action: "/reset",
        hidden: Vec::new(),
        fields: vec![Field {
            id: "username",
            label: visit.say("Nome utente", "User name").to_owned(),
            kind: "text",
            autocomplete: "username",
            mode: "email",
            hint: Some(visit.say("La tua e-mail, o il codice alunno.", "Your e-mail, or your pupil number.").to_owned()),
            first: true,
            ..Field::default()
        }],
        problem: None,
        submit: visit.say("Manda il link", "Send the link").to_owned(),
        links: vec![("/login", visit.say("Torna all’accesso", "Back to the login").to_owned())],
    };
    Ok(visit.answer(StatusCode::OK, &page))
}

/// `POST /reset`.
pub async fn ask(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    let (username, now) = (typed.get("username").to_owned(), visit.now);
    visit
        .work(move |identity| {
            identity.credentials.ask_reset(&username, &|person| identity.known_if_entitled(person, now), now)
        })
        .await?;
    let page = MessagePage::new(
        &visit,
        Tone::Done,
        visit.say("Controlla la tua e-mail", "Check your e-mail"),
        &[
            visit.say(
                "Se il nome utente esiste, tra poco riceverai un link per scegliere una nuova password. Vale mezz’ora.",
                "If the user name exists, you will soon receive a link to choose a new password. It is valid for half \
                 an hour.",
            ),
            visit.say(
                "Non arriva nulla? Guarda nella posta indesiderata, o chiedi in segreteria quale indirizzo ha di te.",
                "Nothing arrives? Look in your spam folder, or ask the office which address it has for you.",
            ),
        ],
    );
    Ok(visit.answer(StatusCode::OK, &page.ask_office()))
}

impl Identity {
    /// What the office's files say of a person.
    pub fn known(&self, person: PersonId) -> Result<Option<Known>, crate::HubError> {
        self.hub.look(|registered| Known::of(registered, person))
    }

    /// The same, if that person may log in today.
    pub(super) fn known_if_entitled(
        &self,
        person: PersonId,
        now_ms: i64,
    ) -> Result<Option<Known>, crate::HubError> {
        let entitled = self.entitlement(person, day_in_italy(now_ms))?.is_entitled();
        Ok(self.known(person)?.filter(|_| entitled))
    }
}

/// Whose link it is, if it works and the person may log in.
async fn owner(visit: &Visit, token: &str) -> Result<Option<(Known, bool)>, super::visit::Stop> {
    let (token, now) = (token.to_owned(), visit.now);
    visit
        .work(move |identity| {
            let Some(person) = identity.credentials.reset_link(&token, now)? else { return Ok(None) };
            let held = identity.credentials.held(person)?;
            Ok(identity.known_if_entitled(person, now)?.zip(held.map(|held| held.second_factor)))
        })
        .await
}

/// `GET /reset/new?token=…`.
pub async fn new_form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    let token = visit.query.get("token").to_owned();
    match owner(&visit, &token).await? {
        Some((_, second_factor)) => {
            Ok(visit.answer(StatusCode::OK, &new_page(&visit, token, second_factor, None)))
        }
        None => Ok(old_link(&visit)),
    }
}

fn new_page(visit: &Visit, token: String, second_factor: bool, problem: Option<PasswordProblem>) -> FormPage {
    let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    FormPage {
        shell: visit.shell(&format!("/reset/new?token={encoded}")),
        title: visit.say("Scegli una nuova password", "Choose a new password").to_owned(),
        lead: vec![
            visit
                .say(
                    "Dopo il cambio tutti i tuoi dispositivi dovranno accedere di nuovo. Quello che non hanno ancora \
                     inviato resta al sicuro.",
                    "After the change all your devices must log in again. What they have not sent yet stays safe.",
                )
                .to_owned(),
        ],
        action: "/reset/new",
        hidden: vec![("token", token)],
        fields: new_password_fields(visit, second_factor, problem),
        problem: None,
        submit: visit.say("Salva la password", "Save the password").to_owned(),
        links: Vec::new(),
    }
}

/// `POST /reset/new`.
pub async fn complete(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    let token = Zeroizing::new(typed.get("token").to_owned());
    let Some((known, second_factor)) = owner(&visit, &token).await? else { return Ok(old_link(&visit)) };
    let secret = |name: &str| Zeroizing::new(typed.get(name).to_owned());
    let (new, again, presented, now) = (secret("password"), secret("again"), token.clone(), visit.now);
    let outcome = visit
        .hash(move |identity| {
            let outcome = identity.credentials.complete_reset(&presented, &new, &again, &known, now)?;
            if outcome.is_ok() {
                identity.end_sessions(known.person, now)?;
            }
            Ok(outcome)
        })
        .await?;
    match outcome {
        Ok(()) => {
            let page = MessagePage::new(
                &visit,
                Tone::Done,
                visit.say("Password cambiata", "Password changed"),
                &[visit.say(
                    "Accedi di nuovo dall’app con la nuova password. Ti abbiamo scritto per avvisarti del cambio.",
                    "Log in again from the app with the new password. We have written to you about the change.",
                )],
            );
            Ok(visit.answer(
                StatusCode::OK,
                &page.link("/profile", visit.say("Vai al profilo", "Go to your profile")),
            ))
        }
        Err(ResetProblem::Link) => Ok(old_link(&visit)),
        Err(ResetProblem::New(problem)) => {
            let page = new_page(&visit, token.to_string(), second_factor, Some(problem));
            Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}
