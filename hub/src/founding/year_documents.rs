//! Which documents a school year has. Only the hub founds documents: those known at its start, the others at
//! enrolment or hiring.

use chrono::Datelike;
use registro_documents::{Kind, Subject};
use registro_model::people::Role;
use registro_model::school::SchoolYear;

use crate::registry::Registered;

/// Every document that there must be, in order.
pub fn year_documents(registered: &Registered) -> Vec<(Kind, Subject)> {
    let (directory, school) = (&registered.directory, &registered.school);
    let mut documents = vec![(Kind::School, Subject::School), (Kind::StaffBoard, Subject::School)];
    let months = lesson_months(&school.year);
    for class in directory.classes.keys() {
        documents.push((Kind::ClassBook, Subject::Class(class.clone())));
        documents.push((Kind::ClassRoster, Subject::Class(class.clone())));
        documents.extend(months.iter().map(|m| (Kind::ClassMonth, Subject::Month(class.clone(), m.clone()))));
        documents.extend(
            school.terms.iter().map(|t| (Kind::TermCouncil, Subject::Term(class.clone(), t.code.clone()))),
        );
    }
    for pupil in directory.pupils.keys() {
        for kind in [Kind::PupilRecord, Kind::PupilGuardians, Kind::PupilReserve] {
            documents.push((kind, Subject::Person(*pupil)));
        }
    }
    for (person, member) in &directory.staff {
        documents.push((Kind::StaffBook, Subject::Person(*person)));
        if member.roles.iter().any(|(role, _)| *role == Role::Teacher) {
            documents.push((Kind::StaffDesk, Subject::Person(*person)));
            documents.push((Kind::StaffMeetings, Subject::Person(*person)));
        }
    }
    documents
}

/// The months of the lessons period: `2026-09` to `2027-06`.
pub fn lesson_months(year: &SchoolYear) -> Vec<String> {
    let mut months = Vec::new();
    let (mut y, mut m) = (year.lessons_from.year(), year.lessons_from.month());
    let last = (year.lessons_to.year(), year.lessons_to.month());
    // A year has at most twelve months, whatever the dates say.
    while (y, m) <= last && months.len() < 12 {
        months.push(format!("{y:04}-{m:02}"));
        (y, m) = if m == 12 { (y + 1, 1) } else { (y, m + 1) };
    }
    months
}
