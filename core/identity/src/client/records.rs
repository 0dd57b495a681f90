//! What is sealed on the device: the login under way, sessions, tokens to be given back. One server's records have
//! names of their own, so that those of two schools never mix; the names say nothing about a person.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

use super::blocking;
use super::options::LoginOptions;
use crate::error::LoginError;
use crate::secret::Secret;
use crate::storage::SecretStore;

/// Longest time that a login may stay open in the browser (our choice: a parent may approve a minor's SPID login up
/// to 24 hours later).
const PENDING_MS: i64 = 24 * 60 * 60 * 1_000;

/// The login under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    pub state: Secret,
    pub nonce: Secret,
    pub verifier: Secret,
    pub redirect: String,
    /// The device's key that the code is bound to.
    pub alias: String,
    /// The session that it renews, if it does.
    pub account: Option<String>,
    pub acr: Option<String>,
    pub max_age: Option<u64>,
    /// Unix milliseconds by the device's clock.
    pub begun: i64,
    /// The app reported that the person gave up. The browser may still come back.
    pub aborted: bool,
}

impl Pending {
    pub fn is_open(&self, now: i64) -> bool {
        (now - PENDING_MS..=now + PENDING_MS).contains(&self.begun)
    }
}

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Account {
    pub id: String,
    pub alias: String,
    /// The person, as the server names them; absent where no ID token was asked for.
    pub subject: Option<String>,
    pub acr: Option<String>,
    pub auth_time: Option<i64>,
    pub access: Option<Secret>,
    /// Unix milliseconds by the server's clock; absent if the server does not say.
    pub access_until: Option<i64>,
    pub refresh: Option<Secret>,
}

/// A token to be given back, with the key that it is bound to. Kept for that call only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Owed {
    pub token: Secret,
    pub is_refresh: bool,
    pub alias: String,
    /// Whether the key goes with it.
    pub delete_key: bool,
}

/// The records of one server.
pub(super) struct Records {
    secrets: Arc<dyn SecretStore>,
    prefix: String,
    turn: Mutex<()>,
}

impl Records {
    pub fn new(secrets: Arc<dyn SecretStore>, options: &LoginOptions) -> Self {
        let name = digest(&SHA256, format!("{}\n{}", options.issuer, options.client_id).as_bytes());
        let hex = name.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { secrets, prefix: format!("registro.login.{hex}"), turn: Mutex::new(()) }
    }

    /// Whoever reads records and writes others because of them waits for its turn.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, LoginError> {
        let (secrets, name) = (Arc::clone(&self.secrets), format!("{}.{name}", self.prefix));
        let sealed = blocking(move || secrets.get(&name)).await?;
        // One that does not read is as if it were not there: the person logs in again.
        Ok(sealed.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn write(&self, name: &str, record: &impl Serialize) -> Result<(), LoginError> {
        let bytes = Zeroizing::new(serde_json::to_vec(record).map_err(|_| LoginError::Storage)?);
        let (secrets, name) = (Arc::clone(&self.secrets), format!("{}.{name}", self.prefix));
        blocking(move || secrets.put(&name, &bytes)).await
    }

    async fn delete(&self, name: &str) -> Result<(), LoginError> {
        let (secrets, name) = (Arc::clone(&self.secrets), format!("{}.{name}", self.prefix));
        blocking(move || secrets.delete(&name)).await
    }

    pub async fn pending(&self) -> Result<Option<Pending>, LoginError> {
        self.read("pending").await
    }

    pub async fn set_pending(&self, pending: &Pending) -> Result<(), LoginError> {
        self.write("pending", pending).await
    }

    pub async fn forget_pending(&self) -> Result<(), LoginError> {
        self.delete("pending").await
    }

    /// Names of the sessions.
    pub async fn accounts(&self) -> Result<Vec<String>, LoginError> {
        Ok(self.read("accounts").await?.unwrap_or_default())
    }

    pub async fn account(&self, id: &str) -> Result<Option<Account>, LoginError> {
        self.read(&format!("account.{id}")).await
    }

    /// Keeps a session. Its name goes first: a name without a record is harmless, a record without a name would
    /// never be wiped.
    pub async fn set_account(&self, account: &Account) -> Result<(), LoginError> {
        let mut accounts = self.accounts().await?;
        if !accounts.contains(&account.id) {
            accounts.push(account.id.clone());
            self.write("accounts", &accounts).await?;
        }
        self.write(&format!("account.{}", account.id), account).await
    }

    pub async fn forget_account(&self, id: &str) -> Result<(), LoginError> {
        self.delete(&format!("account.{id}")).await?;
        let mut accounts = self.accounts().await?;
        accounts.retain(|known| known != id);
        self.write("accounts", &accounts).await
    }

    pub async fn owed(&self) -> Result<Vec<Owed>, LoginError> {
        Ok(self.read("owed").await?.unwrap_or_default())
    }

    pub async fn set_owed(&self, owed: &[Owed]) -> Result<(), LoginError> {
        if owed.is_empty() { self.delete("owed").await } else { self.write("owed", &owed).await }
    }
}
