//! Logging in by the school's own credentials, through the hub's pages: what the office does, what the person does,
//! and what an app does with its browser.

use std::path::Path;

use registro::identity::{Level, LoginMethod};
use registro::{LoginRequest, Profile, Registro};
use registro_hub::cli::office::{Office, OfficeArguments};
use registro_hub::identity::credentials::Known;
use registro_hub::identity::credentials::issue::{HowToIssue, Outcome};
use registro_hub::identity::credentials::second_factor::MayEnrol;
use registro_model::PersonId;

use crate::browser::{Browser, Failure, Page};

/// The app's redirect address.
pub const CALLBACK: &str = "it.registro.app:/callback";

/// A user name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// What the person's authenticator app shows now, if they have one.
    pub code: Option<String>,
}

/// The code that the office printed for a person.
#[derive(Debug, Clone)]
pub struct Printed {
    /// The person.
    pub person: PersonId,
    /// The user name.
    pub username: String,
    /// The code of first access.
    pub code: String,
    /// The address in the office's files.
    pub email: Option<String>,
}

/// The head lets the school's credentials be used for a year, and the office issues them to these people, on the data
/// of a hub that serves or not.
///
/// # Errors
/// Somebody may hold no account.
pub fn issue(data: &Path, people: &[PersonId], now: i64) -> Result<Vec<Printed>, Failure> {
    let office = Office::open(&OfficeArguments::of(data))?;
    let today = registro_hub::clock::day_in_italy(now);
    office.credentials.set_until(today.checked_add_months(chrono::Months::new(12)))?;
    let how =
        HowToIssue { by_mail: false, again: true, leavers_revoked_on: office.config.leavers_revoked_on };
    let issues = office.credentials.issue(&office.registered, people, how, now)?;
    let printed = people.iter().zip(issues).map(|(person, issue)| match issue.outcome {
        Outcome::Printed { username, code, .. } => Ok(Printed {
            person: *person,
            username,
            code: code.printed().to_string(),
            email: Known::of(&office.registered, *person).and_then(|known| known.email),
        }),
        other => Err(format!("no code was printed: {other:?}").into()),
    });
    printed.collect()
}

/// The person sets a password with the code that the office printed.
///
/// # Errors
/// A page is not what it should be; the error shows it.
pub async fn first_access(hub: &str, printed: &Printed) -> Result<Credentials, Failure> {
    let password = format!("sette gatti verdi {}", printed.code.to_lowercase());
    let mut browser = Browser::new()?;
    let page = browser.open(&format!("{hub}/first-access"), "").await?.page()?;
    let form = page.form_with("code")?.with("code", &printed.code);
    let page = browser.submit(&form, None, "").await?.page()?;
    let mut form = page.form_with("again")?.with("password", &password).with("again", &password);
    if form.has("email") {
        form = form.with("email", printed.email.as_deref().unwrap_or("nessuno@posta.example"));
    }
    let page = browser.submit(&form, None, "").await?.page()?;
    if !page.status.is_success() {
        return Err(format!("the first access failed: {}", page.html).into());
    }
    Ok(Credentials { username: printed.username.clone(), password, code: None })
}

/// The browser's part of a login with the school's credentials: gives where it comes back to.
///
/// # Errors
/// A page is not what it should be; the error shows it.
pub async fn by_pages(address: &str, credentials: &Credentials) -> Result<String, Failure> {
    let mut browser = Browser::new()?;
    let page = browser.open(address, CALLBACK).await?.page()?;
    let page = match page.form_with("password") {
        Ok(_) => page,
        Err(_) => {
            let school = page.links().into_iter().find(|link| link.path() == "/login/school");
            let school = school.ok_or_else(|| format!("no school credentials:\n{}", page.html))?;
            browser.open(school.as_str(), CALLBACK).await?.page()?
        }
    };
    let form = page
        .form_with("password")?
        .with("username", &credentials.username)
        .with("password", &credentials.password);
    let mut page = browser.submit(&form, None, CALLBACK).await?.page()?;
    if let Some(code) = &credentials.code {
        let form = page.form_with("code")?.with("code", code);
        page = browser.submit(&form, None, CALLBACK).await?.page()?;
    }
    allow(&mut browser, &page).await
}

/// Gives a person an authenticator app, which makes their login one of two factors. Gives what it shows now.
///
/// # Errors
/// They have no credentials, or an app already.
pub fn second_factor(data: &Path, person: PersonId, now: i64) -> Result<String, Failure> {
    let office = Office::open(&OfficeArguments::of(data))?;
    let known = Known::of(&office.registered, person).ok_or("nobody")?;
    let key = office.credentials.key_to_enrol(person)?.ok_or("no key")?;
    let step = now.div_euclid(30_000);
    // A code works once: the app is known by the one before.
    let enrolled =
        office.credentials.enrol(&known, MayEnrol::SecondLevel, &shown(key.as_slice(), step - 1), now)?;
    enrolled.ok_or("the code was not taken")?;
    Ok(shown(key.as_slice(), step))
}

/// What an authenticator app shows (RFC 6238).
fn shown(key: &[u8], step: i64) -> String {
    use ring::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 0x0f);
    let window = tag.as_ref()[offset..offset + 4].iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    format!("{:06}", (window & 0x7fff_ffff) % 1_000_000)
}

/// Lets the device in, on the page that asks.
///
/// # Errors
/// It is not that page; the error shows it.
pub async fn allow(browser: &mut Browser, page: &Page) -> Result<String, Failure> {
    let form = page.form_with("decision")?;
    browser.press(&form, "allow", CALLBACK).await?.app()
}

/// A whole login of a register with the school's credentials: with two factors if the person has them.
///
/// # Errors
/// The register's, or a page's.
pub async fn log_in(registro: &Registro, credentials: &Credentials) -> Result<Profile, Failure> {
    let level = if credentials.code.is_some() { Level::L2 } else { Level::L1 };
    let request = LoginRequest { method: Some(LoginMethod::School), level, english: false };
    let address = registro.begin_login(request).await?;
    let callback = by_pages(&address, credentials).await?;
    Ok(registro.complete_login(&callback).await?)
}
