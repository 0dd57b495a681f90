//! The first access with the office's code, and the link that confirms an address.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::field::{Field, FormPage};
use super::message::{self, MessagePage, Tone};
use super::visit::{Belongs, Page, Typed, Visit};
use crate::clock::day_in_italy;
use crate::identity::Identity;
use crate::identity::credentials::first_access::{Completed, FirstAccess, FirstAccessProblem, Invited};
use crate::identity::credentials::known::masked;
use crate::identity::credentials::{Known, PasswordProblem};

/// `GET /first-access`, with the code or without.
pub async fn form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    let code = visit.query.get("code").to_owned();
    Ok(visit.answer(StatusCode::OK, &code_page(&visit, &code, None)))
}

fn code_page(visit: &Visit, code: &str, error: Option<String>) -> FormPage {
    FormPage {
        shell: visit.shell("/first-access"),
        title: visit.say("Primo accesso", "First access").to_owned(),
        lead: vec![
            visit
                .say(
                    "Scrivi il codice che ti ha dato la scuola, sulla lettera o per e-mail. Poi scegli la tua password.",
                    "Type the code that the school gave you, in the letter or by e-mail. Then choose your password.",
                )
                .to_owned(),
        ],
        action: "/first-access",
        hidden: Vec::new(),
        fields: vec![Field {
            id: "code",
            label: visit.say("Codice per il primo accesso", "First-access code").to_owned(),
            kind: "text",
            value: code.to_owned(),
            autocomplete: "off",
            mode: "text",
            hint: Some(visit.say("16 lettere e cifre: ABCD-EFGH-2345-6789", "16 letters and digits: ABCD-EFGH-2345-6789").to_owned()),
            first: error.is_none(),
            error,
            code: true,
        }],
        problem: None,
        submit: visit.say("Continua", "Continue").to_owned(),
        links: vec![("/login", visit.say("Ho già una password", "I have a password already").to_owned())],
    }
}

fn wrong_code(visit: &Visit) -> String {
    visit
        .say(
            "Il codice non funziona: controlla di averlo scritto bene. Vale sette giorni e una volta sola; se è \
             scaduto, chiedine un altro in segreteria.",
            "The code does not work: check that you typed it right. It is valid for seven days and once only; if it \
             has expired, ask the office for another.",
        )
        .to_owned()
}

/// Whose code it is, if that person may hold an account.
async fn invited(visit: &Visit, code: &str) -> Result<Option<(Invited, Known)>, super::visit::Stop> {
    let (code, now) = (code.to_owned(), visit.now);
    let invited = visit.work(move |identity| identity.credentials.invited(&code, now)).await?;
    let Some(invited) = invited else { return Ok(None) };
    let (person, today) = (invited.person, day_in_italy(now));
    let entitlement = visit.work(move |identity| identity.entitlement(person, today)).await?;
    if !entitlement.is_entitled() {
        return Err(message::not_entitled(visit, entitlement).into());
    }
    Ok(Some((invited, visit.known(person).await?)))
}

