//! A store whose PIN was tried wrongly too often: its person logs in online, and may try again. Nothing of it is read
//! or wiped meanwhile (MASVS-AUTH-2).

use std::sync::Arc;

use registro_identity::{BeginLogin, Login, SecretStore, Session};
use registro_model::PersonId;
use registro_store::{Store, StoreOptions};
use registro_sync::http::{HttpError, HubClient, Transport, TransportOptions};

use crate::error::{Error, ErrorKind};
use crate::login::{LoginRequest, LoginSetup};
use crate::registro::OpenOptions;

/// Whose the store is, among its secrets: a random id that says nothing by itself.
const OWNER: &str = "owner";

/// Notes whose store it is, where it can be read while the store is closed.
pub(crate) fn note_owner(secrets: &dyn SecretStore, person: PersonId) -> Result<(), Error> {
    let kept = secrets.put(OWNER, person.to_string().as_bytes());
    kept.map_err(|error| registro_identity::LoginError::from(error).into())
}

fn is_owner(secrets: &dyn SecretStore, person: PersonId) -> Result<bool, Error> {
    let noted =
        secrets.get(OWNER).map_err(|error| Error::from(registro_identity::LoginError::from(error)))?;
    Ok(noted.is_some_and(|noted| *noted == person.to_string().into_bytes()))
}

/// A closed store that its person wants to try their PIN on again.
pub struct BlockedStore {
    login: Login,
    hub: HubClient,
    store: StoreOptions,
    secrets: Arc<dyn SecretStore>,
    redirect: String,
}

impl BlockedStore {
    /// Of the same folder, hub and platform as it is opened with. Opens nothing.
    ///
    /// # Errors
    /// `NotFound` if there is no store; `Storage`, `Untrusted` (the hub's address).
    pub fn of(options: &OpenOptions, setup: &LoginSetup) -> Result<Self, Error> {
        let reach = TransportOptions { loopback_http: options.development, ..TransportOptions::default() };
        let unpinned = Transport::new(reach.clone()).map_err(HttpError::from)?;
        let pinned = TransportOptions { pins: options.pins.clone(), ..reach };
        let hub = HubClient::over(Transport::new(pinned).map_err(HttpError::from)?, &options.hub)?;
        let store = StoreOptions::new(&options.directory, "registro");
        let key = Store::key_file(&store)?.ok_or_else(|| Error::not_found("store"))?;
        let scope = key.store_id();
        Ok(Self {
            login: setup.login(&hub, unpinned, &scope),
            secrets: setup.secrets_of(&scope),
            redirect: setup.redirect.clone(),
            hub,
            store,
        })
    }

    /// Begins a login, as [`Registro::begin_login`](crate::Registro::begin_login) does.
    ///
    /// # Errors
    /// Those of a login.
    pub async fn begin_login(&self, request: LoginRequest) -> Result<String, Error> {
        let account = self.login.accounts().await?.into_iter().next().map(|account| account.id);
        let begin = BeginLogin {
            redirect: self.redirect.clone(),
            acr: Some(request.level.acr().to_owned()),
            max_age: None,
            account,
            method: request.method,
            language: Some(if request.english { "en" } else { "it" }.to_owned()),
        };
        Ok(self.login.begin(begin).await?.to_string())
    }

    /// Ends it: if it is the store's person, the PIN may be tried again. The session serves the register once it is open.
    ///
    /// # Errors
    /// Those of a login; `NotAllowed` if it is another person: the PIN stays blocked.
    pub async fn complete_login(&self, callback: &str) -> Result<(), Error> {
        let keeper = self.login.complete(callback).await?;
        let session = Session::of(&self.hub, &keeper).await?;
        if !is_owner(self.secrets.as_ref(), session.person)? {
            keeper.logout().await?;
            return Err(Error::new(ErrorKind::NotAllowed, "the store belongs to another person"));
        }
        Ok(Store::allow_pin(&self.store)?)
    }
}
