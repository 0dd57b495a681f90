//! Which providers there are, and what is known of them: fetched, verified, kept as long as it holds.
//!
//! Only names that an anchor or its registry lists are ever asked for, so that nobody can send the hub to an address
//! of their choice.

mod fetching;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use url::Url;

use super::chain::Resolved;
use super::error::FederationError;
use super::fetch::Fetcher;
use super::jose::jwk::JwkSet;
use super::provider::ProviderMetadata;
use super::settings::AnchorSettings;
use super::statement::Statement;
use super::trust_mark::TrustMark;
use super::upstream::Provider;

/// Most providers of an anchor (SPID has a dozen; our choice).
const MAX_PROVIDERS: usize = 100;
/// Most issuers of trust marks besides the anchor that are asked for (our choice).
const MAX_ISSUERS: usize = 3;
/// How long a failure is not tried again when a login asks, in seconds, and how often a provider's keys are fetched
/// anew because a token names an unknown one (our choice).
const PATIENCE: i64 = 10;
/// How long before its end a chain is fetched anew when a login asks, in seconds (our choice).
const MARGIN: i64 = 300;

/// An anchor with the keys that were received out of band.
pub struct Pinned {
    /// Its settings.
    pub settings: AnchorSettings,
    /// Its keys.
    pub keys: JwkSet,
}

/// A provider that a chain vouches for.
#[derive(Debug)]
pub struct KnownProvider {
    /// Its chain.
    pub resolved: Resolved,
    /// What it says of itself.
    pub metadata: ProviderMetadata,
    /// Its keys for tokens.
    pub keys: JwkSet,
    fetched: i64,
}

struct KnownAnchor {
    statement: Arc<Statement>,
    marks: Vec<TrustMark>,
    listed: Vec<Listed>,
}

#[derive(Clone)]
struct Listed {
    entity: String,
    name: Option<String>,
    logo: Option<Url>,
}

#[derive(Default)]
struct Known {
    anchors: HashMap<String, KnownAnchor>,
    providers: HashMap<String, Arc<KnownProvider>>,
    failed: HashMap<String, i64>,
    /// Who is listed and cannot be used: not a member of the federation, or not as it must be. A provider of SPID that
    /// speaks SAML only is one.
    unusable: HashSet<String>,
}

/// Knows the federations.
pub struct Resolver {
    own: String,
    anchors: Vec<Pinned>,
    fetcher: Fetcher,
    known: RwLock<Known>,
    /// One fetches at a time; who waits then finds what the first one fetched.
    turn: tokio::sync::Mutex<()>,
}

impl Resolver {
    /// Of a hub with this name.
    pub fn new(own: String, anchors: Vec<Pinned>, fetcher: Fetcher) -> Self {
        Self { own, anchors, fetcher, known: RwLock::default(), turn: tokio::sync::Mutex::default() }
    }

