//! The anchor and the provider over HTTP, and a hub that takes part in their federation.

#![allow(dead_code, clippy::unwrap_used)] // each test uses a part of it; also outside the test functions themselves

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use registro_hub::identity::Identity;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::cookies::Cookie;
use registro_hub::identity::federation::jose::decode;
use registro_hub::identity::federation::jose::jwk::Jwk;
use registro_hub::identity::federation::keys::FederationKeys;
use registro_hub::identity::federation::{RelyingParty, Upstream};
use registro_hub::identity::interaction::{Authenticated, InteractionId};
use registro_hub::identity::issuer::Issuer;
use registro_hub::server::{RunningHub, ServerParts, start_on};
use registro_hub::{Clock, Hub, Level, SystemClock, SystemRandomness};
use registro_sync::http::{Method, Outgoing, Transport, TransportOptions};
use serde_json::{Value, json};

use crate::federation_world::{Claims, Sealing, Who, at_hash, claims, key, seal, statement_header};
use crate::sync_school;

pub const FISCAL_NUMBER: &str = "https://attributes.eid.gov.it/fiscal_number";
/// A code that the fake school knows as a teacher's.
pub const KNOWN: &str = "RSSMRA80A01H501U";

/// Makes an answer of the provider's out of the honest one.
type Change<T> = Option<Box<dyn Fn(T) -> (u16, String) + Send + Sync>>;

/// What the provider does otherwise than an honest one.
#[derive(Default)]
pub struct Mood {
    /// Instead of the honest answer of the token endpoint (the claims of the ID token).
    pub tokens: Change<Value>,
    /// Instead of the honest answer of the userinfo endpoint (the claims, and the hub's key).
    pub userinfo: Change<(Value, Jwk)>,
}

/// What the provider saw.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: &'static str,
    pub form: Vec<(String, String)>,
    pub authorization: Option<String>,
}

pub struct Fake {
    pub anchor: String,
    pub provider: String,
    hub: String,
    pub claims: Mutex<Claims>,
    pub mood: Mutex<Mood>,
    pub seen: Mutex<Vec<Seen>>,
    /// Whether it signs its keys with the key that the anchor knows.
    pub signs_keys: Mutex<bool>,
    /// Whether the anchor lists the provider.
    pub lists: Mutex<bool>,
    /// The request under way, as the provider read it.
    request: Mutex<Value>,
}

pub const ACCESS_TOKEN: &str = "access-token-canary";

pub fn now() -> i64 {
    SystemClock.now() / 1_000
}

