//! docenti.csv, personale.csv, alunni.csv, trasferimenti.csv.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use registro_model::Date;
use serde::{Deserialize, Serialize};

use super::cell;
use super::fiscal_code::{self, Wrong};
use super::known::{Codes, Known};
use super::problem::{At, Report};
use super::school::SchoolRow;
use super::table;
use super::teaching::ClassRow;

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRow {
    /// Code.
    pub code: String,
    /// Short name in the timetable; teachers only.
    pub sigla: Option<String>,
    /// Surname and name.
    pub name: String,
    /// Fiscal code.
    pub fiscal_code: String,
    /// E-mail.
    pub email: String,
    /// `teacher`, `head`, `office`, `support`.
    pub role: String,
    /// First day of service, if not the whole year.
    pub from: Option<Date>,
    /// Last day of service.
    pub to: Option<Date>,
}

/// A guardian of a pupil.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardianRow {
    /// Surname and name.
    pub name: String,
    /// Fiscal code: who the person is.
    pub fiscal_code: String,
    /// E-mail.
    pub email: String,
    /// `C`, `L`, `N`.
    pub rights: String,
}

/// A class from–to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRow {
    /// The class.
    pub class: String,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Option<Date>,
}

/// A pupil, with moves applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PupilRow {
    /// Pupil number.
    pub number: String,
    /// Surname and name.
    pub name: String,
    /// Birth date.
    pub born: Date,
    /// Fiscal code.
    pub fiscal_code: String,
    /// Half of an articulated class.
    pub group: Option<String>,
    /// E-mail that the school gave the pupil; empty if none.
    #[serde(default)]
    pub email: String,
    /// Religion choice.
    pub religion: String,
    /// Classes in order.
    pub enrolments: Vec<EnrolmentRow>,
    /// The moves that the classes come from, as `2026-11-23/PARTENZA`.
    #[serde(default)]
    pub moves: Vec<String>,
    /// Hours of absence in a previous school.
    pub previous_hours: Option<u32>,
    /// Guardians.
    pub guardians: Vec<GuardianRow>,
}

fn fiscal(cell: &str, at: At<'_>, report: &mut Report) -> Option<String> {
    let code = cell.to_uppercase();
    let mend = "Ricopia il codice fiscale dalla tessera sanitaria.";
    match fiscal_code::check(&code) {
        Ok(()) => return Some(code),
        Err(_) if code.is_empty() => report.error(at, "empty-cell", "Il codice fiscale manca.", mend),
        Err(Wrong::Form) => {
            report.error(at, "fiscal-code-form", "Il codice fiscale non ha la forma giusta.", mend);
        }
        Err(Wrong::Check) => {
            report.error(
                at,
                "fiscal-code-check",
                "Il carattere di controllo del codice fiscale è sbagliato.",
                mend,
            );
        }
    }
    None
}

