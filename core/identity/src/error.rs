//! Why a login, or what comes after it, did not work. Every kind has a sentence for the person and a next step
//! (docs/identity.md). Nothing that a server wrote stands in it: `error_description` is for developers of servers, and
//! could say anything.

use registro_sync::http::{HttpError, SessionFailure, TransportError};

use crate::storage::StorageError;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The person gave up, or the server let nobody in (`access_denied`).
    #[error("cancelled")]
    Cancelled,
    /// No connection, or no answer in time.
    #[error("offline")]
    Offline,
    /// The server has too much to do, or fails.
    #[error("the server is not available")]
    HubUnavailable {
        /// Seconds to leave it alone, if it said so.
        retry_after: Option<u64>,
    },
    /// The session ended: expired, revoked, signed out.
    #[error("the session has ended")]
    SessionEnded,
    /// The login is not sure enough for this.
    #[error("a higher level is needed")]
    HigherLevelNeeded {
        /// The levels that would do, if they are known.
        acr_values: Vec<String>,
    },
    /// The person may not use the register.
    #[error("not entitled")]
    NotEntitled,
    /// The server's certificate is not valid today: most often the device's clock is wrong.
    #[error("the clock is wrong")]
    WrongClock,
    /// The device's key store waits for the person.
    #[error("locked")]
    Locked,
    /// The device's key is gone (new fingerprint, reset): log in again.
    #[error("the key is gone")]
    KeyLost,
    /// The device's key store fails.
    #[error("the key store is not available")]
    Storage,
    /// An answer that is not safe to use.
    #[error("unsafe response: {}", .0.as_str())]
    UnsafeResponse(Unsafe),
    /// The server refuses this app. The code is one of those of the standards, or `other`.
    #[error("misconfigured: {0}")]
    Misconfigured(&'static str),
}

/// What is unsafe about an answer: the check that it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unsafe {
    /// The browser came back with a `state` that is not that of a login under way.
    State,
    /// `iss` is missing, or another server's (RFC 9207).
    Issuer,
    /// A parameter stands there twice (RFC 6749 §3.1).
    Repeated,
    /// The browser came back to another address, or with an answer that does not read.
    Callback,
    /// The server's metadata does not read, or is another's.
    Metadata,
    /// The server lacks what a safe login needs: PAR, PKCE S256, DPoP ES256, `iss`.
    Unsupported,
    /// An address that the register does not talk to: not https, or on another host than the server.
    Endpoint,
    /// Nobody vouches for the server, or its key is not the pinned one.
    Tls,
    /// The answer is too large.
    TooLarge,
    /// The answer is not what was asked for: another status, a redirect, not JSON.
    Answer,
    /// A token that is not bound to the device's key.
    TokenType,
    /// There should be an ID token and there is none, or it does not read.
    IdToken,
    /// The ID token's algorithm is not one that was agreed on.
    Algorithm,
    /// The ID token's key is not the server's, also after fetching its keys again.
    UnknownKey,
    /// The ID token's signature.
    Signature,
    /// `aud` or `azp` of the ID token: it is for another app.
    Audience,
    /// `exp` of the ID token.
    Expired,
    /// `iat` or `nbf` of the ID token.
    NotYetValid,
    /// `nonce` of the ID token: it is of another login.
    Nonce,
    /// `at_hash` of the ID token: it goes with another access token.
    AccessTokenHash,
    /// `sub`: another person than before.
    Subject,
    /// `auth_time`: the login is older than allowed.
    AuthenticationTime,
}

impl Unsafe {
    /// Stable name, for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Issuer => "iss",
            Self::Repeated => "repeated_parameter",
            Self::Callback => "callback",
            Self::Metadata => "metadata",
            Self::Unsupported => "unsupported_server",
            Self::Endpoint => "endpoint",
            Self::Tls => "tls",
            Self::TooLarge => "too_large",
            Self::Answer => "answer",
            Self::TokenType => "token_type",
            Self::IdToken => "id_token",
            Self::Algorithm => "id_token_alg",
            Self::UnknownKey => "id_token_kid",
            Self::Signature => "id_token_signature",
            Self::Audience => "id_token_aud",
            Self::Expired => "id_token_exp",
            Self::NotYetValid => "id_token_iat",
            Self::Nonce => "id_token_nonce",
            Self::AccessTokenHash => "id_token_at_hash",
            Self::Subject => "sub",
            Self::AuthenticationTime => "auth_time",
        }
    }
}

