//! Who logs in: the school's authorization server, which the app trusts alone, and the ways in which a person shows
//! who they are to it (SPID, CIE, the school's own credentials).
//!
//! | module | what |
//! |---|---|
//! | [`interaction`] | a login under way in a browser: what the authorization server, the pages and the ways share |
//! | [`authorization`] | the OAuth 2.0 authorization server: requests, codes, tokens, sessions, devices |
//! | [`external`] | a provider outside in the place of the authorization server |
//! | [`federation`] | the relying party of SPID and CIE |
//! | [`credentials`] | the school's own credentials, as long as the school allows them |
//! | [`pages`] | what the person sees in the browser |
//! | [`mail`] | links and notices by mail |
//! | [`people`] | whom a fiscal number names, whether they may log in, where mail reaches them |
//! | [`config`] | how a school sets it up |
//! | [`issuer`] | the hub's name: its public address |
//! | [`store`] | the database beside the register's |
//! | [`secret`], [`cookies`] | what is handed out, and only its hash kept |

pub mod authorization;
pub mod config;
pub mod cookies;
pub mod credentials;
pub mod external;
pub mod federation;
pub mod interaction;
pub mod issuer;
pub mod mail;
pub mod pages;
pub mod people;
pub mod secret;
pub mod store;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use registro_sync::http::{Transport, TransportOptions};
use tokio::sync::Semaphore;

use crate::caller::AuthorizeCaller;
use crate::clock::{Clock, SystemClock};
use crate::error::HubError;
use crate::hub::Hub;
use crate::outbox::OutboxKey;
use crate::random::{Random, draw};
use authorization::access::TokenCallers;
use authorization::dpop::Guard;
use authorization::keys::KeyRing;
use authorization::logins::Logins;
use config::IdentityConfig;
use credentials::Credentials;
use external::ExternalCallers;
use federation::{RelyingParty, RelyingPartyParts};
use interaction::Interactions;
use issuer::Issuer;
use secret::Secret;
use store::IdentityStore;

/// Random bytes for all parts of the login.
#[derive(Clone)]
pub struct Randomness(Arc<Mutex<Box<dyn Random>>>);

impl Randomness {
    /// From this source.
    pub fn new(source: Box<dyn Random>) -> Self {
        Self(Arc::new(Mutex::new(source)))
    }

    /// Random bytes.
    pub fn draw<const N: usize>(&self) -> [u8; N] {
        draw(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }

    /// A new secret.
    pub fn secret(&self) -> Secret {
        Secret::of(&self.draw())
    }
}

/// The same bytes for whoever takes a source of them.
struct Drawing<'a>(&'a Randomness);

impl Random for Drawing<'_> {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer);
    }
}

/// Requests of the login that are worked on at once; more are told to come back.
const MAX_WORKING: usize = 64;

/// What the login of a school is made of. Shared by all its routes.
pub struct Identity {
    /// The hub: its directory says who is what.
    pub hub: Arc<Hub>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How the school set it up.
    pub config: IdentityConfig,
    /// Its name.
    pub issuer: Issuer,
    /// Its database.
    pub store: Arc<IdentityStore>,
    /// Logins under way.
    pub interactions: Arc<dyn Interactions>,
    /// The relying party of SPID and CIE, if the school takes part in a federation.
    pub federation: Option<Arc<RelyingParty>>,
    /// The school's own credentials.
    pub credentials: Arc<Credentials>,
    /// What devices seal to ([`crate::outbox`]).
    pub outbox_key: [u8; 32],
    /// The keys that sign tokens.
    pub keys: KeyRing,
    /// Proofs of possession at the authorization server.
    pub(crate) server_proofs: Guard,
    /// Proofs of possession at the API.
    pub(crate) api_proofs: Guard,
    logins: Arc<Logins>,
    random: Randomness,
    working: Arc<Semaphore>,
}