/// Reads docenti.csv and personale.csv.
pub fn read_staff(
    folder: &Path,
    year: Option<(Date, Date)>,
    known: &mut Known,
    report: &mut Report,
) -> Vec<StaffRow> {
    let mut rows: Vec<StaffRow> = Vec::new();
    let columns = ["codice", "sigla", "cognome", "nome", "codice_fiscale", "email", "dal", "al"];
    let teachers = table::read(folder, "docenti.csv", &columns, report);
    (known.teachers, known.siglas) = (Codes::of(&teachers, "codice"), Codes::of(&teachers, "sigla"));
    for row in &teachers.rows {
        let at = |column| teachers.at(row, column);
        let code = cell::text(teachers.cell(row, "codice"), at("codice"), report);
        let sigla = cell::text(teachers.cell(row, "sigla"), at("sigla"), report);
        let surname = cell::text(teachers.cell(row, "cognome"), at("cognome"), report);
        let name = cell::text(teachers.cell(row, "nome"), at("nome"), report);
        let fiscal_code = fiscal(teachers.cell(row, "codice_fiscale"), at("codice_fiscale"), report);
        let from = cell::optional_date(teachers.cell(row, "dal"), at("dal"), report);
        let to = cell::optional_date(teachers.cell(row, "al"), at("al"), report);
        let (Some(code), Some(sigla), Some(surname), Some(name), Some(fiscal_code), Ok(from), Ok(to)) =
            (code, sigla, surname, name, fiscal_code, from, to)
        else {
            continue;
        };
        span_error(from, to, year, at("dal"), at("al"), report);
        if rows.iter().any(|other| other.code == code) {
            report.error(
                at("codice"),
                "duplicate-code",
                "Il codice c'è già.",
                "Ogni docente ha un codice suo.",
            );
            continue;
        }
        if rows.iter().any(|other| other.sigla.as_ref() == Some(&sigla)) {
            report.error(
                at("sigla"),
                "duplicate-code",
                "La sigla c'è già.",
                "Ogni docente ha una sigla sua.",
            );
            continue;
        }
        let email = teachers.cell(row, "email").to_owned();
        let name = format!("{surname} {name}");
        let role = "teacher".to_owned();
        rows.push(StaffRow { code, sigla: Some(sigla), name, fiscal_code, email, role, from, to });
    }
    let columns = ["codice", "cognome", "nome", "codice_fiscale", "email", "tipo", "segreteria"];
    let staff = table::read(folder, "personale.csv", &columns, report);
    known.staff = Codes::of(&staff, "codice");
    for row in &staff.rows {
        let at = |column| staff.at(row, column);
        let code = cell::text(staff.cell(row, "codice"), at("codice"), report);
        let surname = cell::text(staff.cell(row, "cognome"), at("cognome"), report);
        let name = cell::text(staff.cell(row, "nome"), at("nome"), report);
        let fiscal_code = fiscal(staff.cell(row, "codice_fiscale"), at("codice_fiscale"), report);
        let kind = cell::word(staff.cell(row, "tipo"), &["DS", "DSGA", "AA", "AT", "CS"], at("tipo"), report);
        let office = cell::word(staff.cell(row, "segreteria"), &["S", "N"], at("segreteria"), report);
        let (Some(code), Some(surname), Some(name), Some(fiscal_code), Some(kind), Some(office)) =
            (code, surname, name, fiscal_code, kind, office)
        else {
            continue;
        };
        if rows.iter().any(|other| other.code == code) {
            report.error(
                at("codice"),
                "duplicate-code",
                "Il codice c'è già.",
                "Ogni persona ha un codice suo.",
            );
            continue;
        }
        let role = match (kind, office) {
            ("DS", _) => "head",
            (_, "S") => "office",
            _ => "support",
        };
        rows.push(StaffRow {
            code,
            sigla: None,
            name: format!("{surname} {name}"),
            fiscal_code,
            email: staff.cell(row, "email").to_owned(),
            role: role.to_owned(),
            from: None,
            to: None,
        });
    }
    rows
}

pub(super) fn span_error(
    from: Option<Date>,
    to: Option<Date>,
    year: Option<(Date, Date)>,
    at_from: At<'_>,
    at_to: At<'_>,
    report: &mut Report,
) {
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        report.error(at_to, "end-before-start", "La fine precede l'inizio.", "Correggi una delle due date.");
        return;
    }
    if let Some((start, end)) = year {
        if from.is_some_and(|from| from > end) {
            report.error(
                at_from,
                "outside-year",
                "La data è fuori dall'anno scolastico.",
                "Correggi la data.",
            );
        }
        if to.is_some_and(|to| to < start) {
            report.error(at_to, "outside-year", "La data è fuori dall'anno scolastico.", "Correggi la data.");
        }
    }
}

const PUPILS: &str = "alunni.csv";

/// Day on which somebody born on a day comes of age: who was born on 29 February does on 1 March.
fn of_age(born: Date) -> Option<Date> {
    use chrono::Datelike;
    let year = born.year() + 18;
    born.with_year(year).or_else(|| Date::from_ymd_opt(year, 3, 1))
}

