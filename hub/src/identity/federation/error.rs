//! What can go wrong between the hub, the federation and an identity provider.

use registro_sync::http::TransportError;

use super::jose::JoseError;
use super::policy::PolicyError;
use crate::error::HubError;

/// Why something of the federation cannot be used. Carries nothing of a person, and no text of the other side's.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// A signed or encrypted message cannot be trusted.
    #[error("{what}: {why}")]
    Message {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        why: JoseError,
    },
    /// A message is genuine and says something that it must not, or lacks something.
    #[error("{0}")]
    Rule(&'static str),
    /// The anchor's policy does not allow what an entity says of itself.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The other side cannot be reached or trusted as a server.
    #[error("{what} cannot be fetched: {why}")]
    Transport {
        /// What was asked for.
        what: &'static str,
        /// Why there was no answer.
        why: TransportError,
    },
    /// The other side answered with another status.
    #[error("{what} was answered with status {status}")]
    Status {
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// No provider of that name is in the federation.
    #[error("there is no such identity provider")]
    UnknownProvider,
    /// The hub failed.
    #[error(transparent)]
    Hub(#[from] HubError),
}

impl FederationError {
    /// Says of which message something is wrong.
    pub fn message(what: &'static str) -> impl Fn(JoseError) -> Self {
        move |why| Self::Message { what, why }
    }

    /// Whether trying again later may help, and nothing points to an attack.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Transport { why, .. } => {
                matches!(
                    why,
                    TransportError::Unreachable | TransportError::Timeout | TransportError::WrongClock
                )
            }
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

/// Why a login did not succeed, in the words that the hub's page of failed logins knows. Never what the other side
/// said (`error_description` is not shown, RFC 9700 §4.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The person gave up, or the provider refused them.
    Cancelled,
    /// The login is not under way any more in this browser.
    Expired,
    /// The provider cannot be reached, or says that it fails.
    Unavailable,
    /// Something did not hold that must: the answer is not used.
    Unsafe,
    /// The provider vouches less surely than the school asked.
    LevelTooLow,
    /// The provider says nothing of a fiscal number, or the school knows nobody by it.
    UnknownPerson,
    /// The provider refuses this hub.
    Misconfigured,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Cancelled,
        Self::Expired,
        Self::Unavailable,
        Self::Unsafe,
        Self::LevelTooLow,
        Self::UnknownPerson,
        Self::Misconfigured,
    ];

    /// The fixed word in `/login/failed?reason=…`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
            Self::Unsafe => "unsafe",
            Self::LevelTooLow => "level",
            Self::UnknownPerson => "unknown-person",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// The reason of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

impl From<&FederationError> for Reason {
    fn from(error: &FederationError) -> Self {
        match error {
            error if error.is_passing() => Self::Unavailable,
            FederationError::Hub(_) => Self::Unavailable,
            FederationError::UnknownProvider => Self::Misconfigured,
            _ => Self::Unsafe,
        }
    }
}
