//! Who logs in: the school's authorization server, which the app trusts alone, and the ways in which a person shows
//! who they are to it (SPID, CIE, the school's own credentials).
//!
//! | module | what |
//! |---|---|
//! | [`interaction`] | a login under way in a browser: what the authorization server, the pages and the ways share |
//! | [`authorization`] | the OAuth 2.0 authorization server: requests, codes, tokens, sessions, devices |
//! | [`federation`] | the relying party of SPID and CIE |
//! | [`credentials`] | the school's own credentials, as long as the school allows them |
//! | [`pages`] | what the person sees in the browser |
//! | [`people`] | whom a fiscal number names, whether they may log in, where mail reaches them |
//! | [`config`] | how a school sets it up |
//! | [`store`] | the database beside the register's |

pub mod authorization;
pub mod config;
pub mod credentials;
pub mod federation;
pub mod interaction;
pub mod pages;
pub mod people;
pub mod store;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;

use crate::clock::Clock;
use crate::hub::Hub;
use crate::random::{Random, draw};
use config::IdentityConfig;
use store::IdentityStore;

/// What the login of a school is made of. Shared by all its routes.
pub struct Identity {
    /// The hub: its directory says who is what.
    pub hub: Arc<Hub>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How the school set it up.
    pub config: IdentityConfig,
    /// Its database.
    pub store: IdentityStore,
    random: Mutex<Box<dyn Random>>,
}

impl Identity {
    /// Puts it together.
    pub fn new(
        hub: Arc<Hub>,
        clock: Arc<dyn Clock>,
        config: IdentityConfig,
        store: IdentityStore,
        random: Box<dyn Random>,
    ) -> Self {
        Self { hub, clock, config, store, random: Mutex::new(random) }
    }

    /// Random bytes.
    pub fn draw<const N: usize>(&self) -> [u8; N] {
        draw(self.random.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }
}

/// Everything that a browser or an app asks of the login.
pub fn routes(identity: Arc<Identity>) -> Router {
    Router::new()
        .merge(authorization::routes())
        .merge(federation::routes())
        .merge(pages::routes())
        .with_state(identity)
}
