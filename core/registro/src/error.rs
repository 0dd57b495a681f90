//! Why something could not be done.

use registro_documents::policy::Reason;
use registro_identity::LoginError;
use registro_model::PersonId;
use registro_store::StoreError;
use registro_sync::device::DeviceError;
use registro_sync::http::{HttpError, SessionFailure};

/// Stable kinds: an app acts differently on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Nobody is logged in.
    NotLoggedIn,
    /// The register is suspended.
    Suspended,
    /// The store is open elsewhere.
    InUse,
    /// The vault needs the person.
    NeedsUser,
    /// The store was written by a newer version.
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
    /// The school's service has too much to do, or fails: try again later by itself.
    HubUnavailable,
    /// This needs a login of a higher level: begin one.
    HigherLevelNeeded,
    /// The school does not let this person in: a pupil of the first cycle, somebody who left, nobody it knows.
    NotEntitled,
    /// The device's date or time is wrong.
    WrongClock,
    /// The platform's key store waits for the person.
    Locked,
    /// The platform's key is gone: log in again.
    KeyLost,
    /// The authorization server refuses this app.
    Misconfigured,
    /// The person may not do this.
    NotAllowed,
    /// A rule of the register is broken.
    Rule,
    /// What was asked for is not here.
    NotFound,
    /// Something handed in does not read: a date, a time, an id, a code.
    InvalidInput,
    /// A mistake of ours.
    Internal,
}

/// What an app does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextStep {
    /// Let the person log in.
    LogIn,
    /// Let the person log in at the level that is needed.
    StepUp,
    /// Offer to try again.
    TryAgain,
    /// Let the person correct date and time.
    SetClock,
    /// Let the person unlock the device, then open or try again.
    Unlock,
    /// Open again after the suspend.
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

/// A failure, with a sentence for the person in both languages and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{debug}")]
pub struct Error {
    /// What happened.
    pub kind: ErrorKind,
    /// The sentence in Italian.
    pub italian: String,
    /// The sentence in English.
    pub english: String,
    /// For the developer's log; without personal data.
    pub debug: String,
    /// The pupil whom it is about, where a call is about several.
    pub pupil: Option<PersonId>,
}

impl Error {
    /// Something handed in that does not read; `what` names it, never what stood there.
    pub fn invalid_input(what: &str) -> Self {
        Self::new(ErrorKind::InvalidInput, format!("does not read: {what}"))
    }

    /// A mistake of ours; `what` goes to the developer's log.
    pub fn internal(what: &str) -> Self {
        Self::new(ErrorKind::Internal, what)
    }

    /// What to do next.
    pub const fn next_step(&self) -> NextStep {
        self.kind.next_step()
    }

    pub(crate) fn new(kind: ErrorKind, debug: impl Into<String>) -> Self {
        let (italian, english) = kind.sentences();
        Self {
            kind,
            italian: italian.to_owned(),
            english: english.to_owned(),
            debug: debug.into(),
            pupil: None,
        }
    }

    /// The same failure, about a pupil of several.
    #[must_use]
    pub(crate) fn about(self, pupil: PersonId) -> Self {
        Self { pupil: Some(pupil), ..self }
    }

    pub(crate) fn rule(italian: &str, english: &str) -> Self {
        Self {
            kind: ErrorKind::Rule,
            italian: italian.to_owned(),
            english: english.to_owned(),
            debug: english.to_owned(),
            pupil: None,
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("not found: {what}"))
    }

    pub(crate) fn refused(reason: Reason) -> Self {
        Self {
            kind: ErrorKind::NotAllowed,
            italian: reason.italian().to_owned(),
            english: reason.english().to_owned(),
            debug: format!("refused by policy: {}", reason.kind()),
            pupil: None,
        }
    }
}

