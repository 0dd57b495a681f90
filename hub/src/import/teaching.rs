//! classi.csv, gruppi.csv, cattedre.csv, orario.txt.

use std::path::Path;

use registro_model::Date;
use serde::{Deserialize, Serialize};

use super::cell;
use super::people::{PupilRow, StaffRow, span_error};
use super::problem::Report;
use super::school::{SchoolRow, SlotRow, SubjectRow};
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
            Some(("gruppo", group)) => pupil.group.as_deref() == Some(group),
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
pub fn read_classes(
    folder: &Path,
    school: Option<&SchoolRow>,
    staff: &[StaffRow],
    report: &mut Report,
) -> Vec<ClassRow> {
    let columns = ["classe", "sede", "ore_settimanali", "coordinatore"];
    let table = table::read(folder, CLASSES, &columns, report);
    let mut rows: Vec<ClassRow> = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let code = cell::code(table.cell(row, "classe"), at("classe"), report);
        let has_site = |site: &str| school.is_none_or(|school| school.has_site(site));
        let site = cell::known(table.cell(row, "sede"), "sede", has_site, at("sede"), report);
        let hours = cell::number(table.cell(row, "ore_settimanali"), 1..=60, at("ore_settimanali"), report);
        let is_teacher = |code: &str| staff.iter().any(|s| s.code == code && s.role == "teacher");
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
pub fn read_groups(folder: &Path, classes: &[ClassRow], report: &mut Report) -> Vec<GroupRow> {
    let table = table::read(folder, "gruppi.csv", &["codice", "tipo", "classi", "criterio"], report);
    let mut rows: Vec<GroupRow> = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let code = cell::code(table.cell(row, "codice"), at("codice"), report);
        cell::word(table.cell(row, "tipo"), &["C", "R"], at("tipo"), report);
        let of: Vec<_> = table.cell(row, "classi").split_whitespace().map(str::to_owned).collect();
        let unknown = of.iter().find(|code| !classes.iter().any(|class| class.code == **code));
        if let Some(unknown) = unknown {
            cell::known(unknown, "classe", |_| false, at("classi"), report);
        }
        let criterion = table.cell(row, "criterio").to_owned();
        if !matches!(criterion.split_once('='), Some(("gruppo" | "religione", value)) if !value.is_empty()) {
            let mend = "Scrivi gruppo=CODICE o religione=LETTERA.";
            report.error(at("criterio"), "unknown-value", "Il criterio non si capisce.", mend);
        }
        let Some(code) = code else { continue };
        if rows.iter().any(|other| other.code == code) {
            report.error(
                at("codice"),
                "duplicate-code",
                "Il gruppo c'è già.",
                "Ogni gruppo ha una riga sola.",
            );
            continue;
        }
        rows.push(GroupRow { code, classes: of, criterion });
    }
    rows
}