impl Identity {
    /// Puts it together on a data directory.
    pub fn open(
        hub: Arc<Hub>,
        clock: Arc<dyn Clock>,
        config: IdentityConfig,
        issuer: Issuer,
        data: &Path,
        random: Box<dyn Random>,
    ) -> Result<Self, HubError> {
        let random = Randomness::new(random);
        let store = Arc::new(IdentityStore::open(data)?);
        authorization::tables::migrate(&store)?;
        let logins = Arc::new(Logins::new(Arc::clone(&store), issuer.clone(), random.clone()));
        let federation = relying_party(&config, &issuer, data, &store, &random)?;
        let credentials = Credentials::open(data, Arc::clone(&store), random.clone(), &config, &issuer)?;
        let now = clock.now();
        Ok(Self {
            federation,
            credentials: Arc::new(credentials),
            outbox_key: OutboxKey::in_directory(data, &mut Drawing(&random))?.public()?,
            keys: KeyRing::open(data, now)?,
            server_proofs: Guard::new(&random.draw(), now),
            api_proofs: Guard::new(&random.draw(), now),
            interactions: Arc::clone(&logins) as Arc<dyn Interactions>,
            working: Arc::new(Semaphore::new(MAX_WORKING)),
            hub,
            clock,
            config,
            issuer,
            store,
            logins,
            random,
        })
    }

    /// What is to be done from time to time: keys replaced, what has ended taken away.
    pub fn tend(&self) -> Result<(), HubError> {
        let now = self.now();
        self.keys.tend(now)?;
        authorization::tables::sweep(&*self.store.lock()?, now)?;
        self.tend_credentials(now)
    }

    /// Does something on a thread that may block; too much at once waits outside.
    ///
    /// # Errors
    /// [`HubError::Busy`] if too much is under way, as the caller's own error.
    pub async fn work<T, E>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<HubError> + Send + 'static,
    {
        let permit = Arc::clone(&self.working).try_acquire_owned().map_err(|_| HubError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work: a caller that goes away ends the request, and not what has begun.
            let _permit = permit;
            work(&self)
        });
        done.await.map_err(|_| HubError::Poisoned)?
    }

    /// Random bytes.
    pub fn draw<const N: usize>(&self) -> [u8; N] {
        self.random.draw()
    }

    /// A new secret: only its hash is kept.
    pub fn secret(&self) -> Secret {
        self.random.secret()
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }
}

/// The relying party, if the school takes part in a federation. Plain HTTP to providers on this machine only where
/// the hub itself is reached so, which is for development.
fn relying_party(
    config: &IdentityConfig,
    issuer: &Issuer,
    data: &Path,
    store: &Arc<IdentityStore>,
    random: &Randomness,
) -> Result<Option<Arc<RelyingParty>>, HubError> {
    let Some(settings) = config.federation.clone() else { return Ok(None) };
    let options =
        if issuer.is_secure() { TransportOptions::default() } else { TransportOptions::development() };
    let transport = Transport::new(options).map_err(|error| HubError::Settings(error.to_string()))?;
    let parts = RelyingPartyParts {
        settings,
        issuer,
        data,
        store: Arc::clone(store),
        clock: Arc::new(SystemClock),
        random: random.clone(),
        transport,
    };
    Ok(Some(Arc::new(RelyingParty::open(parts)?)))
}

/// Who calls, by the tokens of the built-in authorization server or of the provider outside.
///
/// # Errors
/// [`HubError::Settings`] if no connection to the provider outside can be made.
pub fn callers(identity: &Arc<Identity>) -> Result<Arc<dyn AuthorizeCaller>, HubError> {
    let identity = Arc::clone(identity);
    Ok(match identity.config.external.clone() {
        Some(settings) => Arc::new(ExternalCallers::new(identity, settings)?),
        None => Arc::new(TokenCallers::new(identity)),
    })
}

/// Everything that a browser or an app asks of the login.
pub fn routes(identity: Arc<Identity>) -> Router {
    if identity.config.external.is_some() {
        // Nobody logs in here.
        return Router::new();
    }
    Router::new()
        .merge(authorization::routes(&identity))
        .merge(federation::routes())
        .merge(pages::routes(&identity))
        .with_state(identity)
}
