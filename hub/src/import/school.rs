//! scuola.toml, calendario.csv, campanelle.csv, materie.csv.

use std::path::Path;

use registro_model::{ClockTime, Date};
use serde::{Deserialize, Serialize};

use super::cell;
use super::cycle::SchoolKind;
use super::known::{Codes, Known};
use super::problem::{At, Report};
use super::table::{self, read_text};

const TOML: &str = "scuola.toml";

/// The school, its year, sites, terms and settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolRow {
    /// Ministry code.
    pub code: String,
    /// Name.
    pub name: String,
    /// `2026/2027`.
    pub label: String,
    /// First day of the year.
    pub start: Date,
    /// Last day of the year.
    pub end: Date,
    /// First day of lessons.
    pub lessons_from: Date,
    /// Last day of lessons.
    pub lessons_to: Date,
    /// Code and name of every site.
    pub sites: Vec<(String, String)>,
    /// Terms in order.
    pub terms: Vec<TermRow>,
    /// Attendance per slot, not per day.
    pub per_slot: bool,
    /// Minutes of a short late.
    pub short_late_min: u32,
    /// Guardians may justify online.
    pub justify_guardian: bool,
    /// Pupils of age may justify online.
    pub justify_adult_pupil: bool,
    /// Reasons of justifications.
    pub justify_reasons: Vec<String>,
    /// What may be justified online: absences, entries, exits.
    pub justify: [bool; 3],
    /// Weeks of the annual hours.
    pub year_weeks: u32,
    /// Colour of warning, percent.
    pub warn_pct: u32,
    /// Colour of danger, percent.
    pub danger_pct: u32,
    /// Weekly closed days, 1 Monday … 7 Sunday.
    pub weekly_closed: Vec<u8>,
    /// The head's code in personale.csv.
    pub head: Option<String>,
    /// The patron's day.
    pub patron: Option<Date>,
    /// The office's e-mail.
    #[serde(default)]
    pub email: Option<String>,
    /// Sites whose pupils are in the first cycle.
    #[serde(default)]
    pub first_cycle_sites: Vec<String>,
}

/// A term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermRow {
    /// Code.
    pub code: String,
    /// Label.
    pub label: String,
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// Final.
    pub is_final: bool,
}

/// Days without lessons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosureRow {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// `NW`, `HD`, `ND`.
    pub status: String,
    /// Site, if not all.
    pub site: Option<String>,
}

/// A bell slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRow {
    /// Site.
    pub site: String,
    /// Weekday.
    pub weekday: u8,
    /// Position.
    pub position: u8,
    /// Start, minutes after midnight.
    pub start: u16,
    /// End, minutes after midnight.
    pub end: u16,
    /// Half units.
    pub half_units: u8,
}

/// A subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRow {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Short name.
    pub short: String,
    /// `N`, `R`, `S`, `C`, `E`, `U`.
    pub kind: String,
    /// `N`, `G`, `A`.
    pub evaluation: String,
    /// Counts in the mean.
    pub in_mean: bool,
    /// Order.
    pub order: u32,
}

impl SchoolRow {
    /// First and last day of the year.
    pub fn year(&self) -> (Date, Date) {
        (self.start, self.end)
    }
}

/// A TOML file with the lines of its keys, for messages.
struct Toml<'a> {
    text: &'a str,
    table: toml::Table,
}

impl Toml<'_> {
    /// The line of a key in a section (its `occurrence`-th, for arrays of tables).
    fn line(&self, section: &str, occurrence: usize, key: &str) -> u64 {
        let headers = [format!("[{section}]"), format!("[[{section}]]")];
        let mut met = 0;
        let mut inside = false;
        let mut header_line = 1;
        for (index, line) in self.text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.starts_with('[') {
                let head = trimmed.split('#').next().unwrap_or_default().trim();
                inside = headers.iter().any(|h| h == head);
                if inside {
                    inside = met == occurrence;
                    met += 1;
                    if inside {
                        header_line = index as u64 + 1;
                    }
                }
            } else if inside && trimmed.split('=').next().map(str::trim) == Some(key) {
                return index as u64 + 1;
            }
        }
        header_line
    }

    fn sections(&self, name: &str) -> Vec<toml::Table> {
        match self.table.get(name) {
            Some(toml::Value::Table(table)) => vec![table.clone()],
            Some(toml::Value::Array(list)) => list.iter().filter_map(|v| v.as_table().cloned()).collect(),
            _ => Vec::new(),
        }
    }
}