/// What an app does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginNext {
    /// Offer to try again; a login that was left in the browser can still be ended there.
    TryAgain,
    /// Go on working offline; try again later by itself.
    RetryOnline,
    /// Let the person log in. What was written is kept.
    LogIn,
    /// Let the person log in at a higher level, once.
    StepUp,
    /// Show the sentence: nobody here can change it.
    ShowReason,
    /// Let the person correct date and time.
    SetClock,
    /// Let the person unlock the device.
    Unlock,
    /// Do not try again by yourself; show the sentence and no detail.
    Stop,
    /// Report it with its code.
    Report,
}

impl From<Unsafe> for LoginError {
    fn from(why: Unsafe) -> Self {
        Self::UnsafeResponse(why)
    }
}

impl LoginError {
    /// Stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Offline => "offline",
            Self::HubUnavailable { .. } => "hub_unavailable",
            Self::SessionEnded => "session_ended",
            Self::HigherLevelNeeded { .. } => "higher_level_needed",
            Self::NotEntitled => "not_entitled",
            Self::WrongClock => "wrong_clock",
            Self::Locked => "locked",
            Self::KeyLost => "key_lost",
            Self::Storage => "storage",
            Self::UnsafeResponse(_) => "unsafe_response",
            Self::Misconfigured(_) => "misconfigured",
        }
    }

    /// Which check failed, or which code the server gave, where there is one.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::UnsafeResponse(why) => Some(why.as_str()),
            Self::Misconfigured(code) => Some(code),
            _ => None,
        }
    }

    /// What to do next.
    pub const fn next_step(&self) -> LoginNext {
        match self {
            Self::Cancelled => LoginNext::TryAgain,
            Self::Offline | Self::HubUnavailable { .. } => LoginNext::RetryOnline,
            Self::SessionEnded | Self::KeyLost => LoginNext::LogIn,
            Self::HigherLevelNeeded { .. } => LoginNext::StepUp,
            Self::NotEntitled => LoginNext::ShowReason,
            Self::WrongClock => LoginNext::SetClock,
            Self::Locked => LoginNext::Unlock,
            Self::UnsafeResponse(_) => LoginNext::Stop,
            Self::Storage | Self::Misconfigured(_) => LoginNext::Report,
        }
    }

    /// The sentence for the person, in Italian.
    pub const fn italian(&self) -> &'static str {
        self.sentences().0
    }

    /// The sentence for the person, in English.
    pub const fn english(&self) -> &'static str {
        self.sentences().1
    }

    /// The sentence for the person, in Italian and in English.
    pub const fn sentences(&self) -> (&'static str, &'static str) {
        match self {
            Self::Cancelled => ("Accesso annullato: puoi riprovare.", "Login cancelled: you can try again."),
            Self::Offline => (
                "Nessuna connessione: continui a lavorare, quello che scrivi è al sicuro.",
                "No connection: you can go on working, what you write is safe.",
            ),
            Self::HubUnavailable { .. } => (
                "Il servizio della scuola non è disponibile: riprova tra poco.",
                "The school's service is not available: try again in a moment.",
            ),
            Self::SessionEnded => (
                "Accesso scaduto: accedi di nuovo. I dati sono al sicuro.",
                "The session has ended: log in again. Your data are safe.",
            ),
            Self::HigherLevelNeeded { .. } => (
                "Serve un accesso più sicuro: accedi di nuovo con il livello richiesto.",
                "A more secure login is needed: log in again at the level asked for.",
            ),
            Self::NotEntitled => (
                "Utenza non abilitata: contatta la segreteria della scuola.",
                "This account may not use the register: contact the school's office.",
            ),
            Self::WrongClock => (
                "Controlla data e ora del dispositivo, poi riprova.",
                "Check the device's date and time, then try again.",
            ),
            Self::Locked => ("Sblocca il dispositivo per continuare.", "Unlock the device to go on."),
            Self::KeyLost => (
                "La chiave di questo dispositivo non è più valida: accedi di nuovo. I dati sono al sicuro.",
                "This device's key is no longer valid: log in again. Your data are safe.",
            ),
            Self::Storage => (
                "Il dispositivo non riesce a custodire l'accesso.",
                "This device cannot keep the login safe.",
            ),
            Self::UnsafeResponse(_) => {
                ("Accesso interrotto per sicurezza.", "The login was stopped for your safety.")
            }
            Self::Misconfigured(_) => (
                "Errore di configurazione: segnalalo alla scuola.",
                "Configuration error: report it to the school.",
            ),
        }
    }

    /// Reads an error code of the authorization server (RFC 6749 §4.1.2.1 and §5.2, RFC 9126, 9449, 9470, OpenID
    /// Connect Core §3.1.2.6). What is not a code of a standard is `other`.
    pub(crate) fn from_code(code: &str) -> Self {
        const KNOWN: [&str; 21] = [
            "invalid_request",
            "invalid_client",
            "unauthorized_client",
            "unsupported_grant_type",
            "unsupported_response_type",
            "invalid_scope",
            "invalid_target",
            "invalid_redirect_uri",
            "invalid_request_uri",
            "invalid_request_object",
            "request_not_supported",
            "request_uri_not_supported",
            "registration_not_supported",
            "invalid_dpop_proof",
            "use_dpop_nonce",
            "login_required",
            "consent_required",
            "interaction_required",
            "account_selection_required",
            "unsupported_token_type",
            "invalid_token",
        ];
        match code {
            "access_denied" => Self::Cancelled,
            "invalid_grant" => Self::SessionEnded,
            "temporarily_unavailable" | "server_error" => Self::HubUnavailable { retry_after: None },
            "insufficient_user_authentication" | "unmet_authentication_requirements" => {
                Self::HigherLevelNeeded { acr_values: Vec::new() }
            }
            other => Self::Misconfigured(KNOWN.into_iter().find(|known| *known == other).unwrap_or("other")),
        }
    }
}

