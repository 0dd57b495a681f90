//! Which providers there are, and what is known of them: fetched, verified, kept as long as it holds.
//!
//! Only names that an anchor or its registry lists are ever asked for, so that nobody can send the hub to an address
//! of their choice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::chain::{self, Resolved, read_anchor, read_subordinate};
use super::error::FederationError;
use super::fetch::Fetcher;
use super::jose::algorithm::SigningAlgorithm;
use super::jose::jwk::JwkSet;
use super::jose::jws;
use super::provider::{self, CoreKeys, ProviderMetadata};
use super::settings::AnchorSettings;
use super::statement::Statement;
use super::trust_mark::{self, TrustMark};
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

    async fn configuration(&self, what: &'static str, entity: &str) -> Result<String, FederationError> {
        // A slash at the end of a name is not part of the address (OpenID Federation 1.0 §9).
        let base = entity.strip_suffix('/').unwrap_or(entity);
        self.fetcher.get(what, format!("{base}/.well-known/openid-federation")).await
    }

    async fn fetch_anchor(&self, pinned: &Pinned, now: i64) -> Result<(), FederationError> {
        let entity = &pinned.settings.entity;
        let text = self.configuration("an anchor's configuration", entity).await?;
        let statement = Arc::new(read_anchor(&text, entity, &pinned.keys, now)?);
        let listed = self.fetch_list(pinned, &statement).await?;
        // A hub that is not registered yet has no marks; logins will say so.
        let marks = self.fetch_marks(&statement, now).await.unwrap_or_else(|error| {
            tracing::warn!(%entity, %error, "the anchor gives the hub no trust mark");
            Vec::new()
        });
        self.write(|known| {
            known.anchors.insert(entity.clone(), KnownAnchor { statement, marks, listed });
        });
        Ok(())
    }

    /// What the anchor says of an entity.
    async fn subordinate(
        &self,
        anchor: &Statement,
        entity: &str,
        now: i64,
    ) -> Result<Statement, FederationError> {
        let endpoint = anchor
            .address("federation_entity", "federation_fetch_endpoint")
            .ok_or(FederationError::Rule("an anchor has no fetch endpoint"))?;
        let url = with_parameter(endpoint, "sub", entity)?;
        let text = self.fetcher.get("an anchor's statement", url).await?;
        read_subordinate(&text, entity, anchor, now)
    }

    async fn fetch_marks(&self, anchor: &Statement, now: i64) -> Result<Vec<TrustMark>, FederationError> {
        let of_hub = self.subordinate(anchor, &self.own, now).await?;
        let issuers = self.issuer_keys(&of_hub.claims.trust_marks, anchor, now).await;
        let marks =
            trust_mark::verified(&of_hub.claims.trust_marks, &self.own, &anchor.claims, &issuers, now);
        match marks.is_empty() {
            true => Err(FederationError::Rule("no trust mark of the hub holds")),
            false => Ok(marks),
        }
    }

    /// The keys of those who issued marks: the anchor's, and those of others that the anchor vouches for.
    async fn issuer_keys(&self, marks: &[Value], anchor: &Statement, now: i64) -> BTreeMap<String, JwkSet> {
        #[derive(Deserialize)]
        struct Issued {
            iss: String,
        }
        let mut keys = BTreeMap::from([(anchor.claims.sub.clone(), anchor.keys.clone())]);
        let allowed =
            |issuer: &String| anchor.claims.trust_mark_issuers.values().flatten().any(|one| one == issuer);
        for mark in marks {
            let text = mark.get("trust_mark").and_then(Value::as_str).unwrap_or_default();
            let Ok(Issued { iss }) = jws::unverified(text) else { continue };
            if keys.contains_key(&iss) || keys.len() > MAX_ISSUERS || !allowed(&iss) {
                continue;
            }
            if let Ok(statement) = self.subordinate(anchor, &iss, now).await {
                keys.insert(iss, statement.keys);
            }
        }
        keys
    }

    async fn fetch_list(&self, pinned: &Pinned, anchor: &Statement) -> Result<Vec<Listed>, FederationError> {
        let chosen = &pinned.settings.providers;
        let mut listed = match &pinned.settings.registry {
            Some(registry) => {
                parse_list(&self.fetcher.get("the register of providers", registry.to_string()).await?)?
            }
            None => match anchor.address("federation_entity", "federation_list_endpoint") {
                Some(endpoint) => {
                    let url = with_parameter(endpoint, "entity_type", provider::TYPE)?;
                    parse_list(&self.fetcher.get("the anchor's list", url).await?)?
                }
                None => Vec::new(),
            },
        };
        let named: Vec<String> = listed.iter().map(|one| one.entity.clone()).collect();
        listed.retain(|one| chosen.is_empty() || chosen.contains(&one.entity));
        let unnamed = chosen.iter().filter(|entity| !named.contains(entity));
        listed.extend(unnamed.map(|entity| Listed { entity: entity.clone(), name: None, logo: None }));
        listed.retain(|one| self.fetcher.is_address(&one.entity));
        listed.truncate(MAX_PROVIDERS);
        Ok(listed)
    }

    /// Fetches a provider. One that is not as it must be is not offered until it is.
    async fn fetch_provider(
        &self,
        pinned: &Pinned,
        entity: &str,
        now: i64,
    ) -> Result<Arc<KnownProvider>, FederationError> {
        let outcome = self.resolve_provider(pinned, entity, now).await;
        self.write(|known| match &outcome {
            Ok(provider) => {
                known.failed.remove(entity);
                known.unusable.remove(entity);
                known.providers.insert(entity.to_owned(), Arc::clone(provider));
            }
            Err(error) if error.is_passing() => {}
            Err(_) => {
                known.unusable.insert(entity.to_owned());
            }
        });
        outcome
    }

    async fn resolve_provider(
        &self,
        pinned: &Pinned,
        entity: &str,
        now: i64,
    ) -> Result<Arc<KnownProvider>, FederationError> {
        let anchor = self
            .with_anchor(&pinned.settings.entity, |anchor| Arc::clone(&anchor.statement))
            .ok_or(FederationError::UnknownProvider)?;
        let subordinate = self.subordinate(&anchor, entity, now).await?;
        let configuration = self.configuration("a provider's configuration", entity).await?;
        #[derive(Deserialize)]
        struct Marked {
            #[serde(default)]
            trust_marks: Vec<Value>,
        }
        let marks =
            jws::unverified::<Marked>(&configuration).map(|said| said.trust_marks).unwrap_or_default();
        let issuers = self.issuer_keys(&marks, &anchor, now).await;
        let resolved = chain::resolve(&configuration, &subordinate, &anchor, provider::TYPE, &issuers, now)?;
        let is_address = |address: &str| self.fetcher.is_address(address);
        let metadata = ProviderMetadata::read(&resolved, pinned.settings.scheme, &is_address)?;
        let keys = self.core_keys(&metadata, &resolved).await?;
        Ok(Arc::new(KnownProvider { resolved, metadata, keys, fetched: now }))
    }

    async fn core_keys(
        &self,
        metadata: &ProviderMetadata,
        resolved: &Resolved,
    ) -> Result<JwkSet, FederationError> {
        const WHAT: &str = "a provider's keys";
        let wrong = FederationError::message(WHAT);
        let value: Value = match &metadata.keys {
            CoreKeys::Inline(keys) => return Ok(keys.clone()),
            CoreKeys::Signed(url) => {
                let text = self.fetcher.get(WHAT, url.clone()).await?;
                let read = jws::verify(&text, &resolved.keys, &SigningAlgorithm::ALL).map_err(&wrong)?;
                read.claims().map_err(&wrong)?
            }
            CoreKeys::Plain(url) => {
                let text = self.fetcher.get(WHAT, url.clone()).await?;
                serde_json::from_str(&text)
                    .map_err(|_| FederationError::Rule("a provider's keys do not read"))?
            }
        };
        JwkSet::from_json(&value).map_err(wrong)
    }
}

