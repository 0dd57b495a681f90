//! A file's rows: separator `;` or `,`, UTF-8 with or without BOM or Windows-1252, quotes, line breaks inside quotes,
//! CRLF, columns in any order, blanks around values, empty lines.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::problem::{At, Report};

/// Largest file.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A row: its cells by column name.
#[derive(Debug, Clone)]
pub struct Row {
    /// The line on which it starts.
    pub line: u64,
    cells: Vec<String>,
}

/// The rows of a file.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The file's bare name.
    pub file: String,
    columns: HashMap<String, usize>,
    /// The rows, without empty and repeated ones.
    pub rows: Vec<Row>,
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
    Some(match core::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    })
}

/// Reads a file with a header line.
pub fn read(folder: &Path, name: &str, columns: &[&str], report: &mut Report) -> Table {
    let mut table = Table { file: name.to_owned(), ..Table::default() };
    let Some(text) = read_text(folder, name, report) else { return table };
    let mut rows = records(&text, separator(&text), name, report).into_iter();
    let Some(header) = rows.next() else {
        let at = At { file: name, line: 1, column: "" };
        report.error(at, "missing-header", "Il file è vuoto.", "La prima riga elenca i nomi delle colonne.");
        return table;
    };
    for (index, column) in header.cells.iter().enumerate() {
        table.columns.entry(column.to_lowercase()).or_insert(index);
    }
    for column in columns {
        if !table.columns.contains_key(*column) {
            let at = At { file: name, line: header.line, column };
            let mend = format!("Aggiungi la colonna «{column}» alla prima riga.");
            report.error(at, "missing-column", format!("Manca la colonna «{column}»."), mend);
        }
    }
    table.rows = unrepeated(rows, name, Some(header.cells.len()), report);
    table
}

/// Reads a file without header, the columns by position.
pub fn read_without_header(folder: &Path, name: &str, columns: &[&str], report: &mut Report) -> Table {
    let mut table = Table { file: name.to_owned(), ..Table::default() };
    let Some(text) = read_text(folder, name, report) else { return table };
    table.columns = columns.iter().enumerate().map(|(index, column)| ((*column).to_owned(), index)).collect();
    let rows = records(&text, separator(&text), name, report).into_iter();
    table.rows = unrepeated(rows, name, None, report);
    table
}

/// A line repeated word for word counts once.
fn unrepeated(
    rows: impl Iterator<Item = Row>,
    file: &str,
    width: Option<usize>,
    report: &mut Report,
) -> Vec<Row> {
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    rows.filter(|row| {
        let at = At { file, line: row.line, column: "" };
        if let Some(width) = width
            && row.cells.len() != width
            // Separators at the end add empty cells.
            && !(row.cells.len() > width && row.cells.iter().skip(width).all(String::is_empty))
        {
            let reason = format!("La riga ha {} celle, l'intestazione {width}.", row.cells.len());
            report.error(at, "cell-count", reason, "Controlla separatori e virgolette della riga.");
            return false;
        }
        let new = seen.insert(row.cells.clone());
        if !new {
            let reason = "La riga ripete una riga precedente parola per parola.";
            report.warn(at, "repeated-line", reason, "Togli la ripetizione: conta una volta sola.");
        }
        new
    })
    .collect()
}

/// The separator: what stands more often in the first line, outside quotes.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut quoted = false;
    let (mut semicolons, mut commas) = (0, 0);
    for byte in first.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => semicolons += 1,
            b',' if !quoted => commas += 1,
            _ => {}
        }
    }
    if commas > semicolons { b',' } else { b';' }
}

fn records(text: &str, separator: u8, file: &str, report: &mut Report) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut lines = LineCounter { text: text.as_bytes(), at: 0, line: 1 };
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => {
                let at = At { file, line: lines.line, column: "" };
                report.error(
                    at,
                    "unreadable-line",
                    "La riga non si legge.",
                    "Controlla le virgolette della riga.",
                );
                break;
            }
        }
        let start = record.position().map_or(0, csv::Position::byte);
        let line = lines.line_of(usize::try_from(start).unwrap_or(usize::MAX));
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, cells });
        }
    }
    rows
}

/// Counts lines up to where a record begins; empty lines before it are not its own.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    fn line_of(&mut self, start: usize) -> u64 {
        while self.at < self.text.len()
            && (self.at < start || matches!(self.text.get(self.at), Some(b'\r' | b'\n')))
        {
            if self.text.get(self.at) == Some(&b'\n') {
                self.line += 1;
            }
            self.at += 1;
        }
        self.line
    }
}
