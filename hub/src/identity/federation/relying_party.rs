//! The relying party: begins logins at providers and completes them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use registro_sync::http::Transport;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;
use zeroize::Zeroizing;

use super::callback::Callback;
use super::error::{FederationError, Reason};
use super::fetch::Fetcher;
use super::jose::JoseError;
use super::jose::jwk::JwkSet;
use super::journal::{Event, Journal, key_path};
use super::keys::FederationKeys;
use super::own::OwnEntity;
use super::pending::{self, Pending};
use super::provider;
use super::request::{LoginRequest, Secrets, assertion, form, hex};
use super::resolver::{KnownProvider, Pinned, Resolver};
use super::settings::FederationSettings;
use super::tokens::{self, Expected, TokenError};
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
/// Longest wait for a token to be given back, while the person waits too (our choice).
const GIVE_BACK: Duration = Duration::from_secs(3);

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

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    id_token: String,
}

impl Drop for TokenAnswer {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.access_token);
    }
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

    async fn take(&self, state: String) -> Result<Option<Pending>, HubError> {
        let (store, now) = (Arc::clone(&self.store), self.clock.now());
        tokio::task::spawn_blocking(move || pending::take(&*store.lock()?, &state, now))
            .await
            .map_err(|_| HubError::Poisoned)?
    }

    fn form(&self, endpoint: &str, fields: &[(&str, &str)]) -> Result<Vec<u8>, FederationError> {
        let id = hex(&self.random.draw::<16>());
        let assertion = assertion(self.keys.signing()?, &self.own.name, endpoint, &id, self.now())?;
        Ok(form(&self.own.name, &assertion, fields))
    }

    /// Takes the code to the provider and back: who it is.
    async fn identify(&self, pending: &Pending, callback: &Callback) -> Result<Identified, Failed> {
        let provider = self.resolver.provider(&pending.provider, self.now()).await?;
        let code =
            callback.code(&provider.metadata.issuer, provider.metadata.scheme).map_err(Failed::Said)?;
        let tokens = self.redeem(&provider, pending, code).await?;
        // From here on a token is out: it is given back, whatever comes.
        let used = self.use_tokens(&provider, pending, &tokens).await;
        self.give_back(&provider, pending.transaction, &tokens).await;
        used
    }

    async fn redeem(
        &self,
        provider: &KnownProvider,
        pending: &Pending,
        code: &str,
    ) -> Result<TokenAnswer, Failed> {
        const WHAT: &str = "the token endpoint";
        let endpoint = &provider.metadata.token_endpoint;
        let form = self.form(
            endpoint,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("code_verifier", &pending.secrets.verifier),
                ("redirect_uri", &self.own.redirect()),
            ],
        )?;
        let answer = self.fetcher.post(WHAT, endpoint.clone(), form).await?;
        let body = Zeroizing::new(answer.body);
        match answer.status {
            200 => {}
            // `invalid_client`, and what AgID's own implementation says instead of it.
            401 | 403 => return Err(Failed::Said(Reason::Misconfigured)),
            status => return Err(FederationError::Status { what: WHAT, status }.into()),
        }
        let tokens: TokenAnswer = serde_json::from_slice(&body)
            .map_err(|_| FederationError::Rule("the token endpoint's answer does not read"))?;
        let is_plain = tokens.access_token.bytes().all(|byte| byte.is_ascii_graphic());
        if !tokens.token_type.eq_ignore_ascii_case("Bearer") || tokens.access_token.is_empty() || !is_plain {
            return Err(FederationError::Rule("the token endpoint gave a token of another kind").into());
        }
        Ok(tokens)
    }

    async fn use_tokens(
        &self,
        provider: &Arc<KnownProvider>,
        pending: &Pending,
        tokens: &TokenAnswer,
    ) -> Result<Identified, Failed> {
        let hash = ring::digest::digest(&ring::digest::SHA256, tokens.access_token.as_bytes());
        let content = json!({ "id_token": tokens.id_token, "access_token_sha256": hex(hash.as_ref()) });
        self.log(pending.transaction, Event::Tokens, content).await?;
        let check = |provider: &KnownProvider| {
            let expected = self.expected(provider, pending, tokens);
            tokens::id_token(&tokens.id_token, &provider.metadata.id_token_algorithms, &expected)
        };
        let (provider, id_token) = match check(provider) {
            Err(TokenError::Other(FederationError::Message { why: JoseError::KeyUnknown, .. })) => {
                let newer = self.resolver.provider_with_new_keys(provider, self.now()).await?;
                let id_token = check(&newer)?;
                (newer, id_token)
            }
            checked => (Arc::clone(provider), checked?),
        };
        let metadata = &provider.metadata;
        let url = metadata.userinfo_endpoint.clone();
        let message = self.fetcher.get_with("the userinfo", url, &tokens.access_token).await?;
        let expected = self.expected(&provider, pending, tokens);
        let userinfo = tokens::userinfo(&message, &metadata.userinfo_algorithms, &id_token, &expected)?;
        let content = json!({ "userinfo": userinfo.text, "level": id_token.level.number() });
        self.log(pending.transaction, Event::Userinfo, content).await?;
        Ok(Identified {
            interaction: pending.interaction,
            fiscal_number: userinfo.fiscal_number.ok_or(Failed::Said(Reason::UnknownPerson))?,
            level: id_token.level,
            method: metadata.scheme.method(),
        })
    }

    fn expected<'a>(
        &'a self,
        provider: &'a KnownProvider,
        pending: &'a Pending,
        tokens: &'a TokenAnswer,
    ) -> Expected<'a> {
        Expected {
            issuer: &provider.metadata.issuer,
            client: &self.own.name,
            nonce: &pending.secrets.nonce,
            access_token: &tokens.access_token,
            wanted: pending.wanted,
            keys: &provider.keys,
            own_keys: self.keys.decryption(),
            now: self.now(),
        }
    }

    /// Gives the access token back: the session is the school's, nothing more is read at the provider (AgID:
    /// revocation at logout; sooner is our choice). A failure changes nothing for the person.
    async fn give_back(&self, provider: &KnownProvider, transaction: [u8; 8], tokens: &TokenAnswer) {
        let Some(endpoint) = &provider.metadata.revocation_endpoint else { return };
        let fields = [("token", tokens.access_token.as_str()), ("token_type_hint", "access_token")];
        let status = match self.form(endpoint, &fields) {
            Ok(form) => {
                let sent = self.fetcher.post("the revocation endpoint", endpoint.clone(), form);
                // No answer is 0 in the log.
                tokio::time::timeout(GIVE_BACK, sent)
                    .await
                    .ok()
                    .and_then(Result::ok)
                    .map_or(0, |answer| answer.status)
            }
            Err(_) => 0,
        };
        if status != 200 {
            tracing::warn!(provider = %provider.metadata.issuer, status, "a token could not be given back");
        }
        if let Err(error) = self.log(transaction, Event::Revocation, json!({ "status": status })).await {
            tracing::error!(%error, "the transaction log cannot be written");
        }
    }
}

