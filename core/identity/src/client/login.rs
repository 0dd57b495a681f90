//! A login: begins with an address that the browser opens, survives the end of the process, and ends with a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use url::Url;

use super::Shared;
use super::keeper::{Kept, SessionKeeper, owed};
use super::options::{LoginMethod, LoginOptions, Platform};
use super::records::{Account, Pending, Records};
use super::server::{Asked, Server};
use super::tokens::{self, Tokens};
use crate::callback::{self, CallbackError};
use crate::environment::random_text;
use crate::error::{LoginError, Unsafe};
use crate::id_token::{Claims, Expected};
use crate::metadata::Metadata;
use crate::pkce;
use crate::secret::Secret;

/// What a login is begun with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeginLogin {
    /// Where the browser comes back to, as registered at the server: a claimed `https` address, the app's own
    /// scheme, or `http://127.0.0.1:<port>/callback` on a desktop (RFC 8252 §7).
    pub redirect: String,
    /// The least level that will do, as in [`Level::acr`](crate::Level::acr); whatever the server gives if absent.
    pub acr: Option<String>,
    /// How old the login may be, in seconds: with 0 the person is asked in any case.
    pub max_age: Option<u64>,
    /// The session that is to be renewed or raised to a level; a new one if absent.
    pub account: Option<String>,
    /// In which way, if the person has chosen already.
    pub method: Option<LoginMethod>,
    /// `it` or `en`: the language of the server's pages.
    pub language: Option<String>,
}

/// A login that is open in the browser, as an app shows it (*Riprendi l'accesso*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingView {
    /// When it began, Unix milliseconds.
    pub begun: i64,
    /// The session that it renews, if it does.
    pub account: Option<String>,
    /// The level that was asked for.
    pub acr: Option<String>,
    /// The app has reported that the person gave up; the browser may still come back.
    pub aborted: bool,
}

/// A session on this device, as an app lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Its name on this device.
    pub id: String,
    /// The person, as the server names them.
    pub subject: Option<String>,
    /// The level reached.
    pub acr: Option<String>,
    /// Whether the person has to log in again.
    pub ended: bool,
}

/// Logins at one server. Clones share it; there is one per server in a process.
#[derive(Clone)]
pub struct Login {
    shared: Arc<Shared>,
    keepers: Arc<Mutex<HashMap<String, Weak<Kept>>>>,
}

impl Login {
    /// Logins at this server, with what the device lends.
    pub fn new(options: LoginOptions, platform: Platform) -> Self {
        let records = Records::new(Arc::clone(&platform.secrets), &options);
        let shared = Shared { server: Server::new(options, platform), records };
        Self { shared: Arc::new(shared), keepers: Arc::default() }
    }

