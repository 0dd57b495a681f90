//! The table.

use std::time::{Duration, Instant};

/// A figure with its limit.
struct Figure {
    what: String,
    measured: f64,
    limit: Option<f64>,
    unit: &'static str,
}

/// All figures of a run.
#[derive(Default)]
pub struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a figure with a limit.
    pub fn hold(&mut self, what: &str, measured: f64, limit: f64, unit: &'static str) {
        self.0.push(Figure { what: what.to_owned(), measured, limit: Some(limit), unit });
    }

    /// Adds a figure to compare with.
    pub fn beside(&mut self, what: &str, measured: f64, unit: &'static str) {
        self.0.push(Figure { what: what.to_owned(), measured, limit: None, unit });
    }

    /// Prints the table.
    pub fn print(&self) {
        println!("\n{:<74} {:>10} {:>10}", "what (median)", "measured", "limit");
        for figure in &self.0 {
            let limit = figure.limit.map_or("-".to_owned(), |limit| format!("{limit}"));
            let verdict = match figure.limit {
                Some(limit) if figure.measured > limit => "OVER",
                _ => "",
            };
            println!(
                "{:<74} {:>10.3} {limit:>10} {:<3} {verdict}",
                figure.what, figure.measured, figure.unit
            );
        }
    }
}

/// The median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Milliseconds.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// How long it takes, in milliseconds.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let done = work();
    (done, milliseconds(begun.elapsed()))
}
