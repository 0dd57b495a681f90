//! The school's files: reading, checking, all or nothing.
//!
//! | module | what |
//! |---|---|
//! | [`problem`] | what is wrong, where, and how to mend it |
//! | [`table`] | a file's rows, whatever its separator, encoding and order of columns |
//! | [`cell`] | dates, times, numbers, words |
//! | [`fiscal_code`] | the check character of a fiscal code |
//! | [`school`], [`people`], [`teaching`] | the files' rows and what they refer to |

pub mod cell;
pub mod fiscal_code;
pub mod people;
pub mod problem;
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
    let mut report = Report::default();
    let imported = read_all(folder, &mut report);
    report.sort();
    if report.errors.is_empty() { (imported, report) } else { (None, report) }
}

fn read_all(folder: &Path, report: &mut Report) -> Option<ImportedSchool> {
    let school = school::read_school(folder, report);
    let year = school.as_ref().map(school::SchoolRow::year);
    let closures = school::read_closures(folder, school.as_ref(), report);
    let slots = school::read_slots(folder, school.as_ref(), report);
    let subjects = school::read_subjects(folder, report);
    let staff = people::read_staff(folder, year, report);
    let classes = teaching::read_classes(folder, school.as_ref(), &staff, report);
    let groups = teaching::read_groups(folder, &classes, report);
    let pupils = people::read_pupils(folder, year, &classes, &groups, report);
    let assignments =
        teaching::read_assignments(folder, year, &staff, &classes, &groups, &subjects, &pupils, report);
    let timetable =
        teaching::read_timetable(folder, &staff, &classes, &subjects, &slots, &assignments, report);
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
