//! What the mails say: in Italian, then in English; plain text, no picture, no link but the hub's own.

use chrono::DateTime;
use chrono_tz::Europe::Rome;

use super::Letter;
use crate::identity::credentials::Known;

/// How long a notice of a change is tried to be sent, in milliseconds.
pub const NOTICE_LASTS_MS: i64 = 3 * 24 * 3_600_000;

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The password.
    Password,
    /// A second factor is in use.
    SecondFactorOn,
    /// No second factor is in use.
    SecondFactorOff,
}

fn letter(known: &Known, to: &str, subject: &str, italian: &str, english: &str) -> Letter {
    let Known { name, school, .. } = known;
    Letter {
        to: Some(to.to_owned()),
        subject: subject.to_owned(),
        text: format!(
            "Gentile {name},\n\n{italian}\n\n{school}\nMessaggio automatico: non rispondere.\n\n\
             ----------------------------------------\n\n\
             Dear {name},\n\n{english}\n\n{school}\nAutomatic message: do not reply.\n"
        ),
    }
}

/// When it is, as people in Italy write it.
pub fn moment(milliseconds: i64) -> String {
    let at = DateTime::from_timestamp_millis(milliseconds).unwrap_or_default().with_timezone(&Rome);
    at.format("%d/%m/%Y, %H:%M").to_string()
}

/// The code of the first access.
pub fn first_access(known: &Known, to: &str, username: &str, link: &str, expires: i64) -> Letter {
    let until = moment(expires);
    let italian = format!(
        "la scuola ti ha dato le credenziali del registro elettronico.\n\n\
         Nome utente: {username}\n\n\
         Per scegliere la tua password apri questo indirizzo. Funziona una volta sola, fino al {until}:\n\n\
         {link}\n\n\
         La scuola non conosce la tua password e non te la chiederà mai."
    );
    let english = format!(
        "the school has given you credentials for the class register.\n\n\
         User name: {username}\n\n\
         To choose your password open this address. It works once, until {until} (Italian time):\n\n\
         {link}\n\n\
         The school does not know your password and will never ask for it."
    );
    letter(known, to, "Registro: le tue credenziali / your credentials", &italian, &english)
}

/// The link that shows that mail arrives.
pub fn confirm_email(known: &Known, to: &str, link: &str) -> Letter {
    let italian = format!(
        "apri questo indirizzo per confermare che la tua e-mail funziona. Vale sette giorni:\n\n{link}\n\n\
         Se non hai fatto tu il primo accesso al registro, avvisa la segreteria."
    );
    let english = format!(
        "open this address to confirm that your e-mail works. It is valid for seven days:\n\n{link}\n\n\
         If it was not you who accessed the register for the first time, tell the school's office."
    );
    letter(known, to, "Registro: conferma la tua e-mail / confirm your e-mail", &italian, &english)
}

/// The link that resets a password.
pub fn reset(known: &Known, to: &str, link: &str) -> Letter {
    let italian = format!(
        "qualcuno, forse tu, ha chiesto una nuova password per il registro elettronico. Apri questo indirizzo entro \
         mezz'ora; funziona una volta sola:\n\n{link}\n\n\
         Se non sei stato tu, non fare nulla: la tua password resta quella di prima."
    );
    let english = format!(
        "somebody, perhaps you, asked for a new password for the class register. Open this address within half an \
         hour; it works once:\n\n{link}\n\n\
         If it was not you, do nothing: your password stays as it was."
    );
    letter(known, to, "Registro: nuova password / new password", &italian, &english)
}

/// The link that turns the second factor on.
pub fn enrol(known: &Known, to: &str, link: &str) -> Letter {
    let italian = format!(
        "per attivare la verifica in due passaggi apri questo indirizzo entro mezz'ora, nel browser in cui hai aperto \
         il tuo profilo:\n\n{link}\n\n\
         Se non sei stato tu, qualcuno conosce la tua password: chiedine subito una nuova dalla pagina di accesso."
    );
    let english = format!(
        "to turn on two-step verification open this address within half an hour, in the browser in which you opened \
         your profile:\n\n{link}\n\n\
         If it was not you, somebody knows your password: ask for a new one on the login page at once."
    );
    letter(known, to, "Registro: verifica in due passaggi / two-step verification", &italian, &english)
}

/// Somebody's account changed.
pub fn changed(known: &Known, to: &str, change: Change, now_ms: i64) -> Letter {
    let when = moment(now_ms);
    let (italian, english) = match change {
        Change::Password => ("la tua password è stata cambiata", "your password was changed"),
        Change::SecondFactorOn => {
            ("è stata attivata la verifica in due passaggi", "two-step verification was turned on")
        }
        Change::SecondFactorOff => {
            ("è stata disattivata la verifica in due passaggi", "two-step verification was turned off")
        }
    };
    let italian = format!(
        "{italian} ({when}).\n\n\
         Se non sei stato tu, chiedi subito una nuova password dalla pagina di accesso e avvisa la segreteria."
    );
    let english = format!(
        "{english} ({when}, Italian time).\n\n\
         If it was not you, ask for a new password on the login page at once and tell the school's office."
    );
    letter(known, to, "Registro: modifica al tuo accesso / a change to your login", &italian, &english)
}

/// A mail to nobody, which is as much work as one to somebody.
pub fn to_nobody(link: &str) -> Letter {
    Letter { to: None, subject: String::new(), text: link.to_owned() }
}
