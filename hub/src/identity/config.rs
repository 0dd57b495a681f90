//! How a school sets up its login: `identity.toml` in the data directory, or `serve --identity FILE`.

use serde::Deserialize;
use url::Url;

use super::people::MonthDay;

/// The settings. Every part may be absent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// Where browsers and apps reach the hub, without a slash at the end: the issuer. The address where it listens
    /// if absent, which is for development.
    pub public_url: Option<Url>,
    /// The day of the year on which those who left the school during it stop reading (`08-31`). No law names one:
    /// the school chooses; 31 August, the last day of the school year, if it does not.
    pub leavers_revoked_on: MonthDay,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self { public_url: None, leavers_revoked_on: MonthDay::LAST_OF_YEAR }
    }
}
