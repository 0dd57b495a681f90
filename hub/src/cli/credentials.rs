//! `registro-hub credentials`: the office issues credentials, the head says when the method ends.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use askama::Template;
use clap::{Args, Subcommand};
use registro_model::{ClassCode, Date};

use super::office::{Office, OfficeArguments};
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::credentials::issue::{HowToIssue, Issue, Outcome, Whom};
use crate::identity::mail::letters::moment;
use crate::identity::people::{Entitlement, Refusal};

/// Issues the school's own credentials, and says when they end.
#[derive(Debug, Args)]
pub struct CredentialsArguments {
    #[command(subcommand)]
    command: CredentialsCommand,
}

#[derive(Debug, Subcommand)]
enum CredentialsCommand {
    /// Issues user names and codes of first access. Prints a table (CSV): hand it out, keep no copy.
    Issue(IssueArguments),
    /// Sets the last day on which the school's own credentials log in; shows it if no day is given.
    Until(UntilArguments),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whom").required(true))]
struct IssueArguments {
    /// The pupils of a class.
    #[arg(long, group = "whom")]
    class: Option<ClassCode>,
    /// The parents and guardians of a class.
    #[arg(long, group = "whom")]
    guardians: Option<ClassCode>,
    /// One person, by a code of the staff or a pupil's number.
    #[arg(long, group = "whom")]
    person: Option<String>,
    /// One person, by fiscal code.
    #[arg(long, group = "whom")]
    fiscal: Option<String>,
    /// The staff in service.
    #[arg(long, group = "whom")]
    staff: bool,
    /// Send the codes by mail to the addresses in the office's files instead of printing them. The hub that serves
    /// sends them.
    #[arg(long, conflicts_with = "letters")]
    mail: bool,
    /// Write letters to print into this folder instead of a table.
    #[arg(long)]
    letters: Option<PathBuf>,
    /// Also to who has a password already: it holds until the new code is used. One person always gets one.
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    office: OfficeArguments,
}

#[derive(Debug, Args)]
struct UntilArguments {
    /// The last day, as 2027-02-01.
    #[arg(conflicts_with = "off")]
    day: Option<Date>,
    /// Turn the method off now.
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    office: OfficeArguments,
}

/// Runs the command.
pub fn run(arguments: &CredentialsArguments) -> ExitCode {
    let done = match &arguments.command {
        CredentialsCommand::Issue(arguments) => issue(arguments),
        CredentialsCommand::Until(arguments) => until(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn issue(arguments: &IssueArguments) -> Result<(), HubError> {
    let office = Office::open(&arguments.office)?;
    let now = arguments.office.now();
    let one = arguments.person.is_some() || arguments.fiscal.is_some();
    let whom = match arguments {
        IssueArguments { class: Some(class), .. } => Whom::Class(class.clone()),
        IssueArguments { guardians: Some(class), .. } => Whom::Guardians(class.clone()),
        IssueArguments { person: Some(code), .. } => Whom::Person(office.by_code(code)?),
        IssueArguments { fiscal: Some(code), .. } => Whom::Person(office.by_fiscal_code(code)?),
        _ => Whom::Staff,
    };
    let needs_address = arguments.mail || arguments.letters.is_some();
    let address = match &office.issuer {
        Some(issuer) => Some(issuer.at("/first-access")),
        None if needs_address => {
            return Err(HubError::Settings("public_url: letters and mails say where the hub is".to_owned()));
        }
        None => None,
    };
    if !office.credentials.is_allowed(day_in_italy(now))? {
        eprintln!(
            "attenzione: le credenziali della scuola non sono attive. Il dirigente fissa l'ultimo giorno con \
             `registro-hub credentials until`."
        );
    }
    let how = HowToIssue {
        by_mail: arguments.mail,
        again: arguments.again || one,
        leavers_revoked_on: office.config.leavers_revoked_on,
    };
    let people = whom.people(&office.registered, day_in_italy(now))?;
    // Before the codes are made: letters that cannot be written would be the only copy of them.
    let file = arguments.letters.as_deref().map(|folder| letters_file(folder, now)).transpose()?;
    let issues = office.credentials.issue(&office.registered, &people, how, now)?;
    match (file, &address) {
        (Some(file), Some(address)) => {
            let written = write_letters(file, &office.registered.school.name, address, &issues)?;
            print_rows(issues.iter().filter(|issue| !matches!(issue.outcome, Outcome::Printed { .. })))?;
            eprintln!("{} lettere in {}", written.0, written.1.display());
            Ok(())
        }
        _ => print_rows(issues.iter()),
    }
}

fn print_rows<'a>(issues: impl Iterator<Item = &'a Issue>) -> Result<(), HubError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "nome;nome_utente;codice;scade;esito")?;
    for issue in issues {
        let (username, code, expires, outcome) = match &issue.outcome {
            Outcome::Printed { username, code, expires } => {
                (username.as_str(), code.printed().to_string(), moment(*expires), "emesse")
            }
            Outcome::Mailed { username } => {
                (username.as_str(), String::new(), String::new(), "inviate per e-mail")
            }
            Outcome::Active { username } => (username.as_str(), String::new(), String::new(), "già attive"),
            Outcome::NoAddress => ("", String::new(), String::new(), "manca l'e-mail"),
            Outcome::Refused(why) => ("", String::new(), String::new(), why_not(*why)),
        };
        let cells = [&issue.name, username, &code, &expires, outcome].map(csv_cell);
        writeln!(out, "{}", cells.join(";"))?;
    }
    Ok(out.flush()?)
}

fn why_not(entitlement: Entitlement) -> &'static str {
    match entitlement {
        Entitlement::Refused(Refusal::FirstCycle) => "alunno del primo ciclo: accedono i genitori",
        Entitlement::Refused(Refusal::NoRole) => "nessun ruolo a scuola oggi",
        Entitlement::Refused(Refusal::Left { .. }) | Entitlement::PushOnly { .. } => "non è più nella scuola",
        Entitlement::Entitled { .. } => "",
    }
}

