//! The school's log: append-only, in the order of commits, hash-chained. A cursor is a position in it with the
//! chain value there.
//!
//! | module | what |
//! |---|---|
//! | [`schema`] | the tables |
//! | [`chain`] | how rows hang together |
//! | [`append`] | the only way in |
//! | [`read`] | rows, cursors, what is known of a change or a command |

pub mod append;
pub mod chain;
pub mod read;
pub mod schema;

pub use append::{Appender, NewRow};
pub use chain::link;

/// What a row of the log is. The numbers are those of the feed's entries on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// An accepted change.
    Change = 0,
    /// A certificate that was issued.
    Certificate = 2,
    /// A notice of a refusal, to its author.
    Refused = 3,
    /// A revocation of a device.
    Revoked = 4,
    /// The hub was restored from a backup.
    Restored = 5,
}

impl RowKind {
    /// The kind of a number in the table.
    pub const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Change,
            2 => Self::Certificate,
            3 => Self::Refused,
            4 => Self::Revoked,
            5 => Self::Restored,
            _ => return None,
        })
    }
}
