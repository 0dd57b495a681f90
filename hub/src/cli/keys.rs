//! `registro-hub keys`: the keys that sign tokens.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::HubError;
use crate::clock::{Clock, SystemClock};
use crate::identity::authorization::keys::{KeyRing, Rotation};

/// The keys that sign tokens. The hub replaces them by itself; this is for when somebody wants it now.
#[derive(Debug, Args)]
pub struct KeysArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Publishes a new key, which signs a day later. A hub that serves takes it over by itself.
    Rotate {
        /// The old keys are in wrong hands: they are taken away at once, and apps renew their tokens by themselves.
        #[arg(long)]
        compromised: bool,
    },
    /// Prints the published keys.
    List,
}

/// Runs the command.
pub fn run(arguments: &KeysArguments) -> ExitCode {
    match act(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &KeysArguments) -> Result<(), HubError> {
    let now = SystemClock.now();
    let ring = KeyRing::open(&arguments.data, now)?;
    if let KeysCommand::Rotate { compromised } = arguments.command {
        ring.rotate(if compromised { Rotation::Compromised } else { Rotation::InOrder }, now)?;
    }
    println!("{:#}", ring.published()?);
    Ok(())
}
