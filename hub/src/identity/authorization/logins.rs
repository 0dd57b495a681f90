//! Logins under way, in the database: a hub that restarts in between loses none.

use std::sync::Arc;

use registro_model::PersonId;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use url::Url;

use super::clients;
use super::request::AuthorizationRequest;
use super::tables;
use crate::caller::Level;
use crate::error::HubError;
use crate::identity::Randomness;
use crate::identity::interaction::{
    Authenticated, INTERACTION_SECONDS, Interaction, InteractionId, Interactions, Method, PROFILE_SECONDS,
    Purpose,
};
use crate::identity::issuer::Issuer;
use crate::identity::secret::{Secret, hash_of};
use crate::identity::store::IdentityStore;

/// Logins under way at once; a school has some thousands of people, and each login ends within ten minutes. With one
/// more the oldest goes, of nobody first: to refuse new ones would let a stranger who begins thirty a second keep
/// everybody out.
const MAX_LOGINS: i64 = 20_000;
/// How long a code is good, in milliseconds. Source: docs/identity.md; RFC 6749 §4.1.2 allows ten minutes.
pub const CODE_MS: i64 = 60_000;

/// Logins under way.
pub struct Logins {
    store: Arc<IdentityStore>,
    issuer: Issuer,
    random: Randomness,
}

/// A row of the table `login`.
struct Login {
    id: InteractionId,
    request: Option<AuthorizationRequest>,
    authenticated: Option<Authenticated>,
    expires: i64,
}

impl Logins {
    /// Logins of this issuer.
    pub fn new(store: Arc<IdentityStore>, issuer: Issuer, random: Randomness) -> Self {
        Self { store, issuer, random }
    }

    /// Begins the login that an app asked for, in the transaction that uses the request up. Gives the value of the
    /// cookie that binds it to the browser.
    pub fn begin_app(
        &self,
        database: &Connection,
        request: &AuthorizationRequest,
        now_ms: i64,
    ) -> Result<Secret, HubError> {
        let request = serde_json::to_string(request).map_err(|_| HubError::Stored("a request"))?;
        Ok(self.begin(database, Some(&request), now_ms)?.1)
    }

    fn begin(
        &self,
        database: &Connection,
        request: Option<&str>,
        now_ms: i64,
    ) -> Result<(InteractionId, Secret), HubError> {
        tables::make_room(database, "login", "person IS NOT NULL, expires", MAX_LOGINS)?;
        let (id, cookie) = (InteractionId(self.random.draw()), self.random.secret());
        database
            .prepare_cached("INSERT INTO login (id, cookie, request, expires) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id.0, cookie.hash(), request, now_ms + INTERACTION_SECONDS * 1_000])?;
        Ok((id, cookie))
    }

    /// Takes a login out of the table: it ends once, whatever the browser sends twice.
    fn end(database: &Connection, id: InteractionId, now_ms: i64) -> Result<Login, HubError> {
        let login = find(database, "id", &id.0, now_ms)?.ok_or(HubError::Unknown("login"))?;
        database.prepare_cached("DELETE FROM login WHERE id = ?1")?.execute([id.0])?;
        Ok(login)
    }

    /// Where the browser goes back to the app. Every answer names the issuer (RFC 9207) and gives the state back.
    fn back(&self, request: &AuthorizationRequest, answer: (&str, &str)) -> Result<Url, HubError> {
        back_to_app(&self.issuer, &request.redirect, request.state.as_deref(), answer)
    }
}

/// Where the browser goes back to an app, with one answer: a code, or an error.
pub fn back_to_app(
    issuer: &Issuer,
    redirect: &str,
    state: Option<&str>,
    answer: (&str, &str),
) -> Result<Url, HubError> {
    let mut url = Url::parse(redirect).map_err(|_| HubError::Stored("a redirect"))?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair(answer.0, answer.1).append_pair("iss", issuer.as_str());
        if let Some(state) = state {
            query.append_pair("state", state);
        }
    }
    Ok(url)
}

impl Interactions for Logins {
    fn begin_profile(&self, now_ms: i64) -> Result<(InteractionId, Secret), HubError> {
        self.begin(&*self.store.lock()?, None, now_ms)
    }

    fn open(&self, cookie: &str, now_ms: i64) -> Result<Option<Interaction>, HubError> {
        let found = find(&*self.store.lock()?, "cookie", &hash_of(cookie), now_ms)?;
        Ok(found.map(Login::shown))
    }

    fn find(&self, id: InteractionId, now_ms: i64) -> Result<Option<Interaction>, HubError> {
        Ok(find(&*self.store.lock()?, "id", &id.0, now_ms)?.map(Login::shown))
    }

    fn authenticate(&self, id: InteractionId, who: Authenticated, now_ms: i64) -> Result<(), HubError> {
        let mut database = self.store.lock()?;
        let transaction = Transaction::new(&mut database, TransactionBehavior::Immediate)?;
        let login = find(&transaction, "id", &id.0, now_ms)?.ok_or(HubError::Unknown("login"))?;
        if who.level < login.wanted() {
            return Err(HubError::Forbidden("a login below the level that is wanted"));
        }
        if login.authenticated.is_some_and(|known| known.person != who.person) {
            return Err(HubError::Forbidden("a login that was somebody else's"));
        }
        transaction
            .prepare_cached(
                "UPDATE login SET person = ?2, level = ?3, method = ?4, authenticated = ?5 WHERE id = ?1",
            )?
            .execute(params![id.0, who.person.0, who.level.number(), who.method.number(), who.at])?;
        transaction.commit()?;
        Ok(())
    }

