//! The login of a hub as a process, and the commands of whoever runs it.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use registro_hub::caller::SessionId;
use registro_hub::identity::authorization::sessions::{self, NewSession};
use registro_hub::identity::interaction::{Authenticated, Method as Way};
use registro_hub::identity::store::IdentityStore;
use registro_hub::{Clock, Level, SystemClock};
use registro_sync::http::{Method, Outgoing, Transport, TransportOptions};
use serde_json::Value;

const HUB: &str = env!("CARGO_BIN_EXE_registro-hub");

fn command(data: &Path, arguments: &[&str]) -> Output {
    Command::new(HUB).args(arguments).arg("--data").arg(data).output().unwrap()
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn imported() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/istituto");
    said(command(data.path(), &["import", sample.to_str().unwrap()]));
    data
}

/// A serving process; it ends with the test, because its standard input closes.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(HUB)
            .args(["serve", "--until-stdin-closes"])
            .args(more)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    async fn get(&self, path: &str) -> Value {
        let transport = Transport::new(TransportOptions::development()).unwrap();
        let url = format!("{}{path}", self.url);
        let (headers, body) = (Vec::new(), Vec::new());
        let outgoing = Outgoing { method: Method::Get, url, headers, body, limit: 65_536 };
        serde_json::from_slice(&transport.send(outgoing).await.unwrap().body).unwrap()
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn kids(published: &Value) -> Vec<&str> {
    published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_serves_takes_over_a_rotation_of_its_keys() {
    let data = imported();
    let hub = Serving::start(data.path(), &[]);
    let first = hub.get("/oauth/jwks").await;
    let rotated: Value =
        serde_json::from_str(&said(command(data.path(), &["keys", "rotate", "--compromised"]))).unwrap();
    assert_ne!(kids(&rotated), kids(&first));
    let begun = Instant::now();
    while kids(&hub.get("/oauth/jwks").await) != kids(&rotated) {
        assert!(begun.elapsed() < Duration::from_secs(40), "the hub looks every quarter of a minute");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let listed: Value = serde_json::from_str(&said(command(data.path(), &["keys", "list"]))).unwrap();
    assert_eq!(listed, rotated);
    hub.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_address_is_the_issuer_and_a_bad_one_is_refused() {
    let data = imported();
    let hub = Serving::start(data.path(), &["--public-url", "https://registro.scuola.example/"]);
    let said_of_itself = hub.get("/.well-known/openid-configuration").await;
    assert_eq!(said_of_itself["issuer"], "https://registro.scuola.example");
    hub.stop();
    for (settings, word) in [
        ("public_url = 'http://registro.scuola.example'", "https"),
        ("pubblic_url = 'https://registro.scuola.example'", "pubblic_url"),
        ("redirects = ['http://app.example']", "redirects"),
        ("staff_session_days = 8", "staff_session_days"),
        ("[[resource_server]]\nid = 'mensa'\nsecret_sha256 = 'abc'", "secret_sha256"),
        ("[external]\nissuer = 'http://idp.example'", "https"),
    ] {
        std::fs::write(data.path().join("identity.toml"), settings).unwrap();
        let output = command(data.path(), &["serve"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(word), "{settings}: {error}");
    }
}

#[test]
fn the_office_lists_and_ends_sessions_from_the_command_line() {
    let data = imported();
    let list = || said(command(data.path(), &["sessions", "--person", "D001"]));
    assert_eq!(list(), "");
    let now = SystemClock.now();
    let person =
        registro_hub::serve::open(data.path(), now).unwrap().person_by_code("D001").unwrap().unwrap();
    let store = IdentityStore::open(data.path()).unwrap();
    let who = Authenticated { person, level: Level::L2, method: Way::Cie, at: now };
    let expires = now + 3_600_000;
    let new = NewSession { client: "it.registro.app", thumbprint: [1; 32], scope: "register", who, expires };
    sessions::begin(&store.lock().unwrap(), SessionId([7; 16]), &new, now).unwrap();
    let listed = list();
    assert!(listed.starts_with(&"07".repeat(16)) && listed.contains("cie\tlevel 2"), "{listed}");
    assert!(!listed.contains("0101"), "no key, no token");
    let ended = said(command(data.path(), &["sessions", "--person", "D001", "--end"]));
    assert!(ended.ends_with("ended 1\n"), "{ended}");
    assert_eq!(list(), "");
    assert!(!sessions::find(&store.lock().unwrap(), SessionId([7; 16])).unwrap().unwrap().is_live(now));
    assert!(!command(data.path(), &["sessions", "--person", "nobody"]).status.success());
}
