//! Sessions and logins: who the person on this device is.
//!
//! | module | what |
//! |---|---|
//! | [`session`] | a session at the hub, and the trait by which the façade gets its token |
//! | [`development`] | the login of a development hub, which hands out a token per sample person |
//! | [`enrolment`] | the certificate for this device's key |

pub mod development;
pub mod enrolment;
pub mod session;

pub use session::{IdentityError, Session, SessionSource};
