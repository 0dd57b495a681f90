//! The sample school with its login, and people of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use registro::identity::storage::{MemoryKeys, MemorySecrets};
use registro::{LoginSetup, OpenOptions, Registro};
use registro_hub::cli::office::{Office, OfficeArguments};
use registro_hub::serve::{ServeConfig, serve};
use registro_hub::{RunningHub, clock::parse_instant};
use registro_model::{Date, PersonId};
use registro_store::MemoryVault;
use registro_tests::clock::{SeededEnvironment, SharedClock};
use registro_tests::hub::{import, sample_school};
use registro_tests::login::{Credentials, first_access, issue, log_in, second_factor};
use registro_tests::platform::LoginClock;
use tempfile::TempDir;

/// A Monday with lessons.
pub fn day() -> Date {
    "2026-11-23".parse().unwrap()
}

/// The hub, people's credentials, and a clock that all share.
pub struct School {
    pub hub: RunningHub,
    pub clock: SharedClock,
    folder: TempDir,
}

/// A device: its store, and what its platform keeps.
pub struct Tablet {
    pub vault: MemoryVault,
    pub keys: Arc<MemoryKeys>,
    pub secrets: Arc<MemorySecrets>,
    store: PathBuf,
    hub: String,
    clock: SharedClock,
    seed: u64,
}

/// The data of a hub that has founded the school's documents, which takes some seconds: once for all tests.
fn founded(now: i64) -> &'static Path {
    static FOUNDED: OnceLock<TempDir> = OnceLock::new();
    let folder = FOUNDED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        import(sample_school(), folder.path()).unwrap();
        drop(registro_hub::serve::open(folder.path(), now).unwrap());
        folder
    });
    folder.path()
}

impl School {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hub");
        std::fs::create_dir(&data).unwrap();
        let morning = parse_instant("2026-11-23T07:30:00+01:00").unwrap();
        for entry in std::fs::read_dir(founded(morning)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), data.join(entry.file_name())).unwrap();
        }
        let clock = SharedClock::at(morning);
        let hub = serve(ServeConfig {
            data,
            listen: ([127, 0, 0, 1], 0).into(),
            identity: None,
            public_url: None,
            dev_login: true,
            standing_clock: Some(morning),
        })
        .await
        .unwrap();
        Self { hub, clock, folder }
    }

    /// The person of a code of the school's files.
    pub fn person(&self, code: &str) -> PersonId {
        self.hub.hub.person_by_code(code).unwrap().unwrap()
    }

    /// Credentials of a person who has set a password.
    pub async fn credentials(&self, person: PersonId) -> Credentials {
        let printed = issue(&self.folder.path().join("hub"), &[person], self.clock.now()).unwrap();
        first_access(&self.hub.url(), &printed[0]).await.unwrap()
    }

    /// The head sets the last day of the school's credentials.
    pub fn last_day(&self, day: &str) {
        let office = Office::open(&OfficeArguments::of(&self.folder.path().join("hub"))).unwrap();
        office.credentials.set_until(Some(day.parse().unwrap())).unwrap();
    }

    /// What the person's new authenticator app shows.
    pub fn second_factor(&self, person: PersonId) -> String {
        second_factor(&self.folder.path().join("hub"), person, self.clock.now()).unwrap()
    }

    /// A new device.
    pub fn tablet(&self, seed: u64) -> Tablet {
        Tablet {
            vault: MemoryVault::default(),
            keys: Arc::default(),
            secrets: Arc::default(),
            store: self.folder.path().join(format!("device-{seed}")),
            hub: self.hub.url(),
            clock: self.clock.clone(),
            seed,
        }
    }

    /// A register on a new device, logged in with the school's credentials and synced.
    pub async fn logged_in(&self, seed: u64, credentials: &Credentials) -> (Tablet, Registro) {
        let tablet = self.tablet(seed);
        let registro = tablet.open();
        log_in(&registro, credentials).await.unwrap();
        registro.sync().await.unwrap();
        (tablet, registro)
    }

    /// Moves both clocks.
    pub async fn later(&self, minutes: i64) {
        let now = self.clock.now() + minutes * 60_000;
        self.clock.set(now);
        let client = registro_sync::http::HubClient::for_development(&self.hub.url()).unwrap();
        let now = chrono::DateTime::from_timestamp_millis(now).unwrap().to_rfc3339();
        let body = serde_json::json!({ "now": now }).to_string().into_bytes();
        client.post("/dev/clock", None, "application/json", body).await.unwrap();
    }
}

impl Tablet {
    /// Opens its store, as the app does at its start.
    pub fn open(&self) -> Registro {
        Registro::open(self.options(), &self.vault).unwrap()
    }

    /// What it is opened with.
    pub fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::for_development(&self.store, &self.hub);
        options.environment = Some(Box::new(SeededEnvironment::new(self.clock.clone(), self.seed)));
        options.durable = false;
        options.login = Some(self.login());
        options
    }

    /// What its platform lends to the login.
    pub fn login(&self) -> LoginSetup {
        let mut login = LoginSetup::new(self.keys.clone(), self.secrets.clone());
        login.environment = Some(Arc::new(LoginClock(self.clock.clone())));
        login.device_label = Some(format!("Tablet {}", self.seed));
        login
    }
}
