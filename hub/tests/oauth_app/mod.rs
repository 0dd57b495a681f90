//! A hub over a real socket, and an app that asks it for tokens by hand: every part of every request can be wrong.

#![allow(dead_code)]

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::SigningKey;
use registro_documents::bytes::sha256;
use registro_hub::hub::devices::proof_text;
use registro_hub::identity::Identity;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::interaction::{Authenticated, Method as Way};
use registro_hub::identity::issuer::Issuer;
use registro_hub::registry::Registered;
use registro_hub::server::{RunningHub, ServerParts, start_on};
use registro_hub::{Clock, Hub, Level, StandingClock};
use registro_model::PersonId;
use registro_sync::http::{Headers, Incoming, Method, Outgoing, Transport, TransportOptions};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};

use crate::sync_school::{self, Counter, SCHOOL, morning, school_key};

pub const REDIRECT: &str = "http://127.0.0.1:4000/callback";
pub const STATE: &str = "a-state-of-the-app";
pub const NONCE: &str = "a-nonce-of-the-app";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const SCOPE: &str = "openid offline_access register";
pub const DAY_MS: i64 = 86_400_000;

/// A hub with its login.
pub struct Stage {
    pub hub: RunningHub,
    pub identity: Arc<Identity>,
    pub clock: Arc<StandingClock>,
    pub issuer: String,
    pub data: tempfile::TempDir,
    transport: Transport,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(IdentityConfig::default()).await
    }

    pub async fn with(config: IdentityConfig) -> Self {
        Self::of(config, |_| {}).await
    }

    /// A hub of a school that differs from the usual one.
    pub async fn of(config: IdentityConfig, change: impl FnOnce(&mut Registered)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut registry = sync_school::registry();
        change(&mut registry.registered);
        let database = registro_hub::log::schema::open_in_memory().unwrap();
        let random = Box::new(Counter(1 << 32));
        let hub = Hub::open(database, Box::new(registry), school_key(), random, morning()).unwrap();
        let hub = Arc::new(hub);
        let clock = Arc::new(StandingClock::at(morning()));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let identity = Identity::open(
            Arc::clone(&hub),
            Arc::clone(&clock) as Arc<dyn Clock>,
            config,
            Issuer::new(&issuer.parse().unwrap()).unwrap(),
            data.path(),
            Box::new(Counter(77 << 32)),
        );
        let identity = Arc::new(identity.unwrap());
        let parts = ServerParts {
            hub,
            callers: registro_hub::identity::callers(&identity).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            identity: Some(Arc::clone(&identity)),
            development: None,
        };
        let hub = start_on(parts, listener).unwrap();
        // A proof of the second in which the hub started is asked for again.
        clock.set(morning() + 5_000);
        let transport = Transport::new(TransportOptions::development()).unwrap();
        Self { hub, identity, clock, issuer, data, transport }
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    pub fn pass(&self, milliseconds: i64) {
        self.clock.set(self.now() + milliseconds);
    }

    pub async fn send(&self, method: Method, path: &str, headers: Headed, body: Vec<u8>) -> Answer {
        let url = format!("{}{path}", self.issuer);
        let outgoing = Outgoing { method, url, headers, body, limit: 1 << 22 };
        Answer::of(self.transport.send(outgoing).await.unwrap())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::Get, path, Vec::new(), Vec::new()).await
    }

    /// Posts a form with a proof, or without.
    pub async fn post(&self, path: &str, form: &[(&str, &str)], proof: Option<String>) -> Answer {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(form);
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        headers.extend(proof.map(|proof| ("dpop", proof)));
        self.send(Method::Post, path, headers, encoded.finish().into_bytes()).await
    }

    /// Somebody logs in, in the browser that has this cookie; gives the address that it is sent to.
    pub fn log_in(&self, cookie: &str, person: PersonId, level: Level) -> url::Url {
        let interactions = &self.identity.interactions;
        let id = interactions.open(cookie, self.now()).unwrap().unwrap().id;
        let who = Authenticated { person, level, method: Way::Spid, at: self.now() };
        interactions.authenticate(id, who, self.now()).unwrap();
        interactions.approve(id, self.now()).unwrap().0
    }
}

type Headed = Vec<(&'static str, String)>;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Answer {
    fn of(incoming: Incoming) -> Self {
        Self { status: incoming.status, headers: incoming.headers, body: incoming.body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.json())).to_owned()
    }

    /// Status and error code.
    pub fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    pub fn nonce(&self) -> String {
        self.headers.get("dpop-nonce").unwrap().to_owned()
    }

    pub fn challenge(&self) -> String {
        self.headers.get("www-authenticate").unwrap_or_default().to_owned()
    }

    /// The value of the cookie that is set.
    pub fn cookie(&self) -> String {
        let set = self.headers.get("set-cookie").unwrap();
        set.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
    }
}

/// Tokens of a login.
#[derive(Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub id: String,
}

/// An app on a device, with its key.
pub struct App {
    pair: EcdsaKeyPair,
}

