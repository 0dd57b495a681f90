//! How a school sets up its login: `identity.toml` in the data directory, or `serve --identity FILE`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use super::external::ExternalSettings;
use super::federation::FederationSettings;
use super::mail::MailConfig;
use super::people::MonthDay;
use crate::error::HubError;

/// The settings. Every part may be absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// Where browsers and apps reach the hub, without a slash at the end: the issuer. The address where it listens
    /// if absent, which is for development.
    pub public_url: Option<Url>,
    /// The day of the year on which those who left the school during it stop reading (`08-31`). No law names one:
    /// the school chooses; 31 August, the last day of the school year, if it does not.
    pub leavers_revoked_on: MonthDay,
    /// The school's own credentials.
    pub credentials: CredentialsConfig,
    /// How mail is sent. Without it there is no reset by mail: the office issues credentials anew.
    pub mail: Option<MailConfig>,
    /// Where the app may be sent back to after a login, besides loopback and its own scheme: claimed https
    /// addresses (app links). Compared exactly.
    pub redirects: Vec<Url>,
    /// Days for which the login of the staff holds without being used: 1 to 7.
    pub staff_session_days: Option<u16>,
    /// Days for which the login of parents and pupils holds without being used: 1 to 60.
    pub family_session_days: Option<u16>,
    /// The school's own servers that may ask whether an access token is good.
    pub resource_server: Vec<ResourceServer>,
    /// How the school takes part in the federations of SPID and CIE.
    pub federation: Option<FederationSettings>,
    /// A provider outside in the place of the built-in authorization server.
    pub external: Option<ExternalSettings>,
}

/// The school's own credentials. When they end, the head says by a command (`registro-hub credentials until`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialsConfig {
    /// A list of passwords and words that no password may be made of, one a line, besides the built-in one.
    pub blocklist: Option<PathBuf>,
}

/// A server of the school's that may ask whether an access token is good (RFC 7662).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceServer {
    /// Its name at the introspection endpoint.
    pub id: String,
    /// SHA-256 of its secret in hexadecimal digits. The secret is drawn, never chosen: at least 128 bits.
    pub secret_sha256: String,
}

impl IdentityConfig {
    /// Reads a file of settings; those of a data directory may be absent.
    ///
    /// # Errors
    /// [`HubError::Settings`] says what is wrong and in which line.
    pub fn read(path: &Path) -> Result<Self, HubError> {
        let text = std::fs::read_to_string(path)?;
        let config: Self =
            toml::from_str(&text).map_err(|error| HubError::Settings(error.to_string().trim().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    /// Reads the settings of a data directory.
    pub fn of_directory(data: &Path) -> Result<Self, HubError> {
        match Self::read(&data.join("identity.toml")) {
            Err(HubError::File(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            read => read,
        }
    }

    fn check(&self) -> Result<(), HubError> {
        let wrong = |what: &str| Err(HubError::Settings(what.to_owned()));
        if self.staff_session_days.is_some_and(|days| !(1..=7).contains(&days)) {
            return wrong("staff_session_days: 1 to 7");
        }
        if self.family_session_days.is_some_and(|days| !(1..=60).contains(&days)) {
            return wrong("family_session_days: 1 to 60");
        }
        if self.redirects.iter().any(|url| url.scheme() != "https" || url.fragment().is_some()) {
            return wrong("redirects: https addresses without a fragment");
        }
        if let Some(external) = &self.external {
            external.check()?;
        }
        if self.resource_server.iter().any(|server| crate::unhex::<32>(&server.secret_sha256).is_none()) {
            return wrong("resource_server: secret_sha256 has 64 hexadecimal digits");
        }
        match self.federation.as_ref().map(FederationSettings::check) {
            Some(Err(what)) => wrong(what),
            _ => Ok(()),
        }
    }
}
