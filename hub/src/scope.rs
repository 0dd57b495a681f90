//! Who may read what: a pure function of the directory and a day. The reader column of the audience table is law
//! here; a document that a person may not read does not exist for them.

use std::collections::BTreeMap;

use registro_documents::{Kind, Subject};
use registro_model::directory::{Directory, GuardianRights};
use registro_model::people::Role;
use registro_model::school::School;
use registro_model::{ClassCode, Date, DocumentId, PersonId};

use crate::documents::Catalogue;

/// What a person may read: documents, each with the last day of which news are sent, if there is one.
pub type Readable = BTreeMap<DocumentId, Option<Date>>;

/// Kinds of school whose pupils have no account (*primo ciclo*), by the third and fourth letter of the ministry
/// code. Source: L. 182/2025.
const FIRST_CYCLE: [&str; 4] = ["AA", "EE", "IC", "MM"];

/// What the person may read on that day, the union over all their roles and children.
pub fn scope(
    directory: &Directory,
    school: &School,
    documents: &Catalogue,
    person: PersonId,
    today: Date,
) -> Readable {
    let mut scope = Gathering { documents, readable: Readable::new() };
    let holds = |role| directory.has_role(person, role, today) == Some(true);
    let (head, office, teacher) = (holds(Role::Head), holds(Role::Office), holds(Role::Teacher));
    if head || office || teacher || holds(Role::SupportStaff) {
        scope.add(Kind::School, &Subject::School);
        scope.add(Kind::StaffBoard, &Subject::School);
        scope.add(Kind::StaffBook, &Subject::Person(person));
    }
    for identity in documents.all() {
        let read = match identity.kind {
            Kind::PupilReserve => head,
            Kind::StaffBook => office,
            _ => head || office,
        };
        if read {
            scope.readable.insert(identity.id, None);
        }
    }
    if teacher {
        scope.add_teacher(directory, person, today);
    }
    for (pupil, entry) in &directory.pupils {
        let rights = directory.guardian_rights(person, *pupil, today);
        if matches!(rights, Some(GuardianRights::Complete | GuardianRights::SeesOnly)) {
            scope.add_family(directory, *pupil, &entry.classes, today, true);
        }
    }
    if let Some(entry) = directory.pupils.get(&person)
        && has_pupil_accounts(school)
    {
        scope.add_family(directory, person, &entry.classes, today, false);
    }
    scope.readable
}

/// Whether pupils of the school have accounts of their own.
fn has_pupil_accounts(school: &School) -> bool {
    !school.code.get(2..4).is_some_and(|kind| FIRST_CYCLE.contains(&kind))
}

struct Gathering<'a> {
    documents: &'a Catalogue,
    readable: Readable,
}

impl Gathering<'_> {
    fn add(&mut self, kind: Kind, subject: &Subject) {
        self.add_until(kind, subject, None);
    }

    /// What is read without end by one role is read without end.
    fn add_until(&mut self, kind: Kind, subject: &Subject, until: Option<Date>) {
        let Some(id) = self.documents.find(kind, subject) else { return };
        self.readable
            .entry(id)
            .and_modify(|held| {
                *held = match (*held, until) {
                    (Some(held), Some(until)) => Some(held.max(until)),
                    _ => None,
                }
            })
            .or_insert(until);
    }

    /// A class's months; those after the last day are none of the reader's.
    fn add_months(&mut self, class: &ClassCode, until: Option<Date>) {
        let last = until.map(|until| until.format("%Y-%m").to_string());
        let months: Vec<Subject> = self
            .documents
            .of_kind(Kind::ClassMonth)
            .filter(|(subject, _)| match subject {
                Subject::Month(of, month) => of == class && last.as_ref().is_none_or(|last| month <= last),
                _ => false,
            })
            .map(|(subject, _)| subject.clone())
            .collect();
        for month in months {
            self.add_until(Kind::ClassMonth, &month, until);
        }
    }

    /// A teacher: every roster, and whole documents of the classes of own assignments while they last. A replaced
    /// teacher goes on reading. The coordinator reads the class whatever they teach.
    fn add_teacher(&mut self, directory: &Directory, person: PersonId, today: Date) {
        self.add(Kind::StaffDesk, &Subject::Person(person));
        self.add(Kind::StaffMeetings, &Subject::Person(person));
        let rosters: Vec<_> = self.documents.of_kind(Kind::ClassRoster).map(|(_, id)| id).collect();
        self.readable.extend(rosters.into_iter().map(|id| (id, None)));
        for (class, entry) in &directory.classes {
            let teaches = entry.assignments.iter().any(|a| a.teacher == person && a.span.contains(today));
            let coordinates = entry.coordinators.iter().any(|(p, span)| *p == person && span.contains(today));
            if !teaches && !coordinates {
                continue;
            }
            self.add(Kind::ClassBook, &Subject::Class(class.clone()));
            self.add_months(class, None);
            let terms: Vec<_> = self
                .documents
                .of_kind(Kind::TermCouncil)
                .filter(|(subject, _)| subject.class() == Some(class))
                .map(|(_, id)| id)
                .collect();
            self.readable.extend(terms.into_iter().map(|id| (id, None)));
            for (pupil, span) in &entry.enrolments {
                if span.contains(today) {
                    for kind in [Kind::PupilRecord, Kind::PupilGuardians, Kind::PupilReserve] {
                        self.add(kind, &Subject::Person(*pupil));
                    }
                }
            }
        }
    }

    /// The pupil's family, or the pupil: the record, and the class while it lasts. Of a class that was left, the
    /// replica stays as of the last day.
    fn add_family(
        &mut self,
        directory: &Directory,
        pupil: PersonId,
        classes: &[(ClassCode, registro_model::time::Span)],
        today: Date,
        guardian: bool,
    ) {
        self.add(Kind::School, &Subject::School);
        self.add(Kind::PupilRecord, &Subject::Person(pupil));
        if guardian {
            self.add(Kind::PupilGuardians, &Subject::Person(pupil));
        }
        for (class, span) in classes.iter().filter(|(_, span)| span.from <= today) {
            let until = span.to.filter(|to| *to < today);
            self.add_until(Kind::ClassBook, &Subject::Class(class.clone()), until);
            self.add_months(class, until);
            let Some(entry) = directory.classes.get(class).filter(|_| until.is_none()) else { continue };
            for assignment in entry.assignments.iter().filter(|a| a.span.contains(today)) {
                self.add(Kind::StaffDesk, &Subject::Person(assignment.teacher));
                if guardian {
                    self.add(Kind::StaffMeetings, &Subject::Person(assignment.teacher));
                }
            }
        }
    }
}
