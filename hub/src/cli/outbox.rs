//! `registro-hub outbox`: what devices handed in that they could not push any more.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::HubError;
use crate::clock::{Clock, SystemClock};
use crate::outbox::OutboxKey;
use crate::random::SystemRandomness;

/// What devices handed in that they could not push any more, because they were revoked or their person's right ended.
/// Only while the hub does not serve.
#[derive(Debug, Args)]
pub struct OutboxArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// Lists it, newest first.
    List,
    /// Opens one with the hub's key.
    Open {
        /// Its number in the list.
        #[arg(long)]
        id: i64,
        /// The file to write: signed changes, readable by its owner only.
        #[arg(long)]
        to: PathBuf,
    },
}

/// Runs the command.
pub fn run(arguments: &OutboxArguments) -> ExitCode {
    match act(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &OutboxArguments) -> Result<(), HubError> {
    let _taken = crate::serve::take_directory(&arguments.data)?;
    let hub = crate::serve::open(&arguments.data, SystemClock.now())?;
    match &arguments.command {
        OutboxCommand::List => {
            for item in hub.handed_in()? {
                let received = chrono::DateTime::from_timestamp_millis(item.received).unwrap_or_default();
                println!("{}\t{}\t{}\t{} bytes", item.id, item.person, received.to_rfc3339(), item.bytes);
            }
        }
        OutboxCommand::Open { id, to } => {
            let sealed = hub.handed_in_bytes(*id)?.ok_or(HubError::Unknown("item"))?;
            let key = OutboxKey::in_directory(&arguments.data, &mut SystemRandomness::new())?;
            let opened = key.open(hub.school_id(), &sealed);
            let opened = opened.ok_or(HubError::Forbidden("it was not sealed to this school's key"))?;
            crate::keys::write_secret(to, &opened)?;
        }
    }
    Ok(())
}
