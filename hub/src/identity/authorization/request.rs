//! What an app asked for, checked: it travels from the pushed request through the login into the code.

use serde::{Deserialize, Serialize};

use crate::caller::Level;
use crate::identity::interaction::Method;

/// An authorization request that has passed every check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The app.
    pub client: String,
    /// Where the browser goes afterwards, one of the app's registered addresses.
    pub redirect: String,
    /// What is asked for, known words only.
    pub scope: String,
    /// Given back unchanged (RFC 6749 §10.12).
    pub state: Option<String>,
    /// Put into the ID token unchanged (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// SHA-256 of the verifier in base64url (RFC 7636 §4.2).
    pub challenge: String,
    /// Thumbprint of the key that the code is bound to, in base64url (RFC 9449 §10).
    pub thumbprint: String,
    /// The least level that will do.
    pub wanted: Level,
    /// The way that the person already chose in the app.
    pub method: Option<Method>,
    /// `it` or `en`, if the app said so.
    pub language: Option<String>,
}
