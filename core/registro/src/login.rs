//! Logging in and out. The browser and the prompt belong to the app; everything else is here.
//!
//! | module | what |
//! |---|---|
//! | `setup` | what the platform lends |
//! | `views` | what goes in and what is shown |
//! | `settling` | whose session it is, and the certificate of this device's key |
//! | `refusals` | a refused login as a failure of the register |

mod refusals;
mod settling;
mod setup;
mod views;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use registro_identity::{BeginLogin, Level, Login, LoginError, Session, SessionKeeper, Unsafe, development};
use registro_sync::http::{Authorization, HubClient};

use crate::error::{Error, ErrorKind};
use crate::registro::Registro;
use settling::another_person;

pub use setup::LoginSetup;
pub use views::{DeviceSession, LoginRequest, LogoutReport, Profile, SessionView};

/// How long a logout waits for what was written to be sent first.
const LAST_SYNC: Duration = Duration::from_secs(20);
/// A session in use.
pub(crate) enum Current {
    /// Of a development hub.
    Development(Arc<dyn Authorization>),
    /// Of a real login.
    Kept(SessionKeeper),
}

impl Current {
    fn authorization(&self) -> Arc<dyn Authorization> {
        match self {
            Self::Development(authorization) => Arc::clone(authorization),
            Self::Kept(keeper) => Arc::new(keeper.clone()),
        }
    }
}

impl Registro {
    fn login(&self) -> Result<&Login, Error> {
        let missing = || Error::internal("the register was opened without what a login needs");
        self.inner.login.as_ref().ok_or_else(missing)
    }

