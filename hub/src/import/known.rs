//! What a school's files name: codes that other files may refer to.
//!
//! A code counts as known where its line stands, sound or not, and everything does where a file is missing: one
//! mistake is one error, not one more at every line that refers to it.

use std::collections::HashSet;

use super::table::{Row, Table};

/// The codes of one file.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    codes: HashSet<String>,
    /// The file cannot be judged.
    any: bool,
}

impl Codes {
    /// The codes in a column of a file that names them.
    pub fn of(table: &Table, column: &str) -> Self {
        let mut codes = Self::in_column(table, column);
        codes.any |= table.rows.iter().any(|row| table.cell(row, column).is_empty());
        codes
    }

    /// What stands in a column that refers to others.
    pub fn in_column(table: &Table, column: &str) -> Self {
        let sound = table.rows.iter().map(|row| table.cell(row, column).to_owned());
        // In a row with a wrong number of cells any of them may be the code.
        let broken = table.broken.iter().flat_map(|row| row.cells.iter().cloned());
        Self { codes: sound.chain(broken).collect(), any: table.incomplete }
    }

    /// Codes made of several cells of a row.
    pub fn joined(table: &Table, code: impl Fn(&Row) -> String) -> Self {
        let any = table.incomplete || !table.broken.is_empty();
        Self { codes: table.rows.iter().map(code).collect(), any }
    }

    /// These codes and no others.
    pub fn only(codes: impl IntoIterator<Item = String>) -> Self {
        Self { codes: codes.into_iter().collect(), any: false }
    }

    /// Whatever it is, it is known.
    pub fn anything() -> Self {
        Self { codes: HashSet::new(), any: true }
    }

    /// One more.
    pub fn insert(&mut self, code: String) {
        self.codes.insert(code);
    }

    /// Whether a code is known.
    pub fn has(&self, code: &str) -> bool {
        self.any || self.codes.contains(code)
    }
}

/// The codes of all files read so far.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Sites of scuola.toml.
    pub sites: Codes,
    /// Courses of scuola.toml.
    pub courses: Codes,
    /// Slots of campanelle.csv, as `site/weekday/position`.
    pub slots: Codes,
    /// materie.csv.
    pub subjects: Codes,
    /// Codes of docenti.csv.
    pub teachers: Codes,
    /// Short names of docenti.csv.
    pub siglas: Codes,
    /// personale.csv.
    pub staff: Codes,
    /// classi.csv.
    pub classes: Codes,
    /// gruppi.csv.
    pub groups: Codes,
    /// What a pupil's line may say: a group's code, or the value of its criterion.
    pub halves: Codes,
    /// Numbers of alunni.csv.
    pub pupils: Codes,
    /// Lines of cattedre.csv, as `teacher/class/subject`.
    pub assignments: Codes,
}
