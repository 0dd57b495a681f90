//! What goes into a login, and what is shown of sessions.

use registro_identity::{Level, LoginMethod};
use registro_model::{PersonId, SchoolId};
use serde::Deserialize;

/// A login to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginRequest {
    /// In which way, if the person has chosen in the app already; else the hub's page asks.
    pub method: Option<LoginMethod>,
    /// The least level that will do: teachers take L2, because marks need it.
    pub level: Level,
    /// The language of the pages: Italian, or English.
    pub english: bool,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The school.
    pub school: SchoolId,
    /// The school's name.
    pub school_name: String,
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// What the person is today: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`. One person may be
    /// several; each role object signs in its own capacity.
    pub roles: Vec<String>,
    /// How surely they showed who they are.
    pub level: Option<Level>,
}

/// The session of this register, as the device knows it without a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The level reached at the login.
    pub level: Option<Level>,
    /// Whether it has ended: the person has to log in. Everything on the device can still be read and written.
    pub ended: bool,
}

/// One of the person's sessions at the school.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeviceSession {
    /// Its id, for [`Registro::end_session`].
    pub id: String,
    /// What the person calls the device.
    pub device: Option<String>,
    /// `spid`, `cie` or `school`.
    pub method: String,
    /// Its level, 1 to 3.
    pub level: u8,
    /// When the login was, Unix milliseconds.
    pub created: i64,
    /// When it was last used, Unix milliseconds.
    pub last_used: i64,
    /// Whether it is this one.
    pub this: bool,
}

/// What a logout left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutReport {
    /// Entries that are not sent. They stay on this device, sealed, and leave at the next login of the same person:
    /// tell them.
    pub unsent: usize,
    /// Whether the school has heard of it. If not, it hears as soon as there is a connection and the app runs.
    pub told: bool,
}
