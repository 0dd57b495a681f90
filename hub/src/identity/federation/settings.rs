//! How a school takes part in the federation: the section `[federation]` of `identity.toml`.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use crate::identity::interaction::Method;

/// The section. Addresses of pages and the organization's name are part of what the federation publishes (AgID,
/// metadata of a relying party).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationSettings {
    /// The school's name.
    pub organization: String,
    /// The school's site.
    pub homepage: Url,
    /// Its privacy notice.
    pub policy: Url,
    /// Its logo, SVG.
    pub logo: Url,
    /// Its certified mail (*PEC*), one or more.
    pub contacts: Vec<String>,
    /// The code of the school in the index of public bodies (*codice IPA*), if many schools share the hub's host
    /// and each has its own name below it (AgID: aggregator, *full*).
    #[serde(default)]
    pub ipa_code: Option<String>,
    /// Where the key of the transaction log is kept, if not beside the database. Relative to the data directory.
    #[serde(default)]
    pub log_key: Option<PathBuf>,
    /// The federations: one trust anchor each.
    #[serde(rename = "anchor")]
    pub anchors: Vec<AnchorSettings>,
}

/// A trust anchor (*soggetto Federatore*).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorSettings {
    /// Whose identities: `spid` or `cie`.
    pub scheme: Scheme,
    /// Its name, letter by letter: the address of its entity configuration without `/.well-known/…`.
    pub entity: String,
    /// Its public keys, as they were received out of band: a file with a key set (JWKS). Relative to the data
    /// directory. What the anchor's own address says is believed only if one of these keys signed it.
    pub keys: PathBuf,
    /// Where the official list of providers with names and logos is read (SPID's registry). Without it the anchor
    /// itself is asked who is below it.
    #[serde(default)]
    pub registry: Option<Url>,
    /// The providers, if the school's choice is not all of them.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// Whose identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// SPID.
    Spid,
    /// The electronic identity card (*CIE*).
    Cie,
}

impl Scheme {
    /// The way of logging in.
    pub const fn method(self) -> Method {
        match self {
            Self::Spid => Method::Spid,
            Self::Cie => Method::Cie,
        }
    }
}

impl FederationSettings {
    /// Checks what the form of the file cannot say.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.anchors.is_empty() || self.anchors.len() > 8 {
            return Err("federation: one to eight [[federation.anchor]]");
        }
        if self.contacts.is_empty() {
            return Err("federation.contacts: at least one address");
        }
        let is_code = |code: &String| {
            (1..=32).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if self.ipa_code.as_ref().is_some_and(|code| !is_code(code)) {
            return Err("federation.ipa_code: letters, digits and _");
        }
        Ok(())
    }
}
