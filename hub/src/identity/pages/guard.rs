//! What protects the pages: headers that forbid whatever they do not need, and forms that only their own page can send.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use url::Url;

use crate::identity::Identity;

/// Where forms may lead: back to the hub, and from there to the app (browsers look at redirects as well). Source:
/// CSP Level 3 §6.4.1.
fn policy(redirects: &[Url]) -> String {
    let mut targets = String::from("'self' http://127.0.0.1:* it.registro.app:");
    for redirect in redirects {
        targets.push(' ');
        targets.push_str(&redirect.origin().ascii_serialization());
    }
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action {targets}; frame-ancestors 'none'; \
         base-uri 'none'"
    )
}

/// Adds the headers to every page. Nothing is kept by browsers or on the way; no address of a page, which may hold a
/// code, goes to another site.
pub async fn headers(State(identity): State<Arc<Identity>>, response: Response) -> Response {
    guarded(response, &identity.config.redirects)
}

/// The same for a page that stands elsewhere.
pub(in crate::identity) fn guarded(mut response: Response, redirects: &[Url]) -> Response {
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(redirects)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a form was sent by a page of this hub, as far as the browser says. A browser that says nothing (old, or a
/// person's own tool) is held to the form's token alone. With `Referrer-Policy: no-referrer` browsers send
/// `Origin: null` also to the page's own server (Fetch §3.2), so `Sec-Fetch-Site` comes first.
pub fn is_own_form(issuer: &str, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match text("origin") {
        None | Some("null") => true,
        Some(origin) => Url::parse(issuer).is_ok_and(|own| own.origin().ascii_serialization() == origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_own_form("https://hub.example", &headers)
    }

    #[test]
    fn a_form_of_another_site_is_none_of_ours() {
        assert!(own(&[]) && own(&[("origin", "https://hub.example")]));
        assert!(own(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "http://hub.example")],
            &[("origin", "https://hub.example:444")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://hub.example")],
        ] {
            assert!(!own(foreign), "{foreign:?}");
        }
    }

    #[test]
    fn the_policy_forbids_scripts_and_knows_where_the_app_is() {
        let policy = policy(&["https://app.example/callback".parse().unwrap()]);
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; "));
        assert!(
            policy.contains("form-action 'self' http://127.0.0.1:* it.registro.app: https://app.example;")
        );
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    }
}
