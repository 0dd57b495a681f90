//! What became of what was written.

use registro_model::CommandId;
use registro_sync::device::{Delivery, OutboxEntry};

/// Delivery state of something written on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not confirmed by the hub yet.
    Pending,
    /// In the register.
    Confirmed {
        /// When the hub received it, Unix milliseconds.
        at: i64,
    },
    /// With the office, which decides.
    WithOffice {
        /// Why, in Italian.
        italian: String,
        /// Why, in English.
        english: String,
    },
    /// Refused.
    Refused {
        /// Stable name of the reason.
        reason: String,
        /// Why, in Italian.
        italian: String,
        /// Why, in English.
        english: String,
    },
}

/// Something written on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its command.
    pub command: CommandId,
    /// When the device's clock said it was written, Unix seconds.
    pub claimed: i64,
    /// What it wrote, as (section, key).
    pub facts: Vec<(String, String)>,
    /// What became of it.
    pub delivery: DeliveryState,
}

impl From<&OutboxEntry> for Written {
    fn from(entry: &OutboxEntry) -> Self {
        let delivery = match &entry.delivery {
            Delivery::Pending => match entry.changes.iter().map(|c| c.record).collect::<Option<Vec<_>>>() {
                Some(records) if !records.is_empty() => {
                    DeliveryState::Confirmed { at: records.iter().map(|r| r.received).max().unwrap_or(0) }
                }
                _ => DeliveryState::Pending,
            },
            Delivery::Confirmed { at } => DeliveryState::Confirmed { at: *at },
            Delivery::WithOffice(refusal) => DeliveryState::WithOffice {
                italian: refusal.reason.map_or("È in segreteria.", |reason| reason.italian()).to_owned(),
                english: refusal
                    .reason
                    .map_or("It is with the office.", |reason| reason.english())
                    .to_owned(),
            },
            Delivery::Refused(refusal) => DeliveryState::Refused {
                reason: refusal.reason.map_or(refusal.code.as_str(), |reason| reason.kind()).to_owned(),
                italian: refusal
                    .reason
                    .map_or("Non è stato accettato.", |reason| reason.italian())
                    .to_owned(),
                english: refusal.reason.map_or("It was not accepted.", |reason| reason.english()).to_owned(),
            },
        };
        Self {
            command: entry.command.id,
            claimed: entry.command.claimed,
            facts: entry.command.writes.iter().map(|w| (w.section.clone(), w.key.clone())).collect(),
            delivery,
        }
    }
}
