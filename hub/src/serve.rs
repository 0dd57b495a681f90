//! A hub on a data directory: database, key, registry and server put together.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::caller::{AuthorizeCaller, Nobody};
use crate::clock::{Clock, StandingClock, SystemClock};
use crate::dev::DevIssuer;
use crate::directory::TableRegistry;
use crate::error::HubError;
use crate::hub::Hub;
use crate::keys::{KeyFile, SchoolKeyVault};
use crate::log::schema;
use crate::random::SystemRandomness;
use crate::server::{Development, RunningHub, ServerParts, start};

/// How a hub serves.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The data directory: `hub.sqlite`, `school.key`.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
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
    let (callers, development): (Arc<dyn AuthorizeCaller>, _) = match config.dev_login {
        true => {
            let issuer = DevIssuer::new(Arc::clone(&hub));
            let random = Box::new(SystemRandomness::new());
            (Arc::new(issuer.clone()), Some(Development { issuer, clock: standing, random }))
        }
        false => (Arc::new(Nobody), None),
    };
    let mut running = start(ServerParts { hub, callers, clock, development }, config.listen).await?;
    running.hold(lock);
    Ok(running)
}

/// Opens the hub of a data directory without serving.
pub fn open(data: &Path, now_ms: i64) -> Result<Hub, HubError> {
    let mut random = SystemRandomness::new();
    let database = schema::open(&database_path(data))?;
    let key = KeyFile::in_directory(data).school_key(&mut random)?;
    Hub::open(database, Box::new(TableRegistry::default()), key, Box::new(random), now_ms)
}
