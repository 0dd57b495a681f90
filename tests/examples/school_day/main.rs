//! A school day, offline and merged: `cargo run --release --example school_day -- [--data DIR] [--seed N] [--out DIR]
//! [--json]`.
//!
//! Imports a school, starts a real hub on loopback, opens eight devices with an encrypted store each, and plays one
//! day: rolls called without a connection, a conflict, a refusal, a tablet that is killed, a family that justifies,
//! a hub that is restored from its backup of noon. At the end all devices and the hub must agree.

mod cast;
mod checks;
mod day;
mod logins;
mod out;
mod processes;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

struct Options {
    data: PathBuf,
    seed: u64,
    out: Option<PathBuf>,
    json: bool,
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let mut options =
        Options { data: registro_tests::hub::sample_school().to_owned(), seed: 1, out: None, json: false };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().cloned().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--data" => options.data = value()?.into(),
            "--seed" => options.seed = value()?.parse().map_err(|_| "--seed needs a number".to_owned())?,
            "--out" => options.out = Some(value()?.into()),
            "--json" => options.json = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        let done = match arguments.split_first() {
            Some((role, rest)) if role == processes::HUB => processes::be_the_hub(rest).await,
            Some((role, rest)) if role == processes::TABLET => processes::be_the_tablet(rest).await,
            _ => return play(&arguments).await,
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    });
    runtime.shutdown_background();
    code
}

async fn play(arguments: &[String]) -> ExitCode {
    let options = match options(arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\nusage: school_day [--data DIR] [--seed N] [--out DIR] [--json]");
            return ExitCode::from(2);
        }
    };
    match day::play(&options.data, options.seed, options.out.as_deref()).await {
        Ok(outcome) => {
            if options.json {
                println!("{}", outcome.json());
            }
            if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(day::Ended::NothingFits(what)) => {
            eprintln!("no class and day fit the story; what is missing: {what}");
            ExitCode::from(2)
        }
        Err(day::Ended::Failed(error)) => {
            eprintln!("the day could not be played: {error}");
            ExitCode::FAILURE
        }
    }
}
