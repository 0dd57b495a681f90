//! `registro-hub sessions`: where a person is logged in, and signing out there.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use registro_model::PersonId;

use crate::HubError;
use crate::clock::{Clock, SystemClock};
use crate::directory::TableRegistry;
use crate::identity::authorization::tokens::hex;
use crate::identity::authorization::{sessions, tables};
use crate::identity::store::IdentityStore;
use crate::log::schema;
use crate::registry::Registry;
use crate::serve::database_path;

/// Lists a person's sessions, or ends them. Works also while the hub serves, and holds from the next request on. What
/// the devices have not sent yet stays on them.
#[derive(Debug, Args)]
pub struct SessionsArguments {
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data")]
    data: PathBuf,
    /// The person: staff code, pupil number, fiscal code or id.
    #[arg(long)]
    person: String,
    /// Ends them all.
    #[arg(long)]
    end: bool,
}

/// Runs the command.
pub fn run(arguments: &SessionsArguments) -> ExitCode {
    match act(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &SessionsArguments) -> Result<(), HubError> {
    let now = SystemClock.now();
    let register = schema::open(&database_path(&arguments.data))?;
    let person: PersonId = match TableRegistry::default().person_by_code(&register, &arguments.person)? {
        Some(person) => person,
        None => arguments.person.parse().map_err(|_| HubError::Unknown("person"))?,
    };
    let store = IdentityStore::open(&arguments.data)?;
    tables::migrate(&store)?;
    for session in sessions::live(&*store.lock()?, person, now)? {
        let instant = |ms| chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339();
        println!(
            "{}\t{}\tlevel {}\tsince {}\tlast used {}\t{}",
            hex(&session.id.0),
            session.method.as_str(),
            session.level.number(),
            instant(session.created),
            instant(session.last_used),
            session.label.as_deref().unwrap_or("-"),
        );
    }
    if arguments.end {
        let ended = sessions::end_all(&mut *store.lock()?, person, now)?;
        println!("ended {ended}");
    }
    Ok(())
}
