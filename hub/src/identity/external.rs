//! An external OpenID provider (a region's, or a school's own) in the place of the built-in authorization server. The
//! app logs in there; the hub only judges the access tokens that it brings: RFC 9068 tokens, bound to the device's key
//! by DPoP (RFC 9449). The hub's own login pages do not exist then.
//!
//! | module | what |
//! |---|---|
//! | [`settings`] | how a school names its provider |
//! | [`keys`] | the provider's keys, as it publishes them |
//! | [`callers`] | who calls, by its tokens |

pub mod callers;
pub mod keys;
pub mod settings;

pub use callers::ExternalCallers;
pub use settings::{ExternalSettings, PersonIs};
