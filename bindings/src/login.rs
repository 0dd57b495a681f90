//! Logging in and out. The app opens the address in the system's browser and hands back where it came back to.

use registro_model::{PersonId, SchoolId};

use crate::error::RegistroError;
use crate::register::Registro;
use crate::work::detached;

/// In which way a person logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum LoginMethod {
    /// SPID.
    Spid,
    /// The electronic identity card (*CIE*).
    Cie,
    /// The school's own credentials, as long as the school allows them.
    School,
}

/// How surely somebody showed who they are (*livello*), as SPID and CIE count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, uniffi::Enum)]
pub enum Level {
    /// One factor: a password.
    L1,
    /// Two factors. Marks and councils need it.
    L2,
    /// Two factors, one of which is a card or the like.
    L3,
}

/// A login to begin.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LoginRequest {
    /// In which way, if the person has chosen in the app; else the school's page asks.
    #[uniffi(default = None)]
    pub method: Option<LoginMethod>,
    /// The least level that will do. Teachers take `L2`, families `L1`.
    pub level: Level,
    /// Whether the school's pages begin in English instead of Italian.
    #[uniffi(default = false)]
    pub english: bool,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Profile {
    /// The school.
    pub school: SchoolId,
    /// The school's name; empty at a hub that was started for development.
    pub school_name: String,
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// What the person is today: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`. One person may be several;
    /// each role object signs in its own capacity.
    pub roles: Vec<String>,
    /// How surely they showed who they are.
    pub level: Option<Level>,
}

/// The session of a register, as the device knows it without a connection.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SessionView {
    /// The level reached at the login.
    pub level: Option<Level>,
    /// Whether it has ended: the person has to log in. What is on the device can still be read and written.
    pub ended: bool,
}

/// One of the person's sessions at the school.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DeviceSession {
    /// Its id, for `endSession`.
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
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogoutReport {
    /// Entries that are not sent. They stay on this device, sealed, and leave at the next login of the same person: tell
    /// them.
    pub unsent: u32,
    /// Whether the school has heard of it. If not, it hears at the next sync.
    pub told: bool,
}

#[uniffi::export]
impl Registro {
    /// Begins a login and gives the address to open at once in the system's browser: a Custom Tab,
    /// `ASWebAuthenticationSession`, never a WebView. What is needed to end it is sealed before this returns and survives
    /// the end of the app. With a session it raises its level, or renews it.
    ///
    /// # Errors
    /// `Offline`, `HubUnavailable`, `WrongClock`, `Untrusted`, `Misconfigured`; `Locked`, `KeyLost`, `Storage` of the
    /// platform's keys and secrets.
    pub async fn begin_login(&self, request: LoginRequest) -> Result<String, RegistroError> {
        let registro = self.inner.clone();
        detached(async move { registro.begin_login(request.into()).await }).await
    }

    /// Ends a login with the whole address that the browser came back to. At the first login the device's key is made
    /// and certified by the school, and the store becomes this person's.
    ///
    /// # Errors
    /// `Untrusted`: the address is not of the login that is open, or an answer is not safe to use; do not try again by
    /// yourself. `Cancelled`. `Offline`: call it again with the same address, soon. `HigherLevelNeeded`: the level was not
    /// reached. `NotEntitled`. `NotAllowed`: the store belongs to somebody else; nobody is logged in then.
    pub async fn complete_login(&self, callback: String) -> Result<Profile, RegistroError> {
        let registro = self.inner.clone();
        Ok(detached(async move { registro.complete_login(&callback).await }).await?.into())
    }

    /// Notes that the person closed the browser, or that the system says so. If it comes back all the same, hand the
    /// address to `completeLogin`: fetching a one-time code in another app looks like giving up.
    ///
    /// # Errors
    /// `Locked`, `Storage`.
    pub async fn abort_login(&self) -> Result<(), RegistroError> {
        let registro = self.inner.clone();
        detached(async move { registro.abort_login().await }).await
    }

    /// When the login was begun that is open in the browser, Unix milliseconds, if one is: offer to go on with it
    /// (*Riprendi l'accesso*) or to begin anew. For 24 hours.
    ///
    /// # Errors
    /// `Locked`, `Storage`.
    pub async fn pending_login(&self) -> Result<Option<i64>, RegistroError> {
        let registro = self.inner.clone();
        detached(async move { registro.pending_login().await }).await
    }

