//! What the person sees in the browser: rendered here, without a line of JavaScript, for a phone first, for a keyboard
//! and a screen reader as well, in Italian and English.
//!
//! | module | what |
//! |---|---|
//! | [`choose`] | SPID, CIE or the school's credentials |
//! | [`school`], [`second_factor`] | the school's credentials |
//! | [`consent`] | who it was, whether they may, whether the device may |
//! | [`first_access`], [`reset`] | the first password, and another |
//! | [`profile`], [`profile_factor`] | *Profilo*: password, second factor, devices |
//! | [`message`] | a page that only says something |
//! | [`visit`], [`guard`], [`language`] | a request: its login, its form, its language |
//! | [`shell`], [`field`] | what all pages and all forms have |

pub mod choose;
pub mod consent;
pub mod field;
pub mod first_access;
pub mod guard;
pub mod language;
pub mod message;
pub mod profile;
pub mod profile_factor;
pub mod reset;
pub mod school;
pub mod second_factor;
pub mod shell;
pub mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::Identity;

/// Largest form: a long password twice, and what goes with it.
const MAX_FORM: usize = 16 * 1024;
const STYLE: &str = include_str!("../../assets/login.css");

/// Its addresses.
pub fn routes(identity: &Arc<Identity>) -> Router<Arc<Identity>> {
    Router::new()
        .route("/login", get(choose::choose))
        .route("/login/begin", get(choose::begin))
        .route("/login/school", get(school::form).post(school::log_in))
        .route("/login/second-factor", get(second_factor::form).post(second_factor::verify))
        .route("/login/done", get(consent::done))
        .route("/login/consent", post(consent::decide))
        .route("/login/cancel", post(consent::cancel))
        .route("/login/failed", get(message::failed))
        .route("/first-access", get(first_access::form).post(first_access::code))
        .route("/first-access/password", post(first_access::password))
        .route("/confirm-email", get(first_access::confirm_form).post(first_access::confirm))
        .route("/reset", get(reset::form).post(reset::ask))
        .route("/reset/new", get(reset::new_form).post(reset::complete))
        .route("/profile", get(profile::profile))
        .route("/profile/password", get(profile::password_form).post(profile::change_password))
        .route("/profile/second-factor", get(profile_factor::form).post(profile_factor::enrol))
        .route("/profile/second-factor/link", post(profile_factor::send_link))
        .route("/profile/second-factor/off", get(profile_factor::off_form).post(profile_factor::off))
        .route("/profile/sessions/end", post(profile::end_session))
        .route("/profile/sign-out", post(profile::sign_out))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(map_response_with_state(Arc::clone(identity), guard::headers))
        .route("/login/style.css", get(style))
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE).into_response()
}
