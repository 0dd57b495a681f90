//! A session: keeps tokens fresh, says to the hub who calls, signs out.
//!
//! Only the process that holds the store's lock may have one for an account: two that refresh the same token log the
//! person out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use registro_sync::http::{Authorization, Headers, HttpError, Later, Method};

use super::Shared;
use super::proofs::Side;
use super::records::{Account, Owed};
use super::tokens::{self, Tokens};
use crate::error::LoginError;
use crate::id_token::Expected;
use crate::secret::Secret;

/// An access token is renewed when it holds no longer than this: a request takes its time.
const MARGIN_MS: i64 = 20_000;

/// A session. Clones share it.
#[derive(Clone)]
pub struct SessionKeeper {
    pub(super) inner: Arc<Kept>,
}

pub(super) struct Kept {
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// One refresh at a time.
    flight: tokio::sync::Mutex<()>,
}

struct State {
    account: Account,
    /// Counts the tokens that were put there, so that who waited for a refresh does not refresh again.
    generation: u64,
    /// What is in `account` has been sealed.
    sealed: bool,
    ended: bool,
    signed_out: bool,
}

/// An access token, for whoever makes requests by themselves. It never appears in `Debug`.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token.
    pub token: Secret,
    /// Until when it holds, Unix milliseconds, if the server said so.
    pub until: Option<i64>,
}

impl SessionKeeper {
    pub(super) fn new(shared: Arc<Shared>, account: Account) -> Self {
        let ended = account.refresh.is_none() && account.access.is_none();
        let state = State { account, generation: 0, sealed: true, ended, signed_out: false };
        Self {
            inner: Arc::new(Kept { shared, state: Mutex::new(state), flight: tokio::sync::Mutex::new(()) }),
        }
    }

    /// Name of the session on this device.
    pub fn id(&self) -> String {
        self.inner.state().account.id.clone()
    }

    /// The person, as the server names them; nothing where no ID token was asked for.
    pub fn subject(&self) -> Option<String> {
        self.inner.state().account.subject.clone()
    }

    /// The level reached at the login, as the server named it.
    pub fn acr(&self) -> Option<String> {
        self.inner.state().account.acr.clone()
    }

    /// Whether it has ended: the person has to log in.
    pub fn has_ended(&self) -> bool {
        self.inner.state().ended
    }

    /// Whether the server gave what renews the session without the person.
    pub fn can_refresh(&self) -> bool {
        self.inner.state().account.refresh.is_some()
    }

    /// The issuer whose session it is.
    pub fn issuer(&self) -> &str {
        &self.inner.shared.server.options().issuer
    }

    /// The thumbprint of the key that the tokens are bound to (RFC 7638).
    pub async fn thumbprint(&self) -> Result<[u8; 32], LoginError> {
        let alias = self.inner.state().account.alias.clone();
        Ok(self.inner.shared.server.proofs.public(&alias).await?.thumbprint())
    }

    /// A token that holds, fetched anew if it must be.
    ///
    /// # Errors
    /// `Offline`, `HubUnavailable`: try again later. `SessionEnded`: the person has to log in.
    pub async fn access(&self) -> Result<Access, LoginError> {
        let (access, seen) = {
            let state = self.inner.state();
            if state.ended {
                return Err(LoginError::SessionEnded);
            }
            let now = self.inner.shared.server.proofs.now();
            let account = &state.account;
            let holds = account.access_until.is_none_or(|until| until - MARGIN_MS > now);
            let access = account.access.clone().filter(|_| holds && state.sealed);
            // Tokens that are being sealed are as good as new: who sees them waits for them and fetches no others.
            let seen = state.sealed.then_some(state.generation);
            (access.map(|token| Access { token, until: account.access_until }), seen)
        };
        match access {
            Some(access) => Ok(access),
            None => self.renew(seen).await,
        }
    }

    /// Fetches new tokens now.
    pub async fn refresh(&self) -> Result<(), LoginError> {
        let generation = self.inner.state().generation;
        self.renew(Some(generation)).await.map(drop)
    }

