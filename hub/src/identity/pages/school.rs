//! User name and password of the school's own credentials.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::field::{Field, FormPage};
use super::message;
use super::visit::{Belongs, Page, Stop, Visit};
use crate::caller::Level;
use crate::identity::Identity;
use crate::identity::credentials::LogIn;
use crate::identity::interaction::{Authenticated, InteractionId, Method};
use registro_model::PersonId;

/// `GET /login/school`.
pub async fn form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Login).await?;
    visit.login()?;
    visit.with_school_credentials().await?;
    Ok(visit.answer(StatusCode::OK, &page(&visit, "", None)))
}

fn page(visit: &Visit, username: &str, problem: Option<String>) -> FormPage {
    FormPage {
        shell: visit.shell("/login/school"),
        title: visit
            .say("Accedi con le credenziali della scuola", "Log in with school credentials")
            .to_owned(),
        lead: Vec::new(),
        action: "/login/school",
        hidden: Vec::new(),
        fields: vec![
            Field {
                id: "username",
                label: visit.say("Nome utente", "User name").to_owned(),
                kind: "text",
                value: username.to_owned(),
                autocomplete: "username",
                mode: "email",
                hint: Some(
                    visit
                        .say("La tua e-mail, o il codice alunno.", "Your e-mail, or your pupil number.")
                        .to_owned(),
                ),
                first: problem.is_none(),
                ..Field::default()
            },
            Field {
                id: "password",
                label: "Password".to_owned(),
                kind: "password",
                autocomplete: "current-password",
                ..Field::default()
            },
        ],
        problem,
        submit: visit.say("Accedi", "Log in").to_owned(),
        links: vec![
            ("/reset", visit.say("Password dimenticata?", "Forgot your password?").to_owned()),
            ("/first-access", visit.say("È il tuo primo accesso?", "Is this your first access?").to_owned()),
            ("/login?all=1", visit.say("Accedi in un altro modo", "Log in another way").to_owned()),
        ],
    }
}

/// `POST /login/school`.
pub async fn log_in(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Login).await?;
    let login = visit.login()?.clone();
    let (username, password) =
        (typed.get("username").to_owned(), zeroize::Zeroizing::new(typed.get("password").to_owned()));
    let (name, now) = (username.clone(), visit.now);
    let outcome = visit
        .hash(move |identity| {
            let known = |person| identity.known(person);
            identity.credentials.log_in(&name, &password, &known, now)
        })
        .await?;
    match outcome {
        LogIn::Done(_) if login.wanted > Level::L1 => Ok(message::higher_level(&visit)),
        LogIn::Done(person) => authenticated(&visit, login.id, person, Level::L1).await,
        LogIn::SecondFactor(_) if login.wanted > Level::L2 => Ok(message::higher_level(&visit)),
        LogIn::SecondFactor(person) => {
            visit.work(move |identity| identity.credentials.begin_step(login.id, person, now)).await?;
            Ok(visit.go("/login/second-factor"))
        }
        LogIn::Off => Ok(message::switched_off(&visit)),
        LogIn::ConfirmEmail => Ok(message::confirm_email_first(&visit)),
        LogIn::Wrong => {
            let problem =
                visit.say("Nome utente o password non corretti.", "User name or password is not right.");
            Ok(visit
                .answer(StatusCode::UNPROCESSABLE_ENTITY, &page(&visit, &username, Some(problem.to_owned()))))
        }
        LogIn::Wait { seconds } => {
            let page = page(&visit, &username, Some(wait(&visit, seconds)));
            Ok(too_soon(visit.answer(StatusCode::TOO_MANY_REQUESTS, &page), seconds))
        }
        LogIn::OnlyReset => {
            let problem = visit.say(
                "Troppi tentativi sbagliati. Per accedere chiedi una nuova password.",
                "Too many wrong tries. To log in ask for a new password.",
            );
            Ok(visit
                .answer(StatusCode::TOO_MANY_REQUESTS, &page(&visit, &username, Some(problem.to_owned()))))
        }
    }
}

/// Notes who it was, and goes on.
pub(super) async fn authenticated(
    visit: &Visit,
    login: InteractionId,
    person: PersonId,
    level: Level,
) -> Page {
    let now = visit.now;
    let who = Authenticated { person, level, method: Method::School, at: now };
    let noted = visit
        .work(move |identity| match identity.interactions.authenticate(login, who, now) {
            Ok(()) => Ok(true),
            Err(crate::HubError::Forbidden(_) | crate::HubError::Unknown(_)) => Ok(false),
            Err(error) => Err(error),
        })
        .await?;
    match noted {
        true => Ok(visit.go("/login/done")),
        false => Err(Stop::from(message::expired(visit))),
    }
}

/// How long to wait, for the person.
pub(super) fn wait(visit: &Visit, seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match (seconds, visit.language) {
        (1, super::language::Language::Italian) => "Aspetta un secondo e riprova.".to_owned(),
        (1, super::language::Language::English) => "Wait a second and try again.".to_owned(),
        (..60, super::language::Language::Italian) => format!("Aspetta {seconds} secondi e riprova."),
        (..60, super::language::Language::English) => format!("Wait {seconds} seconds and try again."),
        (_, super::language::Language::Italian) => {
            format!("Troppi tentativi: aspetta {minutes} minuti, oppure chiedi una nuova password.")
        }
        (_, super::language::Language::English) => {
            format!("Too many tries: wait {minutes} minutes, or ask for a new password.")
        }
    }
}

/// Says to browsers and tools when to try again (RFC 9110 §10.2.3).
pub(super) fn too_soon(mut response: Response, seconds: u64) -> Response {
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
