//! The hub's name as an authorization server: its public address.

use url::{Host, Url};

use crate::error::HubError;

/// An issuer identifier: an address without query, fragment and slash at the end. Everything that the login serves
/// stands under it. Source: RFC 8414 §2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// The issuer of a public address.
    ///
    /// # Errors
    /// [`HubError::Forbidden`] unless it is `https`, or `http` on a loopback address, which is for development: keys
    /// and tokens must not travel in the open.
    pub fn new(url: &Url) -> Result<Self, HubError> {
        let bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.has_host();
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let allowed = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        match bare && allowed {
            true => Ok(Self(url.as_str().trim_end_matches('/').to_owned())),
            false => Err(HubError::Forbidden("a public address that is not https, or has a query")),
        }
    }

    /// As it stands in tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An address under it. The path begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The register's API as the audience of access tokens. Source: RFC 8707.
    pub fn api(&self) -> String {
        self.at("/v1")
    }

    /// Whether browsers keep its cookies to https.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Option<Issuer> {
        Issuer::new(&Url::parse(text).unwrap()).ok()
    }

    #[test]
    fn an_issuer_is_https_or_loopback_and_has_no_slash_at_the_end() {
        assert_eq!(issuer("https://hub.scuola.example/").unwrap().as_str(), "https://hub.scuola.example");
        assert_eq!(issuer("http://127.0.0.1:8080").unwrap().api(), "http://127.0.0.1:8080/v1");
        for refused in [
            "http://hub.scuola.example",
            "https://a.example/?b",
            "https://a.example/#b",
            "https://u@a.example/",
        ] {
            assert_eq!(issuer(refused), None, "{refused}");
        }
    }
}
