//! `registro-hub federation`: what the office does for SPID and CIE.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{NaiveDate, SecondsFormat};
use clap::{Args, Subcommand};

use crate::HubError;
use crate::clock::start_of_day;
use crate::identity::Randomness;
use crate::identity::config::IdentityConfig;
use crate::identity::federation::journal::{Journal, key_path};
use crate::identity::federation::keys::{FederationKeys, Purpose};
use crate::identity::store::IdentityStore;
use crate::random::SystemRandomness;

/// The school in the federations of SPID and CIE.
#[derive(Debug, Args)]
pub struct FederationArguments {
    #[command(subcommand)]
    command: Command,
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data", global = true)]
    data: PathBuf,
    /// Settings of the login; `identity.toml` in the data folder if absent.
    #[arg(long, global = true)]
    identity: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints the public federation keys, to be registered with the trust anchors; makes all keys if there are none.
    Keys {
        /// Add a new key for this purpose: published after the hub's next start, and not used yet.
        #[arg(long, conflicts_with = "promote")]
        add: Option<Purpose>,
        /// Use the newest key for this purpose after the hub's next start; the one before stays valid. Once the anchors
        /// have registered a new federation key, or 48 hours after another was published.
        #[arg(long)]
        promote: Option<Purpose>,
    },
    /// Prints the transaction log of some days, one JSON object a line. Needs the log's key.
    Log {
        /// First day.
        #[arg(long)]
        from: NaiveDate,
        /// Last day.
        #[arg(long)]
        to: NaiveDate,
    },
}

/// Runs the command.
pub fn run(arguments: &FederationArguments) -> ExitCode {
    let outcome = match &arguments.command {
        Command::Keys { add, promote } => keys(arguments, *add, *promote),
        Command::Log { from, to } => log(arguments, *from, *to),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn keys(
    arguments: &FederationArguments,
    add: Option<Purpose>,
    promote: Option<Purpose>,
) -> Result<(), HubError> {
    std::fs::create_dir_all(&arguments.data)?;
    let keys = match (add, promote) {
        (Some(purpose), _) => FederationKeys::add(&arguments.data, purpose)?,
        (None, Some(purpose)) => FederationKeys::promote(&arguments.data, purpose)?,
        (None, None) => FederationKeys::of_directory(&arguments.data)?,
    };
    let text = serde_json::to_string_pretty(&keys.federation_public())
        .map_err(|_| HubError::Stored("a key that cannot be written"))?;
    println!("{text}");
    Ok(())
}

fn log(arguments: &FederationArguments, from: NaiveDate, to: NaiveDate) -> Result<(), HubError> {
    let config = match &arguments.identity {
        Some(file) => IdentityConfig::read(file)?,
        None => IdentityConfig::of_directory(&arguments.data)?,
    };
    let configured = config.federation.as_ref().and_then(|federation| federation.log_key.as_deref());
    let key = key_path(&arguments.data, configured);
    if !key.exists() {
        // A new key would open nothing: say so, and make none.
        return Err(HubError::Unknown("key of the transaction log"));
    }
    let store = Arc::new(IdentityStore::open(&arguments.data)?);
    let journal = Journal::open(store, &key, Randomness::new(Box::new(SystemRandomness::new())))?;
    let end = to.succ_opt().map_or(i64::MAX, start_of_day);
    let mut out = std::io::stdout().lock();
    journal.read(start_of_day(from), end, &mut |entry| {
        let at = chrono::DateTime::from_timestamp_millis(entry.at).unwrap_or_default();
        let line = serde_json::json!({
            "at": at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "transaction": entry.transaction,
            "event": entry.kind,
            "content": entry.content,
        });
        Ok(writeln!(out, "{line}")?)
    })
}
