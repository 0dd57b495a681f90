//! A request for a page: whose browser, which login, which language, and whether its form is genuine.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::guard::is_own_form;
use super::language::Language;
use super::message;
use super::shell::Shell;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::cookies::Cookie;
use crate::identity::credentials::Known;
use crate::identity::credentials::hashing::Busy;
use crate::identity::interaction::{Authenticated, Interaction};

/// How long a form may stay open that belongs to no login, in seconds.
const FORM_SECONDS: i64 = 3_600;
const TOKEN: &str = "form token";

/// A page that is shown in place of the one that was asked for.
#[derive(Debug)]
pub struct Stop(Box<Response>);

impl From<Response> for Stop {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A page, or the one in its place.
pub type Page = Result<Response, Stop>;

/// What was typed into a form, or stands behind the `?` of an address. A name that comes twice counts as none.
#[derive(Default)]
pub struct Typed(BTreeMap<String, Option<String>>);

impl Typed {
    /// Reads `a=b&c=d`.
    pub fn read(bytes: &[u8]) -> Self {
        let mut typed = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(bytes).take(40) {
            typed
                .entry(name.into_owned())
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(value.into_owned()));
        }
        Self(typed)
    }

    /// A value; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).and_then(Option::as_deref).unwrap_or_default()
    }
}

/// What a page belongs to: its form's token is bound to that cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// The login under way.
    Login,
    /// The hub's own pages.
    Profile,
    /// Neither.
    Nothing,
}

/// A request for a page.
pub struct Visit {
    /// The login.
    pub identity: Arc<Identity>,
    /// Behind the `?`.
    pub query: Typed,
    /// The language.
    pub language: Language,
    /// The login under way in this browser, if there is one.
    pub interaction: Option<Interaction>,
    /// Who is in the hub's own pages in this browser.
    pub profile: Option<Authenticated>,
    /// Unix milliseconds.
    pub now: i64,
    school: String,
    office: Option<String>,
    anchor: String,
    cookies: Vec<HeaderValue>,
}

impl Visit {
    /// Looks at a request.
    pub async fn begin(
        identity: &Arc<Identity>,
        headers: &HeaderMap,
        query: Option<&str>,
        belongs: Belongs,
    ) -> Result<Self, Stop> {
        let query = Typed::read(query.unwrap_or_default().as_bytes());
        let cookie = |cookie: Cookie| cookie.read(&identity.issuer, headers).map(str::to_owned);
        let (login, profile) = (cookie(Cookie::Login), cookie(Cookie::Profile));
        let (now, cookies) = (identity.now(), (login.clone(), profile.clone()));
        let found = blocking(identity, move |identity| {
            let interaction = match &cookies.0 {
                Some(login) => identity.interactions.open(login, now)?,
                None => None,
            };
            let profile = match &cookies.1 {
                Some(profile) => identity.interactions.profile(profile, now)?,
                None => None,
            };
            let (school, office) =
                identity.hub.look(|all| (all.school.name.clone(), all.login.office_email.clone()))?;
            Ok((interaction, profile, school, office))
        });
        let chosen = Some(query.get("lang")).filter(|tag| !tag.is_empty()).map(str::to_owned);
        let (interaction, profiled, school, office) = match found.await {
            Ok(found) => found,
            Err(error) => return Err(broken(Language::of(headers, chosen.as_deref(), None), &error)),
        };
        let asked = interaction.as_ref().and_then(|interaction| interaction.language);
        let language = Language::of(headers, chosen.as_deref(), asked);
        let mut cookies = Vec::new();
        if chosen.is_some() {
            cookies.push(language.remember());
        }
        let anchor = match belongs {
            Belongs::Login => login,
            Belongs::Profile => profile,
            Belongs::Nothing => Some(cookie(Cookie::Form).unwrap_or_else(|| {
                let secret = identity.secret();
                cookies.extend(Cookie::Form.set(&identity.issuer, secret.reveal(), FORM_SECONDS));
                secret.reveal().to_owned()
            })),
        };
        Ok(Self {
            identity: Arc::clone(identity),
            query,
            language,
            interaction,
            profile: profiled,
            now,
            school,
            office,
            anchor: anchor.unwrap_or_default(),
            cookies,
        })
    }