/// Why a login did not succeed: what the provider said, or what was wrong.
enum Failed {
    Said(Reason),
    Wrong(FederationError),
}

impl<E: Into<FederationError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Wrong(error.into())
    }
}

impl From<TokenError> for Failed {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Level => Self::Said(Reason::LevelTooLow),
            TokenError::Other(error) => Self::Wrong(error),
        }
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
            let chain = journal.write_chain(&provider.resolved.statements, now)?;
            let content = json!({ "provider": pending.provider, "chain": chain, "request": signed });
            journal.write(pending.transaction, Event::Request, &content, now)?;
            pending::put(&*store.lock()?, &pending, now)
        });
        kept.await.map_err(|_| HubError::Poisoned)??;
        Ok(url)
    }

    async fn complete(&self, query: String, browser: Option<InteractionId>) -> Result<Identified, Reason> {
        let Some(callback) = Callback::parse(&query) else { return Err(Reason::Expired) };
        let pending = match self.take(callback.state.clone()).await {
            Ok(Some(pending)) => pending,
            Ok(None) => return Err(Reason::Expired),
            Err(error) => {
                tracing::error!(%error, "logins at providers cannot be read");
                return Err(Reason::Unavailable);
            }
        };
        if browser != Some(pending.interaction) {
            tracing::warn!(provider = %pending.provider, "an answer came back in another browser");
            return Err(Reason::Expired);
        }
        let outcome = self.finish(&pending, &callback).await;
        let word = match &outcome {
            Ok(_) => "identified",
            Err(Failed::Said(reason)) => reason.word(),
            Err(Failed::Wrong(error)) => {
                tracing::warn!(provider = %pending.provider, %error, "a login at a provider failed");
                Reason::from(error).word()
            }
        };
        let detail = match &outcome {
            Err(Failed::Wrong(error)) => Some(error.to_string()),
            _ => None,
        };
        let content = json!({ "outcome": word, "detail": detail });
        if let Err(error) = self.log(pending.transaction, Event::Outcome, content).await {
            // What is not logged did not happen: the rules demand the log of every login.
            tracing::error!(%error, "the transaction log cannot be written");
            return Err(Reason::Unavailable);
        }
        outcome.map_err(|failed| match failed {
            Failed::Said(reason) => reason,
            Failed::Wrong(error) => Reason::from(&error),
        })
    }
}

impl RelyingParty {
    async fn finish(&self, pending: &Pending, callback: &Callback) -> Result<Identified, Failed> {
        let hash = callback
            .code
            .as_ref()
            .map(|code| hex(ring::digest::digest(&ring::digest::SHA256, code.as_bytes()).as_ref()));
        let content = json!({
            "provider": pending.provider, "iss": callback.iss, "error": callback.error, "code_sha256": hash,
        });
        self.log(pending.transaction, Event::Answer, content).await?;
        self.identify(pending, callback).await
    }
}
