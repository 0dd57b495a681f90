//! A login under way in a browser. The authorization server begins it, a page lets the person choose a way, the way
//! says who it was, the person lets the device in, and the authorization server sends the browser back to the app.

use registro_model::PersonId;
use url::Url;

use super::secret::Secret;
use crate::caller::Level;
use crate::error::HubError;

/// The id of a login under way: random, known to the server and, sealed in a cookie, to one browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InteractionId(pub [u8; 16]);

/// In which way somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// SPID.
    Spid,
    /// The electronic identity card (*CIE*).
    Cie,
    /// The school's own credentials.
    School,
}

impl Method {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Spid, Self::Cie, Self::School];

    /// As it is written in requests and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spid => "spid",
            Self::Cie => "cie",
            Self::School => "school",
        }
    }

    /// Its number in the tables.
    pub fn number(self) -> i64 {
        match self {
            Self::Spid => 1,
            Self::Cie => 2,
            Self::School => 3,
        }
    }

    /// The way of a number in the tables.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.number() == number)
    }
}

/// Somebody who has shown who they are, and may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authenticated {
    /// The person.
    pub person: PersonId,
    /// How surely.
    pub level: Level,
    /// In which way.
    pub method: Method,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// What a login is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// An app on a device asks for a session: the person is asked to let the device in.
    App {
        /// The name of the app, as registered; never what the request says.
        name: String,
    },
    /// The hub's own pages (*Profilo*): no device is let in.
    Profile,
}

/// A login under way, as the pages and the ways need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// What it is for.
    pub purpose: Purpose,
    /// The least level that will do: a way that ends below it does not complete the login.
    pub wanted: Level,
    /// The way that the app already knows the person wants, if it does (`begin_login(provider, …)`).
    pub method: Option<Method>,
    /// `it` or `en`, if the app said so (`ui_locales`).
    pub language: Option<&'static str>,
    /// Who it was, once known: what is missing is the person's consent.
    pub authenticated: Option<Authenticated>,
    /// When it ends, Unix milliseconds.
    pub expires: i64,
}

/// How long a login may take, in seconds: fetching a one-time code, or the card and its PIN. Our choice.
pub const INTERACTION_SECONDS: i64 = 600;
/// How long the hub's own pages (*Profilo*) stay open, in seconds. Our choice: a family's shared computer.
pub const PROFILE_SECONDS: i64 = 900;

/// Logins under way. Implemented by the authorization server ([`super::authorization::logins`]).
pub trait Interactions: Send + Sync {
    /// Begins a login for the hub's own pages. Gives the value of the cookie that binds it to the browser
    /// ([`super::cookies::Cookie::Login`], [`INTERACTION_SECONDS`]).
    fn begin_profile(&self, now_ms: i64) -> Result<(InteractionId, Secret), HubError>;

    /// The login that the browser's cookie names, if it is still under way.
    fn open(&self, cookie: &str, now_ms: i64) -> Result<Option<Interaction>, HubError>;

    /// The login of that id: for a way that comes back without the cookie (its `state` names the id; whoever uses
    /// this compares it with the login that the browser's own cookie names).
    fn find(&self, id: InteractionId, now_ms: i64) -> Result<Option<Interaction>, HubError>;

    /// Notes who it was. Once known it does not change: what the person then sees and allows is what the code says.
    ///
    /// # Errors
    /// [`HubError::Forbidden`] if the level is below what is wanted, or somebody else was noted before;
    /// [`HubError::Unknown`] if it has ended.
    fn authenticate(&self, id: InteractionId, who: Authenticated, now_ms: i64) -> Result<(), HubError>;

    /// The person lets the device in: ends the login and gives where the browser goes next, with the code in it.
    /// For [`Purpose::Profile`] it goes to the profile, and the second value is the cookie of the browser's session
    /// ([`super::cookies::Cookie::Profile`], [`PROFILE_SECONDS`]).
    ///
    /// Call it only for the login that the browser's own cookie names, after its form was checked (CSRF).
    ///
    /// # Errors
    /// [`HubError::Forbidden`] if it is not known who it was; [`HubError::Unknown`] if it has ended.
    fn approve(&self, id: InteractionId, now_ms: i64) -> Result<(Url, Option<Secret>), HubError>;

    /// The person gives up: ends the login and gives where the browser goes next (`access_denied`).
    fn cancel(&self, id: InteractionId, now_ms: i64) -> Result<Url, HubError>;

    /// Who is in the hub's own pages, by the browser's cookie.
    fn profile(&self, cookie: &str, now_ms: i64) -> Result<Option<Authenticated>, HubError>;

    /// Closes the hub's own pages in this browser.
    fn end_profile(&self, cookie: &str) -> Result<(), HubError>;
}
