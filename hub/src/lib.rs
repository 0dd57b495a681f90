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
//! | [`identity`] | the login: authorization server, SPID and CIE, school credentials |
//! | [`import`], [`directory`] | the school's files; the school's people in tables |
//! | [`caller`], [`dev`] | who calls; the issuer of a development hub |
//! | [`server`], [`mod@serve`], [`cli`] | the hub over HTTP; on a data directory; its commands |
//! | [`outbox`] | what devices hand in that they cannot push any more |
//! | [`backup`] | backup and restore |
//! | [`clock`], [`random`], [`keys`] | what comes from outside |

pub mod backup;
pub mod caller;
pub mod cli;
pub mod clock;
pub mod dev;
pub mod directory;
pub mod documents;
pub mod error;
pub mod founding;
pub mod gatekeeper;
pub mod hub;
pub mod identity;
pub mod import;
pub mod keys;
pub mod log;
pub mod outbox;
pub mod random;
pub mod registry;
pub mod scope;
pub mod serve;
pub mod server;

pub use caller::{AuthError, AuthorizeCaller, Caller, Level};
pub use clock::{Clock, StandingClock, SystemClock};
pub use error::HubError;
pub use hub::Hub;
pub use random::{Random, SystemRandomness};
pub use serve::{ServeConfig, serve};
pub use server::RunningHub;

/// Encodes a value as it is stored and sent.
pub(crate) fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    if minicbor::encode(value, &mut bytes).is_err() {
        unreachable!("writing into a vector does not fail");
    }
    bytes
}

/// Reads exactly `N` bytes written as lower- or upper-case hexadecimal digits.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(*pair.first()?).to_digit(16)?;
        let low = char::from(*pair.last()?).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}
