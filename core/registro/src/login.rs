//! Logging in and out. The browser and the prompt belong to the app; everything else is here.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use registro_identity::jose::Algorithm;
use registro_identity::metadata::Endpoints;
use registro_identity::{
    BeginLogin, Environment as LoginEnvironment, IdentityError, Level, Login, LoginError, LoginMethod,
    LoginOptions, Platform, SecretStore, Session, SessionKeeper, SigningKeys, Unsafe, development, enrolment,
};
use registro_model::{PersonId, SchoolId};
use registro_sync::device::Account;
use registro_sync::http::{Authorization, HubClient, Transport};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::blocked::note_owner;
use crate::error::{Error, ErrorKind};
use crate::registro::Registro;
use crate::scoped_secrets::ScopedSecrets;

/// Where the browser comes back to if the app does not say (RFC 8252 §7.1).
const REDIRECT: &str = "it.registro.app:/callback";
/// How long a logout waits for what was written to be sent first.
const LAST_SYNC: Duration = Duration::from_secs(20);

/// What the platform lends to the login.
#[derive(Clone)]
pub struct LoginSetup {
    /// Keys that sign and never leave the platform.
    pub keys: Arc<dyn SigningKeys>,
    /// Secrets that outlive the process; one for all stores of the app.
    pub secrets: Arc<dyn SecretStore>,
    /// The address that the browser comes back to, as the school registered it: a claimed `https` address, or
    /// `it.registro.app:/callback`.
    pub redirect: String,
    /// The authorization server, if it is not the hub: a region's, or the school's own.
    pub issuer: Option<String>,
    /// What the list of the person's devices calls this one, such as "Tablet 3A".
    pub device_label: Option<String>,
    /// Clock and randomness of the login; the system's if absent.
    pub environment: Option<Arc<dyn LoginEnvironment>>,
}

impl LoginSetup {
    /// The usual: at the hub, back to the app's own scheme.
    pub fn new(keys: Arc<dyn SigningKeys>, secrets: Arc<dyn SecretStore>) -> Self {
        Self {
            keys,
            secrets,
            redirect: REDIRECT.to_owned(),
            issuer: None,
            device_label: None,
            environment: None,
        }
    }

    /// The secrets of one store.
    pub(crate) fn secrets_of(&self, scope: &str) -> Arc<dyn SecretStore> {
        Arc::new(ScopedSecrets::new(Arc::clone(&self.secrets), scope))
    }

    /// The login of one store. `scope` is the store's name; `unpinned` reaches an authorization server that is not
    /// the hub: pins are the hub's.
    pub(crate) fn login(&self, hub: &HubClient, unpinned: Transport, scope: &str) -> Login {
        let mut options = LoginOptions::hub(self.issuer.as_deref().unwrap_or(hub.base()));
        // The tokens are for the hub, whoever gives them.
        options.resource = Some(format!("{}/v1", hub.base()));
        if self.issuer.is_some() {
            // The hub chooses where its endpoints are and how it signs; others choose for themselves.
            options.endpoints = Endpoints::Anywhere;
            options.algorithms = Algorithm::ALL.to_vec();
        }
        let platform = Platform {
            transport: if self.issuer.is_some() { unpinned } else { hub.transport().clone() },
            keys: Arc::clone(&self.keys),
            secrets: self.secrets_of(scope),
            environment: self
                .environment
                .clone()
                .unwrap_or_else(|| Arc::new(registro_identity::SystemEnvironment)),
        };
        Login::new(options, platform)
    }
}

/// A login to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginRequest {
    /// In which way, if the person has chosen in the app already; else the hub's page asks.
    pub method: Option<LoginMethod>,
    /// The least level that will do: teachers take L2, because marks need it.
    pub level: Level,
    /// The language of the pages: Italian, or English.
    pub english: bool,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The school.
    pub school: SchoolId,
    /// The school's name.
    pub school_name: String,
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// What the person is today: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`. One person may be
    /// several; each role object signs in its own capacity.
    pub roles: Vec<String>,
    /// How surely they showed who they are.
    pub level: Option<Level>,
}

/// The session of this register, as the device knows it without a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The level reached at the login.
    pub level: Option<Level>,
    /// Whether it has ended: the person has to log in. Everything on the device can still be read and written.
    pub ended: bool,
}

/// One of the person's sessions at the school.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeviceSession {
    /// Its id, for [`Registro::end_session`].
    pub id: String,
    /// What the person calls the device.
    pub device: Option<String>,
    /// `spid`, `cie` or `school`.
    pub method: String,
    /// Its level, 1 to 3.
    pub level: u8,
    /// When the login was, Unix milliseconds.
    pub created: i64,
    /// When it was last used, Unix milliseconds.
    pub last_used: i64,
    /// Whether it is this one.
    pub this: bool,
}