impl From<TransportError> for LoginError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreachable | TransportError::Timeout => Self::Offline,
            TransportError::WrongClock => Self::WrongClock,
            TransportError::Address => Unsafe::Endpoint.into(),
            TransportError::Untrusted(_) => Unsafe::Tls.into(),
            TransportError::TooLarge => Unsafe::TooLarge.into(),
        }
    }
}

impl From<StorageError> for LoginError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NeedsUser | StorageError::Locked => Self::Locked,
            StorageError::Cancelled => Self::Cancelled,
            StorageError::Invalidated => Self::KeyLost,
            StorageError::Unavailable(_) => Self::Storage,
        }
    }
}

impl From<HttpError> for LoginError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable | HttpError::Timeout => Self::Offline,
            HttpError::WrongClock => Self::WrongClock,
            HttpError::Untrusted(_) => Unsafe::Tls.into(),
            HttpError::Unauthorized | HttpError::Session(SessionFailure::Ended) => Self::SessionEnded,
            HttpError::HigherLevel { acr_values, .. } => Self::HigherLevelNeeded { acr_values },
            HttpError::Forbidden => Self::NotEntitled,
            HttpError::Session(SessionFailure::Locked) => Self::Locked,
            HttpError::Session(SessionFailure::KeyLost) => Self::KeyLost,
            HttpError::Session(SessionFailure::Storage) => Self::Storage,
            HttpError::Session(SessionFailure::Misconfigured(code)) => Self::Misconfigured(code),
            HttpError::Session(SessionFailure::Unsafe(_)) | HttpError::Wire(_) => Unsafe::Answer.into(),
            HttpError::Busy(seconds) => Self::HubUnavailable { retry_after: Some(seconds) },
            HttpError::Status(500..) => Self::HubUnavailable { retry_after: None },
            HttpError::Status(_) => Self::Misconfigured("other"),
            HttpError::TooLarge => Unsafe::TooLarge.into(),
            HttpError::Address => Unsafe::Endpoint.into(),
        }
    }
}

impl From<LoginError> for HttpError {
    /// For whoever asks a session to say who calls.
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Offline => Self::Unreachable,
            LoginError::HubUnavailable { retry_after } => Self::Busy(retry_after.unwrap_or(5)),
            LoginError::WrongClock => Self::WrongClock,
            LoginError::NotEntitled => Self::Forbidden,
            LoginError::HigherLevelNeeded { acr_values } => Self::HigherLevel { acr_values, max_age: None },
            LoginError::SessionEnded => Self::Session(SessionFailure::Ended),
            LoginError::Locked | LoginError::Cancelled => Self::Session(SessionFailure::Locked),
            LoginError::KeyLost => Self::Session(SessionFailure::KeyLost),
            LoginError::Storage => Self::Session(SessionFailure::Storage),
            LoginError::UnsafeResponse(why) => Self::Session(SessionFailure::Unsafe(why.as_str())),
            LoginError::Misconfigured(code) => Self::Session(SessionFailure::Misconfigured(code)),
        }
    }
}