    /// The same for a form that was sent; its token must be the one of this browser's page.
    pub async fn sent(
        identity: &Arc<Identity>,
        headers: &HeaderMap,
        body: &[u8],
        belongs: Belongs,
    ) -> Result<(Self, Typed), Stop> {
        let visit = Self::begin(identity, headers, None, belongs).await?;
        let typed = Typed::read(body);
        let token = crate::unhex::<32>(typed.get("form")).unwrap_or_default();
        let genuine = is_own_form(identity.issuer.as_str(), headers)
            && !visit.anchor.is_empty()
            && identity.credentials.keys().is_mac(TOKEN, visit.anchor.as_bytes(), &token);
        match genuine {
            true => Ok((visit, typed)),
            false => Err(message::expired(&visit).into()),
        }
    }

    /// What all pages have. `here`: the page's own address, for the switch of language.
    pub fn shell(&self, here: &str) -> Shell {
        let token = self.identity.credentials.keys().mac(TOKEN, self.anchor.as_bytes());
        Shell {
            language: self.language,
            school: self.school.clone(),
            office: self.office.clone(),
            here: here.to_owned(),
            form: token.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The one of two texts that is in the page's language.
    pub fn say<'a>(&self, italian: &'a str, english: &'a str) -> &'a str {
        self.language.say(italian, english)
    }

    /// The login under way.
    pub fn login(&self) -> Result<&Interaction, Stop> {
        self.interaction.as_ref().ok_or_else(|| message::expired(self).into())
    }

    /// Sets a cookie with the answer.
    pub fn set_cookie(&mut self, cookie: Option<HeaderValue>) {
        self.cookies.extend(cookie);
    }

    /// A page as an answer.
    pub fn answer(&self, status: StatusCode, page: &impl askama::Template) -> Response {
        match page.render() {
            Ok(html) => self.with_cookies((status, Html(html)).into_response()),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// The browser goes on elsewhere. `address` is the hub's own path, or where the authorization server sends it.
    pub fn go(&self, address: &str) -> Response {
        let address = match address.starts_with('/') {
            true => self.identity.issuer.at(address),
            false => address.to_owned(),
        };
        match HeaderValue::from_str(&address) {
            Ok(address) => {
                self.with_cookies((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response())
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    fn with_cookies(&self, mut response: Response) -> Response {
        for cookie in &self.cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        response
    }

    /// Does something that blocks.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Identity) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, Stop> {
        blocking(&self.identity, work).await.map_err(|error| broken(self.language, &error))
    }

    /// Does something that hashes passwords, when its turn comes.
    pub async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Identity) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, Stop> {
        let identity = Arc::clone(&self.identity);
        match self.identity.credentials.hashing.run(move || work(&identity)).await {
            Ok(done) => done.map_err(|error| broken(self.language, &error)),
            Err(Busy) => Err(message::busy(self).into()),
        }
    }

    /// What the office's files say of a person; a page that says why not, if they say nothing.
    pub async fn known(&self, person: registro_model::PersonId) -> Result<Known, Stop> {
        let known = self.work(move |identity| identity.known(person)).await?;
        known.ok_or_else(|| message::unknown_person(self).into())
    }

    /// Goes on only as long as the school allows its own credentials.
    pub async fn with_school_credentials(&self) -> Result<(), Stop> {
        let today = crate::clock::day_in_italy(self.now);
        match self.work(move |identity| identity.credentials.is_allowed(today)).await? {
            true => Ok(()),
            false => Err(message::switched_off(self).into()),
        }
    }
}

async fn blocking<T: Send + 'static>(
    identity: &Arc<Identity>,
    work: impl FnOnce(&Identity) -> Result<T, HubError> + Send + 'static,
) -> Result<T, HubError> {
    Arc::clone(identity).work(work).await
}

fn broken(language: Language, error: &HubError) -> Stop {
    tracing::error!(%error, "a page of the login failed");
    message::broken(language).into()
}