/// Reads alunni.csv and applies trasferimenti.csv.
pub fn read_pupils(
    folder: &Path,
    school: Option<&SchoolRow>,
    classes: &[ClassRow],
    known: &mut Known,
    report: &mut Report,
) -> Vec<PupilRow> {
    let year = school.map(SchoolRow::year);
    let columns = [
        "matricola",
        "cognome",
        "nome",
        "data_nascita",
        "codice_fiscale",
        "classe",
        "gruppo",
        "data_ingresso",
        "religione",
        "g1_cognome",
        "g1_nome",
        "g1_codice_fiscale",
        "g1_email",
        "g1_diritti",
        "g2_cognome",
        "g2_nome",
        "g2_codice_fiscale",
        "g2_email",
        "g2_diritti",
    ];
    let table = table::read(folder, PUPILS, &columns, report);
    known.pupils = Codes::of(&table, "matricola");
    let mut attended = Codes::in_column(&table, "classe");
    let mut rows: Vec<PupilRow> = Vec::new();
    let mut indexes: HashMap<String, usize> = HashMap::new();
    let (mut numbers, mut fiscal_codes) = (HashSet::new(), HashSet::new());
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let number = cell::text(table.cell(row, "matricola"), at("matricola"), report);
        let surname = cell::text(table.cell(row, "cognome"), at("cognome"), report);
        let name = cell::text(table.cell(row, "nome"), at("nome"), report);
        let born = cell::date(table.cell(row, "data_nascita"), at("data_nascita"), report);
        let fiscal_code = fiscal(table.cell(row, "codice_fiscale"), at("codice_fiscale"), report);
        let is_class = |code: &str| known.classes.has(code);
        let class = cell::known(table.cell(row, "classe"), "classe", is_class, at("classe"), report);
        let group = table.cell(row, "gruppo");
        let group = (!group.is_empty()).then(|| group.to_owned());
        if let Some(group) = &group {
            cell::known(group, "gruppo", |code| known.halves.has(code), at("gruppo"), report);
        }
        let from = cell::date(table.cell(row, "data_ingresso"), at("data_ingresso"), report);
        let religion =
            cell::word(table.cell(row, "religione"), &["S", "U", "I", "D", "A"], at("religione"), report);
        let mut alone = true;
        let guardians: Vec<GuardianRow> = [
            ["g1_cognome", "g1_nome", "g1_codice_fiscale", "g1_email", "g1_diritti"],
            ["g2_cognome", "g2_nome", "g2_codice_fiscale", "g2_email", "g2_diritti"],
        ]
        .into_iter()
        .filter_map(|[surname, name, code, email, rights]| {
            if [surname, name, code].iter().all(|column| table.cell(row, column).is_empty()) {
                return None;
            }
            alone = false;
            let fiscal_code = fiscal(table.cell(row, code), at(code), report);
            let surname = cell::text(table.cell(row, surname), at(surname), report);
            let name = cell::text(table.cell(row, name), at(name), report);
            let rights = cell::word(table.cell(row, rights), &["C", "L", "N"], at(rights), report);
            Some(GuardianRow {
                name: format!("{} {}", surname?, name?),
                fiscal_code: fiscal_code?,
                email: table.cell(row, email).to_owned(),
                rights: rights?.to_owned(),
            })
        })
        .collect();
        let mut repeated = false;
        if let Some(number) = &number
            && !numbers.insert(number.clone())
        {
            let mend = "Ogni alunno ha una matricola sua.";
            report.error(at("matricola"), "duplicate-number", "La matricola c'è già in un'altra riga.", mend);
            repeated = true;
        }
        if let Some(code) = &fiscal_code
            && !fiscal_codes.insert(code.clone())
        {
            let reason = "Il codice fiscale c'è già in un'altra riga.";
            let mend = "Due alunni non hanno lo stesso codice fiscale.";
            report.error(at("codice_fiscale"), "duplicate-fiscal-code", reason, mend);
            repeated = true;
        }
        if let (Some(born), Some((start, _))) = (born, year)
            && (born >= start || (start - born).num_days() > 100 * 366)
        {
            let reason = "La data di nascita non è possibile per un alunno.";
            report.error(at("data_nascita"), "impossible-date", reason, "Correggi la data.");
        }
        if let (Some(from), Some((start, end))) = (from, year)
            && (from < start || from > end)
        {
            let reason = "La data di ingresso è fuori dall'anno scolastico.";
            report.error(at("data_ingresso"), "outside-year", reason, "Correggi la data.");
        }
        if let (Some(born), Some(from), Some(school), true) = (born, from, school, alone)
            && of_age(born).is_none_or(|birthday| birthday > from.max(school.lessons_from))
        {
            let reason = "L'alunno è minorenne e non ha genitori o tutori.";
            report.warn(at("g1_codice_fiscale"), "no-guardian", reason, "Aggiungi un genitore o tutore.");
        }
        let (Some(number), Some(surname), Some(name), Some(born), false) =
            (number, surname, name, born, repeated)
        else {
            continue;
        };
        let (Some(fiscal_code), Some(class), Some(from), Some(religion)) =
            (fiscal_code, class, from, religion)
        else {
            continue;
        };
        indexes.insert(number.clone(), rows.len());
        rows.push(PupilRow {
            number,
            name: format!("{surname} {name}"),
            born,
            fiscal_code,
            group,
            email: table.cell(row, "email").to_owned(),
            religion: religion.to_owned(),
            enrolments: vec![EnrolmentRow { class, from, to: None }],
            moves: Vec::new(),
            previous_hours: None,
            guardians,
        });
    }
    read_moves(folder, year, known, &mut attended, &indexes, &mut rows, report);
    for class in classes {
        if !attended.has(&class.code) {
            let at = At { file: super::teaching::CLASSES, line: class.line, column: "classe" };
            let reason = format!("La classe {} non ha alunni.", class.code);
            report.warn(at, "class-without-pupils", reason, "Controlla alunni.csv.");
        }
    }
    rows
}

/// A move: its line, kind, class left, class joined.
type Move<'a> = (&'a table::Row, &'a str, Option<String>, Option<String>);

