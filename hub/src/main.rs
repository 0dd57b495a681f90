//! `registro-hub`: the school's hub.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use registro_hub::cli::import;

/// The school's hub.
#[derive(Debug, Parser)]
#[command(name = "registro-hub", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads the school's files, all or nothing.
    Import(import::ImportArguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Import(arguments) => import::run(&arguments),
    }
}
