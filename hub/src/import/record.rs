//! A text as records: cells, quotes, line breaks inside quotes, blanks around values.
//!
//! Not the `csv` crate's reader: it takes a quote after a blank as a letter, joins all the rest of a file to a quote
//! that is not closed, and does not say where.

use super::problem::{At, Report};
use super::table::Row;

/// The separator: what stands more often in the first line, outside quotes.
pub fn separator(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut quoted = false;
    let (mut semicolons, mut commas) = (0, 0);
    for letter in first.chars() {
        match letter {
            '"' => quoted = !quoted,
            ';' if !quoted => semicolons += 1,
            ',' if !quoted => commas += 1,
            _ => {}
        }
    }
    if commas > semicolons { ',' } else { ';' }
}

/// The records that say anything, each with the line on which it starts. Values are trimmed; a line break inside
/// quotes becomes a blank.
pub fn records(text: &str, separator: char, file: &str, report: &mut Report) -> std::vec::IntoIter<Row> {
    let mut rows = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let mut record = record(rest, separator);
        if record.unclosed {
            let at = At { file, line, column: "" };
            let reason = "Le virgolette aperte in questa riga non si chiudono.";
            report.error(
                at,
                "unclosed-quote",
                reason,
                "Chiudi le virgolette, o raddoppiale dentro un testo.",
            );
            // Goes on with the next line: its errors are worth knowing too.
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
            record.lines = 0;
            record.rest = rest.get(end..).unwrap_or_default();
            record.cells.clear();
        }
        if record.cells.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, cells: record.cells });
        }
        line += record.lines;
        rest = record.rest;
        // CRLF, LF, or CR alone.
        let after = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
        if let Some(after) = after {
            rest = after;
            line += 1;
        }
    }
    rows.into_iter()
}

struct Record<'a> {
    cells: Vec<String>,
    /// Line breaks inside quotes.
    lines: u64,
    /// What follows, from the line break on.
    rest: &'a str,
    unclosed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// Before the first letter of a value.
    Before,
    Plain,
    Quoted,
}

fn record(text: &str, separator: char) -> Record<'_> {
    let (mut cells, mut cell, mut lines) = (Vec::new(), String::new(), 0);
    let mut place = Where::Before;
    let mut letters = text.char_indices().peekable();
    let mut rest = "";
    while let Some((index, letter)) = letters.next() {
        let next = letters.peek().map(|(_, letter)| *letter);
        match (place, letter) {
            (Where::Quoted, '"') if next == Some('"') => {
                cell.push('"');
                letters.next();
            }
            (Where::Quoted, '"') => place = Where::Plain,
            (Where::Quoted, '\n') => {
                lines += 1;
                cell.push(' ');
            }
            (Where::Quoted, '\r') => {
                if next != Some('\n') {
                    lines += 1;
                    cell.push(' ');
                }
            }
            (Where::Before, '"') => place = Where::Quoted,
            (Where::Before | Where::Plain, letter) if letter == separator => {
                cells.push(cell.trim().to_owned());
                cell.clear();
                place = Where::Before;
            }
            (Where::Before | Where::Plain, '\n' | '\r') => {
                rest = text.get(index..).unwrap_or_default();
                break;
            }
            (Where::Before, letter) if letter.is_whitespace() => {}
            (_, letter) => {
                cell.push(letter);
                if place == Where::Before {
                    place = Where::Plain;
                }
            }
        }
    }
    cells.push(cell.trim().to_owned());
    Record { cells, lines, rest, unclosed: place == Where::Quoted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(u64, Vec<String>)>, Report) {
        let mut report = Report::default();
        let rows = records(text, separator(text), "a.csv", &mut report);
        (rows.map(|row| (row.line, row.cells)).collect(), report)
    }

    #[test]
    fn quotes_hold_separators_quotes_and_line_breaks_and_lines_are_those_of_the_file() {
        let (rows, report) = read("a;b\r\n\r\n\"x;\"\"y\"\"\"; \"one\r\ntwo\" \r\n 1 ;2\n;\n\n");
        assert_eq!(report, Report::default());
        let cells = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(rows, [(1, cells("a", "b")), (3, cells("x;\"y\"", "one two")), (5, cells("1", "2"))]);
    }

    #[test]
    fn an_unclosed_quote_is_one_error_and_the_next_line_is_read() {
        let (rows, report) = read("a,b\n1,\"2\n3,4\n");
        assert_eq!(
            report.errors.iter().map(|e| (e.line, e.kind)).collect::<Vec<_>>(),
            [(2, "unclosed-quote")]
        );
        assert_eq!(rows.last().map(|(line, _)| *line), Some(3));
    }
}
