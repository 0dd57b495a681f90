//! What the person sees in the browser. Server-rendered; works without JavaScript.

use std::sync::Arc;

use axum::Router;

use super::Identity;

/// Its addresses.
pub fn routes() -> Router<Arc<Identity>> {
    Router::new()
}