/// What a logout left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutReport {
    /// Entries that are not sent. They stay on this device, sealed, and leave at the next login of the same person:
    /// tell them.
    pub unsent: usize,
    /// Whether the school has heard of it. If not, it hears as soon as there is a connection and the app runs.
    pub told: bool,
}

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

    /// # Errors
    /// `NotAllowed` if the store is another person's.
    fn owned_by(&self, session: &Session) -> Result<(), Error> {
        let owner = self.device().account().map(|account| (account.school, account.person));
        match owner {
            Some(owner) if owner != (session.school, session.person) => Err(another_person()),
            _ => Ok(()),
        }
    }

    /// Sees to it that the school has certified this device's key for the person of the session, and makes the store
    /// theirs at the first login. `certify` asks for the certificate also where one is held: the hub then knows
    /// which device the session is on.
    async fn settle(&self, hub: &HubClient, session: &Session, certify: bool) -> Result<Profile, Error> {
        let label = self.inner.device_label.as_deref();
        self.owned_by(session)?;
        let owned = self.device().account().is_some();
        match owned {
            true => {
                let key = {
                    let device = self.device();
                    let due = certify || device.needs_certificate();
                    device.account().filter(|_| due).map(Account::key)
                };
                if let Some(key) = key {
                    match enrolment::enrol(hub, session, &key, label).await {
                        Ok(certificate) => self.device().renew(certificate)?,
                        // The device was reported lost. What it holds still goes to the office, and says so.
                        Err(IdentityError::Login(LoginError::NotEntitled)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            false => {
                let seed: Zeroizing<[u8; 32]> = Zeroizing::new(self.device().draw());
                let key = registro_documents::SigningKey::from_seed(&seed);
                let certificate = enrolment::enrol(hub, session, &key, label).await?;
                let account = Account {
                    school: session.school,
                    school_key: session.school_key,
                    person: session.person,
                    seed: *seed,
                    certificate,
                };
                self.device().enrol(account)?;
            }
        }
        if let Some(lease) = &self.inner.lease {
            note_owner(lease.secrets(), session.person)?;
        }
        Ok(Profile {
            school: session.school,
            school_name: session.school_name.clone(),
            person: session.person,
            name: session.name.clone(),
            roles: session.roles.clone(),
            level: session.level,
        })
    }

    /// Before anything is asked of the hub: what a login could not do for want of a connection, a certificate that has
    /// run out, a lease that is over. A session that the hub has not named the person of is used for nothing else: the
    /// store may be somebody else's.
    async fn settle_if_due(&self) -> Result<(), Error> {
        let Some(keeper) = self.keeper().await? else { return Ok(()) };
        let locked = self.lease_is_over();
        let due = self.device().needs_certificate();
        if !locked
            && !due
            && self.inner.settled.lock().unwrap_or_else(PoisonError::into_inner).as_deref()
                == Some(&keeper.id())
        {
            return Ok(());
        }
        let hub = self.hub();
        let session = Session::of(&hub, &keeper).await?;
        let settled = async {
            self.owned_by(&session)?;
            self.had_contact()?;
            self.settle(&hub, &session, due).await
        };
        match settled.await {
            Err(error) if error.kind == ErrorKind::NotAllowed => {
                self.set_current(None);
                keeper.logout().await?;
                Err(error)
            }
            settled => {
                settled?;
                self.set_settled(&keeper);
                Ok(())
            }
        }
    }

    fn set_settled(&self, keeper: &SessionKeeper) {
        *self.inner.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper.id());
    }

    /// After a sync, that is with a connection: the school hears of sessions that were ended without one.
    pub(crate) async fn flush_revocations(&self) {
        if let Some(login) = &self.inner.login {
            // Next time, then.
            let _ = login.flush_revocations().await;
        }
    }
}

fn another_person() -> Error {
    Error::new(ErrorKind::NotAllowed, "the store belongs to another person")
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        let kind = match &error {
            LoginError::Cancelled => ErrorKind::Cancelled,
            LoginError::Offline => ErrorKind::Offline,
            LoginError::HubUnavailable { .. } => ErrorKind::HubUnavailable,
            LoginError::SessionEnded => ErrorKind::SessionEnded,
            LoginError::HigherLevelNeeded { .. } => ErrorKind::HigherLevelNeeded,
            LoginError::NotEntitled => ErrorKind::NotEntitled,
            LoginError::WrongClock => ErrorKind::WrongClock,
            LoginError::Locked => ErrorKind::Locked,
            LoginError::KeyLost => ErrorKind::KeyLost,
            LoginError::Storage => ErrorKind::Storage,
            LoginError::UnsafeResponse(_) => ErrorKind::Untrusted,
            LoginError::Misconfigured(_) => ErrorKind::Misconfigured,
        };
        let (italian, english) = (error.italian().to_owned(), error.english().to_owned());
        Self { italian, english, ..Self::new(kind, error.to_string()) }
    }
}

impl From<IdentityError> for Error {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Login(error) => error.into(),
            other => Self::new(ErrorKind::Untrusted, other.to_string()),
        }
    }
}
