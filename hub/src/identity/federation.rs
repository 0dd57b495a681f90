//! The relying party of SPID and CIE (OpenID Federation).

pub mod jose;

use std::sync::Arc;

use axum::Router;

use super::Identity;

/// Its addresses.
pub fn routes() -> Router<Arc<Identity>> {
    Router::new()
}
