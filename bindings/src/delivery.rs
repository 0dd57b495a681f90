//! What became of what was written.

use registro_model::{ClassCode, CommandId, PersonId};

use crate::provenance::{Capacity, Says};
use crate::values::IsoDate;

/// Delivery state of something written on this device.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DeliveryState {
    /// Not confirmed by the hub yet. It is safe on this device.
    Pending,
    /// In the register.
    Confirmed {
        /// When the hub received it, Unix milliseconds.
        at: i64,
    },
    /// With the office (*segreteria*), which decides.
    WithOffice {
        /// Why, in Italian.
        italian: String,
        /// Why, in English.
        english: String,
    },
    /// Refused. It is kept on this device, and nobody else sees it.
    Refused {
        /// Stable name of the reason, for programs.
        reason: String,
        /// Why, in Italian.
        italian: String,
        /// Why, in English.
        english: String,
    },
}

/// Whom or what a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum About {
    /// A pupil.
    Pupil {
        /// Who.
        pupil: PersonId,
        /// Their name, where it is known on this device.
        name: Option<String>,
    },
    /// A class.
    SchoolClass {
        /// Which.
        class_code: ClassCode,
    },
    /// Something else, or not known on this device any more.
    Other,
}

/// One fact of something written.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WrittenFact {
    /// The section of the register, such as `attendance`.
    pub section: String,
    /// Its key there.
    pub key: String,
    /// Whom it is about.
    pub about: About,
    /// The day that it is about; for justifications and decisions the last one.
    pub date: Option<IsoDate>,
    /// Position of the hour that it is about, where it is about one.
    pub slot: Option<u8>,
    /// What it says.
    pub says: Says,
    /// Whether it is why all of it was refused or is with the office; several may be.
    pub is_cause: bool,
}

/// Something written on this device.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Written {
    /// Its id, as the call that wrote it gave it.
    pub command: CommandId,
    /// When this device's clock said it was written, Unix seconds.
    pub claimed: i64,
    /// In what capacity.
    pub capacity: Capacity,
    /// What it wrote.
    pub facts: Vec<WrittenFact>,
    /// What became of it.
    pub delivery: DeliveryState,
    /// What this writes the rest of, after some of its facts were refused or are with the office.
    pub instead_of: Option<CommandId>,
}

impl From<registro::DeliveryState> for DeliveryState {
    fn from(state: registro::DeliveryState) -> Self {
        use registro::DeliveryState as Theirs;
        match state {
            Theirs::Pending => Self::Pending,
            Theirs::Confirmed { at } => Self::Confirmed { at },
            Theirs::WithOffice { italian, english } => Self::WithOffice { italian, english },
            Theirs::Refused { reason, italian, english } => Self::Refused { reason, italian, english },
        }
    }
}

impl From<DeliveryState> for registro::DeliveryState {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Pending,
            DeliveryState::Confirmed { at } => Self::Confirmed { at },
            DeliveryState::WithOffice { italian, english } => Self::WithOffice { italian, english },
            DeliveryState::Refused { reason, italian, english } => Self::Refused { reason, italian, english },
        }
    }
}

impl From<registro::About> for About {
    fn from(about: registro::About) -> Self {
        match about {
            registro::About::Pupil { pupil, name } => Self::Pupil { pupil, name },
            registro::About::Class(class_code) => Self::SchoolClass { class_code },
            registro::About::Other => Self::Other,
        }
    }
}

impl From<registro::WrittenFact> for WrittenFact {
    fn from(fact: registro::WrittenFact) -> Self {
        Self {
            section: fact.section,
            key: fact.key,
            about: fact.about.into(),
            date: fact.date,
            slot: fact.slot,
            says: fact.says.into(),
            is_cause: fact.is_cause,
        }
    }
}

impl From<registro::Written> for Written {
    fn from(written: registro::Written) -> Self {
        Self {
            command: written.command,
            claimed: written.claimed,
            capacity: written.capacity.into(),
            facts: written.facts.into_iter().map(WrittenFact::from).collect(),
            delivery: written.delivery.into(),
            instead_of: written.instead_of,
        }
    }
}
