//! The parameters of a request, from a query or a form.

use url::form_urlencoded;

/// Most parameters of one request; ours have twelve.
const MOST: usize = 40;
/// Longest value: a code or a token has some hundred bytes.
const LONGEST: usize = 4_096;

/// Parameters by name.
#[derive(Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

/// Why parameters do not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadParameters {
    /// One comes twice: two readers might each take another one (RFC 6749 §3.1).
    Repeated,
    /// Too many of them, or one is too long.
    TooLarge,
}

impl Parameters {
    /// Reads what is URL-encoded. A parameter without a value counts as absent (RFC 6749 §3.1).
    pub fn read(encoded: &[u8]) -> Result<Self, BadParameters> {
        let mut read: Vec<(String, String)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if names.len() >= MOST || name.len() + value.len() > LONGEST {
                return Err(BadParameters::TooLarge);
            }
            if !names.insert(name.clone().into_owned()) {
                return Err(BadParameters::Repeated);
            }
            if !value.is_empty() {
                read.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(read))
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is no longer than this.
    pub fn at_most(&self, name: &str, length: usize) -> Result<Option<&str>, BadParameters> {
        match self.get(name) {
            Some(value) if value.len() > length => Err(BadParameters::TooLarge),
            value => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_comes_once_and_an_empty_one_is_none() {
        let read = Parameters::read(b"a=1&b=x%20y&c=&d").unwrap();
        assert_eq!((read.get("a"), read.get("b"), read.get("c")), (Some("1"), Some("x y"), None));
        for repeated in ["a=1&a=1", "a=1&b=2&a=", "a&a", "%61=1&a=2"] {
            assert_eq!(Parameters::read(repeated.as_bytes()).unwrap_err(), BadParameters::Repeated);
        }
    }

    #[test]
    fn parameters_are_bounded() {
        let many: String = (0..=MOST).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(Parameters::read(many.as_bytes()).unwrap_err(), BadParameters::TooLarge);
        let long = format!("a={}", "x".repeat(LONGEST));
        assert_eq!(Parameters::read(long.as_bytes()).unwrap_err(), BadParameters::TooLarge);
        assert_eq!(Parameters::read(b"a=12345").unwrap().at_most("a", 4), Err(BadParameters::TooLarge));
    }
}
