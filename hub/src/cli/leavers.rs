//! `registro-hub leavers`: who has left, and what they lose.

use std::process::ExitCode;

use clap::Args;
use registro_model::Date;

use super::office::{Office, OfficeArguments};
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::authorization::tables;
use crate::identity::credentials::leavers::{Leaver, end_sessions, leavers};

/// Lists who has left, and revokes their access. The hub that serves does it by itself every day.
#[derive(Debug, Args)]
pub struct LeaversArguments {
    /// Only list.
    #[arg(long)]
    dry_run: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// As if it were this day (only with --dry-run).
    #[arg(long, requires = "dry_run")]
    on: Option<Date>,
    #[command(flatten)]
    office: OfficeArguments,
}

/// Runs the command.
pub fn run(arguments: &LeaversArguments) -> ExitCode {
    match list_and_revoke(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn list_and_revoke(arguments: &LeaversArguments) -> Result<(), HubError> {
    let office = Office::open(&arguments.office)?;
    let now = arguments.office.now();
    let today = arguments.on.unwrap_or_else(|| day_in_italy(now));
    let gone = leavers(&office.registered, office.config.leavers_revoked_on, today);
    let mut rows = Vec::with_capacity(gone.len());
    for leaver in &gone {
        rows.push((leaver, office.credentials.has_any(leaver.person)?));
    }
    if !arguments.dry_run {
        office.credentials.revoke(&gone, now)?;
        tables::migrate(&office.store)?;
        end_sessions(&mut *office.store.lock()?, &gone, now)?;
    }
    if arguments.json {
        let rows: Vec<_> = rows.iter().map(|(leaver, credentials)| row(leaver, *credentials)).collect();
        println!(
            "{}",
            serde_json::json!({ "on": today.to_string(), "dry_run": arguments.dry_run, "leavers": rows })
        );
        return Ok(());
    }
    for (leaver, credentials) in &rows {
        let credentials = if *credentials { ", con credenziali della scuola" } else { "" };
        let push = leaver.hands_in_until.map(|day| format!(", consegna fino al {}", day.format("%d/%m/%Y")));
        println!(
            "{}: non legge più dal {}{}{credentials}",
            leaver.name,
            leaver.since.succ_opt().unwrap_or(leaver.since).format("%d/%m/%Y"),
            push.unwrap_or_default(),
        );
    }
    let done = if arguments.dry_run { "da revocare" } else { "revocati" };
    println!("{} {done}", rows.len());
    Ok(())
}

fn row(leaver: &Leaver, credentials: bool) -> serde_json::Value {
    serde_json::json!({
        "person": leaver.person.to_string(),
        "name": leaver.name,
        "last_day": leaver.since.to_string(),
        "hands_in_until": leaver.hands_in_until.map(|day| day.to_string()),
        "credentials": credentials,
    })
}
