//! An authorization server that can be told to lie: what no honest one sends. What it is not told to get wrong it
//! does right and strictly, proofs included.
#![allow(dead_code, reason = "each test uses what it needs")]

pub mod http;
pub mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use registro_identity::jose::Algorithm;
use registro_identity::metadata::Endpoints;
use registro_identity::storage::{MemoryKeys, MemorySecrets};
use registro_identity::{
    BeginLogin, Environment, Login, LoginError, LoginOptions, Platform, SecretStore, SessionKeeper,
    StorageError, SystemEnvironment,
};
use registro_sync::http::{Transport, TransportOptions};
use zeroize::Zeroizing;

pub use server::{Forge, Server, Wrong};

/// The system's randomness, and a clock that a test moves.
#[derive(Default)]
pub struct Clock {
    pub ahead_ms: AtomicI64,
}

impl Environment for Clock {
    fn now(&self) -> i64 {
        SystemEnvironment.now() + self.ahead_ms.load(Ordering::SeqCst)
    }

    fn random(&self, out: &mut [u8]) {
        SystemEnvironment.random(out);
    }
}

/// A device.
pub struct Device {
    pub keys: Arc<MemoryKeys>,
    pub secrets: Arc<MemorySecrets>,
    pub clock: Arc<Clock>,
    pub seals_slowly: bool,
    pub timeout: std::time::Duration,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            keys: Arc::default(),
            secrets: Arc::default(),
            clock: Arc::default(),
            seals_slowly: false,
            timeout: std::time::Duration::from_millis(1_500),
        }
    }
}

/// A key store that takes its time, as hardware does.
struct Sealing {
    secrets: Arc<MemorySecrets>,
    slowly: bool,
}

impl SecretStore for Sealing {
    fn put(&self, name: &str, secret: &[u8]) -> Result<(), StorageError> {
        if self.slowly {
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        self.secrets.put(name, secret)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        self.secrets.get(name)
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.secrets.delete(name)
    }

    fn delete_all(&self) -> Result<(), StorageError> {
        self.secrets.delete_all()
    }
}

pub const REDIRECT: &str = "it.registro.app:/callback";

impl Device {
    pub fn platform(&self) -> Platform {
        let options = TransportOptions { timeout: self.timeout, ..TransportOptions::development() };
        Platform {
            transport: Transport::new(options).unwrap(),
            keys: Arc::clone(&self.keys) as _,
            secrets: Arc::new(Sealing { secrets: Arc::clone(&self.secrets), slowly: self.seals_slowly }),
            environment: Arc::clone(&self.clock) as _,
        }
    }

    /// The app, as it starts: what was sealed by another process is still there.
    pub fn login(&self, server: &Server) -> Login {
        let options = LoginOptions {
            issuer: server.url.clone(),
            client_id: "it.registro.app".to_owned(),
            scope: "openid offline_access register".to_owned(),
            resource: None,
            algorithms: Algorithm::ALL.to_vec(),
            endpoints: Endpoints::OnIssuer,
        };
        Login::new(options, self.platform())
    }

    /// What is sealed, as text, to search it.
    pub fn sealed(&self) -> String {
        let everything = self.secrets.everything();
        everything
            .iter()
            .map(|(name, secret)| format!("{name} {}\n", String::from_utf8_lossy(secret)))
            .collect()
    }
}

pub fn begin() -> BeginLogin {
    BeginLogin { redirect: REDIRECT.to_owned(), ..BeginLogin::default() }
}

/// A whole login.
pub async fn log_in(login: &Login, server: &Server, begin: BeginLogin) -> Result<SessionKeeper, LoginError> {
    let address = login.begin(begin).await?;
    login.complete(&server.approve(address.as_str())).await
}
