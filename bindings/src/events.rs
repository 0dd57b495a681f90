//! Events: what changed, pulled in batches.

use registro_model::{CommandId, DocumentId};

/// Something that an app may want to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Event {
    /// Documents changed: screens that show them read again.
    Changed {
        /// Which.
        documents: Vec<DocumentId>,
    },
    /// The hub confirmed what was written.
    Confirmed {
        /// What `written` lists under this id.
        command: CommandId,
    },
    /// Something written was refused or is with the office: `written` says why.
    NotAccepted {
        /// What `written` lists under this id.
        command: CommandId,
    },
    /// Another device of this person logged in.
    NewDevice,
    /// The school's register was restored from a backup: this device offers its work again by itself.
    Restored,
    /// The store on this device was found damaged and mended: sync.
    Mended {
        /// Entries not yet confirmed that were taken over from the damaged part.
        entries_kept: u32,
        /// Entries that could not be read any more. Tell the person: they have to be written again.
        entries_lost: u32,
        /// Whether the register has to be fetched again as a whole; otherwise only parts of it.
        everything: bool,
    },
}

impl From<registro::Event> for Event {
    fn from(event: registro::Event) -> Self {
        match event {
            registro::Event::Changed(documents) => Self::Changed { documents },
            registro::Event::Confirmed(command) => Self::Confirmed { command },
            registro::Event::NotAccepted(command) => Self::NotAccepted { command },
            registro::Event::NewDevice => Self::NewDevice,
            registro::Event::Restored => Self::Restored,
            registro::Event::Mended(mended) => Self::Mended {
                entries_kept: u32::try_from(mended.entries_kept).unwrap_or(u32::MAX),
                entries_lost: u32::try_from(mended.entries_lost).unwrap_or(u32::MAX),
                everything: mended.everything,
            },
        }
    }
}
