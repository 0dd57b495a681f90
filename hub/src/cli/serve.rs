//! `registro-hub serve`: serves until it is told to stop.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::clock::parse_instant;
use crate::serve::{ServeConfig, serve};

/// Serves the school's devices.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data")]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Settings of the login; `identity.toml` in the data folder if absent.
    #[arg(long)]
    identity: Option<PathBuf>,
    /// Where browsers and apps reach the hub (https), instead of what the settings say; the address where it listens
    /// if neither says so.
    #[arg(long)]
    public_url: Option<url::Url>,
    /// Development only: hand out tokens without asking who is there.
    #[arg(long)]
    dev_login: bool,
    /// Development only: a clock that stands at this instant (RFC 3339) until it is moved.
    #[arg(long, requires = "dev_login", value_parser = instant)]
    clock: Option<i64>,
    /// Stop when standard input closes, so that a parent that dies leaves no hub behind.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn instant(text: &str) -> Result<i64, &'static str> {
    parse_instant(text).ok_or("expected an instant like 2026-11-23T07:30:00+01:00")
}

/// Runs the command. One line on standard output says where it listens.
pub fn run(arguments: &ServeArguments) -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("REGISTRO_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let outcome = runtime.block_on(serve_until_stopped(arguments));
    // A thread that reads standard input may never end.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn serve_until_stopped(arguments: &ServeArguments) -> Result<(), crate::HubError> {
    let stdin_closed = arguments.until_stdin_closes.then(watch_stdin);
    let mut stop_signals = StopSignals::new()?;
    let hub = serve(ServeConfig {
        data: arguments.data.clone(),
        listen: arguments.listen,
        identity: arguments.identity.clone(),
        public_url: arguments.public_url.clone(),
        dev_login: arguments.dev_login,
        standing_clock: arguments.clock,
    })
    .await?;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on {}", hub.url())?;
        out.flush()?;
    }
    let closed = async {
        match stdin_closed {
            Some(closed) => drop(closed.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop_signals.wait() => {}
        () = closed => {}
    }
    hub.stop().await;
    Ok(())
}

fn watch_stdin() -> tokio::sync::oneshot::Receiver<()> {
    let (tell, closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        let mut input = std::io::stdin().lock();
        while input.read(&mut buffer).is_ok_and(|read| read > 0) {}
        let _ = tell.send(());
    });
    closed
}

#[cfg(unix)]
struct StopSignals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl StopSignals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