    /// The session of this register, if somebody is logged in. Needs no connection.
    ///
    /// # Errors
    /// `Locked`, `Storage`.
    pub async fn session(&self) -> Result<Option<SessionView>, RegistroError> {
        let registro = self.inner.clone();
        let session = detached(async move { registro.session().await }).await?;
        Ok(session.map(|session| SessionView { level: session.level.map(Level::from), ended: session.ended }))
    }

    /// The person's sessions at the school, on all devices, the last used first.
    ///
    /// # Errors
    /// `Offline`, `SessionEnded`, `NotLoggedIn`.
    pub async fn sessions(&self) -> Result<Vec<DeviceSession>, RegistroError> {
        let registro = self.inner.clone();
        let sessions = detached(async move { registro.sessions().await }).await?;
        Ok(sessions.into_iter().map(DeviceSession::from).collect())
    }

    /// Signs out there: ends one of the person's sessions. If the device is `lost`, what it sends from now on is kept for
    /// the office and not taken as the person's.
    ///
    /// # Errors
    /// `Offline`, `SessionEnded`; `NotFound` if it has ended already.
    pub async fn end_session(&self, id: String, lost: bool) -> Result<(), RegistroError> {
        let registro = self.inner.clone();
        detached(async move { registro.end_session(&id, lost).await }).await
    }

    /// Logs out: sends what was written if there is a connection, ends the session here and at the school, and purges what
    /// the device holds of the register. What was not sent stays, sealed, until the same person logs in again.
    ///
    /// # Errors
    /// `Storage`, `Locked`: the session is still there.
    pub async fn logout(&self) -> Result<LogoutReport, RegistroError> {
        let registro = self.inner.clone();
        let report = detached(async move { registro.logout().await }).await?;
        Ok(LogoutReport { unsent: u32::try_from(report.unsent).unwrap_or(u32::MAX), told: report.told })
    }

    /// Logs in at a hub that was started for development, by staff code, pupil number, a guardian's fiscal code or a
    /// person's id. At the first login the device's key is made and certified. A school's hub does not offer it.
    ///
    /// # Errors
    /// `Offline`, `Untrusted`, `Storage`; `NotAllowed` if the store belongs to somebody else.
    pub async fn log_in_for_development(&self, person: String) -> Result<Profile, RegistroError> {
        let registro = self.inner.clone();
        Ok(detached(async move { registro.log_in_for_development(&person).await }).await?.into())
    }
}

impl From<LoginRequest> for registro::LoginRequest {
    fn from(request: LoginRequest) -> Self {
        Self {
            method: request.method.map(registro::identity::LoginMethod::from),
            level: request.level.into(),
            english: request.english,
        }
    }
}

impl From<LoginMethod> for registro::identity::LoginMethod {
    fn from(method: LoginMethod) -> Self {
        match method {
            LoginMethod::Spid => Self::Spid,
            LoginMethod::Cie => Self::Cie,
            LoginMethod::School => Self::School,
        }
    }
}

impl From<Level> for registro::identity::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::L1 => Self::L1,
            Level::L2 => Self::L2,
            Level::L3 => Self::L3,
        }
    }
}

impl From<registro::identity::Level> for Level {
    fn from(level: registro::identity::Level) -> Self {
        use registro::identity::Level as Theirs;
        match level {
            Theirs::L1 => Self::L1,
            Theirs::L2 => Self::L2,
            Theirs::L3 => Self::L3,
        }
    }
}

impl From<registro::Profile> for Profile {
    fn from(profile: registro::Profile) -> Self {
        Self {
            school: profile.school,
            school_name: profile.school_name,
            person: profile.person,
            name: profile.name,
            roles: profile.roles,
            level: profile.level.map(Level::from),
        }
    }
}

impl From<registro::DeviceSession> for DeviceSession {
    fn from(session: registro::DeviceSession) -> Self {
        Self {
            id: session.id,
            device: session.device,
            method: session.method,
            level: session.level,
            created: session.created,
            last_used: session.last_used,
            this: session.this,
        }
    }
}