impl App {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self {
            pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap(),
        }
    }

    pub fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])
        })
    }

    pub fn thumbprint(&self) -> [u8; 32] {
        let jwk = self.jwk();
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        sha256(text.as_bytes())
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// A proof; `change` may spoil header and claims.
    pub fn proof_with(
        &self,
        stage: &Stage,
        method: &str,
        path: &str,
        token: Option<&str>,
        change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>),
    ) -> String {
        let mut header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let id: [u8; 16] = ring::rand::generate(&SystemRandom::new()).unwrap().expose();
        let mut claims = json!({
            "jti": URL_SAFE_NO_PAD.encode(id),
            "htm": method,
            "htu": format!("{}{path}", stage.issuer),
            "iat": stage.now() / 1_000,
        });
        if let Some(token) = token {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())));
        }
        change(header.as_object_mut().unwrap(), claims.as_object_mut().unwrap());
        self.sign(&header, &claims)
    }

    pub fn proof(&self, stage: &Stage, method: &str, path: &str, token: Option<&str>) -> String {
        self.proof_with(stage, method, path, token, |_, _| {})
    }

    /// Pushes a request with changes: an empty value leaves the parameter out.
    pub async fn push(&self, stage: &Stage, change: &[(&str, &str)]) -> Answer {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
        let mut form = vec![
            ("client_id", "it.registro.app"),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", STATE),
            ("nonce", NONCE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "consent"),
        ];
        for (name, value) in change {
            form.retain(|(known, _)| known != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        stage.post("/oauth/par", &form, Some(self.proof(stage, "POST", "/oauth/par", None))).await
    }

    /// Pushes a request and brings it with a browser; gives the browser's cookie.
    pub async fn begin(&self, stage: &Stage, change: &[(&str, &str)]) -> String {
        let pushed = self.push(stage, change).await;
        assert_eq!(pushed.status, 201, "{}", pushed.json());
        let answer = stage.get(&authorize(&pushed.text("request_uri"))).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.headers.get("location").unwrap(), format!("{}/login", stage.issuer));
        answer.cookie()
    }

    /// Logs a person in; gives the code.
    pub async fn code(
        &self,
        stage: &Stage,
        person: PersonId,
        level: Level,
        change: &[(&str, &str)],
    ) -> String {
        let cookie = self.begin(stage, change).await;
        let back = stage.log_in(&cookie, person, level);
        query(&back, "code").unwrap()
    }

    /// Exchanges a code, with changes to the form.
    pub async fn exchange(&self, stage: &Stage, code: &str, change: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "it.registro.app"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in change {
            form.retain(|(known, _)| known != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        stage.post("/oauth/token", &form, Some(self.proof(stage, "POST", "/oauth/token", None))).await
    }

    /// A whole login.
    pub async fn tokens(&self, stage: &Stage, person: PersonId, level: Level) -> Tokens {
        let code = self.code(stage, person, level, &[]).await;
        let answer = self.exchange(stage, &code, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert_eq!(answer.text("token_type"), "DPoP");
        Tokens {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
            id: answer.text("id_token"),
        }
    }

    pub async fn refresh(&self, stage: &Stage, token: &str) -> Answer {
        let form =
            [("grant_type", "refresh_token"), ("client_id", "it.registro.app"), ("refresh_token", token)];
        stage.post("/oauth/token", &form, Some(self.proof(stage, "POST", "/oauth/token", None))).await
    }

    /// Syncs over HTTP.
    pub async fn sync(
        &self,
        stage: &Stage,
        token: &str,
        request: &registro_sync::Request,
    ) -> registro_sync::Reply {
        let proof = self.proof(stage, "POST", "/v1/sync", Some(token));
        let headers = vec![
            ("authorization", format!("DPoP {token}")),
            ("dpop", proof),
            ("content-type", "application/cbor".to_owned()),
            ("content-encoding", "gzip".to_owned()),
        ];
        let packed = registro_sync::wire::pack(request);
        let answer = stage.send(Method::Post, "/v1/sync", headers, packed).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        registro_sync::wire::unpack(&answer.body).unwrap()
    }

    /// Has a device's key certified; `spoil` may spoil what is signed.
    pub async fn enrol(
        &self,
        stage: &Stage,
        token: &str,
        key: &SigningKey,
        label: &str,
        spoil: impl FnOnce(&mut (String, Vec<u8>, String)),
    ) -> Answer {
        let session = self.session(stage, token).await.json();
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        let mut parts = (text("issuer"), self.thumbprint().to_vec(), text("nonce"));
        spoil(&mut parts);
        let (issuer, thumbprint, nonce) = parts;
        let person = text("person").parse().unwrap();
        let proof = proof_text(&issuer, SCHOOL, person, &thumbprint, nonce.as_bytes());
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let body = json!({ "key": hex(key.public()), "proof": hex(&key.sign(&proof)), "label": label });
        self.call(stage, Method::Post, "/v1/devices", token, &body).await
    }

    /// Calls the API.
    pub async fn call(&self, stage: &Stage, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let bare = path.split('?').next().unwrap();
        let proof = self.proof(stage, method.as_str(), bare, Some(token));
        let body = if *body == Value::Null { Vec::new() } else { body.to_string().into_bytes() };
        let headers = vec![
            ("authorization", format!("DPoP {token}")),
            ("dpop", proof),
            ("content-type", "application/json".to_owned()),
        ];
        stage.send(method, path, headers, body).await
    }

    pub async fn session(&self, stage: &Stage, token: &str) -> Answer {
        self.call(stage, Method::Get, "/v1/session", token, &Value::Null).await
    }
}

/// The path at which a browser brings a pushed request.
pub fn authorize(request_uri: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", "it.registro.app").append_pair("request_uri", request_uri);
    format!("/oauth/authorize?{}", query.finish())
}

pub fn query(url: &url::Url, name: &str) -> Option<String> {
    let mut found = url.query_pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    let value = found.next();
    assert!(found.next().is_none(), "{name} comes twice");
    value
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
