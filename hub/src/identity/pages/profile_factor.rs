//! *Profilo*: the second factor, on and off.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use super::field::{Field, FormPage};
use super::message::{MessagePage, Tone};
use super::profile::{held, who};
use super::school::wait;
use super::shell::Shell;
use super::visit::{Belongs, Page, Stop, Visit};
use crate::caller::Level;
use crate::identity::Identity;
use crate::identity::credentials::second_factor::{MayEnrol, RemovalProblem};
use crate::identity::credentials::totp;
use crate::identity::interaction::Authenticated;

#[derive(Template)]
#[template(path = "login/enrol.html")]
struct EnrolPage {
    shell: Shell,
    address: Zeroizing<String>,
    key: Zeroizing<String>,
    picture: Picture,
    /// The token of the mail that led here, if one did.
    token: String,
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

/// What shows that it is the person: the level of their login, else the link of a mail.
fn proof(who: Authenticated, token: &str) -> MayEnrol<'_> {
    match who.level >= Level::L2 {
        true => MayEnrol::SecondLevel,
        false => MayEnrol::Link(token),
    }
}

async fn may_enrol(visit: &Visit, who: Authenticated, token: &str) -> Result<bool, Stop> {
    let (token, now) = (token.to_owned(), visit.now);
    visit.work(move |identity| identity.credentials.may_enrol(who.person, proof(who, &token), now)).await
}

/// `GET /profile/second-factor`, with the token of a mail or without.
pub async fn form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let mut visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    let token = visit.query.get("token").to_owned();
    if may_enrol(&visit, who, &token).await? {
        return enrol_page(&visit, who, token, None).await;
    }
    held(&visit, who).await?;
    let page = FormPage {
        shell: visit.shell("/profile/second-factor"),
        title: visit.say("Attiva la verifica in due passaggi", "Turn two-step verification on").to_owned(),
        lead: vec![
            visit
                .say(
                    "Con la verifica in due passaggi, oltre alla password serve un codice del tuo telefono: anche chi \
                     scopre la password non entra.",
                    "With two-step verification a code from your phone is needed besides the password: who finds out \
                     your password still cannot enter.",
                )
                .to_owned(),
            visit
                .say(
                    "Per essere sicuri che sei tu, ti mandiamo un link all’e-mail che la scuola ha di te.",
                    "To be sure that it is you, we send a link to the e-mail address that the school has for you.",
                )
                .to_owned(),
        ],
        action: "/profile/second-factor/link",
        hidden: Vec::new(),
        fields: Vec::new(),
        problem: None,
        submit: visit.say("Manda il link", "Send the link").to_owned(),
        links: vec![("/profile", visit.say("Torna al profilo", "Back to your profile").to_owned())],
    };
    Ok(visit.answer(StatusCode::OK, &page))
}

/// `POST /profile/second-factor/link`.
pub async fn send_link(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (mut visit, _) = Visit::sent(&identity, &headers, &body, Belongs::Profile).await?;
    let who = who(&mut visit).await?;
    held(&visit, who).await?;
    let (known, now) = (visit.known(who.person).await?, visit.now);
    let page = match visit.work(move |identity| identity.credentials.ask_enrol(&known, now)).await? {
        true => MessagePage::new(
            &visit,
            Tone::Done,
            visit.say("Controlla la tua e-mail", "Check your e-mail"),
            &[visit.say(
                "Apri il link in questo browser entro mezz’ora.",
                "Open the link in this browser within half an hour.",
            )],
        ),
        false => MessagePage::new(
            &visit,
            Tone::Notice,
            visit.say("Serve SPID o CIE", "SPID or CIE is needed"),
            &[visit.say(
                "La scuola non può mandarti un’e-mail. Apri il profilo con SPID o CIE per attivare la verifica in due \
                 passaggi.",
                "The school cannot send you an e-mail. Open your profile with SPID or CIE to turn two-step \
                 verification on.",
            )],
        )
        .ask_office(),
    };
    let page = page.link("/profile", visit.say("Torna al profilo", "Back to your profile"));
    Ok(visit.answer(StatusCode::OK, &page))
}

async fn enrol_page(visit: &Visit, who: Authenticated, token: String, error: Option<String>) -> Page {
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
        token,
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
    let token = typed.get("token").to_owned();
    if !may_enrol(&visit, who, &token).await? {
        return Ok(visit.go("/profile/second-factor"));
    }
    let known = visit.known(who.person).await?;
    let (code, presented, now) = (typed.get("code").to_owned(), token.clone(), visit.now);
    let enrolled = visit
        .work(move |identity| identity.credentials.enrol(&known, proof(who, &presented), &code, now))
        .await?;
    match enrolled {
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
            enrol_page(&visit, who, token, Some(error.to_owned())).await
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
