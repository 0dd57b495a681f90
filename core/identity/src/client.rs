//! The app as a public client of an authorization server (RFC 8252): from the address that the browser opens to the
//! headers of a request to the hub.
//!
//! | module | what |
//! |---|---|
//! | [`options`] | at which server, as which app, for what |
//! | [`login`] | a login begins, survives the end of the process, and ends with a session |
//! | [`keeper`] | a session: tokens that are fresh, proofs that go with them, signing out |
//! | `server` | requests to the authorization server: proofs, nonces, its clock, its keys |
//! | `tokens` | what the token endpoint gives |
//! | `proofs` | signs proofs with the platform's key, remembers nonces |
//! | `records` | what is sealed on the device |
//! | `revocation` | tokens to be given back, until the server has heard of it |

pub mod keeper;
pub mod login;
pub mod options;
mod proofs;
mod records;
mod revocation;
mod server;
mod tokens;

pub use keeper::{Access, SessionKeeper};
pub use login::{AccountView, BeginLogin, Login, PendingView};
pub use options::{LoginMethod, LoginOptions, Platform};

use records::Records;
use server::Server;

/// What a login and its sessions share.
struct Shared {
    server: Server,
    records: Records,
}

/// Does something that may block on hardware on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::storage::StorageError> + Send + 'static,
) -> Result<T, crate::error::LoginError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // The platform's code panicked, or the app is ending.
        Err(_) => Err(crate::error::LoginError::Storage),
    }
}
