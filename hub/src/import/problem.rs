//! What is wrong in a file, where, and how to mend it.

use serde::Serialize;

/// A problem of one cell or line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file's bare name.
    pub file: String,
    /// The line on which the record starts; 1 is the header.
    pub line: u64,
    /// The column's name, or the key of `scuola.toml`; empty for a whole line or file.
    pub column: String,
    /// Stable name of the problem.
    pub kind: &'static str,
    /// What is wrong, for the person (Italian).
    pub reason: String,
    /// How to mend it, for the person (Italian).
    pub mend: String,
}

/// All problems of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Nothing is imported while there is one.
    pub errors: Vec<Problem>,
    /// Worth a look.
    pub warnings: Vec<Problem>,
}

/// Where a problem is.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The file.
    pub file: &'a str,
    /// The line.
    pub line: u64,
    /// The column.
    pub column: &'a str,
}

impl Report {
    /// Notes an error.
    pub fn error(
        &mut self,
        at: At<'_>,
        kind: &'static str,
        reason: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.errors.push(problem(at, kind, reason.into(), mend.into()));
    }

    /// Notes a warning.
    pub fn warn(
        &mut self,
        at: At<'_>,
        kind: &'static str,
        reason: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.warnings.push(problem(at, kind, reason.into(), mend.into()));
    }

    pub(super) fn sort(&mut self) {
        self.errors.sort();
        self.errors.dedup();
        self.warnings.sort();
        self.warnings.dedup();
    }
}

fn problem(at: At<'_>, kind: &'static str, reason: String, mend: String) -> Problem {
    Problem { file: at.file.to_owned(), line: at.line, column: at.column.to_owned(), kind, reason, mend }
}
