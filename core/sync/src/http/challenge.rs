//! What a server that says no wants instead: the parameters of `WWW-Authenticate` (RFC 9110 §11.6.1).

use super::transport::Headers;

/// What an API wants instead of what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Another proof: with the server's nonce (RFC 9449 §9), or by its clock, which the answer tells.
    Proof,
    /// A login of a higher level (RFC 9470 §3).
    HigherLevel {
        /// Levels that would do, in the server's order of preference; may be empty.
        acr_values: Vec<String>,
        /// How old the login may be, in seconds.
        max_age: Option<u64>,
    },
    /// Another token: this one does not hold any more (RFC 6750 §3.1).
    Token,
    /// Something else, or it does not say.
    Other,
}

impl Challenge {
    /// Reads the challenges of an answer with status 401. Schemes that we do not speak are passed over.
    pub fn read(headers: &Headers) -> Self {
        let mut read = Self::Other;
        for header in headers.all("www-authenticate") {
            let parameters = parameters(header);
            let get = |name: &str| {
                parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            match get("error").map(String::as_str) {
                Some("use_dpop_nonce" | "invalid_dpop_proof") => return Self::Proof,
                Some("insufficient_user_authentication") => {
                    let acr_values = get("acr_values").map(|v| v.split_whitespace().map(str::to_owned));
                    return Self::HigherLevel {
                        acr_values: acr_values.into_iter().flatten().collect(),
                        max_age: get("max_age").and_then(|seconds| seconds.parse().ok()),
                    };
                }
                Some("invalid_token") => read = Self::Token,
                _ => {}
            }
        }
        read
    }
}

/// Every `name=value` and `name="value"` of a header, in order. What does not read is passed over.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut name = String::new();
    let mut letters = header.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '=' => {
                let mut value = String::new();
                let mut quoted = false;
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' if quoted => break,
                        '"' if value.is_empty() => quoted = true,
                        '\\' if quoted => value.extend(letters.next()),
                        ',' | ' ' if !quoted => break,
                        letter => value.push(letter),
                    }
                }
                found.push((std::mem::take(&mut name), value));
            }
            ',' | ' ' | '\t' => name.clear(),
            letter => name.push(letter),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_through_quotes_and_several_schemes() {
        let read = parameters(
            r#"Bearer realm="a, b=c", DPoP error="use_dpop_nonce",algs=ES256, error_description="a \"quoted\" one""#,
        );
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            read,
            [
                ("realm", "a, b=c"),
                ("error", "use_dpop_nonce"),
                ("algs", "ES256"),
                ("error_description", "a \"quoted\" one"),
            ]
        );
        for hostile in ["", "=", "====", "DPoP", "\"", "a=\"", "a=\"\\", ",,,=,"] {
            let _ = parameters(hostile);
        }
    }
}
