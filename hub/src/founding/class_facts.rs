//! Documents of a class: its timetable (`ClassBook`) and its roster (`ClassRoster`).

use std::collections::BTreeMap;

use registro_documents::bytes::{Parts, sha256};
use registro_documents::{Fact, Kind, Scalar, Subject};
use registro_model::directory::{AssignmentKind, SchoolClass, TeachingAssignment};
use registro_model::time::Span;
use registro_model::{ClassCode, DocumentId, PersonId};

use super::facts::{HubFact, Wanted, fact, until};
use crate::documents::Catalogue;
use crate::registry::Registered;

/// Most teachers of one line of the timetable.
const MAX_TEACHERS: usize = 6;
/// Longest name of a room, in bytes.
const MAX_ROOM: usize = 40;

pub(super) fn add(
    registered: &Registered,
    catalogue: &Catalogue,
    all: &mut BTreeMap<DocumentId, Vec<HubFact>>,
) {
    for (code, class) in &registered.directory.classes {
        let subject = Subject::Class(code.clone());
        if let Some(book) = catalogue.find(Kind::ClassBook, &subject) {
            all.insert(book, timetable(class).into_facts());
        }
        if let Some(roster) = catalogue.find(Kind::ClassRoster, &subject) {
            all.insert(roster, roster_facts(registered, catalogue, code, class).into_facts());
        }
    }
}

fn timetable(class: &SchoolClass) -> Wanted {
    let mut teachers: BTreeMap<String, (String, Vec<PersonId>)> = BTreeMap::new();
    for line in &class.timetable {
        let mut key = format!("{}#{}/{}", line.weekday, line.slot, line.subject);
        if let Some(group) = &line.group {
            key = format!("{key}/{group}");
        }
        let held = teachers.entry(key).or_insert_with(|| (line.room.clone(), Vec::new()));
        for teacher in &line.teachers {
            if !held.1.contains(teacher) {
                held.1.push(*teacher);
            }
        }
    }
    let mut wanted = Wanted::default();
    for (key, (room, teachers)) in teachers {
        let people = teachers
            .iter()
            .take(MAX_TEACHERS)
            .enumerate()
            .map(|(n, teacher)| ((n + 1).to_string(), Scalar::from(*teacher)));
        let line = fact().with("room", shortened(&room)).with_map("teachers", people);
        wanted.put("timetable", key, line);
    }
    wanted
}

/// As much of a room's name as a fact holds.
fn shortened(room: &str) -> String {
    let mut end = MAX_ROOM;
    loop {
        match room.get(..end.min(room.len())) {
            Some(part) => return part.to_owned(),
            // Inside a character of several bytes.
            None => end -= 1,
        }
    }
}

fn roster_facts(
    registered: &Registered,
    catalogue: &Catalogue,
    code: &ClassCode,
    class: &SchoolClass,
) -> Wanted {
    let mut wanted = Wanted::default();
    for (pupil, span) in &class.enrolments {
        let record = catalogue.find(Kind::PupilRecord, &Subject::Person(*pupil));
        let entry = registered.directory.pupils.get(pupil);
        if let (Some(record), Some(entry)) = (record, entry) {
            let of_pupil = fact().with("name", entry.name.as_str()).with("record", record);
            wanted.put("pupils", pupil.to_string(), of_pupil);
            for (group, span) in &entry.groups {
                wanted.put("groups", format!("{group}/{pupil}/{}", span.from), until(fact(), *span));
            }
        }
        wanted.put("enrolments", format!("{pupil}/{}", span.from), until(fact(), *span));
    }
    for (subject, id) in catalogue.of_kind(Kind::ClassMonth) {
        if let Subject::Month(of, month) = subject
            && of == code
        {
            wanted.put("months", month.as_str(), fact().with("document", id));
        }
    }
    for assignment in &class.assignments {
        let (key, row) = assignment_row(assignment);
        put_longer(&mut wanted, key, row);
    }
    for (person, span) in &class.coordinators {
        let key = row_key(*person, "", "coordinator", "", *span, None);
        let row = fact().with("teacher", *person).with("kind", "coordinator").with("from", span.from);
        put_longer(&mut wanted, key, until(row, *span));
    }
    wanted
}

/// Rows that differ in the supported pupil only are one: who is supported stands in `PupilReserve` alone.
fn put_longer(wanted: &mut Wanted, key: String, row: Fact) {
    let held = wanted.get("assignments", &key).map(|held| held.date("to"));
    let longer = match (held, row.date("to")) {
        (None, _) | (Some(Some(_)), None) => true,
        (Some(Some(held)), Some(to)) => to > held,
        (Some(None), _) => false,
    };
    if longer {
        wanted.put("assignments", key, row);
    }
}

fn assignment_row(assignment: &TeachingAssignment) -> (String, Fact) {
    let kind = match assignment.kind {
        AssignmentKind::Normal => "normal",
        AssignmentKind::Lab => "lab",
        AssignmentKind::Extra => "extra",
        AssignmentKind::Alternative => "alternative",
    };
    let group = assignment.group.as_ref().map(|group| group.as_str());
    let key = row_key(
        assignment.teacher,
        assignment.subject.as_str(),
        kind,
        group.unwrap_or_default(),
        assignment.span,
        assignment.supplies,
    );
    let row = fact()
        .with("teacher", assignment.teacher)
        .with("subject", assignment.subject.as_str())
        .with("kind", kind)
        .with_some("group", group)
        .with("from", assignment.span.from)
        .with_some("supplies", assignment.supplies);
    (key, until(row, assignment.span))
}

/// A key that stays the same when the row's end moves.
fn row_key(
    teacher: PersonId,
    subject: &str,
    kind: &str,
    group: &str,
    span: Span,
    supplies: Option<PersonId>,
) -> String {
    let text = Parts::new("registro/assignment/1")
        .part(teacher.as_bytes())
        .part(subject.as_bytes())
        .part(kind.as_bytes())
        .part(group.as_bytes())
        .part(span.from.to_string().as_bytes())
        .part(supplies.as_ref().map_or(&[], |id| id.as_bytes().as_slice()))
        .into_bytes();
    sha256(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
