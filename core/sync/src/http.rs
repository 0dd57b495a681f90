//! The transport: HTTPS, with caps and timeouts on everything that is read.
//!
//! | module | what |
//! |---|---|
//! | [`transport`] | the one place where HTTP clients are made: TLS, no proxy, no redirects, caps |
//! | [`pins`] | which keys the school's hub may have |
//! | [`authorization`] | what is sent to the hub to say who calls |
//! | [`challenge`] | what a server that says no wants instead |
//! | [`hub`] | the client of a school's hub |

pub mod authorization;
pub mod challenge;
pub mod hub;
pub mod pins;
mod tls;
pub mod transport;

pub use authorization::{Authorization, BearerToken, Later};
pub use challenge::Challenge;
pub use hub::{HttpError, HubClient, SessionFailure};
pub use pins::Pins;
pub use transport::{
    Headers, Incoming, Method, Outgoing, Transport, TransportError, TransportOptions, Untrusted,
};