fn with_parameter(endpoint: &str, name: &str, value: &str) -> Result<String, FederationError> {
    let mut url = Url::parse(endpoint).map_err(|_| FederationError::Rule("an endpoint is no address"))?;
    url.query_pairs_mut().append_pair(name, value);
    Ok(url.into())
}

/// Reads a list: names (an anchor's), or records with names for people (SPID's registry).
fn parse_list(text: &str) -> Result<Vec<Listed>, FederationError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Item {
        Name(String),
        Record {
            entity_id: String,
            #[serde(default)]
            organization_name: Option<String>,
            #[serde(default)]
            logo_uri: Option<String>,
        },
    }
    let items: Vec<Value> = serde_json::from_str(text)
        .map_err(|_| FederationError::Rule("the list of providers does not read"))?;
    let listed = items.into_iter().filter_map(|item| {
        Some(match Item::deserialize(item).ok()? {
            Item::Name(entity) => Listed { entity, name: None, logo: None },
            Item::Record { entity_id, organization_name, logo_uri } => Listed {
                entity: entity_id,
                name: organization_name.map(|name| name.chars().take(100).collect()),
                logo: logo_uri
                    .and_then(|logo| Url::parse(&logo).ok())
                    .filter(|logo| logo.scheme() == "https"),
            },
        })
    });
    Ok(listed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_names_or_records_and_what_does_not_read_is_left_out() {
        let read = |text| {
            parse_list(text)
                .map(|list| list.into_iter().map(|one| (one.entity, one.name)).collect::<Vec<_>>())
        };
        assert_eq!(
            read(r#"["https://a.example", 7, {"x": 1}]"#).unwrap(),
            [("https://a.example".to_owned(), None)]
        );
        let records =
            r#"[{"entity_id": "https://b.example", "organization_name": "B", "logo_uri": "javascript:x"}]"#;
        assert_eq!(read(records).unwrap(), [("https://b.example".to_owned(), Some("B".to_owned()))]);
        assert!(parse_list(records).unwrap().iter().all(|one| one.logo.is_none()));
        assert!(read("{}").is_err() && read("<html>").is_err());
    }
}
