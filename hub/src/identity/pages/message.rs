//! Pages that only say something: what went wrong and what to do, or that it is done.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use registro_model::Date;

use super::language::Language;
use super::shell::Shell;
use super::visit::{Belongs, Page, Visit};
use crate::identity::Identity;
use crate::identity::federation::Reason;
use crate::identity::people::{Entitlement, Refusal};

/// How a message looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is done.
    Done,
    /// Something to know.
    Notice,
    /// It cannot go on.
    Refused,
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "login/message.html")]
pub struct MessagePage {
    /// What all pages have.
    pub shell: Shell,
    /// How it looks.
    pub tone: Tone,
    /// Its title.
    pub title: String,
    /// What it says.
    pub text: Vec<String>,
    /// Whether the office can help.
    pub ask_office: bool,
    /// Where to go on.
    pub links: Vec<(&'static str, String)>,
    /// Whether there is an app to go back to.
    pub back_to_app: bool,
}

impl MessagePage {
    /// A page of a visit.
    pub fn new(visit: &Visit, tone: Tone, title: &str, text: &[&str]) -> Self {
        Self {
            shell: visit.shell("/login"),
            tone,
            title: title.to_owned(),
            text: text.iter().map(|text| (*text).to_owned()).collect(),
            ask_office: false,
            links: Vec::new(),
            back_to_app: false,
        }
    }

    /// The office can help.
    pub fn ask_office(mut self) -> Self {
        self.ask_office = true;
        self
    }

    /// Where to go on.
    pub fn link(mut self, address: &'static str, text: &str) -> Self {
        self.links.push((address, text.to_owned()));
        self
    }

    /// A button that leads back to the app, if the login comes from one.
    pub fn back_to_app(mut self, visit: &Visit) -> Self {
        self.back_to_app = visit.interaction.is_some();
        self
    }
}

/// The login, or the form, is no longer under way in this browser.
pub fn expired(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say("Questa pagina è scaduta", "This page has expired"),
        &[visit.say(
            "È passato troppo tempo, o l’accesso è stato aperto in un’altra finestra. Torna all’app e ricomincia.",
            "Too much time has passed, or the login was opened in another window. Go back to the app and begin again.",
        )],
    );
    visit.answer(
        StatusCode::BAD_REQUEST,
        &page.link("/profile", visit.say("Vai al profilo", "Go to your profile")),
    )
}

/// Too many try at once.
pub fn busy(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say("Troppe richieste in questo momento", "Too many requests right now"),
        &[visit.say("Aspetta qualche secondo e riprova.", "Wait a few seconds and try again.")],
    );
    let mut response = visit.answer(StatusCode::SERVICE_UNAVAILABLE, &page);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// The hub failed; little is known of the visit.
pub fn broken(language: Language) -> Response {
    let text = language.say(
        "Non è colpa tua: riprova tra qualche minuto. Nell’app puoi continuare a lavorare senza connessione.",
        "It is not your fault: try again in a few minutes. In the app you can go on working offline.",
    );
    let title = language.say("Il servizio non funziona", "The service is not working");
    alone(language, StatusCode::INTERNAL_SERVER_ERROR, title, text)
}

/// A page where nothing is known of the visit but its language.
pub(in crate::identity) fn alone(
    language: Language,
    status: StatusCode,
    title: &str,
    text: &str,
) -> Response {
    let page = MessagePage {
        shell: Shell {
            language,
            school: String::new(),
            office: None,
            here: "/login".to_owned(),
            form: String::new(),
        },
        tone: Tone::Refused,
        title: title.to_owned(),
        text: vec![text.to_owned()],
        ask_office: false,
        links: Vec::new(),
        back_to_app: false,
    };
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The school knows nobody by this identity.
pub fn unknown_person(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Refused,
        visit.say("La scuola non ti trova", "The school cannot find you"),
        &[
            visit.say(
                "La tua identità è valida, ma nei dati della scuola non c’è nessuno con il tuo codice fiscale.",
                "Your identity is valid, but nobody in the school’s records has your fiscal code.",
            ),
            visit.say(
                "Forse la segreteria ha un codice fiscale sbagliato: chiedile di controllare.",
                "The office may have a wrong fiscal code: ask it to check.",
            ),
        ],
    );
    visit.answer(StatusCode::FORBIDDEN, &page.ask_office().back_to_app(visit))
}

/// The school no longer allows its own credentials.
pub fn switched_off(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say(
            "Le credenziali della scuola non sono più attive",
            "School credentials are no longer in use",
        ),
        &[visit.say(
            "Ora si accede al registro con SPID o con la carta d’identità elettronica (CIE).",
            "You now log in to the register with SPID or the electronic identity card (CIE).",
        )],
    );
    let back = visit.say("Scegli come accedere", "Choose how to log in");
    visit.answer(StatusCode::FORBIDDEN, &page.ask_office().link("/login", back))
}

/// The way was not sure enough for what is wanted.
pub fn higher_level(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say("Serve un accesso più sicuro", "A more secure login is needed"),
        &[
            visit.say(
                "Per questa operazione non basta la password. Accedi con SPID o CIE, oppure attiva la verifica in due \
                 passaggi nel tuo profilo e riprova.",
                "A password alone is not enough for this. Log in with SPID or CIE, or turn on two-step verification in \
                 your profile and try again.",
            ),
        ],
    )
    .link("/login?all=1", visit.say("Scegli un altro accesso", "Choose another login"));
    visit.answer(StatusCode::FORBIDDEN, &page.back_to_app(visit))
}

