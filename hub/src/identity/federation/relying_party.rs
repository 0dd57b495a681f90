//! The relying party: begins logins at providers and completes them ([`completing`]).

mod completing;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use registro_sync::http::Transport;
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

use super::error::{FederationError, Reason};
use super::fetch::Fetcher;
use super::jose::jwk::JwkSet;
use super::journal::{Event, Journal, key_path};
use super::keys::FederationKeys;
use super::own::OwnEntity;
use super::pending::{self, Pending};
use super::provider;
use super::request::{LoginRequest, Secrets};
use super::resolver::{Pinned, Resolver};
use super::settings::FederationSettings;
use super::upstream::{Identified, Provider, Upstream};
use crate::caller::Level;
use crate::clock::Clock;
use crate::error::HubError;
use crate::identity::Randomness;
use crate::identity::interaction::InteractionId;
use crate::identity::issuer::Issuer;
use crate::identity::store::IdentityStore;

/// How often everything is fetched anew (AgID: daily).
const REFRESH: Duration = Duration::from_secs(24 * 3600);
/// After a failure: at first, and at most (our choice).
const RETRY: Duration = Duration::from_secs(15);
const LONGEST_RETRY: Duration = Duration::from_secs(3600);
/// How long a signed answer is handed out again, in seconds: who asks often costs no signatures.
const ANSWER_KEPT: i64 = 600;

/// The relying party of SPID and CIE.
pub struct RelyingParty {
    settings: FederationSettings,
    own: OwnEntity,
    keys: FederationKeys,
    resolver: Resolver,
    fetcher: Fetcher,
    store: Arc<IdentityStore>,
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    random: Randomness,
    configuration: Mutex<Option<(i64, usize, String)>>,
    /// Answers of the resolve endpoint, by provider: no more than there are.
    answers: Mutex<HashMap<String, (i64, String)>>,
}

/// What a relying party is made of.
pub struct RelyingPartyParts<'a> {
    /// How the school takes part.
    pub settings: FederationSettings,
    /// The hub's address.
    pub issuer: &'a Issuer,
    /// The data directory: keys.
    pub data: &'a Path,
    /// The database.
    pub store: Arc<IdentityStore>,
    /// The time as the rest of the world has it: a development hub's standing clock would find every message of a
    /// provider expired or not yet made.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Randomness,
    /// How to reach others.
    pub transport: Transport,
}

impl RelyingParty {
    /// Puts it together; makes keys and tables if they are missing. Reaches for nobody yet.
    pub fn open(parts: RelyingPartyParts<'_>) -> Result<Self, HubError> {
        let RelyingPartyParts { settings, issuer, data, store, clock, random, transport } = parts;
        pending::migrate(&*store.lock()?)?;
        let log_key = key_path(data, settings.log_key.as_deref());
        let journal = Arc::new(Journal::open(Arc::clone(&store), &log_key, random.clone())?);
        let pinned = settings.anchors.iter().map(|anchor| {
            let unreadable =
                || HubError::Settings(format!("the keys of the anchor {} do not read", anchor.entity));
            let text = std::fs::read(data.join(&anchor.keys)).map_err(|_| unreadable())?;
            let value: Value = serde_json::from_slice(&text).map_err(|_| unreadable())?;
            let keys =
                JwkSet::from_json(&value).ok().filter(|keys| !keys.keys.is_empty()).ok_or_else(unreadable)?;
            Ok(Pinned { settings: anchor.clone(), keys })
        });
        let pinned = pinned.collect::<Result<Vec<_>, HubError>>()?;
        let (own, fetcher) = (OwnEntity::new(issuer.as_str(), &settings), Fetcher::new(transport));
        let resolver = Resolver::new(own.name.clone(), pinned, fetcher.clone());
        let keys = FederationKeys::of_directory(data)?;
        let (configuration, answers) = (Mutex::default(), Mutex::default());
        Ok(Self {
            settings,
            own,
            keys,
            resolver,
            fetcher,
            store,
            journal,
            clock,
            random,
            configuration,
            answers,
        })
    }

    fn now(&self) -> i64 {
        self.clock.now().div_euclid(1_000)
    }

    /// The code under which the hub stands in the federation, if its name has one.
    pub fn ipa_code(&self) -> Option<&str> {
        self.settings.ipa_code.as_deref()
    }

