//! The OAuth 2.0 authorization server.

use std::sync::Arc;

use axum::Router;

use super::Identity;

/// Its addresses.
pub fn routes() -> Router<Arc<Identity>> {
    Router::new()
}