/// The claims of a message that a test wrote, or the hub.
pub fn read(message: &str) -> Value {
    serde_json::from_slice(&decode(message.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

impl Fake {
    pub async fn start(hub: &str) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let anchor = format!("http://{}", listener.local_addr().unwrap());
        let provider = format!("{anchor}/op");
        let fake = Arc::new(Self {
            claims: Mutex::new(claims(&anchor, &provider, hub, now())),
            hub: hub.to_owned(),
            anchor,
            provider,
            mood: Mutex::default(),
            seen: Mutex::default(),
            signs_keys: Mutex::new(true),
            lists: Mutex::new(true),
            request: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-federation", get(anchor_configuration))
            .route("/fetch", get(fetch))
            .route("/list", get(list))
            .route("/registry", get(registry))
            .route("/op/.well-known/openid-federation", get(provider_configuration))
            .route("/op/token", post(token))
            .route("/op/userinfo", get(userinfo))
            .route("/op/revoke", post(revoke))
            .route("/op/jwks.json", get(jwks))
            .route("/op/jwks.jose", get(signed_jwks))
            .with_state(Arc::clone(&fake));
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    fn see(&self, path: &'static str, headers: &HeaderMap, body: &str) {
        let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let authorization =
            headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        self.seen.lock().unwrap().push(Seen { path, form, authorization });
    }

    /// What an honest ID token of the login under way says.
    pub fn id_token(&self) -> Value {
        let request = self.request.lock().unwrap();
        json!({
            "iss": self.provider, "sub": "pairwise", "aud": self.hub, "acr": request["acr_values"],
            "at_hash": at_hash(ACCESS_TOKEN), "iat": now(), "exp": now() + 300, "nonce": request["nonce"],
        })
    }

    pub fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn was_asked(&self, path: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path == path).count()
    }
}

type Shared = State<Arc<Fake>>;

async fn anchor_configuration(State(fake): Shared) -> String {
    key(Who::Anchor).sign(statement_header(), &fake.claims.lock().unwrap().anchor)
}

async fn provider_configuration(State(fake): Shared) -> String {
    key(Who::Provider).sign(statement_header(), &fake.claims.lock().unwrap().provider)
}

async fn jwks() -> String {
    serde_json::to_string(&key(Who::Stranger).set()).unwrap()
}

async fn signed_jwks(State(fake): Shared) -> String {
    let claims = json!({ "keys": key(Who::Stranger).set().keys, "iss": fake.provider });
    let by = if *fake.signs_keys.lock().unwrap() { Who::Provider } else { Who::ProviderCore };
    key(by).sign(json!({ "alg": "RS256" }), &claims)
}

/// A register with names, as SPID's: one of its providers is not in the federation.
async fn registry(State(fake): Shared) -> String {
    let record = |entity: &str, name: &str| json!({ "entity_id": entity, "organization_name": name });
    json!([record(&fake.provider, "Nel registro"), record("https://saml.example", "Solo SAML")]).to_string()
}

async fn list(State(fake): Shared) -> String {
    let listed = if *fake.lists.lock().unwrap() { json!([fake.provider]) } else { json!([]) };
    listed.to_string()
}

async fn fetch(State(fake): Shared, Query(query): Query<Vec<(String, String)>>) -> Response {
    let claims = fake.claims.lock().unwrap();
    let statement = match &query[..] {
        [(name, sub)] if name == "sub" && *sub == fake.provider => &claims.subordinate,
        [(name, sub)] if name == "sub" && *sub == fake.hub => &claims.hub,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    key(Who::Anchor).sign(statement_header(), statement).into_response()
}

fn answer((status, body): (u16, String)) -> Response {
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// The honest answer of a token endpoint around an ID token.
pub fn token_answer(id_token: &str) -> (u16, String) {
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300, "id_token": id_token,
    });
    (200, body.to_string())
}

async fn token(State(fake): Shared, headers: HeaderMap, body: String) -> Response {
    fake.see("token", &headers, &body);
    let claims = fake.id_token();
    let mood = fake.mood.lock().unwrap();
    answer(match &mood.tokens {
        Some(change) => change(claims),
        None => token_answer(&key(Who::ProviderCore).sign(json!({ "alg": "RS256" }), &claims)),
    })
}

/// What an honest userinfo says, signed and sealed.
pub fn userinfo_answer(claims: &Value, to: &Jwk) -> (u16, String) {
    (200, seal(to, Sealing::Oaep, &key(Who::ProviderCore).sign(json!({ "alg": "RS256" }), claims)))
}

async fn userinfo(State(fake): Shared, headers: HeaderMap) -> Response {
    fake.see("userinfo", &headers, "");
    // The key stands in what the hub says of itself.
    let transport = Transport::new(TransportOptions::development()).unwrap();
    let url = format!("{}/.well-known/openid-federation", fake.hub);
    let outgoing =
        Outgoing { method: Method::Get, url, headers: Vec::new(), body: Vec::new(), limit: 1 << 20 };
    let configuration = String::from_utf8(transport.send(outgoing).await.unwrap().body).unwrap();
    let keys = read(&configuration)["metadata"]["openid_relying_party"]["jwks"]["keys"].clone();
    let sealing = keys.as_array().unwrap().iter().find(|key| key["use"] == "enc").unwrap().clone();
    let sealing: Jwk = serde_json::from_value(sealing).unwrap();
    let claims = json!({
        "iss": fake.provider, "aud": fake.hub, "sub": "pairwise", "iat": now(), "exp": now() + 300,
        FISCAL_NUMBER: format!("TINIT-{KNOWN}"),
    });
    let mood = fake.mood.lock().unwrap();
    answer(match &mood.userinfo {
        Some(change) => change((claims, sealing)),
        None => userinfo_answer(&claims, &sealing),
    })
}

async fn revoke(State(fake): Shared, headers: HeaderMap, body: String) -> StatusCode {
    fake.see("revoke", &headers, &body);
    StatusCode::OK
}

/// A hub in a federation of its own.
pub struct World {
    pub fake: Arc<Fake>,
    pub identity: Arc<Identity>,
    pub data: tempfile::TempDir,
    pub name: String,
    /// What stands before its addresses in the federation.
    pub base: String,
    hub: RunningHub,
    transport: Transport,
}

/// The keys of all hubs of a test: making them takes longer than everything else.
fn hub_keys() -> &'static [u8] {
    static KEYS: OnceLock<Vec<u8>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let made = tempfile::tempdir().unwrap();
        FederationKeys::of_directory(made.path()).unwrap();
        std::fs::read(Path::new(made.path()).join("federation.keys")).unwrap()
    })
}

impl World {
    pub async fn spid() -> Self {
        Self::of("spid", |_| {}).await
    }

    /// `change` is done to the federation before the hub sees it.
    pub async fn of(scheme: &str, change: impl FnOnce(&Fake)) -> Self {
        Self::named(scheme, None, change).await
    }

    /// A hub whose name in the federation has a code at its end.
    pub async fn named(scheme: &str, code: Option<&str>, change: impl FnOnce(&Fake)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let base = code.map(|code| format!("/{code}")).unwrap_or_default();
        let fake = Fake::start(&format!("{name}{base}")).await;
        change(&fake);
        std::fs::write(data.path().join("federation.keys"), hub_keys()).unwrap();
        let pinned = serde_json::to_string(&key(Who::Anchor).set()).unwrap();
        std::fs::write(data.path().join("anchor.json"), pinned).unwrap();
        let settings = data.path().join("identity.toml");
        std::fs::write(
            &settings,
            format!(
                "[federation]\norganization = \"Scuola\"\nhomepage = \"https://s.example\"\n\
                 policy = \"https://s.example/p\"\n{}logo = \"https://s.example/l.svg\"\ncontacts = [\"s@pec.example\"]\n\
                 [[federation.anchor]]\nscheme = \"{scheme}\"\nentity = \"{}\"\nkeys = \"anchor.json\"\n",
                code.map(|code| format!("ipa_code = \"{code}\"\n")).unwrap_or_default(),
                fake.anchor
            ),
        )
        .unwrap();
        let mut registry = sync_school::registry();
        registry.codes.insert(KNOWN.to_owned(), sync_school::TEACHER);
        let database = registro_hub::log::schema::open_in_memory().unwrap();
        let random = Box::new(SystemRandomness::new());
        let hub = Hub::open(
            database,
            Box::new(registry),
            sync_school::school_key(),
            random,
            sync_school::morning(),
        );
        let hub = Arc::new(hub.unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let identity = Identity::open(
            Arc::clone(&hub),
            Arc::clone(&clock),
            IdentityConfig::read(&settings).unwrap(),
            Issuer::new(&name.parse().unwrap()).unwrap(),
            data.path(),
            Box::new(SystemRandomness::new()),
        );
        let identity = Arc::new(identity.unwrap());
        let callers = Arc::new(registro_hub::caller::Nobody);
        let parts =
            ServerParts { hub, callers, clock, identity: Some(Arc::clone(&identity)), development: None };
        let hub = start_on(parts, listener).unwrap();
        let transport = Transport::new(TransportOptions::development()).unwrap();
        Self { fake, identity, data, name, base, hub, transport }
    }

    pub fn party(&self) -> &RelyingParty {
        self.identity.federation.as_ref().unwrap()
    }

    /// Begins a login in a browser of its own, and reads the request as the provider would.
    pub async fn begin(&self, wanted: Level) -> Login {
        let now = self.identity.now();
        let (id, cookie) = self.identity.interactions.begin_profile(now).unwrap();
        let url = self.party().begin(&self.fake.provider, wanted, id, None).await.unwrap();
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let request = query.iter().find(|(name, _)| name == "request").unwrap().1.clone();
        *self.fake.request.lock().unwrap() = read(&request);
        Login {
            id,
            cookie: cookie.reveal().to_owned(),
            state: read(&request)["state"].as_str().unwrap().to_owned(),
            query,
            request,
        }
    }

    pub async fn get(&self, path: &str, cookie: Option<&str>) -> registro_sync::http::Incoming {
        let headers = cookie
            .map(|cookie| ("cookie", format!("{}={cookie}", Cookie::Login.name(&self.identity.issuer))));
        let url = format!("{}{path}", self.name);
        let headers = headers.into_iter().collect();
        let outgoing = Outgoing { method: Method::Get, url, headers, body: Vec::new(), limit: 1 << 20 };
        self.transport.send(outgoing).await.unwrap()
    }

    /// Comes back with these parameters; to which page the hub sends the browser.
    pub async fn back(&self, cookie: Option<&str>, parameters: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let incoming =
            self.get(&format!("{}/federation/callback?{}", self.base, query.finish()), cookie).await;
        assert_eq!(incoming.status, 303);
        assert_eq!(incoming.headers.get("cache-control"), Some("no-store"));
        assert_eq!(incoming.headers.get("referrer-policy"), Some("no-referrer"));
        let location = incoming.headers.get("location").unwrap();
        location.strip_prefix(&self.name).unwrap().replace("/login/failed?reason=", "failed: ")
    }

    /// The whole of a login at level 2; to which page the hub sends the browser.
    pub async fn log_in(&self) -> String {
        let login = self.begin(Level::L2).await;
        self.back(
            Some(&login.cookie),
            &[("state", &login.state), ("code", "c"), ("iss", &self.fake.provider)],
        )
        .await
    }

    pub fn who(&self, id: InteractionId) -> Option<Authenticated> {
        self.identity.interactions.find(id, self.identity.now()).unwrap()?.authenticated
    }

    pub async fn stop(self) {
        self.hub.stop().await;
    }
}

/// A login at the provider.
pub struct Login {
    pub id: InteractionId,
    pub cookie: String,
    pub state: String,
    /// What the browser takes to the provider.
    pub query: Vec<(String, String)>,
    pub request: String,
}