/// Reads cattedre.csv.
#[allow(clippy::too_many_arguments)]
pub fn read_assignments(
    folder: &Path,
    year: Option<(Date, Date)>,
    staff: &[StaffRow],
    classes: &[ClassRow],
    groups: &[GroupRow],
    subjects: &[SubjectRow],
    pupils: &[PupilRow],
    report: &mut Report,
) -> Vec<AssignmentRow> {
    let columns = ["docente", "classe", "gruppo", "materia", "tipo", "alunno", "supplisce", "dal", "al"];
    let table = table::read(folder, "cattedre.csv", &columns, report);
    let is_teacher = |code: &str| staff.iter().any(|s| s.code == code && s.role == "teacher");
    let mut rows = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let optional = |column: &str| {
            let text = table.cell(row, column);
            (!text.is_empty()).then(|| text.to_owned())
        };
        let teacher = cell::known(table.cell(row, "docente"), "docente", is_teacher, at("docente"), report);
        let is_class = |code: &str| classes.iter().any(|class| class.code == code);
        let class = cell::known(table.cell(row, "classe"), "classe", is_class, at("classe"), report);
        let is_subject = |code: &str| subjects.iter().any(|subject| subject.code == code);
        let subject = cell::known(table.cell(row, "materia"), "materia", is_subject, at("materia"), report);
        let kind = cell::word(table.cell(row, "tipo"), &["N", "I", "P", "A"], at("tipo"), report);
        let (group, pupil, supplies) = (optional("gruppo"), optional("alunno"), optional("supplisce"));
        if let Some(group) = &group {
            cell::known(group, "gruppo", |code| groups.iter().any(|g| g.code == code), at("gruppo"), report);
        }
        if let Some(pupil) = &pupil {
            cell::known(pupil, "alunno", |n| pupils.iter().any(|p| p.number == n), at("alunno"), report);
        }
        if let Some(supplies) = &supplies {
            cell::known(supplies, "docente", is_teacher, at("supplisce"), report);
        }
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
    subjects: &[SubjectRow],
    slots: &[SlotRow],
    assignments: &[AssignmentRow],
    report: &mut Report,
) -> Vec<TimetableRow> {
    let columns = ["numero", "classe", "docente", "materia", "aula", "giorno", "ora", "durata"];
    let table = table::read_without_header(folder, "orario.txt", &columns, report);
    let mut rows: Vec<TimetableRow> = Vec::new();
    for row in &table.rows {
        let at = |column| table.at(row, column);
        let class = classes.iter().find(|class| class.code == table.cell(row, "classe"));
        if class.is_none() {
            cell::known(table.cell(row, "classe"), "classe", |_| false, at("classe"), report);
        }
        let sigla = table.cell(row, "docente");
        let teacher = staff.iter().find(|s| s.sigla.as_deref() == Some(sigla));
        if teacher.is_none() {
            cell::known(sigla, "sigla di docente", |_| false, at("docente"), report);
        }
        let is_subject = |code: &str| subjects.iter().any(|subject| subject.code == code);
        let subject = cell::known(table.cell(row, "materia"), "materia", is_subject, at("materia"), report);
        let weekday = cell::number(table.cell(row, "giorno"), 1..=7, at("giorno"), report);
        let slot = cell::number(table.cell(row, "ora"), 1..=20, at("ora"), report);
        let (Some(class), Some(teacher), Some(subject), Some(weekday), Some(slot)) =
            (class, teacher, subject, weekday, slot)
        else {
            continue;
        };
        let (weekday, slot) = (weekday as u8, slot as u8);
        let bell = |s: &SlotRow| s.site == class.site && s.weekday == weekday && s.position == slot;
        if !slots.is_empty() && !slots.iter().any(bell) {
            let reason = "In quel giorno la sede non ha quest'ora.";
            report.error(at("ora"), "unknown-slot", reason, "Correggi l'ora, o aggiungila a campanelle.csv.");
            continue;
        }
        let mut held = assignments
            .iter()
            .filter(|a| a.teacher == teacher.code && a.class == class.code && a.subject == subject)
            .peekable();
        if held.peek().is_none() {
            let reason = "Il docente non ha una cattedra per questa classe e materia.";
            report.warn(at("docente"), "no-assignment", reason, "Aggiungi la cattedra a cattedre.csv.");
        }
        let group = held.find_map(|a| a.group.clone());
        rows.push(TimetableRow {
            class: class.code.clone(),
            teacher: teacher.code.clone(),
            subject,
            group,
            room: table.cell(row, "aula").chars().take(40).collect(),
            weekday,
            slot,
        });
    }
    for class in classes {
        if !rows.iter().any(|row| row.class == class.code) {
            let at = super::problem::At { file: CLASSES, line: class.line, column: "classe" };
            let reason = format!("La classe {} non ha lezioni.", class.code);
            report.warn(at, "class-without-lessons", reason, "Controlla orario.txt.");
        }
    }
    rows
}
