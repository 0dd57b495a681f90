//! What can go wrong inside the hub.

/// A failure of the hub. None of these is the caller's fault but [`HubError::TooLarge`], and none carries anything
/// of the content.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The database failed: try again later; look at the disk.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file could not be read or written.
    #[error("a file could not be read or written: {0}")]
    File(#[from] std::io::Error),
    /// The database holds something that this version does not understand.
    #[error("the database holds something unexpected: {0}")]
    Stored(&'static str),
    /// The school's tables are missing or unreadable: import the school first.
    #[error("the school cannot be read: {0}")]
    Registry(String),
    /// The settings of the login do not read.
    #[error("the settings of the login cannot be read: {0}")]
    Settings(String),
    /// The hub's own writing failed.
    #[error("the hub cannot write its own facts: {0}")]
    Founding(String),
    /// Too much is under way: try again shortly.
    #[error("too much is under way")]
    Busy,
    /// The request exceeds a limit.
    #[error("the request exceeds the limit on {0}")]
    TooLarge(&'static str),
    /// There is no such person, device or batch.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// What was asked is not allowed to this caller, or its proof does not hold.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// An earlier failure left the hub unable to go on; it must be restarted.
    #[error("the hub stopped after an earlier failure")]
    Poisoned,
}
