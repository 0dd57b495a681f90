//! The core's whole login from a terminal: `cargo run --release --example login -- --issuer URL --client-id ID
//! [--scope S] [--acr LEVEL] [--resource R] [--allow-http] [--json]`.
//!
//! For any authorization server with PAR, PKCE S256, `iss` and DPoP at which `http://127.0.0.1:<any port>/callback` is
//! registered. Prints the address to open, waits for the browser to come back (RFC 8252 §7.3), refreshes once, signs
//! out. Keys and tokens are in memory only. With `--json` the first line is `{"open": URL}`, the last one says how it
//! went; whatever is refused ends with `{"error": kind, "sentence": …}` and exit status 2.

mod listener;
mod options;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use registro_identity::jose::Algorithm;
use registro_identity::metadata::Endpoints;
use registro_identity::storage::{MemoryKeys, MemorySecrets};
use registro_identity::{
    BeginLogin, Login, LoginError, LoginOptions, Platform, SessionKeeper, SystemEnvironment,
};
use registro_sync::http::{Transport, TransportOptions};
use serde_json::json;

use listener::Listener;
use options::Options;

/// Ends with this when something was refused.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::read(&arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{}", options::USAGE);
            return ExitCode::from(REFUSED);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(&options));
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::Refused(error)) => {
            refuse(&options, &error);
            ExitCode::from(REFUSED)
        }
        Err(Ended::Failed(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

enum Ended {
    Refused(LoginError),
    Failed(std::io::Error),
}

impl From<LoginError> for Ended {
    fn from(error: LoginError) -> Self {
        Self::Refused(error)
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

async fn run(options: &Options) -> Result<(), Ended> {
    let login = login(options)?;
    let acr = match &options.acr {
        Some(level) => Some(options::acr(level, &login.metadata().await?.acr_values)),
        None => None,
    };
    let mut listener = Listener::start().await?;
    let begin = BeginLogin { redirect: listener.redirect(), acr, ..BeginLogin::default() };
    let address = login.begin(begin).await?;
    if options.json {
        say(&json!({ "open": address.as_str() }).to_string())?;
    } else {
        say(&format!("{address}\n\nOpen this address in a browser. Apri questo indirizzo in un browser."))?;
    }
    let session = login.complete(&listener.callback().await?).await?;
    let acr = session.acr();
    let refreshed = refresh(&session).await;
    let signed_out = session.logout().await?;
    let refreshed = refreshed?;
    let (issuer, subject) = (session.issuer(), session.subject());
    if options.json {
        // Bound by a proof, always: a token of another type is refused.
        let done = json!({
            "issuer": issuer, "subject": subject, "acr": acr, "dpop": true, "refreshed": refreshed,
            "signed_out": signed_out,
        });
        say(&done.to_string())?;
    } else {
        let said = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
        let yes = |claim: bool| if claim { "yes" } else { "no" };
        say(&format!(
            "\nissuer      {issuer}\nsubject     {}\nacr         {}\ndpop        yes\nrefreshed   {}\nsigned out  {}",
            said(subject),
            said(acr),
            yes(refreshed),
            yes(signed_out)
        ))?;
    }
    Ok(())
}

fn login(options: &Options) -> Result<Login, LoginError> {
    let transport = TransportOptions { loopback_http: options.allow_http, ..TransportOptions::default() };
    let platform = Platform {
        transport: Transport::new(transport)?,
        keys: Arc::new(MemoryKeys::default()),
        secrets: Arc::new(MemorySecrets::default()),
        environment: Arc::new(SystemEnvironment),
    };
    let at = LoginOptions {
        issuer: options.issuer.clone(),
        client_id: options.client_id.clone(),
        scope: options.scope.clone(),
        resource: options.resource.clone(),
        algorithms: Algorithm::ALL.to_vec(),
        endpoints: Endpoints::Anywhere,
    };
    Ok(Login::new(at, platform))
}

/// One refresh. A server that gives no refresh token, or does not redeem it, is told apart from one that lies.
async fn refresh(session: &SessionKeeper) -> Result<bool, LoginError> {
    if !session.can_refresh() {
        return Ok(false);
    }
    match session.refresh().await {
        Ok(()) => Ok(true),
        Err(LoginError::SessionEnded | LoginError::Misconfigured(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn refuse(options: &Options, error: &LoginError) {
    if let Some(code) = error.code() {
        eprintln!("{}: {code}", error.kind());
    }
    let sentence = if options::speaks_english() { error.english() } else { error.italian() };
    let line = if options.json {
        json!({ "error": error.kind(), "sentence": sentence }).to_string()
    } else {
        format!("{}\n{}", error.italian(), error.english())
    };
    // Who reads may be gone; the exit status says it too.
    let _ = say(&line);
}

/// A line, at once: whoever reads it opens the address.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
