//! `registro-hub import DIR`: reads a school's files, all or nothing.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use rusqlite::Connection;

use crate::import::{self, Problem, Report};
use crate::{directory, random::Random, random::SystemRandomness};

/// Reads the school's files.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// Folder with the school's files.
    folder: PathBuf,
    /// Only check the files.
    #[arg(long)]
    check: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Folder of the hub's data.
    #[arg(long, default_value = "hub-data")]
    data: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &ImportArguments) -> ExitCode {
    let mut progress = Progress::begin();
    let (school, mut report) =
        import::read_watched(&arguments.folder, &mut |file, rows| progress.read(file, rows));
    let failed = school.is_none();
    if let (Some(school), false) = (&school, arguments.check) {
        progress.say("writing the register's tables");
        match apply(arguments, school, &mut report) {
            Ok(applied) => {
                if arguments.json {
                    let value = serde_json::json!({
                        "inserted": applied.inserted, "changed": applied.changed, "unchanged": applied.unchanged,
                        "errors": report.errors, "warnings": report.warnings,
                    });
                    println!("{value}");
                    return ExitCode::SUCCESS;
                }
                println!(
                    "{} new, {} changed, {} unchanged",
                    applied.inserted, applied.changed, applied.unchanged
                );
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    if arguments.json {
        println!("{}", serde_json::json!({ "errors": report.errors, "warnings": report.warnings }));
    } else {
        print(&report);
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Says on standard error how far an import is, once it takes long enough for somebody to wonder.
struct Progress {
    begun: Instant,
}

impl Progress {
    /// Shorter imports stay quiet.
    const QUIET: Duration = Duration::from_millis(500);

    fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    fn read(&mut self, file: &str, rows: usize) {
        self.say(&format!("{file}: {rows} rows read"));
    }

    fn say(&mut self, what: &str) {
        let elapsed = self.begun.elapsed();
        if elapsed >= Self::QUIET {
            eprintln!("{:>5.1} s  {what}", elapsed.as_secs_f64());
        }
    }
}

/// The file that an imported row of a kind came from.
fn file_of(kind: &str) -> &'static str {
    match kind {
        "closure" => "calendario.csv",
        "slot" => "campanelle.csv",
        "subject" => "materie.csv",
        "teacher" => "docenti.csv",
        "staff" => "personale.csv",
        "class" => "classi.csv",
        "pupil" => "alunni.csv",
        "move" => "trasferimenti.csv",
        "group" => "gruppi.csv",
        "assignment" => "cattedre.csv",
        "timetable" => "orario.txt",
        _ => "scuola.toml",
    }
}

fn print(report: &Report) {
    let line = |what: &str, p: &Problem| {
        let column = if p.column.is_empty() { String::new() } else { format!(", colonna {}", p.column) };
        println!("{what}: {} riga {}{column}: {} {}", p.file, p.line, p.reason, p.mend);
    };
    report.errors.iter().for_each(|problem| line("errore", problem));
    report.warnings.iter().for_each(|problem| line("avviso", problem));
    println!("{} errori, {} avvisi", report.errors.len(), report.warnings.len());
}

fn apply(
    arguments: &ImportArguments,
    school: &import::ImportedSchool,
    report: &mut Report,
) -> Result<directory::ApplyReport, crate::HubError> {
    std::fs::create_dir_all(&arguments.data)?;
    let mut database = Connection::open(arguments.data.join("hub.sqlite"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    let tx = database.transaction()?;
    let mut random = SystemRandomness::new();
    let applied = directory::apply(&tx, school, &mut |out| random.fill(out))?;
    tx.commit()?;
    for (kind, key) in &applied.missing {
        // The row is nowhere in the file: the header's line stands for it. Keys hold codes only.
        let sql = "SELECT count(*) FROM imported WHERE kind = 'staff' AND key = ?1
             AND json_extract(value, '$.role') = 'teacher'";
        let is_teacher = kind == "staff" && database.query_row(sql, [key], |row| row.get::<_, u64>(0))? > 0;
        let file = file_of(if is_teacher { "teacher" } else { kind });
        let at = import::problem::At { file, line: 1, column: "" };
        let reason = format!("Una riga importata in precedenza non c'è più ({key}).");
        report.warn(at, "missing-row", reason, "Resta valida: chiudila con una data, se non vale più.");
    }
    Ok(applied)
}
