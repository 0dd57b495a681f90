//! Signing lessons (*firma*) with their topic (*argomento*): L1 to L3, as far as this device sees.

use registro_documents::Fact;
use registro_documents::merge::KeyDecision;
use registro_model::directory::{AssignmentKind, Directory};
use registro_model::ids::GroupCode;
use registro_model::lesson::{LessonKind, SignedLesson};
use registro_model::school::{School, SubjectKind};
use registro_model::{Capacity, ClassCode, CommandId, Date, DocumentId, PersonId, SubjectCode};
use registro_sync::device::{Device, Draft, DraftWrite};

use super::{Place, Teacher, person_of};
use crate::attendance::in_conflict;
use crate::error::Error;
use crate::hours::signatures;
use crate::read::{self, Held, give};

impl Teacher {
    /// Signs a lesson (*firma*) with its topic (*argomento*), which may be empty: of the whole class, or of the only
    /// group for which this teacher holds the subject. Signing again corrects it.
    ///
    /// # Errors
    /// `Rule` if a colleague has signed the hour and this is neither the same subject nor learning support nor a
    /// different group (L2), or if this teacher has signed the hour in another class (L3); `NotFound`, `NotAllowed`.
    pub fn sign_lesson(
        &self,
        class: &ClassCode,
        date: Date,
        slot: u8,
        subject: &SubjectCode,
        topic: &str,
    ) -> Result<CommandId, Error> {
        self.sign(class, date, slot, subject, None, topic)
    }

    /// Signs a lesson of a group (*gruppo*), as [`LessonSlot`](registro_model::timetable::LessonSlot) names it.
    ///
    /// # Errors
    /// As [`Teacher::sign_lesson`].
    pub fn sign_lesson_of_group(
        &self,
        class: &ClassCode,
        date: Date,
        slot: u8,
        subject: &SubjectCode,
        group: &GroupCode,
        topic: &str,
    ) -> Result<CommandId, Error> {
        self.sign(class, date, slot, subject, Some(group), topic)
    }

    fn sign(
        &self,
        class: &ClassCode,
        date: Date,
        slot: u8,
        subject: &SubjectCode,
        group: Option<&GroupCode>,
        topic: &str,
    ) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        let person = person_of(&device)?;
        let capacity = self.capacity_in(&mut device, class, date)?;
        let place = Place::of(&mut device, class, date)?;
        if !place.bells.is_empty() && !place.bells.iter().any(|bell| bell.position == slot) {
            return Err(Error::rule("In quest'ora non c'è lezione.", "There is no lesson in that hour."));
        }
        let (directory, school) = device.directory()?;
        let known = school.subjects.iter().find(|known| known.code == *subject);
        let subject_kind = known.map_or(SubjectKind::Normal, |known| known.kind);
        let only_group = only_group(directory, person, class, subject, date);
        let mut lesson = SignedLesson {
            teacher: person,
            subject: subject.clone(),
            subject_kind,
            group: group.cloned().or(only_group),
            kind: kind_of(directory, person, class, subject, subject_kind, capacity, date),
        };
        let school = school.clone();
        self.guard_hour(&device, &school, class, date, slot, capacity, &mut lesson)?;
        self.guard_teacher(&mut device, &school, class, date, slot, &lesson)?;