    fn set_current(&self, current: Option<Current>) {
        *self.inner.session.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    fn kept(&self) -> Option<SessionKeeper> {
        match &*self.inner.session.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Current::Kept(keeper)) => Some(keeper.clone()),
            _ => None,
        }
    }

    /// The session that an earlier run of the app left, if this one has none yet.
    async fn keeper(&self) -> Result<Option<SessionKeeper>, Error> {
        if let Some(keeper) = self.kept() {
            return Ok(Some(keeper));
        }
        let Some(login) = &self.inner.login else { return Ok(None) };
        for account in login.accounts().await? {
            if let Some(keeper) = login.session(&account.id).await? {
                self.set_current(Some(Current::Kept(keeper.clone())));
                return Ok(Some(keeper));
            }
        }
        Ok(None)
    }

    /// What says to the hub who calls.
    async fn authorization(&self) -> Result<Arc<dyn Authorization>, Error> {
        let known = {
            let session = self.inner.session.lock().unwrap_or_else(PoisonError::into_inner);
            session.as_ref().map(Current::authorization)
        };
        if let Some(authorization) = known {
            return Ok(authorization);
        }
        match self.keeper().await? {
            Some(keeper) => Ok(Arc::new(keeper)),
            None => Err(Error::new(ErrorKind::NotLoggedIn, "no session")),
        }
    }

    pub(crate) async fn hub_and_authorization(&self) -> Result<(HubClient, Arc<dyn Authorization>), Error> {
        self.settle_if_due().await?;
        Ok((self.hub(), self.authorization().await?))
    }

    /// Begins a login and gives the address to open at once in the system's browser (a Custom Tab,
    /// `ASWebAuthenticationSession`; never a WebView). What is needed to end it is sealed before this returns: it
    /// survives the end of the app. A login that was open is forgotten.
    ///
    /// With a session that has not ended it raises the session's level (`HigherLevelNeeded`), or renews it.
    ///
    /// # Errors
    /// `Offline`, `HubUnavailable`, `WrongClock`, `Untrusted`, `Misconfigured`; `Locked`, `KeyLost` of the platform's
    /// keys.
    pub async fn begin_login(&self, request: LoginRequest) -> Result<String, Error> {
        let login = self.login()?;
        let account = self.keeper().await?.map(|keeper| keeper.id());
        let begin = BeginLogin {
            redirect: self.inner.redirect.clone(),
            acr: Some(request.level.acr().to_owned()),
            max_age: None,
            account,
            method: request.method,
            language: Some(if request.english { "en" } else { "it" }.to_owned()),
        };
        Ok(login.begin(begin).await?.to_string())
    }

    /// Ends a login with the whole address that the browser came back to. At the first login the device's key is made
    /// and certified by the school, and the store becomes this person's.
    ///
    /// # Errors
    /// `Untrusted`: the address is not of the login that is open, or an answer is not safe to use; never retried
    /// alone. `Cancelled`. `Offline`: call it again with the same address, soon. `HigherLevelNeeded`: the level was
    /// not reached. `NotEntitled`. `NotAllowed`: the store belongs to somebody else; nobody is logged in then.
    pub async fn complete_login(&self, callback: &str) -> Result<Profile, Error> {
        let keeper = match self.login()?.complete(callback).await {
            // The session's own person had to come back.
            Err(LoginError::UnsafeResponse(Unsafe::Subject)) => return Err(another_person()),
            completed => completed?,
        };
        let hub = self.hub();
        let settled = async {
            let session = Session::of(&hub, &keeper).await?;
            self.owned_by(&session)?;
            self.had_contact()?;
            self.settle(&hub, &session, true).await
        };
        match settled.await {
            Ok(profile) => {
                // What waited for a higher level goes with the next sync.
                self.device().try_aside_again()?;
                self.set_settled(&keeper);
                self.set_current(Some(Current::Kept(keeper)));
                Ok(profile)
            }
            Err(error) if error.kind == ErrorKind::NotAllowed => {
                keeper.logout().await?;
                Err(error)
            }
            // The login holds; what is missing is done before the next sync.
            Err(error) => Err(error),
        }
    }

    /// Notes that the person closed the browser, or that the system says so. If it comes back all the same, the login
    /// is completed: fetching a one-time code in another app looks like giving up.
    pub async fn abort_login(&self) -> Result<(), Error> {
        Ok(self.login()?.abort().await?)
    }

    /// Whether a login is open in the browser, begun at this time (Unix milliseconds): the app offers to go on with
    /// it (*Riprendi l'accesso*) or to begin anew. For 24 hours.
    pub async fn pending_login(&self) -> Result<Option<i64>, Error> {
        Ok(self.login()?.pending().await?.map(|pending| pending.begun))
    }

    /// The session of this register, if somebody is logged in. Needs no connection.
    pub async fn session(&self) -> Result<Option<SessionView>, Error> {
        let keeper = self.keeper().await?;
        Ok(keeper.map(|keeper| SessionView {
            level: keeper.acr().as_deref().and_then(Level::from_acr),
            ended: keeper.has_ended(),
        }))
    }

    /// The person's sessions at the school, on all devices, the last used first.
    ///
    /// # Errors
    /// `Offline`, `SessionEnded`, `NotLoggedIn`.
    pub async fn sessions(&self) -> Result<Vec<DeviceSession>, Error> {
        let (hub, authorization) = self.hub_and_authorization().await?;
        let answer = hub.get("/v1/sessions", Some(authorization.as_ref())).await?;
        let unreadable = |_| Error::new(ErrorKind::Untrusted, "the list of sessions does not read");
        serde_json::from_slice(&answer).map_err(unreadable)
    }

    /// Signs out there: ends one of the person's sessions. If the device is `lost`, what it sends from now on is kept
    /// for the office and not taken as the person's.
    ///
    /// # Errors
    /// `Offline`, `SessionEnded`; `NotFound` if it has ended already.
    pub async fn end_session(&self, id: &str, lost: bool) -> Result<(), Error> {
        let (hub, authorization) = self.hub_and_authorization().await?;
        let body = serde_json::json!({ "id": id, "lost": lost }).to_string().into_bytes();
        hub.post("/v1/sessions/end", Some(authorization.as_ref()), "application/json", body).await?;
        Ok(())
    }

    /// Logs out: sends what was written if there is a connection, ends the session here and at the school (later if
    /// there is no connection), and purges what the device holds of the register, with its keys. What was not sent
    /// stays, sealed, until the same person logs in again (PROTOCOL §8).
    ///
    /// # Errors
    /// `Storage`, `Locked`: the session is still there.
    pub async fn logout(&self) -> Result<LogoutReport, Error> {
        if self.device().unsent() > 0 {
            // Whatever stands in its way: it stays.
            let _ = tokio::time::timeout(LAST_SYNC, self.sync()).await;
        }
        // Of a sync that is under way nothing is applied after this.
        let _one = self.inner.syncing.lock().await;
        if let Some(login) = &self.inner.login {
            // A page that is still open in a browser logs nobody in again.
            login.forget().await?;
        }
        let told = match self.keeper().await? {
            Some(keeper) => keeper.logout().await?,
            None => true,
        };
        self.set_current(None);
        if self.lease_is_over() {
            // What it locked is purged all the same.
            self.inner.store.resume()?;
        }
        let mut device = self.inner.device.lock().unwrap_or_else(PoisonError::into_inner);
        device.forget_documents()?;
        Ok(LogoutReport { unsent: device.unsent(), told })
    }

    /// Logs in at a development hub, by staff code, pupil number or a guardian's fiscal code. The device's key is
    /// made and certified at the first login.
    ///
    /// # Errors
    /// `Offline`, `Untrusted`, `Storage`; `NotAllowed` if the store belongs to somebody else.
    pub async fn log_in_for_development(&self, person: &str) -> Result<Profile, Error> {
        let hub = self.hub();
        let session = development::log_in(&hub, person).await?.session;
        self.owned_by(&session)?;
        self.had_contact()?;
        let profile = self.settle(&hub, &session, false).await?;
        self.set_current(Some(Current::Development(session.authorization)));
        Ok(profile)
    }

    /// After a sync, that is with a connection: the school hears of sessions that were ended without one.
    pub(crate) async fn flush_revocations(&self) {
        if let Some(login) = &self.inner.login {
            // Next time, then.
            let _ = login.flush_revocations().await;
        }
    }
}
