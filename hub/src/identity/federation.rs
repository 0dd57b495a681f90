//! The relying party of SPID and CIE (OpenID Connect with OpenID Federation 1.0, as AgID and the Ministry of the
//! Interior profile it; docs.italia.it, *SPID/CIE OpenID Connect*).
//!
//! The hub is a member of one federation per trust anchor. It says of itself what it is (entity configuration),
//! believes of providers what the anchor vouches for (trust chain), sends the browser there with a signed request,
//! and takes back who it was. A person is found by the fiscal number, never by the provider's `sub`.
//!
//! | module | what |
//! |---|---|
//! | [`upstream`] | the seam to the rest of the login, and to a SAML adapter |
//! | [`relying_party`] | begins and completes logins |
//! | [`routes`] | the addresses |
//! | [`settings`], [`keys`] | how the school takes part; its keys |
//! | [`own`] | what the hub says of itself |
//! | [`statement`], [`policy`], [`trust_mark`], [`chain`] | what others say, verified: pure |
//! | [`provider`] | what is known of a provider |
//! | [`resolver`], [`fetch`] | fetched and kept |
//! | [`request`], [`callback`], [`tokens`] | the messages of a login: pure |
//! | [`pending`] | logins that are at a provider |
//! | [`journal`] | the transaction log |
//! | [`jose`] | signed and encrypted messages |
//! | [`error`], [`time`] | what can go wrong; instants |

pub mod callback;
pub mod chain;
pub mod error;
pub mod fetch;
pub mod jose;
pub mod journal;
pub mod keys;
pub mod own;
pub mod pending;
pub mod policy;
pub mod provider;
pub mod relying_party;
pub mod request;
pub mod resolver;
pub mod routes;
pub mod settings;
pub mod statement;
pub mod time;
pub mod tokens;
pub mod trust_mark;
pub mod upstream;

pub use error::Reason;
pub use relying_party::{RelyingParty, RelyingPartyParts};
pub use routes::routes;
pub use settings::FederationSettings;
pub use upstream::{Provider, Upstream};
