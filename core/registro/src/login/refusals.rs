//! A refused login as a failure of the register.

use registro_identity::{IdentityError, LoginError};

use crate::error::{Error, ErrorKind};

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        let kind = match &error {
            LoginError::Cancelled => ErrorKind::Cancelled,
            LoginError::Offline => ErrorKind::Offline,
            LoginError::HubUnavailable { .. } => ErrorKind::HubUnavailable,
            LoginError::SessionEnded => ErrorKind::SessionEnded,
            LoginError::HigherLevelNeeded { .. } => ErrorKind::HigherLevelNeeded,
            LoginError::NotEntitled => ErrorKind::NotEntitled,
            LoginError::WrongClock => ErrorKind::WrongClock,
            LoginError::Locked => ErrorKind::Locked,
            LoginError::KeyLost => ErrorKind::KeyLost,
            LoginError::Storage => ErrorKind::Storage,
            LoginError::UnsafeResponse(_) => ErrorKind::Untrusted,
            LoginError::Misconfigured(_) => ErrorKind::Misconfigured,
        };
        let (italian, english) = (error.italian().to_owned(), error.english().to_owned());
        Self { italian, english, ..Self::new(kind, error.to_string()) }
    }
}

impl From<IdentityError> for Error {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Login(error) => error.into(),
            other => Self::new(ErrorKind::Untrusted, other.to_string()),
        }
    }
}
