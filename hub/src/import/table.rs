//! A file's rows: separator `;` or `,`, UTF-8 with or without BOM or Windows-1252, CRLF, columns in any order, empty
//! lines. [`super::record`] splits the lines.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::problem::{At, Report};
use super::record::{records, separator};

/// Largest file.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A row: its cells by column name.
#[derive(Debug, Clone)]
pub struct Row {
    /// The line on which it starts.
    pub line: u64,
    pub(super) cells: Vec<String>,
}

/// The rows of a file.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The file's bare name.
    pub file: String,
    columns: HashMap<String, usize>,
    /// The rows, without empty and repeated ones.
    pub rows: Vec<Row>,
    /// Rows with a wrong number of cells. Their errors are noted; what they name still counts as known.
    pub(super) broken: Vec<Row>,
    /// The file or one of its columns is missing: what it would name cannot be judged.
    pub(super) incomplete: bool,
}

impl Table {
    /// A cell, trimmed; empty if the file lacks the column.
    pub fn cell<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        self.columns.get(column).and_then(|index| row.cells.get(*index)).map_or("", String::as_str)
    }

    /// Where a cell is.
    pub fn at<'a>(&'a self, row: &Row, column: &'a str) -> At<'a> {
        At { file: &self.file, line: row.line, column }
    }
}

/// The file's path, its name compared without regard to case.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let exact = folder.join(name);
    if exact.is_file() {
        return Some(exact);
    }
    std::fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().eq_ignore_ascii_case(name))
        .map(|entry| entry.path())
}

/// A file's text, decoded; `None` with an error noted if it cannot be had.
pub fn read_text(folder: &Path, name: &str, report: &mut Report) -> Option<String> {
    let at = At { file: name, line: 1, column: "" };
    let Some(path) = find(folder, name) else {
        report.error(
            at,
            "missing-file",
            format!("Il file {name} non c'è."),
            "Aggiungi il file alla cartella.",
        );
        return None;
    };
    let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    if size > MAX_FILE {
        report.error(at, "file-too-large", "Il file supera 64 MB.", "Dividi o riduci il file.");
        return None;
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = format!("Il file non si legge ({}).", error.kind());
            report.error(at, "unreadable-file", reason, "Controlla i permessi del file.");
            return None;
        }
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if bytes.contains(&0) {
        let mend = "Salva il file come testo UTF-8.";
        report.error(at, "unreadable-file", "Il file non è un testo UTF-8 o Windows-1252.", mend);
        return None;
    }
    Some(match core::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    })
}

/// Reads a file with a header line.
pub fn read(folder: &Path, name: &str, columns: &[&str], report: &mut Report) -> Table {
    let mut table = Table { file: name.to_owned(), incomplete: true, ..Table::default() };
    let Some(text) = read_text(folder, name, report) else { return table };
    let mut rows = records(&text, separator(&text), name, report);
    let Some(header) = rows.next() else {
        let at = At { file: name, line: 1, column: "" };
        report.error(at, "missing-header", "Il file è vuoto.", "La prima riga elenca i nomi delle colonne.");
        return table;
    };
    for (index, column) in header.cells.iter().enumerate() {
        table.columns.entry(column.to_lowercase()).or_insert(index);
    }
    table.incomplete = false;
    for column in columns {
        if !table.columns.contains_key(*column) {
            let at = At { file: name, line: header.line, column };
            let mend = format!("Aggiungi la colonna «{column}» alla prima riga.");
            report.error(at, "missing-column", format!("Manca la colonna «{column}»."), mend);
            table.incomplete = true;
        }
    }
    // Without a column every row would be wrong for the one reason that is noted already.
    if !table.incomplete {
        let rows: Vec<Row> = rows.collect();
        table.keep(rows, Some(header.cells.len()), report);
    }
    table
}

/// Reads a file without header, the columns by position.
pub fn read_without_header(folder: &Path, name: &str, columns: &[&str], report: &mut Report) -> Table {
    let mut table = Table { file: name.to_owned(), incomplete: true, ..Table::default() };
    let Some(text) = read_text(folder, name, report) else { return table };
    table.incomplete = false;
    table.columns = columns.iter().enumerate().map(|(index, column)| ((*column).to_owned(), index)).collect();
    let rows: Vec<Row> = records(&text, separator(&text), name, report).collect();
    table.keep(rows, None, report);
    table
}

impl Table {
    /// Keeps sound rows. A line repeated word for word counts once.
    fn keep(&mut self, rows: Vec<Row>, width: Option<usize>, report: &mut Report) {
        let mut seen: HashSet<Vec<String>> = HashSet::new();
        for row in rows {
            let at = At { file: &self.file, line: row.line, column: "" };
            if let Some(width) = width
                && row.cells.len() != width
                // Separators at the end add empty cells.
                && !(row.cells.len() > width && row.cells.iter().skip(width).all(String::is_empty))
            {
                let reason = format!("La riga ha {} celle, l'intestazione {width}.", row.cells.len());
                report.error(at, "cell-count", reason, "Controlla separatori e virgolette della riga.");
                self.broken.push(row);
            } else if seen.insert(row.cells.clone()) {
                self.rows.push(row);
            } else {
                let reason = "La riga ripete una riga precedente parola per parola.";
                report.warn(at, "repeated-line", reason, "Togli la ripetizione: conta una volta sola.");
            }
        }
    }
}
