//! Dates, times, numbers and words of a cell. One bad cell is one error.

use registro_model::{ClassCode, ClockTime, Date};

use super::problem::{At, Report};

/// A date `gg/mm/aaaa` (or ISO).
pub fn date(text: &str, at: At<'_>, report: &mut Report) -> Option<Date> {
    let parsed = match text.split('/').collect::<Vec<_>>().as_slice() {
        [day, month, year] if year.len() == 4 => match (year.parse(), month.parse(), day.parse()) {
            (Ok(year), Ok(month), Ok(day)) => Date::from_ymd_opt(year, month, day),
            _ => None,
        },
        _ => registro_model::time::parse_date(text).ok(),
    };
    if parsed.is_none() {
        let (kind, reason) = if text.is_empty() {
            ("empty-cell", "La data manca.".to_owned())
        } else {
            ("impossible-date", format!("«{text}» non è una data."))
        };
        report.error(at, kind, reason, "Scrivi la data come gg/mm/aaaa.");
    }
    parsed
}

/// The cell was wrong and the error is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted;

/// A date that may be absent. `Err` if it is there and wrong.
pub fn optional_date(text: &str, at: At<'_>, report: &mut Report) -> Result<Option<Date>, Noted> {
    if text.is_empty() { Ok(None) } else { date(text, at, report).map(Some).ok_or(Noted) }
}

/// A time `hh:mm`.
pub fn time(text: &str, at: At<'_>, report: &mut Report) -> Option<ClockTime> {
    let padded = if text.len() == 4 { format!("0{text}") } else { text.to_owned() };
    let parsed = padded.parse().ok();
    if parsed.is_none() {
        report.error(at, "impossible-time", format!("«{text}» non è un'ora."), "Scrivi l'ora come hh:mm.");
    }
    parsed
}

/// A whole number between two bounds.
pub fn number(
    text: &str,
    range: core::ops::RangeInclusive<u32>,
    at: At<'_>,
    report: &mut Report,
) -> Option<u32> {
    let parsed = text.parse::<u32>().ok().filter(|number| range.contains(number));
    if parsed.is_none() {
        let mend = format!("Scrivi un numero intero da {} a {}.", range.start(), range.end());
        report.error(at, "impossible-number", format!("«{text}» non è un numero ammesso qui."), mend);
    }
    parsed
}

/// One of some words.
pub fn word<'a>(text: &str, words: &[&'a str], at: At<'_>, report: &mut Report) -> Option<&'a str> {
    let found = words.iter().copied().find(|word| word.eq_ignore_ascii_case(text));
    if found.is_none() {
        let mend = format!("Scrivi uno di: {}.", words.join(", "));
        report.error(at, "unknown-value", format!("«{text}» non è un valore ammesso qui."), mend);
    }
    found
}

/// A text that must be there.
pub fn text(text: &str, at: At<'_>, report: &mut Report) -> Option<String> {
    if text.is_empty() {
        report.error(at, "empty-cell", "La cella è vuota.", "Scrivi il valore.");
        return None;
    }
    if text.len() > 200 {
        report.error(at, "too-long", "Il testo supera 200 caratteri.", "Accorcia il testo.");
        return None;
    }
    Some(text.to_owned())
}

/// A code that must be there: up to 24 letters, digits, `-`, `_`, `.`.
pub fn code(cell: &str, at: At<'_>, report: &mut Report) -> Option<String> {
    text(cell, at, report)?;
    if ClassCode::new(cell).is_err() {
        let mend = "Usa al massimo 24 lettere, cifre, «-», «_», «.».";
        report.error(at, "impossible-code", format!("«{cell}» non è un codice."), mend);
        return None;
    }
    Some(cell.to_owned())
}

/// A reference that must be known.
pub fn known(
    cell: &str,
    what: &str,
    is_known: impl FnOnce(&str) -> bool,
    at: At<'_>,
    report: &mut Report,
) -> Option<String> {
    if cell.is_empty() {
        report.error(at, "empty-cell", "La cella è vuota.", format!("Scrivi il codice: {what}."));
        return None;
    }
    if !is_known(cell) {
        let mend = format!("Correggi il codice, o aggiungi prima la voce ({what}) al suo file.");
        report.error(at, "unknown-reference", format!("«{cell}» non esiste ({what})."), mend);
        return None;
    }
    Some(cell.to_owned())
}