    fn approve(&self, id: InteractionId, now_ms: i64) -> Result<(Url, Option<Secret>), HubError> {
        let mut database = self.store.lock()?;
        let transaction = Transaction::new(&mut database, TransactionBehavior::Immediate)?;
        let login = Self::end(&transaction, id, now_ms)?;
        let who = login.authenticated.ok_or(HubError::Forbidden("a login of nobody"))?;
        let secret = self.random.secret();
        let (person, level, method) = (who.person.0, who.level.number(), who.method.number());
        let next = match &login.request {
            Some(request) => {
                let stored = serde_json::to_string(request).map_err(|_| HubError::Stored("a request"))?;
                transaction
                    .prepare_cached(
                        "INSERT INTO code (hash, request, expires, person, level, method, authenticated)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    )?
                    .execute(params![
                        secret.hash(),
                        stored,
                        now_ms + CODE_MS,
                        person,
                        level,
                        method,
                        who.at
                    ])?;
                (self.back(request, ("code", secret.reveal()))?, None)
            }
            None => {
                transaction
                    .prepare_cached(
                        "INSERT INTO profile (cookie, person, level, method, authenticated, expires)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        secret.hash(),
                        person,
                        level,
                        method,
                        who.at,
                        now_ms + PROFILE_SECONDS * 1_000
                    ])?;
                (self.page("/profile")?, Some(secret))
            }
        };
        transaction.commit()?;
        Ok(next)
    }

    fn cancel(&self, id: InteractionId, now_ms: i64) -> Result<Url, HubError> {
        let login = Self::end(&*self.store.lock()?, id, now_ms)?;
        match &login.request {
            Some(request) => self.back(request, ("error", "access_denied")),
            None => self.page("/login"),
        }
    }

    fn profile(&self, cookie: &str, now_ms: i64) -> Result<Option<Authenticated>, HubError> {
        let database = self.store.lock()?;
        let found = database
            .prepare_cached(
                "SELECT person, level, method, authenticated FROM profile WHERE cookie = ?1 AND expires > ?2",
            )?
            .query_row(params![hash_of(cookie), now_ms], |row| authenticated(row, 0))
            .optional()?;
        Ok(found.flatten())
    }

    fn end_profile(&self, cookie: &str) -> Result<(), HubError> {
        let database = self.store.lock()?;
        database.prepare_cached("DELETE FROM profile WHERE cookie = ?1")?.execute([hash_of(cookie)])?;
        Ok(())
    }
}

impl Logins {
    fn page(&self, path: &str) -> Result<Url, HubError> {
        Url::parse(&self.issuer.at(path)).map_err(|_| HubError::Stored("the issuer"))
    }
}

impl Login {
    fn wanted(&self) -> Level {
        self.request.as_ref().map_or(Level::L1, |request| request.wanted)
    }

    fn shown(self) -> Interaction {
        let wanted = self.wanted();
        let language = self.request.as_ref().and_then(|request| match request.language.as_deref() {
            Some("it") => Some("it"),
            Some("en") => Some("en"),
            _ => None,
        });
        Interaction {
            id: self.id,
            wanted,
            method: self.request.as_ref().and_then(|request| request.method),
            language,
            authenticated: self.authenticated,
            expires: self.expires,
            purpose: match self.request {
                Some(request) => Purpose::App { name: clients::name_of(&request.client).to_owned() },
                None => Purpose::Profile,
            },
        }
    }
}

/// The login whose `column` (a name of ours, never outside input) holds this value.
fn find(
    database: &Connection,
    column: &'static str,
    value: &[u8],
    now_ms: i64,
) -> Result<Option<Login>, HubError> {
    let sql = format!(
        "SELECT id, request, expires, person, level, method, authenticated FROM login
         WHERE {column} = ?1 AND expires > ?2"
    );
    let found = database
        .prepare_cached(&sql)?
        .query_row(params![value, now_ms], |row| {
            Ok((
                InteractionId(row.get(0)?),
                row.get::<_, Option<String>>(1)?,
                row.get(2)?,
                authenticated(row, 3)?,
            ))
        })
        .optional()?;
    let Some((id, request, expires, authenticated)) = found else { return Ok(None) };
    let request = request
        .map(|request| serde_json::from_str(&request).map_err(|_| HubError::Stored("a login's request")))
        .transpose()?;
    Ok(Some(Login { id, request, authenticated, expires }))
}

/// Person, level, method and time in four columns; `None` if the first is empty.
pub(super) fn authenticated(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Authenticated>> {
    let Some(person) = row.get::<_, Option<[u8; 16]>>(first)? else { return Ok(None) };
    let bad = |column| rusqlite::Error::IntegralValueOutOfRange(column, 0);
    Ok(Some(Authenticated {
        person: PersonId(person),
        level: Level::of_number(row.get(first + 1)?).ok_or(bad(first + 1))?,
        method: Method::of_number(row.get(first + 2)?).ok_or(bad(first + 2))?,
        at: row.get(first + 3)?,
    }))
}