/// One section of the file, with its place.
struct Section<'a> {
    toml: &'a Toml<'a>,
    name: &'a str,
    occurrence: usize,
    table: toml::Table,
}

impl Section<'_> {
    fn at<'k>(&self, key: &'k str) -> At<'k> {
        At { file: TOML, line: self.toml.line(self.name, self.occurrence, key), column: key }
    }

    fn wrong(&self, key: &str, mend: &str, report: &mut Report) {
        if self.toml.sections(self.name).is_empty() {
            // Noted as a missing section.
            return;
        }
        let (kind, reason) = match self.table.get(key) {
            None => ("missing-key", format!("Manca «{key}» in [{}].", self.name)),
            Some(_) => ("impossible-value", format!("Il valore di «{key}» non è ammesso.")),
        };
        report.error(self.at(key), kind, reason, mend);
    }

    fn text(&self, key: &str, report: &mut Report) -> Option<String> {
        let found =
            self.table.get(key).and_then(toml::Value::as_str).filter(|t| !t.is_empty() && t.len() <= 200);
        if found.is_none() {
            self.wrong(key, "Scrivi un testo tra virgolette.", report);
        }
        found.map(str::to_owned)
    }

    fn date(&self, key: &str, report: &mut Report) -> Option<Date> {
        let found = match self.table.get(key) {
            Some(toml::Value::Datetime(value)) => registro_model::time::parse_date(&value.to_string()).ok(),
            Some(toml::Value::String(text)) => registro_model::time::parse_date(text).ok(),
            _ => None,
        };
        if found.is_none() {
            self.wrong(key, "Scrivi la data come aaaa-mm-gg.", report);
        }
        found
    }

    fn bool_or(&self, key: &str, default: bool, report: &mut Report) -> bool {
        match self.table.get(key) {
            None => default,
            Some(toml::Value::Boolean(value)) => *value,
            Some(_) => {
                self.wrong(key, "Scrivi true o false.", report);
                default
            }
        }
    }

    /// A number within a range; outside it the nearest bound counts, with a warning.
    fn number_or(&self, key: &str, default: u32, range: (u32, u32), report: &mut Report) -> u32 {
        match self.table.get(key) {
            None => default,
            Some(toml::Value::Integer(value)) => {
                let clamped = (*value).clamp(i64::from(range.0), i64::from(range.1));
                if clamped != *value {
                    let reason = format!("«{key}» vale {value}: si usa {clamped}.");
                    let mend = format!("Scrivi un numero da {} a {}.", range.0, range.1);
                    report.warn(self.at(key), "out-of-range", reason, mend);
                }
                u32::try_from(clamped).unwrap_or(default)
            }
            Some(_) => {
                self.wrong(key, "Scrivi un numero intero.", report);
                default
            }
        }
    }
}

