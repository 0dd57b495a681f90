//! A real hub over a socket, in this process.

use std::path::Path;
use std::sync::Arc;

use registro_hub::dev::DevIssuer;
use registro_hub::directory::{self, TableRegistry};
use registro_hub::keys::{KeyFile, SchoolKeyVault};
use registro_hub::server::{self, Development, ServerParts};
use registro_hub::{Hub, HubError, RunningHub, StandingClock, SystemRandomness};

/// Folder of the sample school.
pub fn sample_school() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/istituto"))
}

/// Imports a school into a hub's folder.
pub fn import(files: &Path, data: &Path) -> Result<(), String> {
    let (school, report) = registro_hub::import::read(files);
    let Some(school) = school else {
        let first = report.errors.first();
        return Err(first.map_or_else(String::new, |p| format!("{} {}: {}", p.file, p.line, p.reason)));
    };
    let apply = || -> Result<(), HubError> {
        let mut database = registro_hub::log::schema::open(&data.join("hub.sqlite"))?;
        let tx = database.transaction()?;
        let mut random = SystemRandomness::new();
        directory::apply(&tx, &school, &mut |out| registro_hub::Random::fill(&mut random, out))?;
        tx.commit()?;
        Ok(())
    };
    apply().map_err(|error| error.to_string())
}

/// Starts a development hub on loopback over a folder with an imported school.
pub async fn start(data: &Path, clock: Arc<StandingClock>) -> Result<RunningHub, HubError> {
    let mut random = SystemRandomness::new();
    let key = KeyFile::in_directory(data).school_key(&mut random)?;
    let database = registro_hub::log::schema::open(&data.join("hub.sqlite"))?;
    let now = registro_hub::Clock::now(clock.as_ref());
    let hub = Hub::open(database, Box::<TableRegistry>::default(), key, Box::new(random), now)?;
    let hub = Arc::new(hub);
    let issuer = DevIssuer::new(Arc::clone(&hub));
    let parts = ServerParts {
        hub: Arc::clone(&hub),
        callers: Arc::new(issuer.clone()),
        clock: Arc::clone(&clock) as _,
        identity: None,
        development: Some(Development {
            issuer,
            clock: Some(clock),
            random: Box::new(SystemRandomness::new()),
        }),
    };
    server::start(parts, ([127, 0, 0, 1], 0).into()).await
}