    /// All providers that are listed, with the names that people know.
    pub fn providers(&self) -> Vec<Provider> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut providers = Vec::new();
        for pinned in &self.anchors {
            let Some(anchor) = known.anchors.get(&pinned.settings.entity) else { continue };
            for listed in anchor.listed.iter().filter(|one| !known.unusable.contains(&one.entity)) {
                let resolved = known.providers.get(&listed.entity);
                // Without a name it was never reached: nobody could log in there.
                let name = listed.name.as_ref().or(resolved.map(|provider| &provider.metadata.name));
                let Some(name) = name else { continue };
                providers.push(Provider {
                    id: listed.entity.clone(),
                    method: pinned.settings.scheme.method(),
                    name: name.clone(),
                    logo: listed
                        .logo
                        .clone()
                        .or_else(|| resolved.and_then(|known| known.metadata.logo.clone())),
                });
            }
        }
        providers
    }

    /// The hub's trust marks.
    pub fn marks(&self) -> Vec<TrustMark> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.anchors.values().flat_map(|anchor| anchor.marks.iter().cloned()).collect()
    }

    /// What is known of a provider, without asking anybody.
    pub fn known(&self, entity: &str, now: i64) -> Option<Arc<KnownProvider>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.providers.get(entity).filter(|provider| provider.resolved.expires > now).cloned()
    }

    /// A provider, fetched if it is not known or its chain ends soon.
    pub async fn provider(&self, entity: &str, now: i64) -> Result<Arc<KnownProvider>, FederationError> {
        let fresh = || self.known(entity, now + MARGIN);
        if let Some(provider) = fresh() {
            return Ok(provider);
        }
        let _turn = self.turn.lock().await;
        if let Some(provider) = fresh() {
            return Ok(provider);
        }
        self.may_try(entity, now)?;
        let fetched = self.fetch_listed(entity, now).await;
        // A chain that still holds serves until its end, when the federation cannot be reached.
        match (fetched, self.known(entity, now)) {
            (Err(error), Some(provider)) if error.is_passing() => Ok(provider),
            (fetched, _) => fetched,
        }
    }

    /// A provider with its keys fetched anew, because a token names one that is not known; not too often, or anybody
    /// could make the hub fetch.
    pub async fn provider_with_new_keys(
        &self,
        known: &Arc<KnownProvider>,
        now: i64,
    ) -> Result<Arc<KnownProvider>, FederationError> {
        let _turn = self.turn.lock().await;
        let entity = &known.resolved.entity;
        match self.known(entity, now) {
            Some(newer) if newer.fetched > known.fetched || newer.fetched + PATIENCE > now => Ok(newer),
            _ => self.fetch_listed(entity, now).await,
        }
    }

    /// Fetches everything anew. Says what could not be had; what was known stays as long as it holds.
    pub async fn refresh(&self, now: i64) -> Vec<(String, FederationError)> {
        let mut failures = Vec::new();
        for pinned in &self.anchors {
            let _turn = self.turn.lock().await;
            if let Err(error) = self.fetch_anchor(pinned, now).await {
                failures.push((pinned.settings.entity.clone(), error));
                continue;
            }
            let listed = self.with_anchor(&pinned.settings.entity, |anchor| anchor.listed.clone());
            for Listed { entity, .. } in listed.unwrap_or_default() {
                if let Err(error) = self.fetch_provider(pinned, &entity, now).await {
                    failures.push((entity, error));
                }
            }
        }
        failures
    }

    fn with_anchor<T>(&self, entity: &str, look: impl FnOnce(&KnownAnchor) -> T) -> Option<T> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.anchors.get(entity).map(look)
    }

    fn write(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn may_try(&self, entity: &str, now: i64) -> Result<(), FederationError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.failed.get(entity) {
            Some(at) if at + PATIENCE > now => {
                Err(FederationError::Status { what: "a provider", status: 503 })
            }
            _ => Ok(()),
        }
    }

    fn note_failure(&self, entity: &str, now: i64) {
        self.write(|known| {
            known.failed.insert(entity.to_owned(), now);
        });
    }

    async fn fetch_listed(&self, entity: &str, now: i64) -> Result<Arc<KnownProvider>, FederationError> {
        let outcome = self.fetch_if_listed(entity, now).await;
        if let Err(error) = &outcome
            && !matches!(error, FederationError::UnknownProvider)
        {
            self.note_failure(entity, now);
        }
        outcome
    }

    async fn fetch_if_listed(&self, entity: &str, now: i64) -> Result<Arc<KnownProvider>, FederationError> {
        let lists = |pinned: &&Pinned| {
            self.with_anchor(&pinned.settings.entity, |anchor| {
                anchor.listed.iter().any(|one| one.entity == entity)
            })
            .unwrap_or_default()
        };
        let pinned = match self.anchors.iter().find(lists) {
            Some(pinned) => pinned,
            // At the hub's start an anchor may not have been there yet.
            None => {
                let mut failure = FederationError::UnknownProvider;
                for pinned in &self.anchors {
                    let name = &pinned.settings.entity;
                    if self.with_anchor(name, |_| ()).is_some() || self.may_try(name, now).is_err() {
                        continue;
                    }
                    if let Err(error) = self.fetch_anchor(pinned, now).await {
                        self.note_failure(name, now);
                        failure = error;
                    }
                }
                self.anchors.iter().find(lists).ok_or(failure)?
            }
        };
        let holds = |anchor: &KnownAnchor| anchor.statement.claims.exp.0 > now + MARGIN;
        if !self.with_anchor(&pinned.settings.entity, holds).unwrap_or_default() {
            self.fetch_anchor(pinned, now).await?;
        }
        self.fetch_provider(pinned, entity, now).await
    }
}
