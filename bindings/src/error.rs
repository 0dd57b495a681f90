//! Why something could not be done.

use registro_model::PersonId;

/// Stable kinds: an app acts differently on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ErrorKind {
    /// Nobody is logged in.
    NotLoggedIn,
    /// The register is suspended.
    Suspended,
    /// The store is open elsewhere: in another process, or by another `Registro` that is not closed.
    InUse,
    /// The vault needs the person: prompt, then open again.
    NeedsUser,
    /// The store was written by a newer version of the app.
    UpdateNeeded,
    /// The store failed.
    Storage,
    /// No connection; what was written is kept.
    Offline,
    /// The session ended: log in again; what was written is kept.
    SessionEnded,
    /// The hub's answer does not verify.
    Untrusted,
    /// The person gave up the login.
    Cancelled,
    /// The school's service has too much to do, or fails.
    HubUnavailable,
    /// This needs a login of a higher level.
    HigherLevelNeeded,
    /// The school does not let this person in: a pupil of the first cycle, somebody who left, nobody it knows.
    NotEntitled,
    /// The device's date or time is wrong.
    WrongClock,
    /// The platform's key store waits for the person.
    Locked,
    /// The platform's key is gone.
    KeyLost,
    /// The authorization server refuses this app.
    Misconfigured,
    /// The person may not do this.
    NotAllowed,
    /// A rule of the register is broken.
    Rule,
    /// What was asked for is not on this device.
    NotFound,
    /// Something handed in does not read: a date, a time, an id, a code.
    InvalidInput,
    /// A mistake of ours.
    Internal,
}

/// What an app does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum NextStep {
    /// Let the person log in.
    LogIn,
    /// Begin a login at the level that is needed.
    StepUp,
    /// Offer to try again.
    TryAgain,
    /// Let the person correct date and time.
    SetClock,
    /// Let the person unlock the device, then open or try again.
    Unlock,
    /// Call `resume`.
    Resume,
    /// Close the other place where this store is open.
    CloseOther,
    /// Ask the person to update the app.
    UpdateApp,
    /// Nothing now: sync when there is a connection.
    RetryOnline,
    /// Sync: it may arrive.
    Sync,
    /// Show the reason: nobody here can change it.
    ShowReason,
    /// Let the person correct what was entered.
    Correct,
    /// Try once more; if it happens again, report it with its debug text.
    Report,
}

/// What went wrong, for the app, for the person and for the developer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Failure {
    /// What happened.
    pub kind: ErrorKind,
    /// The sentence for the person, in Italian.
    pub italian: String,
    /// The sentence for the person, in English.
    pub english: String,
    /// What to do next.
    pub next_step: NextStep,
    /// For the developer's log; without personal data. Its wording changes between versions.
    pub debug: String,
    /// The pupil whom it is about, where the call was about several.
    pub pupil: Option<PersonId>,
}

/// Why something could not be done. Nothing was written, and nothing that was written before is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum RegistroError {
    /// It failed.
    #[error("{}", failure.debug)]
    Failed {
        /// What went wrong.
        failure: Failure,
    },
}

impl From<registro::Error> for RegistroError {
    fn from(error: registro::Error) -> Self {
        let next_step = error.next_step().into();
        Self::Failed {
            failure: Failure {
                kind: error.kind.into(),
                italian: error.italian,
                english: error.english,
                next_step,
                debug: error.debug,
                pupil: error.pupil,
            },
        }
    }
}

impl From<registro::ErrorKind> for ErrorKind {
    fn from(kind: registro::ErrorKind) -> Self {
        use registro::ErrorKind as Theirs;
        match kind {
            Theirs::NotLoggedIn => Self::NotLoggedIn,
            Theirs::Suspended => Self::Suspended,
            Theirs::InUse => Self::InUse,
            Theirs::NeedsUser => Self::NeedsUser,
            Theirs::UpdateNeeded => Self::UpdateNeeded,
            Theirs::Storage => Self::Storage,
            Theirs::Offline => Self::Offline,
            Theirs::SessionEnded => Self::SessionEnded,
            Theirs::Untrusted => Self::Untrusted,
            Theirs::Cancelled => Self::Cancelled,
            Theirs::HubUnavailable => Self::HubUnavailable,
            Theirs::HigherLevelNeeded => Self::HigherLevelNeeded,
            Theirs::NotEntitled => Self::NotEntitled,
            Theirs::WrongClock => Self::WrongClock,
            Theirs::Locked => Self::Locked,
            Theirs::KeyLost => Self::KeyLost,
            Theirs::Misconfigured => Self::Misconfigured,
            Theirs::NotAllowed => Self::NotAllowed,
            Theirs::Rule => Self::Rule,
            Theirs::NotFound => Self::NotFound,
            Theirs::InvalidInput => Self::InvalidInput,
            Theirs::Internal => Self::Internal,
        }
    }
}

impl From<registro::NextStep> for NextStep {
    fn from(step: registro::NextStep) -> Self {
        use registro::NextStep as Theirs;
        match step {
            Theirs::LogIn => Self::LogIn,
            Theirs::StepUp => Self::StepUp,
            Theirs::TryAgain => Self::TryAgain,
            Theirs::SetClock => Self::SetClock,
            Theirs::Unlock => Self::Unlock,
            Theirs::Resume => Self::Resume,
            Theirs::CloseOther => Self::CloseOther,
            Theirs::UpdateApp => Self::UpdateApp,
            Theirs::RetryOnline => Self::RetryOnline,
            Theirs::Sync => Self::Sync,
            Theirs::ShowReason => Self::ShowReason,
            Theirs::Correct => Self::Correct,
            Theirs::Report => Self::Report,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_both_sentences_and_the_next_step() {
        let RegistroError::Failed { failure } = registro::Error::invalid_input("date").into();
        assert_eq!((failure.kind, failure.next_step), (ErrorKind::InvalidInput, NextStep::Correct));
        assert!(!failure.italian.is_empty() && !failure.english.is_empty() && failure.debug.contains("date"));
    }
}