/// Moves during the year, in order of date per pupil.
fn read_moves(
    folder: &Path,
    year: Option<(Date, Date)>,
    known: &Known,
    attended: &mut Codes,
    indexes: &HashMap<String, usize>,
    rows: &mut [PupilRow],
    report: &mut Report,
) {
    let columns = ["matricola", "data", "tipo", "classe_da", "classe_a", "ore_assenza_precedenti"];
    let table = table::read(folder, "trasferimenti.csv", &columns, report);
    let mut moves: BTreeMap<(usize, Date), Vec<Move<'_>>> = BTreeMap::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let number = cell::known(
            table.cell(row, "matricola"),
            "alunno",
            |n| known.pupils.has(n),
            at("matricola"),
            report,
        );
        let date = cell::date(table.cell(row, "data"), at("data"), report);
        let kinds = ["ARRIVO", "PARTENZA", "RITIRO", "CAMBIO_CLASSE"];
        let kind = cell::word(table.cell(row, "tipo"), &kinds, at("tipo"), report);
        let is_class = |code: &str| known.classes.has(code);
        attended.insert(table.cell(row, "classe_a").to_owned());
        let wants = |column: &str| match (kind, column) {
            (Some("CAMBIO_CLASSE"), _) | (Some("ARRIVO"), "classe_a") => true,
            (Some("PARTENZA" | "RITIRO"), "classe_da") => true,
            _ => !table.cell(row, column).is_empty(),
        };
        let mut class = |column: &'static str| {
            if !wants(column) {
                return Ok(None);
            }
            cell::known(table.cell(row, column), "classe", is_class, at(column), report).map(Some).ok_or(())
        };
        let (leaves, joins) = (class("classe_da"), class("classe_a"));
        let hours = table.cell(row, "ore_assenza_precedenti");
        let hours = if hours.is_empty() {
            None
        } else {
            cell::number(hours, 0..=3_000, at("ore_assenza_precedenti"), report)
        };
        if let (Some(date), Some((start, end))) = (date, year)
            && (date < start || date > end)
        {
            let reason = "La data è fuori dall'anno scolastico.";
            report.error(at("data"), "outside-year", reason, "Correggi la data.");
            continue;
        }
        let (Some(number), Some(date), Some(kind), Ok(leaves), Ok(joins)) =
            (number, date, kind, leaves, joins)
        else {
            continue;
        };
        let Some(index) = indexes.get(&number).copied() else { continue };
        if let Some(pupil) = rows.get_mut(index) {
            pupil.previous_hours = hours.or(pupil.previous_hours);
            pupil.moves.push(format!("{date}/{kind}"));
        }
        moves.entry((index, date)).or_default().push((row, kind, leaves, joins));
    }
    for ((index, date), list) in moves {
        let Some(pupil) = rows.get_mut(index) else { continue };
        for (row, kind, leaves, joins) in list {
            let last = pupil.enrolments.last_mut();
            match (kind, last) {
                // Who has left may come back.
                ("ARRIVO", Some(EnrolmentRow { to: Some(to), .. })) if *to < date => {
                    pupil.enrolments.extend(joins.map(|class| EnrolmentRow { class, from: date, to: None }));
                }
                // An arrival's class stands in alunni.csv already, from its first day.
                ("ARRIVO", Some(last)) => {
                    if joins.as_ref().is_some_and(|class| *class != last.class) {
                        let reason = "La classe di arrivo non è quella di alunni.csv.";
                        report.error(
                            table.at(row, "classe_a"),
                            "contradicting-move",
                            reason,
                            "Correggi la classe.",
                        );
                    } else if last.from != date {
                        let reason = "La data di arrivo non è la data di ingresso di alunni.csv.";
                        report.error(
                            table.at(row, "data"),
                            "contradicting-move",
                            reason,
                            "Correggi la data.",
                        );
                    }
                }
                (_, Some(last)) => {
                    if last.to.is_some() || leaves.as_ref().is_some_and(|class| *class != last.class) {
                        let reason = "In quella data l'alunno non è in questa classe.";
                        report.error(
                            table.at(row, "classe_da"),
                            "contradicting-move",
                            reason,
                            "Correggi la classe.",
                        );
                        continue;
                    }
                    if date <= last.from {
                        let reason = "Lo spostamento precede l'ingresso nella classe.";
                        report.error(
                            table.at(row, "data"),
                            "contradicting-move",
                            reason,
                            "Correggi la data.",
                        );
                        continue;
                    }
                    last.to = date.pred_opt();
                    if let (Some(class), "CAMBIO_CLASSE") = (joins, kind) {
                        pupil.enrolments.push(EnrolmentRow { class, from: date, to: None });
                    }
                }
                (_, None) => {}
            }
        }
    }
}
