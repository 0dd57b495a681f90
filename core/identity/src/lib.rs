//! Sessions and logins: who the person on this device is.
//!
//! The app is a public native client of the school's hub, by the rules of RFC 9700: PAR, PKCE, DPoP by a key that the
//! platform holds, `iss`, an ID token of which every claim is checked. It never sees a password.
//!
//! | module | what |
//! |---|---|
//! | [`client`] | logins, sessions, signing out |
//! | [`storage`] | the traits by which the platform keeps keys and secrets |
//! | [`metadata`], [`callback`], [`id_token`], [`dpop`], [`pkce`], [`jose`], [`level`] | the protocol, as pure functions |
//! | [`error`] | every refusal, with a sentence for the person and a next step |
//! | [`environment`], [`secret`] | clock and randomness from outside; texts that never show |
//! | [`unlock`] | unlocking without a connection: vault, PIN, lease |
//! | [`session`], [`enrolment`] | a session at the hub, and the certificate for this device's key |
//! | [`development`] | the login of a development hub, which hands out a token per sample person |

pub mod callback;
pub mod client;
pub mod development;
pub mod dpop;
pub mod enrolment;
pub mod environment;
pub mod error;
pub mod id_token;
pub mod jose;
pub mod level;
pub mod metadata;
pub mod pkce;
pub mod secret;
pub mod session;
pub mod storage;
pub mod unlock;

pub use client::{
    AccountView, BeginLogin, Login, LoginMethod, LoginOptions, PendingView, Platform, SessionKeeper,
};
pub use environment::{Environment, SystemEnvironment};
pub use error::{LoginError, LoginNext, Unsafe};
pub use level::Level;
pub use secret::Secret;
pub use session::{IdentityError, Session};
pub use storage::{SecretStore, SigningKeys, StorageError};
