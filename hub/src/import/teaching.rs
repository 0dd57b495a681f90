//! classi.csv, gruppi.csv, cattedre.csv, orario.txt.

use std::collections::HashMap;
use std::path::Path;

use registro_model::Date;
use serde::{Deserialize, Serialize};

use super::cell;
use super::known::{Codes, Known};
use super::people::{PupilRow, StaffRow, span_error};
use super::problem::{At, Report};
use super::school::slot_code;
use super::table;

pub(super) const CLASSES: &str = "classi.csv";

/// A class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRow {
    /// Code.
    pub code: String,
    /// Site.
    pub site: String,
    /// Weekly units.
    pub weekly_hours: u32,
    /// Coordinator's code.
    pub coordinator: Option<String>,
    /// Line in the file, for later messages; not part of what is imported.
    #[serde(skip)]
    pub line: u64,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// Code.
    pub code: String,
    /// Classes.
    pub classes: Vec<String>,
    /// `gruppo=…` or `religione=…`.
    pub criterion: String,
}

impl GroupRow {
    /// Whether a pupil of one of the group's classes is a member.
    pub fn has(&self, pupil: &PupilRow) -> bool {
        match self.criterion.split_once('=') {
            Some(("gruppo", half)) => {
                pupil.group.as_deref().is_some_and(|own| own == half || own == self.code)
            }
            Some(("religione", choice)) => pupil.religion == choice,
            _ => false,
        }
    }
}

/// A teaching assignment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssignmentRow {
    /// Teacher's code.
    pub teacher: String,
    /// Class.
    pub class: String,
    /// Group.
    pub group: Option<String>,
    /// Subject.
    pub subject: String,
    /// `N`, `I`, `P`, `A`.
    pub kind: String,
    /// Supported pupil's number.
    pub pupil: Option<String>,
    /// Code of the replaced teacher.
    pub supplies: Option<String>,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Option<Date>,
}

/// A line of the timetable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimetableRow {
    /// Class.
    pub class: String,
    /// Teacher's code.
    pub teacher: String,
    /// Subject.
    pub subject: String,
    /// Group, found through the assignments.
    pub group: Option<String>,
    /// Room.
    pub room: String,
    /// Weekday.
    pub weekday: u8,
    /// Slot.
    pub slot: u8,
}

/// Reads classi.csv.
pub fn read_classes(folder: &Path, known: &mut Known, report: &mut Report) -> Vec<ClassRow> {
    let columns = ["classe", "sede", "ore_settimanali", "coordinatore"];
    let table = table::read(folder, CLASSES, &columns, report);
    known.classes = Codes::of(&table, "classe");
    let mut rows: Vec<ClassRow> = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let code = cell::code(table.cell(row, "classe"), at("classe"), report);
        let is_site = |code: &str| known.sites.has(code);
        let site = cell::known(table.cell(row, "sede"), "sede", is_site, at("sede"), report);
        let course = table.cell(row, "corso");
        if !course.is_empty() && !known.courses.has(course) {
            let reason = format!("Il corso «{course}» non è in scuola.toml.");
            report.warn(at("corso"), "unknown-course", reason, "Correggi il codice, o aggiungi il corso.");
        }
        let hours = cell::number(table.cell(row, "ore_settimanali"), 1..=60, at("ore_settimanali"), report);
        let is_teacher = |code: &str| known.teachers.has(code);
        for column in ["coordinatore", "segretario"] {
            if !table.cell(row, column).is_empty() {
                cell::known(table.cell(row, column), "docente", is_teacher, at(column), report);
            }
        }
        let (Some(code), Some(site), Some(weekly_hours)) = (code, site, hours) else { continue };
        if rows.iter().any(|other| other.code == code) {
            report.error(
                at("classe"),
                "duplicate-code",
                "La classe c'è già.",
                "Ogni classe ha una riga sola.",
            );
            continue;
        }
        let coordinator = table.cell(row, "coordinatore");
        let coordinator = (!coordinator.is_empty()).then(|| coordinator.to_owned());
        rows.push(ClassRow { code, site, weekly_hours, coordinator, line: row.line });
    }
    rows
}