    /// Renews the tokens of the generation that was seen; any others will do if none was. Goes on if the caller goes away: the answer to a
    /// refresh must not be lost, because the token that was sent may be worth nothing after it.
    async fn renew(&self, seen: Option<u64>) -> Result<Access, LoginError> {
        let kept = Arc::clone(&self.inner);
        match tokio::spawn(async move { kept.renew(seen).await }).await {
            Ok(renewed) => renewed,
            Err(_) => Err(LoginError::Offline),
        }
    }

    /// Signs out: wipes the session from the device at once, and tells the server, now or when it can be reached.
    /// Says whether the server has heard of it.
    ///
    /// # Errors
    /// Those of the key store, with the session still there.
    pub async fn logout(&self) -> Result<bool, LoginError> {
        let kept = Arc::clone(&self.inner);
        let ended = tokio::spawn(async move {
            kept.end().await?;
            // Without a connection it is told later.
            Ok(kept.shared.give_back().await.unwrap_or(false))
        });
        ended.await.unwrap_or(Err(LoginError::Storage))
    }
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(&self, seen: Option<u64>) -> Result<Access, LoginError> {
        let _one = self.flight.lock().await;
        let (mut account, sealed, began) = {
            let state = self.state();
            if state.ended {
                return Err(LoginError::SessionEnded);
            }
            if Some(state.generation) != seen && state.sealed {
                return access(&state.account);
            }
            (state.account.clone(), state.sealed, state.generation)
        };
        if sealed {
            let tokens = match self.fetch(&account).await {
                Err(LoginError::SessionEnded) => {
                    self.expire(&account).await?;
                    return Err(LoginError::SessionEnded);
                }
                fetched => fetched?,
            };
            let now = self.shared.server.proofs.now();
            account.take(tokens, now);
        }
        self.keep(account, began).await
    }

    async fn fetch(&self, account: &Account) -> Result<Tokens, LoginError> {
        let server = &self.shared.server;
        let refresh = account.refresh.as_ref().ok_or(LoginError::SessionEnded)?;
        let metadata = server.metadata().await?;
        let tokens = tokens::renew(&self.shared, &metadata.token_endpoint, &account.alias, refresh).await?;
        if let (Some(token), Some(subject)) = (&tokens.id_token, &account.subject) {
            // OpenID Connect Core §12.2: the same person as before.
            let expected = Expected {
                issuer: &metadata.issuer,
                client: &server.options().client_id,
                nonce: None,
                access_token: tokens.access.reveal(),
                acr: None,
                max_age: None,
                subject: Some(subject),
                now: server.proofs.now().div_euclid(1_000),
            };
            server.check_id_token(&metadata, token, expected).await?;
        }
        Ok(tokens)
    }

    /// Seals new tokens before anybody uses them; if the person signed out meanwhile, or logged in again, they go back.
    /// `began` is the generation that they renew.
    async fn keep(&self, account: Account, began: u64) -> Result<Access, LoginError> {
        let _turn = self.shared.records.turn().await;
        let (ended, signed_out, newer) = {
            let state = self.state();
            (state.ended, state.signed_out, (state.generation != began).then(|| state.account.clone()))
        };
        if ended {
            self.shared.owe(owed(&account, signed_out)).await?;
            return Err(LoginError::SessionEnded);
        }
        if let Some(newer) = newer {
            // Another login took the place of what was renewed: a level that it raised stays raised.
            self.shared.owe(owed(&account, false)).await?;
            return access(&newer);
        }
        {
            let mut state = self.state();
            state.account = account.clone();
            state.generation += 1;
            state.sealed = false;
        }
        self.shared.records.set_account(&account).await?;
        self.state().sealed = true;
        access(&account)
    }

    /// The tokens of another login of the same person take the place of these.
    pub(super) fn replace(&self, account: Account) {
        let mut state = self.state();
        state.account = account;
        state.generation += 1;
        state.sealed = true;
        state.ended = false;
        state.signed_out = false;
    }

