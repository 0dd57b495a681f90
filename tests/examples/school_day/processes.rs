//! The other processes of the day: the hub, and the tablet that is killed. The example runs itself again as each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use registro::{OpenOptions, Registro};
use registro_hub::serve::{ServeConfig, serve};
use registro_store::FileVault;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// First argument of the hub's process.
pub const HUB: &str = "as-the-hub";
/// First argument of the tablet's process.
pub const TABLET: &str = "as-the-tablet";

/// A hub in a process of its own.
pub struct HubProcess {
    child: Child,
    pub address: SocketAddr,
}

impl HubProcess {
    pub async fn start(data: &Path, now: i64) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(HUB)
            .arg(data)
            .arg(now.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().ok_or("the hub has no output")?;
        let mut lines = BufReader::new(out).lines();
        let address = loop {
            let line = lines.next_line().await?.ok_or("the hub did not start")?;
            if let Some(url) = line.strip_prefix("listening on http://") {
                break url.parse()?;
            }
        };
        Ok(Self { child, address })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Moves the hub's clock.
    pub async fn set_clock(&self, milliseconds: i64) -> Result<(), Failure> {
        let now = chrono::DateTime::from_timestamp_millis(milliseconds).ok_or("an instant")?.to_rfc3339();
        let client = registro_sync::http::HubClient::for_development(&self.url())?;
        let body = serde_json::json!({ "now": now }).to_string().into_bytes();
        client.post("/dev/clock", None, "application/json", body).await?;
        Ok(())
    }

    pub async fn stop(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        self.child.wait().await?;
        Ok(())
    }
}

/// The process of the hub: serves until its standard input closes.
pub async fn be_the_hub(arguments: &[String]) -> Result<(), Failure> {
    let [data, now] = arguments else { return Err("usage: as-the-hub DATA NOW".into()) };
    let hub = serve(ServeConfig {
        data: PathBuf::from(data),
        listen: ([127, 0, 0, 1], 0).into(),
        identity: None,
        public_url: None,
        dev_login: true,
        standing_clock: Some(now.parse()?),
    })
    .await?;
    println!("listening on {}", hub.url());
    tokio::task::spawn_blocking(|| std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new()))
        .await??;
    hub.stop().await;
    Ok(())
}

/// Starts the tablet's process, which syncs a store that nobody else has open: it logs in at the hub itself and
/// syncs through the link.
pub fn start_tablet(
    store: &Path,
    vault: &Path,
    hub: &str,
    link: &str,
    person: &str,
) -> Result<Child, Failure> {
    Ok(Command::new(std::env::current_exe()?)
        .arg(TABLET)
        .args([store, vault])
        .args([hub, link, person])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

/// The process of the tablet: logs in and syncs; it is killed while it waits for an answer.
pub async fn be_the_tablet(arguments: &[String]) -> Result<(), Failure> {
    let [store, vault, hub, link, person] = arguments else {
        return Err("usage: as-the-tablet STORE VAULT HUB LINK PERSON".into());
    };
    let registro = Registro::open(OpenOptions::for_development(store, hub), &FileVault::new(vault))?;
    registro.log_in_for_development(person).await?;
    registro.set_hub(link)?;
    registro.sync().await?;
    Ok(())
}