/// Reads scuola.toml.
pub fn read_school(folder: &Path, known: &mut Known, report: &mut Report) -> Option<SchoolRow> {
    (known.sites, known.courses) = (Codes::anything(), Codes::anything());
    let text = read_text(folder, TOML, report)?;
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count() as u64;
            let at = At { file: TOML, line, column: "" };
            report.error(at, "unreadable-toml", "Il file non è TOML valido.", "Correggi la riga indicata.");
            return None;
        }
    };
    let toml = Toml { text: &text, table };
    let section = |name: &'static str| Section {
        toml: &toml,
        name,
        occurrence: 0,
        table: toml.sections(name).into_iter().next().unwrap_or_default(),
    };
    for name in ["istituto", "anno", "sede", "periodo"] {
        if toml.sections(name).is_empty() {
            let at = At { file: TOML, line: 1, column: name };
            report.error(
                at,
                "missing-section",
                format!("Manca la sezione [{name}]."),
                "Aggiungi la sezione.",
            );
        }
    }
    let (institute, year) = (section("istituto"), section("anno"));
    let code = institute.text("codice", report);
    if code.as_ref().is_some_and(|code| code.len() != 10) {
        institute.wrong("codice", "Il codice meccanografico ha 10 caratteri.", report);
    }
    let name = institute.text("denominazione", report);
    let title = institute.table.get("intitolazione").and_then(toml::Value::as_str).unwrap_or_default();
    let label = year.text("etichetta", report);
    let start = year.date("inizio", report);
    let end = year.date("fine", report);
    let lessons_from = year.date("inizio_lezioni", report);
    let lessons_to = year.date("fine_lezioni", report);
    let patron = year.table.get("patrono").is_some().then(|| year.date("patrono", report)).flatten();
    if let (Some(start), Some(end), Some(from), Some(to)) = (start, end, lessons_from, lessons_to) {
        if end <= start {
            year.wrong("fine", "La fine dell'anno segue l'inizio.", report);
        }
        if from < start || from > end {
            year.wrong("inizio_lezioni", "Le lezioni cominciano dentro l'anno.", report);
        }
        if to <= from || to > end {
            year.wrong("fine_lezioni", "Le lezioni finiscono dopo l'inizio e dentro l'anno.", report);
        }
    }
    let codes = |name: &str, key: &str| {
        let codes: Vec<String> =
            toml.sections(name).iter().filter_map(|t| t.get(key)?.as_str().map(str::to_owned)).collect();
        if codes.is_empty() { Codes::anything() } else { Codes::only(codes) }
    };
    (known.sites, known.courses) = (codes("sede", "sigla"), codes("corso", "codice"));
    let days = year.number_or("giorni_settimana", 6, (5, 6), report);
    let mut sites: Vec<(String, String)> = Vec::new();
    for (occurrence, table) in toml.sections("sede").into_iter().enumerate() {
        let site = Section { toml: &toml, name: "sede", occurrence, table };
        let code =
            site.text("sigla", report).filter(|code| cell::code(code, site.at("sigla"), report).is_some());
        if let (Some(code), Some(name)) = (code, site.text("denominazione", report)) {
            if sites.iter().any(|(known, _)| *known == code) {
                report.error(
                    site.at("sigla"),
                    "duplicate-code",
                    "La sede c'è già.",
                    "Usa una sigla per sede.",
                );
            } else {
                sites.push((code, name));
            }
        }
    }
    let first_cycle_sites = first_cycle_sites(&institute, &toml, report);
    let mut terms: Vec<TermRow> = Vec::new();
    for (occurrence, table) in toml.sections("periodo").into_iter().enumerate() {
        let term = Section { toml: &toml, name: "periodo", occurrence, table };
        let row = (term.text("codice", report), term.text("etichetta", report), term.date("inizio", report));
        let ((Some(code), Some(label), Some(start)), Some(end)) = (row, term.date("fine", report)) else {
            continue;
        };
        if end < start {
            term.wrong("fine", "La fine del periodo segue l'inizio.", report);
        } else if terms.last().is_some_and(|last: &TermRow| start <= last.end) {
            term.wrong("inizio", "I periodi sono in ordine e non si sovrappongono.", report);
        }
        terms.push(TermRow { code, label, start, end, is_final: term.bool_or("finale", false, report) });
    }
    let (presence, validity, booklet) =
        (section("presenze"), section("validita_anno"), section("libretto_web"));
    let per_slot = match presence.table.get("modalita") {
        None => false,
        Some(value) => is_per_slot(value.as_str().unwrap_or_default()).unwrap_or_else(|| {
            presence.wrong("modalita", "Scrivi \"giornaliera\" o \"oraria\".", report);
            false
        }),
    };
    let reasons = presence.table.get("motivi").and_then(toml::Value::as_array);
    let reasons: Vec<String> =
        reasons.into_iter().flatten().filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
    let justify = ["assenze", "ritardi", "uscite"].map(|key| booklet.bool_or(key, true, report));
    Some(SchoolRow {
        code: code?,
        name: format!("{} {title}", name?).trim().to_owned(),
        label: label?,
        start: start?,
        end: end?,
        lessons_from: lessons_from?,
        lessons_to: lessons_to?,
        sites,
        terms,
        per_slot,
        short_late_min: presence.number_or("ritardo_breve_minuti", 10, (0, 60), report),
        justify_guardian: presence.bool_or("giustifica_genitore", true, report),
        justify_adult_pupil: presence.bool_or("giustifica_maggiorenne", true, report),
        justify_reasons: reasons,
        justify,
        year_weeks: validity.number_or("settimane", 33, (30, 36), report),
        warn_pct: validity.number_or("avviso_percento", 20, (1, 100), report),
        danger_pct: validity.number_or("pericolo_percento", 25, (1, 100), report),
        weekly_closed: if days == 5 { vec![6, 7] } else { vec![7] },
        head: institute.table.get("dirigente").and_then(toml::Value::as_str).map(str::to_owned),
        patron,
        email: institute.table.get("email").and_then(toml::Value::as_str).and_then(super::email::accepted),
        first_cycle_sites,
    })
}

