//! The second half of a login: the answer of the provider is checked, and becomes a person's fiscal number.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::RelyingParty;
use crate::error::HubError;
use crate::identity::federation::callback::Callback;
use crate::identity::federation::error::{FederationError, Reason};
use crate::identity::federation::jose::JoseError;
use crate::identity::federation::journal::Event;
use crate::identity::federation::pending::{self, Pending};
use crate::identity::federation::request::{assertion, form, hex};
use crate::identity::federation::resolver::KnownProvider;
use crate::identity::federation::tokens::{self, Expected, TokenError};
use crate::identity::federation::upstream::Identified;
use crate::identity::interaction::InteractionId;

/// Longest wait for a token to be given back, while the person waits too (our choice).
const GIVE_BACK: Duration = Duration::from_secs(3);

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

impl RelyingParty {
    /// Completes a login by what came back through a browser.
    pub(super) async fn complete_login(
        &self,
        query: &str,
        browser: Option<InteractionId>,
    ) -> Result<Identified, Reason> {
        let Some(callback) = Callback::parse(query) else { return Err(Reason::Expired) };
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
            Err(Failed::Said(reason)) => {
                if *reason == Reason::Misconfigured {
                    tracing::warn!(provider = %pending.provider, "a provider refuses this hub");
                }
                reason.word()
            }
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
