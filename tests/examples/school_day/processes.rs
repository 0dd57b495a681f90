//! The other processes of the day: the hub, and the tablet that is killed. The example runs itself again as each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use registro_hub::serve::{ServeConfig, serve};
use registro_tests::clock::SharedClock;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::stage::open;

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
    /// Serves at this address: the hub's name, which sessions are bound to, is where it listens.
    pub async fn start(data: &Path, now: i64, listen: SocketAddr) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(HUB)
            .arg(data)
            .arg(now.to_string())
            .arg(listen.to_string())
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
    let [data, now, listen] = arguments else { return Err("usage: as-the-hub DATA NOW LISTEN".into()) };
    let hub = serve(ServeConfig {
        data: PathBuf::from(data),
        listen: listen.parse()?,
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

/// Starts the tablet's process, which syncs a store that nobody else has open, through the link.
pub fn start_tablet(device: &Path, hub: &str, link: &str, now: i64) -> Result<Child, Failure> {
    Ok(Command::new(std::env::current_exe()?)
        .arg(TABLET)
        .arg(device)
        .args([hub, link, &now.to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

/// The process of the tablet: the session is there from before; it syncs, and is killed while it waits for an answer.
pub async fn be_the_tablet(arguments: &[String]) -> Result<(), Failure> {
    let [device, hub, link, now] = arguments else {
        return Err("usage: as-the-tablet DEVICE HUB LINK NOW".into());
    };
    let registro = open(Path::new(device), hub, &SharedClock::at(now.parse()?), now.parse::<u64>()?)?;
    registro.set_hub(link)?;
    registro.sync().await?;
    Ok(())
}
