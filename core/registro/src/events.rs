//! Events: what changed, to be pulled in batches.

use registro_model::{CommandId, DocumentId};
use registro_store::SalvageReport;

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
    /// The store on this device was found damaged and mended. Sync: what was not written here comes again from the
    /// school.
    Mended(Mended),
}

/// What a damaged store lost and kept. Nothing is deleted: what did not read is set aside on the device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mended {
    /// Entries not yet confirmed that were taken over from the damaged part.
    pub entries_kept: usize,
    /// Entries that could not be read any more. Tell the person: they have to be written again.
    pub entries_lost: usize,
    /// Whether the register has to be fetched again as a whole; otherwise only parts of it.
    pub everything: bool,
}

impl From<SalvageReport> for Mended {
    fn from(report: SalvageReport) -> Self {
        Self { entries_kept: report.salvaged, entries_lost: report.lost, everything: report.folder.is_some() }
    }
}
