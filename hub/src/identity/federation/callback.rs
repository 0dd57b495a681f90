//! What the provider sends back through the browser.
//!
//! Source: AgID, authorization response; RFC 6749 §4.1.2; RFC 9207 (`iss`).

use super::error::Reason;
use super::settings::Scheme;

/// Longest query that is read. Codes are short; some providers make them signed messages.
const MAX_QUERY: usize = 8 * 1024;

/// The parameters, each at most once. `Debug` does not show them.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Names the login.
    pub state: String,
    /// What becomes a token.
    pub code: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// Who answers.
    pub iss: Option<String>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("is_error", &self.error.is_some()).finish_non_exhaustive()
    }
}

impl Callback {
    /// Reads a query. Nothing if it is too long, has no state, or has a parameter twice: then nobody can say which
    /// is meant (RFC 6749 §3.1).
    pub fn parse(query: &str) -> Option<Self> {
        if query.len() > MAX_QUERY {
            return None;
        }
        let (mut state, mut callback) = (None, Self::default());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "state" => &mut state,
                "code" => &mut callback.code,
                "error" => &mut callback.error,
                "iss" => &mut callback.iss,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        callback.state = state.filter(|state| !state.is_empty())?;
        Some(callback)
    }

    /// The code, if the right provider answered with one.
    pub fn code(&self, issuer: &str, scheme: Scheme) -> Result<&str, Reason> {
        match (&self.iss, scheme) {
            (Some(iss), _) if iss != issuer => return Err(Reason::Unsafe),
            // CIE's rules make it compulsory, SPID's do not.
            (None, Scheme::Cie) => return Err(Reason::Unsafe),
            _ => {}
        }
        match (&self.error, &self.code) {
            (Some(_), Some(_)) => Err(Reason::Unsafe),
            (Some(error), None) => Err(reason_of(error)),
            (None, Some(code)) if !code.is_empty() => Ok(code),
            (None, _) => Err(Reason::Unsafe),
        }
    }
}

/// What an error means to the person (AgID, errors of the authorization endpoint; RFC 6749 §4.1.2.1; OpenID Connect
/// Core §3.1.2.6).
fn reason_of(error: &str) -> Reason {
    match error {
        // Also where the provider could not reach the level (AgID). `rejected_by_user` is what AgID's own
        // implementation says, outside its rules.
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "rejected_by_user" => Reason::Cancelled,
        "server_error" | "temporarily_unavailable" => Reason::Unavailable,
        _ => Reason::Misconfigured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(query: &str, scheme: Scheme) -> Result<String, Reason> {
        let callback = Callback::parse(query).ok_or(Reason::Expired)?;
        callback.code("https://op.example", scheme).map(str::to_owned)
    }

    #[test]
    fn who_answers_is_checked_before_what_they_say() {
        let right = "iss=https%3A%2F%2Fop.example";
        for (query, spid, cie) in [
            (format!("state=s&code=c&{right}"), Ok("c"), Ok("c")),
            ("state=s&code=c".to_owned(), Ok("c"), Err(Reason::Unsafe)),
            (
                "state=s&code=c&iss=https%3A%2F%2Fop.example%2F".to_owned(),
                Err(Reason::Unsafe),
                Err(Reason::Unsafe),
            ),
            ("state=s&error=access_denied&iss=evil".to_owned(), Err(Reason::Unsafe), Err(Reason::Unsafe)),
            (format!("state=s&error=access_denied&{right}"), Err(Reason::Cancelled), Err(Reason::Cancelled)),
            (
                format!("state=s&error=server_error&{right}"),
                Err(Reason::Unavailable),
                Err(Reason::Unavailable),
            ),
            (
                format!("state=s&error=invalid_request&error_description=%3Cb%3E&{right}"),
                Err(Reason::Misconfigured),
                Err(Reason::Misconfigured),
            ),
            (format!("state=s&error=access_denied&code=c&{right}"), Err(Reason::Unsafe), Err(Reason::Unsafe)),
            (format!("state=s&{right}"), Err(Reason::Unsafe), Err(Reason::Unsafe)),
            (format!("state=s&code=&{right}"), Err(Reason::Unsafe), Err(Reason::Unsafe)),
            (format!("code=c&{right}"), Err(Reason::Expired), Err(Reason::Expired)),
            (format!("state=&code=c&{right}"), Err(Reason::Expired), Err(Reason::Expired)),
            (format!("state=s&state=s&code=c&{right}"), Err(Reason::Expired), Err(Reason::Expired)),
            (format!("state=s&code=c&code=d&{right}"), Err(Reason::Expired), Err(Reason::Expired)),
            (format!("state=s&code=c&{right}&{right}"), Err(Reason::Expired), Err(Reason::Expired)),
            (
                format!("state=s&code=c&{right}&x={}", "x".repeat(MAX_QUERY)),
                Err(Reason::Expired),
                Err(Reason::Expired),
            ),
            (format!("state=s&code=c&{right}&session_state=a&session_state=b"), Ok("c"), Ok("c")),
        ] {
            let shown: String = query.chars().take(80).collect();
            assert_eq!(outcome(&query, Scheme::Spid), spid.map(str::to_owned), "spid: {shown}");
            assert_eq!(outcome(&query, Scheme::Cie), cie.map(str::to_owned), "cie: {shown}");
        }
    }
}
