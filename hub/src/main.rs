//! `registro-hub`: the school's hub.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use registro_hub::cli::{
    backup, credentials, federation, import, keys, leavers, outbox, restore, serve, sessions,
};

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
    /// Serves the school's devices.
    Serve(serve::ServeArguments),
    /// Issues the school's own credentials, and says when they end.
    Credentials(credentials::CredentialsArguments),
    /// Lists who has left, and revokes their access.
    Leavers(leavers::LeaversArguments),
    /// The keys that sign tokens.
    Keys(keys::KeysArguments),
    /// What devices handed in that they could not push any more.
    Outbox(outbox::OutboxArguments),
    /// Where a person is logged in, and signing out there.
    Sessions(sessions::SessionsArguments),
    /// Copies the database, also while the hub serves.
    Backup(backup::BackupArguments),
    /// The school in the federations of SPID and CIE: keys, transaction log.
    Federation(federation::FederationArguments),
    /// Puts a backup in the place of the database of a hub that does not run.
    Restore(restore::RestoreArguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Import(arguments) => import::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Credentials(arguments) => credentials::run(&arguments),
        Command::Leavers(arguments) => leavers::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Outbox(arguments) => outbox::run(&arguments),
        Command::Sessions(arguments) => sessions::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Federation(arguments) => federation::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
    }
}