    /// Fetches and checks what the server says about itself.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, LoginError> {
        self.shared.server.metadata().await
    }

    /// Begins a login and gives the address that the system's browser opens, at once: the server forgets it after a
    /// minute. What is needed to end it is sealed before; a login that was open is forgotten.
    ///
    /// # Errors
    /// `Offline`, `HubUnavailable`, `UnsafeResponse`, `Misconfigured`; those of the key store.
    pub async fn begin(&self, begin: BeginLogin) -> Result<Url, LoginError> {
        let (server, records) = (&self.shared.server, &self.shared.records);
        let metadata = server.metadata().await?;
        let environment = server.proofs.environment();
        let account = match &begin.account {
            Some(id) => Some(records.account(id).await?.ok_or(LoginError::SessionEnded)?),
            None => None,
        };
        let (alias, fresh) = self.key(account.as_ref()).await?;
        let pending = Pending {
            state: Secret::new(random_text::<32>(environment)),
            nonce: Secret::new(random_text::<32>(environment)),
            verifier: pkce::new_verifier(environment),
            redirect: begin.redirect,
            alias,
            account: begin.account,
            acr: begin.acr,
            max_age: begin.max_age,
            begun: environment.now(),
            aborted: false,
        };
        let asked = Asked {
            method: begin.method.map(LoginMethod::as_str),
            language: begin.language.as_deref(),
            force: begin.max_age == Some(0),
        };
        let begun = async {
            let address = server.push(&metadata, &pending, &asked).await?;
            let _turn = records.turn().await;
            let before = records.pending().await?;
            records.set_pending(&pending).await?;
            if let Some(before) = before {
                self.drop_key(&before).await;
            }
            Ok(address)
        };
        let begun = begun.await;
        if begun.is_err() && fresh {
            // The reason of the failure says more than that of tidying up.
            let _ = server.proofs.delete(&pending.alias).await;
        }
        begun
    }

    /// The key of the session, or a new one. One key per session and installation.
    async fn key(&self, account: Option<&Account>) -> Result<(String, bool), LoginError> {
        let proofs = &self.shared.server.proofs;
        if let Some(account) = account {
            match proofs.public(&account.alias).await {
                Ok(_) => return Ok((account.alias.clone(), false)),
                Err(LoginError::KeyLost) => {}
                Err(error) => return Err(error),
            }
        }
        let alias = format!("registro.dpop.{}", random_text::<16>(proofs.environment()));
        proofs.create(&alias).await?;
        Ok((alias, true))
    }

    /// Whether a session uses the key of that login. What cannot be told is taken for used: a key too many is
    /// harmless.
    async fn is_used(&self, pending: &Pending) -> bool {
        let Some(id) = &pending.account else { return false };
        let account = self.shared.records.account(id).await;
        account.map_or(true, |account| account.is_some_and(|account| account.alias == pending.alias))
    }

    /// Destroys the key of a login that came to nothing, if no session uses it.
    async fn drop_key(&self, pending: &Pending) {
        if !self.is_used(pending).await {
            let _ = self.shared.server.proofs.delete(&pending.alias).await;
            self.shared.server.proofs.forget(&pending.alias);
        }
    }

    /// The login that is open in the browser, if there is one.
    pub async fn pending(&self) -> Result<Option<PendingView>, LoginError> {
        let now = self.shared.server.proofs.environment().now();
        let pending = self.shared.records.pending().await?.filter(|pending| pending.is_open(now));
        Ok(pending.map(|pending| PendingView {
            begun: pending.begun,
            account: pending.account,
            acr: pending.acr,
            aborted: pending.aborted,
        }))
    }

    /// Notes that the person gave up, or that the system says so. If the browser comes back all the same, the login
    /// is completed: closing a tab to look up a code, or opening it in the full browser, is reported as giving up too.
    pub async fn abort(&self) -> Result<(), LoginError> {
        let _turn = self.shared.records.turn().await;
        match self.shared.records.pending().await? {
            Some(pending) => self.shared.records.set_pending(&Pending { aborted: true, ..pending }).await,
            None => Ok(()),
        }
    }

    /// Forgets the login that is open: whatever comes back from the browser is refused.
    pub async fn forget(&self) -> Result<(), LoginError> {
        let _turn = self.shared.records.turn().await;
        if let Some(pending) = self.shared.records.pending().await? {
            self.shared.records.forget_pending().await?;
            self.drop_key(&pending).await;
        }
        Ok(())
    }

    /// Ends a login with the whole address that the browser came back to. Goes on if the caller goes away.
    ///
    /// # Errors
    /// `UnsafeResponse` with the code `state` or `callback` if the address is not of the login that is open, which
    /// stays open. `Offline` if the server could not be reached: call it again with the same address, soon. After
    /// any other error the login is over, and tokens that came with it are given back.
    pub async fn complete(&self, callback: &str) -> Result<SessionKeeper, LoginError> {
        let (login, callback) = (self.clone(), Secret::new(callback));
        let completed = tokio::spawn(async move { login.complete_now(callback.reveal()).await });
        completed.await.unwrap_or(Err(LoginError::Storage))
    }

    async fn complete_now(&self, callback: &str) -> Result<SessionKeeper, LoginError> {
        let (pending, code) = self.consume(callback).await?;
        let completed = self.redeem(&pending, &code).await;
        match &completed {
            Ok(_) => {}
            Err(LoginError::Offline | LoginError::HubUnavailable { .. }) => {
                let _turn = self.shared.records.turn().await;
                if self.shared.records.pending().await?.is_none() {
                    self.shared.records.set_pending(&pending).await?;
                }
            }
            Err(_) => self.drop_key_unless_owed(&pending).await,
        }
        completed
    }

    /// Takes the login that this answer is of, which works once.
    async fn consume(&self, callback: &str) -> Result<(Pending, Secret), LoginError> {
        let (server, records) = (&self.shared.server, &self.shared.records);
        let _turn = records.turn().await;
        let now = server.proofs.environment().now();
        let pending = records.pending().await?.filter(|pending| pending.is_open(now));
        let pending = pending.ok_or(Unsafe::State)?;
        let expected = callback::Expected {
            state: pending.state.reveal(),
            issuer: &server.options().issuer,
            redirect: &pending.redirect,
        };
        match callback::read(callback, &expected) {
            Ok(code) => {
                records.forget_pending().await?;
                Ok((pending, code))
            }
            Err(CallbackError::NotOurs(why)) => Err(why.into()),
            Err(CallbackError::Ended(error)) => {
                records.forget_pending().await?;
                self.drop_key(&pending).await;
                Err(error)
            }
        }
    }

    async fn redeem(&self, pending: &Pending, code: &Secret) -> Result<SessionKeeper, LoginError> {
        let server = &self.shared.server;
        let metadata = server.metadata().await?;
        let tokens = tokens::redeem(
            &self.shared,
            &metadata.token_endpoint,
            &pending.alias,
            code,
            &pending.verifier,
            &pending.redirect,
        )
        .await?;
        let mut account = Account {
            id: String::new(),
            alias: pending.alias.clone(),
            subject: None,
            acr: None,
            auth_time: None,
            access: None,
            access_until: None,
            refresh: None,
        };
        let checked = self.check(&metadata, pending, &tokens).await;
        account.take(tokens, server.proofs.now());
        match checked {
            Ok(claims) => {
                if let Some(claims) = claims {
                    account.subject = Some(claims.subject);
                    account.acr = claims.acr;
                    account.auth_time = claims.auth_time;
                }
                self.keep(pending, account).await
            }
            Err(error) => {
                // Tokens that may not be used are not left lying about. That fails in silence: the reason counts.
                let fresh = !self.is_used(pending).await;
                {
                    let _turn = self.shared.records.turn().await;
                    let _ = self.shared.owe(owed(&account, fresh)).await;
                }
                let _ = self.shared.give_back().await;
                Err(error)
            }
        }
    }

    async fn check(
        &self,
        metadata: &Metadata,
        pending: &Pending,
        tokens: &Tokens,
    ) -> Result<Option<Claims>, LoginError> {
        let server = &self.shared.server;
        if !server.options().asks_for("openid") {
            // Without an ID token nobody says which level was reached.
            return match &pending.acr {
                Some(wanted) => Err(LoginError::HigherLevelNeeded { acr_values: vec![wanted.clone()] }),
                None => Ok(None),
            };
        }
        let id_token = tokens.id_token.as_ref().ok_or(Unsafe::IdToken)?;
        let subject = match &pending.account {
            Some(id) => self.shared.records.account(id).await?.and_then(|account| account.subject),
            None => None,
        };
        let expected = Expected {
            issuer: &metadata.issuer,
            client: &server.options().client_id,
            nonce: Some(pending.nonce.reveal()),
            access_token: tokens.access.reveal(),
            acr: pending.acr.as_deref(),
            max_age: pending.max_age,
            subject: subject.as_deref(),
            now: server.proofs.now().div_euclid(1_000),
        };
        server.check_id_token(metadata, id_token, expected).await.map(Some)
    }

    /// Keeps the session: under the name of the one that it renews, or of the same person's that is there already.
    async fn keep(&self, pending: &Pending, mut account: Account) -> Result<SessionKeeper, LoginError> {
        let records = &self.shared.records;
        let turn = records.turn().await;
        let before = match &pending.account {
            Some(id) => records.account(id).await?,
            None => self.of_subject(account.subject.as_deref()).await?,
        };
        account.id = match (&before, &pending.account) {
            (Some(before), _) => before.id.clone(),
            (None, Some(id)) => id.clone(),
            (None, None) => random_text::<16>(self.shared.server.proofs.environment()),
        };
        records.set_account(&account).await?;
        // A login by the same key takes the place of the one before at the server too. To give its tokens back would
        // end both where a server counts them as one.
        if let Some(before) = before.filter(|before| before.alias != account.alias) {
            self.shared.owe(owed(&before, true)).await?;
        }
        let keeper = self.keeper(account);
        drop(turn);
        // The tokens that were replaced: later if it cannot be now.
        let _ = self.shared.give_back().await;
        Ok(keeper)
    }

    async fn of_subject(&self, subject: Option<&str>) -> Result<Option<Account>, LoginError> {
        let records = &self.shared.records;
        for id in records.accounts().await? {
            let account = records.account(&id).await?;
            if let Some(account) =
                account.filter(|known| subject.is_some() && known.subject.as_deref() == subject)
            {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// The one keeper of a session, with these tokens.
    fn keeper(&self, account: Account) -> SessionKeeper {
        let mut keepers = self.keepers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inner) = keepers.get(&account.id).and_then(Weak::upgrade) {
            inner.replace(account);
            return SessionKeeper { inner };
        }
        let id = account.id.clone();
        let keeper = SessionKeeper::new(Arc::clone(&self.shared), account);
        keepers.insert(id, Arc::downgrade(&keeper.inner));
        keeper
    }

    async fn drop_key_unless_owed(&self, pending: &Pending) {
        let owed = self.shared.records.owed().await.unwrap_or_default();
        if owed.iter().all(|owed| owed.alias != pending.alias) {
            self.drop_key(pending).await;
        }
    }

    /// The sessions on this device.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, LoginError> {
        let mut views = Vec::new();
        for id in self.shared.records.accounts().await? {
            if let Some(account) = self.shared.records.account(&id).await? {
                views.push(AccountView {
                    ended: account.access.is_none() && account.refresh.is_none(),
                    id: account.id,
                    subject: account.subject,
                    acr: account.acr,
                });
            }
        }
        Ok(views)
    }

    /// The session of that name, if there is one. Needs no connection.
    pub async fn session(&self, id: &str) -> Result<Option<SessionKeeper>, LoginError> {
        let _turn = self.shared.records.turn().await;
        {
            let keepers = self.keepers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(inner) = keepers.get(id).and_then(Weak::upgrade) {
                return Ok(Some(SessionKeeper { inner }));
            }
        }
        let account = self.shared.records.account(id).await?;
        Ok(account.map(|account| self.keeper(account)))
    }

    /// Tells the server what it has not heard yet of sessions that were signed out. Call it when there is a
    /// connection. Says whether the server took all of it.
    pub async fn flush_revocations(&self) -> Result<bool, LoginError> {
        self.shared.give_back().await
    }
}
