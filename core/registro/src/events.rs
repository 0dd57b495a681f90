//! Events: what changed, to be pulled in batches.

use registro_model::{CommandId, DocumentId};

/// Something that an app may want to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Documents changed: screens that show them read again.
    Changed(Vec<DocumentId>),
    /// The hub confirmed what was written.
    Confirmed(CommandId),
    /// Something written was refused or is with the office.
    NotAccepted(CommandId),
    /// Another device of this person logged in.
    NewDevice,
    /// The school's register was restored from a backup: this device offers its work again.
    Restored,
}
