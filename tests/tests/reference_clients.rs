//! Independent OAuth clients log in at the hub (`tests/peers/reference-client`).

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use registro_hub::identity::Identity;
use registro_hub::identity::authorization::access::TokenCallers;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::cookies::Cookie;
use registro_hub::identity::interaction::{Authenticated, Method};
use registro_hub::identity::issuer::Issuer;
use registro_hub::keys::{KeyFile, SchoolKeyVault};
use registro_hub::server::{RunningHub, ServerParts, start_on};
use registro_hub::{Clock, Hub, Level, StandingClock, SystemClock, SystemRandomness};
use registro_sync::http::{Method as Verb, Outgoing, Transport, TransportOptions};
use registro_tests::browser::Failure;
use registro_tests::miniature::{MOTHER, morning, registry};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

struct Stage {
    hub: RunningHub,
    identity: Arc<Identity>,
    clock: Arc<StandingClock>,
    _folder: TempDir,
}

async fn stage() -> Result<Stage, Failure> {
    let folder = tempfile::tempdir()?;
    let mut random = SystemRandomness::new();
    let key = KeyFile::in_directory(folder.path()).school_key(&mut random)?;
    let database = registro_hub::log::schema::open_in_memory()?;
    let clock = Arc::new(StandingClock::at(morning()));
    let hub = Arc::new(Hub::open(database, Box::new(registry()), key, Box::new(random), morning())?);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let issuer = Issuer::new(&format!("http://{}", listener.local_addr()?).parse()?)?;
    let identity = Arc::new(Identity::open(
        Arc::clone(&hub),
        Arc::clone(&clock) as Arc<dyn Clock>,
        IdentityConfig::default(),
        issuer,
        folder.path(),
        Box::new(SystemRandomness::new()),
    )?);
    let callers = Arc::new(TokenCallers::new(Arc::clone(&identity)));
    let shown = Arc::clone(&clock) as Arc<dyn Clock>;
    let parts =
        ServerParts { hub, callers, clock: shown, identity: Some(Arc::clone(&identity)), development: None };
    let hub = start_on(parts, listener)?;
    clock.set(morning() + 5_000);
    Ok(Stage { hub, identity, clock, _folder: folder })
}

impl Stage {
    /// The browser: opens the address that the client shows, somebody logs in, and it is sent back to the app.
    async fn browse(&self, open: &str) -> Result<String, Failure> {
        let transport = Transport::new(TransportOptions::development())?;
        let request = Outgoing {
            method: Verb::Get,
            url: open.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            limit: 65_536,
        };
        let answer = transport.send(request).await?;
        let name = format!("{}=", Cookie::Login.name(&self.identity.issuer));
        let set = answer.headers.get("set-cookie").ok_or("no cookie")?;
        let cookie = set.strip_prefix(&name).and_then(|rest| rest.split(';').next()).ok_or("no cookie")?;
        let (interactions, now) = (&self.identity.interactions, self.clock.now());
        let id = interactions.open(cookie, now)?.ok_or("no login")?.id;
        let who = Authenticated { person: MOTHER, level: Level::L2, method: Method::Cie, at: now };
        interactions.authenticate(id, who, now)?;
        Ok(interactions.approve(id, now)?.0.into())
    }

    /// A client's whole run; what it says at its end.
    async fn run(&self, script: &str) -> Result<Value, Failure> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/reference-client");
        let ahead = (self.clock.now() - SystemClock.now()).div_euclid(1_000);
        let mut process = Command::new("node")
            .arg(folder.join(script))
            .args([self.hub.url(), ahead.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut input = process.stdin.take().ok_or("no input")?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let shown: Value =
            serde_json::from_str(&lines.next_line().await?.ok_or("the client shows nothing")?)?;
        let back = self.browse(shown["open"].as_str().ok_or("no address")?).await?;
        input.write_all(format!("{back}\n").as_bytes()).await?;
        let said = lines.next_line().await?.ok_or("the client does not end well")?;
        drop(input);
        assert!(process.wait().await?.success());
        Ok(serde_json::from_str(&said)?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certified_client_logs_in_renews_and_signs_out() -> Result<(), Failure> {
    let stage = stage().await?;
    let said = stage.run("openid-client.mjs").await?;
    assert_eq!(said, json!({ "person": MOTHER.to_string(), "name": "Madre Alfa", "level": 2 }));
    assert!(stage.identity.sessions_of(MOTHER, stage.clock.now())?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_wrong_clock_gets_in_with_nonces() -> Result<(), Failure> {
    let stage = stage().await?;
    let said = stage.run("oauth4webapi.mjs").await?;
    assert_eq!(said["person"], MOTHER.to_string());
    Ok(())
}
