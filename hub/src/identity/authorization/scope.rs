//! What an app may ask for.

use super::failure::OAuthError;

/// An ID token comes with the login.
pub const OPENID: &str = "openid";
/// A refresh token comes with the login.
pub const OFFLINE: &str = "offline_access";
/// The register is read and written. Without it a token is good for handing in what was written before.
pub const REGISTER: &str = "register";
/// All words.
pub const ALL: [&str; 3] = [OPENID, OFFLINE, REGISTER];

/// Words of a scope in the hub's order, each once.
pub fn read(text: Option<&str>) -> Result<String, OAuthError> {
    let words: Vec<_> = text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    if words.iter().any(|word| !ALL.contains(word)) {
        return Err(OAuthError::invalid_scope("a word of the scope is unknown"));
    }
    let known: Vec<_> = ALL.into_iter().filter(|word| words.contains(word)).collect();
    Ok(known.join(" "))
}

/// Whether a scope has the word.
pub fn has(scope: &str, word: &str) -> bool {
    scope.split(' ').any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_known_words_only() {
        assert_eq!(read(Some("register  openid openid")).as_deref(), Ok("openid register"));
        assert_eq!(read(None).as_deref(), Ok(""));
        assert_eq!(read(Some("openid admin")).unwrap_err().code(), "invalid_scope");
        assert!(has("openid register", REGISTER) && !has("openid registers", REGISTER));
    }
}
