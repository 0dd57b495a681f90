//! Signed lessons (*firme*): which signatures may stand beside each other (L2, L3) and whose hours they are (L5).

use core::str::FromStr;
use std::collections::BTreeSet;

use crate::ids::{GroupCode, InvalidId, PersonId, SubjectCode};
use crate::school::SubjectKind;

/// What a signature is (*tipo firma*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LessonKind {
    /// The lesson's teacher.
    Lesson,
    /// In the place of a colleague (*supplenza*).
    Substitution,
    /// Beside the lesson's teacher (*compresenza*).
    CoTeaching,
    /// Learning support (*sostegno*).
    Support,
}

impl LessonKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Lesson, Self::Substitution, Self::CoTeaching, Self::Support];

    /// The name that facts use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lesson => "lesson",
            Self::Substitution => "substitution",
            Self::CoTeaching => "co-teaching",
            Self::Support => "support",
        }
    }
}

impl FromStr for LessonKind {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(InvalidId { what: "lesson kind", why: "unknown name" })
    }
}

/// A pupil's choice about religion (*scelta IRC*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReligionChoice {
    /// Attends (`S`).
    Attends,
    /// Leaves the school (`U`).
    Leaves,
    /// Studies alone (`I`).
    StudiesAlone,
    /// Studies with a teacher (`D`).
    StudiesWithTeacher,
    /// The alternative activity (`A`).
    Alternative,
}

impl FromStr for ReligionChoice {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Ok(match text {
            "S" => Self::Attends,
            "U" => Self::Leaves,
            "I" => Self::StudiesAlone,
            "D" => Self::StudiesWithTeacher,
            "A" => Self::Alternative,
            _ => return Err(InvalidId { what: "religion choice", why: "unknown letter" }),
        })
    }
}

/// What a pupil belongs to on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    /// Groups.
    pub groups: BTreeSet<GroupCode>,
    /// The choice about religion; a pupil of whom none is known attends.
    pub religion: Option<ReligionChoice>,
}

/// A signature of one hour of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLesson {
    /// Who signed.
    pub teacher: PersonId,
    /// The subject.
    pub subject: SubjectCode,
    /// What kind of subject that is.
    pub subject_kind: SubjectKind,
    /// The group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// What the signature is.
    pub kind: LessonKind,
}

/// For whom a lesson is.
#[derive(PartialEq, Eq)]
enum Audience<'a> {
    Class,
    /// Those who chose religion, or its alternative where that is no group.
    Religion(&'a SubjectCode),
    Group(&'a GroupCode),
}

impl SignedLesson {
    /// Religion is for those who chose it. Its alternative has the same kind of subject and is told by its group.
    fn audience(&self) -> Audience<'_> {
        match (&self.group, self.subject_kind) {
            (Some(group), _) => Audience::Group(group),
            (None, SubjectKind::Religion) => Audience::Religion(&self.subject),
            (None, _) => Audience::Class,
        }
    }

    fn is_support(&self) -> bool {
        self.kind == LessonKind::Support || self.subject_kind == SubjectKind::LearningSupport
    }

    /// Whether this may be signed beside a colleague's signature of the same class and hour (L2): the same subject
    /// (*compresenza*), learning support, or a different group.
    pub fn may_stand_beside(&self, other: &Self) -> bool {
        let different_group = match (self.audience(), other.audience()) {
            (Audience::Class, _) | (_, Audience::Class) => false,
            (mine, theirs) => mine != theirs,
        };
        self.subject == other.subject || self.is_support() || other.is_support() || different_group
    }

    /// Whether a teacher may sign this beside their own signature of the same hour in another class (L3): only
    /// substitutions cover several classes, and a group that joins pupils of several classes has one lesson.
    pub fn may_be_held_with(&self, elsewhere: &Self) -> bool {
        let substitution =
            self.kind == LessonKind::Substitution || elsewhere.kind == LessonKind::Substitution;
        let one_lesson =
            self.group.is_some() && self.group == elsewhere.group && self.subject == elsewhere.subject;
        substitution || one_lesson
    }

    /// Whether the hour is one of the pupil's (L5): of the class or of a group of theirs; religion only for those
    /// who attend it. A support teacher's signature is about another pupil and carries nobody's hours.
    pub fn concerns(&self, pupil: &Membership) -> bool {
        if self.is_support() {
            return false;
        }
        match self.audience() {
            Audience::Class => true,
            Audience::Group(group) => pupil.groups.contains(group),
            Audience::Religion(_) => matches!(pupil.religion, None | Some(ReligionChoice::Attends)),
        }
    }
}

/// The lesson whose subject an hour counts for, of all signatures of one hour in the order in which they were
/// accepted: one that concerns the pupil, the lesson's teacher before a substitute, both before who stands beside.
pub fn lesson_of<'a>(signed: &'a [SignedLesson], pupil: &Membership) -> Option<&'a SignedLesson> {
    // `min_by_key` keeps the first of equals.
    signed.iter().filter(|lesson| lesson.concerns(pupil)).min_by_key(|lesson| lesson.kind)
}
