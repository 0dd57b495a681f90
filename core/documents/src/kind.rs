//! The kinds of document and their sections. The audience decides the split: whoever can read a document can
//! read its whole history.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use registro_model::ids::InvalidId;

/// A kind of document: one row of the audience table, per school year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Calendar, slots, terms, subjects, settings, staff, notices to all. Read by everyone in the school.
    #[n(0)]
    School,
    /// Timetable, class notices, materials of a class. Read by its pupils, guardians, teachers, head, office.
    #[n(1)]
    ClassBook,
    /// Lessons, topics, rolls, homework, agenda and notes of a class in one month. Same readers.
    #[n(2)]
    ClassMonth,
    /// Pupils, months, enrolments and assignments of a class. Read by every teacher, head, office.
    #[n(3)]
    ClassRoster,
    /// All that concerns one pupil. Read by the pupil, guardians, class council, head, office.
    #[n(4)]
    PupilRecord,
    /// Guardians, observations, meetings of one pupil. Not read by the pupil.
    #[n(5)]
    PupilGuardians,
    /// Support plans and draft marks of one pupil. Read by council and head.
    #[n(6)]
    PupilReserve,
    /// The council of a class in a term (*scrutinio*). Read by council, head, office.
    #[n(7)]
    TermCouncil,
    /// Notices to staff (*circolari interne*). Read by all staff.
    #[n(8)]
    StaffBoard,
    /// Materials that a teacher shares.
    #[n(9)]
    StaffDesk,
    /// A teacher's meeting slots (*colloqui*).
    #[n(10)]
    StaffMeetings,
    /// Replies and preferences of a member of staff. Read by that person and the office.
    #[n(11)]
    StaffBook,
}

/// Sections that every kind has in reserve: a later version may give them a meaning without a migration.
pub const SPARES: [&str; 4] = ["x1", "x2", "x3", "x4"];

impl Kind {
    /// Every kind, in the order of the wire's numbers.
    pub const ALL: [Self; 12] = [
        Self::School,
        Self::ClassBook,
        Self::ClassMonth,
        Self::ClassRoster,
        Self::PupilRecord,
        Self::PupilGuardians,
        Self::PupilReserve,
        Self::TermCouncil,
        Self::StaffBoard,
        Self::StaffDesk,
        Self::StaffMeetings,
        Self::StaffBook,
    ];

    /// The kind's name in file names and reports: kebab-case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::School => "school",
            Self::ClassBook => "class-book",
            Self::ClassMonth => "class-month",
            Self::ClassRoster => "class-roster",
            Self::PupilRecord => "pupil-record",
            Self::PupilGuardians => "pupil-guardians",
            Self::PupilReserve => "pupil-reserve",
            Self::TermCouncil => "term-council",
            Self::StaffBoard => "staff-board",
            Self::StaffDesk => "staff-desk",
            Self::StaffMeetings => "staff-meetings",
            Self::StaffBook => "staff-book",
        }
    }

    /// The sections that the kind's genesis makes, without the spares.
    pub const fn sections(self) -> &'static [&'static str] {
        match self {
            Self::School => &["calendar", "slots", "terms", "subjects", "settings", "people", "notices"],
            Self::ClassBook => &["timetable", "notices", "materials"],
            Self::ClassMonth => &["lessons", "topics", "rolls", "homework", "agenda", "notes"],
            Self::ClassRoster => &["pupils", "months", "enrolments", "groups", "assignments"],
            Self::PupilRecord => &[
                "profile",
                "attendance",
                "justifications",
                "decisions",
                "marks",
                "notes",
                "notices",
                "replies",
                "submissions",
                "report-cards",
                "opening",
            ],
            Self::PupilGuardians => &["guardians", "observations", "notices", "meetings"],
            Self::PupilReserve => &["plans", "supported", "lessons", "topics", "drafts"],
            Self::TermCouncil => &["stage", "proposals", "finals", "outcomes"],
            Self::StaffBoard => &["notices"],
            Self::StaffDesk => &["materials"],
            Self::StaffMeetings => &["slots"],
            Self::StaffBook => &["replies", "preferences"],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(InvalidId { what: "document kind", why: "unknown name" })
    }
}