/// Sites whose pupils are in the first cycle: by the school's kind, else by every site's own ministry code.
fn first_cycle_sites(institute: &Section<'_>, toml: &Toml<'_>, report: &mut Report) -> Vec<String> {
    let text =
        |table: &toml::Table, key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let kind = text(&institute.table, "tipo").map(|word| (SchoolKind::of_word(&word), word));
    if let Some((None, word)) = &kind {
        let reason = format!("«{word}» non è un tipo di scuola noto: decide il codice meccanografico.");
        report.warn(institute.at("tipo"), "unknown-value", reason, SchoolKind::MEND);
    }
    let code = text(&institute.table, "codice").unwrap_or_default();
    let kind = kind.and_then(|(kind, _)| kind).unwrap_or_else(|| SchoolKind::of_code(&code));
    let is_first = |site: &toml::Table| match kind {
        SchoolKind::FirstCycle => true,
        SchoolKind::SecondCycle => false,
        SchoolKind::Both => {
            let code = text(site, "codice").unwrap_or_default();
            SchoolKind::of_code(&code) == SchoolKind::FirstCycle
        }
    };
    toml.sections("sede")
        .iter()
        .filter(|site| is_first(site))
        .filter_map(|site| text(site, "sigla"))
        .collect()
}

/// Whether attendance is kept per slot; `None` if the word says neither.
fn is_per_slot(word: &str) -> Option<bool> {
    match word.trim().to_lowercase().replace(['_', '-'], " ").as_str() {
        "giornaliera" | "giornaliero" | "giorno" | "per giorno" => Some(false),
        "oraria" | "orario" | "ora" | "per ora" | "a ore" => Some(true),
        _ => None,
    }
}

/// Reads calendario.csv. Closures may overlap.
pub fn read_closures(
    folder: &Path,
    school: Option<&SchoolRow>,
    known: &Known,
    report: &mut Report,
) -> Vec<ClosureRow> {
    let table = table::read(folder, "calendario.csv", &["dal", "al", "tipo", "sede"], report);
    let mut rows = Vec::new();
    for row in &table.rows {
        let from = cell::date(table.cell(row, "dal"), table.at(row, "dal"), report);
        let to = cell::date(table.cell(row, "al"), table.at(row, "al"), report);
        let status = cell::word(table.cell(row, "tipo"), &["NW", "HD", "ND"], table.at(row, "tipo"), report);
        let site = table.cell(row, "sede");
        let site = (!site.is_empty()).then(|| site.to_owned());
        if let Some(site) = &site {
            cell::known(site, "sede", |code| known.sites.has(code), table.at(row, "sede"), report);
        }
        let (Some(from), Some(to), Some(status)) = (from, to, status) else { continue };
        if to < from {
            let mend = "La fine non precede l'inizio: correggi una delle due date.";
            report.error(
                table.at(row, "al"),
                "end-before-start",
                "La chiusura finisce prima di cominciare.",
                mend,
            );
            continue;
        }
        if let Some(school) = school
            && (to < school.start || from > school.end || (to - from).num_days() > 400)
        {
            let reason = "La chiusura è fuori dall'anno scolastico.";
            report.error(table.at(row, "dal"), "outside-year", reason, "Correggi l'anno della data.");
            continue;
        }
        rows.push(ClosureRow { from, to, status: status.to_owned(), site });
    }
    rows
}

/// A slot as other files name it: `C/1/2`, whatever zeros stand before a number.
pub(super) fn slot_code(site: &str, weekday: &str, position: &str) -> String {
    let plain = |number: &str| number.parse::<u32>().map_or_else(|_| number.to_owned(), |n| n.to_string());
    format!("{site}/{}/{}", plain(weekday), plain(position))
}