/// `POST /first-access`: the code.
pub async fn code(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    match invited(&visit, typed.get("code")).await? {
        Some((invited, known)) => {
            let page = password_page(&visit, &typed, &invited, &known, None);
            Ok(visit.answer(StatusCode::OK, &page))
        }
        None => {
            let page = code_page(&visit, typed.get("code"), Some(wrong_code(&visit)));
            Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

fn password_page(
    visit: &Visit,
    typed: &Typed,
    invited: &Invited,
    known: &Known,
    problem: Option<FirstAccessProblem>,
) -> FormPage {
    let mut fields = new_password_fields(visit, false, password_problem(problem));
    if !invited.by_mail {
        let error = match problem {
            Some(FirstAccessProblem::Email) => {
                Some(visit.say("Scrivi un indirizzo e-mail valido.", "Type a valid e-mail address."))
            }
            Some(FirstAccessProblem::OtherEmail) => Some(visit.say(
                "La scuola ha un altro indirizzo. Scrivi quello, o chiedi in segreteria di cambiarlo.",
                "The school has another address. Type that one, or ask the office to change it.",
            )),
            _ => None,
        };
        let hint = match &known.email {
            Some(email) => format!(
                "{} {}",
                visit.say("L’indirizzo che hai dato alla scuola:", "The address that you gave the school:"),
                masked(email)
            ),
            None => visit
                .say(
                    "Serve per cambiare la password se la dimentichi.",
                    "It is needed to change your password if you forget it.",
                )
                .to_owned(),
        };
        fields.push(Field {
            id: "email",
            label: visit.say("La tua e-mail", "Your e-mail").to_owned(),
            kind: "email",
            value: typed.get("email").to_owned(),
            autocomplete: "email",
            mode: "email",
            hint: Some(hint),
            error: error.map(str::to_owned),
            ..Field::default()
        });
    }
    let name = &known.name;
    FormPage {
        shell: visit.shell("/first-access"),
        title: visit.say("Scegli la tua password", "Choose your password").to_owned(),
        lead: vec![match visit.language {
            super::language::Language::Italian => {
                format!("Ciao {name}. Il tuo nome utente è {}.", invited.username)
            }
            super::language::Language::English => {
                format!("Hello {name}. Your user name is {}.", invited.username)
            }
        }],
        action: "/first-access/password",
        hidden: vec![("code", typed.get("code").to_owned()), ("username", invited.username.clone())],
        fields,
        problem: None,
        submit: visit.say("Salva la password", "Save the password").to_owned(),
        links: Vec::new(),
    }
}

fn password_problem(problem: Option<FirstAccessProblem>) -> Option<PasswordProblem> {
    match problem {
        Some(FirstAccessProblem::Password(problem)) => Some(problem),
        _ => None,
    }
}

/// The two fields of a new password.
pub(super) fn new_password_fields(
    visit: &Visit,
    second_factor: bool,
    problem: Option<PasswordProblem>,
) -> Vec<Field> {
    use crate::identity::credentials::password::{LEAST_ALONE, LEAST_WITH_SECOND_FACTOR, MOST};
    let least = if second_factor { LEAST_WITH_SECOND_FACTOR } else { LEAST_ALONE };
    let italian = visit.language == super::language::Language::Italian;
    let error = problem.map(|problem| match (problem, italian) {
        (PasswordProblem::TooShort { least }, true) => {
            format!("È troppo corta: servono almeno {least} caratteri.")
        }
        (PasswordProblem::TooShort { least }, false) => {
            format!("It is too short: at least {least} characters.")
        }
        (PasswordProblem::TooLong, true) => format!("È troppo lunga: al massimo {MOST} caratteri."),
        (PasswordProblem::TooLong, false) => format!("It is too long: at most {MOST} characters."),
        (PasswordProblem::Guessable, true) => {
            "È troppo facile da indovinare: scegli parole che non hanno a che fare con te o con la scuola."
                .to_owned()
        }
        (PasswordProblem::Guessable, false) => {
            "It is too easy to guess: choose words that have nothing to do with you or the school.".to_owned()
        }
        (PasswordProblem::Differs, true) => "Le due password sono diverse: scrivile di nuovo.".to_owned(),
        (PasswordProblem::Differs, false) => "The two passwords differ: type them again.".to_owned(),
    });
    let hint = match italian {
        true => format!("Almeno {least} caratteri. Vanno bene quattro parole a caso; non servono simboli."),
        false => format!("At least {least} characters. Four random words will do; no symbols are needed."),
    };
    let differs = problem == Some(PasswordProblem::Differs);
    vec![
        Field {
            id: "password",
            label: visit.say("Nuova password", "New password").to_owned(),
            kind: "password",
            autocomplete: "new-password",
            hint: Some(hint),
            error: error.clone().filter(|_| !differs),
            first: problem.is_none(),
            ..Field::default()
        },
        Field {
            id: "again",
            label: visit.say("Ripeti la password", "Repeat the password").to_owned(),
            kind: "password",
            autocomplete: "new-password",
            error: error.filter(|_| differs),
            ..Field::default()
        },
    ]
}

/// `POST /first-access/password`.
pub async fn password(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Nothing).await?;
    visit.with_school_credentials().await?;
    let Some((invited, known)) = invited(&visit, typed.get("code")).await? else {
        let page = code_page(&visit, "", Some(wrong_code(&visit)));
        return Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    let secret = |name: &str| Zeroizing::new(typed.get(name).to_owned());
    let (code, new, again, email) = (secret("code"), secret("password"), secret("again"), secret("email"));
    let (for_hash, now) = (known.clone(), visit.now);
    let outcome = visit
        .hash(move |identity| {
            let typed = FirstAccess { code: &code, password: &new, again: &again, email: &email };
            let outcome = identity.credentials.complete_first_access(&typed, &for_hash, now)?;
            if outcome.is_ok() {
                // Whoever used an earlier password is logged out.
                identity.end_sessions(for_hash.person, now)?;
            }
            Ok(outcome)
        })
        .await?;
    match outcome {
        Ok(Completed::Ready) => Ok(visit.answer(StatusCode::OK, &ready(&visit))),
        Ok(Completed::ConfirmEmail) => {
            let page = MessagePage::new(
                &visit,
                Tone::Done,
                visit.say("Manca un ultimo passo", "One last step"),
                &[visit.say(
                    "Ti abbiamo scritto: apri il link nell’e-mail per confermare che l’indirizzo è il tuo. Poi potrai \
                     accedere.",
                    "We have written to you: open the link in the e-mail to confirm that the address is yours. Then you \
                     can log in.",
                )],
            );
            Ok(visit.answer(StatusCode::OK, &page))
        }
        Err(FirstAccessProblem::Code) => {
            let page = code_page(&visit, "", Some(wrong_code(&visit)));
            Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(problem) => {
            let page = password_page(&visit, &typed, &invited, &known, Some(problem));
            Ok(visit.answer(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

fn ready(visit: &Visit) -> MessagePage {
    let page = MessagePage::new(
        visit,
        Tone::Done,
        visit.say("Tutto pronto", "All done"),
        &[visit.say(
            "Ora puoi accedere al registro con il tuo nome utente e la tua password.",
            "You can now log in to the register with your user name and password.",
        )],
    );
    match visit.interaction.is_some() {
        true => page.link("/login", visit.say("Accedi", "Log in")),
        false => page.link("/profile", visit.say("Vai al profilo", "Go to your profile")),
    }
}

/// `GET /confirm-email?token=…`. A button, so that a mail server that looks at links does not use it up.
pub async fn confirm_form(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Nothing).await?;
    let (token, now) = (visit.query.get("token").to_owned(), visit.now);
    let checked = token.clone();
    if !visit.work(move |identity| identity.credentials.confirms_email(&checked, now)).await? {
        return Ok(old_link(&visit));
    }
    let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let page = FormPage {
        shell: visit.shell(&format!("/confirm-email?token={encoded}")),
        title: visit.say("Conferma la tua e-mail", "Confirm your e-mail").to_owned(),
        lead: vec![
            visit
                .say(
                    "Tocca il pulsante per confermare che questo indirizzo è il tuo.",
                    "Press the button to confirm that this address is yours.",
                )
                .to_owned(),
        ],
        action: "/confirm-email",
        hidden: vec![("token", token)],
        fields: Vec::new(),
        problem: None,
        submit: visit.say("Conferma", "Confirm").to_owned(),
        links: Vec::new(),
    };
    Ok(visit.answer(StatusCode::OK, &page))
}

/// `POST /confirm-email`.
pub async fn confirm(State(identity): State<Arc<Identity>>, headers: HeaderMap, body: Bytes) -> Page {
    let (visit, typed) = Visit::sent(&identity, &headers, &body, Belongs::Nothing).await?;
    let (token, now) = (typed.get("token").to_owned(), visit.now);
    match visit.work(move |identity| identity.credentials.confirm_email(&token, now)).await? {
        true => Ok(visit.answer(StatusCode::OK, &ready(&visit))),
        false => Ok(old_link(&visit)),
    }
}

/// A link of a mail that no longer works.
pub(super) fn old_link(visit: &Visit) -> axum::response::Response {
    let page = MessagePage::new(
        visit,
        Tone::Notice,
        visit.say("Questo link non funziona più", "This link no longer works"),
        &[visit.say(
            "È già stato usato, è scaduto, o ne hai chiesto uno più recente.",
            "It was used already, has expired, or you asked for a newer one.",
        )],
    );
    let page = page.link("/reset", visit.say("Chiedi una nuova password", "Ask for a new password"));
    visit.answer(StatusCode::GONE, &page)
}
