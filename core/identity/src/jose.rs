//! Signed messages in JSON, as far as a login needs them.
//!
//! | module | what |
//! |---|---|
//! | [`jwk`] | the device's public key and its thumbprint |
//! | [`signature`] | signatures as platforms give them and as RFC 7518 wants them |
//! | [`key_set`] | the server's keys |
//! | [`jws`] | a signed message, read and verified |

pub mod jwk;
pub mod jws;
pub mod key_set;
pub mod signature;

pub use jwk::PublicJwk;
pub use jws::{Algorithm, Jws, JwsError};
pub use key_set::KeySet;
