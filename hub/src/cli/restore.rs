//! `registro-hub restore`: puts a backup in the place of the database of a hub that does not run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::HubError;
use crate::clock::{Clock, SystemClock, parse_instant};
use crate::directory::TableRegistry;
use crate::identity::store::identity_path;
use crate::keys::{KeyFile, SchoolKeyVault};
use crate::random::SystemRandomness;
use crate::serve::{database_path, take_directory};

/// Restores the hub's database from a backup. The hub must not be running; devices bring back what is missing. The
/// database of the login is restored only where there is none, and then everybody logs in again.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data")]
    data: PathBuf,
    /// The backup.
    #[arg(long)]
    from: PathBuf,
    /// Development only: the instant (RFC 3339) that the log notes, instead of now.
    #[arg(long, value_parser = instant)]
    clock: Option<i64>,
}

fn instant(text: &str) -> Result<i64, &'static str> {
    parse_instant(text).ok_or("expected an instant like 2026-11-23T07:30:00+01:00")
}

/// Runs the command.
pub fn run(arguments: &RestoreArguments) -> ExitCode {
    match restore(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn restore(arguments: &RestoreArguments) -> Result<(), HubError> {
    std::fs::create_dir_all(&arguments.data)?;
    let _taken = take_directory(&arguments.data)?;
    let key = KeyFile::in_directory(&arguments.data).school_key(&mut SystemRandomness::new())?;
    let now = arguments.clock.unwrap_or_else(|| SystemClock.now());
    crate::backup::restore(
        &arguments.from,
        &database_path(&arguments.data),
        &TableRegistry::default(),
        &key,
        now,
    )?;
    if crate::backup::restore_identity(&arguments.from, &identity_path(&arguments.data), now)? {
        eprintln!(
            "the login was restored: everybody logs in again, with the passwords of the backup; the last day of the school's credentials is to be set again"
        );
    }
    Ok(())
}