    /// What the hub says of itself, signed.
    pub fn configuration(&self) -> Result<String, FederationError> {
        let (now, marks) = (self.now(), self.resolver.marks());
        let mut kept = self.configuration.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, count, text)) = kept.as_ref()
            && (*made..*made + ANSWER_KEPT).contains(&now)
            && *count == marks.len()
        {
            return Ok(text.clone());
        }
        let text = self.own.configuration(&self.settings, &self.keys, &marks, now)?;
        *kept = Some((now, marks.len(), text.clone()));
        Ok(text)
    }

    /// What the hub knows of a provider by an anchor, signed; nothing if it does not know it. Nobody is asked: an
    /// endpoint that fetches for everybody is an endpoint for attacks on others.
    pub fn resolve(&self, entity: &str, anchor: &str) -> Result<Option<String>, FederationError> {
        let now = self.now();
        let known = self.resolver.known(entity, now).filter(|known| known.resolved.anchor == anchor);
        let Some(known) = known else { return Ok(None) };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, text)) = answers.get(entity)
            && (*made..*made + ANSWER_KEPT).contains(&now)
        {
            return Ok(Some(text.clone()));
        }
        let text = self.own.resolve_answer(&self.keys, &known.resolved, provider::TYPE, now)?;
        answers.insert(entity.to_owned(), (now, text.clone()));
        Ok(Some(text))
    }

    /// Fetches everything anew, every day and, as long as something fails, more often; deletes what the log has kept
    /// long enough. Ends when the hub stops.
    pub async fn keep_fresh(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let mut wait = RETRY;
        loop {
            let refreshed = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                failures = self.refresh() => failures,
            };
            let pause = match refreshed {
                true => {
                    wait = RETRY;
                    REFRESH
                }
                false => {
                    let pause = wait;
                    wait = LONGEST_RETRY.min(wait * 2);
                    pause
                }
            };
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Fetches everything anew. Whether nothing failed.
    pub async fn refresh(&self) -> bool {
        let failures = self.resolver.refresh(self.now()).await;
        for (entity, error) in &failures {
            tracing::warn!(%entity, %error, "an entity of the federation cannot be used");
        }
        let (journal, now) = (Arc::clone(&self.journal), self.clock.now());
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || journal.purge(now)).await {
            tracing::error!(%error, "the transaction log cannot be purged");
        }
        failures.is_empty()
    }

    async fn log(&self, transaction: [u8; 8], event: Event, content: Value) -> Result<(), HubError> {
        let (journal, now) = (Arc::clone(&self.journal), self.clock.now());
        tokio::task::spawn_blocking(move || journal.write(transaction, event, &content, now))
            .await
            .map_err(|_| HubError::Poisoned)?
    }
}

impl Upstream for RelyingParty {
    type Answer = String;

    fn providers(&self) -> Vec<Provider> {
        self.resolver.providers()
    }

    async fn begin(
        &self,
        provider: &str,
        wanted: Level,
        interaction: InteractionId,
        language: Option<&str>,
    ) -> Result<Url, FederationError> {
        let provider = self.resolver.provider(provider, self.now()).await?;
        let secrets = Secrets::of(&self.random.draw());
        let redirect = self.own.redirect();
        let request = LoginRequest {
            client: &self.own.name,
            redirect: &redirect,
            provider: &provider.metadata,
            wanted,
            language: language.filter(|language| *language != "it"),
            secrets: &secrets,
            now: self.now(),
        };
        let signed = request.sign(self.keys.signing()?)?;
        let url = request.url(&signed);
        let pending = Pending {
            interaction,
            transaction: self.random.draw(),
            provider: provider.metadata.issuer.clone(),
            wanted,
            secrets: secrets.clone(),
        };
        let (store, journal, now) = (Arc::clone(&self.store), Arc::clone(&self.journal), self.clock.now());
        let kept = tokio::task::spawn_blocking(move || {
            // First, because it bounds the tries of a login: what is logged stays for two years.
            pending::put(&*store.lock()?, &pending, now)?;
            let chain = journal.write_chain(&provider.resolved.statements, now)?;
            let content = json!({ "provider": pending.provider, "chain": chain, "request": signed });
            journal.write(pending.transaction, Event::Request, &content, now)
        });
        kept.await.map_err(|_| HubError::Poisoned)??;
        Ok(url)
    }

    async fn complete(&self, query: String, browser: Option<InteractionId>) -> Result<Identified, Reason> {
        self.complete_login(&query, browser).await
    }
}
