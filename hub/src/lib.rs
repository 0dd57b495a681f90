//! The school's hub: the log that devices sync with, the directory, imports, certificates.
//!
//! | module | what |
//! |---|---|
//! | [`hub`] | the hub without transport: judges, keeps the log, answers |
//! | [`gatekeeper`] | a pushed batch is judged |
//! | [`log`] | the append-only, chained log |
//! | [`documents`] | the catalogue, documents in memory, snapshots |
//! | [`founding`] | documents of the year and the facts that the hub writes |
//! | [`scope`] | who may read what |
//! | [`registry`] | the school and its people, by date |
//! | [`caller`] | who calls |
//! | [`clock`], [`random`], [`keys`] | what comes from outside |

pub mod caller;
pub mod clock;
pub mod documents;
pub mod error;
pub mod founding;
pub mod gatekeeper;
pub mod hub;
pub mod keys;
pub mod log;
pub mod random;
pub mod registry;
pub mod scope;

pub use caller::{AuthError, AuthorizeCaller, Caller, Level};
pub use clock::{Clock, StandingClock, SystemClock};
pub use error::HubError;
pub use hub::Hub;
pub use random::{Random, SystemRandomness};

/// Encodes a value as it is stored and sent.
pub(crate) fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    if minicbor::encode(value, &mut bytes).is_err() {
        unreachable!("writing into a vector does not fail");
    }
    bytes
}