    /// The server says that the session has ended. Its name and key stay: the person logs in again, and what was not
    /// sent is still theirs.
    async fn expire(&self, seen: &Account) -> Result<(), LoginError> {
        let _turn = self.shared.records.turn().await;
        let account = {
            let mut state = self.state();
            let same = state.account.refresh.as_ref().map(Secret::reveal);
            if state.ended || same != seen.refresh.as_ref().map(Secret::reveal) {
                return Ok(());
            }
            state.ended = true;
            state.generation += 1;
            state.account.access = None;
            state.account.refresh = None;
            state.account.clone()
        };
        self.shared.records.set_account(&account).await
    }

    /// Wipes the session, and notes what the server has to hear. Does nothing the second time.
    async fn end(&self) -> Result<(), LoginError> {
        let _turn = self.shared.records.turn().await;
        let account = {
            let mut state = self.state();
            if std::mem::replace(&mut state.signed_out, true) {
                return Ok(());
            }
            state.account.clone()
        };
        let wiped = self.wipe(&account).await;
        let mut state = self.state();
        state.signed_out = wiped.is_ok();
        if wiped.is_ok() {
            state.ended = true;
            state.generation += 1;
            state.account.access = None;
            state.account.refresh = None;
        }
        wiped
    }

    async fn wipe(&self, account: &Account) -> Result<(), LoginError> {
        let owed = owed(account, true);
        let nothing_owed = owed.is_empty();
        // First: a token that nobody remembers could not be given back.
        self.shared.owe(owed).await?;
        self.shared.records.forget_account(&account.id).await?;
        if nothing_owed {
            self.shared.server.proofs.delete(&account.alias).await?;
            self.shared.server.proofs.forget(&account.alias);
        }
        Ok(())
    }
}

impl Account {
    /// Takes the tokens of an answer. A refresh token that it does not name goes on holding (RFC 6749 §6).
    pub(super) fn take(&mut self, tokens: Tokens, now: i64) {
        let lifetime = tokens.expires_in.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX / 2_000));
        self.access = Some(tokens.access);
        self.access_until = lifetime.map(|seconds| now.saturating_add(seconds.saturating_mul(1_000)));
        if tokens.refresh.is_some() {
            self.refresh = tokens.refresh;
        }
    }
}

/// What has to be given back for a session: the refresh token, which ends the others, or the only token there is.
pub(super) fn owed(account: &Account, delete_key: bool) -> Vec<Owed> {
    let refresh = account.refresh.clone().map(|token| (token, true));
    let token = refresh.or_else(|| account.access.clone().map(|token| (token, false)));
    token
        .map(|(token, is_refresh)| Owed { token, is_refresh, alias: account.alias.clone(), delete_key })
        .into_iter()
        .collect()
}

fn access(account: &Account) -> Result<Access, LoginError> {
    let token = account.access.clone().ok_or(LoginError::SessionEnded)?;
    Ok(Access { token, until: account.access_until })
}

impl Authorization for SessionKeeper {
    fn headers<'a>(
        &'a self,
        method: Method,
        url: &'a str,
    ) -> Later<'a, Result<Vec<(&'static str, String)>, HttpError>> {
        Box::pin(async move {
            self.access().await?;
            // Token and key of the same login, should another take its place meanwhile.
            let account = self.inner.state().account.clone();
            let token = account.access.as_ref().ok_or(LoginError::SessionEnded)?.reveal();
            let proofs = &self.inner.shared.server.proofs;
            let proof = proofs.proof(&account.alias, Side::Api, method, url, Some(token)).await?;
            Ok(vec![("authorization", format!("DPoP {token}")), ("dpop", proof)])
        })
    }

    fn saw(&self, url: &str, headers: &Headers) {
        let alias = self.inner.state().account.alias.clone();
        self.inner.shared.server.proofs.saw(Some(&alias), Side::Api, url, headers);
    }

    fn refused(&self) -> Later<'_, Result<bool, HttpError>> {
        Box::pin(async move {
            if !self.can_refresh() {
                return Ok(false);
            }
            self.refresh().await?;
            Ok(true)
        })
    }
}

impl core::fmt::Debug for SessionKeeper {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionKeeper").field("ended", &self.has_ended()).finish_non_exhaustive()
    }
}
