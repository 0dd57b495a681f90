//! A hub on a data directory: database, key, registry and server put together.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::caller::AuthorizeCaller;
use crate::clock::{Clock, StandingClock, SystemClock};
use crate::dev::{DevIssuer, SideBySide};
use crate::directory::TableRegistry;
use crate::error::HubError;
use crate::hub::Hub;
use crate::identity::config::IdentityConfig;
use crate::identity::issuer::Issuer;
use crate::identity::{self, Identity};
use crate::keys::{KeyFile, SchoolKeyVault};
use crate::log::schema;
use crate::random::SystemRandomness;
use crate::server::{Development, RunningHub, ServerParts, start_on};

/// How a hub serves.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The data directory: `hub.sqlite`, `school.key`.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The settings of the login; `identity.toml` in the data directory if absent.
    pub identity: Option<PathBuf>,
    /// Where browsers and apps reach the hub, instead of what the settings say.
    pub public_url: Option<url::Url>,
    /// Hands out tokens without proof. For development and tests only.
    pub dev_login: bool,
    /// Starts with a clock that stands at this instant (Unix milliseconds). Only with `dev_login`.
    pub standing_clock: Option<i64>,
}

/// The database of a data directory.
pub fn database_path(data: &Path) -> PathBuf {
    data.join("hub.sqlite")
}

/// Takes the data directory for one process: a hub that serves, or a restore. Held as long as the file is.
pub fn take_directory(data: &Path) -> Result<File, HubError> {
    let file = File::options().create(true).truncate(false).write(true).open(data.join("hub.lock"))?;
    file.try_lock()
        .map_err(|_| HubError::Forbidden("another process serves or restores this data directory"))?;
    Ok(file)
}

/// Opens the hub of a data directory, founds what is missing, and serves in the background. The directory stays
/// taken until the process ends.
///
/// # Errors
/// [`HubError::Registry`] if no school was imported; [`HubError::Forbidden`] if another process serves the
/// directory, or a clock is given without `dev_login`.
pub async fn serve(config: ServeConfig) -> Result<RunningHub, HubError> {
    if config.standing_clock.is_some() && !config.dev_login {
        return Err(HubError::Forbidden("a clock of one's own needs the development login"));
    }
    // Whoever reaches a hub with it is whoever they say they are.
    if config.dev_login && !config.listen.ip().is_loopback() {
        return Err(HubError::Forbidden("the development login is for this very device"));
    }
    let lock = take_directory(&config.data)?;
    let standing = config.standing_clock.map(|at| Arc::new(StandingClock::at(at)));
    let clock: Arc<dyn Clock> = match &standing {
        Some(standing) => Arc::clone(standing) as Arc<dyn Clock>,
        None => Arc::new(SystemClock),
    };
    let (data, now) = (config.data.clone(), clock.now());
    let hub =
        tokio::task::spawn_blocking(move || open(&data, now)).await.map_err(|_| HubError::Poisoned)??;
    let hub = Arc::new(hub);
    let mut settings = match &config.identity {
        Some(file) => IdentityConfig::read(file)?,
        None => IdentityConfig::of_directory(&config.data)?,
    };
    if config.public_url.is_some() {
        settings.public_url = config.public_url;
    }
    let listener = tokio::net::TcpListener::bind(config.listen).await?;
    let issuer = issuer_of(&settings, listener.local_addr()?)?;
    if config.dev_login && issuer.is_secure() {
        return Err(HubError::Forbidden("the development login is not for a hub with a public address"));
    }
    let identity = Arc::new(Identity::open(
        Arc::clone(&hub),
        Arc::clone(&clock),
        settings,
        issuer,
        &config.data,
        Box::new(SystemRandomness::new()),
    )?);
    let login = identity::callers(&identity)?;
    let (callers, development): (Arc<dyn AuthorizeCaller>, _) = match config.dev_login {
        true => {
            let issuer = DevIssuer::new(Arc::clone(&hub));
            let random = Box::new(SystemRandomness::new());
            let callers = SideBySide { development: issuer.clone(), login };
            (Arc::new(callers), Some(Development { issuer, clock: standing, random }))
        }
        false => (login, None),
    };
    let parts = ServerParts { hub, callers, clock, identity: Some(identity), development };
    let mut running = start_on(parts, listener)?;
    running.hold(lock);
    Ok(running)
}

/// The hub's name: its public address, or, for development, where it listens.
fn issuer_of(settings: &IdentityConfig, address: SocketAddr) -> Result<Issuer, HubError> {
    match &settings.public_url {
        Some(url) => Issuer::new(url),
        None => {
            let url = format!("http://{address}").parse();
            Issuer::new(&url.map_err(|_| HubError::Forbidden("an address that is no URL"))?)
        }
    }
}

/// Opens the hub of a data directory without serving.
pub fn open(data: &Path, now_ms: i64) -> Result<Hub, HubError> {
    let mut random = SystemRandomness::new();
    let database = schema::open(&database_path(data))?;
    let key = KeyFile::in_directory(data).school_key(&mut random)?;
    Hub::open(database, Box::new(TableRegistry::default()), key, Box::new(random), now_ms)
}
