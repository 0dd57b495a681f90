//! The app's client against a certified OpenID provider, which is strict: what it accepts is right, and what it
//! refuses arrives typed. Wrong answers come from the hostile server of `core/identity/tests`.

use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use registro_identity::jose::{Algorithm, PublicJwk};
use registro_identity::metadata::Endpoints;
use registro_identity::storage::{MemoryKeys, MemorySecrets};
use registro_identity::{
    BeginLogin, Level, Login, LoginError, LoginOptions, Platform, SecretStore, SessionKeeper, SigningKeys,
    StorageError, SystemEnvironment,
};
use registro_sync::http::{
    Authorization, BearerToken, HttpError, HubClient, Later, Method, Transport, TransportOptions,
};
use registro_tests::browser::{Browser, Place};
use registro_tests::oidc_provider::OidcProvider;
use serde_json::Value;

const APP: &str = "it.registro.app:/callback";

#[derive(Default)]
struct Device {
    keys: Arc<MemoryKeys>,
    secrets: Arc<MemorySecrets>,
    lent: bool,
}

/// Somebody else's keys: they sign, and are not destroyed.
struct Lent(Arc<MemoryKeys>);

impl SigningKeys for Lent {
    fn create_key(&self, alias: &str, needs_unlock: bool) -> Result<PublicJwk, StorageError> {
        self.0.create_key(alias, needs_unlock)
    }

    fn public_jwk(&self, alias: &str) -> Result<PublicJwk, StorageError> {
        self.0.public_jwk(alias)
    }

    fn sign_es256(&self, alias: &str, data: &[u8]) -> Result<Vec<u8>, StorageError> {
        self.0.sign_es256(alias, data)
    }

    fn delete(&self, _: &str) -> Result<(), StorageError> {
        Ok(())
    }
}

impl Device {
    fn login(&self, peer: &OidcProvider) -> Login {
        let platform = Platform {
            transport: Transport::new(TransportOptions::development()).unwrap(),
            keys: if self.lent {
                Arc::new(Lent(Arc::clone(&self.keys)))
            } else {
                Arc::clone(&self.keys) as _
            },
            secrets: Arc::clone(&self.secrets) as _,
            environment: Arc::new(SystemEnvironment),
        };
        let options = LoginOptions {
            issuer: peer.issuer.clone(),
            client_id: "it.registro.app".to_owned(),
            scope: "openid offline_access".to_owned(),
            resource: None,
            algorithms: Algorithm::ALL.to_vec(),
            endpoints: Endpoints::OnIssuer,
        };
        Login::new(options, platform)
    }

    /// The device as it was at that moment, restored from a copy that it should never have.
    fn copy(&self) -> Self {
        let secrets = MemorySecrets::default();
        for (name, secret) in self.secrets.everything() {
            secrets.put(&name, &secret).unwrap();
        }
        Self { keys: Arc::clone(&self.keys), secrets: Arc::new(secrets), lent: true }
    }
}

fn begin() -> BeginLogin {
    BeginLogin { redirect: APP.to_owned(), ..BeginLogin::default() }
}

async fn session(peer: &OidcProvider, login: &Login, begin: BeginLogin) -> Result<SessionKeeper, LoginError> {
    let address = login.begin(begin).await?;
    let callback =
        peer.log_in(&mut Browser::new().unwrap(), address.as_str(), APP, "genitore", None).await.unwrap();
    login.complete(&callback).await
}