/// A cell of CSV (RFC 4180). What a spreadsheet would take for a formula is kept from being one.
fn csv_cell(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([';', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

struct Letter<'a> {
    name: &'a str,
    username: &'a str,
    code: String,
    expires: String,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Letters<'a> {
    school: &'a str,
    address: &'a str,
    letters: Vec<Letter<'a>>,
}

/// One page a person, in one file that only its owner reads.
fn write_letters(
    file: (PathBuf, File),
    school: &str,
    address: &str,
    issues: &[Issue],
) -> Result<(usize, PathBuf), HubError> {
    let letters: Vec<_> = issues
        .iter()
        .filter_map(|issue| match &issue.outcome {
            Outcome::Printed { username, code, expires } => Some(Letter {
                name: &issue.name,
                username,
                code: code.printed().to_string(),
                expires: moment(*expires),
            }),
            _ => None,
        })
        .collect();
    let count = letters.len();
    let page = Letters { school, address, letters }.render().map_err(|_| HubError::Stored("a letter"))?;
    let (path, mut file) = file;
    file.write_all(page.as_bytes())?;
    Ok((count, path))
}

/// A new file for letters that only its owner reads. None that is there is written over: it may be the only copy.
fn letters_file(folder: &Path, now: i64) -> Result<(PathBuf, File), HubError> {
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let day = day_in_italy(now);
    for number in 1..1_000 {
        let path = folder.join(format!("lettere-{day}-{number}.html"));
        match options.open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            opened => return Ok((path, opened?)),
        }
    }
    Err(HubError::Forbidden("too many letters of one day in this folder"))
}

fn until(arguments: &UntilArguments) -> Result<(), HubError> {
    let office = Office::open(&arguments.office)?;
    if arguments.off || arguments.day.is_some() {
        office.credentials.set_until(arguments.day)?;
    }
    match office.credentials.until()? {
        Some(day) => println!("le credenziali della scuola valgono fino al {}", day.format("%d/%m/%Y")),
        None => println!("le credenziali della scuola non sono attive"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn a_cell_is_no_formula_and_keeps_its_separators() {
        assert_eq!(csv_cell("Nardi Silvia"), "Nardi Silvia");
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("D'Amico; \"Jr\""), "\"D'Amico; \"\"Jr\"\"\"");
    }
}
