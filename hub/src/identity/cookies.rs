//! Cookies of the login's pages.

use axum::http::{HeaderMap, HeaderValue, header};

use super::issuer::Issuer;

/// What a cookie of the login holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The login under way in this browser.
    Login,
    /// The session of the hub's own pages (*Profilo*).
    Profile,
    /// A form that belongs to neither.
    Form,
}

impl Cookie {
    /// Its name. Under https a browser takes a `__Host-` cookie only from this very host, with `Secure` and for the
    /// whole of it, so that no neighbour under the same domain can plant one. Source: RFC 6265bis §4.1.3.2.
    pub fn name(self, issuer: &Issuer) -> &'static str {
        match (self, issuer.is_secure()) {
            (Self::Login, true) => "__Host-registro-login",
            (Self::Login, false) => "registro-login",
            (Self::Profile, true) => "__Host-registro-profile",
            (Self::Profile, false) => "registro-profile",
            (Self::Form, true) => "__Host-registro-form",
            (Self::Form, false) => "registro-form",
        }
    }

    /// The header that sets it, for so many seconds. `Lax`, because the browser comes back from another site's
    /// login by a link.
    pub fn set(self, issuer: &Issuer, value: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if issuer.is_secure() { "; Secure" } else { "" };
        let name = self.name(issuer);
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// The header that takes it away.
    pub fn clear(self, issuer: &Issuer) -> Option<HeaderValue> {
        self.set(issuer, "", 0)
    }

    /// Its value in a request. A name that comes twice is none: somebody may have planted one of them.
    pub fn read<'a>(self, issuer: &Issuer, headers: &'a HeaderMap) -> Option<&'a str> {
        let name = self.name(issuer);
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(known, value)| *known == name && !value.is_empty())
            .map(|(_, value)| value);
        found.next().filter(|_| found.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn read(cookies: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        let issuer = Issuer::new(&Url::parse("https://hub.example").unwrap()).unwrap();
        Cookie::Login.read(&issuer, &headers).map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_read_once_or_not_at_all() {
        assert_eq!(read(&["a=b; __Host-registro-login=xyz"]).as_deref(), Some("xyz"));
        assert_eq!(read(&["a=b", "__Host-registro-login=xyz"]).as_deref(), Some("xyz"));
        for refused in [
            &["registro-login=xyz"][..],
            &["__Host-registro-login="],
            &["__Host-registro-login=a; __Host-registro-login=b"],
            &["__Host-registro-login=a", "__Host-registro-login=b"],
        ] {
            assert_eq!(read(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn under_https_a_cookie_is_this_hosts_alone() {
        let https = Issuer::new(&Url::parse("https://hub.example").unwrap()).unwrap();
        let set = Cookie::Login.set(&https, "v", 600).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-registro-login=v; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