/// Reads campanelle.csv. Slots of one site and weekday do not overlap; gaps are no error.
pub fn read_slots(folder: &Path, known: &mut Known, report: &mut Report) -> Vec<SlotRow> {
    let columns = ["sede", "giorno", "posizione", "inizio", "fine", "mezze_unita"];
    let table = table::read(folder, "campanelle.csv", &columns, report);
    known.slots = Codes::joined(&table, |row| {
        slot_code(table.cell(row, "sede"), table.cell(row, "giorno"), table.cell(row, "posizione"))
    });
    let mut rows: Vec<SlotRow> = Vec::new();
    for row in &table.rows {
        let site = cell::known(
            table.cell(row, "sede"),
            "sede",
            |code| known.sites.has(code),
            table.at(row, "sede"),
            report,
        );
        let weekday = cell::number(table.cell(row, "giorno"), 1..=7, table.at(row, "giorno"), report);
        let position = cell::number(table.cell(row, "posizione"), 1..=20, table.at(row, "posizione"), report);
        let start = cell::time(table.cell(row, "inizio"), table.at(row, "inizio"), report);
        let end = cell::time(table.cell(row, "fine"), table.at(row, "fine"), report);
        let units = cell::number(table.cell(row, "mezze_unita"), 1..=8, table.at(row, "mezze_unita"), report);
        if site.is_none() || weekday.is_none() || position.is_none() {
            // Which slot the line means is not known.
            known.slots = Codes::anything();
        }
        let (Some(site), Some(weekday), Some(position), Some(start), Some(end), Some(units)) =
            (site, weekday, position, start, end, units)
        else {
            continue;
        };
        if end <= start {
            let mend = "La fine segue l'inizio: correggi una delle due ore.";
            report.error(
                table.at(row, "fine"),
                "end-before-start",
                "L'ora finisce prima di cominciare.",
                mend,
            );
            continue;
        }
        let slot = SlotRow {
            site,
            weekday: weekday as u8,
            position: position as u8,
            start: ClockTime::minutes(start),
            end: ClockTime::minutes(end),
            half_units: units as u8,
        };
        let same_day = |other: &&SlotRow| other.site == slot.site && other.weekday == slot.weekday;
        if rows.iter().filter(same_day).any(|other| other.position == slot.position) {
            let reason = "Questa posizione c'è già per la sede e il giorno.";
            report.error(table.at(row, "posizione"), "duplicate-slot", reason, "Correggi la posizione.");
        } else if rows.iter().filter(same_day).any(|other| slot.start < other.end && other.start < slot.end) {
            let reason = "L'ora si sovrappone a un'altra della stessa sede e giorno.";
            report.error(table.at(row, "inizio"), "overlapping-slot", reason, "Correggi inizio o fine.");
        } else {
            rows.push(slot);
        }
    }
    rows
}

/// Reads materie.csv.
pub fn read_subjects(folder: &Path, known: &mut Known, report: &mut Report) -> Vec<SubjectRow> {
    let columns = ["codice", "denominazione", "breve", "tipo", "valutazione", "fa_media", "ordine"];
    let table = table::read(folder, "materie.csv", &columns, report);
    known.subjects = Codes::of(&table, "codice");
    let mut rows: Vec<SubjectRow> = Vec::new();
    for row in &table.rows {
        let code = cell::code(table.cell(row, "codice"), table.at(row, "codice"), report);
        let name = cell::text(table.cell(row, "denominazione"), table.at(row, "denominazione"), report);
        let short = table.cell(row, "breve").to_owned();
        let kinds = ["N", "R", "S", "C", "E", "U"];
        let kind = cell::word(table.cell(row, "tipo"), &kinds, table.at(row, "tipo"), report);
        let evaluations = ["N", "G", "A"];
        let evaluation =
            cell::word(table.cell(row, "valutazione"), &evaluations, table.at(row, "valutazione"), report);
        let in_mean = cell::word(table.cell(row, "fa_media"), &["S", "N"], table.at(row, "fa_media"), report);
        let order = cell::number(table.cell(row, "ordine"), 0..=9_999, table.at(row, "ordine"), report);
        let (Some(code), Some(name), Some(kind), Some(evaluation), Some(in_mean), Some(order)) =
            (code, name, kind, evaluation, in_mean, order)
        else {
            continue;
        };
        if rows.iter().any(|other| other.code == code) {
            let mend = "Ogni materia ha un codice suo.";
            report.error(table.at(row, "codice"), "duplicate-code", "La materia c'è già.", mend);
            continue;
        }
        let short = if short.is_empty() { name.clone() } else { short };
        rows.push(SubjectRow {
            code,
            name,
            short,
            kind: kind.to_owned(),
            evaluation: evaluation.to_owned(),
            in_mean: in_mean == "S",
            order,
        });
    }
    rows
}
