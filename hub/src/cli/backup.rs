//! `registro-hub backup`: copies the database while the hub serves.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::identity::store::identity_path;
use crate::serve::database_path;

/// Copies the hub's database, also while it serves, and beside it that of the login (`noon.sqlite` and
/// `noon.identity.sqlite`). No key is in them.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data")]
    data: PathBuf,
    /// The file to write; replaced if it exists.
    #[arg(long)]
    to: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &BackupArguments) -> ExitCode {
    let copied = crate::backup::backup(&database_path(&arguments.data), &arguments.to)
        .and_then(|()| crate::backup::backup_identity(&identity_path(&arguments.data), &arguments.to));
    match copied {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
