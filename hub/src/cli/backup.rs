//! `registro-hub backup`: copies the database while the hub serves.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::serve::database_path;

/// Copies the hub's database, also while it serves. The school's key is not in it.
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
    match crate::backup::backup(&database_path(&arguments.data), &arguments.to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
