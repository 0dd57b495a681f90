//! The constant first change of every kind. Every device starts from the same objects, so that two of them never
//! make the same section twice. The bytes are literal and pinned by a test: they are changed only by a decision
//! record until the first release, then never.

use automerge::ChangeHash;

use crate::bytes::sha256;
use crate::kind::{Kind, SPARES};

/// The actor of every genesis.
pub const ACTOR: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// The raw chunk of a kind's genesis.
pub const fn bytes(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::School => include_bytes!("genesis/school.change"),
        Kind::ClassBook => include_bytes!("genesis/class-book.change"),
        Kind::ClassMonth => include_bytes!("genesis/class-month.change"),
        Kind::ClassRoster => include_bytes!("genesis/class-roster.change"),
        Kind::PupilRecord => include_bytes!("genesis/pupil-record.change"),
        Kind::PupilGuardians => include_bytes!("genesis/pupil-guardians.change"),
        Kind::PupilReserve => include_bytes!("genesis/pupil-reserve.change"),
        Kind::TermCouncil => include_bytes!("genesis/term-council.change"),
        Kind::StaffBoard => include_bytes!("genesis/staff-board.change"),
        Kind::StaffDesk => include_bytes!("genesis/staff-desk.change"),
        Kind::StaffMeetings => include_bytes!("genesis/staff-meetings.change"),
        Kind::StaffBook => include_bytes!("genesis/staff-book.change"),
    }
}

/// Hash of a kind's genesis, as Automerge computes it: SHA-256 of the chunk without magic and checksum.
pub fn hash(kind: Kind) -> ChangeHash {
    ChangeHash(sha256(bytes(kind).get(8..).unwrap_or_default()))
}

/// The kind whose genesis has this hash.
pub fn kind_of(genesis: &ChangeHash) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| hash(*kind) == *genesis)
}

/// The sections of a kind in the order of the genesis's operations: the first has operation counter 1.
pub fn sections(kind: Kind) -> impl Iterator<Item = &'static str> {
    kind.sections().iter().copied().chain(SPARES)
}

/// The section whose map the genesis made with this operation counter.
pub fn section_of(kind: Kind, counter: u64) -> Option<&'static str> {
    let index = usize::try_from(counter.checked_sub(1)?).ok()?;
    sections(kind).nth(index)
}

#[cfg(test)]
mod tests {
    use automerge::{Automerge, Change, ReadDoc};

    use super::*;

    /// Pinned on 2026-11-24 with automerge 0.12.0.
    const HASHES: &str = include_str!("genesis/hashes.txt");

    #[test]
    fn the_bytes_of_every_genesis_are_pinned() {
        let found: String = Kind::ALL.iter().map(|kind| format!("{kind} {}\n", hash(*kind))).collect();
        assert_eq!(found, HASHES);
    }

    #[test]
    fn every_genesis_makes_the_sections_of_its_kind_and_the_spares() {
        for kind in Kind::ALL {
            let change = Change::from_bytes(bytes(kind).to_vec()).unwrap();
            assert_eq!(change.hash(), hash(kind));
            assert_eq!(change.actor_id().to_bytes(), ACTOR);
            assert_eq!((change.timestamp(), change.seq(), change.start_op().get()), (0, 1, 1));
            assert!(change.deps().is_empty() && change.message().is_none());
            let mut document = Automerge::new();
            document.apply_changes([change]).unwrap();
            let mut expected: Vec<_> = sections(kind).collect();
            expected.sort_unstable();
            assert_eq!(document.keys(automerge::ROOT).collect::<Vec<_>>(), expected);
            assert_eq!(kind_of(&hash(kind)), Some(kind));
        }
    }
}