impl ErrorKind {
    /// Stable name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotLoggedIn => "not_logged_in",
            Self::Suspended => "suspended",
            Self::InUse => "in_use",
            Self::NeedsUser => "needs_user",
            Self::UpdateNeeded => "update_needed",
            Self::Storage => "storage",
            Self::Offline => "offline",
            Self::SessionEnded => "session_ended",
            Self::Untrusted => "untrusted",
            Self::Cancelled => "cancelled",
            Self::HubUnavailable => "hub_unavailable",
            Self::HigherLevelNeeded => "higher_level_needed",
            Self::NotEntitled => "not_entitled",
            Self::WrongClock => "wrong_clock",
            Self::Locked => "locked",
            Self::KeyLost => "key_lost",
            Self::Misconfigured => "misconfigured",
            Self::NotAllowed => "not_allowed",
            Self::Rule => "rule",
            Self::NotFound => "not_found",
            Self::InvalidInput => "invalid_input",
            Self::Internal => "internal",
        }
    }

    /// What an app does next.
    pub const fn next_step(self) -> NextStep {
        match self {
            Self::NotLoggedIn | Self::SessionEnded | Self::KeyLost => NextStep::LogIn,
            Self::HigherLevelNeeded => NextStep::StepUp,
            Self::Cancelled => NextStep::TryAgain,
            Self::WrongClock => NextStep::SetClock,
            Self::Suspended => NextStep::Resume,
            Self::InUse => NextStep::CloseOther,
            Self::NeedsUser | Self::Locked => NextStep::Unlock,
            Self::UpdateNeeded => NextStep::UpdateApp,
            Self::Offline | Self::HubUnavailable => NextStep::RetryOnline,
            Self::NotFound => NextStep::Sync,
            Self::NotAllowed | Self::NotEntitled => NextStep::ShowReason,
            Self::Rule | Self::InvalidInput => NextStep::Correct,
            Self::Storage | Self::Untrusted | Self::Misconfigured | Self::Internal => NextStep::Report,
        }
    }

    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::NotLoggedIn => ("Accedi per usare il registro.", "Log in to use the register."),
            Self::Suspended => ("Il registro è in pausa: riprova.", "The register is suspended: try again."),
            Self::InUse => (
                "Il registro è già aperto su questo dispositivo.",
                "The register is already open on this device.",
            ),
            Self::NeedsUser => {
                ("Sblocca il dispositivo per aprire il registro.", "Unlock the device to open the register.")
            }
            Self::UpdateNeeded => {
                ("Aggiorna l'app per aprire il registro.", "Update the app to open the register.")
            }
            Self::Storage => (
                "Il registro non riesce a leggere o scrivere su questo dispositivo.",
                "The register cannot read or write on this device.",
            ),
            Self::Offline => (
                "Nessuna connessione: quello che hai scritto è al sicuro e partirà appena possibile.",
                "No connection: what you wrote is safe and will be sent as soon as possible.",
            ),
            Self::SessionEnded => (
                "La sessione è scaduta: accedi di nuovo. Quello che hai scritto è al sicuro.",
                "The session has ended: log in again. What you wrote is safe.",
            ),
            Self::Untrusted => (
                "La risposta della scuola non è autentica: non è stata usata.",
                "The school's answer is not authentic: it was not used.",
            ),
            Self::Cancelled => LoginError::Cancelled.sentences(),
            Self::HubUnavailable => LoginError::HubUnavailable { retry_after: None }.sentences(),
            Self::HigherLevelNeeded => LoginError::HigherLevelNeeded { acr_values: Vec::new() }.sentences(),
            Self::NotEntitled => LoginError::NotEntitled.sentences(),
            Self::WrongClock => LoginError::WrongClock.sentences(),
            Self::Locked => LoginError::Locked.sentences(),
            Self::KeyLost => LoginError::KeyLost.sentences(),
            Self::Misconfigured => LoginError::Misconfigured("other").sentences(),
            Self::NotAllowed => ("Non è consentito.", "This is not allowed."),
            Self::Rule => ("Non è possibile.", "This is not possible."),
            Self::NotFound => ("Non si trova su questo dispositivo.", "It is not on this device."),
            Self::InvalidInput => ("Un dato inserito non è valido.", "Something entered is not valid."),
            Self::Internal => (
                "Si è verificato un errore: quello che hai scritto è al sicuro.",
                "Something went wrong: what you wrote is safe.",
            ),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Suspended => ErrorKind::Suspended,
            StoreError::InUse => ErrorKind::InUse,
            StoreError::NeedsUser
            | StoreError::NeedsPin
            | StoreError::WrongPin { .. }
            | StoreError::PinBlocked => ErrorKind::NeedsUser,
            StoreError::Newer { .. } => ErrorKind::UpdateNeeded,
            _ => ErrorKind::Storage,
        };
        let made = Self::new(kind, format!("store: {}", error.kind()));
        let (italian, english) = match error {
            StoreError::NeedsPin => ("Inserisci il tuo PIN.".to_owned(), "Enter your PIN.".to_owned()),
            StoreError::WrongPin { left: left @ 1.. } => {
                (format!("PIN errato: tentativi rimasti {left}."), format!("Wrong PIN: tries left {left}."))
            }
            StoreError::WrongPin { .. } | StoreError::PinBlocked => (
                "PIN bloccato: accedi di nuovo per riprovare. Quello che hai scritto è al sicuro.".to_owned(),
                "The PIN is blocked: log in to try again. What you wrote is safe.".to_owned(),
            ),
            _ => return made,
        };
        Self { italian, english, ..made }
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Store(error) => error.into(),
            DeviceError::NoAccount => Self::new(ErrorKind::NotLoggedIn, "no account"),
            DeviceError::NotHeld(_) => Self::not_found("document"),
            DeviceError::Reply(why) => Self::new(ErrorKind::Untrusted, why),
            DeviceError::Stored(why) => Self::new(ErrorKind::Storage, why),
            DeviceError::Write(error) => Self::new(ErrorKind::Internal, error.to_string()),
            DeviceError::OwnChange(why) => Self::new(ErrorKind::Rule, why),
        }
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        let kind = match &error {
            HttpError::Unreachable | HttpError::Timeout => ErrorKind::Offline,
            HttpError::WrongClock => ErrorKind::WrongClock,
            HttpError::Busy(_) | HttpError::Status(500..) => ErrorKind::HubUnavailable,
            HttpError::Status(404) => ErrorKind::NotFound,
            HttpError::Status(_) => ErrorKind::Offline,
            HttpError::Unauthorized | HttpError::Session(SessionFailure::Ended) => ErrorKind::SessionEnded,
            HttpError::HigherLevel { .. } => ErrorKind::HigherLevelNeeded,
            HttpError::Forbidden => ErrorKind::NotAllowed,
            HttpError::Session(SessionFailure::KeyLost) => ErrorKind::KeyLost,
            HttpError::Session(SessionFailure::Locked) => ErrorKind::Locked,
            HttpError::Session(SessionFailure::Storage) => ErrorKind::Storage,
            HttpError::Session(SessionFailure::Misconfigured(_)) => ErrorKind::Misconfigured,
            HttpError::Address
            | HttpError::TooLarge
            | HttpError::Wire(_)
            | HttpError::Untrusted(_)
            | HttpError::Session(SessionFailure::Unsafe(_)) => ErrorKind::Untrusted,
        };
        Self::new(kind, error.to_string())
    }
}
