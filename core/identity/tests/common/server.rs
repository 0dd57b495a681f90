//! The server, and the lies.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_identity::jose::PublicJwk;
use registro_identity::{Environment, Level, SystemEnvironment};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use serde_json::{Value, json};
use url::Url;

use super::http::{Reply, Request, serve};

/// What it gets wrong.
#[derive(Clone)]
pub enum Wrong {
    /// A member of its metadata; `null` leaves it out.
    Metadata(&'static str, Value),
    /// A member of the token endpoint's answer.
    Token(&'static str, Value),
    /// A claim of the ID token.
    Claim(&'static str, Value),
    /// The ID token itself.
    Forged(Forge),
    /// The address that the browser comes back to: each `from` becomes `to`.
    Callback(&'static str, &'static str),
    /// Everything that is answered at a path.
    Answer(&'static str, Reply),
    /// The same, for requests of that grant at the token endpoint.
    Grant(&'static str, Reply),
}

/// How an ID token is forged.
#[derive(Clone, Copy)]
pub enum Forge {
    /// `alg: none`, without a signature.
    Unsigned,
    /// `alg: HS256`, with the public key as the secret.
    PublicKeyAsSecret,
    /// Signed by a key that is not the server's, under the name of one that is.
    SwappedKey,
    /// Signed by the server's key, under a name that is not there.
    UnknownName,
    /// A claim changed after it was signed.
    Altered,
    /// Something critical that nobody knows.
    Critical,
    /// Named ES384, which nobody agreed on.
    OtherAlgorithm,
}

pub struct Server {
    pub url: String,
    state: Arc<Mutex<State>>,
}

pub struct State {
    issuer: String,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    pub kid: String,
    pub wrong: Vec<Wrong>,
    /// Wants its nonce in every proof.
    pub nonces: bool,
    nonce: u64,
    /// Replaces the refresh token each time.
    pub rotates: bool,
    pub gives_refresh: bool,
    pub acr: Option<&'static str>,
    pub subject: &'static str,
    /// Sent as `Date`, seconds off.
    pub clock_ahead: i64,
    proofs: HashSet<String>,
    pushed: HashMap<String, Pushed>,
    codes: HashMap<String, Pushed>,
    /// Refresh tokens, with the key that each is bound to.
    pub refresh: HashMap<String, String>,
    access: HashMap<String, String>,
    pub revoked: Vec<String>,
    /// Paths asked for, with the grant if there is one.
    pub asked: Vec<String>,
    /// What was pushed last.
    pub last_push: HashMap<String, String>,
}

#[derive(Clone)]
struct Pushed {
    state: String,
    nonce: String,
    redirect: String,
    challenge: String,
    thumbprint: String,
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

fn jwk(key: &EcdsaKeyPair) -> Value {
    serde_json::from_str(&PublicJwk::from_point(key.public_key().as_ref()).unwrap().json()).unwrap()
}

fn text() -> String {
    let mut bytes = [0; 24];
    SystemEnvironment.random(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Server {
    pub async fn start() -> Self {
        Self::start_wrong([]).await
    }

    pub async fn start_wrong(wrong: impl IntoIterator<Item = Wrong>) -> Self {
        let state = Arc::new(Mutex::new(State {
            issuer: String::new(),
            key: new_key(),
            other: new_key(),
            kid: "the-key".to_owned(),
            wrong: wrong.into_iter().collect(),
            nonces: false,
            nonce: 0,
            rotates: true,
            gives_refresh: true,
            acr: Some(Level::L1.acr()),
            subject: "person-1",
            clock_ahead: 0,
            proofs: HashSet::new(),
            pushed: HashMap::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            revoked: Vec::new(),
            asked: Vec::new(),
            last_push: HashMap::new(),
        }));
        let shared = Arc::clone(&state);
        let url = serve(move |request| {
            let shared = Arc::clone(&shared);
            async move { shared.lock().unwrap().answer(&request) }
        })
        .await;
        state.lock().unwrap().issuer.clone_from(&url);
        Self { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often a path, or a grant at the token endpoint, was asked for.
    pub fn count(&self, what: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.as_str() == what).count()
    }

    /// The person logs in and lets the app in: the address that the browser comes back to.
    pub fn approve(&self, address: &str) -> String {
        self.end_with(address, "code")
    }

    /// The person says no.
    pub fn refuse(&self, address: &str) -> String {
        self.end_with(address, "error")
    }

    fn end_with(&self, address: &str, how: &str) -> String {
        let mut state = self.state();
        let url = Url::parse(address).unwrap();
        let pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let pushed = state.pushed.remove(&pairs["request_uri"]).expect("a request that was pushed");
        let code = if how == "code" { text() } else { "access_denied".to_owned() };
        let mut callback = Url::parse(&pushed.redirect).unwrap();
        callback
            .query_pairs_mut()
            .append_pair(how, &code)
            .append_pair("state", &pushed.state)
            .append_pair("iss", &state.issuer);
        state.codes.insert(code, pushed);
        let mut callback = callback.to_string();
        for wrong in state.wrong.clone() {
            if let Wrong::Callback(from, to) = wrong {
                assert!(callback.contains(from), "{callback} has no {from}");
                callback = callback.replace(from, to);
            }
        }
        callback
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap().to_owned();
        self.asked.push(request.form("grant_type").unwrap_or_else(|| path.clone()));
        let grant = request.form("grant_type").unwrap_or_default();
        for wrong in &self.wrong {
            match wrong {
                Wrong::Answer(at, reply) if *at == path => return reply.clone(),
                Wrong::Grant(of, reply) if *of == grant => return reply.clone(),
                _ => {}
            }
        }
        let reply = match path.as_str() {
            "/.well-known/openid-configuration" => Reply::json(200, &self.metadata()),
            "/jwks" => {
                let mut key = jwk(&self.key);
                key["kid"] = self.kid.clone().into();
                key["use"] = "sig".into();
                Reply::json(200, &json!({ "keys": [{"kty": "oct", "k": "AAAA", "kid": "odd"}, key] }))
            }
            "/par" => self.proven(request, None).map_or_else(|e| e, |key| self.push(request, key)),
            "/token" => self.proven(request, None).map_or_else(|e| e, |key| self.token(request, &key)),
            "/revoke" => {
                self.revoked.push(request.form("token").unwrap());
                self.refresh.remove(&request.form("token").unwrap());
                Reply::json(200, &json!({}))
            }
            "/api" => self.api(request),
            _ => Reply::typed(404, "text/html", "<!doctype html>nothing"),
        };
        let date = SystemEnvironment.now() / 1_000 + self.clock_ahead;
        let date = chrono::DateTime::from_timestamp(date, 0).unwrap();
        reply.with("date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "pushed_authorization_request_endpoint": at("/par"),
            "revocation_endpoint": at("/revoke"),
            "jwks_uri": at("/jwks"),
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": true,
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        });
        for wrong in &self.wrong {
            if let Wrong::Metadata(name, value) = wrong {
                metadata[*name] = value.clone();
                metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
        }
        metadata
    }

    /// Checks a proof as RFC 9449 §4.3 wants. Gives the key's thumbprint.
    fn proven(&mut self, request: &Request, access: Option<&str>) -> Result<String, Reply> {
        let refused = |why: &str| {
            let status = if access.is_some() { 401 } else { 400 };
            Err(Reply::json(status, &json!({ "error": "invalid_dpop_proof", "error_description": why })))
        };
        let Some(proof) = request.header("dpop") else { return refused("no proof") };
        let (signed, signature) = proof.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: Value = serde_json::from_slice(&decode(header)).unwrap();
        let payload: Value = serde_json::from_slice(&decode(payload)).unwrap();
        if header["typ"] != "dpop+jwt" || header["alg"] != "ES256" {
            return refused("header");
        }
        let coordinate = |name: &str| decode(header["jwk"][name].as_str().unwrap());
        let key = PublicJwk::from_point(&[vec![4], coordinate("x"), coordinate("y")].concat()).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point());
        if public.verify(signed.as_bytes(), &decode(signature)).is_err() {
            return refused("signature");
        }
        let here = format!("{}{}", self.issuer, request.path.split('?').next().unwrap());
        let now = SystemEnvironment.now() / 1_000 + self.clock_ahead;
        if payload["htm"] != request.method.as_str() || payload["htu"] != here.as_str() {
            return refused("another request");
        }
        if (payload["iat"].as_i64().unwrap() - now).abs() > 30 {
            return refused("iat");
        }
        let hash = access.map(|token| URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        if payload["ath"].as_str() != hash.as_deref() {
            return refused("ath");
        }
        // The API's nonces are others than the authorization server's: neither takes the other's.
        let side = if access.is_some() { "api" } else { "server" };
        let expected = format!("{side}-{}", self.nonce);
        if self.nonces && payload["nonce"] != expected.as_str() {
            let fresh = format!("{side}-{}", self.nonce);
            let challenge = r#"DPoP error="use_dpop_nonce""#;
            let status = if access.is_some() { 401 } else { 400 };
            let reply = Reply::json(status, &json!({ "error": "use_dpop_nonce" }));
            return Err(reply.with("dpop-nonce", fresh).with("www-authenticate", challenge));
        }
        if !self.proofs.insert(payload["jti"].as_str().unwrap().to_owned()) {
            return refused("replay");
        }
        Ok(URL_SAFE_NO_PAD.encode(key.thumbprint()))
    }

    /// Another nonce from now on.
    pub fn change_nonce(&mut self) {
        self.nonce += 1;
    }

    fn push(&mut self, request: &Request, thumbprint: String) -> Reply {
        let form = |name: &str| request.form(name).unwrap_or_default();
        assert_eq!(form("code_challenge_method"), "S256");
        assert!(form("state").len() >= 22 && form("nonce").len() >= 22, "128 bits or more");
        self.last_push = url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
        let pushed = Pushed {
            state: form("state"),
            nonce: form("nonce"),
            redirect: form("redirect_uri"),
            challenge: form("code_challenge"),
            thumbprint,
        };
        let uri = format!("urn:ietf:params:oauth:request_uri:{}", text());
        self.pushed.insert(uri.clone(), pushed);
        Reply::json(201, &json!({ "request_uri": uri, "expires_in": 60 }))
    }

    fn token(&mut self, request: &Request, thumbprint: &str) -> Reply {
        let grant = Reply::json(400, &json!({ "error": "invalid_grant", "error_description": "canary" }));
        let form = |name: &str| request.form(name).unwrap_or_default();
        let mut answer = if form("grant_type") == "refresh_token" {
            let Some(key) = self.refresh.get(&form("refresh_token")).cloned() else { return grant };
            if key != thumbprint {
                return grant;
            }
            let mut answer = self.tokens(thumbprint);
            if self.rotates {
                self.refresh.remove(&form("refresh_token"));
            } else {
                answer.as_object_mut().unwrap().remove("refresh_token");
            }
            answer
        } else {
            let Some(pushed) = self.codes.remove(&form("code")) else { return grant };
            let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form("code_verifier").as_bytes()));
            let good = pushed.redirect == form("redirect_uri")
                && pushed.challenge == challenge
                && pushed.thumbprint == thumbprint;
            if !good {
                return grant;
            }
            let mut answer = self.tokens(thumbprint);
            answer["id_token"] = self.id_token(&pushed.nonce).into();
            answer
        };
        for wrong in &self.wrong {
            if let Wrong::Token(name, value) = wrong {
                answer[*name] = value.clone();
                answer.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
        }
        Reply::json(200, &answer).with("cache-control", "no-store")
    }

    fn tokens(&mut self, thumbprint: &str) -> Value {
        let (access, refresh) = (format!("access-{}", text()), format!("refresh-{}", text()));
        self.access.insert(access.clone(), thumbprint.to_owned());
        let mut answer =
            json!({ "access_token": access, "token_type": "DPoP", "expires_in": 600, "new": {"a": 1} });
        if self.gives_refresh {
            self.refresh.insert(refresh.clone(), thumbprint.to_owned());
            answer["refresh_token"] = refresh.into();
        }
        answer
    }

    fn id_token(&self, nonce: &str) -> String {
        let now = SystemEnvironment.now() / 1_000 + self.clock_ahead;
        let mut claims = json!({
            "iss": self.issuer, "sub": self.subject, "aud": "it.registro.app", "nonce": nonce, "iat": now,
            "exp": now + 300, "auth_time": now, "acr": self.acr,
        });
        let mut forged = None;
        for wrong in &self.wrong {
            match wrong {
                Wrong::Claim(name, value) => claims[*name] = value.clone(),
                Wrong::Forged(forge) => forged = Some(*forge),
                _ => {}
            }
        }
        let mut header = json!({ "alg": "ES256", "kid": self.kid, "typ": "JWT" });
        match forged {
            Some(Forge::Unsigned) => header["alg"] = "none".into(),
            Some(Forge::PublicKeyAsSecret) => header["alg"] = "HS256".into(),
            Some(Forge::OtherAlgorithm) => header["alg"] = "ES384".into(),
            Some(Forge::UnknownName) => header["kid"] = "nobody".into(),
            Some(Forge::Critical) => header["crit"] = json!(["b64"]),
            _ => {}
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let random = SystemRandom::new();
        let sign = |key: &EcdsaKeyPair| key.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec();
        let signature = match forged {
            Some(Forge::Unsigned) => Vec::new(),
            Some(Forge::PublicKeyAsSecret) => {
                let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.key.public_key().as_ref());
                ring::hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
            }
            Some(Forge::SwappedKey) => sign(&self.other),
            _ => sign(&self.key),
        };
        if let Some(Forge::Altered) = forged {
            claims["sub"] = "person-2".into();
            return format!("{}.{}.{}", part(&header), part(&claims), URL_SAFE_NO_PAD.encode(signature));
        }
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn api(&mut self, request: &Request) -> Reply {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("DPoP "));
        let Some(token) = token.map(str::to_owned) else { return Reply::json(401, &json!({})) };
        let key = match self.proven(request, Some(&token)) {
            Ok(key) => key,
            Err(reply) => return reply,
        };
        if self.access.get(&token) != Some(&key) {
            return Reply::json(401, &json!({})).with("www-authenticate", r#"DPoP error="invalid_token""#);
        }
        Reply::json(200, &json!({ "ok": true }))
    }

    /// Access tokens end, as when the server restarts with other keys.
    pub fn end_access(&mut self) {
        self.access.clear();
    }

    /// The server signs with another key from now on.
    pub fn change_key(&mut self) {
        self.key = new_key();
        self.kid = format!("{}-next", self.kid);
    }
}
