//! What the platform lends to the login.

use std::sync::Arc;

use registro_identity::jose::Algorithm;
use registro_identity::metadata::Endpoints;
use registro_identity::{
    Environment as LoginEnvironment, Login, LoginOptions, Platform, SecretStore, SigningKeys,
};
use registro_sync::http::{HubClient, Transport};

use crate::scoped_secrets::ScopedSecrets;

/// Where the browser comes back to if the app does not say (RFC 8252 §7.1).
const REDIRECT: &str = "it.registro.app:/callback";

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
