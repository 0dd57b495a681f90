//! The OAuth 2.0 authorization server: the app asks here, and gets tokens that are bound to its device's key.
//!
//! | module | what |
//! |---|---|
//! | [`routes`] | its addresses |
//! | [`metadata`] | what it says of itself |
//! | [`clients`], [`scope`] | the apps that may ask, and for what |
//! | [`pushing`], [`request`] | a request is pushed and checked |
//! | [`logins`], [`refusal_page`] | the login under way in a browser, or why there is none |
//! | [`granting`], [`refreshing`] | a code, and later a refresh token, becomes tokens |
//! | [`revoking`], [`introspecting`] | the app signs out; a server asks whether a token is good |
//! | [`sessions`], [`tokens`] | logins that lasted, and what they give |
//! | [`access`] | access tokens at the API |
//! | [`dpop`] | proofs of possession |
//! | [`keys`], [`jwt`], [`jwk`] | what signs tokens, and their form |
//! | [`form`], [`failure`] | parameters and errors |
//! | [`tables`] | what the database holds |

pub mod access;
pub mod clients;
pub mod dpop;
pub mod failure;
pub mod form;
pub mod granting;
pub mod introspecting;
pub mod jwk;
pub mod jwt;
pub mod keys;
pub mod logins;
pub mod metadata;
pub mod pushing;
pub mod refreshing;
pub mod refusal_page;
pub mod request;
pub mod revoking;
pub mod routes;
pub mod scope;
pub mod sessions;
pub mod tables;
pub mod tokens;

pub use routes::routes;
