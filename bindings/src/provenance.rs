//! Where a shown fact comes from, and what it says.

use registro_model::{Capacity as ModelCapacity, CommandId, PersonId};

use crate::delivery::DeliveryState;

/// A short phrase for the person, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Says {
    /// In Italian.
    pub italian: String,
    /// In English.
    pub english: String,
}

/// In what capacity a person writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Capacity {
    /// The school's office (*segreteria*).
    Office,
    /// The head (*dirigente*) or a deputy.
    Head,
    /// The class's coordinator or the chair of its council (*coordinatore*).
    Council,
    /// A teacher with an assignment (*cattedra*) in the class.
    Lesson,
    /// A teacher in service who stands in for a colleague (*supplente*).
    Substitute,
    /// Any member of staff, of themselves.
    Staff,
    /// The hub itself.
    School,
    /// A guardian (*genitore, tutore*).
    Guardian,
    /// The pupil.
    Pupil,
}

/// Where a shown fact comes from: who, in what capacity, on which device, when, and whether the hub has it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Provenance {
    /// What wrote it: on its author's device, `written` lists it under this id.
    pub version: CommandId,
    /// Who wrote it; nothing until their certificate is on this device.
    pub author: Option<PersonId>,
    /// Their name, where it is known on this device.
    pub author_name: Option<String>,
    /// The device that wrote it: 16 lower-case hexadecimal digits.
    pub device: Option<String>,
    /// In what capacity it was written.
    pub capacity: Capacity,
    /// Position of the hour that it is about, where it is about one.
    pub slot: Option<u8>,
    /// When the author's device said it was, Unix seconds. Evidence of nothing.
    pub claimed: i64,
    /// Whether the hub has it (`Confirmed`), and since when, or not yet (`Pending`).
    pub delivery: DeliveryState,
}

impl From<registro::Says> for Says {
    fn from(says: registro::Says) -> Self {
        Self { italian: says.italian, english: says.english }
    }
}

impl From<Says> for registro::Says {
    fn from(says: Says) -> Self {
        Self { italian: says.italian, english: says.english }
    }
}

impl From<registro::Provenance> for Provenance {
    fn from(provenance: registro::Provenance) -> Self {
        Self {
            version: provenance.version,
            author: provenance.author,
            author_name: provenance.author_name,
            device: provenance.device,
            capacity: provenance.capacity.into(),
            slot: provenance.slot,
            claimed: provenance.claimed,
            delivery: provenance.delivery.into(),
        }
    }
}

impl From<Provenance> for registro::Provenance {
    fn from(provenance: Provenance) -> Self {
        Self {
            version: provenance.version,
            author: provenance.author,
            author_name: provenance.author_name,
            device: provenance.device,
            capacity: provenance.capacity.into(),
            slot: provenance.slot,
            claimed: provenance.claimed,
            delivery: provenance.delivery.into(),
        }
    }
}

impl From<ModelCapacity> for Capacity {
    fn from(capacity: ModelCapacity) -> Self {
        match capacity {
            ModelCapacity::Office => Self::Office,
            ModelCapacity::Head => Self::Head,
            ModelCapacity::Council => Self::Council,
            ModelCapacity::Lesson => Self::Lesson,
            ModelCapacity::Substitute => Self::Substitute,
            ModelCapacity::Staff => Self::Staff,
            ModelCapacity::School => Self::School,
            ModelCapacity::Guardian => Self::Guardian,
            ModelCapacity::Pupil => Self::Pupil,
        }
    }
}

impl From<Capacity> for ModelCapacity {
    fn from(capacity: Capacity) -> Self {
        match capacity {
            Capacity::Office => Self::Office,
            Capacity::Head => Self::Head,
            Capacity::Council => Self::Council,
            Capacity::Lesson => Self::Lesson,
            Capacity::Substitute => Self::Substitute,
            Capacity::Staff => Self::Staff,
            Capacity::School => Self::School,
            Capacity::Guardian => Self::Guardian,
            Capacity::Pupil => Self::Pupil,
        }
    }
}