/// Reads gruppi.csv.
pub fn read_groups(folder: &Path, known: &mut Known, report: &mut Report) -> Vec<GroupRow> {
    let table = table::read(folder, "gruppi.csv", &["codice", "tipo", "classi", "criterio"], report);
    known.groups = Codes::of(&table, "codice");
    known.halves = known.groups.clone();
    let mut rows: Vec<GroupRow> = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let code = cell::code(table.cell(row, "codice"), at("codice"), report);
        cell::word(table.cell(row, "tipo"), &["C", "R"], at("tipo"), report);
        let of: Vec<_> = table.cell(row, "classi").split_whitespace().map(str::to_owned).collect();
        if of.is_empty() {
            cell::text("", at("classi"), report);
        }
        for class in &of {
            cell::known(class, "classe", |code| known.classes.has(code), at("classi"), report);
        }
        let criterion = match table.cell(row, "criterio").split_once('=') {
            Some((what, value)) => format!("{}={}", what.trim(), value.trim()),
            None => String::new(),
        };
        match criterion.split_once('=') {
            Some(("gruppo", half)) if !half.is_empty() => known.halves.insert(half.to_owned()),
            Some(("religione", choice)) if !choice.is_empty() => {}
            _ => {
                let mend = "Scrivi gruppo=CODICE o religione=LETTERA.";
                report.error(at("criterio"), "unknown-value", "Il criterio non si capisce.", mend);
                known.halves = Codes::anything();
            }
        }
        let Some(code) = code else { continue };
        if rows.iter().any(|other| other.code == code) {
            let mend = "Ogni gruppo ha una riga sola.";
            report.error(at("codice"), "duplicate-code", "Il gruppo c'è già.", mend);
            continue;
        }
        rows.push(GroupRow { code, classes: of, criterion });
    }
    rows
}

fn assignment_code(teacher: &str, class: &str, subject: &str) -> String {
    format!("{teacher}/{class}/{subject}")
}

/// Reads cattedre.csv.
pub fn read_assignments(
    folder: &Path,
    year: Option<(Date, Date)>,
    known: &mut Known,
    report: &mut Report,
) -> Vec<AssignmentRow> {
    let columns = ["docente", "classe", "gruppo", "materia", "tipo", "alunno", "supplisce", "dal", "al"];
    let table = table::read(folder, "cattedre.csv", &columns, report);
    known.assignments = Codes::joined(&table, |row| {
        assignment_code(table.cell(row, "docente"), table.cell(row, "classe"), table.cell(row, "materia"))
    });
    let mut rows = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let refers = |column, what, codes: &Codes, report: &mut Report| {
            cell::known(table.cell(row, column), what, |code| codes.has(code), at(column), report)
        };
        let optional = |column, what, codes: &Codes, report: &mut Report| {
            if table.cell(row, column).is_empty() { None } else { refers(column, what, codes, report) }
        };
        let teacher = refers("docente", "docente", &known.teachers, report);
        let class = refers("classe", "classe", &known.classes, report);
        let subject = refers("materia", "materia", &known.subjects, report);
        let kind = cell::word(table.cell(row, "tipo"), &["N", "I", "P", "A"], at("tipo"), report);
        let group = optional("gruppo", "gruppo", &known.groups, report);
        let pupil = optional("alunno", "alunno", &known.pupils, report);
        let supplies = optional("supplisce", "docente", &known.teachers, report);
        let hours = table.cell(row, "ore");
        if !hours.is_empty() {
            cell::number(hours, 0..=60, at("ore"), report);
        }
        let from = cell::optional_date(table.cell(row, "dal"), at("dal"), report);
        let to = cell::optional_date(table.cell(row, "al"), at("al"), report);
        let (Some(teacher), Some(class), Some(subject), Some(kind), Ok(from), Ok(to)) =
            (teacher, class, subject, kind, from, to)
        else {
            continue;
        };
        span_error(from, to, year, at("dal"), at("al"), report);
        let Some(from) = from.or(year.map(|year| year.0)) else { continue };
        rows.push(AssignmentRow {
            teacher,
            class,
            group,
            subject,
            kind: kind.to_owned(),
            pupil,
            supplies,
            from,
            to,
        });
    }
    rows
}

