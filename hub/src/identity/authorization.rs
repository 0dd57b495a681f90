//! The OAuth 2.0 authorization server: the app asks here, and gets tokens that are bound to its device's key.
//!
//! | module | what |
//! |---|---|
//! | [`clients`] | the apps that may ask, and where they may be sent back to |
//! | [`request`] | what an app asked for, checked |
//! | [`logins`] | logins under way in a browser |
//! | [`tables`] | what the database holds |

pub mod clients;
pub mod logins;
pub mod request;
pub mod tables;

use std::sync::Arc;

use axum::Router;

use super::Identity;

/// Its addresses.
pub fn routes() -> Router<Arc<Identity>> {
    Router::new()
}
