//! At which server a login is, as which app, for what.

use std::sync::Arc;

use registro_sync::http::Transport;

use crate::environment::Environment;
use crate::jose::Algorithm;
use crate::metadata::Endpoints;
use crate::storage::{SecretStore, SigningKeys};

/// The register's app at every school's hub.
const APP: &str = "it.registro.app";

/// A server, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginOptions {
    /// The server's name for itself, letter by letter: known beforehand, never taken from an answer.
    pub issuer: String,
    /// The app's name at the server.
    pub client_id: String,
    /// What is asked for, separated by spaces.
    pub scope: String,
    /// The API that the tokens are for (RFC 8707).
    pub resource: Option<String>,
    /// Signatures of ID tokens that are accepted, if the server offers them too.
    pub algorithms: Vec<Algorithm>,
    /// Where the server's endpoints may be.
    pub endpoints: Endpoints,
}

impl LoginOptions {
    /// The school's hub, at this address without a slash at the end.
    pub fn hub(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: APP.to_owned(),
            scope: "openid offline_access register".to_owned(),
            resource: Some(format!("{issuer}/v1")),
            algorithms: vec![Algorithm::Es256],
            endpoints: Endpoints::OnIssuer,
        }
    }

    pub(super) fn asks_for(&self, word: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == word)
    }
}

/// In which way a person logs in at the hub, if the app knows: its page need not ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginMethod {
    /// SPID.
    Spid,
    /// The electronic identity card (*CIE*).
    Cie,
    /// The school's own credentials.
    School,
}

impl LoginMethod {
    /// As the hub knows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spid => "spid",
            Self::Cie => "cie",
            Self::School => "school",
        }
    }
}

/// What the device lends to a login.
#[derive(Clone)]
pub struct Platform {
    /// How servers are reached.
    pub transport: Transport,
    /// Keys that sign and never leave the platform.
    pub keys: Arc<dyn SigningKeys>,
    /// Secrets that outlive the process.
    pub secrets: Arc<dyn SecretStore>,
    /// Clock and randomness.
    pub environment: Arc<dyn Environment>,
}
