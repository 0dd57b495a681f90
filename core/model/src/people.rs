//! Roles, capacities and standing: in what quality somebody writes, and how much it weighs.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};

use crate::ids::InvalidId;

/// A role of a member of staff, held from one date to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Head (*dirigente scolastico*) and deputies.
    #[n(0)]
    Head,
    /// Office (*segreteria*).
    #[n(1)]
    Office,
    /// Teacher (*docente*).
    #[n(2)]
    Teacher,
    /// Support staff (*ATA*) outside the office.
    #[n(3)]
    SupportStaff,
}

impl Role {
    /// The name that facts use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Office => "office",
            Self::Teacher => "teacher",
            Self::SupportStaff => "support",
        }
    }
}

impl FromStr for Role {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        [Self::Head, Self::Office, Self::Teacher, Self::SupportStaff]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidId { what: "role", why: "unknown name" })
    }
}

/// The capacity in which a fact was written, its field `as`. The hub never exchanges one for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Capacity {
    /// The school's office (*segreteria*).
    #[n(0)]
    Office,
    /// The head (*dirigente*) or a deputy.
    #[n(1)]
    Head,
    /// The class's coordinator or the chair of its council (*coordinatore*).
    #[n(2)]
    Council,
    /// A teacher with an assignment (*cattedra*) in the class.
    #[n(3)]
    Lesson,
    /// A teacher in service who stands in for a colleague (*supplente*).
    #[n(4)]
    Substitute,
    /// Any member of staff, of themselves.
    #[n(5)]
    Staff,
    /// The hub itself, as certified author of directory facts.
    #[n(6)]
    School,
    /// A guardian (*genitore, tutore*).
    #[n(7)]
    Guardian,
    /// The pupil.
    #[n(8)]
    Pupil,
}

impl Capacity {
    /// Every capacity, in the order of the wire's numbers.
    pub const ALL: [Self; 9] = [
        Self::Office,
        Self::Head,
        Self::Council,
        Self::Lesson,
        Self::Substitute,
        Self::Staff,
        Self::School,
        Self::Guardian,
        Self::Pupil,
    ];

    /// The name that facts and envelopes use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Head => "head",
            Self::Council => "council",
            Self::Lesson => "lesson",
            Self::Substitute => "substitute",
            Self::Staff => "staff",
            Self::School => "school",
            Self::Guardian => "guardian",
            Self::Pupil => "pupil",
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Capacity {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|capacity| capacity.as_str() == text)
            .ok_or(InvalidId { what: "capacity", why: "unknown name" })
    }
}

/// How much an accepted change weighs in a merge, fixed by the hub from its directory when it accepts it.
/// Greater is stronger; equal values are peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// The pupil.
    #[n(0)]
    Pupil,
    /// A guardian.
    #[n(1)]
    Guardian,
    /// The hub's own writing.
    #[n(2)]
    School,
    /// Staff outside a timetabled lesson of their own.
    #[n(3)]
    OtherStaff,
    /// A substitute.
    #[n(4)]
    Substitute,
    /// A teacher in the lesson that the timetable gives them.
    #[n(5)]
    TimetabledLesson,
    /// The head or the class's council.
    #[n(6)]
    HeadOrCouncil,
    /// The office.
    #[n(7)]
    Office,
}

impl Standing {
    /// The standing of a number on the wire or in a packed table.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Pupil,
            1 => Self::Guardian,
            2 => Self::School,
            3 => Self::OtherStaff,
            4 => Self::Substitute,
            5 => Self::TimetabledLesson,
            6 => Self::HeadOrCouncil,
            7 => Self::Office,
            _ => return None,
        })
    }
}
