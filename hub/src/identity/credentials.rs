//! The school's own credentials: a user name and a password that the school gives to people without SPID or CIE. They
//! are a transition: the head sets the day after which they end (D.L. 76/2020 art. 24(4); MIM note 2773/2025).
//!
//! | module | what |
//! |---|---|
//! | [`issue`], [`first_access`] | the office issues; the person sets a password that the school never knows |
//! | [`log_in`] | user name and password, then the second factor if there is one |
//! | [`second_factor`], [`totp`] | codes of an authenticator app, recovery codes |
//! | [`change`], [`reset`] | another password, by who knows the old one or reads the recognised e-mail |
//! | [`password`], [`blocklist`], [`hashing`] | which passwords do, and how they are kept |
//! | [`throttle`] | how fast somebody may guess |
//! | [`one_time_code`], [`links`] | what the office prints, and what a mail carries |
//! | [`known`] | what the office's files say of a person |
//! | [`until`], [`leavers`] | when the method ends, and for whom |
//! | [`keys`], [`tables`] | how it is stored |
//!
//! Everything here blocks: call it through [`hashing::HashingPool`], which also bounds the memory that hashing takes.

mod account;
pub mod blocklist;
pub mod change;
pub mod first_access;
pub mod hashing;
pub mod issue;
pub mod keys;
pub mod known;
pub mod leavers;
pub mod links;
pub mod log_in;
pub mod one_time_code;
pub mod password;
pub mod reset;
pub mod second_factor;
pub mod tables;
pub mod throttle;
pub mod totp;
pub mod until;

use std::path::Path;
use std::sync::Arc;

use super::Randomness;
use super::config::IdentityConfig;
use super::issuer::Issuer;
use super::mail::Mail;
use super::store::IdentityStore;
use crate::error::HubError;
use blocklist::Blocklist;
use hashing::HashingPool;
use keys::CredentialKeys;

pub use known::Known;
pub use log_in::LogIn;
pub use password::{Password, PasswordProblem};

/// The school's own credentials.
pub struct Credentials {
    store: Arc<IdentityStore>,
    keys: Arc<CredentialKeys>,
    random: Randomness,
    blocklist: Blocklist,
    /// Where mail goes, and the address under which its links stand.
    pub mail: Mail,
    /// Where hashing takes place.
    pub hashing: HashingPool,
}

impl Credentials {
    /// The keys, for what else is kept as a keyed hash: the tokens of forms.
    pub fn keys(&self) -> &CredentialKeys {
        &self.keys
    }

    /// Opens them in a data directory and makes the tables if they are not there.
    ///
    /// # Errors
    /// [`HubError::Settings`] if the settings of mail or of the blocklist do not hold.
    pub fn open(
        data: &Path,
        store: Arc<IdentityStore>,
        random: Randomness,
        config: &IdentityConfig,
        issuer: &Issuer,
    ) -> Result<Self, HubError> {
        tables::migrate(&store)?;
        let keys = Arc::new(CredentialKeys::in_directory(data, &random)?);
        let blocklist = Blocklist::read(config.credentials.blocklist.as_deref())?;
        let mail =
            Mail::new(config.mail.as_ref(), issuer, Arc::clone(&store), Arc::clone(&keys), random.clone())?;
        Ok(Self { store, keys, random, blocklist, mail, hashing: HashingPool::default() })
    }
}
