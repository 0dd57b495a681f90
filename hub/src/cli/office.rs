//! What the office's commands work on: the school's people and their credentials, also while the hub serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{Clock, SystemClock, parse_instant};
use crate::directory::reading;
use crate::error::HubError;
use crate::identity::Randomness;
use crate::identity::config::IdentityConfig;
use crate::identity::credentials::Credentials;
use crate::identity::issuer::Issuer;
use crate::identity::store::IdentityStore;
use crate::log::schema;
use crate::random::SystemRandomness;
use crate::registry::Registered;
use crate::serve::database_path;

/// Where the data and the settings are.
#[derive(Debug, Clone, clap::Args)]
pub struct OfficeArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data")]
    pub data: PathBuf,
    /// Settings of the login; `identity.toml` in the data folder if absent.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// Where browsers reach the hub (https), instead of what the settings say.
    #[arg(long)]
    pub public_url: Option<url::Url>,
    /// Development only: the instant (RFC 3339) that counts as now.
    #[arg(long, value_parser = instant)]
    pub clock: Option<i64>,
}

fn instant(text: &str) -> Result<i64, &'static str> {
    parse_instant(text).ok_or("expected an instant like 2026-11-23T07:30:00+01:00")
}

impl OfficeArguments {
    /// The commands of a data directory, with nothing else said.
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_owned(), identity: None, public_url: None, clock: None }
    }

    /// What counts as now, Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.unwrap_or_else(|| SystemClock.now())
    }
}

/// The school's people and their credentials.
pub struct Office {
    /// The people, as the last import has them.
    pub registered: Registered,
    /// The settings.
    pub config: IdentityConfig,
    /// The credentials.
    pub credentials: Credentials,
    /// The login's database.
    pub store: Arc<IdentityStore>,
    /// The hub's public address, if the settings say one.
    pub issuer: Option<Issuer>,
    database: rusqlite::Connection,
}

impl Office {
    /// Opens a data directory.
    pub fn open(arguments: &OfficeArguments) -> Result<Self, HubError> {
        let database = schema::open(&existing(&arguments.data)?)?;
        let registered = reading::load(&database)?;
        let mut config = match &arguments.identity {
            Some(file) => IdentityConfig::read(file)?,
            None => IdentityConfig::of_directory(&arguments.data)?,
        };
        if arguments.public_url.is_some() {
            config.public_url.clone_from(&arguments.public_url);
        }
        let issuer = config.public_url.as_ref().map(Issuer::new).transpose()?;
        let store = Arc::new(IdentityStore::open(&arguments.data)?);
        let random = Randomness::new(Box::new(SystemRandomness::new()));
        let nowhere = || {
            let url = url::Url::parse("http://127.0.0.1").map_err(|_| HubError::Stored("an address"))?;
            Issuer::new(&url)
        };
        let links = issuer.clone().map_or_else(nowhere, Ok)?;
        let credentials = Credentials::open(&arguments.data, Arc::clone(&store), random, &config, &links)?;
        Ok(Self { registered, config, credentials, store, issuer, database })
    }

    /// The person whom the office knows by a code: of the staff, or a pupil's number.
    pub fn by_code(&self, code: &str) -> Result<registro_model::PersonId, HubError> {
        use crate::registry::Registry;
        let found = crate::directory::TableRegistry::default().person_by_code(&self.database, code)?;
        found.ok_or(HubError::Unknown("person"))
    }

    /// The person of a fiscal code.
    pub fn by_fiscal_code(&self, code: &str) -> Result<registro_model::PersonId, HubError> {
        use crate::registry::Registry;
        let code = code.trim().to_uppercase();
        let found =
            crate::directory::TableRegistry::default().person_by_fiscal_code(&self.database, &code)?;
        found.ok_or(HubError::Unknown("person"))
    }
}

fn existing(data: &Path) -> Result<PathBuf, HubError> {
    let path = database_path(data);
    match path.is_file() {
        true => Ok(path),
        false => Err(HubError::Registry("no school was imported into this folder".to_owned())),
    }
}
