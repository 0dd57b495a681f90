//! How a school names its provider: `[external]` in `identity.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use crate::caller::Level;
use crate::error::HubError;
use crate::identity::issuer::Issuer;

/// The claim that SPID and CIE state a fiscal number in (AgID).
const FISCAL_NUMBER: &str = "https://attributes.eid.gov.it/fiscal_number";

/// What the claim of the person holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonIs {
    /// An Italian fiscal number, with or without `TINIT-`.
    #[default]
    FiscalNumber,
    /// The hub's own id of the person: the provider was fed from the hub's directory.
    HubId,
}

/// A provider outside.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalSettings {
    /// Its issuer, as it stands in its tokens.
    pub issuer: Url,
    /// What its tokens for this hub name as audience; the hub's address and `/v1` if absent.
    pub audience: Option<String>,
    /// The claim that says who it is.
    #[serde(default = "fiscal_number")]
    pub person_claim: String,
    /// What that claim holds.
    #[serde(default)]
    pub person_is: PersonIs,
    /// The word of the scope that lets its bearer read; without it a token is good for handing in only.
    #[serde(default = "register")]
    pub scope: String,
    /// What its `acr` values are worth, 1 to 3. Those of SPID and CIE are known; anything else counts as one factor.
    #[serde(default)]
    pub acr: BTreeMap<String, u8>,
}

fn fiscal_number() -> String {
    FISCAL_NUMBER.to_owned()
}

fn register() -> String {
    crate::identity::authorization::scope::REGISTER.to_owned()
}

impl ExternalSettings {
    /// Looks whether they can hold.
    pub fn check(&self) -> Result<(), HubError> {
        Issuer::new(&self.issuer)?;
        match self.acr.values().all(|level| Level::of_number(i64::from(*level)).is_some()) {
            true => Ok(()),
            false => Err(HubError::Settings("external: acr values are worth 1 to 3".to_owned())),
        }
    }

    /// What an `acr` is worth.
    pub fn level(&self, acr: Option<&str>) -> Level {
        let named = acr.and_then(|acr| match self.acr.get(acr) {
            Some(level) => Level::of_number(i64::from(*level)),
            None => Level::of_acr(acr),
        });
        named.unwrap_or(Level::L1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ExternalSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn an_acr_is_worth_what_the_school_says_and_an_unknown_one_is_one_factor() {
        let settings = read("issuer = 'https://idp.example'\nacr = { 'urn:loa:substantial' = 2 }");
        settings.check().unwrap();
        assert_eq!(settings.level(Some("urn:loa:substantial")), Level::L2);
        assert_eq!(settings.level(Some(Level::L3.acr())), Level::L3);
        assert_eq!(settings.level(Some("urn:loa:high")), Level::L1);
        assert_eq!(settings.level(None), Level::L1);
        assert_eq!((settings.person_is, settings.scope.as_str()), (PersonIs::FiscalNumber, "register"));
    }

    #[test]
    fn settings_that_cannot_hold_are_refused() {
        assert!(read("issuer = 'http://idp.example'").check().is_err());
        assert!(read("issuer = 'https://idp.example'\nacr = { x = 4 }").check().is_err());
    }
}
