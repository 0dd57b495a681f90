//! The seam between the hub's login and the ways in which somebody else vouches for a person.
//!
//! [`super::RelyingParty`] implements it for SPID and CIE by OpenID Connect. **SAML 2.0 for SPID** is the other
//! implementation that the trait is made for, and is not here: in production most SPID providers still speak SAML. An
//! adapter would hold the school's SAML metadata and certificate, list the providers of the SPID registry, begin with
//! a signed `AuthnRequest` (redirect binding; `RelayState` takes the place of `state`, and the request's id that of
//! the nonce), and complete with the posted `Response`: its [`Upstream::Answer`] is the form, checked by signature of
//! the assertion, `Destination`, `InResponseTo`, audience, times, `AuthnContextClassRef` ≥ wanted and `fiscalNumber`
//! (SPID technical rules; OASIS SAML 2.0 profiles §4.1). Everything after that (person, level, transaction log, page)
//! is the same. Note that a posted form comes without the browser's `Lax` cookie: the adapter must answer the post
//! with a redirect to itself, so that the cookie is there when the answer is used.

use std::future::Future;

use url::Url;

use super::error::{FederationError, Reason};
use crate::caller::Level;
use crate::identity::interaction::{InteractionId, Method};

/// A provider as the login page lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in its federation; what [`Upstream::begin`] takes.
    pub id: String,
    /// SPID or CIE.
    pub method: Method,
    /// Its name for people.
    pub name: String,
    /// Its logo.
    pub logo: Option<Url>,
}

/// Somebody for whom a provider vouches. `Debug` does not show who.
#[derive(Clone, PartialEq, Eq)]
pub struct Identified {
    /// The login that they came through.
    pub interaction: InteractionId,
    /// The fiscal number, `TINIT-` and the code.
    pub fiscal_number: String,
    /// How surely.
    pub level: Level,
    /// In which way.
    pub method: Method,
}

impl std::fmt::Debug for Identified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identified")
            .field("level", &self.level)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A way in which somebody else vouches for a person.
pub trait Upstream {
    /// What comes back from the provider through the browser.
    type Answer;

    /// Whom a person can choose among, in no particular order: the page shuffles SPID's (AgID, rules of the button).
    fn providers(&self) -> Vec<Provider>;

    /// Begins: where the browser goes. `language` is `it` or `en`.
    fn begin(
        &self,
        provider: &str,
        wanted: Level,
        interaction: InteractionId,
        language: Option<&str>,
    ) -> impl Future<Output = Result<Url, FederationError>> + Send;

    /// Completes. `browser` is the login that the browser's own cookie names: an answer is used only in the browser
    /// in which it was asked for, or else somebody could send another person to log in for them.
    fn complete(
        &self,
        answer: Self::Answer,
        browser: Option<InteractionId>,
    ) -> impl Future<Output = Result<Identified, Reason>> + Send;
}
