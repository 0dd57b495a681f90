//! How a school sets up its login: `identity.toml` in the data directory, or `serve --identity FILE`.

use serde::Deserialize;
use url::Url;

/// The settings. Every part may be absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// Where browsers and apps reach the hub, without a slash at the end: the issuer. The address where it listens
    /// if absent, which is for development.
    pub public_url: Option<Url>,
}