/// The person may not log in.
pub fn not_entitled(visit: &Visit, entitlement: Entitlement) -> Response {
    let (title, text) = match entitlement {
        Entitlement::Refused(Refusal::FirstCycle) => (
            visit.say("Accedono i genitori", "Parents log in"),
            visit
                .say(
                    "Nella scuola primaria e secondaria di primo grado gli alunni non hanno un account: il registro lo \
                     aprono i genitori o i tutori, con la loro identità digitale.",
                    "In primary and lower secondary school pupils have no account: parents or guardians open the \
                     register with their own digital identity.",
                )
                .to_owned(),
        ),
        Entitlement::Refused(Refusal::NoRole) | Entitlement::Entitled { .. } => (
            visit.say("Non hai un ruolo in questa scuola", "You have no role in this school"),
            visit
                .say(
                    "La scuola ti conosce, ma oggi non risulti docente, personale, genitore o alunno.",
                    "The school knows you, but today you are not recorded as a teacher, staff, parent or pupil.",
                )
                .to_owned(),
        ),
        Entitlement::Refused(Refusal::Left { since }) | Entitlement::PushOnly { ended: since, .. } => (
            visit.say("Il tuo accesso è terminato", "Your access has ended"),
            left(visit.language, since),
        ),
    };
    let page = MessagePage::new(visit, Tone::Refused, title, &[&text]).ask_office();
    visit.answer(StatusCode::FORBIDDEN, &page.back_to_app(visit))
}

fn left(language: Language, since: Date) -> String {
    let day = since.format("%d/%m/%Y");
    match language {
        Language::Italian => {
            format!("Il tuo rapporto con la scuola è finito: potevi leggere il registro fino al {day}.")
        }
        Language::English => format!("You have left the school: you could read the register until {day}."),
    }
}

/// A login at a provider that did not succeed: `GET /login/failed?reason=…`.
pub async fn failed(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Login).await?;
    let reason = Reason::of_word(visit.query.get("reason")).unwrap_or(Reason::Unsafe);
    let (title, text) = match reason {
        Reason::UnknownPerson => return Ok(unknown_person(&visit)),
        Reason::LevelTooLow => return Ok(higher_level(&visit)),
        Reason::Expired => return Ok(expired(&visit)),
        Reason::Cancelled => (
            visit.say("Accesso annullato", "Login cancelled"),
            visit.say(
                "Non hai completato l’accesso, o il gestore della tua identità l’ha rifiutato.",
                "You did not complete the login, or your identity provider refused it.",
            ),
        ),
        Reason::Unavailable => (
            visit.say("Il gestore non risponde", "The provider does not answer"),
            visit.say(
                "Il servizio della tua identità digitale non è raggiungibile. Riprova tra qualche minuto.",
                "Your digital identity’s service cannot be reached. Try again in a few minutes.",
            ),
        ),
        Reason::Unsafe => (
            visit.say("Accesso interrotto per sicurezza", "Login stopped for safety"),
            visit.say(
                "La risposta del gestore non è valida. Non hai fatto nulla di sbagliato: ricomincia dall’app.",
                "The provider’s answer is not valid. You did nothing wrong: begin again in the app.",
            ),
        ),
        Reason::Misconfigured => (
            visit.say("Errore di configurazione", "Configuration error"),
            visit.say(
                "Il gestore non accetta le richieste di questa scuola. Avvisa la segreteria.",
                "The provider does not accept this school’s requests. Tell the office.",
            ),
        ),
    };
    let page = MessagePage::new(&visit, Tone::Refused, title, &[text]);
    let page = match visit.interaction.is_some() {
        true => page.link("/login?all=1", visit.say("Riprova", "Try again")),
        false => page,
    };
    let page = if reason == Reason::Misconfigured { page.ask_office() } else { page };
    Ok(visit.answer(StatusCode::BAD_REQUEST, &page.back_to_app(&visit)))
}

/// Somebody opened the login without an app.
pub fn no_login(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say("Apri l’accesso dall’app", "Open the login from the app"),
        &[visit.say(
            "Per entrare nel registro apri l’app e tocca «Accedi». Da qui puoi gestire la tua password e i tuoi \
             dispositivi.",
            "To enter the register open the app and tap “Log in”. From here you can manage your password and your \
             devices.",
        )],
    );
    visit.answer(StatusCode::OK, &page.link("/profile", visit.say("Vai al profilo", "Go to your profile")))
}

/// The password was right; mail has not reached the person yet.
pub fn confirm_email_first(visit: &Visit) -> Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say("Conferma prima la tua e-mail", "Confirm your e-mail first"),
        &[visit.say(
            "Ti abbiamo mandato di nuovo il link: aprilo, poi accedi.",
            "We have sent you the link again: open it, then log in.",
        )],
    )
    .link("/login/school", visit.say("Ho confermato, accedi", "I have confirmed, log in"));
    visit.answer(StatusCode::FORBIDDEN, &page.ask_office().back_to_app(visit))
}