/// Reads orario.txt (Untis GPU001): lesson, class, teacher, subject, room, day, slot, length.
pub fn read_timetable(
    folder: &Path,
    staff: &[StaffRow],
    classes: &[ClassRow],
    assignments: &[AssignmentRow],
    known: &Known,
    report: &mut Report,
) -> Vec<TimetableRow> {
    let columns = ["numero", "classe", "docente", "materia", "aula", "giorno", "ora", "durata"];
    let table = table::read_without_header(folder, "orario.txt", &columns, report);
    let classes_by_code: HashMap<&str, &ClassRow> =
        classes.iter().map(|class| (class.code.as_str(), class)).collect();
    let teachers_by_sigla: HashMap<&str, &StaffRow> =
        staff.iter().filter_map(|teacher| Some((teacher.sigla.as_deref()?, teacher))).collect();
    let mut groups: HashMap<String, &str> = HashMap::new();
    for row in assignments {
        if let Some(group) = &row.group {
            groups.entry(assignment_code(&row.teacher, &row.class, &row.subject)).or_insert(group);
        }
    }
    let mut rows: Vec<TimetableRow> = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let refers = |column, what, codes: &Codes, report: &mut Report| {
            cell::known(table.cell(row, column), what, |code| codes.has(code), at(column), report)
        };
        let class = refers("classe", "classe", &known.classes, report);
        let sigla = refers("docente", "sigla di docente", &known.siglas, report);
        let subject = refers("materia", "materia", &known.subjects, report);
        let weekday = cell::number(table.cell(row, "giorno"), 1..=7, at("giorno"), report);
        let slot = cell::number(table.cell(row, "ora"), 1..=20, at("ora"), report);
        let (Some(class), Some(sigla), Some(subject), Some(weekday), Some(slot)) =
            (class, sigla, subject, weekday, slot)
        else {
            continue;
        };
        // A class or teacher whose own line is wrong is known, but not here.
        let Some(class) = classes_by_code.get(class.as_str()) else { continue };
        let bell = slot_code(&class.site, &weekday.to_string(), &slot.to_string());
        if !known.slots.has(&bell) {
            let reason = "In quel giorno la sede non ha quest'ora.";
            report.error(at("ora"), "unknown-slot", reason, "Correggi l'ora, o aggiungila a campanelle.csv.");
            continue;
        }
        let Some(teacher) = teachers_by_sigla.get(sigla.as_str()) else { continue };
        let held = assignment_code(&teacher.code, &class.code, &subject);
        if !known.assignments.has(&held) {
            let reason = "Il docente non ha una cattedra per questa classe e materia.";
            report.warn(at("docente"), "no-assignment", reason, "Aggiungi la cattedra a cattedre.csv.");
        }
        rows.push(TimetableRow {
            class: class.code.clone(),
            teacher: teacher.code.clone(),
            subject,
            group: groups.get(&held).map(|group| (*group).to_owned()),
            room: table.cell(row, "aula").chars().take(40).collect(),
            weekday: weekday as u8,
            slot: slot as u8,
        });
    }
    let taught = Codes::in_column(&table, "classe");
    for class in classes {
        if !taught.has(&class.code) {
            let at = At { file: CLASSES, line: class.line, column: "classe" };
            let reason = format!("La classe {} non ha lezioni.", class.code);
            report.warn(at, "class-without-lessons", reason, "Controlla orario.txt.");
        }
    }
    rows
}
