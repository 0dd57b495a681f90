//! The policy: who may write what, in which capacity, on which date, over whose fact.
//!
//! One table of pure code on decoded facts, the same in the app (which greys out a button), at the hub and on
//! another tablet. It judges authority only. Rules about *other facts* (an entry excludes an absence) guard the
//! author's screen and are otherwise decided by the merge, because an offline author could not know.

mod attendance;
mod event;
mod justification;
mod lesson;
pub mod level;
pub mod office;
mod reason;
mod school;
mod standing;

use registro_model::directory::Directory;
use registro_model::school::School;
use registro_model::{Capacity, ClassCode, Date, PersonId, SchoolId};

use crate::fact::Fact;
use crate::identity::{DocumentIdentity, Subject};
use crate::kind::Kind;

pub use event::event_date;
pub use reason::Reason;
pub use standing::{standing, standing_of_change};

/// What the policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The author may write this.
    Allowed,
    /// They may not, and why.
    Refused(Reason),
    /// The directory known here does not say. Only a device can be in doubt, never the hub.
    CannotTell,
}

impl Answer {
    fn from_knowledge(known: Option<bool>, reason: Reason) -> Self {
        match known {
            Some(true) => Self::Allowed,
            Some(false) => Self::Refused(reason),
            None => Self::CannotTell,
        }
    }

    /// Both must hold; a refusal weighs more than a doubt.
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Refused(_) => self,
            Self::Allowed => other(),
            Self::CannotTell => match other() {
                Self::Refused(reason) => Self::Refused(reason),
                _ => Self::CannotTell,
            },
        }
    }
}

/// A version that the new fact replaces, with its author where known.
#[derive(Debug, Clone, Copy)]
pub struct Replaced<'a> {
    /// The fact.
    pub fact: &'a Fact,
    /// Its author.
    pub author: Option<PersonId>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The school, whose id stands for the hub as an author.
    pub school_id: SchoolId,
    /// Calendar, bell, settings.
    pub school: &'a School,
    /// Who is what, by date.
    pub directory: &'a Directory,
    /// The document.
    pub document: &'a DocumentIdentity,
    /// Who writes.
    pub author: PersonId,
    /// In which capacity.
    pub capacity: Capacity,
    /// The section.
    pub section: &'a str,
    /// The key.
    pub key: &'a str,
    /// The fact.
    pub fact: &'a Fact,
    /// What it replaces at the change's deps.
    pub replaced: &'a [Replaced<'a>],
    /// Last day that a fact may be dated: the hub's tomorrow. `None` on a device, whose clock is no evidence.
    pub latest: Option<Date>,
}

/// Judges one fact of a change.
pub fn judge(question: &Question<'_>) -> Answer {
    if question.fact.capacity != question.capacity {
        return Answer::Refused(Reason::CapacityMismatch);
    }
    let date = event_date(question);
    if let (Some(date), Some(latest)) = (date, question.latest)
        && date > latest
        && !(justification::is_asked_in_advance(question) && question.school.year.contains(date))
    {
        return Answer::Refused(Reason::Future);
    }
    match (question.document.kind, question.section) {
        (Kind::School, _)
        | (Kind::ClassBook, "timetable")
        | (Kind::ClassRoster, _)
        | (Kind::PupilRecord, "profile")
        | (Kind::PupilGuardians, "guardians")
        | (Kind::PupilReserve, "supported") => school::judge(question),
        (Kind::ClassMonth, "rolls" | "lessons" | "topics") => lesson::judge(question, date),
        (Kind::PupilRecord, "attendance") => attendance::judge(question, date),
        (Kind::PupilRecord, "justifications") => justification::judge(question, date),
        (Kind::PupilRecord, "decisions") => justification::judge_decision(question, date),
        _ => Answer::Refused(Reason::NotWritable),
    }
}

impl Question<'_> {
    /// Whether office, head or council write with authority of their own over the class on that day.
    fn directs(&self, class: Option<&ClassCode>, date: Date) -> Answer {
        use registro_model::people::Role;
        match self.capacity {
            Capacity::Office => Answer::from_knowledge(
                self.directory.has_role(self.author, Role::Office, date),
                Reason::NoRole,
            ),
            Capacity::Head => {
                Answer::from_knowledge(self.directory.has_role(self.author, Role::Head, date), Reason::NoRole)
            }
            Capacity::Council => match class {
                Some(class) => Answer::from_knowledge(
                    self.directory.is_coordinator(self.author, class, date),
                    Reason::NotCoordinator,
                ),
                // Nobody coordinates a pupil who is in no class.
                None => Answer::Refused(Reason::NotCoordinator),
            },
            _ => Answer::Refused(Reason::NoRole),
        }
    }

    /// Whether the author teaches in the class on that day, or stands in for a colleague.
    fn teaches(&self, class: &ClassCode, date: Date) -> Answer {
        use registro_model::people::Role;
        match self.capacity {
            Capacity::Lesson => Answer::from_knowledge(
                self.directory.is_assigned(self.author, class, date),
                Reason::NotAssigned,
            ),
            // In service: a teacher on that day, whom no supply row replaces. The replaced teacher reads only.
            Capacity::Substitute => Answer::from_knowledge(
                self.directory.has_role(self.author, Role::Teacher, date),
                Reason::NotInService,
            )
            .and(|| {
                let present = self.directory.is_away(self.author, date).map(|away| !away);
                Answer::from_knowledge(present, Reason::NotInService)
            }),
            _ => Answer::Refused(Reason::NotInCapacity),
        }
    }

    /// The pupil's class on the day, for documents of a pupil.
    fn class_on(&self, date: Date) -> Result<ClassCode, Answer> {
        let pupil = match &self.document.subject {
            Subject::Person(pupil) => *pupil,
            _ => return Err(Answer::Refused(Reason::NotWritable)),
        };
        match self.directory.class_of(pupil, date) {
            Some(Some(class)) => Ok(class.clone()),
            Some(None) => Err(Answer::Refused(Reason::NotEnrolled)),
            None => Err(Answer::CannotTell),
        }
    }

    /// Every replaced fact must be the author's own.
    fn replaces_only_own(&self) -> Answer {
        let mut doubt = false;
        for replaced in self.replaced {
            match replaced.author {
                Some(author) if author == self.author => {}
                Some(_) => return Answer::Refused(Reason::OthersFact),
                None => doubt = true,
            }
        }
        if doubt { Answer::CannotTell } else { Answer::Allowed }
    }
}

#[cfg(test)]
mod tests;
