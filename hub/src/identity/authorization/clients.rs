//! The apps that may log people in. There is one, the register's own, which is public: it has no secret, because a
//! secret in an app is none (RFC 8252 §8.5). What it asks for is protected by PAR, PKCE and DPoP instead.

use url::Url;

/// The app's client identifier.
pub const APP: &str = "it.registro.app";
/// The app's own scheme (RFC 8252 §7.1).
const OWN_SCHEME: &str = "it.registro.app:/callback";
/// The path at which the app listens on a desktop, on a port of its choice (RFC 8252 §7.3).
const LOOPBACK: (&str, &str) = ("http://127.0.0.1:", "/callback");

/// Whether the app is known.
pub fn is_known(client: &str) -> bool {
    client == APP
}

/// The app's name as people know it.
pub fn name_of(_: &str) -> &'static str {
    "Registro"
}

/// Whether the app may be sent back there: letter by letter, but for the port on loopback. `claimed`: the school's
/// app links. Source: RFC 9700 §2.1.
pub fn may_return_to(redirect: &str, claimed: &[Url]) -> bool {
    redirect == OWN_SCHEME || claimed.iter().any(|url| url.as_str() == redirect) || is_loopback(redirect)
}

fn is_loopback(redirect: &str) -> bool {
    let port = redirect.strip_prefix(LOOPBACK.0).and_then(|rest| rest.strip_suffix(LOOPBACK.1));
    port.is_some_and(|port| {
        port.bytes().all(|digit| digit.is_ascii_digit())
            && !port.starts_with('0')
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_sent_back_to_its_own_addresses_only() {
        let claimed = [Url::parse("https://app.registro.example/callback").unwrap()];
        for good in [
            "http://127.0.0.1:1/callback",
            "http://127.0.0.1:65535/callback",
            "it.registro.app:/callback",
            "https://app.registro.example/callback",
        ] {
            assert!(may_return_to(good, &claimed), "{good}");
        }
        for bad in [
            "",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:80/callback/",
            "http://127.0.0.1:80/callback?x=1",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:80/../callback",
            "http://localhost:80/callback",
            "http://[::1]:80/callback",
            "https://127.0.0.1:80/callback",
            "it.registro.app://callback",
            "it.registro.app:/callback#x",
            "https://app.registro.example/callback/",
            "https://app.registro.example:444/callback",
            "https://app.registro.example.evil.example/callback",
        ] {
            assert!(!may_return_to(bad, &claimed), "{bad}");
        }
    }
}
