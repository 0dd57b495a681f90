//! What became of what was written.

use registro_model::CommandId;

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

/// One fact of something written.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WrittenFact {
    /// The section of the register, such as `attendance`.
    pub section: String,
    /// Its key there.
    pub key: String,
}

/// Something written on this device.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Written {
    /// Its id, as the call that wrote it gave it.
    pub command: CommandId,
    /// When this device's clock said it was written, Unix seconds.
    pub claimed: i64,
    /// What it wrote.
    pub facts: Vec<WrittenFact>,
    /// What became of it.
    pub delivery: DeliveryState,
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

impl From<registro::Written> for Written {
    fn from(written: registro::Written) -> Self {
        Self {
            command: written.command,
            claimed: written.claimed,
            facts: written.facts.into_iter().map(|(section, key)| WrittenFact { section, key }).collect(),
            delivery: written.delivery.into(),
        }
    }
}