        let document = read::month_document(&mut device, class, date)?;
        let key = format!("{date}#{slot}/{person}");
        for section in ["lessons", "topics"] {
            guard_conflict(&mut device, document, section, &key)?;
        }
        let id = device.draw_command();
        let fact = Fact::new(id, capacity)
            .with("subject", subject.as_str())
            .with("kind", lesson.kind.as_str())
            .with_some("group", lesson.group.as_ref().map(|group| group.as_str()));
        let mut writes = vec![DraftWrite { document, section: "lessons", key: key.clone(), fact }];
        if !topic.is_empty() {
            let fact = Fact::new(id, capacity).with("topic", topic);
            writes.push(DraftWrite { document, section: "topics", key, fact });
        }
        give(&mut device, Draft { id, capacity, writes })
    }

    /// L2: beside whom the hour is signed. A teacher of the class who signs beside the lesson's teacher co-teaches.
    #[allow(clippy::too_many_arguments)]
    fn guard_hour(
        &self,
        device: &Device,
        school: &School,
        class: &ClassCode,
        date: Date,
        slot: u8,
        capacity: Capacity,
        lesson: &mut SignedLesson,
    ) -> Result<(), Error> {
        let Held::Here(month) = read::month(device, class, date) else { return Ok(()) };
        let mut signed = signatures(device, school, month, date)?.remove(&slot).unwrap_or_default();
        signed.retain(|other| other.teacher != lesson.teacher);
        if signed.iter().any(|other| !lesson.may_stand_beside(other)) {
            return Err(Error::rule(
                "L'ora è già firmata da un altro docente per un'altra materia.",
                "Another teacher has signed this hour for another subject.",
            ));
        }
        let beside = |other: &SignedLesson| {
            other.kind == LessonKind::Lesson && other.subject == lesson.subject && other.group == lesson.group
        };
        let in_own_class = capacity != Capacity::Substitute && lesson.kind != LessonKind::Support;
        if in_own_class && signed.iter().any(beside) {
            lesson.kind = LessonKind::CoTeaching;
        }
        Ok(())
    }

    /// L3: where else the teacher has signed the same hour.
    fn guard_teacher(
        &self,
        device: &mut Device,
        school: &School,
        class: &ClassCode,
        date: Date,
        slot: u8,
        lesson: &SignedLesson,
    ) -> Result<(), Error> {
        let classes: Vec<ClassCode> = device.directory()?.0.classes.keys().cloned().collect();
        for other in classes.iter().filter(|other| *other != class) {
            let Held::Here(month) = read::month(device, other, date) else { continue };
            let signed = signatures(device, school, month, date)?.remove(&slot).unwrap_or_default();
            let own = signed.iter().filter(|signed| signed.teacher == lesson.teacher);
            if own.into_iter().any(|own| !lesson.may_be_held_with(own)) {
                return Err(Error::rule(
                    "Hai già firmato quest'ora in un'altra classe.",
                    "You have already signed this hour in another class.",
                ));
            }
        }
        Ok(())
    }
}

/// The values must have been seen before anybody writes over them.
pub(super) fn guard_conflict(
    device: &mut Device,
    document: DocumentId,
    section: &'static str,
    key: &str,
) -> Result<(), Error> {
    let decided = read::decided(device, document, section, [key.to_owned()])?;
    let conflict = decided.get(key).is_some_and(|decision: &KeyDecision| decision.conflict);
    if conflict { Err(in_conflict()) } else { Ok(()) }
}

/// The group, where the teacher holds the subject in the class for one group only.
fn only_group(
    directory: &Directory,
    person: PersonId,
    class: &ClassCode,
    subject: &SubjectCode,
    date: Date,
) -> Option<GroupCode> {
    let held = directory.classes.get(class)?.assignments.iter();
    let mut groups = held
        .filter(|a| a.teacher == person && a.subject == *subject && a.span.contains(date))
        .map(|a| a.group.as_ref());
    let first = groups.next()??;
    groups.all(|group| group == Some(first)).then(|| first.clone())
}

/// What a signature is: by the subject, by the capacity, or by the assignment. Who does not hold the subject in the
/// class stands in for somebody; civics (*educazione civica*) is everybody's.
fn kind_of(
    directory: &Directory,
    person: PersonId,
    class: &ClassCode,
    subject: &SubjectCode,
    subject_kind: SubjectKind,
    capacity: Capacity,
    date: Date,
) -> LessonKind {
    match (subject_kind, capacity) {
        (SubjectKind::LearningSupport, _) => return LessonKind::Support,
        (SubjectKind::Substitution, _) | (_, Capacity::Substitute) => return LessonKind::Substitution,
        _ => {}
    }
    let assignments = directory.classes.get(class).map(|class| class.assignments.as_slice());
    let mut held = assignments
        .unwrap_or_default()
        .iter()
        .filter(|a| a.teacher == person && a.subject == *subject && a.span.contains(date))
        .peekable();
    if held.peek().is_none() {
        let own = subject_kind == SubjectKind::Civics;
        return if own { LessonKind::Lesson } else { LessonKind::Substitution };
    }
    let beside = held.all(|a| matches!(a.kind, AssignmentKind::Lab | AssignmentKind::Extra));
    if beside { LessonKind::CoTeaching } else { LessonKind::Lesson }
}