/// Who the provider says that the session is of.
async fn me(peer: &OidcProvider, authorization: &dyn Authorization) -> Result<Value, HttpError> {
    let answer = HubClient::for_development(&peer.issuer)?.get("/me", Some(authorization)).await?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_login_with_and_without_nonces_and_rotation() {
    for options in [
        &["--rotation", "default"][..],
        &["--dpop-nonce", "--rotation", "always"],
        &["--dpop-nonce", "--rotation", "never"],
        &["--id-token-alg", "RS256"],
        &["--id-token-alg", "PS256"],
    ] {
        let peer = OidcProvider::start(options).unwrap();
        let keeper = session(&peer, &Device::default().login(&peer), begin()).await.unwrap();
        assert_eq!(keeper.subject().as_deref(), Some("genitore"), "{options:?}");
        for _ in 0..3 {
            assert_eq!(me(&peer, &keeper).await.unwrap()["sub"], "genitore");
            keeper.refresh().await.unwrap();
        }
        assert!(keeper.logout().await.unwrap(), "{options:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_replaced_late_in_its_life_and_the_session_goes_on() {
    // Replaced after 21 of 30 seconds: a busy machine has 7 to do it in.
    let peer = OidcProvider::start(&["--refresh-ttl", "30", "--dpop-nonce"]).unwrap();
    let device = Device::default();
    let keeper = session(&peer, &device.login(&peer), begin()).await.unwrap();
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(7_500)).await;
        keeper.refresh().await.unwrap();
    }
    assert_eq!(me(&peer, &keeper).await.unwrap()["sub"], "genitore");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_and_using_it_again_ends_the_login() {
    let peer = OidcProvider::start(&[]).unwrap();
    let device = Device::default();
    let login = device.login(&peer);
    let address = login.begin(begin()).await.unwrap();
    let stolen = device.copy();
    let callback =
        peer.log_in(&mut Browser::new().unwrap(), address.as_str(), APP, "genitore", None).await.unwrap();
    let keeper = login.complete(&callback).await.unwrap();
    let again = stolen.login(&peer).complete(&callback).await.unwrap_err();
    assert_eq!(again, LoginError::SessionEnded);
    assert_eq!(keeper.refresh().await.unwrap_err(), LoginError::SessionEnded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_replaced_ends_the_login() {
    let peer = OidcProvider::start(&["--rotation", "always"]).unwrap();
    let device = Device::default();
    let keeper = session(&peer, &device.login(&peer), begin()).await.unwrap();
    let stolen = device.copy();
    keeper.refresh().await.unwrap();
    let thief = stolen.login(&peer).session(&keeper.id()).await.unwrap().unwrap();
    assert_eq!(thief.refresh().await.unwrap_err(), LoginError::SessionEnded);
    assert_eq!(keeper.refresh().await.unwrap_err(), LoginError::SessionEnded);
    assert!(keeper.has_ended());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_request_works_once_and_nothing_works_without_it() {
    let peer = OidcProvider::start(&[]).unwrap();
    let login = Device::default().login(&peer);
    let address = login.begin(begin()).await.unwrap();
    peer.log_in(&mut Browser::new().unwrap(), address.as_str(), APP, "genitore", None).await.unwrap();
    let again = Browser::new().unwrap().open(address.as_str(), APP).await.unwrap();
    assert!(matches!(again, Place::Page(page) if page.status == 400));
    let bare = format!(
        "{}/auth?client_id=it.registro.app&response_type=code&scope=openid&redirect_uri={APP}&state=s&code_challenge=\
         E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        peer.issuer
    );
    let Place::App(callback) = Browser::new().unwrap().open(&bare, APP).await.unwrap() else {
        panic!("a page for a request that was not pushed");
    };
    assert!(callback.contains("error=invalid_request"), "{callback}");
    let error = login.complete(&callback).await.unwrap_err();
    assert_eq!(error.code(), Some("state"), "and the app does not take it for its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_registered_are_refused_at_the_push() {
    let peer = OidcProvider::start(&[]).unwrap();
    for redirect in [
        "http://localhost:1/callback",
        "http://[::1]:1/callback",
        "http://127.0.0.1:1/other",
        "it.evil.app:/callback",
    ] {
        let device = Device::default();
        let refused =
            device.login(&peer).begin(BeginLogin { redirect: redirect.to_owned(), ..begin() }).await;
        assert!(matches!(refused, Err(LoginError::Misconfigured(_))), "{redirect}");
        assert_eq!(device.keys.count(), 0, "no key is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_and_tokens_are_bound_to_the_key() {
    let peer = OidcProvider::start(&[]).unwrap();
    // The code: pushed with one key, redeemed with another of the same name.
    let device = Device::default();
    let login = device.login(&peer);
    let address = login.begin(begin()).await.unwrap();
    let sealed = device.secrets.everything();
    let (_, pending) = sealed.iter().find(|(name, _)| name.ends_with(".pending")).unwrap();
    let pending: Value = serde_json::from_slice(pending).unwrap();
    device.keys.create_key(pending["alias"].as_str().unwrap(), false).unwrap();
    let callback =
        peer.log_in(&mut Browser::new().unwrap(), address.as_str(), APP, "genitore", None).await.unwrap();
    assert_eq!(login.complete(&callback).await.unwrap_err(), LoginError::SessionEnded);

    // Refresh token and access token.
    let keeper = session(&peer, &login, begin()).await.unwrap();
    let sealed = device.secrets.everything();
    let (_, account) = sealed.iter().find(|(name, _)| name.contains(".account.")).unwrap();
    let account: Value = serde_json::from_slice(account).unwrap();
    assert_eq!(me(&peer, &keeper).await.unwrap()["sub"], "genitore");
    device.keys.create_key(account["alias"].as_str().unwrap(), false).unwrap();
    let hub = HubClient::for_development(&peer.issuer).unwrap();
    let access = keeper.access().await.unwrap();
    assert_eq!(keeper.refresh().await.unwrap_err(), LoginError::SessionEnded);
    let bearer = BearerToken::new(access.token.reveal().to_owned());
    assert_eq!(hub.get("/me", Some(&bearer)).await.unwrap_err(), HttpError::Unauthorized);
}

/// Sends the headers of another request.
struct Mixed<'a> {
    keeper: &'a SessionKeeper,
    url: String,
    kept: tokio::sync::Mutex<Option<Vec<(&'static str, String)>>>,
    leave_out: Option<&'static str>,
}

impl Authorization for Mixed<'_> {
    fn headers<'a>(
        &'a self,
        method: Method,
        _: &'a str,
    ) -> Later<'a, Result<Vec<(&'static str, String)>, HttpError>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            if kept.is_none() {
                *kept = Some(self.keeper.headers(method, &self.url).await?);
            }
            let headers = kept.clone().unwrap_or_default();
            Ok(headers.into_iter().filter(|(name, _)| Some(*name) != self.leave_out).collect())
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_other_requests_are_refused() {
    let peer = OidcProvider::start(&[]).unwrap();
    let device = Device::default();
    let keeper = session(&peer, &device.login(&peer), begin()).await.unwrap();
    let mixed = |path: &str, leave_out| Mixed {
        keeper: &keeper,
        url: format!("{}{path}", peer.issuer),
        kept: tokio::sync::Mutex::new(None),
        leave_out,
    };
    assert_eq!(me(&peer, &mixed("/other", None)).await.unwrap_err(), HttpError::Unauthorized, "htu");
    assert!(me(&peer, &mixed("/me", Some("dpop"))).await.is_err(), "no proof");
    let replayed = mixed("/me", None);
    assert_eq!(me(&peer, &replayed).await.unwrap()["sub"], "genitore");
    assert_eq!(me(&peer, &replayed).await.unwrap_err(), HttpError::Unauthorized, "replay");
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_are_reached_raised_and_never_pretended() {
    let peer = OidcProvider::start(&["--dpop-nonce"]).unwrap();
    let device = Device::default();
    let login = device.login(&peer);
    let at = |level: Level| BeginLogin { acr: Some(level.acr().to_owned()), ..begin() };
    let mut browser = Browser::new().unwrap();
    let address = login.begin(at(Level::L1)).await.unwrap();
    let callback = peer.log_in(&mut browser, address.as_str(), APP, "genitore", None).await.unwrap();
    let keeper = login.complete(&callback).await.unwrap();
    assert_eq!(keeper.acr().as_deref(), Some(Level::L1.acr()));
    let raise = BeginLogin { account: Some(keeper.id()), ..at(Level::L2) };
    // The provider lets somebody in at a lower level than asked for.
    let address = login.begin(raise.clone()).await.unwrap();
    let callback =
        peer.log_in(&mut browser, address.as_str(), APP, "genitore", Some(Level::L1.acr())).await.unwrap();
    assert!(matches!(login.complete(&callback).await, Err(LoginError::HigherLevelNeeded { .. })));
    // Another person.
    let address = login.begin(raise.clone()).await.unwrap();
    let mut other = Browser::new().unwrap();
    let callback = peer.log_in(&mut other, address.as_str(), APP, "docente", None).await.unwrap();
    assert_eq!(login.complete(&callback).await.unwrap_err().code(), Some("sub"));
    // As it should be, in the same browser, which the provider knows.
    let address = login.begin(raise).await.unwrap();
    let mut fresh = Browser::new().unwrap();
    let callback = peer.log_in(&mut fresh, address.as_str(), APP, "genitore", None).await.unwrap();
    login.complete(&callback).await.unwrap();
    assert_eq!(keeper.acr().as_deref(), Some(Level::L2.acr()));
    keeper.refresh().await.unwrap();
    assert_eq!(me(&peer, &keeper).await.unwrap()["sub"], "genitore");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_is_told_so_and_can_try_again() {
    let peer = OidcProvider::start(&[]).unwrap();
    let login = Device::default().login(&peer);
    let address = login.begin(begin()).await.unwrap();
    let callback = peer.give_up(&mut Browser::new().unwrap(), address.as_str(), APP).await.unwrap();
    assert_eq!(login.complete(&callback).await.unwrap_err(), LoginError::Cancelled);
    session(&peer, &login, begin()).await.unwrap();
}

/// The example's program, built if it is not there.
fn example() -> PathBuf {
    // With the features of the whole workspace, as the tests were built: nothing else is compiled once more.
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "build",
        "--quiet",
        "--workspace",
        "--features",
        "registro-tests/peers",
        "--example",
        "login",
    ]);
    for (variable, _) in std::env::vars_os() {
        // Set for this test by cargo: they would make some dependencies compile again.
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&variable);
        }
    }
    let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(built.success());
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/login")
}

/// Runs the program to its end. `end` says where the browser comes back to, given where it should.
async fn run_example(
    peer: &OidcProvider,
    more: &[&str],
    acr: Option<&str>,
    end: impl Fn(String) -> String,
) -> (i32, Value) {
    let mut program = Command::new(example())
        .args(["--issuer", &peer.issuer, "--client-id", "it.registro.app", "--allow-http", "--json"])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(program.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    let Some(open) = first["open"].as_str() else {
        return (program.wait().unwrap().code().unwrap(), first);
    };
    let mut browser = Browser::new().unwrap();
    let callback = peer.log_in(&mut browser, open, "http://127.0.0.1:", "genitore", acr).await.unwrap();
    let base = callback.split("/callback").next().unwrap();
    for other in ["/favicon.ico", "/", "/callback/more", "/callbackx?code=1"] {
        let page = browser.open(&format!("{base}{other}"), "none:").await.unwrap().page().unwrap();
        assert_eq!(page.status, 404, "{other}");
    }
    let page = browser.open(&end(callback), "none:").await.unwrap().page().unwrap();
    assert_eq!(page.status, 200);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let last = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    (program.wait().unwrap().code().unwrap(), last)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_logs_in_from_a_terminal() {
    let peer = OidcProvider::start(&["--dpop-nonce"]).unwrap();
    let same = |callback: String| callback;
    let (status, last) = run_example(&peer, &[], None, same).await;
    assert_eq!(status, 0, "{last}");
    let expected = serde_json::json!({
        "issuer": peer.issuer, "subject": "genitore", "acr": null, "dpop": true, "refreshed": true, "signed_out": true,
    });
    assert_eq!(last, expected);
    let (status, last) =
        run_example(&peer, &["--scope", "openid", "--acr", Level::L2.acr()], None, same).await;
    assert_eq!(status, 0, "{last}");
    assert_eq!((&last["refreshed"], &last["acr"]), (&false.into(), &Level::L2.acr().into()));
    let (status, last) = run_example(&peer, &["--acr", "L2"], Some(Level::L1.acr()), same).await;
    assert_eq!((status, &last["error"]), (2, &"higher_level_needed".into()));
    for (from, to) in [("state=", "state=x"), ("iss=", "iss=x"), ("iss=", "miss="), ("code=", "code=x&code=")]
    {
        let (status, last) = run_example(&peer, &[], None, |callback| callback.replace(from, to)).await;
        assert_eq!((status, &last["error"]), (2, &"unsafe_response".into()), "{from} {to}");
        assert!(!last["sentence"].as_str().unwrap().is_empty());
    }
}
