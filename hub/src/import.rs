//! The school's files: reading, checking, all or nothing.
//!
//! | module | what |
//! |---|---|
//! | [`problem`] | what is wrong, where, and how to mend it |
//! | [`table`] | a file's rows, whatever its separator, encoding and order of columns |
//! | [`record`] | the cells of a line, whatever its quotes, blanks and line breaks |
//! | [`known`] | the codes that files name and others refer to |
//! | [`cell`] | dates, times, numbers, words |
//! | [`fiscal_code`] | the check character of a fiscal code |
//! | [`email`], [`cycle`] | addresses of mail; whose pupils are in the first cycle |
//! | [`school`], [`people`], [`teaching`] | the files' rows and what they refer to |

pub mod cell;
pub mod cycle;
pub mod email;
pub mod fiscal_code;
pub mod known;
pub mod people;
pub mod problem;
pub mod record;
pub mod school;
pub mod table;
pub mod teaching;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use problem::{Problem, Report};

/// A school as its files say, every reference checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedSchool {
    /// scuola.toml.
    pub school: school::SchoolRow,
    /// calendario.csv.
    pub closures: Vec<school::ClosureRow>,
    /// campanelle.csv.
    pub slots: Vec<school::SlotRow>,
    /// materie.csv.
    pub subjects: Vec<school::SubjectRow>,
    /// docenti.csv and personale.csv.
    pub staff: Vec<people::StaffRow>,
    /// classi.csv.
    pub classes: Vec<teaching::ClassRow>,
    /// alunni.csv, with the moves of trasferimenti.csv applied.
    pub pupils: Vec<people::PupilRow>,
    /// gruppi.csv.
    pub groups: Vec<teaching::GroupRow>,
    /// cattedre.csv.
    pub assignments: Vec<teaching::AssignmentRow>,
    /// orario.txt.
    pub timetable: Vec<teaching::TimetableRow>,
}

/// Reads and checks a folder. The school is there only if nothing is wrong.
pub fn read(folder: &Path) -> (Option<ImportedSchool>, Report) {
    read_watched(folder, &mut |_, _| {})
}

/// The same; `watch` is told of every file that is read, and its rows.
pub fn read_watched(
    folder: &Path,
    watch: &mut dyn FnMut(&'static str, usize),
) -> (Option<ImportedSchool>, Report) {
    let mut report = Report::default();
    let imported = read_all(folder, watch, &mut report);
    report.sort();
    if report.errors.is_empty() { (imported, report) } else { (None, report) }
}

fn read_all(
    folder: &Path,
    watch: &mut dyn FnMut(&'static str, usize),
    report: &mut Report,
) -> Option<ImportedSchool> {
    let mut known = known::Known::default();
    let school = school::read_school(folder, &mut known, report);
    let year = school.as_ref().map(school::SchoolRow::year);
    let closures = school::read_closures(folder, school.as_ref(), &known, report);
    watch("calendario.csv", closures.len());
    let slots = school::read_slots(folder, &mut known, report);
    watch("campanelle.csv", slots.len());
    let subjects = school::read_subjects(folder, &mut known, report);
    watch("materie.csv", subjects.len());
    let staff = people::read_staff(folder, year, &mut known, report);
    watch("docenti.csv, personale.csv", staff.len());
    let classes = teaching::read_classes(folder, &mut known, report);
    watch("classi.csv", classes.len());
    let groups = teaching::read_groups(folder, &mut known, report);
    watch("gruppi.csv", groups.len());
    let pupils = people::read_pupils(folder, school.as_ref(), &classes, &mut known, report);
    watch("alunni.csv, trasferimenti.csv", pupils.len());
    let assignments = teaching::read_assignments(folder, year, &mut known, report);
    watch("cattedre.csv", assignments.len());
    let timetable = teaching::read_timetable(folder, &staff, &classes, &assignments, &known, report);
    watch("orario.txt", timetable.len());
    Some(ImportedSchool {
        school: school?,
        closures,
        slots,
        subjects,
        staff,
        classes,
        pupils,
        groups,
        assignments,
        timetable,
    })
}
