//! The figures to hold, measured side by side with their limits: `cargo xtask bench`.
//!
//! Imports the sample school, writes a whole year of nine classes through a real hub (the classes of the teacher of
//! physical education, some 230 pupils), serves it over HTTP, and measures what a device does with it.

mod figures;
mod measure;
mod year;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match measure::all().await {
        Ok(figures) => {
            figures.print();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the figures could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}
